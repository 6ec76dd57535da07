"""Who gets whose face."""

import numpy as np

from understudy.casting.assignment import Assigned, OnePerson
from understudy.face import Faces
from understudy.swapping import Identity


def test_everybody_who_was_chosen_gets_the_one_person():
    identity = Identity()
    assigned = OnePerson(identity, 0.7).assign(Faces(np.zeros((2, 4)), track_ids=np.array([3, 8])))
    assert assigned == {3: Assigned(identity, 0.7), 8: Assigned(identity, 0.7)}


def test_nobody_gets_nothing():
    assert OnePerson(Identity()).assign(Faces.empty()) == {}


def test_another_person_or_strength_holds_from_the_next_frame_on():
    first, second = Identity(), Identity()
    faces = Faces(np.zeros((1, 4)), track_ids=np.array([1]))
    one = OnePerson(first)
    before = one.assign(faces)
    one.identity, one.strength = second, 0.5
    assert before == {1: Assigned(first, 1.0)}
    assert one.assign(faces) == {1: Assigned(second, 0.5)}
