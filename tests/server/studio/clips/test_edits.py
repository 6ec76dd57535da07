"""What was decided of a clip, and taking it back."""

from dataclasses import replace

import numpy as np
import pytest

from understudy.casting.clip_person import ClipPerson
from understudy.casting.person import Person
from understudy.errors import UsageError
from understudy.server.studio.clips.edits import OTHERS, Edits
from understudy.settings import Lane, TrimOptions


@pytest.fixture
def given():
    return Edits(10.0, 0.04)


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
    assert given.now.given == {}


def test_steps_are_taken_back_one_by_one(given):
    given.give(1, "one")
    given.give(2, "blur")
    given.give(1, "two")
    given.give(1, "two")
    for expected in ({1: "one", 2: "blur"}, {1: "one"}, {}, {}):
        given.undo()
        assert given.now.given == expected


def test_a_face_that_is_gone_does_not_come_back_by_undoing(given):
    given.give(1, "one")
    given.give(2, "one")
    given.give(2, "two")
    assert given.without("one")
    assert given.now.given == {2: "two"}
    given.undo()
    assert given.now.given == {}
    assert not given.without("one")


def test_a_step_that_was_about_a_face_that_is_gone_is_none_any_more(given):
    given.give(1, "one")
    given.without("one")
    assert not given.can_undo
    given.give(1, "blur")
    given.give(2, "one")
    given.give(1, "two")
    given.without("one")
    for expected in ({1: "blur"}, {}):
        given.undo()
        assert given.now.given == expected
    assert not given.can_undo


def test_a_step_that_was_about_somebody_who_is_forgotten_is_none_any_more(given):
    given.give(1, "one")
    given.forget([1])
    assert not given.can_undo


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


def test_where_everybody_else_gets_something_those_who_are_left_are_named(given):
    first, second, third = people = [somebody(1), somebody(2), replace(somebody(3), views=np.empty((0, 4), np.float32))]
    host = Person(("host.jpg",))
    given.give(1, "host")
    given.give(OTHERS, "blur")
    cast = given.cast(people, {"host": host})
    assert [(part.who, part.gets) for part in cast.parts] == [(first, host), (second, "leave")]
    assert cast.others == "blur"
    given.give(1, "leave")
    given.give(OTHERS, "host")
    cast = given.cast([third], {"host": host})
    assert (cast.parts, cast.others) == ((), host)
    assert given.without("host")
    assert given.cast(people, {"host": host}) is None


def test_a_part_is_kept_within_the_clip_and_all_of_it_is_no_part(given):
    assert given.trim(2.5, 4)
    assert given.now.trim == TrimOptions(2.5, 4)
    assert not given.trim(2.5, 4)
    assert given.trim(-5, 99)
    assert given.now.trim == TrimOptions()
    given.trim(9.99, 1)
    assert given.now.trim == TrimOptions(9.96, None)
    given.trim(3, 2)
    assert given.now.trim == TrimOptions(3, 3.04)


def test_stretches_are_added_moved_set_and_removed_and_each_step_is_taken_back(given):
    first = given.add(2.0)
    assert given.now.lanes == (Lane(2.0, 3.25),)
    assert given.add(2.5) == first
    second = given.add(9.5)
    assert given.now.lanes[1] == Lane(9.5, None)
    assert given.add(1.5) not in (first, second)
    assert given.now.lanes[0] == Lane(1.5, 2.0)
    given.set(second, {"blend.strength": 0.5})
    given.do(first, "blur")
    assert given.now.lanes[1:] == (Lane(2.0, 3.25, do="blur"), Lane(9.5, None, {"blend.strength": 0.5}))
    assert given.remove(first)
    assert not given.remove(first)
    for count in (3, 3, 3, 2, 1, 0):
        given.undo()
        assert len(given.now.stretches) == count


def test_a_stretch_goes_no_further_than_its_neighbours_and_is_never_empty(given):
    first, second = given.add(1.0), given.add(5.0)
    given.move(first, 4.0, 8.0)
    assert given.now.lanes[0] == Lane(4.0, 5.0)
    given.move(second, 0.0, 99)
    assert given.now.lanes[1] == Lane(5.0, None)
    given.move(second, 7, 6)
    assert given.now.lanes[1] == Lane(7, 7.04)
    assert not given.move(99, 1, 2)


def test_what_is_dragged_is_one_step(given):
    number = given.add(1.0)
    for share in (0.9, 0.8, 0.7):
        given.set(number, {"blend.strength": share})
    given.set(number, {"mesh.shape": 0.5})
    given.undo()
    assert given.now.lanes[0].settings == (("blend.strength", 0.7),)
    given.undo()
    assert given.now.lanes[0].settings == ()
    given.undo()
    assert given.now.stretches == ()


def test_what_a_stretch_can_not_have_is_refused_and_changes_nothing(given):
    number = given.add(1.0)
    before = given.now
    for values in ({"label.text": "none"}, {"blend.strength": 9}):
        with pytest.raises(UsageError):
            given.set(number, values)
    assert given.now is before
