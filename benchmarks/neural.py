"""What a neural swap costs beside its model: ``python -m benchmarks.neural [--frames N] [--small]``.

Whole twins of inswapper_128 (554 MB, made here; takes 3 GB of memory), det_10g, w600k_r50, 2d106det; one face in
1080p. Each frame runs the bare model and the whole swap in turn, so that what a shared machine does meanwhile falls on
both; medians are compared. Where the tests' environment with InsightFace's package is there (``.cache``), its own swap
with paste-back runs on the same frames, with the same files and threads: with the faces given, and with its own app
that looks for them (detection and recognition; and with 106 points and attributes, as it does unless told otherwise).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from understudy import Perception, Settings
from understudy.app import Understudy
from understudy.arrays import FloatArray, UInt8Array
from understudy.casting.assignment import OnePerson
from understudy.casting.portraits import load_portraits
from understudy.face import Faces
from understudy.frames import Frame
from understudy.models.opening import Runtime
from understudy.models.store import Store
from understudy.pipeline.clip import ClipPipeline
from understudy.pipeline.parts import Parts
from understudy.provenance import FrameSealer
from understudy.testing import Puppet, portrait, portrait_path, talking, twins
from understudy.testing.shelf import stock

SIZE = (1920, 1080)
#: Run by the other Python: the median of what a frame takes, with faces given, then by the app in two makes.
THEIRS = """
import sys, time
import numpy as np
from insightface.app import FaceAnalysis
from insightface.app.common import Face
from insightface.model_zoo.inswapper import INSwapper
given = np.load(sys.argv[1])
swapper = INSwapper(sys.argv[2])
source = Face(embedding=np.random.default_rng(0).normal(size=512).astype(np.float32))

def median(work):
    times = []
    for picture, keypoints in zip(given["pictures"], given["keypoints"]):
        begin = time.perf_counter()
        work(picture, keypoints)
        times.append(time.perf_counter() - begin)
    print("took", sorted(times[1:])[len(times[1:]) // 2], flush=True)

median(lambda picture, keypoints: swapper.get(picture, Face(kps=keypoints), source, paste_back=True))
for modules in (["detection", "recognition"], None):
    app = FaceAnalysis(name="twins", root=sys.argv[3], allowed_modules=modules, providers=["CPUExecutionProvider"])
    app.prepare(ctx_id=-1, det_size=(640, 640))

    def looked_for(picture, _):
        (face,) = app.get(picture)
        swapper.get(picture, face, source, paste_back=True)

    median(looked_for)
"""


def stocked(home: Path, faces: Faces, *, small: bool) -> Store:
    """A private folder with twins in its store."""
    assert faces.keypoints5 is not None
    seen = twins.scrfd_answers(faces.boxes_xyxy[0], faces.keypoints5[0], max(SIZE))
    return stock(
        home,
        {
            "scrfd_10g": twins.scrfd_10g_twin(answers=seen),
            "arcface_w600k_r50": twins.arcface_r50_twin(),
            "2d106det": twins.landmark_106_twin(),
            "genderage": twins.points_twin(3, 96),
            "inswapper_128": twins.inswapper_twin((16, 32, 64, 128) if small else twins.INSWAPPER),
            "nsfw_384": twins.classifier_twin(),
        },
    )


def insightface(folder: Path, store: Store, pictures: list[UInt8Array], keypoints: list[FloatArray]) -> list[float]:
    """Seconds a frame of InsightFace's own code: with the face given, lean app, whole app. Empty if it is not here."""
    version = f"insightface-{sys.version_info[0]}.{sys.version_info[1]}"
    python = Path(__file__).parents[1] / ".cache" / version / "bin" / "python"
    if not python.exists():
        return []
    (folder / "models" / "twins").mkdir(parents=True)
    for name in ("scrfd_10g", "arcface_w600k_r50", "2d106det", "genderage"):
        path = store.path(store.catalogue.entries[name])
        os.link(path, folder / "models" / "twins" / path.name)
    file = folder / "given.npz"
    np.savez(file, pictures=np.stack(pictures), keypoints=np.stack(keypoints))
    swapper = store.path(store.catalogue.entries["inswapper_128"])
    words = [str(python), "-c", THEIRS, str(file), str(swapper), str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return [float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("took ")]


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--small", action="store_true", help="a small twin: to see that it runs")
    options = parser.parse_args()
    puppet = Puppet(portrait("astronaut"), SIZE, face_share=0.4)
    pictures = [puppet.render(talking(n / 30)).picture for n in range(options.frames)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = stocked(folder / "home", Perception.embedded().still(pictures[0]), small=options.small)
        settings = Settings(engine="inswapper_128", detector="scrfd_10g", home=folder / "home")
        models = Understudy(settings).resources.models
        engine, embedded = models.engine(settings), Perception.embedded()
        portraits, _ = load_portraits([portrait_path("hopper")], embedded, source_face=None, max_pixels=10**8)
        identity, content = engine.identity(portraits), models.content(settings)
        parts = Parts(engine, models.perception(settings), settings, content, FrameSealer(1))
        pipeline = ClipPipeline(parts, OnePerson(identity))
        bare = Runtime().open(store, store.catalogue.entries["inswapper_128"])
        noise = np.random.default_rng(0).random((1, 3, 128, 128), np.float32)
        given = {"target": noise, "source": identity.values}
        alone, whole, keypoints = [], [], []
        for number, picture in enumerate(pictures):
            begin = time.perf_counter()
            bare.run(given)
            alone.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            pipeline.process(Frame(picture.copy(), pts=number * 40))
            whole.append(time.perf_counter() - begin)
            keypoints.append(embedded.still(picture).keypoints5[0] - 0.5)  # type: ignore[index]
        # The first two: warming up, and the look at the content that comes once a second.
        model, frame = statistics.median(alone[2:]), statistics.median(whole[2:])
        print(f"inswapper_128's twin{', small' if options.small else ''}, 1080p, one face, on {bare.device}:")
        print(f"  the bare model  {1000 * model:7.1f} ms")
        print(
            f"  a whole frame   {1000 * frame:7.1f} ms   {statistics.median(np.array(whole[2:]) / alone[2:]):.3f} times"
        )
        for stage, times in pipeline.tally.timings.summary().items():
            print(f"    {stage:12s}  {times['p50']:7.1f} ms")
        titles = ("with paste-back, the face given", "detection and recognition", "with points and attributes")
        for title, theirs in zip(titles, insightface(folder, store, pictures, keypoints), strict=False):
            print(f"  InsightFace, {title}: {1000 * theirs:.1f} ms, {theirs / frame:.2f} times ours")


if __name__ == "__main__":
    main()
