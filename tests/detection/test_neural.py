"""Detectors and landmarks with planted answers: what each family's numbers mean, in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.cli.main import main
from understudy.detection.neural import NeuralDetector, NeuralDetectorOptions, fitted
from understudy.errors import ModelError, ModelFileError
from understudy.geometry.boxes import nms
from understudy.landmarks.neural import Attributes, PointFinder
from understudy.models.opening import Runtime
from understudy.testing import twins
from understudy.testing.shelf import stock
from understudy.testing.twins import planted_twin

PICTURE = np.full((480, 960, 3), 90, np.uint8)  # fits into 640 at two thirds
SCALE = 640 / 960
WANTED = np.array([[120, 90, 240, 240]], np.float32)
POINTS = np.array([[150, 130], [210, 130], [180, 160], [160, 200], [205, 200]], np.float32)


def yolo(*faces):
    rows = np.zeros((1, 20, 8400), np.float32)
    for place, (box, score) in enumerate(faces):
        low, high = (box[:2] - 0.5) * SCALE, (box[2:] - 0.5) * SCALE
        rows[0, :4, 100 + place] = [*(low + high) / 2, *(high - low)]
        rows[0, 4, 100 + place] = score
        keys = np.column_stack([(POINTS - 0.5) * SCALE, np.ones(5)])
        rows[0, 5:, 100 + place] = keys.ravel()
    return {"output": rows}


def yunet(box, kind, thing, stride=16):
    cells = {s: (640 // s) ** 2 for s in (8, 16, 32)}
    names = [(name, width) for name, width in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10))]
    answers = {f"{n}_{s}": np.zeros((1, cells[s], w), np.float32) for n, w in names for s in (8, 16, 32)}
    middle, size = ((box[:2] + box[2:]) / 2 - 0.5) * SCALE, (box[2:] - box[:2]) * SCALE
    column, row = (middle // stride).astype(int)
    place = row * (640 // stride) + column
    answers[f"cls_{stride}"][0, place], answers[f"obj_{stride}"][0, place] = kind, thing
    answers[f"bbox_{stride}"][0, place] = [*(middle / stride - [column, row]), *np.log(size / stride)]
    answers[f"kps_{stride}"][0, place] = ((POINTS - 0.5) * SCALE / stride - [column, row]).ravel()
    return answers


@pytest.fixture
def opened(tmp_path):
    """Opens a graph under the name of a model of the catalogue."""

    def make(name, data):
        store = stock(tmp_path / f"home-{len(list(tmp_path.iterdir()))}", {name: data})
        return Runtime().open(store, store.catalogue.entries[name])

    return make


def test_yolo_face_gives_centres_sizes_and_seen_points(opened):
    session = opened(
        "yoloface_8n", planted_twin((1, 3, 640, 640), yolo((WANTED[0], 0.8), (WANTED[0] + 3, 0.6)), "images")
    )
    found = NeuralDetector(session).detect(PICTURE)
    assert len(found) == 1  # the second is the same face
    assert np.abs(found.boxes_xyxy - WANTED).max() < 0.01
    assert np.abs(found.keypoints5[0] - POINTS).max() < 0.01
    assert found.scores == pytest.approx([0.8])
    assert len(NeuralDetector(session, NeuralDetectorOptions(min_score=0.9)).detect(PICTURE)) == 0


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_yunet_gives_offsets_logarithms_and_two_scores(opened, stride):
    session = opened("yunet", planted_twin((1, 3, 640, 640), yunet(WANTED[0], 0.9, 0.8, stride)))
    found = NeuralDetector(session).detect(PICTURE)
    assert np.abs(found.boxes_xyxy - WANTED).max() < 0.01
    assert np.abs(found.keypoints5[0] - POINTS).max() < 0.01
    assert found.scores == pytest.approx([0.72])


@pytest.mark.parametrize("name", ["scrfd_10g", "yunet", "yoloface_8n"])
def test_another_detectors_answers_are_refused(opened, name):
    ends = "input.1" if name == "scrfd_10g" else "input"
    wrong = planted_twin((1, 3, 640, 640), {"x": np.random.default_rng(0).random((1, 7, 9))}, ends)
    with pytest.raises(ModelError, match="of this kind gives"):
        NeuralDetector(opened(name, wrong)).detect(PICTURE)


@pytest.mark.parametrize(("height", "width"), [(480, 960), (960, 480), (640, 640), (3, 2000), (1, 1)])
def test_pictures_are_fitted_into_the_upper_left(height, width):
    square, scale, _ = fitted(np.full((height, width, 3), 200, np.uint8), 640)
    shown = np.argwhere(square[..., 0] > 0)
    assert shown.min() == 0
    assert shown.max() == 639
    assert square.shape == (640, 640, 3)
    assert scale[0] == scale[1] == pytest.approx(640 / max(height, width), rel=0.35 if min(height, width) < 5 else 1e-6)


@pytest.mark.slow
def test_outputs_of_another_detector_are_told(opened):
    """In another order, as another export has them; of no known number; and faces at no place are none."""
    seen = twins.scrfd_answers(WANTED[0], POINTS, 960)
    good = opened("scrfd_10g", planted_twin((1, 3, 640, 640), seen, "input.1"))
    assert len(NeuralDetector(good).detect(PICTURE)) == 1
    mixed = dict(sorted(seen.items(), key=lambda item: -len(item[1])))
    for wrong in (mixed, {name: values[:, :1] for name, values in seen.items()}, dict(list(seen.items())[:5])):
        session = opened("scrfd_10g", planted_twin((1, 3, 640, 640), wrong, "input.1"))
        with pytest.raises(ModelFileError, match=r"not a scrfd detector's|9 outputs"):
            NeuralDetector(session).detect(PICTURE)
    answer = yolo((WANTED[0], 0.8))
    nowhere = opened("yoloface_8n", planted_twin((1, 3, 640, 640), answer, "images"))
    assert len(NeuralDetector(nowhere).detect(PICTURE)) == 1
    answer["output"][0, 0, 100] = np.nan
    nowhere.run = lambda _: list(answer.values())
    assert len(NeuralDetector(nowhere).detect(PICTURE)) == 0


def test_the_best_of_overlapping_boxes_stays():
    boxes = np.array([[0, 0, 100, 100], [5, 5, 105, 105], [200, 0, 300, 100], [0, 60, 100, 160]], np.float32)
    assert nms(boxes, np.array([0.6, 0.9, 0.7, 0.5], np.float32), 0.4) == [1, 2, 3]
    assert nms(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), 0.4) == []


def test_68_points_lie_in_a_heat_map_of_64(opened):
    """2dfan4: a square in which the box's longer side has 195 of 256 pixels."""
    answers = np.zeros((1, 68, 3), np.float32)
    answers[0, :, 0], answers[0, :, 1] = 32, 16
    session = opened("2dfan4", planted_twin((1, 3, 256, 256), {"landmarks": answers}))
    box = np.array([300, 100, 400, 295], np.float32)
    points = PointFinder(session).find(PICTURE, box)
    # A longer side of 195 is kept as it is: 128, 64 of the crop lie 0 and 64 pixels from its middle.
    assert points.shape == (68, 2)
    assert np.abs(points - [350, 197.5 - 64]).max() < 1e-3


def test_points_turn_back_from_minus_one_to_one(opened):
    answers = np.zeros((1, 212), np.float32)
    answers[0, 0::2], answers[0, 1::2] = 0.5, -0.5
    session = opened("2d106det", planted_twin((1, 3, 192, 192), {"fc1": answers}, "data"))
    points = PointFinder(session).find(PICTURE, np.array([300, 100, 428, 200], np.float32))
    assert np.abs(points - [364 + 48, 150 - 48]).max() < 1e-3  # a square of 192, 1.5 times 128


@pytest.mark.parametrize(
    ("name", "side", "shape"),
    [("2d106det", 192, (1, 211)), ("2d106det", 192, (1, 0)), ("1k3d68", 192, (1, 3311)), ("2dfan4", 256, (1, 68, 1))],
)
def test_numbers_that_are_no_points_are_told(name, side, shape, opened):
    session = opened(name, planted_twin((1, 3, side, side), {"out": np.zeros(shape, np.float32)}, "data"))
    with pytest.raises(ModelFileError, match="not its points"):
        PointFinder(session).find(PICTURE, WANTED[0])


@pytest.mark.parametrize(("age", "years"), [(-3.0, 0), (1e9, 120)])
def test_nobody_is_guessed_older_than_people_get(age, years, opened):
    session = opened("genderage", planted_twin((1, 3, 96, 96), {"fc1": np.array([[0.2, 0.7, age]])}, "data"))
    assert Attributes(session).guess(PICTURE, WANTED[0]) == ("male", years)


def test_a_guess_of_age_and_gender_is_read_as_it_is_written(opened):
    session = opened("genderage", planted_twin((1, 3, 96, 96), {"fc1": np.array([[0.2, 0.7, 0.424]])}, "data"))
    assert Attributes(session).guess(PICTURE, WANTED[0]) == ("male", 42)


@pytest.mark.slow
def test_a_detector_of_the_catalogue_finds_the_face_that_is_swapped(put, perception, astronaut, hopper_path, tmp_path):
    """Planted where the face is; and nowhere, where no face is found then."""
    from understudy.app import Understudy
    from understudy.settings import Settings

    face = perception.still(astronaut)
    side, rows = max(astronaut.shape[:2]), np.zeros((1, 20, 8400), np.float32)
    scale = 640 / side
    low, high = np.split((face.boxes_xyxy[0] - 0.5) * scale, 2)
    rows[0, :5, 7] = [*(low + high) / 2, *(high - low), 0.9]
    rows[0, 5:, 7] = np.column_stack([(face.keypoints5[0] - 0.5) * scale, np.ones(5)]).ravel()
    found = []
    for answers in (rows, np.zeros_like(rows)):
        home, _, _ = put("yoloface_8n", planted_twin((1, 3, 640, 640), {"output": answers}, "images"))
        settings = Settings(detector="yoloface_8n", home=home)
        found.append(Understudy(settings).resources.models.perception(settings).still(astronaut))
    assert len(found[0]) == 1
    assert np.abs(found[0].mesh - face.mesh).mean() < 2
    assert len(found[1]) == 0


def test_an_unknown_detector_names_those_there_are(shelf, hopper_path, tmp_path, capsys):
    words = ["swap", "-s", str(hopper_path), "-t", str(hopper_path), "-o", str(tmp_path / "o.png")]
    assert main([*words, "--detector", "eyes", "--home", str(shelf), "--consent", "sample"]) == 2
    assert "embedded, scrfd_10g" in capsys.readouterr().err
