"""What is made of photos that are hard to use: cracked paint, hard lamplight, flat drawings, a visor, a fringe."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.topology import topology
from understudy.geometry.unwrap import TEXTURE_SIZE, unwrap
from understudy.guard import unguarded
from understudy.pipeline.compositing import Compositing
from understudy.swapping import MeshEngine, MeshOptions
from understudy.swapping.base import Portrait
from understudy.swapping.mesh.regions import regions
from understudy.swapping.mesh.texture import build_texture

SIDE = 640
SKIN = (150, 175, 215)
CHEEKS = np.s_[270:330, 100:412]


@pytest.fixture(scope="module")
def mesh():
    """The metric face itself, from the front, 480 pixels high in a picture of ``SIDE``."""
    face = topology().canonical
    scale = 480 / float(np.ptp(face[:, 1]))
    low, high = face.min(0), face.max(0)
    return ((face - (low + high) / 2) * scale + [SIDE / 2, SIDE / 2, 0]).astype(np.float32)


def hull(picture, mesh, vertices, color):
    cv2.fillPoly(picture, [cv2.convexHull(mesh[vertices, :2].round().astype(np.int32))], color, cv2.LINE_AA)


def drawing(mesh):
    """A cartoon: large areas of one tone, hard lines."""
    shape = topology()
    picture = np.full((SIDE, SIDE, 3), (190, 160, 120), np.uint8)
    cv2.circle(picture, (SIDE // 2, SIDE // 2 - 60), 260, (40, 70, 110), -1)
    hull(picture, mesh, shape.oval, SKIN)
    for brow in (shape.brow_left, shape.brow_right):
        hull(picture, mesh, brow, (40, 60, 90))
    for eye in (shape.eye_left, shape.eye_right):
        hull(picture, mesh, eye, (250, 250, 250))
    hull(picture, mesh, shape.lips_outer, (90, 90, 190))
    return picture


def portrait(picture, mesh):
    return Portrait(picture, Faces(boxes_xyxy=np.zeros((1, 4)), mesh=mesh[None]))


def textured(picture, mesh):
    return build_texture([portrait(picture, mesh)])


def tones(texture):
    return np.log(texture.color.astype(np.float32).mean(axis=2) + 4)


@pytest.mark.slow
def test_a_flat_drawing_gets_no_blotches(mesh):
    tone = tones(textured(drawing(mesh), mesh))
    plain = (regions().plain > 0.99) & (regions().inside > 0.99)
    assert np.abs(tone[plain] - np.median(tone[plain])).max() < 0.04


@pytest.mark.slow
def test_brows_of_a_flat_drawing_have_no_halo(mesh):
    """Right beside them the skin is as bright as everywhere, and they stay as dark as they are drawn, or nearly."""
    tone = tones(textured(drawing(mesh), mesh))
    skin = np.median(tone[regions().plain > 0.99])
    hair = np.zeros((TEXTURE_SIZE, TEXTURE_SIZE), np.uint8)
    for brow in (topology().brow_left, topology().brow_right):
        hull(hair, topology().uv * TEXTURE_SIZE, brow, 255)
    beside = (cv2.dilate(hair, np.ones((25, 25))) > 0) & (cv2.dilate(hair, np.ones((9, 9))) == 0)
    beside &= cv2.dilate((regions().features > 0).astype(np.uint8) * (hair == 0), np.ones((9, 9))) == 0
    inner = cv2.erode(hair, np.ones((9, 9))) > 0
    assert np.abs(tone[beside] - skin).max() < 0.06
    assert np.log(0.2) < np.median(tone[inner]) - skin < np.log(0.5)


@pytest.mark.slow
def test_of_painted_cracks_hardly_any_energy_is_left(mesh):
    """A net of cracks with shine along their edges, as varnish has it."""
    rng, cracked = np.random.default_rng(3), drawing(mesh)
    for _ in range(60):
        walk = np.cumsum(rng.normal(0, 9, (12, 2)), axis=0) + rng.uniform(180, 460, 2)
        for offset, color in ((1, (205, 225, 250)), (0, (80, 100, 130))):
            cv2.polylines(cracked, [np.round(walk + offset).astype(np.int32)], False, color, 1, cv2.LINE_AA)
    whole = unwrap(cracked, mesh).texture.mean(axis=2)
    before = np.log(whole[CHEEKS] + 4)
    after = tones(textured(cracked, mesh))[CHEEKS]
    plain = regions().plain[CHEEKS] > 0.99
    left = [float(((t - cv2.GaussianBlur(t, (0, 0), 6))[plain] ** 2).mean()) for t in (before, after)]
    print(f"energy of the cracks {left[0]:.5f}, left {left[1]:.6f}")
    assert left[1] < 0.07 * left[0]


@pytest.mark.slow
def test_shine_on_a_lid_does_not_burn(mesh):
    """Lids and brows are never much brighter than the skin beside them."""
    shining = drawing(mesh)
    for eye, brow in ((159, 52), (386, 282)):
        x, y = mesh[[eye, brow], :2].mean(0)
        cv2.ellipse(shining, (int(x), int(y)), (22, 5), 0, 0, 360, (255, 255, 255), -1, cv2.LINE_AA)
    shining = np.clip(shining.astype(np.float32) * np.where(shining > 240, 1, 0.55), 0, 255).astype(np.uint8)
    tone = tones(textured(shining, mesh))
    skin = np.median(tone[regions().plain > 0.99])
    u, v = (topology().uv[[159, 52]].mean(0) * TEXTURE_SIZE).astype(int)
    burn = float(tone[v - 20 : v + 20, u - 30 : u + 30].max() - skin)
    print(f"brighter than the skin by {burn:.2f}")
    assert burn < 0.45


@pytest.mark.slow
def test_a_nose_lit_from_one_side_has_no_stripes_and_keeps_its_nostrils(mesh):
    lit = drawing(mesh)
    flanks, nostrils = (
        ([122, 217, 198, 236, 174], [351, 437, 420, 456, 399]),
        ([79, 239, 60, 75], [309, 459, 290, 305]),
    )
    for flank in flanks:
        hull(lit, mesh, flank, tuple(0.6 * np.array(SKIN)))
    for nostril in nostrils:
        hull(lit, mesh, nostril, (30, 30, 40))
    tone, flat = tones(textured(lit, mesh)), topology().uv * TEXTURE_SIZE
    skin = np.median(tone[regions().plain > 0.99])

    def darker(vertices):
        where = np.zeros((TEXTURE_SIZE, TEXTURE_SIZE), np.uint8)
        hull(where, flat, vertices, 255)
        return float(skin - np.median(tone[where > 200]))

    print("darker than the skin by", [darker(part) for part in (*flanks, *nostrils)])
    assert max(darker(flank) for flank in flanks) < 0.15
    assert min(darker(nostril) for nostril in nostrils) > 0.3


def turned(mesh, degrees):
    """Round the upright axis through its middle; the half with the eye 33 goes away from the camera."""
    angle, middle = np.radians(degrees), (mesh.min(0) + mesh.max(0)) / 2
    about = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    return ((mesh - middle) @ about.T + middle).astype(np.float32)


@pytest.mark.slow
def test_what_is_dark_behind_a_turned_head_is_not_its_eyes_corner(mesh):
    """A mesh that lies beside the face by 2% of its height."""
    shape, face = topology(), turned(mesh, 40)
    picture = np.full((SIDE, SIDE, 3), 8, np.uint8)
    for triangle in shape.triangles:
        hull(picture, face, triangle, SKIN)
    for opening in (shape.eye_left, shape.eye_right, shape.lips_outer):
        hull(picture, face, opening, SKIN)
    tone = tones(textured(picture, face - np.array([0.02 * 480, 0, 0], np.float32)))
    around = cv2.dilate(regions().features, np.ones((9, 9)))[:, : TEXTURE_SIZE // 2] > 0.5
    darkest = float(np.median(tone) - tone[:, : TEXTURE_SIZE // 2][around].min())
    print(f"darker than the skin by {darkest:.2f}")
    assert darkest < 0.1


@pytest.mark.slow
def test_a_visor_before_the_brows_is_not_painted(mesh):
    """What is bright and of another colour is no brow, though it lies where no hair reaches."""
    helmet = drawing(mesh)
    for x, y, inwards in ((*mesh[70, :2], 1), (*mesh[300, :2], -1)):
        corners = [(int(x) - 60 * inwards, int(y) - 120), (int(x) + 45 * inwards, int(y) + 16)]
        cv2.rectangle(helmet, *corners, (0, 150, 250), -1)
    color = textured(helmet, mesh).color.astype(np.float32)
    u, v = (topology().uv[[63, 53]].mean(0) * TEXTURE_SIZE).astype(int)
    b, g, r = color[v - 4 : v + 5, u - 4 : u + 5].reshape(-1, 3).mean(0)
    skin_b, skin_g, skin_r = SKIN
    own = (skin_r - skin_b) / (skin_b + skin_g + skin_r)
    print(f"red over blue where the visor was {(r - b) / (b + g + r):.2f}, skin's {own:.2f}")
    assert (r - b) / (b + g + r) < own + 0.03


def fringed(mesh, *, shadow=0.0):
    """A drawing whose fringe hangs down to the brows, and throws a shadow on them."""
    fringe = drawing(mesh).astype(np.float32)
    edge = int(mesh[[66, 296], 1].mean()) - 24
    below = np.arange(SIDE) - edge
    fringe *= (1 - shadow * np.exp(-np.maximum(below, 0) / 6))[:, None, None]
    fringe[:edge] = (30, 40, 60)
    return np.clip(fringe, 0, 255).astype(np.uint8)


#: Upper edges of the brows, from tail to root.
UPPER = ([70, 63, 105, 66], [300, 293, 334, 296])


@pytest.mark.slow
def test_a_forehead_that_the_photo_does_not_show_is_covered_as_far_as_brows_are_raised(mesh):
    opacity = textured(fringed(mesh), mesh).opacity
    for upper in UPPER:
        for u, v in (topology().uv[upper] * TEXTURE_SIZE).astype(int):
            assert opacity[v, u] > 150
            assert opacity[v - 24, u] > 90
    u, v = (topology().uv[[66, 296]].mean(axis=0) * TEXTURE_SIZE).astype(int)
    assert opacity[v - 24 : v, u].min() > 150  # between them the patch has no notch


@pytest.mark.slow
def test_the_shadow_of_a_fringe_is_no_line_on_the_forehead(mesh):
    texture = textured(fringed(mesh, shadow=0.8), mesh)
    tone = tones(texture)
    skin = np.median(tone[regions().plain > 0.99])
    brows = cv2.dilate((regions().hair > 0.02).astype(np.uint8), np.ones((5, 5))) > 0
    forehead = (regions().forehead > 0.5) & (regions().features == 0) & ~brows & (texture.opacity > 100)
    forehead[int(topology().uv[66, 1] * TEXTURE_SIZE) :] = False
    off = np.abs(tone[forehead] - skin)
    print(f"{forehead.sum()} texels of forehead, off the skin's tone by {off.max():.3f} at most")
    assert forehead.sum() > 4000
    assert off.max() < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("raised", [12, 24])
def test_brows_that_the_target_raises_do_not_show_above_the_photos(mesh, raised):
    """Hair lies so many pixels above the brows' vertices: painted there, or raised before the mesh follows."""
    identity = MeshEngine().identity([portrait(fringed(mesh), mesh)])

    def swapped(brows):
        picture = np.full((SIDE, SIDE, 3), SKIN, np.uint8)
        for brow in brows:
            hull(picture, mesh - np.float32([0, raised, 0]), brow, (30, 40, 60))
        frame, faces = Frame(picture), Faces(np.zeros((1, 4)), mesh=mesh[None], track_ids=np.array([1]))
        patches = MeshEngine(MeshOptions(shape=0)).renderer().render(frame, faces, {1: identity})
        Compositing().compose(unguarded(frame), patches)
        return frame.picture.astype(np.float32).mean(axis=2)

    without, with_brows = swapped(()), swapped((topology().brow_left, topology().brow_right))
    x, y = mesh[[63, 105, 66], :2].mean(0).astype(int)
    strip = np.s_[y - raised - 12 : y - 8, x - 25 : x + 25]
    darker = cv2.blur(without - with_brows, (9, 9))[strip].max()
    print(f"raised by {raised} pixels: darker by {darker:.0f} of 255 at most, where brows are darker by 137")
    assert darker < 40
