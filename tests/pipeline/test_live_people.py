"""Two people before one camera, each with another's face: over cuts, crossings and newcomers nobody is shown raw."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest

from understudy import Settings
from understudy.casting.cast import Part, PartList, assigned_to
from understudy.casting.live_roles import live_roles
from understudy.casting.person import Person
from understudy.casting.portraits import portrait_in
from understudy.frames import Frame
from understudy.guard import Guard
from understudy.pipeline.live import LivePipeline
from understudy.testing import portrait_path
from understudy.testing.opened import parts_of
from understudy.testing.scenes import is_raw, spotted
from understudy.testing.situations import PEOPLE

FIRST, SECOND = Person((portrait_path("hopper"),)), Person((portrait_path("astronaut"),))


@pytest.fixture(scope="module")
def parts(perception):
    return parts_of(Settings(), perception)


@pytest.fixture(scope="module")
def identities(parts, perception):
    """Two textures that no actor has."""
    first, second = spotted(), spotted()[:, ::-1].copy()
    return {
        person: parts.engine.identity([portrait_in(picture, "a photo", perception, None)[0]])
        for person, picture in ((FIRST, first), (SECOND, second))
    }


def play(parts, identities, shots, cast, embedder, guard=None):
    """Each shot through the pipeline: who is raw, and whose face each actor has, in each frame."""
    roles = live_roles(cast, embedder, {}, lambda person, part: assigned_to(identities[person], part, 1.0))
    pipeline = LivePipeline(parts, roles, guard or Guard(parts.perception.detector, parts.settings.guard))
    raw, given = [], []
    try:
        for number, shot in enumerate(shots):
            frame = Frame(shot.picture.copy(), pts=number, time_base=Fraction(1, 25))
            done = pipeline.swap(frame)
            time.sleep(0.02)  # embeddings are computed beside, as they are between a camera's frames
            raw.append({face.actor for face in shot.faces if is_raw(shot.picture, frame.picture, face)})
            faces = done.faces
            assigned = roles.assign(faces) if len(faces) else {}
            here = {}
            for patch in done.patches:
                if patch.track_id in assigned:
                    middle = patch.mesh[:, :2].mean(0)
                    actor = min(shot.faces, key=lambda face: abs(face.mesh[:, :2].mean(0) - middle).sum()).actor
                    here[actor] = next(p for p, one in identities.items() if one is assigned[patch.track_id].identity)
            given.append(here)
    finally:
        pipeline.close()
    return raw, given


def shots_of(name, numbers):
    situation = next(one for one in PEOPLE if one.name == name)
    return [situation.scene(number).draw() for number in numbers]


LEFT_AND_RIGHT = PartList((Part("left", FIRST), Part("right", SECOND)), "blur")


@pytest.mark.slow
def test_each_keeps_their_face_over_a_cut_in_which_they_change_sides(parts, identities):
    shots = shots_of("two who change sides with each cut", [*range(15), *range(40, 60)])
    raw, given = play(parts, identities, shots, LEFT_AND_RIGHT, parts.embedder)
    assert raw == [set()] * 35
    assert given[14] == {0: FIRST, 2: SECOND}
    assert given[-1] == {0: FIRST, 2: SECOND}


@pytest.mark.slow
def test_a_crossing_changes_nothing(parts, identities):
    shots = shots_of("two cross, apart", range(0, 120, 2))
    raw, given = play(parts, identities, shots, LEFT_AND_RIGHT, parts.embedder)
    assert raw == [set()] * 60
    assert given[-1] == given[10] == {0: FIRST, 2: SECOND}


@pytest.mark.slow
def test_a_newcomer_is_covered_or_left_as_was_asked(parts, identities):
    shots = shots_of("alone, then with a larger one, then alone", [*range(12), *range(40, 60)])
    alone = PartList((Part("left", FIRST),), "blur")
    raw, given = play(parts, identities, shots, alone, parts.embedder)
    assert raw == [set()] * 32
    assert given[11] == given[-1] == {2: FIRST}
    left = PartList((Part("left", FIRST),), "leave")
    raw, given = play(parts, identities, shots, left, parts.embedder)
    assert not any(2 in one for one in raw)
    assert raw[-1] == {0}  # once it is known who they are
    assert given[-1] == {2: FIRST}


@pytest.mark.slow
def test_the_guard_looks_for_whoever_may_come_and_not_for_who_may_be_seen(parts, identities):
    """Whatever the settings choose: a cast has faces to swap or blur besides the largest."""
    shots = shots_of("two cross, apart", range(0, 24, 2))
    for others, choice in (("blur", "all"), ("leave", "largest")):
        guard = Guard(parts.perception.detector, parts.settings.guard, choice="left")
        play(parts, identities, shots, PartList((Part("left", FIRST),), others), parts.embedder, guard)
        assert guard.choice == choice
