"""Whether a file carries credentials is seen in bounded steps, before the library that reads them is asked."""

from __future__ import annotations

import shutil
import struct
import zlib

import pytest
from PIL import Image

import understudy
from understudy.provenance import carriers
from understudy.provenance.carriers import UnwieldyError, carries_credentials
from understudy.provenance.credentials import media_type, read_credentials
from understudy.testing import ClipSpec, write_clip

C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
IHDR = struct.pack(">4sIIBBBBB", b"IHDR", 10, 10, 8, 2, 0, 0, 0)
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + IHDR + struct.pack(">I", zlib.crc32(IHDR))
FTYP = struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0)
LONG = 300_000_000
TOO_LONG = {
    "png": PNG + struct.pack(">I4s", LONG, b"caBX"),
    "mp4": FTYP + struct.pack(">I4s", LONG, b"uuid") + C2PA,
    "webp": b"RIFF" + struct.pack("<I", LONG) + b"WEBP" + b"C2PA" + struct.pack("<I", LONG - 100),
    "tif": b"II*\0" + struct.pack("<IHHHII", 8, 1, 0xCD41, 7, LONG, 100),
}
COUNTLESS = {
    "png": PNG,
    "webp": b"RIFF" + struct.pack("<I", LONG) + b"WEBP",
    "avi": b"RIFF" + struct.pack("<I", LONG) + b"AVI ",
    "mp4": FTYP + struct.pack(">I4s", 8, b"free") * 30_000,
    "gif": b"GIF89a\x0a\0\x0a\0\0\0\0" + b"\x21\xfe" + b"\x01x" * 30_000,
    "jpg": b"\xff\xd8" + b"\xff\xff" * 30_000,
}


def hole(path, head, size):
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)
    return path


@pytest.mark.parametrize("kind", TOO_LONG)
def test_credentials_that_would_fill_the_memory_are_not_read(tmp_path, kind):
    path = hole(tmp_path / f"a.{kind}", TOO_LONG[kind], LONG + 1000)
    said = read_credentials(path, None)
    assert said.state == "unreadable"
    assert "longer than" in said.problems[0]


@pytest.mark.parametrize("kind", COUNTLESS)
def test_a_file_of_countless_pieces_is_not_followed_to_its_end(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(carriers, "MOST_PIECES", 20_000)
    path = hole(tmp_path / f"a.{kind}", COUNTLESS[kind], 100 << 30)
    said = read_credentials(path, None)
    assert said.state == "unreadable"
    assert "too many pieces" in said.problems[0]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_signed_pictures_are_seen_to_be_and_others_not(tmp_path, hopper_path, astronaut_path, suffix):
    output = tmp_path / f"out{suffix}"
    understudy.swap(source=str(hopper_path), target=str(astronaut_path), output=str(output), consent="self")
    kind = media_type(output)
    assert carries_credentials(output, kind)
    assert read_credentials(output, None).state == "valid"
    with Image.open(output) as picture:
        picture.save(tmp_path / f"bare{suffix}")
    assert not carries_credentials(tmp_path / f"bare{suffix}", kind)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".gif"])
@pytest.mark.slow
def test_signed_clips_are_seen_to_be_and_others_not(tmp_path, hopper_path, brief_clip, suffix):
    output = tmp_path / f"out{suffix}"
    understudy.swap(source=str(hopper_path), target=str(brief_clip), output=str(output), consent="self")
    assert carries_credentials(output, media_type(output))
    assert read_credentials(output, None).state == "valid"
    bare = tmp_path / f"bare{suffix}"
    if suffix == ".gif":
        frames = [Image.new("RGB", (20, 20), (value, 0, 0)) for value in (0, 99)]
        frames[0].save(bare, save_all=True, append_images=frames[1:])
    else:
        shutil.copy(brief_clip, bare)
    assert not carries_credentials(bare, media_type(bare))


def test_a_large_picture_with_credentials_is_told_and_without_them_is_not_held_up(tmp_path):
    start = b"\xff\xd8" + struct.pack(">BBH", 0xFF, 0xEB, 100) + b"JP\0\1\0\0\0\1" + struct.pack(">I", 90) + b"jumb"
    marked = hole(tmp_path / "marked.jpg", start, 400_000_000)
    with pytest.raises(UnwieldyError, match="larger than 256 MB"):
        carries_credentials(marked, "image/jpeg")
    plain = hole(tmp_path / "plain.jpg", b"\xff\xd8" + struct.pack(">BBH", 0xFF, 0xDA, 8), 400_000_000)
    assert read_credentials(plain, None).state == "absent"


def test_a_clip_beside_a_sidecar_that_is_too_large_to_compare_is_told(tmp_path, blank):
    clip = tmp_path / "a.mkv"
    write_clip(clip, [blank] * 2, ClipSpec(audio=()))
    with clip.open("r+b") as file:
        file.truncate(60 << 30)
    (tmp_path / "a.mkv.c2pa").write_bytes(struct.pack(">I4s", 100, b"jumb") + bytes(92))
    said = read_credentials(clip, None)
    assert said.state == "unreadable"
    assert "too large" in said.problems[0]
