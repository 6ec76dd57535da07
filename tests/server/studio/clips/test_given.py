"""What people were given, and taking it back."""

import numpy as np
import pytest

from understudy.casting.clip_person import ClipPerson
from understudy.casting.person import Person
from understudy.server.studio.clips.given import Given


@pytest.fixture
def given():
    return Given()


def somebody(number):
    return ClipPerson(number, "ab" * 32, 1.0, 0.0, 1.0, (0.5, 0.5), 0.2, np.ones((1, 4), np.float32), "e")


def test_nobody_gets_anything_until_somebody_does(given):
    assert given.of(1) == "leave"
    assert not given.can_undo
    assert given.cast([somebody(1)], {}) is None
    assert given.give(1, "card")
    assert given.of(1) == "card"
    assert not given.give(1, "card")
    assert given.give(1, "leave")
    assert given.now == {}


def test_steps_are_taken_back_one_by_one(given):
    given.give(1, "one")
    given.give(2, "blur")
    given.give(1, "two")
    given.give(1, "two")
    for expected in ({1: "one", 2: "blur"}, {1: "one"}, {}, {}):
        given.undo()
        assert given.now == expected


def test_a_face_that_is_gone_does_not_come_back_by_undoing(given):
    given.give(1, "one")
    given.give(2, "one")
    given.give(2, "two")
    assert given.without("one")
    assert given.now == {2: "two"}
    given.undo()
    assert given.now == {}
    assert not given.without("one")


def test_a_cast_has_a_part_for_everybody_who_gets_something(given):
    first, second, third = people = [somebody(number) for number in (1, 2, 3)]
    host = Person(("host.jpg",))
    given.give(1, "host")
    given.give(2, "blur")
    given.give(3, "gone")
    cast = given.cast(people, {"host": host})
    assert [(part.who, part.gets) for part in cast.parts] == [(first, host), (second, "blur")]
    assert cast.people == (first, second, third)
    assert cast.others == "leave"
