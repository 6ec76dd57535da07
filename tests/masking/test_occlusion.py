"""What hangs in front of the target's face stays there."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest

from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry import topology as topo
from understudy.geometry.boxes import bounds_xyxy
from understudy.glasses import glasses_seen, rims
from understudy.guard import unguarded
from understudy.masking.occlusion import Occlusion, OcclusionOptions
from understudy.pipeline.compositing import Compositing
from understudy.settings import BlendOptions
from understudy.swapping.base import Portrait
from understudy.swapping.mesh.engine import MeshEngine
from understudy.swapping.mesh.texture import build_texture
from understudy.testing import Motion, Puppet


@pytest.fixture(scope="module")
def identity(hopper, perception):
    return MeshEngine().identity([Portrait(hopper, perception.still(hopper)[:1])])


@pytest.fixture(scope="module")
def puppet(astronaut):
    return Puppet(astronaut, (640, 480), face_share=0.7)


def swapped(identity, pictures, mesh, **options):
    """The swap of every picture, all of the same face."""
    renderer, compositing = MeshEngine().renderer(), Compositing(BlendOptions(**options))
    faces = Faces(bounds_xyxy(mesh[None]), np.ones(1, np.float32), mesh=mesh[None], track_ids=np.array([1]))
    results = []
    for number, picture in enumerate(pictures):
        frame = Frame(picture.copy(), pts=number, time_base=Fraction(1, 30))
        patches = renderer.render(frame, faces, {1: identity})
        compositing.compose(unguarded(frame), patches)
        results.append(frame.picture)
    return results, patches[0]


def with_thing(picture, mesh, color, *, at="mouth"):
    """A ball on a stick before the face, and where it is."""
    face = float(np.ptp(mesh[:, 1]))
    spot = {
        "mouth": mesh[topo.LIP_UPPER_INNER, :2] + [0.05 * face, 0.15 * face],
        "cheek": mesh[280, :2] + [0.03 * face, 0],
    }
    center = tuple(spot[at].astype(int).tolist())
    end = tuple((spot[at] + [0.5 * face, 0.9 * face]).astype(int).tolist())
    where = np.zeros(picture.shape[:2], np.uint8)
    cv2.line(where, center, end, 255, max(2, int(0.12 * face)))
    cv2.circle(where, center, int(0.15 * face), 255, -1)
    shown = picture.copy()
    shown[where > 0] = color
    cv2.circle(shown, (center[0] - int(0.05 * face), center[1]), int(0.04 * face), (200, 200, 200), -1)
    return shown, where > 0


def with_glasses(picture, mesh, color=(40, 40, 45), width=0.012):
    """Round glasses, and where their rims run."""
    face = float(np.ptp(mesh[:, 1]))
    rims = np.zeros(picture.shape[:2], np.uint8)
    thick = max(2, round(width * face))
    eyes = [mesh[ring, :2].mean(0) for ring in (topo.topology().eye_left, topo.topology().eye_right)]
    radius = int(0.4 * np.linalg.norm(eyes[1] - eyes[0]))
    for eye in eyes:
        cv2.circle(rims, tuple((eye + np.array([0, 0.02 * face])).astype(int).tolist()), radius, 255, thick)
    inner = [
        tuple((eye + np.array([side * radius, 0])).astype(int).tolist())
        for eye, side in zip(eyes, (1, -1), strict=True)
    ]
    cv2.line(rims, *inner, 255, thick)
    shown = picture.copy()
    shown[rims > 0] = color
    return shown, rims > 0


def kept(result, picture, where):
    """The share of ``where`` that is (nearly) as it was."""
    return float((np.abs(result.astype(int) - picture)[where].max(axis=1) < 25).mean())


@pytest.mark.parametrize("at", ["mouth", "cheek"])
@pytest.mark.parametrize("color", [(25, 25, 28), (200, 60, 20), (40, 160, 30)], ids=["black", "blue", "green"])
def test_a_thing_before_the_face_stays_before_it(identity, puppet, color, at):
    shot = puppet.render(Motion())
    picture, where = with_thing(shot.picture, shot.mesh, color, at=at)
    (result,), patch = swapped(identity, [picture], shot.mesh)
    assert kept(result, picture, where) > 0.92
    box = patch.box
    place = (slice(box.y0, box.y1), slice(box.x0, box.x1))
    beside = (patch.alpha > 250) & ~cv2.dilate(where[place].astype(np.uint8), np.ones((15, 15))).astype(bool)
    (plain,), _ = swapped(identity, [shot.picture], shot.mesh)
    # The rest of the face is swapped as it is without the thing.
    difference = np.abs(result[place].astype(int) - plain[place])[beside].max(axis=1)
    assert (difference > 40).mean() < 0.06
    (painted,), _ = swapped(identity, [picture], shot.mesh, occlusion=OcclusionOptions(things=False))
    assert kept(painted, picture, where) < 0.8


@pytest.mark.parametrize("person", ["astronaut", "puppet turned", "puppet laughing"])
def test_a_bare_face_hides_nothing_of_the_swap(identity, puppet, person, astronaut, perception):
    motion = {"puppet turned": Motion(yaw=25), "puppet laughing": Motion(mouth=0.9)}.get(person)
    if motion is None:
        picture, mesh = astronaut, perception.still(astronaut).mesh[0]
    else:
        shot = puppet.render(motion)
        picture, mesh = shot.picture, shot.mesh
    off = OcclusionOptions(things=False, glasses=False)
    (result,), patch = swapped(identity, [picture], mesh)
    (plain,), _ = swapped(identity, [picture], mesh, occlusion=off)
    place = (slice(patch.box.y0, patch.box.y1), slice(patch.box.x0, patch.box.x1))
    inside = cv2.erode((patch.alpha > 128).astype(np.uint8), np.ones((9, 9))) > 0
    changed = np.abs(result[place].astype(int) - plain[place]).max(axis=2) > 20
    assert changed[inside].mean() < 0.01


@pytest.mark.parametrize("width", [0.008, 0.02])
@pytest.mark.parametrize("eyes_lower", [0.0, 0.1, -0.1])
def test_the_rims_of_glasses_stay(identity, puppet, width, eyes_lower):
    """Glasses sit on the target's own face, whatever shape is drawn."""
    tall = identity.shape[152, 1] - identity.shape[10, 1]
    away = (identity.shape[:, 1] - identity.shape[[33, 263], 1].mean()) / tall
    lower = np.zeros_like(identity.shape)
    lower[:, 1] = eyes_lower * tall * np.exp(-((away / 0.2) ** 2))
    identity = replace(identity, shape=identity.shape + lower)
    shot = puppet.render(Motion())
    picture, drawn = with_glasses(shot.picture, shot.mesh, width=width)
    results, _ = swapped(identity, [picture] * 4, shot.mesh)
    below = np.zeros_like(drawn)
    below[int(shot.mesh[topo.EYE_LEFT_OUTER, 1]) :] = True
    off = OcclusionOptions(glasses=False)
    painted, _ = swapped(identity, [picture] * 4, shot.mesh, occlusion=off)
    shown, hidden = (kept(r[-1], picture, drawn & below) for r in (results, painted))
    assert shown > 0.85
    assert 1 - shown < 0.3 * (1 - hidden)


def with_wrinkles(picture, mesh):
    """Folds under both eyes, and where they are."""
    eyes = [mesh[ring, :2].mean(0) for ring in (topo.topology().eye_left, topo.topology().eye_right)]
    radius = 0.4 * np.linalg.norm(eyes[1] - eyes[0])
    folds = np.zeros(picture.shape[:2], np.uint8)
    for eye in eyes:
        for share in (0.5, 0.66):
            axes = (int(share * radius), int(share * radius))
            cv2.ellipse(folds, tuple(eye.astype(int).tolist()), axes, 0, 30, 150, 255, max(2, int(0.06 * radius)))
    shown = picture.copy()
    shown[folds > 0] = (shown[folds > 0] * 0.55).astype(np.uint8)
    return shown, folds > 0


@pytest.mark.parametrize(("width", "grey"), [(0.004, 110), (0.008, 40), (0.02, 40), (0.035, 40)])
@pytest.mark.parametrize("yaws", [[0], [20], [0, 20, 20]], ids=["frontal", "turned", "turning"])
def test_wrinkles_behind_glasses_are_no_rims(identity, puppet, width, grey, yaws):
    renderer, compositing = MeshEngine().renderer(), Compositing(BlendOptions())
    for number, yaw in enumerate(yaws):
        shot = puppet.render(Motion(yaw=yaw))
        wrinkled, folds = with_wrinkles(shot.picture, shot.mesh)
        picture, rim = with_glasses(wrinkled, shot.mesh, color=(grey,) * 3, width=width)
        box = bounds_xyxy(shot.mesh[None])
        faces = Faces(box, np.ones(1, np.float32), mesh=shot.mesh[None], track_ids=np.array([1]))
        frame = Frame(picture.copy(), pts=number, time_base=Fraction(1, 2))  # each time glasses are looked for
        compositing.compose(unguarded(frame), renderer.render(frame, faces, {1: identity}))
    folds &= ~cv2.dilate(rim.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    assert kept(frame.picture, picture, rim) > 0.9
    assert kept(frame.picture, picture, folds) < 0.05


@pytest.mark.slow
def test_glasses_in_the_photo_are_not_painted(hopper, perception, puppet, monkeypatch):
    """The rims of Hopper's glasses are darker than the skin beside them; on the swap nothing is."""
    texture = build_texture([Portrait(hopper, perception.still(hopper)[:1])])
    monkeypatch.setattr("understudy.swapping.mesh.texture.behind", lambda flat: np.zeros(flat.shape[:2], np.float32))
    worn = build_texture([Portrait(hopper, perception.still(hopper)[:1])])
    places = (np.arange(512, dtype=np.float32) + 0.5) / 512
    uv = np.dstack(np.meshgrid(places, places)).astype(np.float32)
    assert glasses_seen(worn.color, uv, thin=False) > 0.3
    assert glasses_seen(texture.color, uv, thin=False) < 0.1
    # What is put in their place is shown, not left open.
    rimmed = rims(worn.color, uv) > 128
    assert texture.opacity[rimmed].mean() > 0.9 * worn.opacity[rimmed].mean()


def looked_at(occlusion, picture, patch, seconds):
    box = patch.box
    target = picture[box.y0 : box.y1, box.x0 : box.x1]
    return occlusion.visible(target, patch.uv, np.full((24, 24, 3), np.log(128), np.float32), seconds)


def test_glasses_are_believed_slowly_and_forgotten(identity, puppet):
    shot = puppet.render(Motion())
    worn, _ = with_glasses(shot.picture, shot.mesh)
    _, patch = swapped(identity, [shot.picture], shot.mesh)
    occlusion = Occlusion(OcclusionOptions(things=False))

    def seen(picture, times):
        return [looked_at(occlusion, picture, patch, t) is not None for t in times]

    assert not any(seen(shot.picture, [0.0]))
    assert seen(worn, [0.3, 0.6, 0.9, 1.2, 1.5])[::4] == [False, True]
    assert seen(shot.picture, [1.8, 2.1, 2.4, 2.7, 3.0])[-1] is False
    assert seen(worn, [3.3])[0] is False


def test_after_a_gap_glasses_are_looked_for_anew(identity, puppet):
    shot = puppet.render(Motion())
    worn, _ = with_glasses(shot.picture, shot.mesh)
    _, patch = swapped(identity, [shot.picture], shot.mesh)
    occlusion = Occlusion(OcclusionOptions(things=False))
    assert looked_at(occlusion, worn, patch, 0.0) is not None
    assert looked_at(occlusion, shot.picture, patch, 100.0) is None


@pytest.mark.parametrize("inset", [0.06, 0.14, 0.2])
@pytest.mark.parametrize("color", [(20, 20, 22), (180, 60, 20)], ids=["black", "blue"])
def test_a_hood_does_not_bare_the_face(identity, puppet, inset, color):
    """What lies all around the face is in front of its rim, not of its middle."""
    shot = puppet.render(Motion())
    oval = shot.mesh[topo.topology().oval, :2]
    inner = oval.mean(0) + (oval - oval.mean(0)) * (1 - 2 * inset)
    hood = np.full(shot.picture.shape[:2], 255, np.uint8)
    cv2.fillPoly(hood, [inner.round().astype(np.int32)], 0)
    picture = shot.picture.copy()
    picture[hood > 0] = color
    (result,), patch = swapped(identity, [picture], shot.mesh)
    (plain,), _ = swapped(identity, [picture], shot.mesh, occlusion=OcclusionOptions(False, False))
    place = (slice(patch.box.y0, patch.box.y1), slice(patch.box.x0, patch.box.x1))
    middle = (cv2.dilate(hood, np.ones((15, 15), np.uint8))[place] == 0) & (patch.alpha > 250)
    assert np.abs(result[place].astype(int) - plain[place])[middle].mean() < 2


@pytest.mark.parametrize(("size", "looked"), [((480, 360), True), ((90, 70), True), ((20, 16), False)])
def test_the_patch_is_hidden_as_far_as_anything_can_be_told(identity, astronaut, size, looked):
    puppet = Puppet(astronaut, size, face_share=0.6)
    shot = puppet.render(Motion())
    picture, where = with_thing(shot.picture, shot.mesh, (20, 20, 20))
    (result,), _patch = swapped(identity, [picture], shot.mesh)
    (painted,), _ = swapped(identity, [picture], shot.mesh, occlusion=OcclusionOptions(False, False))
    assert (kept(result, picture, where) > 0.85) or not looked
    assert (result == painted).all() or looked


@pytest.mark.parametrize("raised", [0.0, 0.035])
def test_brows_that_hair_touches_are_no_thing_before_a_face_with_other_brows(identity, puppet, raised):
    """The swap has its brows lower: where the target's own are there is its forehead, and they still are no hair.

    Raised ones, and plucked ones, lie above where the mesh has them.
    """
    shot, shape = puppet.render(Motion()), topo.topology()
    rings = (shape.brow_left, shape.brow_right)
    where = np.zeros(shot.picture.shape[:2], np.uint8)
    for ring, temple in zip(rings, (21, 251), strict=True):
        up = np.array([0, raised * np.ptp(shot.mesh[:, 1])])
        hull = cv2.convexHull(np.round(shot.mesh[ring, :2] - up).astype(np.int32))
        cv2.fillPoly(where, [hull], 255)
        tail = hull[np.abs(hull[:, 0, 0] - shot.mesh[temple, 0]).argmin(), 0]
        cv2.line(where, tail.tolist(), np.round(shot.mesh[temple, :2]).astype(int).tolist(), 255, 9)
    brows = where > 0
    picture = shot.picture.copy()
    picture[brows] = 22
    brow = np.concatenate(rings)
    lower = np.zeros_like(identity.shape)
    lower[brow, 1] = 0.3 * np.ptp(identity.shape[:, 1]) * np.sign(identity.shape[152, 1] - identity.shape[10, 1])
    (result,), patch = swapped(replace(identity, shape=identity.shape + lower), [picture], shot.mesh)
    assert (patch.warp.mesh - shot.mesh)[brow, 1].mean() > 0.03 * np.ptp(shot.mesh[:, 1])
    # As light as the forehead between them: the upper half, for its own brows may lie over the lower one.
    rows, columns = np.indices(where.shape)
    between = result[np.round(shot.mesh[9, 1]).astype(int), np.round(shot.mesh[9, 0]).astype(int)].astype(float)
    for ring in rings:
        x, y = shot.mesh[ring, 0], shot.mesh[ring, 1] - raised * np.ptp(shot.mesh[:, 1])
        upper = brows & (np.abs(columns - x.mean()) < 0.3 * np.ptp(x)) & (rows < y.mean())
        assert result[upper].mean() > 0.5 * between.mean()
