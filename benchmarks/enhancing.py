"""What enhancement costs, as ratios; and whether what a restorer adds flickers.

``python -m benchmarks.enhancing [--frames N] [--layers N] [--clip FILE] [--backend PROGRAM]``

At 1080p, one face. Printed are, of a restorer that takes as long as a real one (a twin; its answer is known, its
weights are not the authors'): the whole step over the bare model; of an upscaler: the tiles and their joining over the
bare model on as many tiles; of the steps without a model: each over the rest of a frame. Then how a clip flickers
(``evaluation.steadiness.flicker``, in grey levels): as it is swapped, with what a restorer makes up added frame by
frame, and with that steadied.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from understudy import EnhanceOptions, Perception, Settings
from understudy.arrays import UInt8Array
from understudy.casting.assignment import OnePerson
from understudy.casting.portraits import portrait_in
from understudy.enhancement import Enhancers
from understudy.enhancement.restorers import NeuralRestorer
from understudy.enhancement.upscalers import TiledUpscaler
from understudy.evaluation.steadiness import Instant, flicker
from understudy.frames import Frame
from understudy.media.files import open_source
from understudy.models.devices import Backend, RuntimeOptions
from understudy.models.opening import Runtime
from understudy.models.session import Session
from understudy.pipeline.clip import ClipPipeline
from understudy.testing import Puppet, portrait, talking, twins
from understudy.testing.opened import parts_of
from understudy.testing.shelf import stock

SIZE = (1920, 1080)
RATE = 25


def opened(folder: Path, graphs: dict[str, bytes], backend: Backend) -> dict[str, Session]:
    """Twins under the names of the field's models, open on the CPU."""
    store, runtime = stock(folder, graphs), Runtime(RuntimeOptions(device="cpu", backend=backend))
    return {name: runtime.open(store, store.catalogue.entries[name]) for name in graphs}


def median(call: Callable[[], object], times: int) -> float:
    """Milliseconds that a call takes; the first does not count."""
    call()
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - begin))
    return statistics.median(taken)


class Swapping:
    """Swaps a face into pictures, with enhancement or without."""

    def __init__(self) -> None:
        self._perception = Perception.embedded()
        self._parts = parts_of(Settings(), self._perception)
        photo, _ = portrait_in(portrait("hopper"), "hopper", self._perception, None)
        self._identity = self._parts.engine.identity([photo])

    def run(
        self, pictures: Sequence[UInt8Array], options: EnhanceOptions, models: Enhancers
    ) -> tuple[list[Instant], dict[str, float]]:
        """What each frame was and became, and the median of each stage's milliseconds."""
        parts = replace(self._parts, settings=Settings(enhance=options), enhancers=models)
        pipeline, instants = ClipPipeline(parts, OnePerson(self._identity)), []
        for number, picture in enumerate(pictures):
            frame = Frame(picture.copy(), pts=number * 1000 // RATE)
            patches = pipeline.swap(frame).patches
            if patches:
                instants.append(Instant(picture, frame.picture, patches[0]))
        return instants, {stage: times["p50"] for stage, times in pipeline.tally.timings.summary().items()}


def costs(swapping: Swapping, sessions: dict[str, Session], frames: int) -> None:
    """Print what the steps cost."""
    puppet = Puppet(portrait("astronaut"), SIZE, face_share=0.4)
    pictures = [puppet.render(talking(number / RATE)).picture for number in range(frames)]
    restorer, upscaler = NeuralRestorer(sessions["gfpgan_1.4"]), TiledUpscaler(sessions["real_esrgan_x2"])
    crop = np.random.default_rng(0).random((1, 3, 512, 512), np.float32)
    bare = median(lambda: sessions["gfpgan_1.4"].run({"input": crop}), 5)
    # Of its own: with a model that does nearly nothing, as a heavy one's time varies by more than that.
    light = NeuralRestorer(sessions["gfpgan_1.3"])
    nearly_none = median(lambda: sessions["gfpgan_1.3"].run({"input": crop}), 20)
    _, stages = swapping.run(pictures, EnhanceOptions(("gfpgan_1.3:1",)), Enhancers({"gfpgan_1.3": light}))
    own = stages["enhance"] - nearly_none
    _, stages = swapping.run(pictures, EnhanceOptions(("gfpgan_1.4:1",)), Enhancers({"gfpgan_1.4": restorer}))
    print(f"restorer, 512 pixels: bare {bare:.0f} ms, the step {stages['enhance']:.0f} ms, of its own {own:.0f} ms")
    print(f"  the step over the bare model      {(bare + own) / bare:.3f}")
    for step in ("sharpen", "denoise", "clahe"):
        for where in ("face", "frame"):
            _, stages = swapping.run(pictures, EnhanceOptions((f"{step}:1@{where}",)), Enhancers())
            own = stages.pop("enhance")
            print(
                f"  {step + '@' + where:16s} over the rest of a frame {own / sum(stages.values()):.2f}  ({own:.1f} ms)"
            )
    tile = np.random.default_rng(0).random((1, 3, 256, 256), np.float32)
    alone = median(lambda: sessions["real_esrgan_x2"].run({"input": tile}), 20)
    # 216 pixels of a tile are new: the rest of its 256 is margin and overlap.
    tiles = -(-(SIZE[0] - 8) // 216) * -(-(SIZE[1] - 8) // 216)
    whole = median(lambda: upscaler.upscaled(pictures[0]), 3)
    print(f"upscaler, {tiles} tiles: bare {alone * tiles:.0f} ms, the step {whole:.0f} ms")
    print(f"  the step over the bare model      {whole / (alone * tiles):.2f} (of a twin that does nearly nothing)")
    print(f"  of its own                        {whole - alone * tiles:.0f} ms a frame")


def steadiness(swapping: Swapping, pictures: Sequence[UInt8Array], session: Session) -> None:
    """Print how a clip flickers."""
    models = Enhancers({"gfpgan_1.4": NeuralRestorer(session)})
    for title, options in (
        ("swapped", EnhanceOptions()),
        ("restored frame by frame", EnhanceOptions(("gfpgan_1.4:1",), seconds=0)),
        ("restored, steadied", EnhanceOptions(("gfpgan_1.4:1",))),
    ):
        before, after = flicker(swapping.run(pictures, options, models)[0])
        print(f"  {title:24s} {after.mean():.2f}   (untouched {before.mean():.2f})")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--layers", type=int, default=20, help="how heavy the restorer is")
    parser.add_argument("--backend", default="onnxruntime", choices=("onnxruntime", "openvino"), help="what runs them")
    parser.add_argument("--clip", type=Path, help="flicker is measured on the first seconds of this video")
    options = parser.parse_args()
    swapping = Swapping()
    with tempfile.TemporaryDirectory() as name:
        graphs = {
            "gfpgan_1.4": twins.restorer_twin(512, layers=options.layers),
            "gfpgan_1.3": twins.restorer_twin(512),
            "real_esrgan_x2": twins.upscaler_twin(2, 256),
        }
        costs(swapping, opened(Path(name, "heavy"), graphs, options.backend), options.frames)
        if options.clip is None:
            puppet = Puppet(portrait("astronaut"), (640, 480), face_share=0.6)
            pictures = [puppet.render(talking(number / RATE)).picture for number in range(4 * options.frames)]
        else:
            with open_source(options.clip) as source:
                pictures = [frame.picture for frame, _ in zip(source, range(4 * options.frames), strict=False)]
        print(f"flicker in grey levels, {options.clip.name if options.clip else 'a puppet that talks'}:")
        noisy = opened(Path(name, "noisy"), {"gfpgan_1.4": twins.restorer_twin(512, noisy=25)}, options.backend)
        steadiness(swapping, pictures, noisy["gfpgan_1.4"])


if __name__ == "__main__":
    main()
