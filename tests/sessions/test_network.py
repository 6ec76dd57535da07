"""Live output and input over a network: a real RTMP server, real clients, and servers that misbehave."""

import contextlib
import shutil
import socket
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.evidence import has_label
from tests.sessions.stage import Screen, helpers, until
from understudy.errors import EncodingError, InputError
from understudy.media.helpers.receiver import Clock
from understudy.media.live.base import CaptureOptions, LiveInfo, SinkLostError, SourceLostError
from understudy.media.live.broadcast import MUXERS, PushSink
from understudy.media.live.microphone import Microphone
from understudy.media.live.playback import FileSource
from understudy.media.live.recording import RecordingSink
from understudy.media.live.streams import StreamSource
from understudy.testing import ClipSpec, Puppet, talking, write_puppet_clip

MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
#: Seconds at which the clips that tell pictures and sound apart flash and beep, and how long.
FLASHES, SHORT = (1.0, 2.2, 3.1, 4.3), 0.2


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def server(tmp_path):
    """Debian's nginx with the RTMP module; the address of a stream on it."""
    if not (shutil.which("nginx") or Path("/usr/sbin/nginx").exists()) or not MODULE.exists():
        pytest.skip("needs Debian's nginx and libnginx-mod-rtmp")
    port, folder = free_port(), tmp_path / "nginx"
    folder.mkdir()
    (folder / "nginx.conf").write_text(
        f"load_module {MODULE}; daemon off; master_process off; user root; pid {folder}/pid; "
        f"error_log {folder}/error.log; events {{ }} "
        f"rtmp {{ server {{ listen 127.0.0.1:{port}; application live {{ live on; wait_key on; }} }} }}"
    )
    command = [shutil.which("nginx") or "/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:

        def listens():
            with socket.socket() as one:
                try:
                    one.bind(("127.0.0.1", port))
                except OSError:
                    return True
            return False

        try:
            until(listens)
            yield f"rtmp://127.0.0.1:{port}/live/key"
        finally:
            process.kill()


def write_flashing_clip(path, puppet, seconds=5.0, rate=25):
    """A talking face; a corner flashes and a tone sounds at the same times."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=rate, options={"crf": "18", "preset": "veryfast"})
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        sound = output.add_stream("aac", rate=48_000)
        sound.layout = "mono"
        for number in range(round(seconds * rate)):
            picture = puppet.render(talking(number / rate)).picture
            on = any(start <= number / rate + 1e-6 < start + SHORT for start in FLASHES)
            picture[:60, -60:] = 255 if on else 0
            output.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        output.mux(video.encode(None))
        times = np.arange(round(seconds * 48_000)) / 48_000
        on = np.any([(times >= start) & (times < start + SHORT) for start in FLASHES], axis=0)
        tone = (np.sin(2 * np.pi * 1000 * times) * on * 20_000).astype(np.int16)
        for start in range(0, len(tone), 1024):
            frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
            output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    return path


def onsets(values, times):
    """Between which two moments values rise above the middle of their range."""
    high = np.asarray(values) > (np.min(values) + np.max(values)) / 2
    return [(times[n - 1], times[n]) for n in range(1, len(high)) if high[n] and not high[n - 1]]


def seen_and_heard(container, seconds):
    """When the corner flashes and when a tone begins; and whether every picture is labelled."""
    corner, shown, loud, heard, labelled = [], [], [], [], True
    try:
        for frame in container.decode(container.streams.video[0], container.streams.audio[0]):
            if isinstance(frame, av.VideoFrame):
                picture = frame.to_ndarray(format="bgr24")
                labelled = labelled and has_label(picture)
                corner.append(float(picture[10:50, -50:-10].mean()))
                shown.append(frame.time)
                if shown[-1] - shown[0] > seconds:
                    break
            else:
                samples = frame.to_ndarray().astype(np.float64).mean(0)
                for start in range(0, len(samples) - 47, 48):
                    loud.append(float(np.abs(samples[start : start + 48]).mean()))
                    heard.append(frame.time + start / frame.sample_rate)
    except (av.error.FFmpegError, OSError):
        pass  # it ends when the session does
    return onsets(corner, shown), [heard for _, heard in onsets(loud, heard)], labelled


@pytest.mark.slow
@pytest.mark.alone
def test_what_a_server_passes_on_is_labelled_and_in_step(session, server, astronaut, tmp_path):
    clip = write_flashing_clip(tmp_path / "clip.mp4", Puppet(astronaut, (320, 240), face_share=0.5))
    live = session(PushSink(server), source=FileSource(clip, CaptureOptions(loop=True)))
    live.start()
    until(lambda: any("is there" in event for event in live.statistics().events) or live.statistics().sinks)
    found = []

    def watch():
        with av.open(server, timeout=(10, 3)) as container:
            found.append(seen_and_heard(container, 12))

    watcher = threading.Thread(target=watch)
    watcher.start()
    watcher.join(90)
    live.stop()
    assert found, "nobody could watch"
    flashes, beeps, labelled = found[0]
    assert labelled
    pairs = [(flash, min(beeps, key=lambda beep: abs(beep - flash[1]))) for flash in flashes[1:-1]]
    assert len(pairs) >= 5
    late = [beep - shown for (_, shown), beep in pairs]
    print(f"sound after picture: {1000 * np.median(late):.0f} ms; {1000 * min(late):.0f} to {1000 * max(late):.0f}")
    # Most of them: a busy machine holds a picture up now and then. It flashed after the picture before.
    out = [max(dark - beep, beep - shown, 0.0) for (dark, shown), beep in pairs]
    assert np.median(out) <= 0.040, late


@pytest.mark.slow
def test_a_transport_stream_over_udp_can_be_watched(session):
    """As OBS watches it: joined while it runs."""
    port = free_port()
    live = session(PushSink(f"udp://127.0.0.1:{port}"))
    live.start()
    options = {"fifo_size": "50000"}
    with av.open(f"udp://127.0.0.1:{port}", format="mpegts", options=options, timeout=(15, 5)) as container:
        pictures = [
            frame.to_ndarray(format="bgr24") for frame, _ in zip(container.decode(video=0), range(20), strict=False)
        ]
    live.stop()
    assert len(pictures) == 20
    assert all(has_label(picture) for picture in pictures)


@pytest.mark.slow
@pytest.mark.alone
def test_a_stream_is_watched_lost_and_taken_up_again(session, server, small_puppet, tmp_path):
    clip = tmp_path / "clip.mp4"
    write_puppet_clip(clip, small_puppet, 3.0, ClipSpec(rate=25))
    sender = [sys.executable, "-c", PUBLISH, str(clip), server]
    screen = Screen()
    with killed_at_the_end(sender) as first:
        live = session(screen, source=opened_when_there(server))
        live.start()
        until(lambda: len(screen.seconds) > 20)
        assert live.info.sound
        assert screen.heard
        first.kill()
    until(lambda: any("lost" in event for event in live.statistics().events), 15)
    with killed_at_the_end(sender):
        until(lambda: any("back" in event for event in live.statistics().events), 30)
        count = len(screen.seconds)
        until(lambda: len(screen.seconds) > count + 10)
        begin = time.monotonic()
        live.stop()
        assert time.monotonic() - begin < 1.5
    assert all(has_label(picture) for picture in screen.frames)
    assert live.statistics().latency_ms["p50"] < 1500  # not the seconds that were buffered before


@contextlib.contextmanager
def killed_at_the_end(command):
    """A process that would go on for ever: of a test that fails, too, it does not."""
    with subprocess.Popen(command) as process:
        try:
            yield process
        finally:
            process.kill()


PUBLISH = """
import sys, time, av
from understudy.media.helpers.encoder import SOUND_RATE, Encoder, StreamFormat
with av.open(sys.argv[1]) as clip:
    frames = [frame.reformat(format="yuv420p") for frame in clip.decode(video=0)]
pictures = [b"".join(bytes(plane) for plane in frame.planes) for frame in frames]
with av.open(sys.argv[2], "w", format="flv") as output:
    encoder = Encoder(output, StreamFormat(frames[0].width, frames[0].height, "25", sound=True))
    output.start_encoding()
    begun, number = time.monotonic(), 0
    while True:
        encoder.write(memoryview(pictures[number % len(pictures)]), number / 25)
        encoder.hear(memoryview(bytes(4 * SOUND_RATE // 25)), number / 25)
        number += 1
        time.sleep(max(begun + number / 25 - time.monotonic(), 0))
"""


class opened_when_there(StreamSource):
    """Waits until somebody sends."""

    def open(self):
        deadline = time.monotonic() + 20
        while True:
            try:
                return super().open()
            except InputError:
                assert time.monotonic() < deadline
                time.sleep(0.3)


@pytest.fixture
def silent():
    """A server that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.alone
@pytest.mark.slow
def test_a_silent_server_holds_nobody_up(session, silent):
    screen, sink = Screen(), PushSink(f"rtmp://127.0.0.1:{silent}/live/key")
    live = session(screen, sink)
    live.start()
    until(lambda: len(screen.seconds) > 10)
    count = len(screen.seconds)
    until(lambda: len(screen.seconds) > count + 30, 5)  # a server is given up after six seconds of silence
    begin = time.monotonic()
    live.stop()
    assert time.monotonic() - begin < 4.0  # not until it is given up
    assert not helpers()


@pytest.mark.slow
def test_a_silent_server_is_given_up(silent):
    sink = PushSink(f"rtmp://127.0.0.1:{silent}/live/key")
    begin = time.monotonic()
    with pytest.raises(SinkLostError, match="no answer"):
        sink.open(LiveInfo("x", 320, 240, Fraction(30)))
    assert 6 < time.monotonic() - begin < 12
    assert sink.close() == []
    assert not helpers()


@pytest.mark.slow
def test_a_silent_source_is_an_input_error(silent, session):
    with pytest.raises(InputError, match="can't receive"):
        session(Screen(), source=StreamSource(f"http://127.0.0.1:{silent}/x")).start()
    assert not helpers()


def test_addresses_that_can_not_work_are_not_tried_for_ever(monkeypatch):
    monkeypatch.setitem(MUXERS, "nosuch", "flv")
    sink = PushSink("nosuch://127.0.0.1/x")
    with pytest.raises(EncodingError, match="can't send"):
        sink.open(LiveInfo("x", 320, 240, Fraction(30)))
    with pytest.raises(SinkLostError, match="refused"):
        PushSink("rtmp://127.0.0.1:1/live/key").open(LiveInfo("x", 320, 240, Fraction(30)))


@pytest.mark.slow
def test_neither_key_nor_password_is_in_a_name_or_on_a_command_line(silent):
    sink = PushSink(f"rtmp://me:secret@127.0.0.1:{silent}/live/streamkey")
    for word in ("me:secret@h/live/streamkey", "me:se@secret@h/live/streamkey/", "me:se/secret@h/live/x?key=streamkey"):
        names = PushSink(f"rtmp://{word}").name + StreamSource(f"rtmp://{word}").name
        assert names == "rtmp://h/live" * 2
    assert StreamSource("http://me:secret@h/a/clip.mp4?token=x").name == "http://h/a/clip.mp4"

    def give_up():
        with pytest.raises(SinkLostError):
            sink.open(LiveInfo("x", 32, 24, Fraction(9)))

    opening = threading.Thread(target=give_up)
    opening.start()
    until(helpers)
    lines = " ".join(helpers().values())
    assert "media.helpers" in lines
    assert "secret" not in lines
    assert "streamkey" not in lines
    sink.abandon()
    opening.join(5)
    assert not opening.is_alive()


@pytest.mark.slow
def test_a_helper_ends_with_its_session(hopper_path, small_clip, tmp_path):
    """However that ended."""
    words = ["live", "-s", str(hopper_path), "--from", str(small_clip), "--loop", "--to", "udp://127.0.0.1:9"]
    words += ["--consent", "sample", "--home", str(tmp_path)]
    with subprocess.Popen([sys.executable, "-m", "understudy", *words], stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: helpers(process.pid), 30)
            helper = next(iter(helpers(process.pid)))
        finally:
            process.kill()
    until(lambda: not helper.exists(), 10)


@pytest.mark.alone
@pytest.mark.slow
def test_a_microphone_is_heard_in_step(session, pictures, tmp_path):
    output = tmp_path / "out.mp4"
    microphone = Microphone("sine=frequency=440:sample_rate=44100,arealtime", "lavfi")
    live = session(lambda release: RecordingSink(output, release), microphone=microphone)
    live.start()
    assert live.info.sound
    time.sleep(3)
    live.stop()
    with av.open(str(output)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert abs(float(video.duration * video.time_base) - float(sound.duration * sound.time_base)) < 0.4
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(sound)])
    middle = samples[48_000:96_000]
    pitch = np.argmax(np.abs(np.fft.rfft(middle))) * 48_000 / len(middle)
    assert abs(pitch - 440) < 3  # no piece lost or doubled: the tone is one
    assert not helpers()


@pytest.mark.alone
def test_a_session_that_waits_for_a_lost_source_ends_at_once(session, silent, pictures):
    """The source was there, is lost, and does not answer any more."""

    class Lost(StreamSource):
        def read(self):
            raise SourceLostError("it was lost", "wait")

    class First(Lost):
        opened = 0

        def open(self):
            First.opened += 1
            if First.opened == 1:
                return LiveInfo("first", 320, 240, Fraction(30))
            return super().open()

    live = session(Screen(), source=First(f"http://127.0.0.1:{silent}/x"))
    live.start()
    until(helpers)  # it is being opened again
    begin = time.monotonic()
    live.stop()
    assert time.monotonic() - begin < 3
    assert not helpers()


@pytest.mark.slow
def test_a_microphone_that_is_not_there_is_an_input_error(session):
    with pytest.raises(InputError, match="microphone 'no such one'"):
        session(Screen(), microphone=Microphone("no such one")).start()


@pytest.mark.parametrize("paced", [True, False])
def test_a_streams_clock_is_tied_to_ours(paced):
    clock = Clock(paced=paced)
    assert clock.due(100.0, 5.0) == pytest.approx(5.0, abs=1e-3)
    burst = [clock.due(100.0 + n / 30, 5.0) - 5.0 for n in range(1, 10)]
    assert burst[-1] == pytest.approx(0.3 if paced else 0.0, abs=0.01)
    assert abs(clock.due(500.0, 6.0) - 6.0) < 0.01  # its clock jumped
    assert abs(clock.due(0.0, 7.0) - 7.0) < 0.01
