"""Nothing raw is shown in the situations in which it once was; the whole bench is ``python -m benchmarks.guard``."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from benchmarks.guard import played

from understudy.guard import ON_LOST
from understudy.guard.fitting import fits
from understudy.guard.strangers import Lingering
from understudy.guard.unexplained import Known, covering, unexplained
from understudy.testing import REST
from understudy.testing.scenes import Placed, Scene, Thing, is_raw, unchanged
from understudy.testing.situations import SITUATIONS, room

#: Each was seen to show a raw face, with every way of covering: at an edge, behind bars, after darkness, in a crowd.
ONCE_RAW = (
    "enters from the right, 8 pixels a frame",
    "half a face at the right edge",
    "enters large",
    "leaves by half and stays",
    "slanting bars, 30%",
    "bars, 40% hidden, from the start",
    "fades in from black slowly",
    "a second enters from the left, 8 pixels a frame",
    "a second enters small",
    "a second comes up behind the first",
    "somebody passes in front",
    "a call's gallery of nine",
    "a call's gallery of twelve",
)
NO_ONE = np.zeros((0, 4), np.float32)


def named(name):
    return next(situation for situation in SITUATIONS if situation.name == name)


@cache
def held(name):
    """A situation as it is played with what is usual, once for all tests."""
    return played(named(name), "hold", None)


@pytest.mark.parametrize("on_lost", [way for way in ON_LOST if way not in ("pass", "hold")])
@pytest.mark.slow
def test_no_way_of_covering_lets_a_face_through_at_the_edge(on_lost):
    assert played(named("enters large"), on_lost, None).raw == 0


@pytest.mark.parametrize("name", ONCE_RAW)
@pytest.mark.slow
def test_no_raw_face_is_shown(name):
    assert held(name).raw == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["enters from the left, 2 pixels a frame", "somebody passes in front"])
def test_nor_where_meshes_are_not_fitted_in_every_frame(name):
    count, usually = played(named(name), "hold", None, rests=2), held(name)
    assert count.raw == 0
    assert count.covered <= 1.2 * usually.covered


@pytest.mark.slow
def test_half_a_face_that_is_there_at_once_is_not_shown_raw():
    assert played(replace(named("half a face at the right edge"), frames=12), "hold", None).raw == 0


@pytest.mark.slow
def test_the_bench_sees_what_it_looks_for():
    """With nothing covered, half a face at the edge is raw in most frames."""
    count = played(named("half a face at the right edge"), "pass", None)
    assert count.raw > 30
    assert count.covered == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "until_searched"), [("one talks", 0), ("two talk, all", 5)], ids=["one talks", "two talk, all"]
)
def test_nothing_is_covered_where_nothing_need_be(name, until_searched):
    assert held(name).covered == until_searched


def test_the_bench_is_large_and_every_name_is_told_apart():
    assert len({situation.name for situation in SITUATIONS}) == len(SITUATIONS) >= 40


def test_a_face_that_was_changed_is_not_raw_and_one_that_was_not_is():
    shot = Scene(room(), [Placed(0, (320, 175), 150)]).draw()
    (face,) = shot.faces
    assert face.seen > 0.99
    assert is_raw(shot.picture, shot.picture, face)
    dim = Scene(room(), [Placed(0, (320, 175), 150)], lambda picture: picture * np.float32(0.06)).draw()
    assert is_raw(dim.picture, dim.picture, dim.faces[0])
    changed = shot.picture.copy()
    changed[face.visible] = 127
    assert unchanged(shot.picture, changed, face) < 0.05


def test_a_scene_knows_what_hides_a_face():
    hidden = np.zeros((360, 640), np.float32)
    hidden[:, 320:] = 1
    shot = Scene(room(), [Placed(0, (320, 175), 150, REST), Thing((9, 9, 9), hidden)]).draw()
    assert 0.3 < shot.faces[0].seen < 0.7
    assert not shot.faces[0].visible[:, 322:].any()


# What a part of the people in a picture belongs to --------------------------------------------------------------------


def drawn(*boxes):
    cells = np.zeros((144, 256), bool)
    for left, top, right, bottom in boxes:
        cells[top:bottom, left:right] = True
    return cells


def face(left, top, right, bottom):
    return np.array([[left, top, right, bottom]], np.float32)


PERSON = ((110, 20, 150, 80), (80, 80, 180, 144))  # a head, and shoulders
FACE = face(115, 35, 145, 75)


def test_a_person_whose_face_is_known_is_explained_whole():
    found = unexplained(drawn(*PERSON), Known(FACE, NO_ONE))
    assert found.parts == []
    assert found.doubtful == []


def test_without_a_face_nobody_is_explained():
    (part,) = unexplained(drawn(*PERSON), Known(NO_ONE, NO_ONE)).parts
    assert part.cells.sum() > 7000


def test_somebody_at_the_edge_is_not_explained_by_another():
    (part,) = unexplained(drawn(*PERSON, (0, 40, 6, 90)), Known(FACE, NO_ONE)).parts
    assert part.box.tolist() == [0, 40, 6, 90]


def test_an_arm_at_the_side_is_its_owners():
    found = unexplained(drawn(*PERSON, (180, 110, 256, 126)), Known(FACE, NO_ONE))
    assert found.parts == []


def test_a_head_beside_a_head_is_in_doubt():
    found = unexplained(drawn(*PERSON, (150, 30, 176, 80)), Known(FACE, NO_ONE))
    assert len(found.doubtful) == 1


def test_who_came_alone_stays_a_stranger_when_they_touch():
    cells = drawn(*PERSON, (10, 60, 84, 144))
    before = drawn((10, 60, 40, 144))
    assert [part.alone for part in unexplained(cells, Known(FACE, NO_ONE), before).parts] == [False]


def test_a_lost_face_explains_a_body_but_no_head():
    (part,) = unexplained(drawn(*PERSON), Known(NO_ONE, FACE)).parts
    assert part.box[3] < 90


def test_what_is_covered_has_no_holes_and_spares_known_faces():
    behind_bars = drawn(*((left, 20, left + 3, 120) for left in range(20, 100, 3)), (20, 20, 100, 22))
    shown = covering(behind_bars, face(60, 40, 80, 60))
    assert shown[100, 20:100].all()
    assert not shown[50, 70]


def test_a_place_is_remembered_for_a_while_and_no_longer():
    memory, seen, nobody = Lingering(), drawn((10, 10, 20, 20)), drawn()
    assert memory.update(seen, nobody, 0.0, 0.3).sum() == 100
    assert memory.update(nobody, nobody, 0.2, 0.3).sum() == 100
    assert memory.update(nobody, seen, 0.25, 0.3).sum() == 0  # somebody who is known is there now
    assert memory.update(seen, nobody, 1.0, 0.3).sum() == 100
    assert memory.update(nobody, nobody, 1.4, 0.3).sum() == 0


# Whether a mesh lies on its face --------------------------------------------------------------------------------------


def mesh(left, top, right, bottom):
    rng = np.random.default_rng(0)
    points = rng.uniform((left, top, 0), (right, bottom, 1), (478, 3)).astype(np.float32)
    points[:2, :2] = (left, top), (right, bottom)
    return points


@pytest.mark.parametrize(
    ("where", "detections", "believed"),
    [
        ((200, 100, 300, 220), [], True),  # a detector overlooks turned heads
        ((200, 100, 300, 220), [(200, 105, 300, 215)], True),
        ((200, 100, 300, 220), [(260, 105, 360, 215)], False),
        ((200, 100, 300, 220), [(500, 105, 600, 215)], True),  # somebody else's
        ((0, 100, 90, 220), [], False),
        ((0, 100, 90, 220), [(0, 105, 90, 215)], True),
        ((0, 150, 40, 200), [(-40, 105, 60, 215)], False),  # a small face made of half a large one
        ((-60, 100, 40, 220), [(-60, 105, 40, 215)], False),  # less than half of it is seen
    ],
)
def test_a_mesh_is_believed_if_a_detector_agrees_or_has_no_say(where, detections, believed):
    boxes = np.array(detections, np.float32).reshape(-1, 4)
    assert fits(mesh(*where), boxes, (640, 360), 0.5) is believed
