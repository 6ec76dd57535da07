"""Live, people are known from a cast, a photo, or where they are seen first; and keep what they get."""

from pathlib import Path

import numpy as np
import pytest

from tests.casting.people import Colours
from understudy.casting.cast import Like, Part, PartList, assigned_to
from understudy.casting.clip_person import ClipPerson
from understudy.casting.live_roles import live_roles
from understudy.casting.person import Person
from understudy.errors import UsageError
from understudy.face import Faces
from understudy.swapping import Identity

HOST, GUEST = Person((Path("host.jpg"),)), Person((Path("guest.jpg"),))
IDENTITIES = {HOST: Identity(), GUEST: Identity()}
LOOKS = np.array([[20, 20]], np.float32)


def roles(*parts, others="blur", people=(), likeness=None):
    cast = PartList(tuple(Part(*part) for part in parts), others, tuple(people))
    return live_roles(cast, Colours(), likeness or {}, lambda one, part: assigned_to(IDENTITIES[one], part, 1.0))


def seen(*people):
    """Faces by person: left to right, each further down and larger than the one before."""
    boxes = np.array([[100 * n, 10 * n, 100 * n + 40 + n, 10 * n + 50] for n in range(len(people))], np.float32)
    return Faces(boxes.reshape(-1, 4), track_ids=np.arange(len(people)), person_ids=np.array(people, int))


def who_gets(found, faces, person):
    return [t for t, one in found.assign(faces).items() if one.identity is IDENTITIES[person]]


def test_a_place_is_somebodys_once_all_are_there_and_stays_theirs():
    found = roles(("left", HOST), ("right", GUEST))
    assert len(found.chosen(seen(7))) == 1
    assert found.assign(seen(7)) == {}  # alone, nobody is left of anybody
    assert len(found.chosen(seen(7, 9))) == 2
    assert (who_gets(found, seen(7, 9), HOST), who_gets(found, seen(7, 9), GUEST)) == ([0], [1])
    found.chosen(seen(9, 7))
    assert (who_gets(found, seen(9, 7), HOST), who_gets(found, seen(9, 7), GUEST)) == ([1], [0])


def test_who_is_not_known_yet_is_blurred_whatever_others_get():
    for others in ("blur", "leave", GUEST):
        found = roles(("left", HOST), others=others)
        assert found.blurred(seen(-1)).track_ids.tolist() == [0]
        assert not found.assign(seen(-1))


def test_newcomers_get_what_others_get():
    assert roles(("left", HOST), others="leave").of(5) == "leave"
    assert roles(("left", HOST)).of(5) == "blur"
    assert roles(("left", HOST), others=GUEST).of(5).identity is IDENTITIES[GUEST]


def test_people_of_a_cast_and_of_photos_are_known_from_the_start():
    like = Like(Path("photo.jpg"))
    person = ClipPerson(4, "ab" * 32, 0.5, 0.0, 1.0, (0.5, 0.5), 0.3, LOOKS, "colours")
    found = roles((4, HOST), (like, GUEST), people=[person], likeness={like: np.array([220, 20], np.float32)})
    assert found.people[4].tolist() == [[20, 20]]
    assert found.people[5].tolist() == [[220, 20]]
    assert who_gets(found, seen(5, 4), GUEST) == [0]


def test_whether_anybody_else_may_have_to_be_covered():
    person = ClipPerson(4, "ab" * 32, 0.5, 0.0, 1.0, (0.5, 0.5), 0.3, LOOKS, "colours")
    found = roles((4, HOST), others="leave", people=[person])
    assert found.may_come(seen(5))  # they may come back
    assert found.may_come(seen(4, -1))
    assert not found.may_come(seen(4, 5))
    assert roles((4, HOST), people=[person]).may_come(seen(4, 5))


def test_who_turns_out_to_be_another_keeps_the_place():
    found = roles(("left", HOST), others="leave")
    found.chosen(seen(9))
    found.rename(9, 3)
    assert who_gets(found, seen(3), HOST) == [0]
    assert found.of(9) == "leave"


@pytest.mark.parametrize("parts", [[(1, HOST)], [("all", HOST)], [("left", HOST), ("left", GUEST)]])
def test_who_cannot_be_known_live_is_refused(parts):
    with pytest.raises(UsageError):
        roles(*parts)


@pytest.mark.parametrize(("second", "said"), [((GUEST,), "two faces"), ((HOST, 0.5), "a face in two ways")])
def test_two_things_for_whoever_looks_like_one_photo_are_refused(second, said):
    photo = Path("them.jpg")
    likeness = {Like(photo, most): LOOKS[0] for most in (1.0, 0.9)}
    with pytest.raises(UsageError, match=f"who looks like them.jpg would get {said}"):
        roles((Like(photo, 1.0), HOST), (Like(photo, 0.9), *second), likeness=likeness)
