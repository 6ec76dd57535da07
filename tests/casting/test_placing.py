"""Who of a clip's people is meant, by number, place and likeness."""

from pathlib import Path

import numpy as np
import pytest

from tests.casting.people import Colours
from understudy.casting.assignment import Assigned
from understudy.casting.cast import Like, Part, PartList, assigned_to
from understudy.casting.clip_person import ClipPerson
from understudy.casting.person import Person
from understudy.casting.placing import matches, placed, roles_of, told_apart
from understudy.errors import NoFaceError, UsageError
from understudy.swapping import Identity

HOST, GUEST = Person((Path("host.jpg"),)), Person((Path("guest.jpg"),))
COLOURS = Colours()
PHOTO = Like(Path("photo.jpg"))


def somebody(number, at=(0.5, 0.5), size=0.3, look=(20, 20), share=0.5):
    views = np.array([look], np.float32) if look else np.zeros((0, 0), np.float32)
    return ClipPerson(number, "ab" * 32, share, 0.0, 1.0, at, size, views, "colours")


LEFT, RIGHT = somebody(1, (0.2, 0.6), 0.4, (20, 20)), somebody(2, (0.8, 0.3), 0.2, (220, 20))
PASSER = somebody(3, (0.05, 0.9), 0.9, (20, 220), share=0.02)
THERE = [LEFT, RIGHT, PASSER]


def gets(*parts, there=THERE, likeness=None):
    found = placed([Part(*part) for part in parts], there, COLOURS, likeness or {}).parts
    return {number: part.gets for number, part in found.items()}


@pytest.mark.parametrize(
    ("who", "number"),
    [(2, 2), (RIGHT, 2), ("left", 1), ("right", 2), ("top", 2), ("bottom", 1), ("largest", 1), ("smallest", 2)],
)
def test_one_is_meant_and_who_walks_past_is_no_place(who, number):
    assert gets((who, HOST)) == {number: HOST}


def test_all_are_all_who_can_be_told_apart():
    assert gets(("all", HOST), there=[LEFT, somebody(2, look=None)]) == {1: HOST}


def test_likeness_takes_the_nearest_and_says_how_near():
    found = placed([Part(PHOTO, HOST)], THERE, COLOURS, {PHOTO: np.array([30, 20], np.float32)})
    assert [part.gets for part in found.parts.values()] == [HOST]
    assert set(found.parts) == {1}
    assert "person 1" in found.notes[0]
    assert "0.20" in found.notes[0]
    assert "nearly" not in found.notes[0]


def test_of_two_who_are_as_near_the_first_is_taken_and_it_is_said():
    twins = [somebody(1), somebody(2)]
    found = placed([Part(PHOTO, HOST)], twins, COLOURS, {PHOTO: np.array([30, 20], np.float32)})
    assert [part.gets for part in found.parts.values()] == [HOST]
    assert set(found.parts) == {1}
    assert "person 2 is nearly as near" in found.notes[0]


@pytest.mark.parametrize(
    ("who", "other", "said"),
    [
        ("left", somebody(2, (0.25, 0.5)), True),
        ("left", somebody(2, (0.4, 0.5)), False),
        ("largest", somebody(2, size=0.38), True),
        ("largest", somebody(2, size=0.2), False),
        ("top", somebody(2, (0.9, 0.62)), True),
    ],
)
def test_who_a_word_means_is_said_where_another_is_nearly_meant(who, other, said):
    found = placed([Part(who, HOST)], [LEFT, other], COLOURS, {})
    assert set(found.parts) == {1}
    assert [*found.notes] == [f"'{who}' is person 1; nearly so is 2: name them by number to be sure"] * said


def test_nobody_is_like_a_stranger():
    with pytest.raises(NoFaceError, match=r"nobody in the clip looks like photo\.jpg; the nearest is person"):
        gets((PHOTO, HOST), likeness={PHOTO: np.array([120, 120], np.float32)})


def test_a_number_that_is_not_there_says_who_is():
    with pytest.raises(UsageError, match="no person 4") as told:
        gets((4, HOST))
    assert "1, 2, 3" in told.value.hint


def test_nobody_gets_two_faces():
    with pytest.raises(UsageError, match="person 1 would get two faces"):
        gets((1, HOST), ("left", GUEST))


@pytest.mark.parametrize("other", [{"strength": 0.5}, {"engine": "mesh"}, {"shape": 0.2}])
def test_nobody_gets_one_face_in_two_ways(other):
    """The later one held in silence."""
    parts = [Part(1, HOST), Part("left", HOST, **other)]
    with pytest.raises(UsageError, match="person 1 would get a face in two ways"):
        placed(parts, [LEFT], COLOURS, {})
    assert placed([parts[0], Part("left", HOST)], [LEFT], COLOURS, {}).parts.keys() == {1}


def test_who_was_never_seen_well_gets_nothing():
    with pytest.raises(UsageError, match="never seen well enough"):
        gets((1, HOST), there=[somebody(1, look=None)])


def test_in_an_empty_clip_nobody_is_meant():
    for who in (1, "left"):
        with pytest.raises(NoFaceError):
            gets((who, HOST), there=[])


def test_people_of_another_clip_are_found_nearest_first_and_nobody_twice():
    here = [somebody(5, look=(215, 25)), somebody(6, look=(25, 20)), somebody(7, look=(120, 120))]
    found = matches([LEFT, RIGHT], here, COLOURS)
    assert [(match.known, match.number) for match in found] == [(1, 6), (2, 5)]
    assert found[0].distance == pytest.approx(5 / 50)
    assert matches([LEFT, somebody(2, look=(22, 20))], [here[1]], COLOURS)[0].known == 2  # the nearer of the two


def test_faces_of_a_picture_are_told_apart():
    embeddings = np.array([[218, 20], [np.nan, np.nan], [22, 20], [24, 20]], np.float32)
    people = {1: LEFT.views, 2: RIGHT.views}
    assert told_apart(embeddings, people, COLOURS).tolist() == [2, -1, 1, -1]


def test_roles_hold_faces_blurs_and_strengths():
    cast = PartList((Part(1, HOST, 0.5), Part(2, "blur")), GUEST)
    identities = {HOST: Identity(), GUEST: Identity()}
    found = placed(cast.parts, THERE, COLOURS, {})
    roles = roles_of(cast, found.parts, THERE, lambda one, part: assigned_to(identities[one], part, 1.0))
    assert roles.of(1) == Assigned(identities[HOST], 0.5, own_strength=True)
    assert roles.of(2) == "blur"
    assert roles.of(3) == roles.of(-1) == Assigned(identities[GUEST])
    assert set(roles.people) == {1, 2, 3}


def test_a_list_in_which_nobody_gets_a_face_is_refused():
    with pytest.raises(UsageError, match="nobody gets a face"):
        PartList(())
    with pytest.raises(ValueError, match="strength"):
        Part(1, HOST, 1.5)
    with pytest.raises(ValueError, match="shape"):
        Part(1, HOST, shape=2.0)
