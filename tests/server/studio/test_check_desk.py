"""What is said of files, and in which order they are looked at."""

import asyncio
import itertools
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from understudy.errors import InputUnreadableError
from understudy.provenance.credentials import Credentials
from understudy.provenance.metadata import Claims
from understudy.provenance.records.ledger import Record
from understudy.provenance.verdict import Evidence, judge
from understudy.provenance.watermark import Mark
from understudy.server.studio.check import words
from understudy.server.studio.check.desk import Checks
from understudy.server.texts import LANGUAGES, Texts
from understudy.server.uploads import Uploads
from understudy.tasks.inspect import Inspection

MARK = Mark(0xABC, 0.99, 2e-7, 1.0, 1.0, False, 1)
RECORD = Record(f"{0xABC:012x}", "2026-01-01T00:00:00", "image", "mesh", "1", (), "", "", (), "AI", ())
CREDENTIALS = [
    Credentials("absent"),
    Credentials("unreadable", problems=("odd",)),
    Credentials("altered", tool="Understudy/1", identifier=0xDEF),
    Credentials("altered", tool="Understudy/1", identifier=0xDEF, sidecar=True),
    Credentials("lapsed", tool="Understudy/1", problems=("expired",)),
    Credentials("valid", tool="Editor/1", signer="Somebody", earlier=(f"{0xABC:012x}",)),
    Credentials("valid", own=True, tool="Understudy/1", identifier=0xABC),
    Credentials("valid", tool="Understudy/1", signer="Somebody", identifier=0xABC),
    Credentials("valid", tool="Understudy/1", signer="Somebody", identifier=0xDEF),
]
CLAIMS = [Claims(None, None), Claims("compositeSynthetic", {"Label": "1", "ContentProducer": "Understudy"})]


def every_evidence():
    """All kinds of evidence that there are, in all combinations."""
    marks = [None, MARK, replace(MARK, scale_x=1.3)]
    records = [None, RECORD, replace(RECORD, identifier="0" * 12)]
    for parts in itertools.product(CREDENTIALS, marks, CLAIMS, records, (False, True), (None, 3, 200)):
        yield Evidence(*parts)
    for label in "23?":
        claims = Claims(None, {"Label": label, "ContentProducer": "Somebody"})
        yield Evidence(CREDENTIALS[0], None, claims, None, False, None)
    yield Evidence(CREDENTIALS[0], None, CLAIMS[0], None, False, None, opened=False)
    yield Evidence(CREDENTIALS[0], None, CLAIMS[0], None, False, None, searched=33.0)


def found(evidence):
    verdict, reasons = judge(evidence)
    said, mark, claims, record, _, distance, *_ = (getattr(evidence, name) for name in evidence.__dataclass_fields__)
    return Inspection(Path("a.jpg"), "image", verdict, reasons, said, mark, claims, record, distance, ())


def test_the_page_gives_the_same_reasons_as_the_command_line():
    english, seen = Texts("en"), set()
    for evidence in every_evidence():
        _, given = judge(evidence)
        expected = [reason[0].upper() + reason[1:] + "." for reason in given]
        assert words.reasons(english, given) == [re.sub(r"\.\.$", ".", one) for one in expected]
        seen |= {reason.name for reason in given}
    assert seen == set(words.REASONS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_verdict_and_all_evidence_is_said_in_every_language(language):
    texts = Texts(language)
    for evidence in every_evidence():
        inspection = found(evidence)
        conclusion = words.CONCLUSIONS[inspection.verdict]
        assert texts(conclusion.title)
        assert texts(conclusion.meaning)
        lines = words.evidence(texts, inspection)
        assert len(lines) == 5
        assert all(line.said for line in lines)


def test_nothing_supports_what_is_unknown_and_something_supports_what_is_not():
    texts = Texts("en")
    for evidence in every_evidence():
        inspection = found(evidence)
        supported = any(line.supports for line in words.evidence(texts, inspection))
        if inspection.verdict == "unknown":
            assert not supported
        elif inspection.record is not None or inspection.credentials.own:
            assert supported


def test_unknown_is_never_called_real():
    meaning = Texts("en")(words.CONCLUSIONS["unknown"].meaning)
    assert "not mean that it is real" in meaning


class Shop:
    """A desk, its uploads, and an inspection that says which files it saw."""

    def __init__(self, folder):
        self.uploads = Uploads(folder)
        self.seen, self.beside, self.fault = [], [], None
        self.desk = Checks(self.inspect, self.uploads)

    def inspect(self, path):
        self.seen.append(path.read_bytes())
        self.beside.append(path.with_name(path.name + ".c2pa").exists())
        if self.fault is not None:
            raise self.fault
        return replace(
            found(Evidence(CREDENTIALS[0], None, CLAIMS[0], None, False, None)), path=path, notes=(str(path),)
        )

    async def give(self, name, data=b"x"):
        async def pieces():
            yield data

        upload = await self.uploads.take(name, "file", pieces())
        self.desk.add(upload.id)
        return upload

    async def looked(self):
        for _ in range(2000):
            if all(look.state in ("done", "failed", "beside") for look in self.desk.all()):
                return
            await asyncio.sleep(0.01)
        raise AssertionError(self.desk.all())


@pytest.fixture
def shop(tmp_path):
    found = Shop(tmp_path)
    yield found
    found.uploads.close()


def test_files_are_looked_at_in_turn_and_go(shop):
    async def run():
        uploads = [await shop.give(f"{number}.bin", b"%d" % number) for number in range(4)]
        await shop.looked()
        assert not any(upload.path.exists() for upload in uploads)

    asyncio.run(run())
    assert shop.seen == [b"0", b"1", b"2", b"3"]
    assert [look.name for look in shop.desk.all()] == ["3.bin", "2.bin", "1.bin", "0.bin"]
    # The names that the server gave are not shown.
    assert shop.desk.all()[0].found.notes == ("3.bin",)
    assert shop.desk.all()[0].found.path == Path("3.bin")


def test_one_that_fails_says_why_and_does_not_stop_the_next(shop):
    async def run():
        shop.fault = InputUnreadableError("can't read it", "Check its permissions.")
        await shop.give("a.jpg")
        await shop.looked()
        shop.fault = ZeroDivisionError("an accident")
        await shop.give("b.jpg")
        await shop.looked()
        shop.fault = None
        await shop.give("c.jpg")
        await shop.looked()

    asyncio.run(run())
    last, accident, first = shop.desk.all()
    assert (first.state, first.fault.text) == ("failed", "fault.input")
    assert "Check its permissions" in first.fault.detail
    assert (accident.state, accident.fault.text) == ("failed", "fault.unexpected")
    assert last.state == "done"


def test_credentials_beside_a_file_are_looked_at_with_it(shop):
    async def run():
        await shop.give("clip.mkv.c2pa")
        assert shop.desk.all()[0].state == "beside"
        await shop.give("other.mkv")
        await shop.looked()
        await shop.give("clip.mkv")
        await shop.looked()

    asyncio.run(run())
    assert shop.beside == [False, True]
    assert [look.name for look in shop.desk.all()] == ["clip.mkv", "other.mkv"]


def test_what_is_removed_while_it_waits_is_not_looked_at(shop):
    async def run():
        first, second = await shop.give("a"), await shop.give("b")
        shop.desk.clear()
        await shop.desk.close()
        assert not first.path.exists()
        assert not second.path.exists()

    asyncio.run(run())
    assert shop.seen in ([], [b"x"])
    assert shop.desk.all() == ()


def test_the_picture_of_a_file_is_shown_small(shop):
    picture = np.full((900, 1600, 3), 90, np.uint8)
    data = cv2.imencode(".png", picture)[1].tobytes()

    async def run():
        await shop.give("wide.png", data)
        await shop.looked()

    asyncio.run(run())
    small = cv2.imdecode(np.frombuffer(shop.desk.all()[0].picture, np.uint8), cv2.IMREAD_COLOR)
    assert small.shape == (405, 720, 3)


def test_only_so_many_are_remembered(shop):
    async def run():
        for number in range(70):
            await shop.give(f"{number}")
        await shop.looked()

    asyncio.run(run())
    assert len(shop.desk.all()) == 60
