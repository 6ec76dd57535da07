"""An MP4 of a few bytes that says it has billions of samples is told before FFmpeg believes it."""

from __future__ import annotations

import struct
import tracemalloc

import pytest

from understudy.errors import InputError, NotMediaError
from understudy.media.files import open_source
from understudy.media.tables import MOST_SAMPLES, check_tables
from understudy.testing import ClipSpec, write_clip

MANY = 60_000_000


def box(kind, *content):
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full(kind, form="", *numbers):
    return box(kind, bytes(4), struct.pack(">" + form, *numbers))


def track(*more, samples=5, durations=None, kind=b"vide", held=()):
    durations = durations or [(samples, 1000)]
    entry = struct.pack(">I4s6xH16xHHIIIH32sHh", 86, b"mp4v", 1, 64, 64, 0x480000, 0x480000, 0, 1, bytes(32), 24, -1)
    tables = box(
        b"stbl",
        box(b"stsd", struct.pack(">II", 0, 1), entry),
        full(b"stts", "I" + "II" * len(durations), len(durations), *(one for row in durations for one in row)),
        full(b"stsc", "IIII", 1, 1, samples, 1),
        full(b"stsz", "II", 1, samples),
        full(b"stco", "II", 1, 100),
        *held,
    )
    head = full(b"mdhd", "IIIIHH", 0, 0, 1000, 1000, 0, 0)
    media = box(b"mdia", head, box(b"hdlr", bytes(8), kind, bytes(14)), box(b"minf", full(b"vmhd", "8x"), tables))
    matrix = struct.pack(">9I", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    header = box(
        b"tkhd", struct.pack(">IIIIII8x8x", 0, 0, 0, 1, 0, 1000), matrix, struct.pack(">II", 64 << 16, 64 << 16)
    )
    return box(b"trak", header, media, *more)


def written(path, *boxes):
    general = box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, 1000), bytes(80))
    path.write_bytes(
        box(b"ftyp", b"isom", bytes(4), b"isom") + box(b"moov", general, *boxes) + box(b"mdat", bytes(2000))
    )
    return path


BOMBS = {
    "samples": [track(samples=MANY)],
    "durations": [track(durations=[(MANY, 1000)])],
    "in two rows": [track(durations=[(MANY // 2, 1000), (MANY // 2, 999)])],
    "offsets": [track(held=[full(b"ctts", "III", 1, MANY, 0)])],
    "in many tracks": [track(samples=MOST_SAMPLES // 4)] * 6,
    "sound in pieces": [track(samples=MANY, durations=[(MANY - 1, 1), (1, 2)], kind=b"soun")],
    "sound without end": [track(samples=0xFFFFFFFF, durations=[(0xFFFFFFFF, 1)], kind=b"soun")] * 3,
    "edits": [track(box(b"edts", full(b"elst", "I", 100_000)))],
    "edits of many": [track(box(b"edts", full(b"elst", "I", 500)), samples=1_000_000)],
    "hidden in its user data": [track(box(b"udta", full(b"stsz", "II", 1, MANY)))],
    "compressed": [box(b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", struct.pack(">I", 0xFFFFFFFF), b"x"))],
}


@pytest.mark.parametrize("what", BOMBS)
def test_what_its_tables_say_is_added_up_before_they_are_made(tmp_path, what):
    path = written(tmp_path / "bomb.mp4", *BOMBS[what])
    assert path.stat().st_size < 10_000
    tracemalloc.start()
    try:
        with pytest.raises(NotMediaError, match=r"more than can be|compressed header"):
            open_source(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_fragment_that_says_so_is_told_too(tmp_path):
    path = written(tmp_path / "bomb.mp4", track(samples=0))
    with path.open("ab") as file:
        file.write(box(b"moof", full(b"mfhd", "I", 1), box(b"traf", full(b"trun", "I", MANY))))
    with pytest.raises(NotMediaError, match="more than can be"):
        check_tables(path)


@pytest.mark.slow
def test_countless_boxes_are_not_followed(tmp_path):
    path = tmp_path / "boxes.mp4"
    with path.open("wb") as file:
        file.write(box(b"ftyp", b"isom", bytes(4)) + box(b"free") * 1_100_000)
    with pytest.raises(NotMediaError, match="too many pieces"):
        check_tables(path)


@pytest.mark.parametrize("samples", [0, 1, 1000])
def test_what_is_merely_odd_ends_as_an_input_that_can_not_be_used(tmp_path, samples):
    path = written(tmp_path / "odd.mp4", track(samples=samples, durations=[(samples, 1)]))
    check_tables(path)
    with pytest.raises(InputError):
        open_source(path)


def test_an_hour_of_uncompressed_sound_is_no_trouble(tmp_path):
    hour = 3600 * 48_000
    check_tables(written(tmp_path / "long.mov", track(samples=hour, durations=[(hour, 1)], kind=b"soun")))


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_real_clips_pass(tmp_path, blank, suffix):
    clip = tmp_path / f"clip{suffix}"
    write_clip(clip, [blank] * 10, ClipSpec(audio=(("pcm_s16le" if suffix == ".mov" else "aac", 440.0),)))
    with open_source(clip) as source:
        assert len(list(source)) == 10
