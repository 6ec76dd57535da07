"""What the guard looks at in a frame, and what of people it takes for whose."""

from fractions import Fraction

import numpy as np
import pytest

from understudy.face import Faces
from understudy.frames import Frame
from understudy.guard import Guard, GuardOptions
from understudy.guard.changes import AllKnown, Changes, coarse
from understudy.guard.fitting import Fitting
from understudy.guard.settling import Settling
from understudy.guard.sight import WAYS, Sight
from understudy.guard.thumbnail import thumbnail
from understudy.guard.unexplained import Known, covering, unexplained

SHAPE = (144, 256)
#: A face in the middle, in cells.
FACE = np.array([[108, 40, 148, 92]], np.float32)
NOBODY = np.zeros((0, 4), np.float32)


def picture(seed=0):
    return np.random.default_rng(seed).integers(60, 200, (180, 320), np.uint8)


def cells(*boxes):
    drawn = np.zeros(SHAPE, bool)
    for x0, y0, x1, y1 in boxes:
        drawn[y0:y1, x0:x1] = True
    return drawn


def known(choice="all"):
    return AllKnown(cells((80, 10, 180, 144)), FACE, choice)


def test_what_did_not_change_is_not_looked_at_again_but_now_and_then():
    changes, grey = Changes(), picture()
    looks = [changes.worth_a_look("whole", coarse(grey), known()) for _ in range(9)]
    assert looks[0]
    assert not looks[1]
    assert 1 < sum(looks) < 5


def test_a_change_is_looked_at_where_nobody_is_known_and_only_there():
    changes, grey = Changes(), picture()
    changes.worth_a_look("whole", coarse(grey), known())
    theirs, elsewhere = grey.copy(), grey.copy()
    theirs[60:120, 120:200] = 0
    elsewhere[60:80, :8] = 0
    assert not changes.worth_a_look("whole", coarse(theirs), known())
    assert changes.worth_a_look("whole", coarse(elsewhere), known())


def test_a_change_beyond_what_a_look_sees_is_no_matter_to_it():
    changes, grey, corner = Changes(), picture(), (slice(27), slice(48))
    changes.worth_a_look("left", coarse(grey), known(), corner)
    right, left = grey.copy(), grey.copy()
    right[60:80, -8:] = 0
    left[60:80, :8] = 0
    assert not changes.worth_a_look("left", coarse(right), known(), corner)
    assert changes.worth_a_look("left", coarse(left), known(), corner)


def test_what_creeps_is_compared_with_what_was_looked_at_not_with_the_frame_before():
    changes, grey = Changes(), np.full((180, 320), 90, np.uint8)
    changes.worth_a_look("whole", coarse(grey), known())
    looks = [changes.worth_a_look("whole", coarse(grey + np.uint8(3 * step)), known()) for step in (1, 2, 3)]
    assert looks == [False, False, True]


def test_without_knowing_who_is_there_every_frame_is_looked_at():
    changes, grey = Changes(), picture()
    assert all(changes.worth_a_look("whole", coarse(grey), None) for _ in range(5))


@pytest.mark.parametrize(
    ("boxes", "choice", "holds"),
    [
        (FACE, "all", True),
        (FACE + 3, "all", True),
        (FACE + 12, "all", False),
        (np.concatenate([FACE, FACE]), "all", False),
        (FACE, "largest", False),
    ],
)
def test_whoever_moves_comes_or_is_chosen_ends_what_was_known(boxes, choice, holds):
    assert known().holds(boxes, choice) is holds


def seen_as(persons, *, low, boxes=FACE):
    """What is made of a part beside somebody's head (a box in cells) or lower."""
    found = unexplained(persons, Known(boxes, NOBODY))
    return [part for part in [*found.parts, *found.doubtful] if part.box[1] >= low]


def test_a_strip_of_a_shoulder_at_the_edge_is_its_own():
    face = np.array([[50, 40, 90, 92]], np.float32)
    person = cells((45, 20, 95, 110), (20, 100, 130, 144))
    assert not seen_as(person | cells((0, 98, 4, 106)), low=90, boxes=face)
    assert seen_as(person | cells((0, 40, 4, 60)), low=30, boxes=face)  # as high as a head it is somebody else


def test_an_arm_that_leaves_the_picture_is_of_whom_it_hangs_on_and_a_head_that_comes_in_there_is_not():
    person = cells((95, 20, 160, 144))
    for reaching, comes_in in ((cells((0, 80, 95, 118)), False), (cells((0, 40, 95, 118)), True)):
        found = unexplained(person | reaching, Known(FACE, NOBODY))
        assert any(part.alone for part in found.parts) is comes_in


def test_a_curtain_beside_somebodys_hair_is_nobody_and_a_head_that_comes_down_is():
    person = cells((95, 20, 160, 144))
    assert not seen_as(person | cells((166, 0, 176, 60)), low=0)
    assert seen_as(person | cells((180, 0, 220, 20)), low=0)


def test_a_head_that_comes_up_beside_somebody_is_not_their_shoulder():
    person, head = cells((100, 20, 156, 120), (80, 95, 176, 144)), cells((20, 100, 80, 144))
    assert seen_as(person | head, low=95)


def test_a_speck_is_not_covered_and_a_part_is_with_what_lies_between_its_ends():
    assert not covering(cells((50, 50, 52, 53)), NOBODY).any()
    covered = covering(cells((50, 50, 60, 52), (50, 52, 52, 70)), NOBODY)
    assert covered[53, 53]
    assert not covered[69, 59]


def sight(*, readable=True, through=True):
    nobody = np.zeros(SHAPE, bool)
    return Sight(readable, nobody, True, nobody if through else None, np.zeros((180, 320, 3), np.uint8))


def test_nothing_is_settled_before_it_was_looked_at_in_every_way_and_long_enough():
    settling = Settling()
    settled = []
    for number in range(12):
        settling.begin(sight(), number / 25, cut=False)
        settling.update(sight(), number / 25, 0.3, searched=True, swapped=False, everybody=False)
        settled.append(settling.settled)
    assert settled.index(True) == 8 > WAYS
    assert settling.begin(sight(), 0.5, cut=True)
    settling.update(sight(), 0.5, 0.3, searched=True, swapped=False, everybody=False)
    assert not settling.settled


def test_nothing_is_settled_before_every_part_was_searched():
    settling = Settling()
    for number in range(20):
        settling.begin(sight(), number / 25, cut=False)
        settling.update(sight(), number / 25, 0.3, searched=number >= 15, swapped=False, everybody=False)
        assert settling.settled == (number >= 15)


def test_where_everybody_is_to_be_swapped_one_who_is_settles_nothing_before_all_was_searched():
    settling = Settling()
    for number in range(6):
        settling.begin(sight(), number / 25, cut=False)
        settling.update(sight(), number / 25, 0.3, searched=number >= 4, swapped=True, everybody=True)
        assert settling.settled == (number >= 4)
    settling = Settling()  # but in the dark, where nothing can be searched
    settling.begin(sight(readable=False), 0.0, cut=False)
    settling.update(sight(readable=False), 0.0, 0.3, searched=False, swapped=True, everybody=True)
    assert settling.settled


def test_the_dark_unsettles_and_a_gap_does():
    settling = Settling()
    settling.begin(sight(), 0.0, cut=False)
    settling.update(sight(), 0.0, 0.3, searched=True, swapped=True, everybody=False)
    assert settling.settled
    assert not settling.begin(sight(readable=False), 0.04, cut=False)
    assert not settling.settled
    assert settling.begin(sight(), 5.0, cut=False)


class Finds:
    """A detector that finds one box, and counts its looks."""

    def __init__(self, box):
        self.box, self.looks = box, 0

    def detect(self, picture, *, thorough=False):
        self.looks += 1
        boxes = np.array([self.box], np.float32)
        return Faces(boxes, np.ones(1, np.float32))


class Drawn:
    """A swap of which only the mesh counts."""

    track_id = 7

    def __init__(self, low, high):
        x, y = np.meshgrid(np.linspace(low[0], high[0], 12), np.linspace(low[1], high[1], 12))
        self.mesh = np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], 1).astype(np.float32)


@pytest.mark.parametrize(
    ("mesh", "looks", "believed"),
    [
        (((120, 60), (180, 130)), 0, True),  # in the middle nothing says otherwise
        (((0, 60), (60, 130)), 1, False),  # at the edge only a look of its own would tell
    ],
)
def test_a_mesh_at_the_edge_is_looked_at_once_more_and_one_in_the_middle_is_not(mesh, looks, believed):
    detector = Finds((250, 20, 300, 70))
    fitting, small = Fitting(detector), thumbnail(np.zeros((180, 320, 3), np.uint8), 1.0)
    beside = fitting.misfitting([Drawn(*mesh)], None, NOBODY, small, 1.0, small.color)
    assert detector.looks == looks
    assert fitting.doubtful is bool(looks)
    assert (beside == frozenset()) is believed


def test_a_mesh_that_fits_nothing_for_several_frames_is_astray():
    fitting, small = Fitting(Finds((250, 20, 300, 70))), thumbnail(np.zeros((180, 320, 3), np.uint8), 1.0)
    for frames in range(1, 4):
        assert fitting.misfitting([Drawn((0, 60), (60, 130))], None, NOBODY, small, 1.0, small.color)
        assert bool(fitting.astray()) is (frames == 3)
    assert not fitting.misfitting([], None, NOBODY, small, 1.0, small.color)
    assert not fitting.astray()


class SeesOneFace:
    """A detector that sees a face there, where it looks closely; in the whole picture it sees one twice as large."""

    box = np.array([[140, 70, 180, 120]], np.float32)

    def detect(self, picture, *, thorough=False):
        height, width = picture.shape[:2]
        if width < 200:  # the middle of the picture, cut out
            return Faces(np.array([[30, 37.5, 70, 87.5]], np.float32), np.ones(1, np.float32))
        around = np.array([(width - 320) / 2, (height - 180) / 2] * 2, np.float32)
        return Faces(self.box + np.array([-30, -30, 30, 30], np.float32) + around, np.ones(1, np.float32))


def test_what_is_said_of_a_mesh_by_a_coarse_look_is_looked_at_closely():
    small = thumbnail(np.zeros((180, 320, 3), np.uint8), 1.0)
    coarse = SeesOneFace.box + np.array([-30, -30, 30, 30], np.float32)
    right, wrong = Drawn((140, 70), (180, 120)), Drawn((120, 55), (150, 92))
    assert not Fitting(SeesOneFace()).misfitting([right], None, coarse, small, 1.0, small.color)
    assert Fitting(SeesOneFace()).misfitting([wrong], None, coarse, small, 1.0, small.color)


class SeesNobody:
    """A detector."""

    def detect(self, picture, *, thorough=False):
        return Faces(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))

    def parts(self, picture):
        return 1

    def part(self, picture, number):
        return self.detect(picture)

    def glance(self, picture, turn):
        return self.detect(picture)


class SeesThroughUprightBars:
    """A segmentation that sees somebody in the middle, and at the right whoever stands behind bars taken off."""

    def __init__(self):
        self.looks = 0

    def segment(self, picture):
        seen = np.zeros(SHAPE, np.float32)
        if picture.shape[:2] != (180, 320):  # one of the corners
            return seen[: picture.shape[0], : picture.shape[1]]
        self.looks += 1
        seen[20:, 80:176] = 1
        if picture[60:160, 290:318].mean() > 200:
            seen[48:128, 232:] = 1
        return seen


def room_with(bars):
    picture = np.random.default_rng(0).integers(60, 160, (45, 80, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    if bars:
        picture[120:320, 580:640] = 225
        for column in range(580, 640, 16):
            picture[120:320, column : column + 6] = 30
    return picture


@pytest.mark.parametrize("rate", [4, *(pytest.param(rate, marks=pytest.mark.slow) for rate in (10, 15, 25))])
def test_whoever_was_seen_through_bars_stays_covered_at_any_rate(rate):
    guard = Guard(SeesNobody(), GuardOptions(), choice="all", segmenter=SeesThroughUprightBars())
    swapped = Drawn((250, 90), (390, 270))
    faces = Faces(np.array([[250, 90, 390, 270]], np.float32), np.ones(1, np.float32), track_ids=np.array([7]))
    covered = []
    for number in range(6 * rate):
        frame = Frame(room_with(number >= 2 * rate), pts=number, time_base=Fraction(1, rate))
        people = guard.cover(frame, faces, faces, [swapped], cut=number == 0)[0].people
        if number >= 2 * rate:
            covered.append(people is not None and people[60:120, 235:254].mean() > 0.5)
    assert all(covered[covered.index(True) :])


@pytest.mark.parametrize("at", [20, 21, 22, 23])
@pytest.mark.parametrize(("gap", "cut"), [(60, False), (0, True)])
def test_after_a_gap_or_a_cut_it_is_looked_at_once(gap, cut, at):
    segmenter = SeesThroughUprightBars()
    guard = Guard(SeesNobody(), GuardOptions(), choice="largest", segmenter=segmenter)
    swapped, shown = Drawn((250, 90), (390, 270)), room_with(bars=False)
    faces = Faces(np.array([[250, 90, 390, 270]], np.float32), np.ones(1, np.float32), track_ids=np.array([7]))

    def looks(number, cut=False):
        before = segmenter.looks
        late = gap if number >= at else 0
        frame = Frame(shown.copy(), pts=number + 25 * late, time_base=Fraction(1, 25))
        guard.cover(frame, faces, faces, [swapped], cut=cut)
        return segmenter.looks - before

    assert 0 in [looks(number) for number in range(at)]
    assert looks(at, cut=cut) + looks(at + 1) > 0
