"""Live sessions: what comes out, how fast they end, and what they do when something goes wrong."""

from __future__ import annotations

import gc
import json
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from tests.evidence import has_label
from tests.sessions.stage import Screen, until
from understudy.errors import InputError, ModelError, NoSpaceError, RunError, UsageError
from understudy.guard import GuardOptions
from understudy.media.live.base import CaptureOptions, SinkClosed, SinkLostError, SourceEnded
from understudy.media.live.broadcast import PushSink
from understudy.media.live.playback import FileSource
from understudy.media.live.raw import RawSource
from understudy.media.live.recording import RecordingSink
from understudy.pipeline.live import LivePipeline
from understudy.provenance import Home, Ledger
from understudy.settings import BlendOptions
from understudy.testing import ClipSpec, FakeCamera, write_puppet_clip


@pytest.mark.slow
def test_frames_come_in_order_labelled_and_swapped(session, pictures, tmp_path):
    screen = Screen()
    with session(screen) as live:
        until(lambda: len(screen.seconds) > 30)
        report = live.stop()
    assert all(has_label(picture) for picture in screen.frames)
    assert screen.seconds == sorted(screen.seconds)
    assert report.statistics.frames_swapped > 20
    assert report.statistics.latency_ms["p50"] > 0
    assert set(report.statistics.stages_ms) >= {"perceive", "swap", "guard", "blend", "seal"}
    assert (screen.opened, screen.closed) == (1, 1)
    entries = list(Ledger(Home(tmp_path / "home")).records())
    assert [entry.kind for entry in entries] == ["live", "live"]  # when it began and when it ended
    assert {entry.identifier for entry in entries} == {report.identifier}
    assert entries[-1].hashes


class OneBuffer(FakeCamera):
    """A camera that hands out the same memory each time, and writes to it at any time, as camera libraries do."""

    def __init__(self, pictures):
        super().__init__(pictures, fps=120)
        self.buffer = pictures[0].copy()
        self.writing = threading.Thread(target=self.write, daemon=True)
        self.done = threading.Event()

    def write(self):
        while not self.done.is_set():
            self.buffer[:] = self.pictures[0]
            self.done.wait(0.001)

    def read(self):
        shot = super().read()
        if shot is not None:
            self.buffer[:] = shot.picture
            shot = shot._replace(picture=self.buffer)
        return shot


@pytest.mark.slow
def test_a_source_that_uses_one_buffer_again_and_again_lets_no_frame_out_unlabelled(session, pictures):
    screen, camera = Screen(), OneBuffer(pictures)
    camera.writing.start()
    try:
        with session(screen, source=camera):
            until(lambda: len(screen.seconds) > 120)
    finally:
        camera.done.set()
        camera.writing.join()
    assert all(has_label(picture) for picture in screen.frames)


@pytest.mark.alone
@pytest.mark.slow
def test_it_ends_within_a_second(session):
    took = []
    for _ in range(3):
        screen = Screen()
        live = session(screen)
        live.start()
        until(lambda screen=screen: len(screen.seconds) > 3)
        begin = time.monotonic()
        live.stop()
        took.append(time.monotonic() - begin)
    assert min(took) < 1.0, took
    assert max(took) < 4.0, took  # what this machine is busy with


@pytest.mark.alone
@pytest.mark.slow
def test_a_slow_sink_slows_nobody(session):
    slow, quick = Screen("slow", slow=0.4), Screen("quick")
    with session(slow, quick) as live:
        until(lambda: len(quick.seconds) > 30)
        statistics = live.statistics()
    assert len(quick.seconds) > 3 * len(slow.seconds)
    assert statistics.drops["slow behind"] > 5
    assert slow.seconds == sorted(slow.seconds)
    late = statistics.sinks["slow"]["latency_ms"]["p95"]
    assert late < 1000  # the newest frame, not a queue


@pytest.mark.alone
def test_the_cadence_is_kept_when_frames_are_late(session, pictures):
    steady, fast = Screen("steady", steady=True), FakeCamera(pictures, fps=30)
    with session(steady, source=fast) as live:
        until(lambda: len(steady.seconds) > 5)
        fast.hang(1.0)
        count = len(steady.seconds)
        time.sleep(0.8)
        assert len(steady.seconds) > count + 8
        statistics = live.statistics()
    assert statistics.sinks["steady"]["repeated"] > 8
    assert steady.seconds[-1] > 0.8 * statistics.seconds - 1.0  # repeats take as long as they are shown
    assert all(later > earlier for earlier, later in zip(steady.seconds, steady.seconds[1:], strict=False))


@pytest.mark.slow
def test_a_camera_that_is_unplugged_is_taken_up_again(session, pictures):
    camera, screen = FakeCamera(pictures), Screen()
    with session(screen, source=camera) as live:
        until(lambda: len(screen.seconds) > 3)
        camera.plugged.clear()
        until(lambda: any("unplugged" in event for event in live.statistics().events))
        camera.plugged.set()
        until(lambda: any("back" in event for event in live.statistics().events))
        count = len(screen.seconds)
        until(lambda: len(screen.seconds) > count + 3)
    assert camera.opened == 2


def test_a_start_that_is_interrupted_leaves_nothing_running(session, monkeypatch, tmp_path):
    def interrupt():
        raise KeyboardInterrupt

    output = tmp_path / "out.mp4"
    live = session(lambda release: RecordingSink(output, release))
    monkeypatch.setattr(gc, "collect", interrupt)
    with pytest.raises(KeyboardInterrupt):
        live.start()
    assert not live.running
    assert list(tmp_path.glob("*.mp4")) == []


def test_stopping_or_waiting_for_what_never_began_says_so(session):
    with pytest.raises(UsageError, match="not begun"):
        session(Screen()).stop()
    with pytest.raises(UsageError, match="not begun"):
        session(Screen()).wait()  # and not for ever


@pytest.mark.slow
def test_a_sink_that_breaks_off_at_once_is_not_tried_without_a_pause(session):
    """A server that takes every connection and refuses the key."""
    sink = Screen("server", failing=[lambda n: SinkLostError("refused", "") if n is None else True] * 50)
    with session(sink) as live:
        until(lambda: sink.opened > 1)
        time.sleep(2)
        live.stop()
    assert sink.opened <= 4  # after 0.5, 1, 2 seconds


def test_a_camera_that_is_not_there_is_an_input_error(session, pictures):
    camera = FakeCamera(pictures)
    camera.plugged.clear()
    with pytest.raises(InputError, match="not there"):
        session(Screen(), source=camera).start()


@pytest.mark.slow
def test_a_second_session_on_the_same_camera_is_told_and_leaves_the_first_alone(session, pictures, tmp_path):
    camera, screen, other = FakeCamera(pictures), Screen(), Screen()
    with session(screen, source=camera) as live:
        until(lambda: len(screen.seconds) > 3)
        with pytest.raises(InputError, match="busy"):
            session(other, source=Shared(camera)).start()
        count = len(screen.seconds)
        until(lambda: len(screen.seconds) > count + 5)
        live.stop()
    assert other.opened == 0
    with session(other, source=camera):
        until(lambda: len(other.seconds) > 3)


class Shared:
    """Another program's hold on a camera: what it did not get it can't give back."""

    def __init__(self, camera):
        self.camera = camera
        self.got = False

    def open(self):
        info = self.camera.open()
        self.got = True
        return info

    def read(self):
        return self.camera.read()

    def close(self):
        if self.got:
            self.camera.close()


def apart(one, other):
    """How far the middles of two pictures, where the face is, lie apart: grey levels, in the mean."""
    middle = np.s_[60:180, 100:220]
    return np.abs(one[middle].astype(int) - other[middle]).mean()


@pytest.mark.alone
@pytest.mark.slow
def test_settings_change_between_two_frames(session, pictures):
    screen = Screen()
    with session(screen, source=FakeCamera(pictures[:1])) as live:
        until(lambda: len(screen.seconds) > 5)
        whole, gaps = apart(screen.frames[-1], pictures[0]), []
        for strength in (0.7, 0.6, 0.5):
            live.settings = replace(live.settings, blend=BlendOptions(strength=strength))
            count = len(screen.seconds)
            until(lambda count=count: len(screen.seconds) > count + 10)
            gaps.append(max(np.diff(screen.seconds[count - 1 : count + 10])))
        assert min(gaps) < 0.3  # a busy machine pauses sometimes; a change that takes time would show each time
        assert apart(screen.frames[-1], pictures[0]) < 0.7 * whole
        with pytest.raises(UsageError, match="strength"):
            live.settings = replace(live.settings, blend=BlendOptions(strength=0.1))
        live.settings = replace(live.settings, faces="all", guard=GuardOptions(on_lost="pass"))
        count = len(screen.seconds)
        until(lambda: len(screen.seconds) > count + 5)
        assert live.settings.faces == "all"
        with pytest.raises(UsageError, match="while it runs"):
            live.settings = replace(live.settings, max_pixels=5)
        report = live.stop()
    assert report.statistics.frames_swapped > 10


@pytest.mark.slow
def test_a_camera_that_changes_its_size_goes_on(session, pictures):
    odd = [np.ascontiguousarray(picture[:200, :300]) for picture in pictures]
    screen = Screen()
    with session(screen, source=FakeCamera([*pictures[:5], *odd])):
        until(lambda: len(screen.seconds) > 20)
    assert {picture.shape for picture in screen.frames} == {pictures[0].shape}


def later(screen):
    """What is shown once all is done that was under way; the middle of the picture."""
    count = len(screen.seconds)
    until(lambda: len(screen.seconds) > count + 8)
    return screen.frames[-1][60:180, 100:220].astype(int)


@pytest.mark.slow
def test_the_face_and_its_strength_are_changed_while_it_runs(session, pictures, hopper_path, astronaut_path):
    screen, own = Screen(), pictures[0][60:180, 100:220]
    with session(screen, source=FakeCamera(pictures[:1]), people=[[hopper_path], [astronaut_path]]) as live:
        first = later(screen)
        live.settings = replace(live.settings, blend=BlendOptions(strength=0.5))
        half = later(screen)
        live.settings = replace(live.settings, blend=BlendOptions())
        live.identity = 1
        second = later(screen)
        with pytest.raises(UsageError):
            live.identity = 2
    assert np.abs(first - own).mean() > 8
    assert np.abs(half - own).mean() < 0.7 * np.abs(first - own).mean()
    assert np.abs(second - first).mean() > 8


@pytest.mark.slow
def test_choosing_another_face_opens_no_ledger(session, hopper_path, astronaut_path, monkeypatch):
    with session(Screen(), people=[[hopper_path], [astronaut_path]]) as live:
        monkeypatch.setattr(Ledger, "ensure_sound", lambda _: 1 / 0)
        live.identity = 1
        monkeypatch.undo()
    assert live.identity == 1


@pytest.mark.slow
def test_a_session_may_begin_with_any_of_its_faces(session, pictures, hopper_path, astronaut_path):
    people = [[hopper_path], [astronaut_path]]

    def shown(number):
        screen = Screen()
        live = session(screen, source=FakeCamera(pictures[:1]), people=people)
        live.identity = number
        with live:
            later(screen)
        return [picture[60:180, 100:220].astype(int) for picture in screen.frames]

    first, second = shown(0), shown(1)
    assert all(np.abs(picture - second[-1]).mean() < np.abs(picture - first[-1]).mean() for picture in second)


@pytest.mark.slow
def test_a_sink_that_fails_leaves_the_others_going(session, tmp_path):
    def full(_):
        return NoSpaceError(Path("disk"))

    failing, other = Screen("failing", failing=[lambda n: full(n) if n is None else n >= 3]), Screen("other")
    with session(failing, other) as live:
        until(lambda: any("failing failed" in event for event in live.statistics().events))
        count = len(other.seconds)
        until(lambda: len(other.seconds) > count + 5)
        report = live.stop()
    (said,) = [note for note in report.notes if "no space left" in note]
    assert said.startswith("failing failed: ")
    assert failing.closed == 1


@pytest.mark.slow
def test_when_no_sink_is_left_the_session_says_why(session):
    def full(n):
        return NoSpaceError(Path("disk")) if n is None else n >= 2

    live = session(Screen(failing=[full]))
    live.start()
    assert live.wait(20)
    with pytest.raises(NoSpaceError):
        live.stop()


@pytest.mark.slow
def test_a_closed_window_ends_the_session(session):
    window = Screen("window", failing=[lambda n: SinkClosed() if n is None else n >= 3])
    live = session(window)
    live.start()
    assert live.wait(20)
    assert live.stop().statistics.frames_in > 3


@pytest.mark.slow
def test_a_sink_that_was_lost_is_reached_again(session):
    sink = Screen(
        "server",
        failing=[SinkLostError("refused", "wait"), lambda n: SinkLostError("gone", "") if n is None else n >= 4],
    )
    with session(sink) as live:
        until(lambda: sum("is there" in event for event in live.statistics().events) == 2)
        count = len(sink.seconds)
        until(lambda: len(sink.seconds) > count + 3)
    assert sink.opened == 3


@pytest.mark.parametrize(("more", "said"), [(0, []), (1000, ["the last 1000 bytes are no whole picture of 320x240"])])
def test_raw_frames_that_end_within_a_picture_are_told(tmp_path, more, said):
    (tmp_path / "frames").write_bytes(bytes(2 * 320 * 240 * 3 + more))
    with (tmp_path / "frames").open("rb") as pipe:
        source = RawSource(pipe, CaptureOptions(320, 240))
        assert [source.read().picture.shape for _ in range(2)] == [(240, 320, 3)] * 2
        assert [source.read().text for _ in said] == said
        with pytest.raises(SourceEnded):
            source.read()


@pytest.mark.alone
@pytest.mark.slow
def test_raw_frames_in_and_out_of_a_program(hopper_path, pictures, tmp_path):
    words = ["live", "-s", str(hopper_path), "--from", "-", "--size", "320x240", "--to", "-"]
    stats = tmp_path / "stats.json"
    command = [sys.executable, "-m", "understudy", *words, "--stats", str(stats)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:

        def feed():
            for number in range(60):
                process.stdin.write(pictures[number].tobytes())
                process.stdin.flush()
                time.sleep(0.05)
            process.stdin.close()

        feeder = threading.Thread(target=feed)
        feeder.start()
        shown = process.stdout.read()
        said = process.stderr.read().decode()
        feeder.join()
    assert process.returncode == 0, said
    size = 320 * 240 * 3
    assert len(shown) % size == 0
    assert len(shown) >= 20 * size
    frames = np.frombuffer(shown, np.uint8).reshape(-1, 240, 320, 3)
    assert all(has_label(frame) for frame in frames)
    assert json.loads(stats.read_text())["frames_in"] > 0


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


SERVER = """
import sys, av
with av.open(sys.argv[1], options={"listen": "1"}, timeout=(60, 20)) as container:
    container.streams.video[0].thread_type = "NONE"
    print("connected", flush=True)
    with av.open(sys.argv[2], "w") as output:
        streams = {s.index: output.add_stream_from_template(s) for s in container.streams}
        try:
            for packet in container.demux():
                if packet.dts is not None:
                    packet.stream = streams[packet.stream.index]
                    output.mux(packet)
        except (av.error.FFmpegError, OSError):
            pass
"""


def serve(address, path):
    return subprocess.Popen([sys.executable, "-c", SERVER, address, str(path)], stdout=subprocess.DEVNULL)


def test_pictures_of_another_size_are_told_once(session, pictures):
    screen = Screen()
    height, width = pictures[0].shape[:2]
    smaller = [picture[::2, ::2].copy() for picture in pictures]
    live = session(screen, source=FakeCamera([*pictures[:3], *smaller[:3]], count=12))
    live.start()
    assert live.wait(20)
    (said,) = [note for note in live.stop().notes if "instead of" in note]
    assert f"{width // 2}x{height // 2} instead of {width}x{height}" in said
    assert sum(said in event for event in live.statistics().events) == 1


def test_what_was_never_reached_is_told_and_where_nothing_else_was_it_fails(session, tmp_path):
    address = f"tcp://127.0.0.1:{free_port()}"
    for others in ([], [Screen()]):
        live = session(PushSink(address), *others)
        live.start()
        until(lambda live=live: any("not reached" in event for event in live.statistics().events))
        if others:
            until(lambda others=others: others[0].frames)
            assert f"{address} was never reached: nothing was sent there" in live.stop().notes
        else:
            with pytest.raises(RunError, match="no output was ever reached"):
                live.stop()


@pytest.mark.slow
def test_a_server_receives_it_dies_and_is_reached_again(session, small_puppet, tmp_path):
    clip = tmp_path / "clip.mp4"
    write_puppet_clip(clip, small_puppet, 3.0, ClipSpec(rate=25))
    address = f"rtmp://127.0.0.1:{free_port()}/live/key"
    sink = PushSink(address)
    assert "key" not in sink.name
    live = session(sink, source=FileSource(clip, CaptureOptions(loop=True)))
    live.start()
    events = lambda: live.statistics().events  # noqa: E731
    until(lambda: any("not reached" in event for event in events()))  # nobody is there yet
    for number in (1, 2):
        server = serve(address, tmp_path / f"{number}.mkv")
        until(lambda number=number: sum("is there" in event for event in events()) >= number, 40)
        time.sleep(2.5)
        if number == 1:
            server.kill()
            server.wait()
            until(lambda: any("lost" in event for event in events()), 30)
    live.stop()
    assert server.wait(30) == 0
    with av.open(str(tmp_path / "2.mkv")) as container:
        frames = [(frame.time, frame.to_ndarray(format="bgr24")) for frame in container.decode(video=0)]
    assert len(frames) > 20
    assert all(has_label(picture) for _, picture in frames)
    with av.open(str(tmp_path / "2.mkv")) as container:
        assert container.streams.audio[0].codec_context.name == "aac"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--from", "missing.mp4"], 3),
        (["--from", "gopher://x"], 2),
        (["--to", "gopher://x"], 2),
        (["--to", "out.txt"], 2),
        (["--size", "wide"], 2),
        (["--on-lost", "show"], 2),
        (["--from", "97"], 3),
        (["--from", "no such camera"], 3),
        (["--to", "out.mp4", "--to", "./out.mp4"], 2),
        (["--to", "-", "--json"], 2),
    ],
    ids=str,
)
def test_wrong_words_are_told_at_once(words, code, hopper_path, small_clip, tmp_path, monkeypatch, capfd):
    from understudy.cli.main import main

    monkeypatch.chdir(tmp_path)
    usual = ["live", "-s", str(hopper_path), "--from", str(small_clip), "--to", "out.mp4"]
    assert main([*usual, *words]) == code
    said = capfd.readouterr().err
    assert said.splitlines()[-1].startswith("hint: ")
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "gone.mp4", "--size", "64x48", "--fps", "5"], "--size and --fps are not heeded: gone.mp4"),
        (["--from", "gone.mp4", "--fps", "5"], "--fps is not heeded: gone.mp4"),
        (["--from", "97", "--size", "64x48", "--loop"], "--loop is not heeded"),
        (["--from", "gone.mp4", "--loop"], None),
        (["--from", "97", "--size", "64x48", "--fps", "5"], None),
    ],
    ids=str,
)
def test_options_that_a_source_does_not_heed_are_told(words, said, hopper_path, tmp_path, monkeypatch, capfd):
    from understudy.cli.main import main

    monkeypatch.chdir(tmp_path)
    assert main(["live", "-s", str(hopper_path), "--consent", "sample", "--to", "out.mp4", *words]) == 3
    notes = [line for line in capfd.readouterr().err.splitlines() if line.startswith("note: ")]
    assert [note.removeprefix("note: ")[: len(said or "")] for note in notes] == [said] * (said is not None)


@pytest.mark.slow
def test_an_error_of_any_library_ends_the_session_and_is_told(session, pictures, monkeypatch):
    camera = FakeCamera(pictures)
    live = session(Screen(), source=camera)
    live.start()
    monkeypatch.setattr(LivePipeline, "process", lambda *_: 1 / 0)
    assert live.wait(20)
    with pytest.raises(RunError, match="ZeroDivisionError"):
        live.stop()
    assert camera.closed == 1


@pytest.mark.slow
def test_what_failed_first_is_told_and_not_what_followed_from_it(session, monkeypatch, tmp_path):
    def fails(*_):
        raise ModelError("the model failed: out of memory", "Try it on another device: --device cpu")

    monkeypatch.setattr(LivePipeline, "process", fails)
    live = session(lambda release: RecordingSink(tmp_path / "show.mp4", release))
    live.start()
    assert live.wait(20)
    with pytest.raises(ModelError, match="out of memory"):
        live.stop()


@pytest.mark.slow
def test_one_that_is_stopped_twice_has_ended_once(session, tmp_path):
    live = session(Screen())
    live.start()
    report = live.stop()
    assert live.stop() == report
    entered = [record.identifier for record in Ledger(Home(tmp_path / "home")).records()]
    assert entered == [report.identifier] * 2  # when it began, and when it ended


@pytest.mark.slow
def test_a_sink_whose_library_fails_does_not_die_in_silence(session):
    def broken(n):
        return ZeroDivisionError("so") if n is None else n >= 2

    failing, other = Screen("failing", failing=[broken]), Screen("other")
    with session(failing, other) as live:
        until(lambda: any("ZeroDivisionError" in event for event in live.statistics().events))
        count = len(other.seconds)
        until(lambda: len(other.seconds) > count + 3)
    assert failing.closed == 1


@pytest.mark.slow
def test_who_is_covered_is_seen_in_no_output_until_that_is_taken_back(session, pictures):
    first, second = Screen("one"), Screen("two")
    with session(first, second) as live:
        until(lambda: live.statistics().frames_swapped > 10)
        plain = min(detail(picture) for picture in first.frames[-5:])
        live.covered = True
        counts = len(first.frames), live.statistics().frames_in
        until(lambda: live.statistics().frames_in > counts[1] + 20)
        for screen in (first, second):
            assert all(detail(picture) < plain / 2 for picture in screen.frames[-5:])
            assert all(has_label(picture) for picture in screen.frames[-5:])
        live.covered = False
        until(lambda: detail(first.frames[-1]) > plain * 0.8)
    assert live.stopped


def detail(picture):
    """How much can be seen of a picture, but for its label."""
    return float(np.abs(np.diff(picture[:180].astype(np.int16), axis=1)).mean())


@pytest.mark.slow
def test_who_is_covered_while_no_picture_comes_is_not_seen_again(session, pictures):
    camera, screen = FakeCamera(pictures), Screen(steady=True)
    with session(screen, source=camera) as live:
        until(lambda: live.statistics().frames_swapped > 10)
        camera.hang(600)
        time.sleep(0.5)
        plain, number = detail(screen.frames[-1]), live.statistics().frames_in
        live.covered = True
        until(lambda: detail(screen.frames[-1]) < plain / 2, 5)
        count = len(screen.seconds)
        until(lambda: len(screen.seconds) > count + 8)
        assert all(detail(picture) < plain / 2 and has_label(picture) for picture in screen.frames[-8:])
        assert live.statistics().frames_in == number


@pytest.mark.slow
def test_a_sink_that_is_back_shows_nothing_from_before_it_was_lost(session, pictures):
    def broken(n):
        return SinkLostError("gone", "wait") if n is None else n >= 5

    camera, screen = FakeCamera(pictures), Screen(steady=True)
    screen.failing = [broken, SinkLostError("gone", "wait")]
    with session(screen, source=camera) as live:
        until(lambda: live.sinks[0].doing == "lost")
        plain, screen.frames = min(map(detail, screen.frames)), []
        live.covered = True
        count = live.statistics().frames_in
        until(lambda: live.statistics().frames_in > count + 5)
        camera.hang(600)
        until(lambda: len(screen.frames) > 3)
        assert all(detail(picture) < plain / 2 for picture in screen.frames)


@pytest.mark.slow
def test_a_session_may_begin_covered(session, pictures):
    screen = Screen()
    live = session(screen)
    live.covered = True
    with live:
        until(lambda: live.statistics().frames_swapped > 10)
        assert live.statistics().frames_covered == live.statistics().frames_swapped


@pytest.mark.slow
def test_sinks_say_how_they_fare(session):
    good, lost, bad = Screen("good"), Screen("lost", failing=[SinkLostError("x", "y")] * 3), Screen("bad")
    bad.failing = [InputError("broken", "mend it")]
    live = session(good, lost, bad)
    assert live.sinks == ()
    with live:
        assert time.monotonic() - live.begun < 60
        until(lambda: live.sinks[2].doing == "ended")
        until(lambda: live.sinks[0].doing == "open")
        assert live.sinks[2].failure.message == "broken"
        assert live.sinks[1].doing in ("opening", "open")
        until(lambda: live.sinks[1].doing == "open")
    assert {state.doing for state in live.sinks} == {"ended"}


def test_the_last_picture_is_shown_however_long_it_takes(session, pictures, monkeypatch):
    process = LivePipeline.process

    def slowly(self, frame):
        time.sleep(1)
        return process(self, frame)

    monkeypatch.setattr(LivePipeline, "process", slowly)
    screen = Screen()
    live = session(screen, source=FakeCamera(pictures, count=1))
    live.start()
    assert live.wait(30)
    live.stop()
    assert len(screen.frames) == 1
