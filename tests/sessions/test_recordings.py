"""Sessions that are recorded: whole and signed in the end, playable when they were killed."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import pytest

import understudy
from tests.evidence import has_label, is_released_honestly
from tests.sessions.stage import SIZE, Screen, until
from understudy.errors import ClockError, NoSpaceError, OutputError, SigningError
from understudy.face import Faces
from understudy.frames import Frame
from understudy.media.live.base import CaptureOptions, LiveInfo
from understudy.media.live.delayed import DelayedSource
from understudy.media.live.playback import FileSource
from understudy.media.live.recording import RecordingSink
from understudy.provenance import FrameSealer
from understudy.release import Tags
from understudy.testing import ClipSpec, write_puppet_clip


@pytest.mark.slow
@pytest.mark.parametrize("closing", [OutputError("not released", "it is in x.mp4"), "it is in x.mp4", ""])
def test_a_file_that_fails_says_what_was_kept_of_it(session, closing):
    class File(Screen):
        keeps = True

        def close(self):
            if isinstance(closing, Exception):
                raise closing
            return [closing] * bool(closing)

    def full(n):
        return NoSpaceError(Path("disk")) if n is None else n >= 2

    live = session(File(failing=[full]))
    live.start()
    assert live.wait(20)
    with pytest.raises(NoSpaceError) as caught:
        live.stop()
    assert caught.value.hint == ("it is in x.mp4" if closing else "Nothing was left of it that can be played.")


@pytest.mark.slow
def test_a_file_that_fails_is_not_signed_before_the_last_look_at_the_content(session):
    class File(Screen):
        keeps = True

    def full(n):
        return NoSpaceError(Path("disk")) if n is None else n >= 2

    file, other = File("file", failing=[full]), Screen("other")
    with pytest.raises(NoSpaceError), session(file, other) as live:
        until(lambda: live.sinks[0].doing == "ended")
        count = len(other.seconds)
        until(lambda: len(other.seconds) > count + 5)
        assert not file.closed
    assert file.closed == 1


@pytest.mark.alone
@pytest.mark.slow
def test_a_recording_is_whole_signed_and_in_step(session, small_puppet, tmp_path):
    clip = tmp_path / "clip.mp4"
    write_puppet_clip(clip, small_puppet, 3.0, ClipSpec(rate=25))
    output = tmp_path / "recorded.mp4"
    source = FileSource(clip, CaptureOptions())
    live = session(lambda release: RecordingSink(output, release), source=source)
    live.start()
    assert live.wait(30)
    report = live.stop()
    assert is_released_honestly(output)
    assert not output.with_name("recorded.recording.mp4").exists()
    found = understudy.inspect(output, home=tmp_path / "home")
    assert found.verdict == "made by this tool"
    assert found.record.identifier == report.identifier
    with av.open(str(output)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        seen, heard = float(video.duration * video.time_base), float(sound.duration * sound.time_base)
    assert abs(seen - heard) < 0.3
    assert abs(seen - 3.0) < 1.0  # a busy machine misses the beginning


@pytest.fixture
def damaged_clip(small_puppet, tmp_path):
    """A clip of three seconds, without its last third."""
    clip = tmp_path / "clip.mkv"
    write_puppet_clip(clip, small_puppet, 3.0, ClipSpec(rate=25))
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
    return clip


@pytest.mark.slow
def test_a_damaged_clip_that_is_played_again_and_again_is_told_once(session, damaged_clip):
    screen = Screen()
    source = DelayedSource(FileSource(damaged_clip, CaptureOptions(loop=True)))
    with session(screen, source=source) as live:
        until(lambda: len(screen.seconds) > 5 and screen.seconds[-1] - screen.seconds[0] > 6, 60)
        report = live.stop()
    assert len([note for note in report.notes if "damaged after" in note]) == 1


@pytest.mark.slow
def test_a_clip_that_is_damaged_further_on_is_played_so_far_and_that_is_told(session, damaged_clip, tmp_path):
    output = tmp_path / "recorded.mp4"
    live = session(lambda release: RecordingSink(output, release), source=FileSource(damaged_clip, CaptureOptions()))
    live.start()
    assert live.wait(30)
    report = live.stop()
    (said,) = [note for note in report.notes if "damaged after" in note]
    assert said.startswith("clip.mkv is damaged after ")
    assert said in live.statistics().events[-2]
    assert is_released_honestly(output)


@pytest.mark.slow
def test_a_killed_recording_can_be_played_and_has_not_its_name(hopper_path, small_clip, tmp_path):
    output, growing = tmp_path / "out.mp4", tmp_path / "out.recording.mp4"
    words = ["live", "-s", str(hopper_path), "--from", str(small_clip), "--loop", "--to", str(output)]
    with subprocess.Popen([sys.executable, "-m", "understudy", *words], stderr=subprocess.DEVNULL) as process:
        until(lambda: growing.exists() and growing.stat().st_size > 60_000, 60)
        process.kill()
    assert not output.exists()
    with av.open(str(growing)) as container:
        seen = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert len(seen) > 5
    assert all(has_label(picture) for picture in seen)


@pytest.mark.parametrize(
    "words", [["--to", "clip.mp4", "--overwrite"], ["--stats", "me.jpg"], ["--stats", "missing/x.json"]], ids=str
)
def test_inputs_are_never_written_over(words, hopper_path, small_clip, tmp_path, monkeypatch, capfd):
    from understudy.cli.main import main

    monkeypatch.chdir(tmp_path)
    for name, path in (("me.jpg", hopper_path), ("clip.mp4", small_clip)):
        (tmp_path / name).write_bytes(path.read_bytes())
    usual = ["live", "-s", "me.jpg", "--from", "clip.mp4", "--to", "out.mp4", "--consent", "sample"]
    assert main([*usual, *words]) == 2
    assert (tmp_path / "me.jpg").read_bytes() == hopper_path.read_bytes()
    assert (tmp_path / "clip.mp4").read_bytes() == small_clip.read_bytes()


def test_a_recording_grows_though_its_sound_is_over(hopper_path, small_puppet, pictures, tmp_path):
    """FFmpeg would wait ten seconds for sound that does not come, and a kill would lose them."""
    sink = RecordingSink(tmp_path / "out.mp4", NoRelease())
    sink.open(LiveInfo("silent", *SIZE, Fraction(30), sound=True))
    sealer = FrameSealer(1, live=True)
    for number in range(150):
        frame = Frame(pictures[number % 60].copy(), pts=number * 33)
        sink.write(sealer.seal(frame, Faces.empty()), number / 30)
    grown = sink.growing.stat().st_size
    with pytest.raises(OutputError, match="not released"):
        sink.close()
    assert grown > 100_000
    assert sink.growing.exists()  # what was recorded is not thrown away
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.slow
def test_another_file_in_place_of_the_one_that_grew_is_neither_signed_nor_removed(session, small_clip, tmp_path):
    output, growing, other = (tmp_path / name for name in ("out.mp4", "out.recording.mp4", "other.mp4"))
    other.write_bytes(small_clip.read_bytes())
    with pytest.raises(OutputError, match="was replaced"), session(lambda r: RecordingSink(output, r)) as live:
        until(lambda: growing.exists() and growing.stat().st_size > 10_000)
        other.replace(growing)
        live.stop()
    assert growing.read_bytes() == small_clip.read_bytes()
    assert not output.exists()


def test_a_recording_that_is_discarded_takes_no_other_file_with_it(tmp_path):
    sink = RecordingSink(tmp_path / "out.mp4", NoRelease())
    sink.open(LiveInfo("test", *SIZE, Fraction(30)))
    (tmp_path / "other.mp4").write_bytes(b"somebody's")
    (tmp_path / "other.mp4").replace(sink.growing)
    sink.discard()
    assert sink.close() == ["nothing of out.mp4 was kept"]
    assert sink.growing.read_bytes() == b"somebody's"


def test_of_a_clock_that_was_set_back_it_is_said_what_to_do_and_where_the_recording_is(pictures, tmp_path):
    class Early(NoRelease):
        def sign(self, path, final):
            raise ClockError("1970-01-01 00:00 UTC")

    sink = RecordingSink(tmp_path / "out.mp4", Early())
    sink.open(LiveInfo("test", *SIZE, Fraction(30)))
    sink.write(FrameSealer(1, live=True).seal(Frame(pictures[0].copy(), pts=0), Faces.empty()), 0.0)
    with pytest.raises(OutputError, match="shows 1970-01-01") as refused:
        sink.close()
    assert "Set it right" in refused.value.hint
    assert str(sink.growing) in refused.value.hint


class NoRelease:
    """A release whose signature fails."""

    tags, notes = Tags(b"", {}), []

    def sign(self, path, final):
        raise SigningError("no key", "Make one.")
