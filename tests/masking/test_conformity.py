"""Mask models are fed and read as their authors do it (``theirs``): layouts, colours, classes, places."""

from __future__ import annotations

from typing import get_args

import cv2
import numpy as np
import onnxruntime
import pytest

from tests.enhancement.theirs import FFHQ_512
from tests.masking import theirs
from tests.masking.test_model_masks import frame_of, mask_of, mesh_patch, mesh_patch_box
from understudy.geometry import topology as topo
from understudy.geometry.transforms import aligned
from understudy.masking import MaskOptions
from understudy.masking.models import mask_model
from understudy.masking.options import Part
from understudy.models.devices import RuntimeOptions
from understudy.models.opening import Runtime
from understudy.testing import Motion, Puppet, twins
from understudy.testing.shelf import stock

SIZE = (960, 720)
FACES = {
    "60 pixels": (60, Motion()),
    "120 pixels, leaning": (120, Motion(roll=40)),
    "250 pixels, turned": (250, Motion(yaw=25, pitch=8, roll=-15)),
    "250 pixels, half beyond the edge": (250, Motion(shift=(-2.3, 0), roll=10)),
    "500 pixels, with its mouth open": (500, Motion(mouth=0.7, roll=-10)),
}
#: What our names mean, in the authors' words.
MEANT = {
    "skin": ["skin"],
    "brows": ["l_brow", "r_brow"],
    "eyes": ["l_eye", "r_eye"],
    "glasses": ["eye_g"],
    "nose": ["nose"],
    "mouth": ["mouth"],
    "lips": ["u_lip", "l_lip"],
}
#: A colour for each class, RGB: none is another one's with red and blue in each other's place.
COLOURS = np.array([(n % 3 * 100 + 20, n // 3 % 3 * 90 + 30, n // 9 * 80 + 5) for n in range(19)], np.float32)


def graph_of_colours(size=512):
    """A parser that takes each pixel for the class whose colour is nearest; what else it gives is wrong."""
    graph = twins.GraphWriter()
    fed = (COLOURS / 255 - theirs.MEAN) / theirs.SPREAD
    weights, bias = 2 * fed[:, :, None, None], -(fed**2).sum(axis=1)
    nearest = graph.node("Conv", "input", graph.constant(weights), graph.constant(bias), name="output")
    for name in ("16", "32"):
        graph.node("Neg", nearest, name=name)
    ends = (1, 19, size, size)
    return graph.finished([("input", ("batch", 3, size, size))], [("output", ends), ("16", ends), ("32", ends)])


def graph_of_places(size=512):
    """A parser that says the same of all pictures (skin, hair, nose, lips), but what is quite blue is a hat."""
    graph = twins.GraphWriter()
    y, x = np.mgrid[:size, :size] / size
    planted = np.full((1, 19, size, size), -5, np.float32)
    for part, where in (("skin", y > x - 0.1), ("hair", y <= x - 0.1), ("nose", y > 0.75), ("u_lip", x < 0.3)):
        planted[0, theirs.PARTS.index(part)][where] = 3 if part in ("skin", "hair") else 4
    bluer = np.zeros((19, 3, 1, 1), np.float32)
    bluer[theirs.PARTS.index("hat"), :, 0, 0] = -6, -6, 9
    graph.node("Add", graph.node("Conv", "input", graph.constant(bluer)), graph.constant(planted), name="output")
    return graph.finished([("input", (1, 3, size, size))], [("output", (1, 19, size, size))])


def occluding_graph(shape, batch=1, size=256):
    """An occluder: what is bluer than red hides, and so does all that lies to the right and above; beyond 0-1, too."""
    graph = twins.GraphWriter()
    y, x = np.mgrid[:size, :size, :1][:2].astype(np.float32) / size
    bluer = graph.node("MatMul", "input", graph.constant(np.array([[-6], [1], [5]], np.float32)))
    seen = graph.node("Add", bluer, graph.constant((1.5 + 20 * np.minimum(y - x + 0.15, 0.05))[None]))
    graph.node("Reshape", seen, graph.constant(np.array(shape, np.int64)), name="output")
    return graph.finished([("input", (batch, size, size, 3))], [("output", (batch, *shape[1:]))])


GRAPHS = {
    "xseg_1": occluding_graph((1, 256, 256, 1)),
    "xseg_2": occluding_graph((1, 256, 256)),
    "xseg_3": occluding_graph((-1, 256, 256, 1), "batch"),
    "bisenet_resnet_18": graph_of_colours(),
    "bisenet_resnet_34": graph_of_places(),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    store = stock(tmp_path_factory.mktemp("conformity") / "home", GRAPHS)
    runtime = Runtime(RuntimeOptions(device="cpu", backend="onnxruntime"))
    return {name: mask_model(runtime.open(store, store.catalogue.entries[name])) for name in GRAPHS}


@pytest.fixture(scope="module")
def shots(astronaut):
    return {
        name: Puppet(astronaut, SIZE, face_share=pixels / SIZE[1]).render(motion)
        for name, (pixels, motion) in FACES.items()
    }


def board(size=512, side=5):
    """A picture of all classes' colours, in cells: uint8 BGR (size, size, 3), and the class of each pixel."""
    cells = np.arange(size) * side // size
    classes = np.minimum(cells[:, None] * side + cells[None], 18)
    return np.ascontiguousarray(COLOURS[classes][:, :, ::-1]).astype(np.uint8), classes


def test_every_part_is_named_and_none_twice():
    assert set(MEANT) == set(get_args(Part))
    assert len(theirs.PARTS) == 19


@pytest.mark.slow
def test_the_parsers_twin_tells_every_class_apart():
    picture, classes = board()
    session = onnxruntime.InferenceSession(GRAPHS["bisenet_resnet_18"])
    assert np.array_equal(theirs.parsed(session, picture), classes)
    swapped = theirs.parsed(session, picture[:, :, ::-1])
    assert (swapped != classes).mean() > 0.5


@pytest.mark.parametrize("part", MEANT)
def test_each_part_is_the_classes_that_its_authors_call_so(models, part):
    """Of three outputs the first counts; left and right do not matter: a part is always both."""
    picture, classes = board()
    ours = models["bisenet_resnet_18"].visible(picture, 300, MaskOptions(classes=(part,)))
    expected = theirs.softened(theirs.chosen(classes, MEANT[part]))
    assert np.abs(ours - expected).max() < 0.05  # spreads of 5.12 and 5 pixels
    for name in MEANT[part]:
        middle = np.argwhere(classes == theirs.PARTS.index(name)).mean(axis=0).astype(int)
        assert ours[tuple(middle)] > 0.99


def test_what_is_the_likeliest_of_all_counts_not_what_is_likely(models, monkeypatch):
    """They look for the largest of all classes, we compare those that are shown with the others."""
    likely = np.random.default_rng(0).normal(size=(19, 32, 32)).astype(np.float32)
    likely = np.stack([cv2.resize(plane, (512, 512), interpolation=cv2.INTER_CUBIC) for plane in likely])[None]
    monkeypatch.setattr("understudy.models.session.Session.run", lambda *_: [likely])
    for parts in ((*MEANT,), ("skin", "nose"), ("glasses",), ("brows", "eyes", "lips")):
        names = [name for part in parts for name in MEANT[part]]
        ours = models["bisenet_resnet_34"].visible(np.zeros((512, 512, 3), np.uint8), 300, MaskOptions(classes=parts))
        expected = theirs.softened(theirs.chosen(likely.argmax(axis=1)[0], names))
        assert expected.max() > 0.5
        assert np.abs(ours - expected).max() < 0.05


@pytest.mark.parametrize("name", ["xseg_1", "xseg_2", "xseg_3"])
def test_an_occluder_takes_blue_first_and_colours_last(models, name):
    """With the last axis of its answer or without, for one picture or for any number; the numbers go beyond 0-1."""
    picture = cv2.GaussianBlur(np.random.default_rng(2).integers(0, 256, (256, 256, 3), np.uint8), (0, 0), 8)
    picture = cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX)
    session = onnxruntime.InferenceSession(GRAPHS[name])
    seen = theirs.occlusion(session, picture)
    expected = theirs.softened(seen)
    ours = models[name].visible(picture, 200, MaskOptions(occluders=(name,)))
    off = np.abs(cv2.resize(ours, (512, 512)) - expected)
    print(f"{name}: masks differ by {off.mean():.4f} in the mean, {off.max():.3f} at most")
    assert 0.1 < seen.mean() < 0.9
    assert off.mean() < 0.01
    for other in (picture[:, :, ::-1], picture.transpose(1, 0, 2), picture[::-1], picture[:, ::-1]):
        wrong = theirs.softened(theirs.occlusion(session, np.ascontiguousarray(other)))
        assert np.abs(wrong - expected).mean() > 0.05


@pytest.mark.parametrize(("name", "places"), [("xseg_1", theirs.WHOLE_FACE * 256), ("bisenet_resnet_18", FFHQ_512)])
@pytest.mark.parametrize("face", FACES)
def test_the_crop_is_theirs(models, shots, name, places, face):
    """But of a face more than twice as large as the crop, which is averaged where theirs skips pixels."""
    shot, model = shots[face], models[name]
    keypoints = topo.keypoints5(shot.mesh[None])[0]
    ours, _ = aligned(shot.picture, keypoints, model.template, model.size)
    crop, matrix = theirs.cropped(shot.picture, keypoints - 0.5, places, model.size)
    off = np.abs(ours.astype(int) - crop).mean()
    averaged = np.hypot(*matrix[0, :2]) <= 0.5
    assert off < (2 if averaged else 0.05)


def expected_of(name, shot, parts):
    """What theirs shows of a face in its frame, and where it says anything of it."""
    size, places = (256, theirs.WHOLE_FACE * 256) if name.startswith("xseg") else (512, FFHQ_512)
    crop, matrix = theirs.cropped(shot.picture, topo.keypoints5(shot.mesh[None])[0] - 0.5, places, size)
    session = onnxruntime.InferenceSession(GRAPHS[name])
    if name.startswith("xseg"):
        mask = theirs.occlusion(session, crop)
    else:
        mask = theirs.chosen(theirs.parsed(session, crop), [one for part in parts for one in MEANT[part]])
    return theirs.in_the_frame(theirs.softened(mask), matrix, size, SIZE)


@pytest.mark.slow
@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(
    ("name", "parts"),
    [("xseg_1", ()), ("bisenet_resnet_34", ("skin",)), ("bisenet_resnet_34", ("skin", "nose", "lips"))],
)
def test_what_is_shown_of_a_face_in_its_frame_is_what_theirs_shows(models, shots, name, parts, face):
    """By way of the flattened face, which theirs does not take; a turned head's far side it does not see."""
    shot = shots[face]
    picture = shot.picture.copy()
    eye = topo.keypoints5(shot.mesh[None])[0][1]
    cv2.circle(picture, np.rint(eye).astype(int).tolist(), round(0.15 * np.ptp(shot.mesh[:, 1])), (240, 20, 20), -1)
    shot = shot._replace(picture=picture)
    options = MaskOptions(occluders=(name,)) if not parts else MaskOptions(parsers=(name,), classes=parts)
    patch = mesh_patch(shot)
    ours = mask_of(options, models, frame_of(picture), patch) / 255
    expected = expected_of(name, shot, parts)[mesh_patch_box(shot)]
    inside = cv2.erode((patch.alpha == 255).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    off = np.abs(ours - expected)[inside]
    print(f"{name} {parts}, {face}: {expected[inside].mean():.2f} is shown; {off.mean():.3f}, {(off > 0.5).mean():.3f}")
    assert 0.1 < expected[inside].mean() < 0.95
    assert off.mean() < 0.04
    assert (off > 0.5).mean() < 0.02


def test_what_is_before_an_open_mouth_stays_in_front(models, shots):
    """Its lips turn inwards, and were taken for unseen: there the swap was shown, whatever a model said."""
    shot = shots["500 pixels, with its mouth open"]
    picture, where = shot.picture.copy(), np.zeros(SIZE[::-1], np.uint8)
    upper, lower = shot.mesh[topo.LIP_UPPER_INNER, :2], shot.mesh[topo.LIP_LOWER_INNER, :2]
    middle, high = (upper + lower) / 2, float(np.linalg.norm(lower - upper))
    cv2.circle(where, np.rint(middle).astype(int).tolist(), round(0.35 * high), 1, -1)
    picture[where > 0] = (240, 20, 20)
    patch = mesh_patch(shot)
    options = MaskOptions(occluders=("xseg_1",))
    shown, without = (mask_of(options, models, frame_of(one), patch) / 255 for one in (picture, shot.picture))
    held = where[mesh_patch_box(shot)] > 0
    beside = (cv2.dilate(where, np.ones((75, 75), np.uint8)) == 0)[mesh_patch_box(shot)]
    print(f"of a thing in an open mouth {shown[held].mean():.2f} is swapped, {without[held].mean():.2f} without it")
    assert without[held].mean() > 0.95
    assert shown[held].mean() < 0.1
    assert np.abs(shown - without)[beside & (patch.alpha == 255)].mean() < 0.01
