"""What a user may keep on the server at a time."""

import asyncio

import pytest

from understudy.provenance import Home
from understudy.server.access.quotas import QuotaError
from understudy.server.api.shelf import Shelf

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
