"""CenterFace: decoded as its authors do, at any size of picture, with one face, several, or none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from understudy.app import Understudy
from understudy.detection.neural import NeuralDetector, NeuralDetectorOptions, stretched
from understudy.errors import ModelFileError
from understudy.models.opening import Runtime
from understudy.settings import Settings
from understudy.testing import twins
from understudy.testing.shelf import stock

ENDS = ("537", "538", "539", "540")
SIZES = [(640, 480), (321, 243), (243, 321), (33, 31), (500, 77), (1280, 720), (2000, 30)]


@pytest.fixture
def opened(tmp_path):
    def make(data):
        store = stock(tmp_path / f"home-{len(list(tmp_path.iterdir()))}", {"centerface": data})
        return Runtime().open(store, store.catalogue.entries["centerface"])

    return make


def sides_of(width, height):
    """What the authors stretch a picture to, after it was made no longer than 640."""
    share = min(640 / max(width, height), 1)
    return [int(np.ceil(round(side * share) / 32) * 32) for side in (width, height)]


def planted(sides, seed, faces):
    """Maps with so many sure cells, each with its own size, offset and points; some overlap, some reach over edges."""
    random = np.random.default_rng(seed)
    columns, rows = (side // 4 for side in sides)
    maps = {
        "537": random.uniform(0, 0.4, (1, 1, rows, columns)),
        "538": random.normal(1.5, 0.6, (1, 2, rows, columns)),
        "539": random.uniform(-0.5, 0.5, (1, 2, rows, columns)),
        "540": random.uniform(0, 1, (1, 10, rows, columns)),
    }
    for place in random.permutation(rows * columns)[:faces]:
        maps["537"].reshape(-1)[place] = random.uniform(0.55, 0.99)
    return {name: values.astype(np.float32) for name, values in maps.items()}


def decoded(maps, width, height):
    """The authors' way, cell by cell: boxes, scores and points in pixels of the picture, best first."""
    sides = sides_of(width, height)
    found = []
    for row, column in np.argwhere(maps["537"][0, 0] > 0.5):
        high, wide = (np.exp(maps["538"][0, axis, row, column]) * 4 for axis in (0, 1))
        y = (row + maps["539"][0, 0, row, column] + 0.5) * 4 - high / 2
        x = (column + maps["539"][0, 1, row, column] + 0.5) * 4 - wide / 2
        points = [
            (maps["540"][0, 2 * point + 1, row, column] * wide + x, maps["540"][0, 2 * point, row, column] * high + y)
            for point in range(5)
        ]
        found.append((float(maps["537"][0, 0, row, column]), (x, y, x + wide, y + high), points))
    kept = []
    for one in sorted(found, key=lambda face: -face[0]):
        if all(shared(one[1], other[1]) < 0.3 for other in kept):
            kept.append(one)
    back = np.array([width / sides[0], height / sides[1]])
    return [(score, np.array(box) * np.tile(back, 2), np.array(points) * back) for score, box, points in kept]


def shared(one, other):
    """The part of their union that two boxes share; sides count as one pixel longer."""
    width = max(min(one[2], other[2]) - max(one[0], other[0]) + 1, 0)
    height = max(min(one[3], other[3]) - max(one[1], other[1]) + 1, 0)
    areas = [(box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (one, other)]
    return width * height / (sum(areas) - width * height)


def picture(width, height, *spots):
    """Grey, with red squares of 8 pixels around these places."""
    shown = np.full((height, width, 3), 90, np.uint8)
    for x, y in spots:
        shown[y - 4 : y + 4, x - 4 : x + 4] = (0, 0, 255)
    return shown


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("faces", [1, 12])
def test_it_is_decoded_as_its_authors_do(opened, size, faces):
    maps = planted(sides_of(*size), 3, faces)
    session = opened(twins.planted_twin((10, 3, 32, 32), maps, "input.1"))
    found, expected = NeuralDetector(session).detect(picture(*size)), decoded(maps, *size)
    assert len(found) == len(expected) >= 1
    assert found.scores == pytest.approx([score for score, _, _ in expected])
    for number, (_, box, points) in enumerate(expected):
        np.testing.assert_allclose(found.boxes_xyxy[number], box, atol=0.01)
        np.testing.assert_allclose(found.keypoints5[number], points, atol=0.01)


def test_boxes_that_share_less_are_two_faces(opened):
    """Its authors' limit is lower than that of the others; another can be asked for."""
    maps = planted((640, 480), 0, 0)
    for column in (60, 66):  # 24 pixels apart, 60 wide: they share 36 of 84
        maps["537"][0, 0, 60, column] = 0.9
        maps["538"][0, :, 60, column], maps["539"][0, :, 60, column] = np.log(15), 0
    session = opened(twins.planted_twin((10, 3, 32, 32), maps, "input.1"))
    assert len(NeuralDetector(session).detect(picture(640, 480))) == 1
    assert len(NeuralDetector(session, NeuralDetectorOptions(overlap=0.5)).detect(picture(640, 480))) == 2


def test_a_face_that_reaches_over_the_edge_keeps_its_points(opened):
    session = opened(twins.centerface_twin(width=48, height=64))
    (face,) = NeuralDetector(session).detect(picture(320, 256, (8, 8)))
    np.testing.assert_allclose(face.boxes_xyxy[0], [-18, -26, 30, 38], atol=3)
    expected = face.boxes_xyxy[0, :2] + twins.CENTERFACE_POINTS * [48, 64]
    np.testing.assert_allclose(face.keypoints5[0], expected, atol=0.01)


@pytest.mark.parametrize("size", [(320, 256), (321, 243), (200, 333), (639, 479), (960, 540)])
def test_faces_are_found_where_they_are_in_pictures_of_any_size(opened, size):
    """The twin looks for what is red: a wrong order of colours, a wrong scale and exchanged axes all show."""
    width, height = size
    share = min(640 / max(size), 1)
    places = [(60, 70), (width - 60, 70), (width // 2, height - 60)]
    detector = NeuralDetector(opened(twins.centerface_twin(width=24, height=36)))
    found = detector.detect(picture(*size, *places), thorough=True)
    assert len(found) == 3
    middles = (found.boxes_xyxy[:, :2] + found.boxes_xyxy[:, 2:]) / 2
    for place in places:
        assert np.abs(middles - place).max(axis=1).min() < 4 / share
    wide, high = (found.boxes_xyxy[0, 2:] - found.boxes_xyxy[0, :2]).tolist()
    across, down = sides_of(*size)
    assert wide == pytest.approx(24 * width / across, rel=1e-3)
    assert high == pytest.approx(36 * height / down, rel=1e-3)


def test_where_nobody_is_nobody_is_found(opened):
    detector = NeuralDetector(opened(twins.centerface_twin()))
    for shown in (picture(320, 240), picture(320, 240, (100, 100))[:, :, ::-1].copy(), picture(1, 1)):
        found = detector.detect(shown)
        assert len(found) == 0
        assert found.boxes_xyxy.shape == (0, 4)
        assert found.keypoints5.shape == (0, 5, 2)
    assert len(detector.glance(picture(320, 240, (100, 100)), 0)) == 0


@pytest.mark.parametrize(("size", "sides"), [((640, 480), (640, 480)), ((321, 243), (352, 256)), ((1, 1), (32, 32))])
def test_sides_become_multiples_of_32(size, sides):
    shown = stretched(picture(*size), 640)
    assert shown.picture.shape == (sides[1], sides[0], 3)
    assert shown.scale == pytest.approx(np.array(sides) / size)


def test_larger_pictures_become_smaller_first():
    assert stretched(np.zeros((1080, 1920, 3), np.uint8), 640).picture.shape == (384, 640, 3)


@pytest.mark.parametrize("wrong", ["names", "grid", "rows"])
def test_another_models_answers_are_told(opened, wrong):
    maps = planted((640, 480), 0, 1)
    if wrong == "names":
        maps = {f"{name}0": values for name, values in maps.items()}
    elif wrong == "grid":
        maps = {name: values[:, :, :-1] for name, values in maps.items()}
    else:
        maps["540"] = maps["540"][:, :8]
    session = opened(twins.planted_twin((10, 3, 32, 32), maps, "input.1"))
    with pytest.raises(ModelFileError, match="of this kind gives"):
        NeuralDetector(session).detect(picture(640, 480))


def test_sizes_beyond_all_reason_are_no_faces(opened):
    """No warning, no overflow, and the face beside them is found."""
    maps = planted((640, 480), 0, 0)
    maps["538"][:] = 1e6
    maps["537"][0, 0, 10, 10], maps["538"][0, :, 10, 10] = 0.9, 2
    maps["537"][0, 0, 80, 80], maps["539"][0, 0, 80, 80] = 0.95, np.nan
    answers = list(maps.values())
    session = opened(twins.centerface_twin())
    session.run = lambda _: answers
    assert len(NeuralDetector(session).detect(picture(640, 480))) == 1


def test_a_file_that_names_one_size_takes_any(opened):
    """As the real one does, which names ten pictures of 32 pixels."""
    session = opened(twins.centerface_twin())
    assert session.outputs == list(ENDS)
    assert not session.fixed
    for sides in ((640, 480), (96, 32)):
        values = np.zeros((1, 3, sides[1], sides[0]), np.float32)
        heat, size, *_ = session.run({"input.1": values})
        assert heat.shape == (1, 1, sides[1] // 4, sides[0] // 4)
        assert size.shape == (1, 2, sides[1] // 4, sides[0] // 4)


def test_the_face_that_it_finds_is_the_one_that_is_fitted(perception, astronaut, tmp_path):
    """Through the whole program: where red is, a face is looked for, and there is one."""
    face = perception.still(astronaut)
    left, top, right, bottom = face.boxes_xyxy[0]
    shown = cv2.multiply(astronaut, 0.5)  # nothing else is as red as that
    shown[:] = np.maximum(shown, shown[:, :, 2:] // 2)
    middle = [round(float(one)) for one in ((left + right) / 2, (top + bottom) / 2)]
    shown[middle[1] - 3 : middle[1] + 3, middle[0] - 3 : middle[0] + 3] = (0, 0, 255)
    data = twins.centerface_twin(width=float(right - left), height=float(bottom - top))
    home = tmp_path / "home"
    stock(home, {"centerface": data})
    settings = Settings(detector="centerface", home=home)
    found = Understudy(settings).resources.models.perception(settings).still(shown)
    assert len(found) == 1
    assert np.abs(found.mesh[0, :, :2] - face.mesh[0, :, :2]).mean() < 6
