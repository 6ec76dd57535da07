from fractions import Fraction

import cv2
import numpy as np
import pytest

from tests.counting import CountingFits
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.boxes import bounds_xyxy
from understudy.geometry.topology import keypoints5, topology
from understudy.geometry.transforms import RotatedSquare
from understudy.landmarks.base import MeshResult
from understudy.testing import REST, Motion, Puppet, portrait, talking
from understudy.tracking import FaceSelector, TrackerOptions
from understudy.tracking.cuts import CutDetector
from understudy.tracking.smoothing import OneEuroFilter, OneEuroOptions


def frame_at(picture, number, rate=30):
    return Frame(picture.copy(), pts=number, time_base=Fraction(1, rate))


class Counting:
    """A detector that counts how often it is asked."""

    def __init__(self, detector):
        self.detector, self.calls = detector, 0

    def detect(self, picture, *, thorough=False):
        self.calls += 1
        return self.detector.detect(picture, thorough=thorough)


@pytest.fixture(scope="module")
def puppet(astronaut):
    return Puppet(astronaut, (480, 360), face_share=0.5)


@pytest.mark.slow
def test_a_face_keeps_its_id_and_the_detector_rests(puppet, perception):
    from understudy.tracking import Tracker

    detector = Counting(perception.detector)
    tracker = Tracker(detector, perception.landmarker, TrackerOptions(max_faces=1))
    ids = set()
    for number in range(45):
        result = tracker.update(frame_at(puppet.render(talking(number / 30)).picture, number))
        assert len(result.faces) == 1
        assert not result.cut
        ids |= set(result.faces.track_ids.tolist())
    assert len(ids) == 1
    assert detector.calls == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "everybody", "least", "most"), [({}, True, 12, 12), ({}, False, 1, 8), ({"max_faces": 3}, True, 3, 3)]
)
def test_of_a_crowd_all_are_followed_where_nobody_may_be_overlooked(
    astronaut, perception, options, everybody, least, most
):
    """Twelve small faces, of which a quick search finds some."""
    head = cv2.resize(astronaut[:360, 60:420], (240, 240), interpolation=cv2.INTER_AREA)
    crowd = np.tile(head, (3, 4, 1))
    tracker = perception.tracker(TrackerOptions(**options), everybody=everybody)
    for number in range(3):
        found = tracker.update(frame_at(crowd, number)).faces
        assert least <= len(found) <= most


@pytest.mark.slow
def test_somebody_small_who_comes_while_another_is_followed_is_found(astronaut, perception, puppet):
    large = cv2.resize(puppet.render(REST).picture, (720, 720))
    small = cv2.resize(astronaut[:360, 60:420], (90, 90), interpolation=cv2.INTER_AREA)
    before = np.hstack([large, np.full((720, 560, 3), 90, np.uint8)])
    after = before.copy()
    after[300:390, 1000:1090] = small
    tracker = perception.tracker(TrackerOptions(), everybody=True)
    counts = [len(tracker.update(frame_at(before if n < 15 else after, n)).faces) for n in range(0, 120, 3)]
    assert counts[0] == 1
    assert counts[-1] == 2


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.2, 0.4])
@pytest.mark.parametrize(
    ("who", "by"), [("astronaut", (0, 0.3)), ("astronaut", (-0.4, 0)), ("hopper", (0.21, 0.21)), ("hopper", (0, -0.3))]
)
def test_a_face_that_jumps_is_where_it_is(perception, who, share, by):
    """As where a frame or more is missing: live, on a machine that is busy."""
    picture = Puppet(portrait(who), (640, 640), face_share=share).render(REST).picture
    tracker = perception.tracker(TrackerOptions(max_faces=1))
    before = tracker.update(frame_at(picture, 0)).faces.mesh[0]
    right, down = np.ptp(before[:, 1]) * np.array(by)
    shift = np.float32([[1, 0, right], [0, 1, down]])
    moved = cv2.warpAffine(picture, shift, (640, 640), borderMode=cv2.BORDER_REPLICATE)
    after = tracker.update(frame_at(moved, 5)).faces.mesh[0]
    away = np.linalg.norm((after - before)[:, :2] - [right, down], axis=1).mean()
    assert away < 0.02 * np.ptp(before[:, 1])


@pytest.mark.slow
def test_an_id_survives_a_short_loss_but_not_a_long_one(puppet, perception, blank):
    picture = puppet.render(REST).picture
    gray = np.full_like(picture, picture.mean(axis=(0, 1)).astype(np.uint8))  # no cut, but no face either
    tracker = perception.tracker(TrackerOptions(keep_seconds=1.0))
    tracker._cuts.is_cut = lambda _: False
    ids = []
    for number in range(100):
        hidden = 10 <= number < 25 or 40 <= number < 80
        faces = tracker.update(frame_at(gray if hidden else picture, number)).faces
        ids.append(int(faces.track_ids[0]) if len(faces) else None)
        assert (ids[-1] is None) == hidden
    assert ids[0] == ids[30]
    assert ids[90] not in (None, ids[30])


def test_a_cut_starts_afresh(puppet, perception, hopper):
    first = puppet.render(REST).picture
    second = Puppet(hopper, (480, 360), face_share=0.6).render(REST).picture
    tracker = perception.tracker(TrackerOptions())
    results = [tracker.update(frame_at(first if n < 5 else second, n)) for n in range(10)]
    assert [result.cut for result in results] == [False] * 5 + [True] + [False] * 4
    before, after = results[4].faces, results[5].faces
    assert len(after) == 1
    assert before.track_ids[0] != after.track_ids[0]


@pytest.mark.slow
def test_fast_motion_and_light_are_not_cuts(puppet):
    cuts = CutDetector()
    for number in range(40):
        picture = puppet.render(Motion(yaw=20 * np.sin(number / 3), shift=(0.4 * np.sin(number / 3), 0))).picture
        bright = np.clip(picture.astype(np.float32) * (1 + 0.15 * np.sin(number / 2)), 0, 255).astype(np.uint8)
        assert not cuts.is_cut(bright)


def test_smoothing_is_still_at_rest_and_quick_in_motion():
    rng = np.random.default_rng(1)
    noisy = OneEuroFilter()
    out = [
        noisy(np.float32([[100, 100]]) + rng.normal(0, 0.05, (1, 2)).astype(np.float32), n / 30, 100)
        for n in range(120)
    ]
    assert np.std(out[40:], axis=0).max() < 0.02
    moving = OneEuroFilter()
    for n in range(60):
        position = np.float32([[n * 6, 0]])
        value = moving(position, n / 30, 100)
    assert abs(float(value[0, 0] - position[0, 0])) < 6  # less than a frame behind


def test_parts_that_are_smoothed_otherwise_are_smoothed_as_if_alone():
    rng, options = np.random.default_rng(2), [OneEuroOptions(0.5, 20, 3), OneEuroOptions(0.5, 160, 12)]
    rows = np.array([1, 4])
    together, plain, quick = OneEuroFilter(options[0], [((rows,), options[1])]), *map(OneEuroFilter, options)
    for n in range(20):
        points = rng.normal(100 + n, 3, (6, 3)).astype(np.float32)
        found, moved = together(points, n / 30, 50), np.full((6, 3), 0.5, np.float32)
        expected = plain(points, n / 30, 50).copy()
        expected[rows] = quick(points[rows], n / 30, 50)
        assert np.abs(found - expected).max() < 1e-3
        for one, part in ((together, moved), (plain, moved), (quick, moved[rows])):
            one.carry(part)


def test_smoothing_starts_afresh_after_a_gap_or_a_step_back():
    smooth = OneEuroFilter()
    smooth(np.float32([0]), 0.0, 10)
    assert smooth(np.float32([50]), 5.0, 10) == 50
    assert smooth(np.float32([7]), 1.0, 10) == 7


def test_the_largest_face_is_kept_until_another_is_clearly_larger():
    def pair(first, second):
        boxes = np.float32([[0, 0, first, first], [200, 0, 200 + second, second]])
        return Faces(boxes_xyxy=boxes, track_ids=np.array([1, 2]))

    selector = FaceSelector("largest")
    assert selector.select(pair(50, 40), 0.0).track_ids.tolist() == [1]
    assert selector.select(pair(50, 55), 0.0).track_ids.tolist() == [1]
    assert selector.select(pair(50, 90), 0.0).track_ids.tolist() == [2]
    assert selector.select(pair(60, 55), 0.0).track_ids.tolist() == [2]


def test_left_right_and_all():
    boxes = np.float32([[300, 0, 340, 40], [0, 0, 20, 20], [150, 0, 160, 10]])
    faces = Faces(boxes_xyxy=boxes, track_ids=np.array([7, 8, 9]))
    assert FaceSelector("left").select(faces, 0.0).track_ids.tolist() == [8]
    assert FaceSelector("right").select(faces, 0.0).track_ids.tolist() == [7]
    assert len(FaceSelector("all").select(faces, 0.0)) == 3
    assert len(FaceSelector("largest").select(Faces.empty(), 0.0)) == 0
    with pytest.raises(ValueError, match="must be one of"):
        FaceSelector("middle")


@pytest.mark.slow
def test_two_people_keep_their_ids_side_by_side(perception, astronaut, hopper):
    left, right = (Puppet(p, (360, 360), face_share=0.45) for p in (hopper, astronaut))
    tracker, seen = perception.tracker(TrackerOptions()), []
    for number in range(12):
        t = number / 30
        picture = np.hstack([left.render(talking(t)).picture, right.render(talking(t + 1)).picture])
        faces = tracker.update(frame_at(picture, number)).faces
        assert len(faces) == 2
        where = dict(zip(faces.track_ids.tolist(), faces.boxes_xyxy[:, 0] > 300, strict=True))
        seen.append(where)
    assert all(where == seen[0] for where in seen)


def test_a_false_detection_does_not_hide_a_small_face(puppet, perception):
    """A detector that always likes a spot of wall, and finds the face only when it looks thoroughly."""
    from understudy.tracking import Tracker

    class Distracted:
        def detect(self, picture, *, thorough=False):
            wall = Faces(boxes_xyxy=np.float32([[5, 5, 25, 25]]), scores=[0.9], keypoints5=np.full((1, 5, 2), 15))
            return Faces.concatenate([wall, perception.detector.detect(picture)]) if thorough else wall

    tracker = Tracker(Distracted(), perception.landmarker, TrackerOptions())
    assert len(tracker.update(frame_at(puppet.render(REST).picture, 0)).faces) == 1


@pytest.mark.slow
def test_who_comes_is_followed_at_once_where_that_is_asked_and_what_is_none_is_not_tried_in_every_frame(
    two, perception
):
    """And a detector that likes a spot of wall."""
    from understudy.tracking import Tracker

    class Distracted:
        def detect(self, picture, *, thorough=False):
            wall = Faces(boxes_xyxy=np.float32([[5, 5, 25, 25]]), scores=[0.9], keypoints5=np.full((1, 5, 2), 15))
            return Faces.concatenate([wall, perception.detector.detect(picture, thorough=thorough)])

    alone = [picture.copy() for picture in two]
    for picture in alone:
        picture[:60, :60] = picture[20, 340]
    for picture in alone[:5]:
        picture[90:300, 410:580] = picture[20, 340]
    landmarker = CountingFits(perception.landmarker)
    tracker, usual = Tracker(Distracted(), landmarker, at_once=True), perception.tracker(TrackerOptions())
    fits = []
    for number, picture in enumerate(alone[:12]):
        before = landmarker.fits
        assert len(tracker.update(frame_at(picture, number)).faces) == 1 + (number >= 5)
        assert len(usual.update(frame_at(picture, number)).faces) == 1
        fits.append(landmarker.fits - before)
    # One for each face in each frame, and every third for the wall.
    assert sum(fits[6:]) <= 2 * 6 + 2
    assert fits[1:5].count(1) >= 2


@pytest.fixture(scope="module")
def two(astronaut):
    """Frames of two talking people beside each other, and their truth."""
    puppet = Puppet(astronaut, (320, 360), face_share=0.5)
    shots = [[puppet.render(talking(number / 30 + side)) for side in (0, 1)] for number in range(30)]
    return [np.hstack([shot.picture for shot in pair]) for pair in shots]


@pytest.mark.slow
def test_several_people_can_take_turns_at_the_model(two, perception):
    from understudy.tracking import Tracker

    landmarker = CountingFits(perception.landmarker)
    turns = Tracker(perception.detector, landmarker, TrackerOptions(max_fits=1, scan_seconds=100))
    every = perception.tracker(TrackerOptions(scan_seconds=100))
    apart = []
    for number, picture in enumerate(two):
        landmarker.fits = 0
        found = turns.update(frame_at(picture, number)).faces
        truth = every.update(frame_at(picture, number)).faces
        assert sorted(found.track_ids.tolist()) == sorted(truth.track_ids.tolist()) == [1, 2]
        assert landmarker.fits == 1 or number == 0
        order, other = np.argsort(found.track_ids), np.argsort(truth.track_ids)
        apart.append(np.linalg.norm((found.mesh[order] - truth.mesh[other])[:, :, :2], axis=2).mean())
    face = float(np.ptp(truth.mesh[0, :, 1]))
    assert np.mean(apart) < 0.01 * face


@pytest.mark.slow
def test_a_frame_that_comes_twice_moves_nobody_and_slow_motion_is_followed(astronaut, perception):
    """As where 24 frames a second became 30: a mesh that went on catching up would be seen to swim."""
    puppet = Puppet(astronaut, (480, 360), face_share=0.5)
    pictures = [puppet.render(talking(number / 30)).picture for number in (0, 3, 6, 6)]
    tracker = perception.tracker(TrackerOptions())
    meshes = [tracker.update(frame_at(picture, number)).faces.mesh[0] for number, picture in enumerate(pictures)]
    assert np.abs(meshes[2] - meshes[1]).max() > 1
    assert np.abs(meshes[3] - meshes[2]).max() == 0

    tracker, truth = perception.tracker(TrackerOptions()), []
    for number in range(60):  # so slow that hardly a pixel differs from frame to frame
        shot = puppet.render(Motion(shift=(0.002 * number, 0)))
        found = tracker.update(frame_at(shot.picture, number, rate=60)).faces.mesh[0]
        truth.append(np.abs((found - shot.mesh)[:, :2].mean(axis=0)).max())
    assert truth[-1] < truth[5] + 1


def feature_points():
    rings = (topology().eye_left, topology().eye_right, topology().lips_inner, topology().lips_outer)
    return sorted({point for ring in rings for point in ring.tolist()})


@pytest.mark.slow
@pytest.mark.parametrize(("rests", "most"), [(1, 0.75), (2, 0.62)])
def test_a_mesh_that_follows_the_picture_between_fits_is_as_good(astronaut, perception, rests, most):
    """A face that turns, talks and blinks."""
    from understudy.tracking import Tracker

    puppet = Puppet(astronaut, (640, 480), face_share=0.5)
    pictures = [puppet.render(talking(number / 30)).picture for number in range(90)]
    landmarker = CountingFits(perception.landmarker)
    hurried = Tracker(perception.detector, landmarker, TrackerOptions(max_fits=1, scan_seconds=100))
    hurried.rests = rests
    every = perception.tracker(TrackerOptions(scan_seconds=100))
    fits, apart = [], []
    for number, picture in enumerate(pictures):
        landmarker.fits = 0
        (found,) = hurried.update(frame_at(picture, number)).faces.mesh
        (truth,) = every.update(frame_at(picture, number)).faces.mesh
        fits.append(landmarker.fits)
        apart.append(np.linalg.norm((found - truth)[:, :2], axis=1) / np.ptp(truth[:, :2], axis=0).mean())
    assert 0 not in fits[:30]  # it may turn out to be no face
    assert sum(fits[31:]) < most * len(fits[31:])
    runs = "".join(map(str, fits[31:])).split("1")
    assert max(map(len, runs)) == rests  # so many in a row without, and no more
    assert np.mean(apart) < 0.003
    assert np.array(apart)[:, feature_points()].mean(axis=1).max() < 0.015
    hurried.rests = 0
    landmarker.fits = 0
    for number, picture in enumerate(pictures[:10], len(pictures)):
        hurried.update(frame_at(picture, number))
    assert landmarker.fits >= 10


@pytest.mark.parametrize(
    ("people", "rate", "rests", "pattern"),
    [
        (1, 30, 1, "01"),
        (1, 30, 2, "001"),
        (1, 20, 2, "001"),
        (1, 15, 2, "01"),
        (1, 10, 2, "01"),
        (1, 5, 2, "1"),
        (2, 30, 1, "01"),
        (3, 30, 2, "1"),  # more rest together, and would be overdue together
        (8, 30, 2, "2"),
    ],
)
def test_how_many_meshes_are_fitted_in_haste(people, rate, rests, pattern):
    from understudy.tracking import Tracker

    crowd = Crowd(people)
    tracker = Tracker(crowd, crowd, TrackerOptions(max_fits=1, scan_seconds=1e9))
    tracker.rests = rests
    picture = np.random.default_rng(0).integers(0, 255, (100, 60 * people + 40, 3)).astype(np.uint8)
    fits = ""
    for number in range(rate + 60):
        crowd.fits = 0
        assert len(tracker.update(frame_at(picture, number, rate)).faces) == people
        assert (tracker.rested == 0) == (crowd.fits > 0)
        fits += str(crowd.fits)
    fits = fits[rate + 6 :]
    assert pattern in fits[:6]
    settled = fits[fits.index(pattern) :]
    assert (pattern * 60).startswith(settled)


class Crowd:
    """Many faces that stand still: a detector and a landmarker."""

    def __init__(self, count):
        self.count, self.fits, self.now = count, 0, 0.0
        #: When each of them had a mesh fitted last.
        self.fitted = {}
        self.mesh = np.zeros((478, 3), np.float32)
        angles = np.linspace(0, 2 * np.pi, 478)
        self.mesh[:, :2] = np.column_stack([np.cos(angles), np.sin(angles)]) * 20

    def middles(self):
        return [np.array([40 + 60 * k, 50], np.float32) for k in range(self.count)]

    def detect(self, picture, *, thorough=False):
        boxes = np.array([[*(m - 20), *(m + 20)] for m in self.middles()], np.float32)
        points = np.stack([np.tile(m, (5, 1)) for m in self.middles()])
        return Faces(boxes, np.ones(self.count, np.float32), keypoints5=points)

    def first_roi(self, box, keypoints):
        return keypoints[0]

    def next_roi(self, mesh):
        return mesh[:, :2].mean(0)

    def fit(self, picture, roi):
        self.fits += 1
        self.fitted[round((float(roi[0]) - 40) / 60)] = self.now
        return self.mesh + np.array([*roi, 0], np.float32), 1.0


@pytest.mark.parametrize(
    ("people", "rate", "most"), [(2, 30, 1), (2, 15, 1), (4, 30, 1), (4, 15, 2), (8, 30, 2), (8, 15, 4), (2, 5, 2)]
)
def test_turns_are_spread_over_frames_and_come_in_time(people, rate, most):
    from understudy.tracking import Tracker

    crowd = Crowd(people)
    tracker = Tracker(crowd, crowd, TrackerOptions(max_fits=1, scan_seconds=1e9))
    picture = np.random.default_rng(0).integers(0, 255, (100, 60 * people + 40, 3)).astype(np.uint8)
    fits = []
    for number in range(40):
        crowd.fits, crowd.now = 0, number / rate
        assert len(tracker.update(frame_at(picture, number, rate)).faces) == people
        fits.append(crowd.fits)
        assert len(crowd.fitted) == people
        late = max(crowd.now - fitted for fitted in crowd.fitted.values())
        assert late <= 0.1 + 1 / rate + 1e-6
    assert max(fits[5:]) <= most
    assert sum(fits[5:]) >= 34


@pytest.mark.slow
def test_what_passes_before_a_carried_face_makes_the_model_look(two, perception):
    """Points that go different ways are no motion of a face."""
    from understudy.tracking import Tracker

    landmarker = CountingFits(perception.landmarker)
    tracker = Tracker(perception.detector, landmarker, TrackerOptions(max_fits=1, scan_seconds=100))
    texture = np.random.default_rng(0).integers(0, 255, (360, 24, 3)).astype(np.uint8)
    fits = []
    for number in range(30):
        picture = two[0].copy()
        if number > 8:
            for left in (0, 320):
                x = left + 70 + 6 * (number - 8)
                picture[:, x : x + 24] = texture
        landmarker.fits = 0
        tracker.update(frame_at(picture, number))
        fits.append(landmarker.fits)
    assert set(fits[1:8]) == {1}
    assert 2 in fits[9:]


def test_a_frame_shown_twice_at_one_time_does_not_carry_twice(puppet, perception):
    tracker = perception.tracker(TrackerOptions())
    errors = []
    for number, pts in enumerate((0, 1, 2, 2, 3, 4)):
        shot = puppet.render(Motion(shift=(0.02 * number, 0)))
        mesh = tracker.update(frame_at(shot.picture, pts)).faces.mesh[0]
        errors.append(float((mesh - shot.mesh)[:, 0].mean()))
    assert max(abs(error - errors[0]) for error in errors) < 1.5


@pytest.mark.slow
@pytest.mark.parametrize(("rests", "when"), [(0, 42), (1, 42), (1, 43), (2, 42), (2, 43), (2, 44)])
def test_eyes_shut_in_the_frame_in_which_they_shut(astronaut, perception, rests, when):
    """Of the way that the model sees the lids go, the smoothed mesh goes nearly all at once; a filter would trail.

    In haste, too, whether the model was to look at that frame or not.
    """
    puppet = Puppet(astronaut, (640, 480), face_share=0.6)
    everything_passes = OneEuroOptions(min_cutoff=1e6)

    def closing(options):
        tracker, apertures = perception.tracker(options), []
        tracker.rests = rests
        for number in range(46):
            shot = puppet.render(Motion(blink=1.0 if number >= when else 0.0))
            mesh = tracker.update(frame_at(shot.picture, number)).faces.mesh[0]
            apertures.append(np.linalg.norm(mesh[159, :2] - mesh[145, :2]))
        return apertures[when - 1] - apertures[when]

    seen = closing(TrackerOptions(max_fits=1, smoothing=everything_passes, features=everything_passes))
    assert seen > 3
    assert closing(TrackerOptions(max_fits=1)) > 0.9 * seen


class Doubtful:
    """A mesh model that takes a spot of wall for a face, but only in the detector's region."""

    def __init__(self, landmarker):
        self._landmarker, self.asked = landmarker, 0

    def __getattr__(self, name):
        return getattr(self._landmarker, name)

    def fit(self, picture, roi):
        self.asked += 1
        mesh = np.linspace(20, 44, 478, dtype=np.float32)[:, None].repeat(3, axis=1)
        return mesh, 0.9 if self.asked == 1 else 0.1


def test_what_is_a_face_at_the_first_look_only_is_not_followed(blank, perception):
    from understudy.tracking import Tracker

    class Sees:
        def detect(self, picture, *, thorough=False):
            return Faces(boxes_xyxy=np.float32([[5, 5, 65, 65]]), scores=[0.9], keypoints5=np.full((1, 5, 2), 30))

    doubtful = Doubtful(perception.landmarker)
    assert len(Tracker(Sees(), doubtful, TrackerOptions()).update(frame_at(blank, 0)).faces) == 0
    assert doubtful.asked > 1


def row_of(*people):
    """Faces beside each other: track, person and size of each."""
    boxes = [[300 * place, 0, 300 * place + size, size] for place, (_, _, size) in enumerate(people)]
    tracks, persons = ([one[column] for one in people] for column in (0, 1))
    return Faces(np.float32(boxes).reshape(-1, 4), track_ids=np.array(tracks, int), person_ids=np.array(persons, int))


class Choosing:
    """A selector, shown a frame a tenth of a second."""

    def __init__(self, **options):
        self.selector, self.seconds, self.known = FaceSelector("largest", **options), 0.0, {1, 2, 3, 7}

    def __call__(self, *people, cut=False):
        if cut:
            self.selector.reset()
        self.seconds += 0.1
        chosen = self.selector.select(row_of(*people), self.seconds, self.known)
        return [] if chosen.track_ids is None else chosen.track_ids.tolist()


def test_after_a_cut_the_same_person_is_chosen_whatever_their_size():
    choose = Choosing()
    assert choose((1, 1, 100)) == [1]
    for _ in range(5):
        assert choose((2, 2, 200), (3, 1, 60), cut=_ == 0) == [3]
    assert choose((4, 2, 200), (5, 3, 60), cut=True) == [4]  # not there: the largest
    assert choose((6, 2, 60), (7, 3, 200), cut=True) == [6]  # who stood in then
    assert choose((8, 2, 90), (9, 3, 90), (10, 1, 20), cut=True) == [10]


def test_who_is_back_is_chosen_again_in_the_middle_of_a_shot():
    choose = Choosing()
    choose((1, 1, 100), (2, 2, 90))
    assert choose((2, 2, 90)) == []  # only lost
    choose.seconds += 2
    assert choose((2, 2, 90)) == [2]
    assert choose((2, 2, 90), (3, -1, 80)) == [2]
    assert choose((2, 2, 90), (3, 1, 80)) == [3]


def test_who_becomes_much_larger_takes_over_for_good_and_who_was_so_before_does_not():
    choose = Choosing()
    choose((1, 1, 100), (2, 2, 50))
    assert choose((3, 1, 100), (4, 2, 200), cut=True) == [3]
    assert choose((3, 1, 100), (4, 2, 210)) == [3]
    assert choose((3, 1, 100), (4, 2, 210), (5, 3, 150)) == [5]
    assert choose((6, 1, 100), (7, 2, 90), (8, 3, 40), cut=True) == [8]
    assert choose((9, 1, 100), (10, 2, 110), cut=True) == [9]


def test_who_turns_out_to_be_somebody_known_keeps_their_place():
    choose = Choosing()
    choose((1, 2, 100), (2, 3, 90))
    choose.selector.rename(2, 1)
    assert choose((3, 1, 50), (4, 3, 90), cut=True) == [3]


def test_live_whoever_may_be_the_one_is_chosen_too_until_they_are_known():
    choose = Choosing(live=True)
    assert choose((1, -1, 100), (2, -1, 90)) == [1]
    assert choose((1, 1, 100), (2, -1, 90)) == [1]
    assert not choose.selector.stand_in
    assert choose((3, -1, 200), (4, -1, 60), (5, 7, 50), cut=True) == [3, 4]
    assert choose.selector.stand_in
    assert choose((3, 2, 200), (4, -1, 60), (5, 7, 50)) == [3, 4]
    assert choose((3, 2, 200), (4, 1, 60), (5, 7, 50)) == [4]
    assert not choose.selector.stand_in
    assert Choosing()((3, -1, 200), (4, -1, 60)) == [3]


def test_live_who_was_chosen_stays_so_while_somebody_larger_takes_over_and_afterwards():
    choose = Choosing(live=True)
    assert choose((1, -1, 100), (2, -1, 50)) == [1]
    assert choose((1, -1, 100), (2, -1, 160)) == [1, 2]
    assert choose((1, 1, 100), (2, -1, 160)) == [1, 2]
    assert choose((1, 1, 100), (2, 2, 40)) == [1, 2]  # who took over had it, too
    assert choose((3, 1, 100), (4, 2, 90), (5, 3, 90), cut=True) == [3, 4]
    choose.selector.rename(2, 7)
    assert choose((6, 1, 100), (7, 7, 90), (8, 3, 90), cut=True) == [6, 7]
    assert Choosing()((1, 1, 100), (2, 2, 50)) == [1]


def test_live_who_was_chosen_and_comes_back_beside_who_took_over_is_chosen_before_they_are_known():
    choose = Choosing(live=True)
    assert choose((1, 1, 100), (2, 2, 50)) == [1]
    assert choose((1, 1, 100), (2, 2, 160)) == [1, 2]
    assert choose((2, 2, 160)) == [2]  # one is away
    assert choose.selector.stand_in
    assert choose((2, 2, 160), (3, -1, 100), (4, 3, 50)) == [2, 3]
    assert choose((2, 2, 160), (3, 1, 100), (4, 3, 50)) == [2, 3]
    assert not choose.selector.stand_in
    assert choose((5, 2, 160), (6, -1, 100), (7, 3, 50), cut=True) == [5, 6]


def test_live_while_who_took_over_is_lost_who_had_it_before_stays_chosen():
    choose = Choosing(live=True)
    choose((1, 1, 100), (2, 2, 50))
    assert choose((1, -1, 100), (2, 2, 160)) == [1, 2]
    assert choose((1, -1, 100)) == [1]


def test_live_who_only_stood_in_is_left_when_the_one_is_back():
    choose = Choosing(live=True)
    choose((1, 1, 100), (2, 2, 50))
    choose.seconds += 1
    assert choose((2, 2, 50)) == [2]
    assert choose((2, 2, 50), (3, 1, 90)) == [3]
    assert choose((2, 2, 80), (3, 1, 80)) == [3]


def test_nobody_stands_in_for_one_who_would_not_be_recognised():
    choose = Choosing(live=True)
    choose.known = {2}
    choose((1, 1, 100))
    assert choose((2, 2, 90), (3, -1, 60), cut=True) == [2]
    assert not choose.selector.stand_in


def test_while_the_one_is_lost_nobody_takes_over_and_nobody_may():
    choose = Choosing(live=True)
    choose((1, 1, 100))
    assert choose((2, -1, 90)) == []
    choose.seconds += 1
    assert choose((2, -1, 90), (3, -1, 50)) == [2, 3]


class Squares:
    """A detector and a landmarker of a picture in which only their test knows who is where: (across, down, size)."""

    SHAPE = np.random.default_rng(2).uniform(-0.5, 0.5, (478, 3)).astype(np.float32)

    def __init__(self):
        self.there = []

    def detect(self, picture, *, thorough=False):
        if not self.there:
            return Faces.empty()
        mesh = np.stack([self.mesh(*one) for one in self.there])
        return Faces(bounds_xyxy(mesh), np.ones(len(mesh)), keypoints5=keypoints5(mesh))

    def mesh(self, across, down, size):
        return self.SHAPE * np.float32(size) + np.array([across, down, 0], np.float32)

    def first_roi(self, box, keypoints):
        return RotatedSquare(tuple(((box[:2] + box[2:]) / 2).tolist()), float((box[2:] - box[:2]).max()), 0.0)

    def next_roi(self, mesh):
        return self.first_roi(bounds_xyxy(mesh[None])[0], None)

    def fit(self, picture, roi):
        near = min(self.there, key=lambda one: np.hypot(*np.subtract(one[:2], roi.center)), default=None)
        if near is None or np.hypot(*np.subtract(near[:2], roi.center)) > near[2]:
            return MeshResult(self.mesh(*roi.center, roi.size), 0.0)
        return MeshResult(self.mesh(*near), 1.0)


def ids_of(*frames, seconds=1 / 30):
    """The tracks of each of some frames, by who is where."""
    from understudy.tracking import Tracker

    squares, told = Squares(), []
    tracker = Tracker(squares, squares, TrackerOptions(scan_seconds=0.0))
    for number, there in enumerate(frames):
        squares.there = list(there)
        frame = Frame(np.zeros((480, 640, 3), np.uint8), number, Fraction(seconds).limit_denominator(1000))
        found = tracker.update(frame).faces
        told.append([] if found.track_ids is None else sorted(found.track_ids.tolist()))
    return told


def test_who_was_lost_has_their_number_again_near_where_they_went_and_of_their_size():
    before = [(200, 200, 60)]
    assert ids_of(before, [], [(215, 205, 62)]) == [[1], [], [1]]
    assert ids_of(before, [], [(420, 205, 62)]) == [[1], [], [2]]
    assert ids_of(before, [], [(205, 205, 150)]) == [[1], [], [2]]
    assert ids_of(before, [], [(300, 205, 62)], seconds=0.6) == [[1], [], [2]], "it is more than a second since"
    assert ids_of(before, [], [(270, 205, 62)], seconds=0.3) == [[1], [], [1]], "they had time to go there"


def test_of_two_tracks_that_end_up_on_one_face_one_stays():
    assert ids_of([(200, 200, 60), (300, 200, 60)], [(250, 200, 60)], [(250, 200, 60)])[1:] == [[1], [1]]
