"""Embedders: one interface for all, and who is who by the network that the package carries."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from understudy import Settings, Understudy
from understudy.errors import UsageError
from understudy.evaluation import open_embedder
from understudy.face import Faces
from understudy.geometry.transforms import crop, similarity
from understudy.models.catalogue import OWN_FILE, Catalogue
from understudy.models.devices import RuntimeOptions
from understudy.models.embedded_onnx import OnnxModel
from understudy.models.opening import Runtime
from understudy.models.store import FOLDER, Store
from understudy.recognition import with_embeddings
from understudy.recognition.arcface import ArcFace
from understudy.recognition.identity import FILE, SAME_PERSON, IdentityNetwork
from understudy.testing.twins import arcface_twin


@pytest.fixture(scope="module")
def network():
    return IdentityNetwork()


@pytest.fixture(scope="module", params=["identity network", "arcface", "ONNX file"])
def embedder(request, network, shelf, tmp_path_factory):
    if request.param == "arcface":
        store = Store(shelf / FOLDER, Catalogue.load(shelf / OWN_FILE))
        return ArcFace(Runtime(RuntimeOptions(device="cpu")).open(store, store.catalogue.entries["arcface_w600k_r50"]))
    if request.param == "ONNX file":
        path = tmp_path_factory.mktemp("embedder") / "own.onnx"
        path.write_bytes(arcface_twin(seed=4))
        return open_embedder(str(path))
    return network


@pytest.fixture(scope="module")
def two(perception, astronaut, hopper):
    """A picture with two people beside each other, and their faces."""
    height = min(len(astronaut), len(hopper))
    picture = np.concatenate([astronaut[:height], hopper[:height]], axis=1)
    faces = perception.still(picture)
    assert len(faces) == 2
    return picture, faces


def moved(faces, x, y=0):
    """The same faces elsewhere, or with numbers that are none."""
    by = np.array([x, y, 0], np.float32)
    return replace(faces, keypoints5=faces.keypoints5 + by[:2], mesh=faces.mesh + by)


def test_each_face_has_a_row_and_the_distance_to_itself_is_none(embedder, two):
    picture, faces = two
    found = embedder.embed(picture, faces)
    assert found.dtype == np.float32
    assert found.ndim == len(found) == 2
    assert np.isfinite(found).all()
    assert embedder.name
    for row in (0, 1):
        near = embedder.distances(found[row], found)
        assert near.shape == (2,)
        assert near.dtype == np.float32
        assert near[row] == pytest.approx(0, abs=1e-3)
        assert near[1 - row] > near[row]
        # Nobody's embedding depends on who else is asked about.
        np.testing.assert_allclose(embedder.embed(picture, faces[row])[0], found[row], atol=1e-6)
    assert embedder.distances(found[0], found)[1] == pytest.approx(embedder.distances(found[1], found)[0], abs=1e-6)
    assert embedder.same_person > 0


def test_nobody_has_no_rows(embedder, two):
    picture, faces = two
    for nobody in (Faces.empty(), faces[:0]):
        found = embedder.embed(picture, nobody)
        assert found.shape == (0, embedder.embed(picture, faces).shape[1])
        assert len(embedder.distances(embedder.embed(picture, faces)[0], found)) == 0


@pytest.mark.parametrize("shift", [np.nan, np.inf, -np.inf, 1e6, -1e6, 1e30])
def test_a_face_of_which_there_is_nothing_to_see_is_told_by_nan(embedder, two, shift):
    picture, faces = two
    both = Faces.concatenate([faces[0], moved(faces[1], shift)])
    found = embedder.embed(picture, both)
    assert np.isnan(found[1]).all()
    np.testing.assert_array_equal(found[0], embedder.embed(picture, faces)[0])
    assert np.isnan(embedder.distances(found[0], found)[1])


@pytest.mark.parametrize("factor", [0, 1e-12, 1e9])
def test_points_in_one_place_or_all_over_the_world_are_no_face(embedder, two, factor):
    picture, faces = two
    scaled = replace(faces, keypoints5=faces.keypoints5 * np.float32(factor), mesh=faces.mesh * np.float32(factor))
    assert np.isnan(embedder.embed(picture, scaled)).all()


def test_faces_without_points_are_refused(embedder, two):
    picture, faces = two
    with pytest.raises(ValueError, match="these have none"):
        embedder.embed(picture, Faces(boxes_xyxy=faces.boxes_xyxy))


def test_several_threads_have_the_same_answers(embedder, two):
    picture, faces = two
    alone = embedder.embed(picture, faces)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: embedder.embed(picture, faces), range(8)):
            np.testing.assert_array_equal(found, alone)


@pytest.mark.parametrize("side", ["left", "right", "bottom"])
def test_a_face_that_the_pictures_edge_cuts_is_still_known(network, perception, astronaut, hopper, side):
    faces = perception.still(hopper)
    left, top, right, bottom = faces.boxes_xyxy[0]
    part, x = {
        "left": (hopper[:, int(0.8 * left + 0.2 * right) :], -int(0.8 * left + 0.2 * right)),
        "right": (hopper[:, : int(0.2 * left + 0.8 * right)], 0),
        "bottom": (hopper[: int(0.2 * top + 0.8 * bottom)], 0),
    }[side]
    cut = network.embed(np.ascontiguousarray(part), moved(faces, x))[0]
    whole = network.embed(hopper, faces)
    stranger = network.embed(astronaut, perception.still(astronaut))
    own, other = network.distances(cut, np.concatenate([whole, stranger]))
    print(f"with a fifth cut off at the {side}: {own:.3f} to herself, {other:.3f} to the other")
    assert own < SAME_PERSON < other


CHANGES = {
    "half the size": lambda picture: cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "turned": lambda picture: cv2.warpAffine(
        picture, cv2.getRotationMatrix2D((picture.shape[1] / 2, picture.shape[0] / 2), 15, 1), picture.shape[1::-1]
    ),
    "mirrored": lambda picture: np.ascontiguousarray(picture[:, ::-1]),
    "darker": lambda picture: (picture * 0.6).astype(np.uint8),
}


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_one_person_is_near_and_another_is_far(network, perception, astronaut, hopper, change):
    embeddings = {}
    for name, picture in (("astronaut", astronaut), ("hopper", hopper)):
        other = CHANGES[change](picture)
        embeddings[name] = [
            with_embeddings(perception.still(one), one, network).embeddings[0] for one in (picture, other)
        ]
    for name, stranger in (("astronaut", "hopper"), ("hopper", "astronaut")):
        first, again = embeddings[name]
        own, *others = network.distances(first, np.stack([again, *embeddings[stranger]]))
        print(f"{name}, {change}: {own:.3f} to herself, {min(others):.3f} to the other")
        assert own < 0.3
        assert min(others) > SAME_PERSON


#: Where dlib's landmarks (shape_predictor_5_face_landmarks) lie in the portraits, and where its crops have them.
DLIBS_POINTS = {
    "astronaut": [(255.6, 104.3), (238.0, 105.0), (195.4, 101.5), (212.6, 103.6), (224.4, 135.1)],
    "hopper": [(323.0, 189.7), (292.0, 190.4), (206.5, 195.1), (238.8, 193.1), (270.5, 252.3)],
}
DLIBS_PLACES = [(110.957, 46.350), (89.606, 47.897), (37.058, 46.373), (58.409, 47.906), (74.011, 87.780)]
#: What dlib itself makes of them: the first five of 128 numbers, and how far apart the two are.
DLIBS_NUMBERS = {
    "astronaut": [-0.0639, 0.0182, 0.0131, -0.0629, -0.1552],
    "hopper": [-0.0552, 0.0308, 0.0643, 0.0742, -0.0452],
}
DLIBS_DISTANCE = 0.688


def test_in_dlibs_own_crops_the_network_gives_what_dlib_gives(astronaut, hopper):
    found = {}
    for name, picture in (("astronaut", astronaut), ("hopper", hopper)):
        places = np.array(DLIBS_PLACES, np.float32) + 0.5
        face = crop(picture, similarity(np.array(DLIBS_POINTS[name], np.float32), places), (150, 150))
        planes = np.ascontiguousarray(face[:, :, ::-1].transpose(2, 0, 1)[None], np.float32)
        found[name] = OnnxModel(FILE).run(planes)[0]
        print(name, np.abs(found[name][:5] - DLIBS_NUMBERS[name]).max())
        assert np.abs(found[name][:5] - DLIBS_NUMBERS[name]).max() < 0.03
    apart = np.linalg.norm(found["astronaut"] - found["hopper"])
    print(f"{apart:.3f} apart; dlib says {DLIBS_DISTANCE}")
    assert apart == pytest.approx(DLIBS_DISTANCE, abs=0.03)


def test_in_our_own_crops_the_distance_is_nearly_dlibs(network, two):
    picture, faces = two
    found = network.embed(picture, faces)
    assert network.distances(found[0], found[1:])[0] == pytest.approx(DLIBS_DISTANCE, abs=0.09)


def test_red_and_blue_are_not_exchanged(network, two):
    picture, faces = two
    right, exchanged = (network.embed(one, faces) for one in (picture, np.ascontiguousarray(picture[:, :, ::-1])))
    assert network.distances(right[0], exchanged)[0] > 0.1


def test_embeddings_are_filled_in_on_demand_only(network, perception, two):
    picture, faces = two
    assert faces.embeddings is None
    known = with_embeddings(faces, picture, network)
    assert known.embeddings.shape == (2, 128)
    np.testing.assert_array_equal(known[1].embeddings[0], known.embeddings[1])
    np.testing.assert_array_equal(known.mesh, faces.mesh)
    assert perception.still(picture).embeddings is None


def test_the_network_is_opened_once_for_everybody_and_given_back():
    with Understudy() as app:
        models = app.resources.models
        assert models.embedder(app.settings) is models.embedder(Settings(detector="another"))
    with pytest.raises(UsageError, match="closed"):
        models.embedder(app.settings)


MEMORY = """
import re, sys
from pathlib import Path
import numpy as np
from understudy.face import Faces
from understudy.geometry.topology import topology
from understudy.recognition.identity import IdentityNetwork

def most():
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])

picture = np.random.default_rng(0).integers(0, 255, (720, 1280, 3), np.uint8)
mesh = (topology().canonical * 60 + [640, 360, 0]).astype(np.float32)
many = Faces(boxes_xyxy=np.tile(np.float32([580, 300, 700, 420]), (100, 1)), mesh=np.tile(mesh, (100, 1, 1)))
empty = most()
network = IdentityNetwork()
network.embed(picture, many[0])
one = most()
assert np.isfinite(network.embed(picture, many)).all()
print((one - empty) // 1024, (most() - one) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read as Linux tells it")
def test_a_hundred_faces_take_no_more_memory_than_one():
    run = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    opened_mb, more_mb = map(int, re.findall(r"\d+", run.stdout))
    print(f"opened and run once: {opened_mb} MB; for a hundred faces {more_mb} MB more")
    assert opened_mb < 80
    assert more_mb < 80  # in one go they would take hundreds; up to some tens are malloc's, when threads meet
