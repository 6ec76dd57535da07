"""What is remembered of people from frame to frame: each by themselves."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from understudy import Settings
from understudy.blending import LightOptions
from understudy.casting.assignment import Assigned
from understudy.casting.portraits import portrait_in
from understudy.face import Faces
from understudy.frames import Frame
from understudy.guard import unguarded
from understudy.pipeline.clip import ClipPipeline
from understudy.pipeline.compositing import Compositing
from understudy.settings import BlendOptions
from understudy.testing import Puppet, portrait, talking
from understudy.testing.opened import parts_of

FRAMES, CHANGED = 24, 12


class ByPlace:
    """An assignment of several people: who is on the left gets the first, who is on the right the second."""

    def __init__(self, left, right):
        self.left, self.right = left, right

    def assign(self, faces):
        middles = faces.boxes_xyxy[:, [0, 2]].mean(axis=1)
        return {
            number: self.left if middle < 240 else self.right
            for number, middle in zip(faces.track_ids.tolist(), middles, strict=True)
        }


@pytest.fixture(scope="module")
def clip(astronaut, hopper):
    """Two people who talk beside each other, in a light that goes down on both."""
    puppets = [Puppet(who, (240, 300), face_share=0.6) for who in (astronaut, hopper)]
    light = np.linspace(1, 0.5, FRAMES)
    return [
        (np.hstack([one.render(talking(number / 25 + side)).picture for side, one in enumerate(puppets)]) * level)
        .round()
        .astype(np.uint8)
        for number, level in enumerate(light)
    ]


@pytest.fixture(scope="module")
def people(perception):
    engine = parts_of(Settings(), perception).engine
    pictures = [portrait(name) for name in ("hopper", "astronaut")]
    return [engine.identity([portrait_in(picture, "a photo", perception, None)[0]]) for picture in pictures]


@pytest.fixture(scope="module")
def swapped(clip, people, perception):
    """The swap of the clip; from frame ``CHANGED`` on the one on the left gets something else."""

    def pictures(later):
        assignment = ByPlace(Assigned(people[0]), Assigned(people[1]))
        pipeline, result = ClipPipeline(parts_of(Settings(faces="all"), perception), assignment), []
        for number, picture in enumerate(clip):
            if number == CHANGED:
                assignment.left = later
            frame = Frame(picture.copy(), pts=number, time_base=Fraction(1, 25))
            assert len(pipeline.swap(frame).patches) == 2
            result.append(frame.picture)
        return np.stack(result)

    return pictures


@pytest.mark.parametrize(("who", "strength"), [(1, 1.0), (0, 0.6)], ids=["another identity", "another strength"])
@pytest.mark.slow
def test_what_one_person_gets_changes_no_pixel_of_another(swapped, people, who, strength):
    before, after = swapped(Assigned(people[0])), swapped(Assigned(people[who], strength))
    columns = (before != after).any(axis=(1, 3))
    assert not columns[:CHANGED].any()
    assert columns[CHANGED:, :240].any(axis=1).all()
    assert not columns[:, 240:].any()


@pytest.fixture(scope="module")
def composed(astronaut, perception, people):
    """The last frame of a face in a light that goes down, given what its track was assigned in each frame."""
    shot, engine = (
        Puppet(astronaut, (240, 240), face_share=0.6).render(talking(0)),
        parts_of(Settings(), perception).engine,
    )
    faces = Faces(np.zeros((1, 4)), mesh=shot.mesh[None], track_ids=np.array([1]))

    def last(identities, first=0, **adopted):
        compositing = Compositing()
        for number, identity in list(enumerate(identities))[first:]:
            lit = (shot.picture * (1 - 0.05 * number)).astype(np.uint8)
            frame = Frame(lit, pts=number, time_base=Fraction(1, 25))
            if number == len(identities) - 1:
                compositing.adopt(BlendOptions(**adopted))
            patches = engine.renderer().render(frame, faces, {1: identity})
            compositing.compose(unguarded(frame), patches, {1: Assigned(identity, 1 - number / 100)})
        return frame.picture

    return last


def test_another_identity_begins_without_what_was_learned_of_the_one_before(composed, people):
    one, other = people
    changed = composed([one] * 6 + [other])
    np.testing.assert_array_equal(changed, composed([one] * 6 + [other], first=6))
    assert (changed != composed([other] * 7)).any()


def test_a_track_that_keeps_its_identity_keeps_what_was_learned(composed, people):
    one, _ = people
    assert (composed([one] * 7) != composed([one] * 7, first=6)).any()


def test_of_other_options_only_what_they_are_about_begins_anew(composed, people):
    one, _ = people
    as_before = composed([one] * 7)
    np.testing.assert_array_equal(composed([one] * 7, strength=0.5), as_before)  # a patch has its own
    assert (composed([one] * 7, light=LightOptions(seconds=0.3)) != as_before).any()
