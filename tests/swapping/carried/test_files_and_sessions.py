"""A neural engine that is carried, as its user has it: in files, in sessions, and where it gives nothing."""

from __future__ import annotations

import json
import time
from fractions import Fraction

import numpy as np
import pytest

from tests.sessions.stage import Screen, until
from understudy import Settings, Understudy
from understudy.casting.assignment import OnePerson
from understudy.casting.portraits import portrait_in
from understudy.cli.main import main
from understudy.frames import Frame
from understudy.pipeline.clip import ClipPipeline
from understudy.sessions.endpoints import overlay
from understudy.settings import changed
from understudy.swapping.carried.renderer import CarriedRenderer
from understudy.swapping.neural.engine import NeuralEngine
from understudy.testing import FakeCamera, Puppet, talking
from understudy.testing.opened import parts_of

ENGINE = "hyperswap_1a_256"


def swap(home, source, target, output, *more):
    words = ["swap", "-s", str(source), "-t", str(target), "-o", str(output), "--engine", ENGINE, "--json"]
    return main([*words, "--home", str(home), "--consent", "sample", *more])


@pytest.fixture
def runs(monkeypatch):
    """How often the model drew a face."""
    drawn, swapped = [], NeuralEngine.swapped

    def counted(self, crop, source):
        drawn.append(1)
        return swapped(self, crop, source)

    monkeypatch.setattr(NeuralEngine, "swapped", counted)
    return drawn


@pytest.mark.slow
def test_a_file_is_drawn_now_and_then_and_the_report_says_so(shelf, hopper_path, small_clip, tmp_path, capsys, runs):
    assert swap(shelf, hopper_path, small_clip, tmp_path / "out.mp4", "--refresh", "6") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["frames_swapped"] == report["frames"] == 25
    assert 5 <= len(runs) < 12
    assert f"{ENGINE} drew {len(runs)} of 25 faces; the mesh carried them" in " ".join(report["notes"])


@pytest.mark.slow
def test_every_run_gives_the_same_pixels(shelf, hopper, perception, small_puppet):
    settings = changed(Settings(engine=ENGINE, home=shelf), {"neural.refresh": "auto"})
    parts = parts_of(settings, perception)
    identity = parts.engine.identity([portrait_in(hopper, "hopper", perception, None)[0]])
    pictures = [small_puppet.render(talking(n / 12)).picture for n in range(12)]
    shown = []
    for _ in range(2):
        pipeline = ClipPipeline(parts, OnePerson(identity))
        frames = [Frame(picture.copy(), n, Fraction(1, 25)) for n, picture in enumerate(pictures)]
        for frame in frames:
            assert pipeline.swap(frame).patches
        shown.append(np.stack([frame.picture for frame in frames]))
        assert 1 < pipeline.tally.carried.runs < 12
    np.testing.assert_array_equal(*shown)


@pytest.mark.slow
def test_without_being_asked_every_frame_of_a_file_is_drawn(shelf, hopper_path, brief_clip, tmp_path, capsys, runs):
    assert swap(shelf, hopper_path, brief_clip, tmp_path / "out.mp4") == 0
    report = json.loads(capsys.readouterr().out)
    assert len(runs) == report["frames"] > 5
    assert "carried" not in " ".join(report["notes"])


@pytest.mark.slow
def test_of_a_photo_the_engine_draws_everything(shelf, hopper_path, astronaut_path, tmp_path, monkeypatch, runs):
    monkeypatch.setattr(CarriedRenderer, "render", lambda *_: pytest.fail("a photo was carried"))
    assert swap(shelf, hopper_path, astronaut_path, tmp_path / "out.png", "--refresh", "auto") == 0
    assert len(runs) == 1


@pytest.mark.slow
@pytest.mark.parametrize("how", [("--refresh", "auto"), ()])
def test_a_file_of_which_a_model_gave_nothing_is_an_error(
    shelf, hopper_path, brief_clip, tmp_path, capsys, monkeypatch, how
):
    monkeypatch.setattr(NeuralEngine, "swapped", lambda self, crop, source: None)
    assert swap(shelf, hopper_path, brief_clip, tmp_path / "out.mp4", *how) == 5
    assert "gave no face of" in capsys.readouterr().err
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.slow
def test_faces_of_which_a_model_gave_nothing_are_told(shelf, hopper_path, brief_clip, tmp_path, capsys, monkeypatch):
    swapped, calls = NeuralEngine.swapped, []

    def now_and_then(self, crop, source):
        calls.append(1)
        return None if len(calls) in (3, 4) else swapped(self, crop, source)

    monkeypatch.setattr(NeuralEngine, "swapped", now_and_then)
    assert swap(shelf, hopper_path, brief_clip, tmp_path / "out.mp4") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["frames_swapped"] == report["frames"] - 2
    assert f"{ENGINE} gave no face for 2 faces: those are as in the target" in report["notes"]


@pytest.mark.slow
def test_live_the_rate_and_the_age_of_what_is_shown_are_told(shelf, hopper_path, astronaut, monkeypatch):
    swapped = NeuralEngine.swapped

    def slowly(self, crop, source):
        time.sleep(0.25)
        return swapped(self, crop, source)

    monkeypatch.setattr(NeuralEngine, "swapped", slowly)
    puppet, screen = Puppet(astronaut, (320, 240), face_share=0.5), Screen()
    camera = FakeCamera([puppet.render(talking(n / 30)).picture for n in range(90)])
    app = Understudy(Settings(engine=ENGINE, home=shelf))
    with app.live(app.person(hopper_path, consent="sample"), camera, [lambda _: screen]) as live:
        until(lambda: (live.statistics().neural_fps or 0) > 0 and live.statistics().texture_age_ms, 60)
        statistics, shown = live.statistics(), overlay(live)
        until(lambda: any("carries its faces" in event for event in live.statistics().events), 60)
    assert 0 < statistics.neural_fps <= 4.2
    assert statistics.texture_age_ms["p95"] >= statistics.texture_age_ms["p50"] > 0
    assert any(line.startswith("neural ") for line in shown)
    assert statistics.frames_swapped > 0


@pytest.mark.slow
def test_live_every_frame_waits_for_the_model_where_that_is_asked(shelf, hopper_path, astronaut, runs):
    puppet, screen = Puppet(astronaut, (320, 240), face_share=0.5), Screen()
    camera = FakeCamera([puppet.render(talking(n / 30)).picture for n in range(30)])
    app = Understudy(changed(Settings(engine=ENGINE, home=shelf), {"neural.refresh": 1}))
    with app.live(app.person(hopper_path, consent="sample"), camera, [lambda _: screen]) as live:
        until(lambda: len(screen.seconds) > 10, 60)
        statistics = live.statistics()
    assert statistics.neural_fps is None
    assert len(runs) >= statistics.frames_swapped > 5
