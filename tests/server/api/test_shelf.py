"""What a user may keep on the server at a time."""

import asyncio
from types import SimpleNamespace

import pytest

from understudy.errors import NoSpaceError
from understudy.provenance import Home
from understudy.server import receiving
from understudy.server.access.quotas import QuotaError
from understudy.server.api.shelf import Shelf
from understudy.server.receiving import LEFT_FREE

ROOM = 1000


async def pieces(*parts):
    for part in parts:
        await asyncio.sleep(0)  # others have their turn
        yield b"\xff" * part


def photo(shelf, *parts, user="anna"):
    return shelf.take(user, "photo", "one.jpg", pieces(*parts), ROOM)


def test_what_comes_at_once_is_kept_as_far_as_there_is_room(tmp_path):
    shelf = Shelf(Home(tmp_path), 1)

    async def several():
        uploads = [*(photo(shelf, 300, 300) for _ in range(4)), photo(shelf, 300, 300, user="ben")]
        return await asyncio.gather(*uploads, return_exceptions=True)

    *annas, bens = asyncio.run(several())
    assert [type(one).__name__ for one in annas].count("Thing") == 1
    assert sum(isinstance(one, QuotaError) for one in annas) == 3
    assert bens.bytes == 600
    assert (shelf.bytes_of("anna"), shelf.bytes_of("ben")) == (600, 600)
    assert sorted(shelf.path(one) for one in (*shelf.all("anna", "photo"), bens)) == sorted(
        path for path in shelf.path(bens).parent.iterdir() if path.suffix == ".jpg"
    )  # of what was refused no file stays


def on_the_disk(shelf):
    """Bytes of all files of users, whole or not."""
    return sum(path.stat().st_size for path in (shelf.home.root / "server" / "things").iterdir())


async def held_back(size, over):
    """All of a file but its last byte, and that when it is said to be over."""
    yield b"\xff" * (size - 1)
    await over.wait()
    yield b"\xff"


def test_what_is_not_whole_yet_takes_room_too(tmp_path):
    shelf = Shelf(Home(tmp_path), 1)

    async def several():
        over = asyncio.Event()
        size = 100_000  # more than is held back before it is written
        uploads = [
            asyncio.ensure_future(shelf.take("anna", "photo", "one.jpg", held_back(size, over), 2.5 * size))
            for _ in range(30)
        ]
        await asyncio.sleep(0.05)
        assert on_the_disk(shelf) <= 2.5 * size
        over.set()
        return await asyncio.gather(*uploads, return_exceptions=True)

    found = asyncio.run(several())
    assert [type(one).__name__ for one in found].count("Thing") == 2
    assert sum(isinstance(one, QuotaError) for one in found) == 28


def test_what_is_said_to_come_takes_room_before_it_does(tmp_path, monkeypatch):
    shelf = Shelf(Home(tmp_path), 1)
    free = LEFT_FREE + 1_000

    async def beside(user, size, room=10_000):
        over = asyncio.Event()
        first = asyncio.ensure_future(shelf.take("anna", "photo", "one.jpg", held_back(2, over), room, 600))
        await asyncio.sleep(0.01)
        try:
            return await shelf.take(user, "photo", "two.jpg", pieces(size), room, size)
        finally:
            over.set()
            await first

    with pytest.raises(QuotaError, match="beside what is coming"):
        asyncio.run(beside("anna", 600, room=1_000))
    monkeypatch.setattr(receiving.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    with pytest.raises(NoSpaceError):
        asyncio.run(beside("ben", 600))
    assert asyncio.run(beside("ben", 300)).bytes == 300


def test_a_disk_that_fills_while_a_file_comes_is_seen(tmp_path, monkeypatch):
    shelf, left = Shelf(Home(tmp_path), 1), [LEFT_FREE + 50_000_000]

    async def many():
        for _ in range(40):
            left[0] -= 5_000_000  # others write, too
            yield bytes(1_000_000)

    monkeypatch.setattr(receiving.shutil, "disk_usage", lambda _: SimpleNamespace(free=left[0]))
    with pytest.raises(NoSpaceError):
        asyncio.run(shelf.take("anna", "photo", "one.jpg", many(), 1e9))
    assert left[0] >= LEFT_FREE - 5_000_000
    assert on_the_disk(shelf) == 0


def test_what_was_made_counts_before_it_is_fetched(tmp_path):
    shelf = Shelf(Home(tmp_path), 1)
    swap = shelf.add("anna", "swap", "clip.mp4", ".mp4")
    assert shelf.bytes_of("anna") == 0
    shelf.path(swap).parent.mkdir(parents=True, exist_ok=True)
    shelf.path(swap).write_bytes(b"\0" * ROOM)
    assert shelf.bytes_of("anna") == ROOM
    with pytest.raises(QuotaError, match="already"):
        asyncio.run(photo(shelf, 1))
    shelf.wrote(swap, "0" * 64)
    assert shelf.bytes_of("anna") == ROOM


def test_who_has_as_much_as_they_may_gets_nothing_more_and_is_told_what_to_do(tmp_path):
    shelf = Shelf(Home(tmp_path), 1)
    asyncio.run(photo(shelf, 600))
    shelf.check_room("anna", 601)
    with pytest.raises(QuotaError) as told:
        shelf.check_room("anna", 600)
    assert "Remove some" in told.value.hint


def test_messages_name_files_as_their_user_does(tmp_path):
    shelf = Shelf(Home(tmp_path), 1)
    mine, others = asyncio.run(photo(shelf, 3)), asyncio.run(photo(shelf, 3, user="ben"))
    said = f"no face was found in {shelf.path(mine)}, nor in {mine.id}.jpg; {shelf.path(others).name} is another's"
    assert shelf.in_their_words("anna", said) == (
        f"no face was found in one.jpg, nor in one.jpg; {others.id}.jpg is another's"
    )
    for text in ("", "0" * 64, f"{mine.id}{mine.id}.jpg", "signed as f4240812f882"):
        assert shelf.in_their_words("anna", text) == text
