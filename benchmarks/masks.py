"""What masks cost, and how steady they are: ``python -m benchmarks.masks [--frames N]``.

All sides of a comparison are run in turn on the same frames of a talking puppet whose face is 400 pixels high, and
medians of the frames' times are compared. Models are twins: what is measured of them is what is around the model.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from understudy import MaskOptions, Perception, Settings, Understudy
from understudy.arrays import FloatArray, UInt8Array
from understudy.casting.portraits import portrait_in
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.boxes import bounds_xyxy
from understudy.geometry.templates import TEMPLATES
from understudy.geometry.topology import keypoints5
from understudy.geometry.transforms import similarity
from understudy.guard import unguarded
from understudy.masking.carried import Carried, Reading, flattened
from understudy.models.devices import RuntimeOptions
from understudy.pipeline.compositing import Compositing
from understudy.settings import BlendOptions
from understudy.swapping import MeshEngine
from understudy.testing import Puppet, portrait, talking, twins
from understudy.testing.shelf import stock

#: Of the frames.
SIZE = (1280, 720)
MASKS = {
    "none": MaskOptions(),
    "none, once more": MaskOptions(),
    "eyes": MaskOptions(regions=("eyes",)),
    "keep mouth, feather 0.1": MaskOptions(keep=("mouth",), feather=0.1),
    "box": MaskOptions(box=(0.4, 0, 0, 0)),
    "xseg_1": MaskOptions(occluders=("xseg_1",)),
    "bisenet_resnet_34": MaskOptions(parsers=("bisenet_resnet_34",)),
}
TWINS = {"xseg_1": twins.occluder_twin(), "bisenet_resnet_34": twins.parser_twin()}


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=90)
    count = parser.parse_args().frames
    puppet = Puppet(portrait("astronaut"), SIZE, face_share=400 / 720)
    shots = [puppet.render(talking(n / 30))[:2] for n in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        stock(home, TWINS)
        costs(home, shots)
    flicker(shots)


def costs(home: Path, shots: list[tuple[UInt8Array, FloatArray]]) -> None:
    """Milliseconds a frame from the face's mesh to the finished pixels, and over those without a mask."""
    with Understudy(Settings(home=home)) as app:
        models = app.resources.models.masks(list(MASKS.values()), RuntimeOptions())
        engine, picture = MeshEngine(), portrait("hopper")
        identity = engine.identity([portrait_in(picture, "a photo", Perception.embedded(), None)[0]])
        sides = {
            name: (engine.renderer(), Compositing(BlendOptions(mask=mask), models=models))
            for name, mask in MASKS.items()
        }
        times: dict[str, list[float]] = {name: [] for name in sides}
        for number, (target, mesh) in enumerate(shots):
            faces = Faces(bounds_xyxy(mesh[None]), mesh=mesh[None], track_ids=np.array([1]))
            for name, (renderer, compositing) in sides.items():
                frame = Frame(target.copy(), pts=number, time_base=Fraction(1, 30))
                begin = time.perf_counter()
                compositing.compose(unguarded(frame), renderer.render(frame, faces, {1: identity}))
                times[name].append(1000 * (time.perf_counter() - begin))
        bare = statistics.median(times["none"])
        for name, taken in times.items():
            middle = statistics.median(taken)
            print(f"{name:24s} {middle:6.1f} ms a face, {middle / bare:.2f} of none ({middle - bare:+.2f} ms)")
        crop, runs = np.zeros((256, 256, 3), np.uint8), []
        for _ in range(30):
            begin = time.perf_counter()
            models["xseg_1"].visible(crop, 200.0, MASKS["xseg_1"])
            runs.append(1000 * (time.perf_counter() - begin))
        print(f"{'the twin of xseg_1 alone':24s} {statistics.median(runs):6.1f} ms a run")


def flicker(shots: list[tuple[UInt8Array, FloatArray]]) -> None:
    """The mean change of a mask from frame to frame on the flattened face, of a model whose edge trembles."""
    random = np.random.default_rng(0)
    carried, given, used = Carried(), [], []
    for number, (_, mesh) in enumerate(shots):
        visible = np.ones((256, 256), np.float32)
        visible[round(150 + random.normal(0, 1.2)) :] = 0
        transform = similarity(keypoints5(mesh[None])[0], TEMPLATES["dfl_whole_face"] * 256 + np.float32(0.5))
        reading: Reading = flattened(visible, transform, mesh, SIZE)
        carried.take(reading, number / 30)
        now = carried.now(number / 30)
        assert now is not None
        given.append(reading.visible)
        used.append(now.copy())
    for what, masks in (("as the model gives it", given), ("as it is used", used)):
        change = np.mean([np.abs(after - before).mean() for before, after in pairwise(masks)])
        print(f"flicker of a mask {what:22s} {255 * change:.2f} grey levels")


if __name__ == "__main__":
    main()
