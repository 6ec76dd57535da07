"""The order of a live frame's stages: the guard looks first, and what it covers is not uncovered."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tests.counting import CountingFits
from tests.waiting import until
from understudy import EnhanceOptions, GuardOptions, Settings
from understudy.canvas import Canvas
from understudy.casting.assignment import OnePerson
from understudy.casting.portraits import portrait_in
from understudy.detection import BlazeFace
from understudy.enhancement import Enhancers
from understudy.frames import Frame
from understudy.geometry.templates import TEMPLATES
from understudy.guard import Cover, Guard
from understudy.pipeline.live import LivePipeline
from understudy.testing import Puppet, talking
from understudy.testing.opened import parts_of


class Watching(Guard):
    """Notes the frames that it is shown, as they are then."""

    def __init__(self, *of, **more):
        super().__init__(*of, **more)
        self.shown = []

    def cover(self, frame, *of, **more) -> tuple[Cover, Canvas]:
        self.shown.append(frame.picture.copy())
        return super().cover(frame, *of, **more)


@pytest.fixture(scope="module")
def pictures(astronaut):
    puppet = Puppet(astronaut, (320, 240), face_share=0.55)
    return [puppet.render(talking(number / 30)).picture for number in range(12)]


@pytest.fixture
def guard():
    return Watching(BlazeFace())


@pytest.fixture
def pipeline(perception, hopper, guard):
    parts = parts_of(Settings(), perception)
    identity = parts.engine.identity([portrait_in(hopper, "hopper", perception, None)[0]])
    made = LivePipeline(parts, OnePerson(identity), guard)
    yield made
    made.close()


def swapped(pipeline, pictures):
    frames = [Frame(p.copy(), pts=number, time_base=Fraction(1, 30)) for number, p in enumerate(pictures)]
    return [pipeline.swap(frame) for frame in frames], np.stack([frame.picture for frame in frames])


@pytest.mark.slow
def test_nobody_writes_before_the_guard_looked(pipeline, guard, pictures):
    done, shown = swapped(pipeline, pictures)
    np.testing.assert_array_equal(guard.shown, pictures)
    assert all(one.patches for one in done)
    assert (shown != pictures).any(axis=(1, 2, 3)).all()
    assert pipeline.tally.frames == pipeline.tally.frames_swapped == len(pictures)


@pytest.mark.slow
def test_other_settings_hold_from_the_next_frame_on(pipeline, pictures):
    everybody = replace(Settings(), faces="all", guard=replace(Settings().guard, on_lost="pass"))
    swapped(pipeline, pictures[:4])
    pipeline.adopt(everybody)
    beside = [np.hstack([picture, np.ascontiguousarray(picture[:, ::-1])]) for picture in pictures]
    done, _ = swapped(pipeline, beside)
    assert len(done[-1].patches) == 2


@pytest.mark.slow
def test_the_picture_stands_still_while_somebody_is_lost_but_not_with_the_face_of_one_before(pipeline, pictures):
    pipeline.adopt(replace(Settings(), guard=GuardOptions(on_lost="freeze")))
    frames = [
        Frame(picture.copy(), pts=number, time_base=Fraction(1, 30))
        for number, picture in enumerate([*pictures, *[np.full_like(pictures[0], 90)] * 4])
    ]
    for frame in frames[:-2]:
        pipeline.swap(frame)
    last = frames[len(pictures) - 1].picture
    assert all(np.array_equal(frame.picture, last) for frame in frames[-4:-2])
    pipeline.forget_shown()
    for frame in frames[-2:]:
        pipeline.swap(frame)
        assert np.ptp(frame.picture) < 10


@pytest.mark.slow
def test_where_frames_take_too_long_the_mesh_model_looks_at_every_third(perception, hopper, pictures):
    landmarker = CountingFits(perception.landmarker)
    parts = parts_of(Settings(), replace(perception, landmarker=landmarker))
    identity = parts.engine.identity([portrait_in(hopper, "hopper", perception, None)[0]])
    pipeline, fits, numbers = LivePipeline(parts, OnePerson(identity), Watching(BlazeFace())), [], iter(range(1000))

    def twenty():
        before = landmarker.fits
        for _ in range(20):  # a picture that stands still
            number = next(numbers)
            pipeline.process(Frame(pictures[0].copy(), pts=number, time_base=Fraction(1, 30)))
        fits.append(landmarker.fits - before)

    pipeline.expect(1e-3)  # as much time as they like
    twenty()
    pipeline.expect(1e6)
    for _ in range(3):  # it takes some frames to be sure
        twenty()
    pipeline.expect(1e-3)
    for _ in range(3):
        twenty()
    pipeline.close()
    assert fits[0] >= 20
    assert fits[3] in (6, 7)
    assert fits[6] == 20


class Asked(BlazeFace):
    """Notes the pictures in which it looks for faces."""

    def __init__(self):
        super().__init__()
        self.pictures = []

    def detect(self, picture, *, thorough=False):
        self.pictures.append(picture.tobytes())
        return super().detect(picture, thorough=thorough)


@pytest.mark.slow
def test_where_the_tracker_looked_for_faces_the_guard_does_not_look_again(perception, hopper, pictures):
    detector = Asked()
    parts = parts_of(Settings(), replace(perception, detector=detector))
    identity = parts.engine.identity([portrait_in(hopper, "hopper", perception, None)[0]])
    pipeline = LivePipeline(parts, OnePerson(identity), Guard(detector))
    other_shot = [np.ascontiguousarray(picture[:, ::-1] // 3) for picture in pictures[6:]]
    shown = [*pictures[:6], *other_shot]
    done, _ = swapped(pipeline, shown)
    pipeline.close()
    assert all(one.patches for one in done)
    asked = [detector.pictures.count(picture.tobytes()) for picture in shown]
    assert asked[0] == asked[6] == max(asked) == 1
    # Right after a start and a cut the guard looks in every frame; another's detector does not stand in for its own.
    assert sum(asked) > 8
    other = Asked()
    pipeline = LivePipeline(parts, OnePerson(identity), Guard(other))
    swapped(pipeline, shown[:3])
    pipeline.close()
    assert shown[0].tobytes() in other.pictures


class Reddening:
    """A restorer that makes faces red, or leaves them; it ends when it may."""

    size, template, border = 256, TEMPLATES["arcface_128"], (0, 0, 0)

    def __init__(self):
        self.red = True
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.may_end.set()

    def restored(self, crop, weight):
        red = self.red
        self.begun.set()
        self.may_end.wait(20)
        made = crop.copy()
        if red:
            made[..., 2] = 255
        return made


@pytest.mark.slow
def test_what_was_added_to_one_face_is_not_added_to_the_next(perception, hopper, astronaut, pictures):
    restorer = Reddening()
    settings = Settings(enhance=EnhanceOptions(("gfpgan_1.4:1",)))
    parts = replace(parts_of(Settings(), perception), settings=settings, enhancers=Enhancers({"gfpgan_1.4": restorer}))
    first, second = (
        parts.engine.identity([portrait_in(picture, "a photo", perception, None)[0]]) for picture in (hopper, astronaut)
    )
    assignment, numbers = OnePerson(first), iter(range(1000))
    pipeline = LivePipeline(parts, assignment, Guard(BlazeFace()))

    def redness():
        frame = Frame(pictures[0].copy(), pts=next(numbers), time_base=Fraction(1, 30))
        pipeline.swap(frame)
        time.sleep(0.02)  # in which the restorer works, as between a camera's frames
        middle = frame.picture[90:170, 110:210].astype(int)
        return float((middle[..., 2] - middle[..., 1]).mean())

    of_first = [redness() for _ in range(20)]
    restorer.may_end.clear()
    restorer.begun.clear()
    until(lambda: redness() and restorer.begun.is_set())
    restorer.red, assignment.identity = False, second
    of_second = [redness() for _ in range(3)]
    restorer.may_end.set()  # what was under way is of the first one's face
    of_second += [redness() for _ in range(20)]
    pipeline.close()
    assert of_first[-1] > of_first[0] + 20
    assert max(of_second) < min(of_second) + 5
