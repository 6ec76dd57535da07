"""Models that fail in a live session: it goes on without those that only make faces look better."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from understudy import BlendOptions, EnhanceOptions, MaskOptions, Settings
from understudy.casting.assignment import OnePerson
from understudy.casting.portraits import portrait_in
from understudy.detection import BlazeFace
from understudy.enhancement import Enhancers
from understudy.errors import ModelError
from understudy.frames import Frame
from understudy.geometry.templates import TEMPLATES
from understudy.guard import Guard
from understudy.pipeline.live import LivePipeline
from understudy.testing import Puppet
from understudy.testing.opened import parts_of

pytestmark = pytest.mark.slow


class Dying:
    """A restorer and a model of masks in one: it works until it is told not to."""

    size, template, border = 256, TEMPLATES["arcface_128"], (0, 0, 0)

    def __init__(self):
        self.alive, self.asked = True, 0

    def _lives(self):
        self.asked += 1
        if not self.alive:
            raise ModelError("out of memory", "")

    def restored(self, crop, weight):
        self._lives()
        made = crop.copy()
        made[..., 2] = 255
        return made

    def visible(self, crop, face, options):
        self._lives()
        return np.tile(np.float32([0, 1]).repeat(128), (256, 1))


@pytest.fixture(scope="module")
def picture(astronaut):
    return Puppet(astronaut, (320, 240), face_share=0.55).render().picture


@pytest.fixture
def run(perception, hopper, picture):
    """Run a live pipeline with a model; what it returns swaps a frame more each time."""
    pipelines = []

    def made(settings, **models):
        parts = replace(parts_of(Settings(), perception), settings=settings, **models)
        identity = parts.engine.identity([portrait_in(hopper, "hopper", perception, None)[0]])
        pipeline, numbers = LivePipeline(parts, OnePerson(identity), Guard(BlazeFace())), iter(range(1000))
        pipelines.append(pipeline)

        def step(count=20):
            for _ in range(count):
                frame = Frame(picture.copy(), pts=next(numbers), time_base=Fraction(1, 30))
                done = pipeline.swap(frame)
                assert done.patches
                time.sleep(0.02)  # in which models beside work, as between a camera's frames
            return frame.picture.astype(int)

        return pipeline, step

    yield made
    for pipeline in pipelines:
        pipeline.close()


def difference(one, other):
    return float(np.abs(one - other).mean())


def test_a_restorer_that_dies_is_done_without(run):
    restorer = Dying()
    _, plain = run(Settings())
    pipeline, step = run(
        Settings(enhance=EnhanceOptions(("gfpgan_1.4:1",))), enhancers=Enhancers({"gfpgan_1.4": restorer})
    )
    restored, without = step(), plain()
    assert pipeline.news() == []
    restorer.alive = False
    left = step(40)
    assert difference(left, without) < 0.1 * difference(restored, without)
    assert pipeline.news() == [
        "gfpgan_1.4 fails (out of memory) and is not asked any more: faces are shown without what it added"
    ]
    asked = restorer.asked
    step()
    assert (restorer.asked, pipeline.news()) == (asked, [])


def test_a_model_of_masks_that_dies_is_done_without(run):
    model = Dying()
    settings = Settings(blend=BlendOptions(mask=MaskOptions(occluders=("xseg_1",))))
    _, plain = run(Settings())
    pipeline, step = run(settings, masks={"xseg_1": model})
    masked, without = step(), plain()
    model.alive = False
    left = step(90)
    assert difference(masked, without) > 0.5
    assert difference(left, without) < 0.3 * difference(masked, without)
    assert [what.rpartition(": ")[2] for what in pipeline.news()] == [
        "what it saw last fades, and masks are made without it"
    ]


def test_one_failure_is_none(run):
    restorer = Dying()
    pipeline, step = run(
        Settings(enhance=EnhanceOptions(("gfpgan_1.4:1",))), enhancers=Enhancers({"gfpgan_1.4": restorer})
    )
    restored = step()
    restorer.alive = False
    step(1)
    restorer.alive = True
    assert difference(step(), restored) < 0.1
    assert pipeline.news() == []
