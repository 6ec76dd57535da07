"""Every restorer of the catalogue is fed as its authors have it, and what it adds lies on the face, aligned."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from understudy.canvas import Canvas
from understudy.enhancement import EnhanceOptions, Enhancer, Enhancers, SwappedFace
from understudy.enhancement.detail import crop_of, detail_of
from understudy.enhancement.restorers import NeuralRestorer
from understudy.errors import ModelError
from understudy.frames import Frame
from understudy.geometry.boxes import bounds_xyxy, pixel_box
from understudy.geometry.raster import rasterise
from understudy.geometry.templates import TEMPLATES
from understudy.geometry.topology import closed, closed_triangles, keypoints5, topology
from understudy.geometry.transforms import aligned, similarity
from understudy.models.catalogue import Catalogue
from understudy.models.devices import RuntimeOptions
from understudy.models.opening import Runtime
from understudy.models.session import Session
from understudy.models.store import FOLDER, Store
from understudy.recognition.quality import sharpness
from understudy.testing import Motion, Puppet, twins

#: The field's table, written down here once more: side and template.
TABLE = {
    "gfpgan_1.2": (512, "ffhq_512"),
    "gfpgan_1.3": (512, "ffhq_512"),
    "gfpgan_1.4": (512, "ffhq_512"),
    "restoreformer_plus_plus": (512, "ffhq_512"),
    "codeformer": (512, "ffhq_512"),
    "gpen_bfr_256": (256, "arcface_128"),
    "gpen_bfr_512": (512, "ffhq_512"),
    "gpen_bfr_1024": (1024, "ffhq_512"),
    "gpen_bfr_2048": (2048, "ffhq_512"),
}


def opened(home, name):
    store = Store(home / FOLDER, Catalogue.load(home / "models.toml"))
    return Runtime(RuntimeOptions(device="cpu")).open(store, store.catalogue.entries[name])


@pytest.fixture(scope="module")
def scene(astronaut, perception):
    """A picture, and its face: all of it was swapped."""
    picture = Puppet(astronaut, (640, 480), face_share=0.6).render(Motion(roll=12)).picture
    faces = perception.still(picture)
    mesh = faces.mesh[0]
    box = pixel_box(bounds_xyxy(mesh[None])[0], 640, 480, margin=1)
    size = (box.x1 - box.x0, box.y1 - box.y0)
    corner = np.float32([box.x0, box.y0, 0])
    _, depth = rasterise(closed(mesh - corner), closed_triangles(), closed(topology().uv), size)
    shown = np.isfinite(depth).astype(np.uint8) * 255
    return picture, faces, SwappedFace(box, shown, mesh, 1)


def enhanced(picture, face, model, *steps, own=None):
    frame = Frame(picture.copy())
    models = Enhancers({"twin": model})
    Enhancer(EnhanceOptions(steps), models).enhance(Canvas(frame), [face], [own])
    return frame.picture


def test_the_catalogue_has_those_of_the_table_and_no_others():
    found = {entry.name: (entry.input.size, entry.input.template) for entry in Catalogue.load().of_kind("enhancer")}
    assert found == TABLE


@pytest.mark.parametrize("name", [name for name in TABLE if TABLE[name][0] <= 1024])
@pytest.mark.slow
def test_every_restorer_is_fed_as_the_table_says(name, shelf, scene):
    """The twin adds a known pattern to what goes in: expected is the table's arithmetic, done here."""
    picture, faces, face = scene
    side, template = TABLE[name]
    restorer = NeuralRestorer(opened(shelf, name))
    crop = crop_of(picture, face.mesh, restorer)
    theirs, _ = aligned(picture, faces.keypoints5[0], TEMPLATES[template], side, restorer.border)
    assert np.abs(crop.picture.astype(int) - theirs).mean() < 1  # five points of the mesh, or the detector's
    share = 0.25 if name == "codeformer" else 1.0
    expected = crop.picture[:, :, ::-1] / 255 + share * twins.known_pattern(side).transpose(1, 2, 0)
    expected = np.clip(expected, 0, 1)[:, :, ::-1] * 255
    found = restorer.restored(crop.picture, 0.75)
    assert np.abs(found - expected).max() < 0.51


def test_codeformers_weight_is_one_number_in_double_precision(shelf, monkeypatch):
    session = opened(shelf, "codeformer")
    seen = {}

    def answers(self, values):
        seen.update(values)
        return [np.zeros((1, 3, 512, 512), np.float32)]

    monkeypatch.setattr(Session, "answers", answers)
    NeuralRestorer(session).restored(np.zeros((512, 512, 3), np.uint8), 0.3)
    assert seen["weight"].dtype == np.float64
    assert seen["weight"].tolist() == [0.3]


def test_one_of_another_size_than_its_entry_says_is_refused(put):
    home, _, _ = put("gfpgan_1.4", twins.restorer_twin(256))
    with pytest.raises(ModelError, match="256"):
        opened(home, "gfpgan_1.4")


class Patterned:
    """Adds the known pattern, as the twin does, without a model."""

    def __init__(self, size=512, template="ffhq_512", share=1.0):
        self.size, self.template, self.share = size, TEMPLATES[template], share
        self.border = (0, 0, 0)
        self.seen = []

    def restored(self, crop, weight):
        self.seen.append(weight)
        added = twins.known_pattern(self.size).transpose(1, 2, 0)[:, :, ::-1] * 255 * self.share
        return np.clip(np.rint(crop + added), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("size", "template"), [(512, "ffhq_512"), (1024, "ffhq_512"), (256, "arcface_128")])
def test_what_it_adds_lies_on_the_face_where_the_field_pastes_it(scene, size, template):
    """The field's way: the crop's inverse, by OpenCV's own warp."""
    picture, _, face = scene
    grey = np.full_like(picture, 128)
    restorer = Patterned(size, template)
    added = enhanced(grey, face, restorer, "twin:1").astype(int) - 128
    transform = similarity(keypoints5(face.mesh[None])[0], restorer.template * size + 0.5)
    pattern = np.ascontiguousarray(twins.known_pattern(size).transpose(1, 2, 0)[:, :, ::-1] * 255)
    pattern = cv2.GaussianBlur(pattern, (0, 0), 0.3 * size / 256)
    half = transform[:, :2] @ [0.5, 0.5] - 0.5
    matrix = np.column_stack([transform[:, :2], transform[:, 2] + half])
    theirs = cv2.warpAffine(pattern, matrix, picture.shape[1::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    box = face.box
    inside = np.zeros(picture.shape[:2], bool)
    whole = cv2.erode(face.shown, np.ones((9, 9), np.uint8)) > 0
    inside[box.y0 : box.y1, box.x0 : box.x1] = whole
    ramp = cv2.warpAffine(
        np.pad(np.ones((size - size // 8, size - size // 8), np.float32), size // 16),
        matrix,
        picture.shape[1::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )
    inside &= ramp > 0.99
    assert inside.sum() > 10_000
    error = np.abs(added - theirs)[inside]
    print(f"{size}: {error.mean():.2f} of {np.abs(theirs)[inside].mean():.2f} grey levels")
    assert error.mean() < 0.12 * np.abs(theirs)[inside].mean()


def test_outside_of_what_was_swapped_nothing_changes(scene):
    picture, _, face = scene
    found = enhanced(picture, face, Patterned(), "twin:1")
    box, outside = face.box, np.ones(picture.shape[:2], bool)
    outside[box.y0 : box.y1, box.x0 : box.x1] = face.shown == 0
    assert np.array_equal(found[outside], picture[outside])
    assert np.abs(found[~outside].astype(int) - picture[~outside]).mean() > 8


def test_what_is_in_front_of_the_face_stays(scene):
    picture, _, face = scene
    held = face.shown.copy()
    held[held.shape[0] // 2 :] = 0  # a hand before the lower half
    found = enhanced(picture, face._replace(shown=held), Patterned(), "twin:1")
    lower = face.box.y0 + held.shape[0] // 2
    assert np.array_equal(found[lower:], picture[lower:])
    assert not np.array_equal(found[:lower], picture[:lower])


def test_half_the_strength_adds_half(scene):
    _, _, face = scene
    grey = np.full((480, 640, 3), 128, np.uint8)
    full, half, none = (enhanced(grey, face, Patterned(), f"twin:{s}").astype(int) - 128 for s in (1, 0.5, 0))
    assert np.abs(half - full / 2).max() <= 0.5
    assert not none.any()


def test_at_no_strength_no_model_runs(scene):
    model = Patterned()
    enhanced(scene[0], scene[2], model, "twin:0")
    assert not model.seen


def test_a_person_has_options_of_their_own(scene):
    picture, _, face = scene
    grey = np.full_like(picture, 128)
    other = face._replace(track_id=2)
    models = Enhancers({"twin": Patterned()})
    for own, expected in ((None, True), (EnhanceOptions(), False), (EnhanceOptions(("twin:1",)), True)):
        frame = Frame(grey.copy())
        Enhancer(EnhanceOptions(("twin:1",)), models).enhance(Canvas(frame), [other], [own])
        assert (frame.picture != 128).any() == expected
    seen = []
    model = Patterned()
    model.restored = lambda crop, weight: seen.append(weight) or crop
    Enhancer(EnhanceOptions(("twin:1",), weight=0.2), Enhancers({"twin": model})).enhance(
        Canvas(Frame(grey.copy())), [face, other], [None, EnhanceOptions(("twin:1",), weight=0.9)]
    )
    assert seen == [0.9, 0.2]


def test_steps_are_done_in_their_order(scene):
    picture, _, face = scene
    first = enhanced(enhanced(picture, face, Patterned(), "sharpen:1"), face, Patterned(), "twin:1")
    both = enhanced(picture, face, Patterned(), "sharpen:1", "twin:1")
    turned = enhanced(picture, face, Patterned(), "twin:1", "sharpen:1")
    assert np.array_equal(first, both)
    assert not np.array_equal(both, turned)


def test_a_face_that_is_finer_than_the_crop_stays_as_fine(scene):
    """A restorer of 64 pixels adds what it adds, and takes nothing away."""
    picture, _, face = scene

    class Idle(Patterned):
        def restored(self, crop, weight):
            return crop

    assert np.array_equal(enhanced(picture, face, Idle(64), "twin:1"), picture)


def test_numbers_that_are_none_add_nothing(scene):
    class Broken(Patterned):
        def restored(self, crop, weight):
            return None

    assert np.array_equal(enhanced(scene[0], scene[2], Broken(), "twin:1"), scene[0])
    assert detail_of(crop_of(scene[0], scene[2].mesh, Broken()), Broken(), 0.5) is None


def test_a_face_at_the_edge_of_the_frame_is_enhanced_as_far_as_it_is_there(scene):
    picture, _, face = scene
    cut = np.ascontiguousarray(picture[:, : (face.box.x0 + face.box.x1) // 2])
    box = face.box.clipped(cut.shape[1], cut.shape[0])
    part = face._replace(box=box, shown=np.ascontiguousarray(face.shown[:, : box.x1 - box.x0]))
    found = enhanced(np.full_like(cut, 128), part, Patterned(), "twin:1")
    whole = enhanced(np.full_like(picture, 128), face, Patterned(), "twin:1")
    assert np.array_equal(found, whole[:, : cut.shape[1]])


@pytest.mark.parametrize("step", ["sharpen", "denoise", "clahe"])
def test_classical_steps_keep_to_the_face_or_take_all_of_the_frame(scene, step):
    picture, _, face = scene
    box, shown = face.box, np.zeros(picture.shape[:2], np.uint8)
    shown[box.y0 : box.y1, box.x0 : box.x1] = face.shown
    face_only = enhanced(picture, face, None, f"{step}:1")
    assert np.array_equal(face_only[shown == 0], picture[shown == 0])
    changed = (face_only != picture).any(axis=2)
    assert changed[shown == 255].mean() > 0.2
    background = enhanced(picture, face, None, f"{step}:1@background")
    assert np.array_equal(background[shown == 255], picture[shown == 255])
    assert (background != picture).any()
    frame = enhanced(picture, face, None, f"{step}:1@frame")
    assert np.array_equal(frame[shown == 0], background[shown == 0])
    half = enhanced(picture, face, None, f"{step}:0.5@frame").astype(int)
    assert np.abs(half - (frame.astype(int) + picture) / 2).max() <= 0.5


def test_each_classical_step_does_what_it_is_called(scene):
    picture, _, face = scene
    box = np.float32(face.box)
    assert sharpness(enhanced(picture, face, None, "sharpen:1"), box, 256) > 1.2 * sharpness(picture, box, 256)
    noisy = np.clip(picture + np.random.default_rng(0).normal(0, 8, picture.shape), 0, 255).astype(np.uint8)
    cleaned = enhanced(noisy, face, None, "denoise:1@frame")
    assert np.abs(cleaned - picture.astype(int)).mean() < 0.8 * np.abs(noisy - picture.astype(int)).mean()
    flat = (110 + (picture - 110.0) * 0.3).astype(np.uint8)
    assert enhanced(flat, face, None, "clahe:1@frame").std() > 1.2 * flat.std()


def test_nobody_is_enhanced_where_nobody_was_swapped(scene):
    frame = Frame(scene[0].copy())
    scale = Enhancer(EnhanceOptions(("twin:1", "sharpen:1")), Enhancers({"twin": Patterned()})).enhance(
        Canvas(frame), [], []
    )
    assert scale == 1
    assert np.array_equal(frame.picture, scene[0])


def test_a_frame_notes_what_was_changed(scene):
    picture, _, face = scene
    frame = replace(Frame(picture.copy()), origin=object())
    Enhancer(EnhanceOptions(("twin:1",)), Enhancers({"twin": Patterned()})).enhance(Canvas(frame), [face], [None])
    assert [change.box for change in frame.changes] == [face.box]
    assert np.array_equal(frame.changes[0].before, picture[face.box.y0 : face.box.y1, face.box.x0 : face.box.x1])


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["no numbers", "one colour", "one colour but for rounding"])
def test_an_answer_that_is_no_picture_restores_nothing(broken, put):
    """Some runtimes turn what is no number into one that is, as where it is cut to a range."""
    graph = twins.GraphWriter()
    mean = graph.node("ReduceMean", "input", axes=[1, 2, 3], keepdims=1)
    dark = graph.node("Sub", graph.constant(np.array(0.26, np.float32)), mean)
    factor = graph.node("Sqrt" if broken == "no numbers" else "Relu", dark)
    if broken == "one colour but for rounding":
        factor = graph.node("Add", factor, graph.constant(np.array(1e-3, np.float32)))
    graph.node("Mul", "input", factor, name="output")
    home, _, _ = put("gfpgan_1.4", graph.finished([("input", (1, 3, 512, 512))], [("output", (1, 3, 512, 512))]))
    restorer = NeuralRestorer(opened(home, "gfpgan_1.4"))
    noise = np.random.default_rng(1).integers(0, 55, (512, 512, 3), np.uint8)
    assert restorer.restored(noise, 0.5) is not None
    assert restorer.restored(noise + 200, 0.5) is None
