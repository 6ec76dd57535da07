"""The window, on SDL's dummy screen."""

from fractions import Fraction

import numpy as np
import pytest

from understudy.errors import UsageError
from understudy.faces import Faces
from understudy.frames import Frame
from understudy.media.live import LiveInfo, SinkClosed
from understudy.media.virtual import VirtualCameraSink
from understudy.media.window import WindowSink
from understudy.provenance import FrameSealer

pygame = pytest.importorskip("pygame")
INFO = LiveInfo("test", 320, 240, Fraction(30))


@pytest.fixture
def window(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pressed = []
    sink = WindowSink(pressed.append, lambda: ["in 30 fps"])
    sink.open(INFO)
    yield sink, pressed
    sink.close()


def labelled(shade):
    return FrameSealer(1, live=True).seal(Frame(np.full((240, 320, 3), shade, np.uint8)), Faces.empty())


def press(letter):
    key = pygame.key.key_code(letter)
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key, unicode=letter))


def shown(sink):
    return pygame.surfarray.array3d(sink._surface).transpose(1, 0, 2)[:240, :, ::-1]


def test_it_shows_the_frame_as_it_is(window):
    sink, _ = window
    frame = labelled(90)
    sink.write(frame, 0.0)
    assert (shown(sink) == frame.frame.picture).all()


def test_its_keys(window):
    sink, pressed = window
    sink.write(labelled(90), 0.0)
    for letter in "mn":
        press(letter)
    sink.write(labelled(91), 0.1)
    assert pressed == ["mirror", "next"]
    press("h")
    held = shown(sink).copy()
    sink.write(labelled(200), 0.2)
    assert (shown(sink) == held).all()
    press("h")
    sink.write(labelled(200), 0.3)
    assert shown(sink).mean() > 150
    help_line = pygame.surfarray.array3d(sink._surface)[:, 240:].copy()
    press("s")
    frame = labelled(200)
    sink.write(frame, 0.4)
    assert (shown(sink) == frame.frame.picture).all()  # text stands below the picture, never on its label
    assert (pygame.surfarray.array3d(sink._surface)[:, 240:] != help_line).any()
    press("q")
    with pytest.raises(SinkClosed):
        sink.write(labelled(200), 0.5)


def test_closing_it_is_told(window):
    sink, _ = window
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    with pytest.raises(SinkClosed):
        sink.write(labelled(90), 0.0)


def test_without_a_screen_it_says_so(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "no such driver")
    with pytest.raises(UsageError, match="no window"):
        WindowSink().open(INFO)


def test_without_a_virtual_camera_the_hint_names_the_package():
    with pytest.raises(UsageError) as refusal:
        VirtualCameraSink().open(INFO)
    assert "virtualcam" in refusal.value.hint or "v4l2loopback" in refusal.value.hint
