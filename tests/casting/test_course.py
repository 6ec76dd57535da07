"""What holds at each time of a clip."""

from __future__ import annotations

import pytest

from understudy import BlendOptions, Lane, Settings
from understudy.casting.assignment import Assigned
from understudy.casting.course import Course
from understudy.swapping import Identity

FACE = Identity()


def course(*lanes, **more):
    return Course(Settings(lanes=lanes, **more))


def test_without_lanes_nothing_holds_but_the_settings():
    assert course().at(0) is None


@pytest.mark.parametrize(
    ("seconds", "strength"), [(0, 0.9), (0.99, 0.9), (1.0, 0.5), (0.9995, 0.5), (1.99, 0.5), (2.0, 0.2), (9, 0.2)]
)
def test_a_frame_is_in_the_lane_in_which_it_begins(seconds, strength):
    found = course(
        Lane(2, None, {"blend.strength": 0.2}), Lane(1, 2, {"blend.strength": 0.5}), blend=BlendOptions(strength=0.9)
    )
    assert found.at(seconds).settings.blend.strength == strength


def test_what_somebody_was_given_for_themselves_stays():
    now = course(Lane(0, 1, {"blend.strength": 0.5, "mesh.shape": 0.25})).at(0)
    given = {
        1: Assigned(FACE),
        2: Assigned(FACE, 0.7, own_strength=True),
        3: Assigned(FACE, own_shape=True),
    }
    found = now.applied(given)
    assert [(found[track].strength, found[track].shape) for track in (1, 2, 3)] == [
        (0.5, 0.25),
        (0.7, 0.25),
        (0.5, None),
    ]
    assert all(one.identity is FACE for one in found.values())


@pytest.mark.parametrize("do", ["leave", "blur"])
def test_where_nobody_is_swapped_faces_are_drawn_unseen_shortly_before_the_end(do):
    found = course(Lane(0, 10, do=do), Lane(20, None, do=do))
    assert found.at(5).applied({1: Assigned(FACE)}) == {}
    assert found.at(9.5).applied({1: Assigned(FACE, 0.7, own_strength=True)})[1].strength == 0
    assert found.at(9.5).do == do
    assert found.at(12).do is None
    assert found.at(12).applied({1: Assigned(FACE)})[1].strength == 1
    assert found.at(999).applied({1: Assigned(FACE)}) == {}


def test_the_settings_of_a_lane_are_the_same_object_in_all_of_it():
    found = course(Lane(0, 1, {"blend.strength": 0.5}), Lane(1, 2))
    assert found.at(0.1).settings is found.at(0.9).settings
    assert found.at(1.5).settings is found.at(3).settings  # it says nothing: nothing is taken over at its edges
