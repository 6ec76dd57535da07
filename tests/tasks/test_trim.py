"""Only a part of a clip is worked and written: pictures and sound of it, in step, labelled and signed."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

import understudy
from tests.evidence import is_released_honestly, left
from understudy import Settings, TrimOptions, Understudy
from understudy.errors import UsageError
from understudy.media.files.video_sink import VideoSink
from understudy.resources import trust
from understudy.testing import ClipSpec, Puppet, portrait, talking, write_clip

#: When the picture goes white and the tone begins, in seconds of the clip; frames a second.
FLASH, RATE = 1.2, 25


def trimmed(start=None, end=None, **more):
    return Settings(trim=TrimOptions(start, end), **more)


@pytest.fixture(scope="module")
def puppets():
    puppet = Puppet(portrait("astronaut"), (160, 120), face_share=0.6)
    return [puppet.render(talking(number / RATE)).picture for number in range(50)]


@pytest.fixture(scope="module")
def flashing(tmp_path_factory, puppets):
    """Two seconds; the lower edge goes white when the tone begins."""
    folder = tmp_path_factory.mktemp("flashing")
    wave = np.zeros(2 * 48000, np.float32)
    begins = round(FLASH * 48000)
    wave[begins:] = 0.5 * np.sin(2 * np.pi * 500 * np.arange(len(wave) - begins) / 48000)

    def write(suffix, codec):
        path = folder / f"flashing-{codec}{suffix}"
        if path.exists():
            return path
        with av.open(str(path), "w") as output:
            video = output.add_stream("libx264", rate=RATE, options={"g": "10", "crf": "12"})
            video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
            sound = output.add_stream(codec, rate=48000)
            sound.codec_context.layout = "mono"
            for number, shown in enumerate(puppets):
                picture = shown.copy()
                picture[100:] = 255 if number / RATE >= FLASH else 0
                frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
                frame.pts = number
                output.mux(video.encode(frame))
            output.mux(video.encode(None))
            sound.codec_context.open(strict=False)
            resampler = av.AudioResampler(
                sound.codec_context.format, "mono", 48000, frame_size=sound.codec_context.frame_size or None
            )
            for at in range(0, len(wave), 4800):
                frame = av.AudioFrame.from_ndarray(wave[None, at : at + 4800], format="fltp", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = 48000, at, Fraction(1, 48000)
                for ready in resampler.resample(frame):
                    output.mux(sound.encode(ready))
            for ready in resampler.resample(None):
                output.mux(sound.encode(ready))
            output.mux(sound.encode(None))
        return path

    return write


def flash_of(path):
    """When it goes white, and when the tone begins, in seconds; and when pictures and sound begin and end."""
    with av.open(str(path)) as file:
        frames = [(frame.time, frame.to_ndarray(format="gray")[104:].mean()) for frame in file.decode(video=0)]
    white = next(time for time, value in frames if value > 128)
    with av.open(str(path)) as file:
        loud, times = None, []
        for frame in file.decode(audio=0):
            values = np.abs(
                frame.to_ndarray().astype(np.float64).reshape(-1, frame.samples if frame.format.is_planar else 1)
            )
            values = values.max(0) if frame.format.is_planar else values[:, 0]
            scale = {"s16": 32768, "s16p": 32768, "s32": 2**31}.get(frame.format.name, 1)
            found = np.flatnonzero(values / scale > 0.1)
            times += [frame.time, frame.time + frame.samples / frame.sample_rate]
            if len(found) and loud is None:
                loud = frame.time + int(found[0]) / frame.sample_rate
    return white, loud, (frames[0][0], frames[-1][0]), (min(times), max(times))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "codec", "to"),
    [
        *((".mp4", "aac", ".mp4"), (".mp4", "aac", ".mkv"), (".mov", "pcm_s16le", ".mov")),
        *((".mkv", "libopus", ".webm"), (".mp4", "aac", ".webm"), (".mkv", "pcm_s16le", ".mp4")),
    ],
)
def test_sound_stays_in_step_to_a_frame(flashing, hopper_path, tmp_path, suffix, codec, to):
    output = tmp_path / f"out{to}"
    report = understudy.swap(hopper_path, flashing(suffix, codec), output, settings=trimmed("0:00.6", 1.6))
    assert report.frames == 25
    white, loud, (first, last), (begins, ends) = flash_of(output)
    assert white == pytest.approx(FLASH - 0.6, abs=0.002)
    assert abs(loud - white) < 0.5 / RATE  # what coding adds at the ends of sound included
    assert first == pytest.approx(0, abs=0.002)
    assert last == pytest.approx(0.96, abs=0.002)
    assert -0.025 < begins < 0.03
    assert 0.96 < ends < 1.05
    assert is_released_honestly(output)


@pytest.mark.slow
def test_all_of_it_in_gif_and_webp(hopper_path, brief_clip, tmp_path):
    for suffix in ("gif", "webp"):
        output = tmp_path / f"out.{suffix}"
        assert understudy.swap(hopper_path, brief_clip, output, settings=trimmed(0.08, 0.24)).frames == 4
        with Image.open(output) as picture:
            assert picture.n_frames == 4
        again = tmp_path / f"again.{suffix}"
        understudy.swap(hopper_path, output, again, settings=trimmed(0.04, 0.12))
        with Image.open(again) as picture:
            picture.load()
            assert (picture.n_frames, picture.info["duration"]) == (2, 40)
        assert is_released_honestly(again)


@pytest.mark.slow
def test_where_a_part_ends_changes_nothing_of_the_frames_before(flashing, hopper_path, tmp_path, monkeypatch):
    monkeypatch.setattr(trust, "new_identifier", lambda: 0x1234_5678_9ABC)
    clip, written, write = flashing(".mp4", "aac"), [], VideoSink.write

    def watched(self, labelled):
        written.append((labelled.frame.pts, np.asarray(labelled.frame.picture).copy()))
        write(self, labelled)

    monkeypatch.setattr(VideoSink, "write", watched)
    understudy.swap(hopper_path, clip, tmp_path / "part.mkv", settings=trimmed(end=0.8))
    understudy.swap(hopper_path, clip, tmp_path / "whole.mkv")
    part, whole = written[:20], written[20:]
    assert len(whole) == 50
    for (shown, one), (pts, other) in zip(part, whole, strict=False):
        assert shown == pts
        assert np.array_equal(one, other)


@pytest.mark.slow
def test_subtitles_and_chapters_are_those_of_the_part(hopper_path, puppets, tmp_path):
    clip, output = tmp_path / "clip.mkv", tmp_path / "out.mkv"
    spec = ClipSpec(rate=10, subtitles="subrip", chapters=("one", "two", "three", "four", "five"))
    write_clip(clip, puppets, spec)
    understudy.swap(hopper_path, clip, output, settings=trimmed(1.5, 3.5))
    with av.open(str(output)) as file:
        chapters = [(one["metadata"]["title"], float(one["start"] * one["time_base"])) for one in file.chapters()]
        packets = [one for one in file.demux(subtitles=0) if one.size]
        lines = [(bytes(one).decode(), float(one.pts * one.time_base), one.duration) for one in packets]
    assert chapters == [("two", 0.0), ("three", 0.5), ("four", 1.5)]
    assert lines == [("line 1", 0.0, 300), ("line 2", 0.5, 800), ("line 3", 1.5, 500)]


@pytest.mark.parametrize(
    ("trim", "said"), [((5, None), "has no frame from 0:05 on: it is 0:00.32 long"), ((0.1, 0.11), "has no frame")]
)
def test_a_part_that_is_not_there_is_an_error_and_leaves_nothing(hopper_path, brief_clip, tmp_path, trim, said):
    with pytest.raises(UsageError, match=said):
        understudy.swap(hopper_path, brief_clip, tmp_path / "out.mp4", settings=trimmed(*trim))
    assert left(tmp_path) == []


def test_a_picture_can_not_be_trimmed(hopper_path, astronaut_path, tmp_path):
    with pytest.raises(UsageError, match="it has no length"):
        understudy.swap(hopper_path, astronaut_path, tmp_path / "out.png", settings=trimmed(1))
    assert left(tmp_path) == []


@pytest.mark.parametrize("wrong", [(2, 1), (1, 1), (-1, None), ("x", None), (None, "1:99")])
def test_what_is_no_part_is_refused_when_it_is_said(wrong):
    with pytest.raises(ValueError, match=r"time|would end"):
        TrimOptions(*wrong)


@pytest.mark.slow
def test_who_is_there_is_looked_for_in_the_whole_clip(hopper_path, brief_clip, tmp_path):
    with Understudy() as app:
        people = app.people(brief_clip, settings=trimmed(0.2)).people
        whole = app.people(brief_clip).people
        assert [(one.number, one.first_seconds) for one in people] == [(one.number, one.first_seconds) for one in whole]
        report = app.swap(brief_clip, tmp_path / "out.mp4", {people[0]: app.person(hopper_path)}, settings=trimmed(0.2))
    assert (report.frames, report.frames_swapped) == (3, 3)
