"""Of two faces that meet the one in front is told by what is seen, and hides the other, whatever their sizes."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from understudy import Part, PartList, Settings, Understudy
from understudy.casting.assignment import Assigned
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.boxes import bounds_xyxy
from understudy.geometry.topology import keypoints5
from understudy.guard import unguarded
from understudy.masking import OcclusionOptions
from understudy.masking.crossings import Crossings
from understudy.pipeline.compositing import Compositing
from understudy.settings import BlendOptions
from understudy.swapping.base import Portrait
from understudy.swapping.mesh.engine import MeshEngine
from understudy.testing.scenes import Placed, Scene, spotted

BACK, FRONT = 1, 2


def crossing(across, *, nearer, stays=0, walks=2):
    backdrop = np.full((400, 640, 3), 120, np.uint8)
    layers = (Placed(stays, (320.0, 210.0), 150.0), Placed(walks, (across, 220.0), 150.0 * nearer))
    return Scene(backdrop, layers).draw()


def frame_of(shot, number=0):
    return Frame(shot.picture.copy(), number, Fraction(1, 30))


def meshes_of(shot, *tracks):
    return {track: face.mesh for track, face in zip(tracks or (BACK, FRONT), shot.faces, strict=True)}


def faces_of(shot):
    mesh = np.stack([face.mesh for face in shot.faces])
    return Faces(bounds_xyxy(mesh), mesh=mesh, keypoints5=keypoints5(mesh), track_ids=np.array([BACK, FRONT]))


@pytest.mark.parametrize("nearer", [1.0, 1.25, 0.8])
@pytest.mark.parametrize("people", [(0, 2), (2, 0), (0, 1)])
def test_in_front_is_who_looks_there_as_they_did_before(nearer, people):
    crossings = Crossings()
    for number, across in enumerate([60, *range(200, 440, 12)]):
        shot = crossing(across, nearer=nearer, stays=people[0], walks=people[1])
        before = crossings.before(frame_of(shot, 8 * number), meshes_of(shot))
        if number == 0:
            assert before == {}
        elif abs(across - 320) < 100:
            assert before == {BACK: [FRONT]}, across


def test_where_only_one_of_two_was_seen_alone_they_decide():
    for known in (BACK, FRONT):
        crossings = Crossings()
        alone = crossing(60, nearer=1.0)
        crossings.before(frame_of(alone), {known: meshes_of(alone)[known]})
        shot = crossing(270, nearer=1.0)
        assert crossings.before(frame_of(shot, 8), meshes_of(shot)) == {BACK: [FRONT]}


def test_of_two_who_were_never_seen_apart_the_larger_is_in_front():
    shot = crossing(270, nearer=1.25)
    assert Crossings().before(frame_of(shot), meshes_of(shot)) == {BACK: [FRONT]}
    shot = crossing(270, nearer=0.8)
    assert Crossings().before(frame_of(shot), meshes_of(shot)) == {FRONT: [BACK]}


def test_what_is_forgotten_decides_nothing():
    crossings, alone, shot = Crossings(), crossing(60, nearer=0.8), crossing(270, nearer=0.8)
    crossings.before(frame_of(alone), meshes_of(alone))
    crossings.forget([BACK])
    assert crossings.before(frame_of(shot, 8), meshes_of(shot)) == {BACK: [FRONT]}
    crossings.forget()
    assert crossings.before(frame_of(shot, 9), meshes_of(shot)) == {FRONT: [BACK]}


@pytest.mark.parametrize("seen", ["out of the picture", "no numbers"])
def test_faces_that_are_nowhere_are_before_nobody(seen):
    shot = crossing(270, nearer=1.0)
    meshes = meshes_of(shot)
    meshes[FRONT] = meshes[FRONT] + np.float32(5000 if seen == "out of the picture" else np.nan)
    assert Crossings().before(frame_of(shot), meshes) == {}


@pytest.fixture(scope="module")
def identity(perception):
    picture = spotted()
    return MeshEngine().identity([Portrait(picture, perception.still(picture)[:1])])


def composed(identity, *, swapped, nearer=0.8, occlusion=None):
    """The last frame of a crossing, before and after: one of the two, or both, are swapped."""
    compositing = Compositing(BlendOptions(occlusion=occlusion or OcclusionOptions()))
    renderer = MeshEngine().renderer()
    for number, across in enumerate([60, 200, 230, 260]):
        shot = crossing(across, nearer=nearer)
        frame, faces = frame_of(shot, 8 * number), faces_of(shot)
        chosen = faces[np.isin(faces.track_ids, swapped)]
        patches = renderer.render(frame, chosen, dict.fromkeys(swapped, identity))
        canvas = unguarded(frame)
        compositing.compose(canvas, patches, {track: Assigned(identity) for track in swapped}, (), faces)
    return shot, frame.picture


def changed_in_front(shot, after):
    """How much of the features of the face in front is not as it was."""
    visible = shot.faces[1].visible
    return float((cv2.absdiff(shot.picture, after).max(axis=2)[visible] > 12).mean())


@pytest.mark.slow
def test_a_swap_is_not_painted_over_somebody_in_front_who_is_not_swapped(identity):
    shot, after = composed(identity, swapped=[BACK])
    assert changed_in_front(shot, after) < 0.01
    behind = cv2.absdiff(shot.picture, after).max(axis=2)[shot.faces[0].visible] > 12
    assert behind.mean() > 0.2, "what is seen of the one behind is swapped"
    _, painted = composed(identity, swapped=[BACK], occlusion=OcclusionOptions(faces=False))
    assert changed_in_front(shot, painted) > 0.1


@pytest.mark.slow
def test_whoever_is_in_front_is_swapped_as_if_nobody_was_behind(identity):
    shot, alone = composed(identity, swapped=[FRONT])
    _, both = composed(identity, swapped=[BACK, FRONT])
    inner = cv2.erode(shot.faces[1].visible.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert changed_in_front(shot, both) > 0.2
    assert cv2.absdiff(alone, both).max(axis=2)[inner].mean() < 1


@pytest.mark.slow
def test_in_a_picture_a_blur_lies_over_a_swap_that_is_before_it(hopper_path, tmp_path):
    """Who is to be blurred might be seen through what is drawn of somebody who is only nearly before them."""
    backdrop = np.full((400, 640, 3), 120, np.uint8)
    shot = Scene(backdrop, (Placed(2, (385.0, 205.0), 150.0), Placed(0, (255.0, 215.0), 150.0))).draw()
    cv2.imwrite(str(tmp_path / "two.png"), shot.picture)
    with Understudy(Settings(home=tmp_path / "home")) as app:
        cast = PartList((Part("left", app.person(hopper_path, consent="sample")), Part("right", "blur")))
        app.swap(tmp_path / "two.png", tmp_path / "out.png", cast)
    after = cv2.imread(str(tmp_path / "out.png"))
    where = slice(150, 260), slice(300, 460)  # all of the face behind, and the cheek before it
    sharp = [cv2.Laplacian(cv2.cvtColor(one[where], cv2.COLOR_BGR2GRAY), cv2.CV_64F) for one in (shot.picture, after)]
    assert np.abs(sharp[1]).max() < 0.2 * np.abs(sharp[0]).max()
