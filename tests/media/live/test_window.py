"""The window, on a real (virtual) screen: looked at by a screenshot, closed and keyed as a user would."""

import os
import shutil
import signal
import subprocess
import threading
import time
from fractions import Fraction
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest

from tests.sessions.stage import helpers
from tests.waiting import until
from understudy.errors import ConsentError, RunError, UsageError
from understudy.face import Faces
from understudy.frames import Frame
from understudy.media.live.base import LiveInfo, SinkClosed
from understudy.media.live.virtual import VirtualCameraSink
from understudy.media.live.window import WindowSink
from understudy.provenance import FrameSealer
from understudy.sessions.endpoints import overlay
from understudy.sessions.statistics import LiveStatistics

INFO = LiveInfo("test", 320, 240, Fraction(30))


@pytest.fixture(scope="module")
def screen():
    if not all(map(shutil.which, ("Xvfb", "xdotool"))):
        pytest.skip("needs Debian's xvfb and xdotool")
    pytest.importorskip("pygame")
    told, tells = os.pipe()
    command = ["Xvfb", "-displayfd", str(tells), "-screen", "0", "640x480x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[tells], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        os.close(tells)
        with os.fdopen(told) as number:
            display = f":{number.readline().strip()}"
        yield display
        server.kill()


@pytest.fixture
def window(screen, monkeypatch):
    monkeypatch.setenv("DISPLAY", screen)
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    pressed = []
    sink = WindowSink(pressed.append, lambda: ["in 30 fps", "out 30 fps"])
    sink.open(INFO)
    yield sink, pressed
    sink.close()


def labelled(shade):
    ramp = np.linspace(0, 60, 320, dtype=np.uint8)[None, :, None] + np.uint8(shade)
    picture = np.repeat(np.repeat(ramp, 240, 0), 3, 2)
    return FrameSealer(1, live=True).seal(Frame(np.ascontiguousarray(picture), pts=0), Faces.empty())


def shot():
    options = {"video_size": "640x480", "draw_mouse": "0"}
    with av.open(os.environ["DISPLAY"], format="x11grab", options=options) as grab:
        return next(grab.decode(video=0)).to_ndarray(format="bgr24")


def shows(picture):
    """Whether the screen shows exactly this picture somewhere."""
    return float(cv2.matchTemplate(shot(), picture, cv2.TM_SQDIFF).min()) / picture.size < 0.01


def strip_of(picture, height=50):
    """The screen below the picture."""
    screen = shot()
    _, _, (x, y), _ = cv2.minMaxLoc(cv2.matchTemplate(screen, picture, cv2.TM_SQDIFF))
    return screen[y + 240 : y + 240 + height, x : x + 320]


def fails_with(error, sink):
    try:
        sink.write(labelled(90), 0.1)
    except error:
        return True
    return False


def press(key):
    subprocess.run(["xdotool", "key", key], check=True, timeout=10)


@pytest.mark.slow
def test_it_shows_the_frame_as_it_is_and_text_below_it(window):
    sink, _ = window
    frame = labelled(90)
    sink.write(frame, 0.0)
    until(lambda: shows(frame.frame.picture))
    help_line = strip_of(frame.frame.picture)
    assert help_line.max() > 150
    press("s")

    def statistics():
        sink.write(frame, statistics.now)
        statistics.now += 1
        return shows(frame.frame.picture) and (strip_of(frame.frame.picture) != help_line).any()

    statistics.now = 1.0
    until(statistics)


@pytest.mark.slow
def test_it_has_room_for_all_lines_of_statistics(screen, monkeypatch):
    monkeypatch.setenv("DISPLAY", screen)
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    statistics = LiveStatistics(1.0, 30, 30, 0, 30.0, 30.0, {}, {}, {}, (), {}, neural_fps=5.0)
    lines = overlay(SimpleNamespace(covered=True, statistics=lambda: statistics))
    sink, frame = WindowSink(text=lambda: lines), labelled(90)
    sink.open(INFO)
    try:
        sink.write(frame, 0.0)
        until(lambda: shows(frame.frame.picture))
        press("s")
        last = 16 * (len(lines) - 1)

        def shown():
            sink.write(frame, shown.now)
            shown.now += 1
            return shows(frame.frame.picture) and strip_of(frame.frame.picture, 88)[last + 7 : last + 16].max() > 150

        shown.now = 1.0
        until(shown, 10)
    finally:
        sink.close()
    assert len(lines) == 5


@pytest.mark.alone
def test_its_keys(window):
    sink, pressed = window
    first, second = labelled(30), labelled(180)
    sink.write(first, 0.0)
    until(lambda: shows(first.frame.picture))
    press("m")
    press("n")
    until(lambda: pressed == ["mirror", "next"])
    press("h")
    time.sleep(0.3)
    sink.write(second, 0.1)
    time.sleep(0.3)
    assert shows(first.frame.picture)  # held
    press("h")
    time.sleep(0.3)
    sink.write(second, 0.2)
    until(lambda: shows(second.frame.picture))
    press("h")
    press("c")
    until(lambda: pressed == ["mirror", "next", "cover"])
    sink.write(first, 0.3)
    until(lambda: shows(first.frame.picture))  # what is covered is not held


@pytest.mark.slow
@pytest.mark.parametrize("key", ["q", "Escape"])
def test_closing_it_is_told(window, key):
    sink, _ = window
    sink.write(labelled(90), 0.0)
    until(lambda: shows(labelled(90).frame.picture))
    press(key)
    until(lambda: fails_with(SinkClosed, sink))


@pytest.mark.slow
@pytest.mark.parametrize("fault", [ConsentError("revoked", "Ask."), ValueError("odd"), RuntimeError("broken")])
def test_closing_it_is_told_after_a_key_that_failed(screen, monkeypatch, fault):
    failed = []

    def fail(key):
        raise fault

    monkeypatch.setenv("DISPLAY", screen)
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    monkeypatch.setattr(threading, "excepthook", failed.append)
    sink = WindowSink(fail)
    sink.open(INFO)
    try:
        sink.write(labelled(90), 0.0)
        until(lambda: shows(labelled(90).frame.picture))
        press("n")
        until(lambda: failed)
        press("q")
        until(lambda: fails_with(SinkClosed, sink))
    finally:
        sink.close()
    assert [args.exc_value for args in failed] == [fault]


@pytest.mark.slow
def test_a_window_that_breaks_off_was_not_closed(window):
    sink, _ = window
    sink.write(labelled(90), 0.0)
    until(lambda: shows(labelled(90).frame.picture))
    (viewer,) = helpers()
    os.kill(int(viewer.name), signal.SIGKILL)
    until(lambda: fails_with(RunError, sink))


@pytest.mark.parametrize("driver", ["x11", None])
def test_without_a_screen_it_says_so(monkeypatch, driver):
    pytest.importorskip("pygame")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    if driver is not None:
        monkeypatch.setenv("SDL_VIDEODRIVER", driver)
    with pytest.raises(UsageError, match="no window"):
        WindowSink().open(INFO)


def test_without_a_virtual_camera_the_hint_names_the_package():
    with pytest.raises(UsageError) as refusal:
        VirtualCameraSink().open(INFO)
    assert "virtualcam" in refusal.value.hint or "v4l2loopback" in refusal.value.hint
