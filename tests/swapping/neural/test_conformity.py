"""The same files and pictures through InsightFace's own code: crops, latents, swaps, boxes and points agree.

Their package clashes with ours (another OpenCV), so it runs in an environment of its own, which is made once. Where it
can't be made these tests are left out; not in CI.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from fractions import Fraction
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from understudy.casting.portraits import portrait_in
from understudy.detection.neural import NeuralDetector
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.templates import TEMPLATES
from understudy.geometry.transforms import aligned, resized
from understudy.landmarks.neural import Attributes, PointFinder
from understudy.models.conventions import blob
from understudy.models.devices import RuntimeOptions
from understudy.models.opening import Runtime
from understudy.settings import Settings
from understudy.testing import REST, Puppet, twins
from understudy.testing.opened import engine_of
from understudy.testing.shelf import stock

#: What the conventions were compared with; OpenCV is the same as here, whose versions sample differently.
OPENCV = metadata.version("opencv-python-headless")
PINNED = ("insightface==2.1", f"onnxruntime=={metadata.version('onnxruntime')}", f"opencv-python=={OPENCV}")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.version_info < (3, 11), reason="their package needs 3.11")]


#: Of a part of the picture: a whole face would be averaged for a model of 96 pixels.
SMALL_BOX = np.array([180, 130, 270, 235], np.float32)


@pytest.fixture(scope="session")
def other_python():
    """A Python that has their package, in a folder that is kept between runs."""
    folder = Path(__file__).parents[3] / ".cache" / f"insightface-{sys.version_info[0]}.{sys.version_info[1]}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    folder.parent.mkdir(exist_ok=True)
    with FileLock(folder.with_name(f"{folder.name}.lock")):  # tests run in several processes
        if not (folder / "done").exists():
            venv.create(folder, with_pip=True, clear=True)
            command = [str(python), "-m", "pip", "install", "-q", *PINNED]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
            if done.returncode != 0:
                assert not os.environ.get("CI"), done.stderr
                pytest.skip("their package can't be installed here")
            (folder / "done").touch()
    return python


def planted():
    """det_10g's ends: three faces, one of which two anchors see, one hardly, and one in the padding's way."""
    answers = {}
    for stride, names in twins.SCRFD_ENDS.items():
        for width, name in zip((1, 4, 10), names, strict=True):
            answers[name] = np.zeros((2 * (640 // stride) ** 2, width), np.float32)
    random = np.random.default_rng(3)

    def plant(stride, row, score):
        scores, boxes, keys = twins.SCRFD_ENDS[stride]
        answers[scores][row] = score
        answers[boxes][row] = random.uniform(1.5, 3.5, 4)
        answers[keys][row] = random.uniform(-2, 2, 10)

    plant(32, 2 * (20 * 5 + 6), 0.91)
    plant(32, 2 * (20 * 5 + 6) + 1, 0.83)  # the same face, by the other anchor
    plant(16, 2 * (40 * 8 + 30) + 1, 0.77)
    plant(8, 2 * (80 * 50 + 12), 0.52)
    plant(8, 2 * (80 * 51 + 70), 0.49)
    return answers


@pytest.fixture(scope="session")
def both(other_python, tmp_path_factory, astronaut, hopper, perception):
    """What theirs and ours are given, and what theirs gives."""
    home = tmp_path_factory.mktemp("conformity") / "home"
    graphs = {
        "scrfd_10g": twins.scrfd_10g_twin(answers=planted()),
        "2d106det": twins.landmark_106_twin(),
        "1k3d68": twins.points_twin(3309),
        "genderage": twins.points_twin(3, 96),
        "arcface_w600k_r50": twins.arcface_r50_twin(),
        "inswapper_128": twins.inswapper_twin((16, 32, 64, 128), blocks=2),
        "nsfw_384": twins.classifier_twin(),
    }
    store = stock(home, graphs)
    shot = Puppet(astronaut, (500, 420), face_share=0.35).render(REST)
    target = portrait_in(shot.picture, "astronaut", perception, None)[0]
    # A face that is more than twice as large as a crop is averaged here and sampled there: that is meant.
    source = portrait_in(resized(hopper, (hopper.shape[1] // 2, hopper.shape[0] // 2)), "hopper", perception, None)[0]
    given = {
        "picture": shot.picture,
        "keypoints": target.face.keypoints5[0] - np.float32(0.5),  # they count from pixels' centres
        "box": target.face.boxes_xyxy[0] - np.float32(0.5),
        "small_box": SMALL_BOX - np.float32(0.5),
        "photo": source.picture,
        "photo_keypoints": source.face.keypoints5[0] - np.float32(0.5),
    }
    np.savez(store.root / "given.npz", **given)
    command = [str(other_python), str(Path(__file__).with_name("theirs.py")), str(store.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return store, target, source, dict(np.load(store.root / "theirs.npz"))


def opened(store, name):
    return Runtime().open(store, store.catalogue.entries[name])


def test_boxes_and_keypoints_are_theirs(both):
    store, target, _, theirs = both
    found = NeuralDetector(opened(store, "scrfd_10g")).detect(target.picture)
    assert len(found) == len(theirs["boxes"]) == 3
    print(f"boxes differ by {np.abs(found.boxes_xyxy - 0.5 - theirs['boxes'][:, :4]).max():.6f} px at most")
    assert np.abs(found.boxes_xyxy - 0.5 - theirs["boxes"][:, :4]).max() < 0.01
    assert np.abs(found.keypoints5 - 0.5 - theirs["keypoints"]).max() < 0.01
    assert found.scores == pytest.approx(theirs["boxes"][:, 4])


@pytest.mark.parametrize(("name", "count", "axes"), [("2d106det", 106, 2), ("1k3d68", 68, 3)])
def test_points_are_theirs(both, name, count, axes):
    store, target, _, theirs = both
    points = PointFinder(opened(store, name)).find(target.picture, target.face.boxes_xyxy[0])
    assert points.shape == theirs[name].shape == (count, axes)
    shifted = points - np.array([0.5, 0.5, 0][:axes])
    print(f"{name}: points differ by {np.abs(shifted - theirs[name]).max():.4f} px at most")
    assert np.ptp(points[:, 0]) > 5
    assert np.abs(shifted - theirs[name]).max() < 0.05


def test_age_and_gender_are_theirs(both):
    store, target, _, theirs = both
    gender, age = Attributes(opened(store, "genderage")).guess(target.picture, SMALL_BOX)
    assert (int(gender == "male"), age) == tuple(theirs["genderage"])


def test_embeddings_and_latents_are_theirs(both):
    store, _, source, theirs = both
    engine = engine_of(Settings(engine="inswapper_128", home=store.root.parent))
    embedding = engine.embed(source.picture, source.face)
    cosine = float(embedding @ theirs["embedding"]) / np.linalg.norm(embedding) / np.linalg.norm(theirs["embedding"])
    latent = engine.identity([source]).values
    print(f"embeddings' cosine {cosine:.6f}; latents differ by {np.abs(latent - theirs['latent']).max():.6f}")
    assert cosine > 0.9999
    assert np.abs(latent - theirs["latent"]).max() < 2e-3


def test_crops_and_blobs_are_theirs_to_within_rounding(both):
    store, target, _, theirs = both
    entry = store.catalogue.entries["inswapper_128"]
    crop, _ = aligned(target.picture, target.face.keypoints5[0], TEMPLATES[entry.input.template], 128)
    print(f"crops differ by {np.abs(crop.astype(int) - theirs['crop']).max()} grey levels at most")
    assert np.abs(crop.astype(int) - theirs["crop"]).max() <= 1
    assert np.abs(blob(theirs["crop"], entry.input) - theirs["blob"]).max() < 1e-6


def test_what_is_pasted_is_theirs(both):
    """Where both show the swap in full. Ours is cut to the face and matched to its light; theirs is a square."""
    store, target, source, theirs = both
    # Theirs is computed in 32 bits, whatever else could run here.
    runtime = RuntimeOptions(precision="single")
    engine = engine_of(Settings(engine="inswapper_128", home=store.root.parent, runtime=runtime))
    identity = engine.identity([source])
    swapped = engine.swapped(theirs["crop"], identity.values).picture
    print(f"swapped crops differ by {np.abs(swapped.astype(int) - theirs['swapped']).mean():.3f} of 255 in the mean")
    assert np.abs(swapped.astype(int) - theirs["swapped"]).mean() < 1  # they cut off, we round
    face = target.face
    faces = Faces(face.boxes_xyxy, face.scores, face.keypoints5, face.mesh, np.array([1]))
    (patch,) = engine.renderer().render(Frame(target.picture.copy(), 0, Fraction(1, 25)), faces, {1: identity})
    box = patch.box
    whole = patch.alpha == 255
    pasted = theirs["pasted"][box.y0 : box.y1, box.x0 : box.x1][whole].astype(int)
    ours = patch.picture[whole].astype(int)
    print(f"pasted pictures differ by {np.abs(ours - pasted).mean():.3f} of 255 in the mean")
    assert whole.sum() > 2000
    assert np.abs(ours - pasted).mean() < 1.5
