"""What would take too much memory or time is told before any of it is decoded; what is large and fits is processed."""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageSequence

from tests.liars import Kept
from understudy.casting import portraits
from understudy.errors import InputTooLargeError, SigningError, UnwieldyPictureError
from understudy.face import Faces
from understudy.frames import Frame
from understudy.media.base import MAX_PIXELS
from understudy.media.bounds import MOST_SIDE, MOST_STRETCHED, Moving, check_size, check_written, frames_waiting
from understudy.media.files import EncodeOptions, load_photo, open_sink, open_source, still_pixels
from understudy.media.files.encoders import sparing
from understudy.pipeline.overlap import BackgroundWriter, prefetched
from understudy.provenance import FrameSealer
from understudy.testing import ClipSpec, write_clip


def png_of(path, width, height):
    """A PNG that says it is of a size: grey of one bit, all black."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    line = bytes(1 + (width + 7) // 8)
    data = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize(
    ("width", "height", "words"),
    [
        (1, 60_000, "64 times as long"),
        (60_000, 1, "64 times as long"),
        (16, 2_000, "64 times as long"),
        (1_400, MOST_SIDE + 1, "65,535 pixels"),
        (30_000, 30_000, "limit of"),
    ],
)
def test_a_picture_far_too_large_or_narrow_is_told_by_its_header(tmp_path, width, height, words):
    path = png_of(tmp_path / "odd.png", width, min(height, 3000))
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    path.write_bytes(data)
    for read in (open_source, lambda path: load_photo(path, MAX_PIXELS)):
        with pytest.raises((UnwieldyPictureError, InputTooLargeError), match=words):
            read(path)


def test_a_narrow_picture_within_the_limits_is_read(tmp_path):
    picture = load_photo(png_of(tmp_path / "strip.png", 20, 20 * MOST_STRETCHED), MAX_PIXELS)
    assert picture.shape == (20 * MOST_STRETCHED, 20, 3)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
@pytest.mark.slow
def test_an_animation_of_gigantic_frames_is_told_before_they_are_decoded(tmp_path, form, monkeypatch):
    path = tmp_path / f"large.{form.lower()}"
    frames = [Image.new("RGB", (4200, 4200), (number, 0, 0)) for number in (0, 200)]
    frames[0].save(path, form, save_all=True, append_images=frames[1:])
    monkeypatch.setattr(ImageSequence, "Iterator", lambda _: pytest.fail("its frames were decoded"))
    with pytest.raises(UnwieldyPictureError, match=r"frames of 16\.8 megapixels"):
        open_source(path)


@pytest.mark.slow
def test_a_video_of_more_than_8k_is_told_whatever_the_cap(tmp_path):
    clip = tmp_path / "large.mp4"
    write_clip(clip, [np.zeros((6000, 6000, 3), np.uint8)], ClipSpec(audio=()))
    with pytest.raises(UnwieldyPictureError, match=r"33\.2 megapixels"):
        open_source(clip, 10**9)


def test_the_limits_let_through_what_people_have(tmp_path):
    for width, height in ((11600, 8200), (12000, 8000), (8000, 12000), (20_000, 1_000)):
        check_size(tmp_path, width, height, MAX_PIXELS, Moving.STILL)
    check_size(tmp_path, 7680, 4320, MAX_PIXELS, Moving.VIDEO)
    check_size(tmp_path, 4096, 2160, MAX_PIXELS, Moving.ANIMATION)


def test_queues_are_counted_in_bytes():
    assert frames_waiting(1280, 720) == frames_waiting(1920, 1080) == 4
    assert frames_waiting(3840, 2160) == 1
    assert frames_waiting(7680, 4320) == 0


def test_without_room_for_a_queue_frames_pass_one_by_one():
    here, alive = threading.current_thread(), []

    def items():
        for number in range(5):
            alive.append(number)
            yield number

    taken = []
    with BackgroundWriter(lambda item: taken.append((item, threading.current_thread() is here)), 0) as behind:
        for item in prefetched(items(), 0):
            assert alive == list(range(item + 1))
            behind.put(item)
            assert taken[-1] == (item, True)
    assert len(taken) == 5

    def fail(_):
        raise ValueError("full")

    with pytest.raises(ValueError, match="full"), BackgroundWriter(fail, 0) as behind:
        behind.put(1)


def test_encoders_keep_fewer_of_larger_frames():
    for encoder in ("libx264", "libx265", "libvpx-vp9"):
        assert sparing(encoder, 1024 * 576) == {}
        assert sparing(encoder, 3840 * 2160) != sparing(encoder, 7680 * 4320) != {}


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK", "I;16", "F"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_large_picture_is_read_in_pieces_to_the_same_pixels(tmp_path, hopper, mode, turned, monkeypatch):
    rgb = Image.fromarray(hopper[:90, :70, ::-1])
    if mode == "RGBA":
        picture = rgb.copy()
        picture.putalpha(rgb.convert("L"))
    elif mode in ("I;16", "F"):
        gray = np.asarray(rgb.convert("L"))
        picture = Image.fromarray(gray.astype(np.uint16) * 200 if mode == "I;16" else gray.astype(np.float32) / 300)
    else:
        picture = rgb.convert(mode)
    path, exif = tmp_path / "a.tif", Image.Exif()
    exif[still_pixels.ORIENTATION] = 6 if turned else 1
    picture.save(path, exif=exif)

    def read():
        with open_source(path) as source:
            (frame,) = list(source)
        return frame.picture, frame.alpha

    whole = read()
    monkeypatch.setattr(still_pixels, "LARGE", 3 * 70 * 7)
    for one, other in zip(whole, read(), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.slow
def test_a_large_picture_is_written_in_pieces_to_the_same_file(hopper, hopper_path, tmp_path, monkeypatch):
    alpha = np.arange(hopper.shape[0] * hopper.shape[1], dtype=np.uint8).reshape(hopper.shape[:2])
    with open_source(hopper_path) as source:
        info = source.info

    def written(frame):
        labelled, release = FrameSealer(1).seal(frame, Faces.empty()), Kept(tmp_path / "kept.png")
        with pytest.raises(SigningError), open_sink(tmp_path / "out.png", info, EncodeOptions(), release) as sink:
            sink.write(labelled)
        with Image.open(release.place) as picture:
            return np.asarray(picture), labelled.frame

    for opacity in (None, alpha):
        whole, sealed = written(Frame(hopper.copy(), alpha=opacity))
        assert np.array_equal(whole[:, :, 2::-1], sealed.picture)
        assert opacity is None or np.array_equal(whole[:, :, 3], sealed.alpha)
        with monkeypatch.context() as patch:
            patch.setattr(still_pixels, "LARGE", 10_000)
            assert np.array_equal(written(Frame(hopper.copy(), alpha=opacity))[0], whole)


SWAP = """
import re, sys
from pathlib import Path
import understudy
understudy.swap(source=sys.argv[1], target=sys.argv[2], output=sys.argv[3], consent="self")
# Not ru_maxrss, which begins with what the process had that started this one.
print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted otherwise")
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_photo_of_95_megapixels_takes_less_than_a_gigabyte_and_a_half(tmp_path, hopper_path, astronaut, suffix):
    picture = np.full((8400, 11400, 3), 128, np.uint8)
    scale = 8000 / astronaut.shape[0]
    large = cv2.resize(astronaut, None, fx=scale, fy=scale)
    picture[: large.shape[0], : large.shape[1]] = large
    path = tmp_path / f"large{suffix}"
    cv2.imwrite(str(path), picture, [cv2.IMWRITE_PNG_COMPRESSION, 1] if suffix == ".png" else [])
    del picture, large
    words = [sys.executable, "-c", SWAP, str(hopper_path), str(path), str(tmp_path / f"out{suffix}")]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=300)
    assert int(done.stdout) < 1_500_000


@pytest.mark.slow
def test_a_format_that_takes_more_memory_may_have_fewer_pixels(tmp_path):
    path = tmp_path / "large.webp"
    Image.new("L", (7000, 7000)).save(path, quality=1, method=0)
    with pytest.raises(UnwieldyPictureError, match="a WEBP of 48 megapixels"):
        open_source(path)


def test_many_large_photos_of_one_person_take_as_much_as_a_few(tmp_path, hopper, perception, monkeypatch):
    paths = []
    for number in range(3):
        paths.append(tmp_path / f"{number}.png")
        cv2.imwrite(str(paths[-1]), hopper)
    whole, _ = portraits.load_portraits(paths[:1], perception, source_face=None, max_pixels=MAX_PIXELS)
    assert whole[0].picture.shape == hopper.shape
    monkeypatch.setattr(portraits, "MOST_TOGETHER", hopper.shape[0] * hopper.shape[1])
    monkeypatch.setattr(portraits, "LEAST_PIXELS", 1)
    smaller, _ = portraits.load_portraits(paths, perception, source_face=None, max_pixels=MAX_PIXELS)
    assert sum(one.picture.size for one in smaller) <= hopper.size
    share = smaller[0].picture.shape[1] / hopper.shape[1]
    np.testing.assert_allclose(smaller[0].face.boxes_xyxy / share, whole[0].face.boxes_xyxy, rtol=0.05, atol=8)


@pytest.mark.slow
def test_a_frame_that_was_looked_at_is_gone_when_nobody_holds_it(tmp_path, small_clip):
    import gc

    import av

    def decoded():
        # By type: a weak proxy that another test left may have lost what it stood for.
        return sum(issubclass(type(one), av.VideoFrame) for one in gc.get_objects())

    gc.collect()
    before = decoded()
    gc.disable()
    try:
        with open_source(small_clip) as source:
            most = max(decoded() for _ in source)
    finally:
        gc.enable()
    assert most - before < 12  # of 25: a decoder holds some


def test_what_would_be_written_with_too_much_memory_is_told(tmp_path):
    check_written(tmp_path, 7680, 4320, "yuv420p", 8)
    check_written(tmp_path, 4096, 2160, "yuv422p10le", 10)
    for form, bits in (("yuv420p10le", 10), ("yuv444p", 8), ("gbrp", 8)):
        with pytest.raises(UnwieldyPictureError, match=r"16\.8 megapixels"):
            check_written(tmp_path, 7680, 4320, form, bits)
