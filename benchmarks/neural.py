"""What a neural swap costs beside its model: ``python -m benchmarks.neural [--frames N] [--small]``.

inswapper_128's twin, whole (554 MB, made here; takes 3 GB of memory), one face in 1080p. Each frame runs the bare model
and the whole swap in turn, so that what a shared machine does meanwhile falls on both; medians are compared. Where the
tests' environment with InsightFace's package is there (``.cache``), its own swap with paste-back runs on the same
frames.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from understudy.frames import Frame
from understudy.models.catalogue import Catalogue
from understudy.models.sessions import Runtime
from understudy.models.store import FOLDER, Store
from understudy.pipeline import Settings
from understudy.pipeline.engines import Workshop
from understudy.pipeline.portraits import load_portraits
from understudy.pipeline.stages import FaceSwap
from understudy.provenance import FrameSealer
from understudy.testing import Puppet, portrait, portrait_path, talking, twins

SIZE = (1920, 1080)
#: An own entry of the same name without size and digest: a twin is not the file itself.
ENTRY = """
[[model]]
name = "{name}"
kind = "{kind}"
title = "a twin"
licence = "mit"
needs = {needs}
[model.file]
name = "{file}"
{rest}
"""
SWAPPER = """[model.input]
name = "target"
size = 128
template = "arcface_128"
[model.source]
kind = "emap"
name = "source"
[model.output]"""
EMBEDDER = """[model.input]
size = 112
template = "arcface_112_v2"
mean = 0.5
std = 0.5"""
CLASSIFIER = """[model.input]
size = 384
mean = 0.5
std = 0.5"""
#: Run by the other Python.
THEIRS = """
import sys, time
import numpy as np
from insightface.app.common import Face
from insightface.model_zoo.inswapper import INSwapper
given = np.load(sys.argv[1])
swapper = INSwapper(sys.argv[2])
source = Face(embedding=np.random.default_rng(0).normal(size=512).astype(np.float32))
times = []
for picture, keypoints in zip(given["pictures"], given["keypoints"]):
    begin = time.perf_counter()
    swapper.get(picture, Face(kps=keypoints), source, paste_back=True)
    times.append(time.perf_counter() - begin)
print(sorted(times[1:])[len(times[1:]) // 2])
"""


def stocked(home: Path, *, small: bool) -> Store:
    """A private folder with twins in its store."""
    home.mkdir(mode=0o700)
    channels = (16, 32, 64, 128) if small else twins.INSWAPPER
    made = {
        "arcface_w600k_r50": ("embedder", "w600k_r50.onnx", [], EMBEDDER, twins.arcface_twin()),
        "inswapper_128": (
            "swapper", "inswapper_128.onnx", ["arcface_w600k_r50"], SWAPPER, twins.inswapper_twin(channels)
        ),
        "nsfw_384": ("content", "nsfw_384.onnx", [], CLASSIFIER, twins.classifier_twin()),
    }  # fmt: skip
    text = "".join(
        ENTRY.format(name=name, kind=kind, file=file, needs=str(needs).replace("'", '"'), rest=rest)
        for name, (kind, file, needs, rest, _) in made.items()
    )
    (home / "models.toml").write_text(text)
    store = Store(home / FOLDER, Catalogue.load(home / "models.toml"))
    for name, (*_, data) in made.items():
        part = store.folder("partial") / "x"
        part.write_bytes(data)
        store.add(store.catalogue.entries[name], part, "made here")
    return store


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--small", action="store_true", help="a small twin: to see that it runs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = stocked(Path(folder) / "home", small=options.small)
        settings = Settings(engine="inswapper_128", home=Path(folder) / "home")
        workshop = Workshop(settings)
        perception, engine = workshop.perception(), workshop.engine()
        portraits, _ = load_portraits([portrait_path("hopper")], perception, source_face=None, max_pixels=10**8)
        identity, content = engine.identity(portraits), workshop.content()
        swap = FaceSwap(engine, identity, perception, settings, FrameSealer(1), content, still=False)
        puppet = Puppet(portrait("astronaut"), SIZE, face_share=0.4)
        pictures = [puppet.render(talking(n / 30)).picture for n in range(options.frames)]
        bare = Runtime().open(store, store.catalogue.entries["inswapper_128"])
        noise = np.random.default_rng(0).random((1, 3, 128, 128), np.float32)
        given = {"target": noise, "source": identity.values}
        alone, whole, keypoints = [], [], []
        for number, picture in enumerate(pictures):
            begin = time.perf_counter()
            bare.run(given)
            alone.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            swap.process(Frame(picture.copy(), pts=number * 40))
            whole.append(time.perf_counter() - begin)
            keypoints.append(perception.still(picture).keypoints5[0] - 0.5)  # type: ignore[index]
        # The first two: warming up, and the look at the content that comes once a second.
        model, frame = statistics.median(alone[2:]), statistics.median(whole[2:])
        print(f"inswapper_128's twin{', small' if options.small else ''}, 1080p, one face, on {bare.device}:")
        print(f"  the bare model  {1000 * model:7.1f} ms")
        print(
            f"  a whole frame   {1000 * frame:7.1f} ms   {statistics.median(np.array(whole[2:]) / alone[2:]):.3f} times"
        )
        for stage, times in swap.timings.summary().items():
            print(f"    {stage:12s}  {times['p50']:7.1f} ms")
        version = f"insightface-{sys.version_info[0]}.{sys.version_info[1]}"
        python = Path(__file__).parents[1] / ".cache" / version / "bin" / "python"
        if python.exists():
            file = Path(folder) / "given.npz"
            np.savez(file, pictures=np.stack(pictures), keypoints=np.stack(keypoints))
            words = [str(python), "-c", THEIRS, str(file), str(store.path(bare.entry))]
            theirs = float(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[-1])
            ratio = theirs / frame
            print(f"  InsightFace's swap with paste-back, faces given: {1000 * theirs:.1f} ms, {ratio:.2f} times ours")


if __name__ == "__main__":
    main()
