"""Live enhancement: no frame waits for a restorer, what it made goes along, and the statistics say how often."""

from __future__ import annotations

import os
import sys
import time

import cv2
import numpy as np
import pytest

from tests.sessions.stage import Screen, until
from understudy import EnhanceOptions, Settings
from understudy.cli.main import main
from understudy.enhancement.restorers import NeuralRestorer
from understudy.errors import ModelError, UsageError
from understudy.models.session import Session
from understudy.testing import FakeCamera


def started(session, shelf, screen, *steps, source=None):
    live = session(screen, source=source, settings=Settings(home=shelf, enhance=EnhanceOptions(steps)))
    live.start()
    return live


@pytest.fixture
def slow(monkeypatch):
    """Restorers that take half a second, and wait meanwhile as another device would."""
    restored = NeuralRestorer.restored

    def slowly(self, crop, weight):
        time.sleep(0.5)
        return restored(self, crop, weight)

    monkeypatch.setattr(NeuralRestorer, "restored", slowly)


def redness(picture):
    """How much redder the left half of the face in the middle is than the right: the twin's pattern."""
    red = picture[90:170, 110:210, 2].astype(float) - picture[90:170, 110:210, 1]
    return red[:, :40].mean() - red[:, -40:].mean()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has idle threads")
def test_the_frames_come_before_a_restorer(session, shelf, pictures, monkeypatch):
    policies, run = [], Session.run

    def watched(self, values):
        if self.entry.kind == "enhancer":
            policies.append(os.sched_getscheduler(0))
        return run(self, values)

    monkeypatch.setattr(Session, "run", watched)
    live = started(session, shelf, Screen(), "gfpgan_1.4:1", source=FakeCamera(pictures[:1]))
    policies.clear()  # each model is tried before it is used
    until(lambda: len(policies) > 3)
    live.stop()
    assert set(policies) == {os.SCHED_IDLE}


@pytest.mark.slow
@pytest.mark.alone
def test_no_frame_waits_for_a_slow_restorer_and_every_frame_shows_what_it_made(session, shelf, slow, pictures):
    plain, restored = Screen(), Screen()
    live = started(session, shelf, plain, source=FakeCamera(pictures[:1]))
    until(lambda: len(plain.seconds) > 60)
    without = live.stop().statistics
    assert without.enhanced_every is None
    live = started(session, shelf, restored, "gfpgan_1.4:1", source=FakeCamera(pictures[:1]))
    until(lambda: len(restored.seconds) > 100)
    found = live.stop().statistics
    print(f"{without.fps_out} and {found.fps_out} frames a second, {found.enhanced_every} frames each")
    print({stage: times["p95"] for stage, times in found.stages_ms.items()})
    assert found.fps_out > 0.85 * without.fps_out
    assert found.stages_ms["enhance"]["p95"] < 100
    assert found.enhanced_every > 5
    assert found.as_json()["enhanced_every"] == found.enhanced_every
    bare, shown = (np.array([redness(one) for one in screen.frames[-40:]]) for screen in (plain, restored))
    print(f"red: {bare.mean():.1f}, {shown.min():.1f} to {shown.max():.1f}")
    assert shown.min() > bare.max() + 5  # in every frame, not in every n-th


@pytest.mark.slow
def test_a_restorer_that_fails_is_done_without_and_that_is_told(session, shelf, monkeypatch):
    def fails(*_):
        raise ModelError("gfpgan_1.4 failed on cpu: out of order", "Try it on another device: --device cpu")

    monkeypatch.setattr(NeuralRestorer, "restored", fails)
    screen = Screen()
    live = started(session, shelf, screen, "gfpgan_1.4:1")
    until(lambda: any("out of order" in event for event in live.statistics().events))
    shown = len(screen.seconds)
    until(lambda: len(screen.seconds) > shown + 10)
    (event,) = live.stop().statistics.events
    assert event.endswith("is not asked any more: faces are shown without what it added")


@pytest.mark.slow
def test_steps_without_a_model_are_done_in_every_frame(session, shelf):
    screen = Screen()
    live = started(session, shelf, screen, "sharpen:1@frame")
    until(lambda: len(screen.seconds) > 10)
    assert "enhance" in live.stop().statistics.stages_ms
    edges = [cv2.Laplacian(cv2.cvtColor(one, cv2.COLOR_BGR2GRAY), cv2.CV_32F).std() for one in screen.frames]
    assert min(edges) > 0.7 * max(edges)


def test_pictures_keep_their_size_live(session, shelf, hopper_path, tmp_path, capsys):
    live = session(Screen(), settings=Settings(home=shelf, enhance=EnhanceOptions(("real_esrgan_x2",))))
    with pytest.raises(UsageError, match="keep their size"):
        live.start()
    words = ["live", "-s", str(hopper_path), "--from", str(hopper_path), "--to", str(tmp_path / "out.mp4")]
    words += ["--consent", "sample", "--home", str(shelf), "--enhance", "span_x4"]
    assert main(words) == 2
    assert "keep their size" in capsys.readouterr().err
    assert list(tmp_path.glob("*.mp4")) == []
