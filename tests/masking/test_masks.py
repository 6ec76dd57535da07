"""Which parts of a face are swapped, and what models say of it, in closed form."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
import pytest

from understudy.casting.assignment import Assigned
from understudy.errors import UsageError
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry import topology as topo
from understudy.geometry.boxes import bounds_xyxy
from understudy.guard import unguarded
from understudy.masking import MaskOptions, OcclusionOptions
from understudy.masking.masks import Masking
from understudy.masking.regions import region_map
from understudy.patches import Light
from understudy.pipeline.compositing import Compositing
from understudy.settings import BlendOptions
from understudy.swapping.base import Portrait
from understudy.swapping.mesh.engine import MeshEngine, MeshOptions
from understudy.testing import Motion, Puppet

OFF = OcclusionOptions(things=False, glasses=False, hands=False, beards=False)
PARTS = ("eyes", "brows", "nose", "mouth", "skin")
POSES = {
    "from the front": Motion(),
    "turned": Motion(yaw=28),
    "leaning": Motion(roll=30),
    "turned and leaning": Motion(yaw=-25, pitch=10, roll=-35),
}


@pytest.fixture(scope="module")
def identity(hopper, perception):
    return MeshEngine().identity([Portrait(hopper, perception.still(hopper)[:1])])


@pytest.fixture(scope="module")
def puppet(astronaut):
    return Puppet(astronaut, (640, 480), face_share=0.7)


def faces_of(*meshes):
    stacked = np.stack(meshes)
    return Faces(
        bounds_xyxy(stacked),
        keypoints5=topo.keypoints5(stacked),
        mesh=stacked,
        track_ids=np.arange(1, len(meshes) + 1),
    )


def swapped(identity, shots, mask, *, engine=None, blend=None):
    """The last of some frames of one face, swapped, and its patch."""
    renderer = (engine or MeshEngine()).renderer()
    compositing = Compositing(blend or BlendOptions(occlusion=OFF, mask=mask))
    for number, (picture, mesh) in enumerate(shots):
        frame = Frame(picture.copy(), pts=number, time_base=Fraction(1, 30))
        patches = renderer.render(frame, faces_of(mesh), {1: identity})
        compositing.compose(unguarded(frame), patches)
    return frame.picture, patches[0]


def at(picture, point, radius=2):
    x, y = np.rint(point).astype(int)
    return picture[y - radius : y + radius + 1, x - radius : x + radius + 1].astype(int)


#: In the middle of each part, as the mean of some points of the mesh.
MIDDLES = {
    "eyes": [159, 145, 33, 133],
    "brows": [105, 66],
    "nose": [topo.NOSE_TIP, 5],
    "mouth": [topo.LIP_LOWER_INNER, 17],
    "skin": [280, 425],
}


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("part", PARTS)
def test_only_the_part_that_is_asked_for_is_swapped(identity, puppet, part, pose):
    shot = puppet.render(POSES[pose])
    result, _ = swapped(identity, [shot[:2]], MaskOptions(regions=(part,)))
    whole, _ = swapped(identity, [shot[:2]], MaskOptions())
    for other, points in MIDDLES.items():
        middle = shot.mesh[points, :2].mean(0)
        if other == part:
            assert np.abs(at(result, middle) - at(shot.picture, middle)).max() > 2
            assert np.abs(at(result, middle) - at(whole, middle)).mean() < 6
        else:
            assert np.array_equal(at(result, middle), at(shot.picture, middle)), other


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize(("part", "ring"), [("mouth", "lips_outer"), ("eyes", "eye_left"), ("eyes", "eye_right")])
def test_what_is_kept_is_the_targets_own_where_it_was(identity, puppet, part, ring, pose):
    """Not moved either, though the rest takes another shape."""
    shot = puppet.render(POSES[pose])
    kept, _ = swapped(identity, [shot[:2]], MaskOptions(keep=(part,)))
    whole, patch = swapped(identity, [shot[:2]], MaskOptions())
    assert np.abs(patch.warp.field).max() > 2
    inside = np.zeros(shot.picture.shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.rint(shot.mesh[getattr(topo.topology(), ring), :2]).astype(np.int32)], 255)
    inside = inside > 0
    own = np.abs(kept.astype(int) - shot.picture)[inside].max(axis=1) <= 8
    assert own.mean() > 0.97
    assert (np.abs(whole.astype(int) - shot.picture)[inside].max(axis=1) > 8).mean() > 0.3
    nose = shot.mesh[topo.NOSE_TIP, :2]
    assert np.abs(at(kept, nose) - at(whole, nose)).mean() < 6


def test_the_parts_together_are_the_whole_face():
    maps = np.stack([region_map((part,), (), 0.0) for part in PARTS]).astype(int)
    # Where two meet, each is half seen; where three do, hardly more than that.
    assert np.abs(maps.sum(axis=0) - 255).max() < 150
    assert (np.abs(maps.sum(axis=0) - 255) > 3).mean() < 0.1
    assert region_map(PARTS, (), 0.0) is None
    assert region_map(("whole", "eyes"), (), 0.0) is None
    one, rest = region_map(("mouth",), (), 0.1).astype(int), region_map((), ("mouth",), 0.0).astype(int)
    assert one.max() == 255
    assert rest.min() == 0


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("feather", [0.0, 0.1, 0.4])
def test_edges_are_soft_and_as_wide_as_asked(part, feather):
    shown = region_map((part,), (), feather).astype(int)
    steepest = max(np.abs(np.diff(shown, axis=axis)).max() for axis in (0, 1))
    # The steepest of a smooth step is one and a half times the mean; the face's outline may lie beside.
    assert steepest <= 1.5 * 1.5 * 255 / (max(feather, 0.06) * 0.94 * 256) + 2


def test_a_feather_fades_the_faces_outline_inwards(identity, puppet):
    shot = puppet.render(Motion())
    patches = {}
    for feather in (0.0, 0.2):
        result, _ = swapped(identity, [shot[:2]], MaskOptions(feather=feather))
        patches[feather] = np.abs(result.astype(int) - shot.picture).max(axis=2)
    rim = shot.mesh[[152, 10, 234, 454], :2]
    middle = shot.mesh[topo.NOSE_TIP, :2]
    inner = rim + 0.12 * (middle - rim)
    sharp = np.mean([at(patches[0.0][:, :, None], point).mean() for point in inner])
    soft = np.mean([at(patches[0.2][:, :, None], point).mean() for point in inner])
    assert soft < 0.6 * sharp
    assert np.abs(at(patches[0.2][:, :, None], middle) - at(patches[0.0][:, :, None], middle)).mean() < 6


def test_strength_says_how_far_a_mask_counts(identity, puppet):
    shot, plain = puppet.render(Motion()), MeshEngine(MeshOptions(shape=0))
    cheek = shot.mesh[MIDDLES["skin"], :2].mean(0)
    whole = swapped(identity, [shot[:2]], MaskOptions(), engine=plain)[0]
    seen = {}
    for strength in (0.0, 0.5, 1.0):
        mask = MaskOptions(regions=("eyes",), strength=strength)
        seen[strength] = at(swapped(identity, [shot[:2]], mask, engine=plain)[0], cheek, 6)
    assert np.array_equal(seen[1.0], at(shot.picture, cheek, 6))
    assert np.array_equal(seen[0.0], at(whole, cheek, 6))
    assert np.abs(seen[0.0] - seen[1.0]).max() > 8
    assert np.abs(seen[0.5] - (seen[0.0] + seen[1.0]) / 2).max() <= 1


@pytest.mark.parametrize("roll", [-40, 0, 40])
def test_a_box_leans_with_the_head(identity, puppet, roll):
    shot = puppet.render(Motion(roll=roll))
    result, _ = swapped(identity, [shot[:2]], MaskOptions(box=(0.55, 0, 0, 0)))
    for points, changed in (
        ([159, 145], False),
        ([386, 374], False),
        ([105], False),
        ([17], True),
        ([topo.CHIN, 17], True),
    ):
        middle = shot.mesh[points, :2].mean(0)
        assert (np.abs(at(result, middle) - at(shot.picture, middle)).max() > 2) == changed
    sides, _ = swapped(identity, [shot[:2]], MaskOptions(box=(0, 0.5, 0, 0)))
    right, left = shot.mesh[280, :2], shot.mesh[50, :2]
    assert np.array_equal(at(sides, right), at(shot.picture, right))
    assert np.abs(at(sides, left) - at(shot.picture, left)).max() > 2


def test_each_person_has_their_own_mask(identity, puppet, astronaut):
    shot = Puppet(astronaut, (320, 360), face_share=0.6).render(Motion())
    both = np.hstack([shot.picture, shot.picture])
    other = shot.mesh + np.array([320, 0, 0], np.float32)
    frame = Frame(both.copy(), pts=0, time_base=Fraction(1, 30))
    patches = MeshEngine().renderer().render(frame, faces_of(shot.mesh, other), {1: identity, 2: identity})
    compositing = Compositing(BlendOptions(occlusion=OFF, mask=MaskOptions(regions=("mouth",))))
    assigned = {1: Assigned(identity, mask=MaskOptions(regions=("eyes",))), 2: Assigned(identity)}
    compositing.compose(unguarded(frame), patches, assigned)

    def changed(mesh, points):
        middle = mesh[points, :2].mean(0)
        return bool((at(frame.picture, middle) != at(both, middle)).any())

    found = [[changed(mesh, MIDDLES[part]) for part in ("eyes", "mouth")] for mesh in (shot.mesh, other)]
    assert found == [[True, False], [False, True]]


def test_a_track_that_is_not_there_keeps_the_mask_it_had(identity, puppet):
    """A swap of an earlier frame that is held live: nothing is assigned to its track any more."""
    shot = puppet.render(Motion())
    frame = Frame(shot.picture.copy(), pts=0, time_base=Fraction(1, 30))
    patches = MeshEngine().renderer().render(frame, faces_of(shot.mesh), {1: identity})
    compositing = Compositing(BlendOptions(occlusion=OFF))
    compositing.compose(unguarded(frame), patches, {1: Assigned(identity, mask=MaskOptions(keep=("mouth",)))})
    later = Frame(shot.picture.copy(), pts=1, time_base=Fraction(1, 30))
    compositing.compose(unguarded(later), patches, {})
    mouth = shot.mesh[MIDDLES["mouth"], :2].mean(0)
    assert np.array_equal(at(later.picture, mouth), at(shot.picture, mouth))


def test_without_masks_nothing_is_multiplied(identity, puppet):
    shot = puppet.render(Motion())
    plain, _ = swapped(identity, [shot[:2]], MaskOptions())
    keeping, _ = swapped(identity, [shot[:2]], MaskOptions(regions=("whole",), strength=0.3, classes=("skin",)))
    assert np.array_equal(plain, keeping)


def test_other_masks_hold_from_the_next_frame_on(identity, puppet):
    shot = puppet.render(Motion())
    compositing = Compositing(BlendOptions(occlusion=OFF))
    pictures = []
    for number, regions in enumerate([(), ("eyes",), ()]):
        compositing.adopt(BlendOptions(occlusion=OFF, mask=MaskOptions(regions=regions)))
        frame = Frame(shot.picture.copy(), pts=number, time_base=Fraction(1, 30))
        patches = MeshEngine().renderer().render(frame, faces_of(shot.mesh), {1: identity})
        compositing.compose(unguarded(frame), patches)
        pictures.append(frame.picture)
    chin = shot.mesh[topo.CHIN, :2] - [0, 20]
    changed = [bool((at(picture, chin) != at(shot.picture, chin)).any()) for picture in pictures]
    assert changed == [True, False, True]


def test_the_mask_view_shows_the_frame_and_tints_what_is_swapped(identity, puppet):
    shot = puppet.render(Motion(roll=15))
    blend = BlendOptions(occlusion=OFF, mask=MaskOptions(regions=("mouth",)), show="mask")
    view, _ = swapped(identity, [shot[:2]], None, blend=blend)
    lip, eye = shot.mesh[17, :2], shot.mesh[[159, 145], :2].mean(0)
    assert np.array_equal(at(view, eye), at(shot.picture, eye))
    redder = (at(view, lip) - at(shot.picture, lip)).mean(axis=(0, 1))
    assert redder[0] > 30  # towards magenta, of which blue is the most
    assert redder[1] < 0
    line = (view == (80, 255, 255)).all(axis=2)
    assert 50 < line.sum() < 2000
    ys, xs = np.nonzero(line)
    low, high = shot.mesh[topo.topology().lips_outer, :2].min(0), shot.mesh[topo.topology().lips_outer, :2].max(0)
    reach = 0.1 * np.ptp(shot.mesh[:, 1])
    assert (xs > low[0] - reach).all()
    assert (xs < high[0] + reach).all()
    assert (ys > low[1] - reach).all()
    assert (ys < high[1] + reach).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"regions": ("ears",)},
        {"regions": "eyes"},
        {"keep": ("nose",)},
        {"classes": ("hair",)},
        {"classes": ()},
        {"strength": 1.1},
        {"strength": float("nan")},
        {"feather": 0.6},
        {"feather": -0.1},
        {"grow": 0.3},
        {"box": (0.5, 0, 0.5, 0)},
        {"box": (-0.1, 0, 0, 0)},
    ],
    ids=str,
)
def test_what_no_mask_is_is_refused(wrong):
    with pytest.raises(ValueError, match="|".join(wrong) + "|box"):
        MaskOptions(**wrong)


def test_a_model_that_is_not_open_is_told(identity, puppet):
    shot = puppet.render(Motion())
    with pytest.raises(UsageError, match="xseg_1 was not opened"):
        swapped(identity, [shot[:2]], MaskOptions(occluders=("xseg_1",)))


@pytest.mark.slow
@pytest.mark.parametrize("part", ["eyes", "mouth", "skin"])
def test_a_part_does_not_shimmer(identity, puppet, part):
    """The edge goes with the face: from frame to frame it lies at the same place of it."""
    seen = []
    for number in range(12):
        shot = puppet.render(Motion(yaw=2 * number - 11, roll=number))
        blend = BlendOptions(occlusion=OFF, mask=MaskOptions(regions=(part,)))
        renderer = MeshEngine().renderer()
        frame = Frame(shot.picture, pts=number, time_base=Fraction(1, 30))
        (patch,) = renderer.render(frame, faces_of(shot.mesh), {1: identity})
        shown = shown_of(blend.mask, frame, patch)
        points = np.rint(patch.warp.mesh[:468, :2] - [patch.box.x0, patch.box.y0]).astype(int)
        inside = ((points >= 0) & (points < shown.shape[::-1])).all(axis=1)
        values = np.full(468, np.nan)
        values[inside] = shown[points[inside, 1], points[inside, 0]]
        front = np.abs(topo.topology().canonical[:468, 0]) < 0.8
        seen.append(np.where(front, values, np.nan))
    changes = [np.nanmedian(np.abs(later - before)) for before, later in pairwise(seen)]
    assert max(changes) <= 2


def shown_of(options, frame, patch):
    light = Light(np.ones((8, 8, 4), np.float32), np.zeros((8, 8, 3), np.float32), fresh=True)
    (mask,) = Masking(OFF, options).masks(frame, [replace(patch, over_beard=True)], [light])
    return mask.shown
