"""A medium is that one file: nothing that it, or its name, refers to is opened, and no search of it is endless."""

from __future__ import annotations

import os
import struct
import threading
import zlib
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from understudy.app import Understudy
from understudy.errors import InputError, NotMediaError
from understudy.media import reading
from understudy.media.files import load_photo, open_source
from understudy.media.live.base import CaptureOptions
from understudy.media.live.playback import FileSource
from understudy.media.reading import open_container, open_picture
from understudy.media.tags import read_tags
from understudy.tasks.inspect import inspect_file
from understudy.testing import ClipSpec, write_clip

SECRET = "the title of another file"


@pytest.fixture
def folder(tmp_path, blank):
    """A clip that says something of itself, and a pipe that nobody writes to."""
    for name in ("secret.mp4", "secret.ts"):
        write_clip(tmp_path / name, [blank] * 3, ClipSpec(audio=(), metadata=(("title", SECRET),)))
    if os.name == "posix":
        os.mkfifo(tmp_path / "pipe")
    return tmp_path


def _playlists(name):
    hls = f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{name}\n#EXT-X-ENDLIST\n"
    dash = (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" minBufferTime="PT1S" '
        'profiles="urn:mpeg:dash:profile:isoff-main:2011" mediaPresentationDuration="PT1S"><Period>'
        '<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1">'
        f"<BaseURL>{name}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    )
    sdp = (
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
    )
    return {
        "concat": f"ffconcat version 1.0\nfile {name}\n",
        "concat of a path": f"ffconcat version 1.0\nfile '{name}'\nduration 1\nfile '{name}'\n",
        "hls": hls,
        "hls with a map": hls.replace("#EXTINF", f'#EXT-X-MAP:URI="{name}"\n#EXTINF'),
        "master": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{name}\n",
        "dash": dash,
        "sdp": sdp,
        "image list": f"# image list\nfile {name}\n",
        "smooth": f'<?xml version="1.0"?><smil><body><video src="{name}"/></body></smil>',
        "redirect": f"[Reference]\nRef1=file://{name}\n",
        "rtsp": f"RTSPtext\nrtsp://127.0.0.1/{name}\n",
        "lrc": f"[ti:{name}]\n[00:01.00]x\n",
    }


KINDS = list(_playlists("x"))
SUFFIXES = (".mp4", ".m3u8", ".ffconcat", ".mpd", ".sdp", ".txt", ".jpg")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "to", ["secret.mp4", "/dev/zero", *(pytest.param(to, marks=pytest.mark.slow) for to in ("secret.ts", "pipe"))]
)
def test_what_a_playlist_names_is_never_opened(folder, kind, to):
    if to == "pipe" and os.name != "posix":
        pytest.skip("no pipes with names here")
    for suffix in SUFFIXES:
        for name in (to, str(folder / to)):
            path = folder / f"list{suffix}"
            path.write_text(_playlists(name)[kind])
            assert SECRET not in str(read_tags(path).fields)
            with pytest.raises(NotMediaError):
                open_container(path)
            with pytest.raises(NotMediaError):
                open_source(path)
            assert load_photo(path, 1000) is None
    with pytest.raises(InputError):
        FileSource(path, CaptureOptions()).open()
    with pytest.raises(InputError):
        Understudy().faces(path)
    said = inspect_file(path)
    assert said.kind is None
    assert said.record is None


def _box(kind, *content):
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


ODD_NAMES = ["http:x.mp4", "file:x.mp4", "concat:a|b.mp4", "pipe:0.mp4", "12:30.mp4", "x%03d.mp4", "-", "-i.mp4", "a:b"]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such names")
@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_is_a_name_whatever_it_begins_with(folder, name, monkeypatch):
    monkeypatch.chdir(folder)
    path = Path(name)
    path.write_bytes((folder / "secret.mp4").read_bytes())
    assert read_tags(path).fields["title"] == SECRET
    with open_source(path) as source:
        assert len(list(source)) == 3


def test_a_pattern_names_no_other_pictures(folder, blank):
    for number in range(3):
        Image.fromarray(blank).save(folder / f"picture{number:03}.png")
    for name in ("picture%03d.png", "picture*.png"):
        with pytest.raises(InputError):
            open_source(folder / name)


def within(seconds, function):
    """What a function gives; an error if it takes longer. It is left to itself then."""
    result = []

    def run():
        try:
            result.append(function())
        except InputError as fault:
            result.append(fault)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert result, "it did not come back"
    return result[0]


GIGABYTES = 100 << 30
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
IHDR = struct.pack(">4sIIBBBBB", b"IHDR", 10, 10, 8, 2, 0, 0, 0)
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + IHDR + struct.pack(">I", zlib.crc32(IHDR))
HEADS = {
    "nothing": b"",
    "jpeg": JPEG,
    "png": PNG,
    "gif": b"GIF89a\x0a\x00\x0a\x00\x80\x00\x00" + b"\0" * 6,
    "webp": b"RIFF" + struct.pack("<I", 0xFFFFFFF0) + b"WEBPVP8 ",
    "avi": b"RIFF" + struct.pack("<I", 0xFFFFFFF0) + b"AVI LIST",
    "tiff": b"II*\0" + struct.pack("<I", 8),
    "mp4": _box(b"ftyp", b"isom", bytes(4)),
    "mp4 with a long box": _box(b"ftyp", b"isom", bytes(4)) + struct.pack(">I4sQ", 1, b"mdat", GIGABYTES - 16),
    "matroska": bytes.fromhex("1a45dfa3a3428288") + b"matroska" + bytes.fromhex("4287810442858102") + bytes(11),
    "flv": b"FLV\x01\x05\0\0\0\x09\0\0\0\0",
    "mpeg": bytes.fromhex("000001ba44000400040100000300000001e0"),
    "ts": (b"\x47\x40\x00\x10" + bytes(184)) * 3,
    "ogg": b"OggS\0\x02" + bytes(8) + b"\x01\0\0\0" + bytes(8) + b"\x01\x1e",
    "h264": bytes.fromhex("0000000167640014acd9"),
}


@pytest.mark.parametrize("kind", HEADS)
def test_an_endless_hole_after_a_good_beginning_is_given_up(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(reading, "SEARCH", (0.5, 0.5))
    path = tmp_path / "hole"
    with path.open("wb") as file:
        file.write(HEADS[kind])
        file.truncate(GIGABYTES)
    assert within(30, lambda: read_tags(path)) is not None
    assert isinstance(within(30, lambda: open_source(path)), InputError)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["jpeg", "png", "gif"])
def test_a_picture_made_of_countless_pieces_is_given_up(tmp_path, kind):
    piece = {
        "jpeg": b"\xff\xff",
        "png": struct.pack(">I4sI", 0, b"abCd", zlib.crc32(b"abCd")),
        "gif": b"\x21\xfe\x01x\x00",
    }[kind]
    path = tmp_path / "pieces"
    path.write_bytes(HEADS[kind] + piece * 2_000_000)
    found = within(60, lambda: open_source(path))
    assert isinstance(found, InputError), found


def test_a_piece_that_says_it_is_gigantic_is_not_read(tmp_path):
    path = tmp_path / "text.png"
    with path.open("wb") as file:
        file.write(PNG + struct.pack(">I4s", 300_000_000, b"iTXt") + b"key\0\0\0\0\0")
        file.truncate(300_000_100)
    with pytest.raises(NotMediaError, match="too long"):
        open_picture(path, 1000)


def test_a_picture_can_be_read_as_before_and_is_closed(tmp_path, hopper_path, recwarn):
    picture = open_picture(hopper_path, 10**9)
    assert picture is not None
    with closing(picture):
        assert np.asarray(picture).any()
    assert not recwarn.list
