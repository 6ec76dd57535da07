"""A part of a file: its frames, no others, and what goes along with them."""

from __future__ import annotations

import av
import numpy as np
import pytest
from PIL import Image

from understudy.errors import UsageError
from understudy.media.files import open_source
from understudy.media.files.decoding import Decoding
from understudy.media.files.keyframes import keyframes
from understudy.media.files.trimming import open_part
from understudy.testing import ClipSpec, write_clip

MOST = 10_000_000
#: Key frames every 12 frames, with frames between that are stored after those they precede.
SPEC = ClipSpec(rate=25, options=(("crf", "18"), ("preset", "medium"), ("g", "12"), ("bf", "3")))


def numbered(count, size=(64, 48)):
    """Pictures that can be told apart after coding: each a step brighter."""
    return [np.full((size[1], size[0], 3), 16 + 2 * number, np.uint8) for number in range(count)]


def seen(source):
    with source:
        return [(frame.pts, int(frame.picture.mean())) for frame in source]


@pytest.fixture(scope="module", params=["mp4", "mkv", "mov", "avi", "ts"])
def clip(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / f"clip.{request.param}"
    write_clip(path, numbered(100), SPEC)
    return path


@pytest.mark.parametrize(("since", "until"), [(0, 1.2), (0.48, 1.0), (1.0, None), (1.02, 3.02), (3.96, None)])
def test_the_frames_of_a_part_are_those_of_the_whole(clip, since, until):
    whole, part = seen(open_source(clip, MOST)), seen(open_part(clip, MOST, since, until))
    time_base = open_source(clip, MOST).info.time_base
    wanted = [
        one
        for one in whole
        if since - 0.001 <= one[0] * time_base and (until is None or one[0] * time_base < until - 0.001)
    ]
    assert part == wanted
    assert part


def test_what_the_part_is(clip):
    with open_part(clip, MOST, 1.0, 2.0) as source:
        info, frames = source.info, list(source)
    assert info.frames in (25, 26)
    assert info.duration == pytest.approx(1.0, abs=0.05)
    assert info.excerpt.first == frames[0].pts
    assert "a part of" in info.notes[-1]
    assert source.damage is None


def test_what_lies_long_before_and_behind_is_not_decoded(tmp_path, monkeypatch):
    path, decoded = tmp_path / "clip.mp4", []
    write_clip(path, numbered(100), SPEC)
    pictures = Decoding.__iter__

    def counted(self):
        for picture in pictures(self):
            decoded.append(picture.pts)
            yield picture

    monkeypatch.setattr(Decoding, "__iter__", counted)
    assert len(seen(open_part(path, MOST, 2.0, 2.4))) == 10
    assert len(decoded) < 30  # of 100: the first, those from the key frame before on, and the one that ends it


@pytest.mark.parametrize(("since", "until"), [(4.5, None), (100, None), (100, 200)])
def test_a_part_in_which_no_frame_begins_is_an_error_that_says_how_long_it_is(clip, since, until):
    with pytest.raises(UsageError, match="has no frame from"):
        open_part(clip, MOST, since, until)


@pytest.mark.parametrize(("since", "until"), [(0, 1), (0, None), (1, None), (None, 1)])
def test_a_picture_has_no_length(tmp_path, since, until):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    with pytest.raises(UsageError, match="is a picture: it has no length"):
        open_part(tmp_path / "a.png", MOST, since, until)


def test_a_part_from_0_on_is_all_of_a_clip(clip):
    with open_part(clip, MOST, 0, None) as source:
        assert (source.info.excerpt, source.info.notes) == (None, ())


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_a_part_of_an_animation(tmp_path, suffix):
    path, delays = tmp_path / f"a.{suffix}", [100, 200, 300, 400]
    shots = [Image.fromarray(np.full((32, 32, 3), 60 * number, np.uint8)) for number in range(4)]
    shots[0].save(path, save_all=True, append_images=shots[1:], duration=delays, loop=0)
    with open_part(path, MOST, 0.1, 0.6) as source:
        info, frames = source.info, list(source)
    assert [(frame.pts, frame.duration) for frame in frames] == [(100, 200), (300, 300)]
    assert (info.frames, info.duration, info.last_delay) == (2, 0.5, 0.3)
    with pytest.raises(UsageError, match=r"it is 0:01 long"):
        open_part(path, MOST, 1.0, None)


def test_times_that_are_far_apart(tmp_path):
    path = tmp_path / "clip.mkv"
    times = [0, 90_000, 91_000, 180_000, 360_000]
    write_clip(path, numbered(5), ClipSpec(pts=times, audio=()))
    assert [value for _, value in seen(open_part(path, MOST, 0.5, 2.5))] == [
        value for _, value in seen(open_source(path, MOST))
    ][1:4]


@pytest.mark.slow
def test_keyframes_of_a_part(tmp_path):
    path = tmp_path / "clip.mp4"
    write_clip(path, numbered(100), SPEC)
    known = keyframes(path)
    part = known.part(1.0, 3.0)
    assert len(part.times) == 50
    assert part.seconds(0) == 1.0
    assert part.entry == known.times[max(key for key in known.keys if known.seconds(key) <= 1.0)]
    assert not part.ends
    assert {part.times[key] for key in part.keys} <= {known.times[key] for key in known.keys}
    assert known.part(0, None) == known
    assert known.part(9, None) is None
    assert known.part(3.0, None).ends


def test_a_part_between_two_frames_has_none(tmp_path):
    write_clip(tmp_path / "clip.mp4", numbered(50), SPEC)
    with pytest.raises(UsageError, match=r"has no frame from 0:01\.01 to 0:01\.03: it is 0:02 long"):
        open_part(tmp_path / "clip.mp4", MOST, 1.01, 1.03)


@pytest.mark.slow
def test_unreadable_data_before_a_part_is_no_damage_of_it(tmp_path):
    path = tmp_path / "clip.mp4"
    write_clip(path, numbered(100), SPEC)
    with av.open(str(path)) as file:
        packet = next(one for one in file.demux(video=0) if one.pts * one.time_base > 0.6)
        place, size = packet.pos, packet.size
    data = bytearray(path.read_bytes())
    data[place : place + size] = b"\xff" * size
    path.write_bytes(data)
    with open_source(path, MOST) as source:
        list(source)
    assert source.damage is not None
    with open_part(path, MOST, 2.0, None) as source:
        assert len(list(source)) == 50
    assert source.damage is None
    with open_part(path, MOST, 0.5, None) as source:
        list(source)
    assert source.damage is not None
