"""What is done around restorers and upscalers is what their authors do (``theirs``), or differs as is said here."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import cv2
import numpy as np
import onnxruntime
import pytest

from tests.enhancement import theirs
from understudy.canvas import Canvas
from understudy.casting.portraits import portrait_in
from understudy.enhancement import EnhanceOptions, Enhancer, Enhancers, SwappedFace
from understudy.enhancement.detail import crop_of
from understudy.enhancement.restorers import NeuralRestorer
from understudy.enhancement.upscalers import TiledUpscaler
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.boxes import bounds_xyxy, pixel_box
from understudy.geometry.raster import rasterise
from understudy.geometry.templates import TEMPLATES
from understudy.geometry.topology import closed, closed_triangles, keypoints5, topology
from understudy.models.catalogue import Catalogue
from understudy.models.devices import RuntimeOptions
from understudy.models.opening import Runtime
from understudy.settings import Settings
from understudy.testing import Motion, Puppet, twins
from understudy.testing.opened import engine_of
from understudy.testing.shelf import stock

SIZE = (960, 720)
#: Heights in pixels, and what the head does: half of one is beyond the picture's left edge, one is larger than it.
FACES = {
    "60 pixels, leaning": (60, Motion(roll=25)),
    "120 pixels, turned, with its mouth open": (120, Motion(yaw=30, roll=-40, mouth=0.8)),
    "250 pixels, half beyond the edge": (250, Motion(shift=(-2.3, 0), roll=10)),
    "500 pixels, leaning": (500, Motion(roll=-30, yaw=-15)),
}


def telling(size, *, weighed=False):
    """A restorer that mixes the colours, is brighter to the right and below, and goes beyond what a picture may have.

    Colours in another order, a turned or a shifted picture, another mean and another cut all show. It adds no edges:
    those two ways of sampling would draw differently. With a weight of 1 it changes nothing.
    """
    graph = twins.GraphWriter()
    y, x = np.mgrid[:size, :size].astype(np.float32) / size
    ramps = np.stack([0.3 * x, 0.25 * y - 0.2, -0.2 * x * y])[None]
    mixing = np.array([[0.1, 0.2, 0], [0, 0, 0.1], [-0.1, 0, 0.05]], np.float32)[:, :, None, None]
    change = graph.node("Add", graph.node("Conv", "input", graph.constant(mixing)), graph.constant(ramps))
    if weighed:
        share = graph.node("Sub", graph.constant(np.array(1, np.float32)), graph.node("Cast", "weight", to=1))
        change = graph.node("Mul", change, graph.node("Reshape", share, graph.constant(np.ones(4, np.int64))))
    graph.node("Add", "input", change, name="output")
    ends = (1, 3, size, size)
    return graph.finished([("input", ends)], [("output", ends)], [("weight", (1,))] if weighed else [])


def coloured_upscaler(scale):
    """An upscaler that makes pixels larger, red brighter, blue darker, and looks at what lies to their right."""
    graph = twins.GraphWriter()
    kernel = np.zeros((3, 3, 1, 4), np.float32)
    kernel[[0, 1, 2], [0, 1, 2], 0, 0] = 0.9137, 0.6971, 0.4313
    kernel[:, :, 0, 3] += np.eye(3, dtype=np.float32) * 0.2873
    padded = graph.node("Pad", "input", graph.constant(np.array([0] * 7 + [3], np.int64)), mode="edge")
    seen = graph.node(
        "Conv", padded, graph.constant(kernel), graph.constant(np.array([0.1013, 0.0007, -0.0519], np.float32))
    )
    scales = graph.constant(np.array([1, 1, scale, scale], np.float32), exact=True)
    how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    graph.node("Resize", seen, "", scales, name="output", **how)
    return graph.finished([("input", ("n", 3, "h", "w"))], [("output", ("n", 3, "hs", "ws"))])


GRAPHS = {
    "gfpgan_1.4": telling(512),
    "codeformer": telling(512, weighed=True),
    "gpen_bfr_256": telling(256),
    "real_esrgan_x2": coloured_upscaler(2),
    "real_esrgan_x4": coloured_upscaler(4),
    "span_x4": coloured_upscaler(4),
    "inswapper_128": twins.inswapper_twin((8, 16, 32, 64), blocks=1),
    "arcface_w600k_r50": twins.arcface_twin(),
    "nsfw_384": twins.classifier_twin(),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return stock(tmp_path_factory.mktemp("conformity") / "home", GRAPHS)


@pytest.fixture(scope="module")
def opened(store):
    return lambda name: Runtime(RuntimeOptions(device="cpu", backend="onnxruntime")).open(
        store, store.catalogue.entries[name]
    )


@pytest.fixture(scope="module")
def shots(astronaut):
    return {
        name: Puppet(astronaut, SIZE, face_share=pixels / SIZE[1]).render(motion)
        for name, (pixels, motion) in FACES.items()
    }


@pytest.fixture(params=FACES)
def shot(request, shots):
    return shots[request.param]


def points_of(mesh):
    """The five keypoints, counted from pixels' centres."""
    return keypoints5(mesh[None])[0] - 0.5


def swapped(mesh):
    """The whole face, as if all of it were seen."""
    box = pixel_box(bounds_xyxy(mesh[None])[0], *SIZE, margin=1)
    place = mesh - np.float32([box.x0, box.y0, 0])
    _, depth = rasterise(closed(place), closed_triangles(), closed(topology().uv), (box.x1 - box.x0, box.y1 - box.y0))
    return SwappedFace(box, np.isfinite(depth).astype(np.uint8) * 255, mesh, 1)


def enhanced(picture, face, restorer):
    frame = Frame(picture.copy())
    Enhancer(EnhanceOptions(("twin:1",)), Enhancers({"twin": restorer})).enhance(Canvas(frame), [face], [None])
    return frame.picture.astype(np.float32)


def within(face, shown):
    """Where the face is seen, less its outermost pixel, and theirs is shown in full; and which share of it that is."""
    inside = np.zeros(shown.shape, bool)
    box = face.box
    eroded = cv2.erode(face.shown, np.ones((3, 3), np.uint8), borderValue=0)
    inside[box.y0 : box.y1, box.x0 : box.x1] = eroded > 0
    both = inside & (shown > 0.999)
    return both, both.sum() / inside.sum()


class Made:
    """A restorer that is a function of the crop."""

    border = theirs.GREY

    def __init__(self, function, size=512, template=TEMPLATES["ffhq_512"]):
        self.size, self.template, self._function = size, template, function

    def restored(self, crop, weight):
        return self._function(crop)


HELPERS = ["gfpgan_1.2", "gfpgan_1.3", "gfpgan_1.4", "restoreformer_plus_plus", "codeformer"]


@pytest.mark.parametrize("name", HELPERS)
def test_the_entries_of_those_who_share_the_helper_say_what_it_does(name):
    entry = Catalogue.load().entries[name].input
    assert np.abs(TEMPLATES[entry.template] * entry.size - theirs.template(512)).max() < 1e-4
    assert entry.border == theirs.GREY[::-1]
    assert (entry.size, entry.channels, entry.layout, entry.mean, entry.std) == (512, "rgb", "nchw", 0.5, 0.5)


def test_the_crop_is_theirs_also_beyond_the_pictures_edge(opened, shot):
    """A least-squares fit to five points and their fit by least medians are the same: no point is so far off."""
    ours = crop_of(shot.picture, shot.mesh, NeuralRestorer(opened("gfpgan_1.4"))).picture
    crop, _ = theirs.cropped(shot.picture, points_of(shot.mesh), theirs.template(512), 512)
    off = np.abs(ours.astype(int) - crop)
    print(f"crops differ by {off.mean():.4f} grey levels in the mean, {off.max()} at most")
    assert off.mean() < 0.05
    assert off.max() <= 6  # where OpenCV rounds a place to the next 32nd of a pixel, on an edge


def test_gpens_crop_of_256_pixels_is_aligned_otherwise(opened, shots):
    shot = shots["120 pixels, turned, with its mouth open"]
    ours = crop_of(shot.picture, shot.mesh, NeuralRestorer(opened("gpen_bfr_256"))).picture
    places = theirs.template(256, "arcface")
    crop, _ = theirs.cropped(shot.picture, points_of(shot.mesh), places, 256, (0, 0, 0))
    other, _ = theirs.cropped(shot.picture, points_of(shot.mesh), theirs.template(256), 256, (0, 0, 0))
    assert np.abs(ours.astype(int) - crop).mean() < 0.05
    assert np.abs(ours.astype(int) - other).mean() > 5


def test_a_crop_of_a_much_larger_face_is_averaged_where_theirs_skips_pixels(opened, shots):
    """By design; of a picture that has nothing finer than the crop both make the same."""
    shot, restorer = shots["500 pixels, leaning"], NeuralRestorer(opened("gpen_bfr_256"))

    def off(picture):
        places = theirs.template(256, "arcface")
        crop, _ = theirs.cropped(picture, points_of(shot.mesh), places, 256, (0, 0, 0))
        return np.abs(crop_of(picture, shot.mesh, restorer).picture.astype(int) - crop).mean()

    sharp, soft = off(shot.picture), off(cv2.GaussianBlur(shot.picture, (0, 0), 3))
    print(f"a crop half as fine as the picture differs by {sharp:.2f} grey levels, by {soft:.2f} of a soft picture")
    assert soft < 0.5
    assert sharp > 2 * soft


@pytest.mark.parametrize(
    ("name", "weight"), [("gfpgan_1.4", None), ("codeformer", 0.0), ("codeformer", 0.7), ("gpen_bfr_256", None)]
)
def test_a_crop_goes_in_and_comes_out_as_theirs_does(opened, shots, name, weight):
    shot, restorer = shots["500 pixels, leaning"], NeuralRestorer(opened(name))
    crop = crop_of(shot.picture, shot.mesh, restorer).picture
    expected = theirs.restored(onnxruntime.InferenceSession(GRAPHS[name]), crop, weight)
    found = restorer.restored(crop, 0.5 if weight is None else weight)
    assert np.abs(expected.astype(int) - crop).mean() > 2
    assert ((expected == 255) | (expected == 0)).mean() > 0.01  # it is cut somewhere
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert (found != expected).mean() < 0.001


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gfpgan_1.4", "gpen_bfr_256"])
def test_what_is_pasted_is_theirs_but_for_what_a_crop_cannot_hold(opened, shot, name):
    """Theirs shows the crop, sampled twice; ours adds to the frame what was changed, and the frame stays as fine.

    So the two differ by what is lost where nothing is restored at all, and by no more than rounding beyond that.
    """
    restorer, face = NeuralRestorer(opened(name)), swapped(shot.mesh)
    aligned, border = ("arcface", (0, 0, 0)) if name == "gpen_bfr_256" else ("ffhq", theirs.GREY)
    places = theirs.template(restorer.size, aligned)
    crop, matrix = theirs.cropped(shot.picture, points_of(shot.mesh), places, restorer.size, border)
    result = theirs.restored(onnxruntime.InferenceSession(GRAPHS[name]), crop)
    pasted, shown = theirs.pasted(shot.picture, result, matrix)
    idle, _ = theirs.pasted(shot.picture, crop, matrix)
    ours = enhanced(shot.picture, face, restorer)
    both, share = within(face, shown)
    changed = np.abs(ours - shot.picture)[both].mean()
    off = np.abs(ours - pasted)[both].mean()
    lost = np.abs(shot.picture - idle)[both].mean()
    rest = np.abs(ours - (pasted + shot.picture - idle))[both]
    print(
        f"{name} changes {changed:.1f} grey levels, ours differs by {off:.2f}; theirs loses {lost:.2f} anyhow, "
        f"{rest.mean():.2f} is left; in {share:.0%} of the face"
    )
    assert share > 0.85
    assert changed > 5
    assert off < (1 if restorer.size == 512 else 1.5)
    assert rest.mean() < 0.5


def test_where_nothing_is_restored_nothing_changes_and_theirs_makes_it_softer(shot):
    face = swapped(shot.mesh)
    assert np.array_equal(enhanced(shot.picture, face, Made(lambda crop: crop)), shot.picture)
    crop, matrix = theirs.cropped(shot.picture, points_of(shot.mesh), theirs.template(512), 512)
    idle, shown = theirs.pasted(shot.picture, crop, matrix)
    both, _ = within(face, shown)

    def fine(picture):
        return np.abs(cv2.Laplacian(picture.astype(np.float32), cv2.CV_32F))[both].mean()

    assert 0.1 < np.abs(idle - shot.picture)[both].mean() < 1
    assert fine(idle) < 0.95 * fine(shot.picture)


def ring_of(weight, where=None):
    """Of how far something shows, 0-1: how many pixels its edge is wide from a tenth to nine tenths, and its steepest.

    The area of the edge over its length, which is the sum of all slopes over all that they rise.
    """
    slope = np.hypot(*np.gradient(weight))
    where = np.ones(weight.shape, bool) if where is None else where
    edge = (weight > 0.1) & (weight < 0.9) & where
    return 0.8 * edge.sum() / slope[edge].sum(), float(slope[where].max())


def weights(face, template=None):
    """How far ours and theirs show a restorer that makes all of a crop bright."""
    dark = np.full((SIZE[1], SIZE[0], 3), 60, np.uint8)
    template = TEMPLATES["ffhq_512"] if template is None else template
    restorer = Made(lambda crop: np.full_like(crop, 240), template=template)
    _, matrix = theirs.cropped(dark, points_of(face.mesh), template * 512.0, 512)
    pasted, _ = theirs.pasted(dark, np.full((512, 512, 3), 240, np.uint8), matrix)
    ours = enhanced(dark, face, restorer)
    return ((ours[:, :, 0] - 60) / 180, (pasted[:, :, 0] - 60) / 180)


def test_at_a_crops_edge_what_is_added_ends_as_theirs_does(astronaut):
    """Of a crop so narrow that its edge lies on the face: as far inside, no wider, no harder."""
    face = swapped(Puppet(astronaut, SIZE, face_share=0.6).render().mesh)
    ours, pasted = weights(face, (TEMPLATES["ffhq_512"] - 0.5) * 2.2 + 0.5)
    inside, _ = within(face, np.ones(ours.shape))
    inside = cv2.erode(inside.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    (width, hard), (their_width, their_hard) = ring_of(ours, inside), ring_of(pasted, inside)
    off = (ours - pasted)[inside]
    print(
        f"ours is {width:.1f} px wide, {hard:.3f} a pixel; theirs {their_width:.1f}, {their_hard:.3f}; "
        f"they differ by {np.abs(off).max():.2f}"
    )
    assert 0.9 < width / their_width < 1.1
    assert hard < 1.1 * their_hard
    assert np.abs(off).max() < 0.35  # a head that leans a little: see below


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FACES if "edge" not in name])
def test_no_restoration_is_seen_where_theirs_is_not_and_the_ring_is_the_swaps_own(
    store, shots, perception, hopper, name
):
    """By design: theirs pastes a square that goes beyond the face; ours is as soft as the swap that it makes better.

    But for a crop's edge: theirs is narrowed along the picture's axes, up to 1.4 times as far where a head leans.
    """
    shot, home = shots[name], store.root.parent
    engine = engine_of(Settings(engine="inswapper_128", home=home))
    identity = engine.identity([portrait_in(hopper, "hopper", perception, None)[0]])
    mesh = shot.mesh[None]
    faces = Faces(bounds_xyxy(mesh), keypoints5=keypoints5(mesh), mesh=mesh, track_ids=np.array([1]))
    (patch,) = engine.renderer().render(Frame(shot.picture.copy(), 0, Fraction(1, 25)), faces, {1: identity})
    face = SwappedFace(patch.box, patch.alpha, patch.mesh, 1)
    ours, pasted = weights(face)
    own = np.zeros_like(ours)
    own[patch.box.y0 : patch.box.y1, patch.box.x0 : patch.box.x1] = patch.alpha / 255
    (width, hard), (their_width, their_hard) = ring_of(ours), ring_of(pasted)
    print(f"ours is {width:.1f} px wide, {hard:.3f} a pixel; theirs {their_width:.1f}, {their_hard:.3f}")
    assert (ours - pasted).max() < 0.3
    assert (ours - own).max() < 0.01
    assert (own - ours)[pasted > 0.999].max() < 0.01
    assert width < 1.3 * their_width
    assert hard < 1.6 * their_hard
    assert (pasted > 0.5).sum() > 1.8 * (ours > 0.5).sum()


@pytest.mark.slow
def test_on_a_larger_picture_theirs_lies_half_a_pixel_beside_and_ours_where_it_is(shots):
    """By design: enlarged twice a pixel's centre goes from x to 2 x + 0.5, and they shift by 1."""
    face = swapped(shots["250 pixels, half beyond the edge"].mesh)
    grey = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
    y, x = np.mgrid[:512, :512] / 512
    wave = np.rint(120 + 60 * np.sin(70 * x) * np.cos(80 * y)).astype(np.uint8)
    restorer = Made(lambda crop: np.repeat(wave[:, :, None], 3, axis=2))
    crop, matrix = theirs.cropped(grey, points_of(face.mesh), theirs.template(512), 512)
    larger = SimpleNamespace(scale=2, upscaled=lambda picture: np.repeat(np.repeat(picture, 2, axis=0), 2, axis=1))
    frame = Frame(grey.copy())
    models = Enhancers({"twin": restorer}, {"larger": larger})
    Enhancer(EnhanceOptions(("larger", "twin:1")), models).enhance(Canvas(frame), [face], [None])
    off = {}
    for beside in (0.25, 0.5):
        pasted, shown = theirs.pasted(grey, restorer.restored(crop, 1), matrix, 2, beside)
        both, _ = within(face.scaled(2), shown)
        off[beside] = np.abs(frame.picture - pasted)[both].mean()
    print(f"theirs differs by {off[0.5]:.2f} grey levels, by {off[0.25]:.2f} if it is shifted by half a pixel")
    assert off[0.25] < 0.6
    assert off[0.5] > 3 * off[0.25]


@pytest.mark.parametrize(
    ("name", "scale", "size"),
    [("real_esrgan_x2", 2, (300, 221)), ("real_esrgan_x4", 4, (230, 250)), ("span_x4", 4, (150, 90))],
)
def test_a_picture_is_enlarged_as_their_runner_does_it(opened, name, scale, size):
    """Their tiles are of 64 pixels with 10 around, ours of 256 or 128 with more: nothing of either is seen."""
    picture = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8), (0, 0), 0.8)
    ours = TiledUpscaler(opened(name)).upscaled(picture)
    expected = theirs.enlarged(onnxruntime.InferenceSession(GRAPHS[name]), picture, scale, 64)
    assert ours.shape == expected.shape == (size[1] * scale, size[0] * scale, 3)
    assert np.abs(expected.astype(int) - cv2.resize(picture, None, fx=scale, fy=scale, interpolation=0)).mean() > 5
    off = np.abs(ours.astype(int) - expected)
    assert off.max() <= 1
    assert (off > 0).mean() < 0.001
