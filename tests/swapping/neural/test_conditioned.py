"""A swapper that is made for each person: fed, masked and closed as its authors' convention and this house have it."""

from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import cv2
import numpy as np
import onnx
import pytest

from tests.swapping.neural.conditioned import ENGINE, engine_in, store_of
from understudy.casting.portraits import portrait_in
from understudy.cli.main import main
from understudy.errors import ModelError, UsageError
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.templates import TEMPLATES
from understudy.geometry.topology import keypoints5
from understudy.geometry.transforms import aligned
from understudy.models.devices import RuntimeOptions
from understudy.models.entries import OwnMask
from understudy.models.graphs import with_constants
from understudy.models.opening import Runtime
from understudy.models.store import FOLDER
from understudy.swapping.neural.conditioned import MOST_OPEN, Kernels, PersonalSessions
from understudy.swapping.neural.opacity import opacity
from understudy.swapping.neural.options import NeuralOptions
from understudy.testing import Motion, Puppet, twins
from understudy.testing.twins import GraphWriter

AUTHORS = OwnMask(above=0.001, closed=11, shrunk=11, blurred=7, border=10, border_blurred=11)


@pytest.fixture(scope="module")
def portrait(hopper, perception):
    return portrait_in(hopper, "hopper", perception, None)[0]


@pytest.fixture(scope="module")
def engine(shelf, portrait):
    made = engine_in(shelf)
    return made, made.identity([portrait])


def drawn(engine, shot):
    made, identity = engine
    mesh = shot.mesh[None]
    faces = Faces(np.array([[0, 0, 1, 1]], np.float32), mesh=mesh, keypoints5=keypoints5(mesh), track_ids=np.array([7]))
    return made.renderer().render(Frame(shot.picture.copy(), 0, Fraction(1, 30)), faces, {7: identity})


def noise(size, seed=1):
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize("boost", [1, 2])
def test_a_crop_goes_in_and_comes_out_as_its_authors_say(boost, shelf, portrait):
    """RGB, 0-1, no mean, 224 pixels; the answer is known: the crop, tinted within the twin's own mask."""
    engine = engine_in(shelf, NeuralOptions(boost=boost))
    identity = engine.identity([portrait])
    crop, _ = aligned(portrait.picture, portrait.face.keypoints5[0], TEMPLATES["arcface_112_v2"], twins.SIDE * boost)

    def large(values):
        return np.repeat(np.repeat(values, boost, 0), boost, 1)

    mask = large(twins.known_mask())[..., None]
    brighter = float(identity.values.arrays[-1].ravel()[0]) / 10
    assert brighter != 0
    rgb = crop[:, :, ::-1] / 255
    expected = rgb + mask * (large(twins.known_tint(twins.SIDE).transpose(1, 2, 0)) + brighter)
    shown = engine.swapped(crop, identity.values)
    assert np.abs(shown.picture - np.clip(expected, 0, 1)[:, :, ::-1] * 255).max() <= 0.51
    assert np.array_equal(shown.mask, large(opacity(twins.known_mask(), AUTHORS)))


def theirs(mask):
    """The steps of the authors' own paste, in their order and types."""
    square = cv2.getStructuringElement(cv2.MORPH_RECT, (11, 11))
    mask = np.where(mask > 0.001, np.float32(1), mask)
    mask = cv2.erode(cv2.dilate(mask, square), square, iterations=2)
    border = np.zeros_like(mask)
    border[10:-10, 10:-10] = 1
    return cv2.blur(mask, (7, 7)) * cv2.blur(border, (11, 11))


@pytest.mark.parametrize("seed", range(4))
def test_the_mask_is_its_authors(seed):
    random = np.random.default_rng(seed)
    mask = (cv2.GaussianBlur(random.normal(size=(224, 224)).astype(np.float32), (0, 0), 12) > 0).astype(np.float32)
    mask[random.random(mask.shape) < 0.02] = 0.0009  # below the threshold
    mask[random.random(mask.shape) < 0.02] = 0.002
    made = opacity(mask, AUTHORS)
    kept = np.where(mask <= 0.001, np.float32(0), mask)  # theirs leaves a thousandth of what is below
    assert 0.05 < (made == 255).mean() < 0.95
    assert np.abs(made - theirs(kept) * 255).max() <= 0.51
    assert np.abs(made - theirs(mask) * 255).max() < 1
    assert not made[:5].any()
    assert not made[:, -5:].any()


def test_a_mask_of_nothing_shows_nothing_and_of_all_all_but_the_border():
    assert not opacity(np.zeros((224, 224), np.float32), AUTHORS).any()
    full = opacity(np.ones((224, 224), np.float32), AUTHORS)
    assert (full[15:-15, 15:-15] == 255).all()


@pytest.mark.parametrize("motion", [Motion(), Motion(yaw=20, roll=25)], ids=["rest", "leaning"])
def test_the_patch_is_shown_where_mask_and_face_are_and_lies_in_its_place(motion, engine, astronaut):
    shot = Puppet(astronaut, (480, 480), face_share=0.5).render(motion)
    (patch,) = drawn(engine, shot)
    box = patch.box
    under = shot.picture[box.y0 : box.y1, box.x0 : box.x1].astype(float)
    whole = patch.alpha == 255
    brighter = float(engine[1].values.arrays[-1].ravel()[0]) / 10 * 255
    difference = (patch.picture.astype(float) - under)[whole] - brighter
    fits = under[whole].max(axis=1) < 255 * 0.85 - brighter  # what is cut off at white is not as it was
    assert difference[fits, 2].mean() == pytest.approx(25.5, abs=2)  # red, raised
    assert np.abs(difference[fits, 1]).mean() < 4  # green, as it was
    assert difference[fits, 0].mean() < -10  # blue, taken off
    # The mask leans and shrinks with the face: where the crop's own opacity says so, and on the mesh.
    _, transform = aligned(shot.picture, keypoints5(shot.mesh[None])[0], TEMPLATES["arcface_112_v2"], twins.SIDE)
    y, x = np.mgrid[box.y0 : box.y1, box.x0 : box.x1] + 0.5
    place = np.stack([x, y], -1) @ transform[:, :2].T + transform[:, 2]
    far = (place - np.array([0.5, 0.55]) * twins.SIDE) / (np.array([0.3, 0.4]) * twins.SIDE)
    assert not patch.alpha[np.hypot(far[..., 0], far[..., 1]) > 1.02].any()
    middle = np.hypot(far[..., 0], far[..., 1]) < 0.6
    assert (patch.alpha[middle] == 255).mean() > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_kernels_as_constants_give_what_kernels_that_are_fed_give(threads, put):
    """The whole architecture, with weights drawn by lot."""
    _, store, entry = put(ENGINE, twins.generator_twin())
    random = np.random.default_rng(0)
    kernels = [random.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape) for shape in twins.kernel_shapes()]
    kernels = [one.astype(np.float32) for one in kernels]
    runtime = Runtime(RuntimeOptions(device="cpu", threads=threads, precision="single"))
    fed, baked = runtime.open(store, entry), runtime.open_with(store, entry, kernels)
    assert (len(fed.inputs), baked.inputs) == (19, ["input"])
    picture = random.random((1, 3, 224, 224)).astype(np.float32)
    expected = fed.run(dict(zip(fed.inputs, [picture, *kernels], strict=True)))
    for one, other in zip(baked.run({"input": picture}), expected, strict=True):
        assert one.shape == other.shape
        assert np.ptp(other) > 0.1
        assert np.abs(one - other).max() < 1e-3
    assert runtime.open_with(store, entry, kernels) is not baked


def test_older_files_list_constants_among_their_inputs():
    """As format 3 did: they become constants for good, and nothing else is left to be fed."""
    model = onnx.load_model_from_string(twins.generator_twin())
    model.ir_version = 3
    for tensor in model.graph.initializer:
        model.graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    kernels = {f"kernel_{n}": np.ones(shape, np.float32) for n, shape in enumerate(twins.kernel_shapes())}
    made = with_constants(model, kernels, "a file")
    assert [one.name for one in made.graph.input] == ["input"]
    assert made.ir_version >= 4
    assert len(model.graph.input) > 19  # which is as it was


def reshaped(data, change):
    """A conditioner whose outputs are changed."""
    model = onnx.load_model_from_string(data)
    change(model.graph)
    return model.SerializeToString()


def fewer(graph):
    del graph.output[-1]


def turned(graph):
    """The last kernel, with its first two axes exchanged."""
    last = graph.output[-1]
    for node in graph.node:
        if last.name in node.output:
            node.output[0] = "other"
    graph.node.append(onnx.helper.make_node("Transpose", ["other"], [last.name], perm=[1, 0, 2, 3]))
    sizes = [size.dim_value for size in last.type.tensor_type.shape.dim]
    for axis, size in enumerate((sizes[1], sizes[0])):
        last.type.tensor_type.shape.dim[axis].dim_value = size


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"), [(fewer, "takes 18 kernels, and 17 were made"), (turned, r"takes no kernel_17 in the shape")]
)
def test_kernels_that_do_not_fit_are_an_error_before_the_first_frame(change, said, put, portrait):
    home, _, _ = put("mobilefaceswap_conditioner", reshaped(twins.conditioner_twin(narrower=8), change))
    with pytest.raises(ModelError, match=said) as fault:
        engine_in(home).identity([portrait])
    assert fault.value.exit_code == 5
    assert fault.value.hint


@pytest.mark.slow
def test_a_photo_of_which_the_models_make_no_numbers_is_an_error(put, portrait):
    """They work on noise, and fail on a picture with more contrast than that."""
    graph = GraphWriter()
    mean = graph.node("ReduceMean", "input", axes=[1, 2, 3], keepdims=1)
    rest = graph.node("Sub", "input", mean)
    spread = graph.node("ReduceMean", graph.node("Mul", rest, rest), axes=[1, 2, 3], keepdims=1)
    calm = graph.node("Sqrt", graph.node("Sub", graph.constant(np.array(0.2, np.float32)), spread))
    shape = graph.constant(np.array([1, 1], np.int64))
    graph.node("Add", graph.node("Reshape", calm, shape), graph.weights(1, 512), name="embedding")
    graph.node("Add", calm, graph.weights(1, 512, 7, 7), name="features")
    ends = [("input", (1, 3, 112, 112))], [("embedding", (1, 512)), ("features", (1, 512, 7, 7))]
    home, _, _ = put("mobilefaceswap_identity", graph.finished(*ends))
    with pytest.raises(ModelError, match="no numbers for this photo"):
        engine_in(home).identity([portrait])


@pytest.mark.slow
def test_models_that_do_not_belong_together_are_an_error(put, portrait):
    home, _, _ = put("mobilefaceswap_identity", reshaped(twins.identity_twin(blocks=(1, 1, 1, 1), narrower=8), fewer))
    with pytest.raises(ModelError, match="takes 2 inputs, and of a photo come 1"):
        engine_in(home).identity([portrait])


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["no numbers", "nothing"])
@pytest.mark.parametrize("what", ["output", "mask"])
def test_a_frame_of_no_numbers_or_of_nothing_is_no_face(what, broken, put, portrait, astronaut):
    model = onnx.load_model_from_string(twins.generator_twin(planted=True))
    for node in model.graph.node:
        node.output[:] = ["sound" if name == what else name for name in node.output]
    extra = GraphWriter(within="extra/")
    mean = extra.node("ReduceMean", "input", axes=[1, 2, 3], keepdims=1)
    dark = extra.node("Sub", extra.constant(np.array(0.26, np.float32)), mean)
    if broken == "no numbers":
        nothing = extra.node("Mul", extra.node("Sqrt", dark), extra.constant(np.array(0, np.float32)))
        extra.node("Add", "sound", nothing, name=what)
    else:
        extra.node("Mul", "sound", extra.node("Relu", extra.node("Sign", dark)), name=what)
    made = onnx.load_model_from_string(extra.finished([], []))
    model.graph.node.extend(made.graph.node)
    model.graph.initializer.extend(made.graph.initializer)
    home, _, _ = put(ENGINE, model.SerializeToString())
    engine = engine_in(home)
    identity = engine.identity([portrait])
    assert drawn((engine, identity), Puppet(astronaut, (480, 480), face_share=0.5).render(Motion())) == []
    assert engine.swapped(np.zeros((224, 224, 3), np.uint8), identity.values) is not None


@pytest.mark.slow
def test_a_generator_without_a_mask_is_refused(put, portrait):
    data = reshaped(twins.generator_twin(planted=True), fewer)
    home, _, _ = put(ENGINE, data)
    with pytest.raises(ModelError, match="no mask of 224 pixels"):
        engine_in(home)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilefaceswap_identity", "mobilefaceswap_conditioner"])
def test_no_part_of_it_may_be_missing_or_altered(name, put, hopper_path, tmp_path, capsys):
    home, store, _ = put(ENGINE, twins.generator_twin(planted=True))
    path = store.path(store.catalogue.entries[name])
    data = path.read_bytes()
    path.unlink()  # it is a link to the file of all tests

    def swap():
        words = ["swap", "-s", str(hopper_path), "-t", str(hopper_path), "-o", str(tmp_path / "o.png")]
        return main([*words, "--engine", ENGINE, "--home", str(home), "--consent", "sample"])

    assert swap() == 5
    said = capsys.readouterr().err
    assert f"the model {name} is not here" in said
    assert f"pull --home {home} {ENGINE}" in said
    path.write_bytes(data[:-1] + b"?")
    assert swap() == 5
    assert f"file of {name} is not what it was" in capsys.readouterr().err
    assert not (tmp_path / "o.png").exists()
    assert path.parent == home / FOLDER


@pytest.mark.slow
def test_it_works_from_one_photo_and_has_no_weight(shelf, portrait):
    engine = engine_in(shelf)
    identity = engine.identity([portrait, portrait])
    assert [number for number, _ in identity.dropped] == [1]
    with pytest.raises(UsageError, match="works from the photo"):
        engine_in(shelf, NeuralOptions(weight=0.2))


@pytest.mark.slow
def test_two_people_have_two_faces_and_each_the_same_again(shelf, portrait, astronaut, perception):
    engine = engine_in(shelf)
    one, other = (engine.identity([each]) for each in (portrait, portrait_in(astronaut, "a", perception, None)[0]))
    crop = noise(224)
    first, second = (engine.swapped(crop, who.values).picture for who in (one, other))
    assert not np.array_equal(first, second)
    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(lambda n: engine.swapped(crop, (one, other)[n % 2].values).picture, range(16)))
    assert all(np.array_equal(shown, (first, second)[number % 2]) for number, shown in enumerate(again))


class Opened:
    """In the place of a session."""


def people(count):
    return [Kernels(()) for _ in range(count)]


@pytest.mark.slow
def test_no_more_sessions_are_open_than_may_be_and_those_longest_unused_are_closed():
    alive = weakref.WeakSet()

    def opened(_):
        session = Opened()
        alive.add(session)
        return session

    sessions, who = PersonalSessions(opened), people(MOST_OPEN + 2)
    first = sessions.of(who[0])
    for one in who[1:MOST_OPEN]:
        sessions.of(one)
    assert sessions.of(who[0]) is first  # used anew, so it stays
    del first
    for one in who[MOST_OPEN:]:
        sessions.of(one)
    gc.collect()
    assert len(alive) == MOST_OPEN
    kept = set(map(id, alive))
    assert id(sessions.of(who[0])) in kept
    assert id(sessions.of(who[1])) not in kept
    del sessions
    gc.collect()
    assert len(alive) == 0


def test_the_session_of_somebody_whose_kernels_are_let_go_of_goes_with_them():
    sessions, (one, other) = PersonalSessions(lambda _: Opened()), people(2)
    gone, stays = weakref.ref(sessions.of(one)), sessions.of(other)
    del one
    gc.collect()
    assert gone() is None
    assert sessions.of(other) is stays


def test_two_threads_that_ask_for_one_person_open_it_once_and_wait_for_nobody_elses():
    begun, go, count = threading.Event(), threading.Event(), []

    def opened(_):
        count.append(1)
        if len(count) == 2:
            begun.set()
            assert go.wait(20)
        return Opened()

    sessions, (known, new) = PersonalSessions(opened), people(2)
    there = sessions.of(known)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(sessions.of, new) for _ in range(2)]
        assert begun.wait(20)
        assert sessions.of(known) is there  # while another is being opened
        go.set()
        assert both[0].result(20) is both[1].result(20)
    assert len(count) == 2


def test_one_that_does_not_open_is_not_kept():
    tries = []

    def opened(_):
        tries.append(1)
        if len(tries) == 1:
            raise ModelError("it does not open", "")
        return Opened()

    sessions, (one,) = PersonalSessions(opened), people(1)
    with pytest.raises(ModelError):
        sessions.of(one)
    assert isinstance(sessions.of(one), Opened)


@pytest.mark.slow
def test_the_large_models_are_given_back(shelf, portrait, monkeypatch):
    from understudy.models.session import Session

    alive, start = weakref.WeakSet(), Session.__init__

    def begun(self, entry, *given, **named):
        start(self, entry, *given, **named)
        if entry.name != ENGINE:
            alive.add(self)

    monkeypatch.setattr(Session, "__init__", begun)
    engine = engine_in(shelf)
    assert len(alive) == 0  # nobody was asked for yet
    engine.identity([portrait])
    gc.collect()
    assert len(alive) == 0


def test_the_catalogue_names_all_three(shelf):
    names = [entry.name for entry in store_of(shelf).catalogue.resolved(["realtime"])]
    assert names == ["mobilefaceswap_identity", "mobilefaceswap_conditioner", ENGINE]


def test_its_licence_is_said_plainly_and_asked_about_before_anything_is_fetched(tmp_path, capsys):
    assert main(["models", "pull", "realtime", "--home", str(tmp_path / "home")]) == 4
    said = capsys.readouterr().err
    assert (
        "mobilefaceswap_identity, mobilefaceswap_conditioner, mobilefaceswap_224: code Apache-2.0, weights: none "
        in said
    )
    assert "none stated by their authors" in said
    assert "commercial use: unknown" in said
    assert not list(tmp_path.rglob("*.onnx"))
