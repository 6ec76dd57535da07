"""Files that people take for pictures: read as what they are, or told in one line."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
from PIL import Image

from understudy.cli.main import main
from understudy.errors import InputError, NotMediaError
from understudy.media.files import load_photo, open_source
from understudy.media.files.opening import written_suffix
from understudy.testing import talking


def branded(*brands):
    """The head of an ISO media file."""
    return (
        struct.pack(">I4s", 16 + 4 * len(brands[1:]), b"ftyp") + brands[0] + bytes(4) + b"".join(brands[1:]) + bytes(99)
    )


def raw_tiff(order="<"):
    """A raw photo as cameras keep it: a small preview that every reader shows, and the samples beside it."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    preview, sub, picture = 8, 400, 600

    def directory(*entries):
        body = b""
        for tag, kind, value in entries:
            body += struct.pack(order + "HHI", tag, kind, 1) + struct.pack(
                order + ("HH" if kind == 3 else "I"), value, *([0] if kind == 3 else [])
            )
        return struct.pack(order + "H", len(entries)) + body + bytes(4)

    first = directory(
        (254, 4, 1),
        (256, 4, 16),
        (257, 4, 16),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, picture),
        (277, 3, 1),
        (278, 4, 16),
        (279, 4, 256),
        (330, 4, sub),
    )
    second = directory((254, 4, 0), (256, 4, 4000), (257, 4, 3000), (262, 3, 32803))
    data = (mark + struct.pack(order + "I", preview) + first).ljust(sub, b"\0") + second
    return data.ljust(picture, b"\0") + bytes(range(256))


UNREAD = {
    "HEIC": [
        ("a.heic", branded(b"heic", b"mif1", b"heic")),
        ("b.heif", branded(b"mif1", b"heic")),
        ("c.jpg", branded(b"heix")),
        ("d.hif", branded(b"msf1", b"hevc")),
    ],
    "AVIF": [("a.avif", branded(b"avif", b"mif1")), ("b.avif", branded(b"mif1", b"avif"))],
    "raw": [
        ("a.cr3", branded(b"crx ", b"isom")),
        ("a.cr2", b"II*\0\x10\0\0\0CR\2\0" + bytes(99)),
        ("a.nef", raw_tiff()),
        ("renamed.tif", raw_tiff()),
        ("big-endian.tif", raw_tiff(">")),
        ("a.raf", b"FUJIFILMCCD-RAW 0201" + bytes(99)),
        ("a.orf", b"IIRO\x08\0\0\0" + bytes(99)),
        ("a.rw2", b"IIU\0\x18\0\0\0" + bytes(99)),
    ],
    "PDF": [("a.pdf", b"%PDF-1.7\n" + bytes(99)), ("b.pdf", b"\r\n%PDF-1.4" + bytes(99))],
    "SVG": [
        ("a.svg", b'<?xml version="1.0"?>\n<!-- -->\n<svg xmlns="http://www.w3.org/2000/svg"/>'),
        ("b.svg", "<svg/>".encode("utf-16")),
    ],
    "compressed": [("a.svgz", gzip.compress(b"<svg/>", mtime=0))],
    "JPEG XL": [("a.jxl", b"\xff\x0a" + bytes(99)), ("b.jxl", b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99))],
    "Photoshop": [("a.psd", b"8BPS\0\1" + bytes(99)), ("b.psb", b"8BPS\0\2" + bytes(99))],
    "PostScript": [("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n")],
    "web page": [("a.jpg", b"<!DOCTYPE html><html></html>")],
    "archive": [("a.docx", b"PK\3\4" + bytes(99))],
}


@pytest.mark.parametrize(("kind", "name", "data"), [(kind, *file) for kind, files in UNREAD.items() for file in files])
def test_what_can_not_be_read_is_told_by_its_kind(tmp_path, kind, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    for read in (open_source, lambda path: load_photo(path, 10**6)):
        with pytest.raises(NotMediaError, match=kind) as told:
            read(path)
        assert "Export it as JPEG" in told.value.hint


@pytest.mark.parametrize("role", ["source", "target"])
def test_a_phones_photo_is_one_line_on_the_command_line(tmp_path, hopper_path, capfd, role):
    photo = tmp_path / "IMG_0001.HEIC"
    photo.write_bytes(branded(b"heic", b"mif1"))
    source, target = (photo, hopper_path) if role == "source" else (hopper_path, photo)
    arguments = ["swap", "-s", str(source), "-t", str(target), "-o", str(tmp_path / "out.png"), "--consent", "self"]
    assert main(arguments) == 3
    said = capfd.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in said if line.startswith(("error", "hint"))] == ["error", "hint"]
    assert any("IMG_0001.HEIC is a HEIC photo" in line for line in said)


def test_a_tiff_that_is_none_of_a_cameras_is_read(small_puppet, tmp_path):
    picture = Image.fromarray(small_puppet.render(talking(0.1)).picture[:, :, ::-1].copy())
    for name, mode, more in (("a.tif", "RGB", {}), ("b.tiff", "L", {"compression": "tiff_lzw"}), ("c.tif", "CMYK", {})):
        picture.convert(mode).save(tmp_path / name, **more)
        assert load_photo(tmp_path / name, 10**6).shape == (240, 320, 3)


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_tiff_is_read_or_refused(small_puppet, tmp_path, seed):
    rng = np.random.default_rng(seed)
    path = tmp_path / "photo.tif"
    data = bytearray(raw_tiff()) if seed % 2 else None
    if data is None:
        Image.fromarray(small_puppet.render(talking(0.1)).picture[::8, ::8, ::-1].copy()).save(path)
        data = bytearray(path.read_bytes())
    for at in rng.integers(4, len(data), 60):
        data[at] = rng.integers(0, 256)
    path.write_bytes(bytes(data[: rng.integers(9, len(data))]))
    try:
        load_photo(path, 10**6)
    except (NotMediaError, OSError) as fault:
        assert str(fault)


def test_uncompressed_video_that_programs_pass_on_is_read_and_written_as_mp4(tmp_path):
    luma, chroma = bytes(range(64, 192)) * 8, bytes([128]) * 512
    clip = tmp_path / "clip.y4m"
    clip.write_bytes(b"YUV4MPEG2 W32 H32 F30:1 Ip A1:1 C420jpeg\n" + (b"FRAME\n" + luma + chroma) * 3)
    with open_source(clip) as source:
        frames = list(source)
        assert source.damage is None
    assert [round(frame.seconds * 30) for frame in frames] == [0, 1, 2]
    assert all(frame.picture.shape == (32, 32, 3) for frame in frames)
    assert written_suffix(clip) == ".mp4"


@pytest.mark.parametrize(
    ("name", "frames", "suffix"),
    [("a.png", 3, ".mp4"), ("a.gif", 3, ".gif"), ("a.gif", 1, ".png"), ("a.avif", 1, ".png"), ("a.PNG", 1, ".PNG")],
)
def test_what_is_written_beside_a_target_can_hold_what_it_shows(name, frames, suffix, tmp_path):
    """The name alone was asked, and the target refused for the output that was chosen for it."""
    path = tmp_path / name
    first, *others = [Image.new("RGB", (64, 64), (60 * number, 0, 0)) for number in range(frames)]
    first.save(path, save_all=frames > 1, append_images=others)
    assert written_suffix(path) == suffix
    path.unlink()
    assert written_suffix(path) == (".png" if name == "a.avif" else path.suffix)  # another job is to make it


def test_uncompressed_video_of_a_gigantic_size_is_told_by_its_head(tmp_path):
    clip = tmp_path / "clip.y4m"
    clip.write_bytes(b"YUV4MPEG2 W16000 H9000 F30:1\nFRAME\n" + bytes(99))
    with pytest.raises(InputError):
        open_source(clip)
