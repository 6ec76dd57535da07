"""Who is in a clip's frames, and who of them is swapped: people, over cuts."""

from __future__ import annotations

import threading
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from understudy import Settings
from understudy.casting.assignment import OnePerson
from understudy.casting.portraits import portrait_in
from understudy.detection import BlazeFace
from understudy.frames import Frame
from understudy.guard import Guard
from understudy.pipeline.clip import ClipPipeline
from understudy.pipeline.live import LivePipeline
from understudy.pipeline.perceiving import Perceiving
from understudy.testing.opened import parts_of
from understudy.testing.scenes import is_raw, spotted
from understudy.testing.situations import PEOPLE

LARGER = next(one for one in PEOPLE if one.name == "alone, then with a larger one, then alone")
#: Some frames of each shot: somebody alone, the same beside a larger one, alone.
NUMBERS = [*range(6), *range(40, 46), *range(80, 86)]


@pytest.fixture(scope="module")
def shots():
    return [LARGER.scene(number).draw() for number in NUMBERS]


@pytest.fixture(scope="module")
def parts(perception):
    return parts_of(Settings(), perception)


def frame_of(shot, number):
    return Frame(shot.picture.copy(), pts=number, time_base=Fraction(1, 25))


def is_theirs(faces, shot, actor):
    (truth,) = (face for face in shot.faces if face.actor == actor)
    middle = truth.mesh[:, :2].mean(0)
    return len(faces) == 1 and bool(np.abs(faces.mesh[0, :, :2].mean(0) - middle).max() < 20)


@pytest.mark.slow
def test_in_a_file_the_same_person_is_chosen_in_every_frame(parts, shots):
    perceiving, again = Perceiving(parts, live=False), Perceiving(parts, live=False)
    for number, shot in enumerate(shots):
        seen = perceiving(frame_of(shot, number))
        assert is_theirs(seen.chosen, shot, 2)
        assert seen.chosen.person_ids.tolist() == [1]
        assert seen.cut == (number in (6, 12))
        np.testing.assert_array_equal(again(frame_of(shot, number)).faces.person_ids, seen.faces.person_ids)


@pytest.mark.slow
def test_without_an_embedder_the_largest_is_chosen_after_a_cut(parts, shots):
    perceiving = Perceiving(replace(parts, embedder=None), live=False)
    chosen = [perceiving(frame_of(shot, number)).chosen for number, shot in enumerate(shots)]
    assert is_theirs(chosen[0], shots[0], 2)
    assert is_theirs(chosen[6], shots[6], 0)
    assert chosen[6].person_ids is None


@pytest.mark.slow
def test_a_clip_counts_people_and_not_tracks(parts, shots, perception, hopper):
    identity = parts.engine.identity([portrait_in(hopper, "hopper", perception, None)[0]])
    for of, people in ((parts, 1), (replace(parts, embedder=None), 3)):
        pipeline = ClipPipeline(of, OnePerson(identity))
        for number, shot in enumerate(shots):
            pipeline.swap(frame_of(shot, number))
        assert pipeline.tally.people == people


class Slow:
    """An embedder that has not answered when the test ends, once it is told so."""

    def __init__(self, embedder):
        self._embedder, self.slow, self.end = embedder, False, threading.Event()
        self.name, self.same_person, self.distances = embedder.name, embedder.same_person, embedder.distances

    def embed(self, picture, faces):
        if self.slow:
            self.end.wait(60)
        return self._embedder.embed(picture, faces)


@pytest.mark.slow
def test_live_nobody_is_shown_raw_until_it_is_known_who_they_are(parts, shots, perception):
    embedder = Slow(parts.embedder)
    identity = parts.engine.identity([portrait_in(spotted(), "a spotted portrait", perception, None)[0]])
    pipeline = LivePipeline(replace(parts, embedder=embedder), OnePerson(identity), Guard(BlazeFace()))
    # Shown for as long as it takes until it is known what they look like.
    for number in range(25):
        pipeline.swap(frame_of(shots[number % 6], number))
        threading.Event().wait(0.01)
    embedder.slow = True
    for number, shot in enumerate(shots[6:12], 25):
        frame = frame_of(shot, number)
        done = pipeline.swap(frame)
        assert (done.faces.person_ids == -1).all()
        assert not any(is_raw(shot.picture, frame.picture, face) for face in shot.faces)
        assert len(done.patches) == 2
    embedder.slow = False
    embedder.end.set()
    for number in range(31, 60):
        frame = frame_of(shots[6 + number % 6], number)
        done = pipeline.swap(frame)
        threading.Event().wait(0.01)
    assert len(done.patches) == 1  # the larger one is known to be somebody else
    pipeline.close()
    assert done.faces.person_ids.tolist() == [2, 1]
