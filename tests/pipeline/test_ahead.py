"""Frames are kept back until it is known who is in them."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from tests.casting.people import OPTIONS, Colours, Film
from understudy.casting.recognising import Recogniser
from understudy.casting.roles import Roles
from understudy.face import Faces
from understudy.frames import Frame
from understudy.pipeline.ahead import Ahead
from understudy.pipeline.coming import Coming
from understudy.pipeline.perceiving import Seen


class Story:
    """Frames in which it is known, or not, who the tracks are: a stand-in for a clip's perceiving."""

    def __init__(self, *frames):
        self.frames = frames
        self.looked = 0

    def perceive(self, frame):
        """Track to person of this frame; -1 is not known yet."""
        people = self.frames[self.looked]
        self.looked += 1
        boxes = np.array([[track, 0, track + 1, 1] for track in people], np.float32).reshape(-1, 4)
        faces = Faces(boxes, track_ids=np.array(list(people), int), person_ids=np.array(list(people.values()), int))
        return Seen(faces, faces, False, False, False, (), frozenset(t for t, p in people.items() if p < 0))

    def named(self, seen, people):
        pairs = zip(seen.faces.track_ids.tolist(), seen.faces.person_ids.tolist(), strict=True)
        return SimpleNamespace(people={t: people.get(t, p) if t in seen.open else p for t, p in pairs})

    def told(self, rate=25, size=8, **options):
        frames = [
            Frame(np.zeros((size, size, 3), np.uint8), number, Fraction(1, rate)) for number in range(len(self.frames))
        ]
        for frame, seen in Ahead(self, self.perceive, **options)(iter(frames)):
            yield frame.pts, seen.people, self.looked


def test_a_face_is_named_from_its_first_frame_on():
    told = list(Story({1: -1}, {1: -1}, {1: 5}, {1: 5}).told())
    assert [(number, people) for number, people, _ in told] == [(n, {1: 5}) for n in range(4)]


def test_who_is_known_is_not_waited_for():
    assert [looked for _, _, looked in Story({1: 1}, {1: 1}, {1: 1, 2: 2}).told()] == [1, 2, 3]


def test_who_is_gone_before_they_were_known_is_not_waited_for():
    told = list(Story({1: -1}, {1: -1}, {}, {2: 3}).told())
    assert [people for _, people, _ in told] == [{1: -1}, {1: -1}, {}, {2: 3}]
    assert told[0][2] == 3


def test_no_longer_than_two_seconds_is_waited():
    told = list(Story(*[{1: -1}] * 70).told())
    assert [number for number, _, _ in told] == list(range(70))
    assert told[0][2] == 51


def test_large_frames_are_not_hoarded():
    assert next(iter(Story(*[{1: -1}] * 9).told(most_bytes=3 * 8 * 8 * 3)))[2] == 3


def coming(*people, cut=(), rate=25):
    """When whom will be seen who is not yet, frame by frame: of tracks by person, of whom 2 is blurred."""
    story = Story(*people)
    frames = [Frame(np.zeros((8, 8, 3), np.uint8), number, Fraction(1, rate)) for number in range(len(people))]
    looked = [(frame, story.perceive(frame)._replace(cut=frame.pts in cut)) for frame in frames]
    told = list(Coming(Roles({1: "leave", 2: "blur"}, "leave", {}))(iter(looked)))
    assert [frame.pts for frame, _ in told] == list(range(len(people)))
    return [[(round(seconds * rate), box[0]) for seconds, box in seen.coming] for _, seen in told]


def test_where_somebody_will_be_blurred_is_known_a_third_of_a_second_before():
    both = {1: 1, 7: 2}
    assert coming(*[{1: 1}] * 12, both, both) == [[]] * 3 + [[(n, 7)] for n in range(9, 0, -1)] + [[], []]


def test_who_is_left_as_they_are_or_comes_in_another_shot_is_not_waited_for():
    assert coming({1: 1}, {1: 1, 3: 1}) == [[], []]
    assert coming({1: 1}, {7: 2}, cut=[1]) == [[], []]


@pytest.fixture
def film():
    looks = {1: np.array([[20, 20]], np.float32), 2: np.array([[60, 20]], np.float32)}
    return Film(Recogniser(Colours(), OPTIONS, people=looks))


def test_who_was_introduced_keeps_their_number_and_others_get_new_ones(film):
    assert film.show((1, 150, (60, 22)), (2, 450, (220, 20)), frames=10) == [2, 3]
    assert film.show((3, 300, (22, 20)), frames=10) == [1]


def test_two_who_were_introduced_are_never_taken_for_one(film):
    """Though they are as near as two pictures of one person: 40 of 50."""
    film.show((1, 150, (22, 20)), (2, 450, (58, 20)), frames=10)
    assert film.show((1, 300, (42, 20)), frames=60) in ([1], [2])
    assert film.show((4, 150, (58, 20)), frames=10) == [2]
    assert film.recogniser.current(2) == 2


def test_roles_choose_whom_to_show_and_whom_to_blur():
    faces = Faces(np.zeros((4, 4), np.float32), track_ids=np.arange(4), person_ids=np.array([1, 2, 3, -1]))
    roles = Roles({1: "leave", 2: "blur"}, "leave", {})
    assert roles.chosen(faces).track_ids.tolist() == roles.blurred(faces).track_ids.tolist() == [1]
    assert Roles({1: "leave"}, "blur", {}).blurred(faces).track_ids.tolist() == [1, 2, 3]
    assert roles.assign(faces) == {}


def test_a_role_of_another_name_hides_faces_rather_than_show_them():
    faces = Faces(np.zeros((2, 4), np.float32), track_ids=np.arange(2), person_ids=np.array([1, 2]))
    roles = Roles({1: "leave", 2: "Blur"}, "leave", {})
    assert roles.blurred(faces).track_ids.tolist() == [1]
    assert roles.blurs
