"""People who pass before each other: each keeps their mesh, and nobody's slides onto another's face."""

from fractions import Fraction

import numpy as np
import pytest

from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.boxes import bounds_xyxy
from understudy.geometry.topology import keypoints5
from understudy.testing import Motion
from understudy.testing.scenes import Placed, Scene
from understudy.tracking import TrackerOptions
from understudy.tracking.crowd import Crowd, close_together

FRAMES = 60


def crossing(number, *, nearer):
    """Somebody walks past in front of somebody who stays: from the left to the right in two seconds."""
    across = 40 + 560 * number / (FRAMES - 1)
    stays = Placed(0, (320.0, 210.0), 150.0, Motion(yaw=4 * np.sin(number / 6)))
    walks = Placed(2, (across, 220.0), 150.0 * nearer)
    return Scene(np.full((400, 640, 3), 120, np.uint8), (stays, walks)).draw()


def followed(perception, nearer):
    """Of each frame: how far each mesh lies from the face that it is nearest to, over its size, and whose that is."""
    tracker = perception.tracker(TrackerOptions(), everybody=True)
    for number in range(FRAMES):
        shot = crossing(number, nearer=nearer)
        faces = tracker.update(Frame(shot.picture, number, Fraction(1, 30))).faces
        found = {}
        for track, mesh in zip(faces.track_ids.tolist(), faces.mesh, strict=True):
            apart = [
                np.linalg.norm((mesh - face.mesh)[:, :2], axis=1).mean() / np.ptp(face.mesh[:, 1])
                for face in shot.faces
            ]
            found[track] = (shot.faces[int(np.argmin(apart))].actor, float(min(apart)))
        yield number, shot, found


@pytest.mark.slow
@pytest.mark.parametrize("nearer", [1.0, 1.25, 0.8])
def test_whoever_passes_in_front_is_followed_throughout_and_who_is_hidden_drags_no_mesh(perception, nearer):
    in_front, astray, behind, again = set(), [], 0, False
    for number, shot, found in followed(perception, nearer):
        whose = [actor for actor, _ in found.values()]
        assert len(whose) == len(set(whose)), f"two meshes on one face in frame {number}"
        back, front = shot.faces
        if 8 <= number < FRAMES - 8:  # all of the walker is in the picture
            in_front |= {track for track, (actor, _) in found.items() if actor == front.actor}
            assert front.actor in whose
            behind += back.seen < 0.3 and back.actor in whose
        again |= number > FRAMES / 2 and back.seen < 0.85 and back.actor in whose
        astray += [away for _, away in found.values()]
    assert len(in_front) == 1
    assert max(astray) < 0.1
    assert behind <= 3
    assert again or nearer >= 1, "somebody of whom a smaller one hides less is found again at once"


def meshes(*places):
    """Meshes that are nothing but a square of 100 pixels with its upper left corner there."""
    square = np.random.default_rng(3).uniform(0, 100, (478, 3)).astype(np.float32)
    return [square + np.array([x, y, 0], np.float32) for x, y in places]


def found_at(*shapes):
    stacked = np.stack(shapes)
    return Faces(bounds_xyxy(stacked), np.ones(len(shapes)), keypoints5=keypoints5(stacked))


def test_close_are_those_whose_boxes_nearly_meet():
    boxes = bounds_xyxy(np.stack(meshes((0, 0), (120, 0), (0, 300))))
    assert close_together(boxes).tolist() == [True, True, False]


def test_a_detection_is_whose_it_is_nearest_to_and_only_theirs():
    left, right = meshes((0, 0), (40, 0))
    (seen,) = meshes((25, 0))
    crowd = Crowd([left, right], [0.0, 0.0], found_at(seen))
    assert crowd.detection(0) is None
    np.testing.assert_allclose(crowd.detection(1).box, bounds_xyxy(seen[None])[0])
    assert Crowd([left, right], [0.0, 0.0], Faces.empty()).detection(1) is None


def test_of_two_at_one_face_it_is_theirs_whose_mesh_did_not_slide_there():
    left, right = meshes((0, 0), (40, 0))
    (seen,) = meshes((25, 0))
    crowd = Crowd([left, right], [0.0, 0.3], found_at(seen))
    assert crowd.detection(0) is not None
    assert crowd.detection(1) is None


def test_hidden_is_who_is_not_seen_and_would_lie_on_another():
    left, right = meshes((0, 0), (40, 0))
    crowd = Crowd([left, right], [0.0, 0.0], found_at(left))
    assert crowd.is_hidden(1, right)
    assert not crowd.is_hidden(1, meshes((80, 0))[0])
    assert not crowd.is_hidden(0, right)
