"""How pictures and identities go into the models, against what their authors' code does, in closed form."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest

from understudy.casting.portraits import portrait_in
from understudy.errors import ModelError, UsageError
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.templates import TEMPLATES
from understudy.geometry.transforms import aligned, similarity
from understudy.models.catalogue import Catalogue
from understudy.models.conventions import blob, picture_of
from understudy.models.devices import RuntimeOptions
from understudy.models.entries import Output, Picture
from understudy.models.opening import Runtime
from understudy.models.store import FOLDER, Store
from understudy.recognition.arcface import ArcFace, together
from understudy.settings import Settings
from understudy.swapping.base import Portrait
from understudy.swapping.neural.engine import REMEMBERED, NeuralEngine, NeuralIdentity
from understudy.swapping.neural.options import NeuralOptions
from understudy.swapping.neural.source import SourceEncoder
from understudy.testing.opened import engine_of
from understudy.testing.twins import GraphWriter, converter_twin, known_tint

ZERO, HALF, IMAGENET = ((0, 0, 0), (1, 1, 1)), ((0.5,) * 3, (0.5,) * 3), ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
#: The field's table, written down here once more: side, template, what goes in, what comes out.
TABLE = {
    "inswapper_128": (128, "arcface_128", ZERO, ZERO),
    "inswapper_128_fp16": (128, "arcface_128", ZERO, ZERO),
    "hyperswap_1a_256": (256, "arcface_128", HALF, HALF),
    "hyperswap_1b_256": (256, "arcface_128", HALF, HALF),
    "hyperswap_1c_256": (256, "arcface_128", HALF, HALF),
    "ghost_1_256": (256, "arcface_112_v1", HALF, HALF),
    "ghost_2_256": (256, "arcface_112_v1", HALF, HALF),
    "ghost_3_256": (256, "arcface_112_v1", HALF, HALF),
    "simswap_256": (256, "arcface_112_v1", IMAGENET, ZERO),
    "simswap_unofficial_512": (512, "arcface_112_v1", ZERO, ZERO),
    "hififace_unofficial_256": (256, "mtcnn_512", HALF, HALF),
    "blendswap_256": (256, "ffhq_512", ZERO, ZERO),
    "uniface_256": (256, "ffhq_512", HALF, HALF),
}


@pytest.fixture(scope="module")
def portrait(hopper, perception):
    return portrait_in(hopper, "hopper", perception, None)[0]


def opened(home, name):
    store = Store(home / FOLDER, Catalogue.load(home / "models.toml"))
    return Runtime(RuntimeOptions(device="cpu")).open(store, store.catalogue.entries[name])


def noise(size, seed=1):
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)


def test_blobs_are_what_opencv_makes_of_them():
    """InsightFace's way: ``cv2.dnn.blobFromImage``, with the mean in grey levels and one factor."""
    picture = noise(112)
    theirs = cv2.dnn.blobFromImage(picture, 1 / 127.5, (112, 112), (127.5, 127.5, 127.5), swapRB=True)
    ours = blob(picture, Picture(size=112, mean=0.5, std=0.5))
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 1e-6
    theirs = cv2.dnn.blobFromImage(picture, 1 / 128, (112, 112), (127.5, 127.5, 127.5), swapRB=True)
    assert np.abs(blob(picture, Picture(size=112, mean=0.5, std=128 / 255)) - theirs).max() < 1e-6
    theirs = cv2.dnn.blobFromImage(picture, 1 / 255, (112, 112), (0, 0, 0), swapRB=False)
    assert np.abs(blob(picture, Picture(size=112, channels="bgr")) - theirs).max() < 1e-6


def test_each_channel_has_its_own_mean_and_the_layout_is_kept():
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[1, 2] = (10, 20, 30)  # blue, green, red
    how = Picture(size=4, mean=(0.1, 0.2, 0.3), std=(1.0, 2.0, 4.0))
    planes = blob(picture, how)[0]
    assert planes.shape == (3, 4, 6)
    assert planes[:, 1, 2] == pytest.approx([30 / 255 - 0.1, (20 / 255 - 0.2) / 2, (10 / 255 - 0.3) / 4], abs=1e-6)
    rows = blob(picture, how.model_copy(update={"layout": "nhwc"}))[0]
    assert np.array_equal(rows, planes.transpose(1, 2, 0))


def test_what_comes_out_is_rounded_cut_and_in_order():
    values = np.zeros((1, 3, 2, 2), np.float32)
    values[0, 0, 0, 1], values[0, 1, 0, 1], values[0, 2, 0, 1] = 0.2004, 1.7, -0.4
    assert picture_of(values, Output())[0, 1].tolist() == [0, 255, 51]
    assert picture_of(values, Output(mean=0.5, std=0.5))[0, 0].tolist() == [128, 128, 128]
    picture = noise(16)
    for mean, std in ((0.5, 0.5), (0.0, 1.0)):
        back = picture_of(blob(picture, Picture(size=16, mean=mean, std=std)), Output(mean=mean, std=std))
        assert np.array_equal(back, picture)


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_crops_are_what_the_fields_own_code_makes_of_them(template, hopper):
    """There whole numbers are pixels' centres, in keypoints, templates and OpenCV alike."""
    size = 128
    their_points = TEMPLATES[template] * 110 + np.array([230.3, 141.7]) + np.random.default_rng(2).normal(0, 2, (5, 2))
    matrix = similarity(their_points.astype(np.float32), TEMPLATES[template] * size)
    theirs = cv2.warpAffine(hopper, matrix, (size, size), borderValue=0.0)
    ours, _ = aligned(hopper, (their_points + 0.5).astype(np.float32), TEMPLATES[template], size)
    assert np.abs(ours.astype(int) - theirs).max() <= 2  # OpenCV steps by 1/32 of a pixel
    assert np.abs(ours.astype(int) - theirs).mean() < 0.2


@pytest.mark.parametrize("name", [name for name in TABLE if name != "inswapper_128"])  # its twin has no known answer
@pytest.mark.parametrize("boost", [1, 2])
@pytest.mark.slow
def test_every_swapper_is_fed_as_the_table_says(name, boost, shelf, portrait):
    """The twin gives its target with a known tint: expected is the table's arithmetic, done here."""
    side, template, (mean_in, std_in), (mean_out, std_out) = TABLE[name]
    engine = engine_of(Settings(engine=name, home=shelf, neural=NeuralOptions(boost=boost)))
    identity = engine.identity([portrait])
    crop, _ = aligned(portrait.picture, portrait.face.keypoints5[0], TEMPLATES[template], side * boost)
    rgb = crop[:, :, ::-1].astype(np.float64) / 255
    given = (rgb - mean_in) / std_in + np.repeat(np.repeat(known_tint(side), boost, 1), boost, 2).transpose(1, 2, 0)
    first = float(identity.values.ravel()[0])
    assert first != 0
    given += first / 10  # whose face it is counts
    expected = np.clip(given * std_out + mean_out, 0, 1)[:, :, ::-1] * 255
    shown = engine.swapped(crop, identity.values).picture
    assert shown.shape == crop.shape
    assert np.abs(shown - expected).max() <= 0.51


@pytest.mark.slow
def test_inswappers_identity_is_projected_then_brought_to_length_one(shelf, portrait):
    """Against InsightFace's formula: ``latent = normed_embedding @ emap; latent /= norm(latent)``."""
    engine = engine_of(Settings(engine="inswapper_128", home=shelf))
    values = engine.identity([portrait]).values
    raw = engine.embed(portrait.picture, portrait.face)
    latent = (raw / np.linalg.norm(raw)).reshape(1, -1) @ opened(shelf, "inswapper_128").emap
    latent /= np.linalg.norm(latent)
    assert values.shape == (1, 512)
    assert np.abs(values - latent).max() < 1e-6


@pytest.mark.slow
def test_other_identities_are_plain_converted_or_photos(shelf, portrait):
    def values(name):
        return engine_of(Settings(engine=name, home=shelf)).identity([portrait]).values

    plain = engine_of(Settings(engine="hyperswap_1a_256", home=shelf))
    raw = plain.embed(portrait.picture, portrait.face)
    unit = raw / np.linalg.norm(raw)
    assert np.abs(plain.identity([portrait]).values - unit).max() < 1e-6
    import onnx
    from onnx import numpy_helper

    turn = numpy_helper.to_array(onnx.load_model_from_string(converter_twin()).graph.initializer[0])
    assert np.abs(values("ghost_1_256")[0] - raw @ turn).max() < 1e-3 * np.abs(raw).max()  # as it comes
    assert np.linalg.norm(values("simswap_256")) == pytest.approx(1, abs=1e-5)
    assert np.abs(values("simswap_256")[0] - unit @ turn / 2).max() < 1e-5
    for name, size, template, convention in (
        ("blendswap_256", 112, "arcface_112_v2", Picture(size=112)),
        ("uniface_256", 256, "ffhq_512", Picture(size=256)),
    ):
        crop, _ = aligned(portrait.picture, portrait.face.keypoints5[0], TEMPLATES[template], size)
        assert np.array_equal(values(name), blob(crop, convention))


def test_of_two_photos_that_differ_the_first_counts():
    random = np.random.default_rng(0)
    for _ in range(200):
        assert together(random.normal(size=(2, 512)).astype(np.float32)).dropped == (1,)


def directions(*angles):
    made = np.zeros((len(angles), 512), np.float32)
    for row, angle in enumerate(np.radians(angles)):
        made[row, :2] = 20 * (row + 1) * np.array([np.cos(angle), np.sin(angle)])
    return made


@pytest.mark.parametrize(
    ("angles", "dropped"),
    [((0,), ()), ((0, 20), ()), ((0, 90), (1,)), ((0, 10, 100), (2,)), ((100, 0, 10), (0,)), ((0, 10, 20, 170), (3,))],
)
def test_several_photos_are_one_person_and_strangers_are_left_out(angles, dropped):
    person = together(directions(*angles))
    assert person.dropped == dropped
    kept = [angle for number, angle in enumerate(angles) if number not in dropped]
    found = np.degrees(np.arctan2(person.embedding[1], person.embedding[0]))
    assert found == pytest.approx(np.mean(kept), abs=0.5)  # lengths do not count
    assert np.linalg.norm(person.embedding) == pytest.approx(1)


@pytest.mark.parametrize("value", [0, np.nan, np.inf])
def test_an_embedding_without_direction_is_refused(value):
    with pytest.raises(ValueError, match="no direction"):
        together(np.full((2, 512), value, np.float32))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_where_one_photo_is_enough_the_best_is_taken_and_the_others_are_named(shelf, portrait, place):
    """The sharp one, wherever it stands; of those that are equally good the first."""
    entry = Catalogue.load(shelf / "models.toml").entries["uniface_256"]
    encoder = SourceEncoder(entry.source)
    photos = [Portrait(cv2.GaussianBlur(portrait.picture, (0, 0), 6), portrait.face) for _ in range(3)]
    photos[place] = portrait
    encoded = encoder.encode(photos)
    reason = "this engine takes one photo, and another is better"
    assert encoded.dropped == tuple((number, reason) for number in range(3) if number != place)
    np.testing.assert_array_equal(encoded.values, encoder.encode([portrait]).values)
    assert [number for number, _ in encoder.encode([portrait, portrait]).dropped] == [1]


class Noting(NeuralEngine):
    """An engine that notes what goes in for the person."""

    given = None

    def swapped(self, crop, source):
        self.given = source
        return super().swapped(crop, source)


class Embedder:
    """An embedder that says what it is told to say: gets the number of the look, from 1."""

    def __init__(self, answer):
        self.answer, self.asked = answer, 0

    def embed(self, picture, faces):
        self.asked += 1
        return self.answer(self.asked)[None]


@pytest.fixture(scope="module")
def inswapper(shelf):
    return opened(shelf, "inswapper_128")


def mixing(session, weight, embedder):
    encoder = SourceEncoder(session.entry.source, embedder, emap=session.emap)
    return Noting(session, encoder, NeuralOptions(weight=weight))


def rendered_source(engine, identity, picture, face, track=1, renderer=None):
    """What the model is given for the second input when it draws."""
    faces = Faces(face.boxes_xyxy, face.scores, face.keypoints5, face.mesh, np.array([track]))
    (renderer or engine.renderer()).render(Frame(picture.copy(), 0, Fraction(1, 25)), faces, {track: identity})
    return engine.given


def test_weight_mixes_the_targets_identity_in_and_takes_it_off(shelf, inswapper, portrait, astronaut, perception):
    """At 0 the source is 35% the target, at 1 as much is taken off, at one half it is itself."""
    target = perception.still(astronaut)[:1]
    embedder = ArcFace(opened(shelf, "arcface_w600k_r50"))
    plain = mixing(inswapper, 0.5, embedder)
    identity = plain.identity([portrait])
    other = plain.embed(astronaut, target)
    other /= np.linalg.norm(other)
    for weight, share in ((0.0, 0.35), (0.25, 0.175), (1.0, -0.35)):
        mixed = (1 - share) * identity.unit + share * other
        latent = (mixed / np.linalg.norm(mixed)) @ inswapper.emap
        latent /= np.linalg.norm(latent)
        shown = rendered_source(mixing(inswapper, weight, embedder), identity, astronaut, target)
        assert np.abs(shown - latent).max() < 1e-5
    unasked = mixing(inswapper, 0.5, Embedder(lambda _: pytest.fail("it was asked")))
    assert np.array_equal(rendered_source(unasked, identity, astronaut, target), identity.values)


@pytest.fixture
def weighing(inswapper, portrait, astronaut, perception):
    """An engine that mixes, and what it is asked: ``given(embeddings, frames)`` gives what goes in, frame by frame."""
    embedder = Embedder(lambda _: turned(60))
    engine = mixing(inswapper, 0.2, embedder)
    identity, target = engine.identity([portrait]), perception.still(astronaut)[:1]
    embedder.asked, renderer = 0, engine.renderer()

    def given(answer, frames=1, track=1, whose=identity, renderer=renderer):
        embedder.answer = answer
        return [rendered_source(engine, whose, astronaut, target, track, renderer) for _ in range(frames)]

    return engine, given, embedder, identity


def turned(degrees):
    """An embedding, 3 long."""
    vector = np.zeros(512, np.float32)
    vector[:2] = 3 * np.cos(np.radians(degrees)), 3 * np.sin(np.radians(degrees))
    return vector


def test_whom_a_track_shows_is_looked_at_ever_more_rarely_and_averaged(weighing):
    engine, given, embedder, identity = weighing
    shown = given(lambda look: turned(90 if look == 1 else 0), frames=9)
    assert embedder.asked == 4  # frames 1, 2, 4 and 8
    for values, degrees in ((shown[0], [90]), (shown[1], [90, 0]), (shown[8], [90, 0, 0, 0])):
        mean = np.sum([turned(each) for each in degrees], axis=0)
        expected = engine.mixed(identity, mean)
        assert np.abs(values - expected).max() < 1e-6
    assert shown[2] is shown[1]  # nothing is made anew in between
    given(lambda _: turned(0), renderer=engine.renderer())
    assert embedder.asked == 5


def test_a_look_that_tells_nothing_ends_nothing(weighing):
    _, given, _, identity = weighing

    def fails(_):
        raise ModelError("the embedder failed", "")

    for nothing in (fails, lambda _: np.full(512, np.nan, np.float32), lambda _: np.zeros(512, np.float32)):
        assert np.array_equal(given(nothing)[0], identity.values)
    (shown,) = given(lambda _: turned(0))  # the very next frame is looked at again
    assert not np.array_equal(shown, identity.values)
    assert np.isfinite(shown).all()


@pytest.mark.slow
def test_another_identity_is_mixed_with_the_same_target_and_not_all_are_kept(weighing):
    engine, given, embedder, identity = weighing
    (before,) = given(lambda _: turned(0))
    other = NeuralIdentity(-identity.values, (), -identity.unit, identity.length)
    (after,) = given(lambda _: turned(0), whose=other)
    assert not np.array_equal(before, after)
    assert np.abs(after - engine.mixed(other, turned(0))).max() < 1e-6
    renderer = engine.renderer()
    for track in range(REMEMBERED + 2):
        given(lambda _: turned(0), frames=2, track=track, renderer=renderer)

    def looked_at(track):
        """Whether a frame has it looked at: the third of one that is known has not."""
        before = embedder.asked
        given(lambda _: turned(0), track=track, renderer=renderer)
        return embedder.asked > before

    assert [looked_at(track) for track in (2, REMEMBERED + 1, 1, 0)] == [False, False, True, True]


def test_a_photo_can_not_be_weighed(shelf):
    photographic = next(
        entry.name
        for entry in Catalogue.load(shelf / "models.toml").of_kind("swapper")
        if entry.source.picture is not None
    )
    with pytest.raises(UsageError, match="works from the photo"):
        engine_of(Settings(engine=photographic, home=shelf, neural=NeuralOptions(weight=0.2)))
    for wrong in (-0.1, 1.1):
        with pytest.raises(ValueError, match="weight"):
            NeuralOptions(weight=wrong)


@pytest.mark.slow
def test_a_face_that_is_black_but_for_rounding_is_none(put):
    """Numbers that differ and are all far too small, or too large, were drawn as a black or white square."""
    graph = GraphWriter()
    mean = graph.node("ReduceMean", "target", axes=[1, 2, 3], keepdims=1)
    dark = graph.node("Relu", graph.node("Sub", graph.constant(np.array(0.5, np.float32)), mean))
    factor = graph.node("Add", dark, graph.constant(np.array(1e-4, np.float32)))
    graph.node("Add", graph.node("Mul", "target", factor), graph.node("Mul", "source", _zero(graph)), name="output")
    size = (1, 3, 256, 256)
    ends = [("target", size), ("source", size)], [("output", size)]
    engine = engine_of(Settings(engine="blendswap_256", home=put("blendswap_256", graph.finished(*ends))[0]))
    crop = np.random.default_rng(1).integers(0, 55, (256, 256, 3), np.uint8)
    source = np.zeros(size, np.float32)
    assert engine.swapped(crop, source) is not None
    assert engine.swapped(crop + np.uint8(200), source) is None
    assert engine.swapped(np.full_like(crop, 200), source) is None


def _zero(graph):
    return graph.constant(np.array(0, np.float32))
