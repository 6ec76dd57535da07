"""Files in another shape: what is in them is as in any output, and the label is measured on what is shown."""

from __future__ import annotations

import av
import numpy as np
import pytest
from PIL import Image

import understudy
from understudy import FrameOptions, Settings
from understudy.errors import UsageError
from understudy.settings import changed


def settings(shape, fit="crop", caption=None, **more):
    return Settings(frame=FrameOptions(shape, fit, caption), **more)


def frames_of(path):
    with av.open(str(path)) as file:
        return [frame.to_ndarray(format="bgr24") for frame in file.decode(video=0)]


@pytest.mark.slow
@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_a_vertical_video_keeps_sound_and_times_and_is_what_it_says(hopper_path, brief_clip, tmp_path, fit):
    output = tmp_path / "out.mp4"
    report = understudy.swap(hopper_path, brief_clip, output, settings=settings("180x320", fit))
    with av.open(str(output)) as file, av.open(str(brief_clip)) as target:
        assert len(file.streams.audio) == len(target.streams.audio)
        times = [float(frame.time) for frame in file.decode(video=0)]
        assert times == [float(frame.time) for frame in target.decode(video=0)]
    assert {frame.shape for frame in frames_of(output)} == {(320, 180, 3)}
    assert report.frames_swapped == report.frames
    assert (report.width, report.height) == (320, 240)
    assert understudy.inspect(output).verdict == "made by this tool"


@pytest.mark.slow
def test_a_picture_is_cropped_to_the_face(hopper_path, astronaut_path, tmp_path):
    output = tmp_path / "out.png"
    understudy.swap(hopper_path, astronaut_path, output, settings=settings("1:2"))
    with Image.open(output) as picture, Image.open(astronaut_path) as target:
        assert abs(picture.width * 2 - picture.height) <= 1
        assert picture.height == target.height
    (face,) = understudy.faces(output).faces
    assert abs((face.box_xyxy[0] + face.box_xyxy[2]) / 2 - picture.width / 2) < 0.06 * picture.width


@pytest.mark.slow
def test_the_same_frames_as_without_but_for_what_is_left_out(hopper_path, brief_clip, tmp_path):
    understudy.swap(hopper_path, brief_clip, tmp_path / "all.png.mkv", settings=Settings())
    understudy.swap(hopper_path, brief_clip, tmp_path / "part.mkv", settings=settings("1:1"))
    whole, part = frames_of(tmp_path / "all.png.mkv"), frames_of(tmp_path / "part.mkv")
    for one, other in zip(whole, part, strict=True):
        assert other.shape == (240, 240, 3)
        upper = other[:200].astype(int)  # above the label
        apart = [np.abs(one[:200, left : left + 240].astype(int) - upper).mean() for left in range(81)]
        assert min(apart) < 3


@pytest.mark.slow
def test_a_gif_of_a_video_has_as_few_frames_as_were_asked_for(hopper_path, brief_clip, tmp_path):
    output = tmp_path / "out.gif"
    fewer = changed(settings("160x160"), {"encode.animation_fps": 10.0})
    report = understudy.swap(hopper_path, brief_clip, output, settings=fewer)
    with Image.open(output) as picture:
        assert picture.size == (160, 160)
        assert picture.n_frames == 3  # of eight, at 25 a second
        delays = []
        for number in range(3):
            picture.seek(number)
            delays.append(picture.info["duration"])
    assert sum(delays) == pytest.approx(320, abs=45)
    assert max(delays) <= 120
    assert any("5 frames left out, 3 written" in note for note in report.notes)
    assert understudy.inspect(output).verdict == "made by this tool"


def test_a_compare_has_no_other_shape(hopper_path, brief_clip, tmp_path):
    with pytest.raises(UsageError, match="a compare shows whole frames"):
        understudy.swap(hopper_path, brief_clip, tmp_path / "out.mp4", settings=settings("9:16", compare="wipe"))


def test_too_little_room_is_told_before_anything_is_written(hopper_path, brief_clip, tmp_path):
    with pytest.raises(UsageError, match="no room for a caption"):
        understudy.swap(hopper_path, brief_clip, tmp_path / "out.mp4", settings=settings("64x64", caption="far " * 39))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(("compare", "across"), [("side-by-side", 2), ("wipe", 1)])
@pytest.mark.parametrize("kind", ["picture", "clip"])
def test_a_caption_stands_in_a_compare_too(hopper_path, brief_clip, astronaut_path, tmp_path, compare, across, kind):
    target = brief_clip if kind == "clip" else astronaut_path
    output = tmp_path / ("out.mp4" if kind == "clip" else "out.png")
    plain = output.with_stem("plain")
    understudy.swap(hopper_path, target, plain, settings=Settings(compare=compare))
    understudy.swap(hopper_path, target, output, settings=settings("as-is", caption="Day one", compare=compare))
    (with_words, *_), (without, *_) = (
        frames_of(path) if kind == "clip" else [np.asarray(Image.open(path))] for path in (output, plain)
    )
    _height, width = without.shape[:2]
    assert with_words.shape == without.shape
    assert width == across * (320 if kind == "clip" else 512)
    apart = np.abs(with_words.astype(int) - without).max(2) > 40
    words = np.argwhere(apart)
    assert len(words) > 50
    assert abs(words[:, 1].mean() / width - 0.5) < 0.05
