"""Models on this CPU by ONNX Runtime and by OpenVINO: ``python -m benchmarks.runtimes [--rounds N] [--small]``.

Twins of inswapper_128, det_10g, w600k_r50 and 2d106det at their published sizes (takes 6 GB of memory). Each round runs
all of them in turn, so that what a shared machine does meanwhile falls on all; ratios are those of the same round. Of
inswapper two variants are made of the demo's two faces: one of every layer that may have 8 bits, and one that keeps
within two grey levels. What they change is measured where a swap pastes it: on the puppets' frames, over all pixels
that the swap changes.

What that shows: the time, which does not depend on weights; and that all that is written, kept, read and chosen fits
together. What it can't show: what 8 bits do to the real model. The twin's weights are drawn by lot, its pictures are
noise at full contrast, and what its first blocks do is made larger by its last ones; learned weights are more patient.
Without the extra ``openvino`` its lines are left out.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from understudy import Settings
from understudy.app import Understudy
from understudy.arrays import UInt8Array
from understudy.casting.portraits import load_portraits
from understudy.cli.demo import sample_pictures
from understudy.frames import Frame
from understudy.models.devices import RuntimeOptions
from understudy.models.openvino_runtime import OpenVino
from understudy.models.optimising import OptimiseOptions
from understudy.models.sessions import Runtime, Session
from understudy.models.store import Store
from understudy.models.trial import noise
from understudy.swapping.neural.engine import NeuralEngine, NeuralIdentity
from understudy.swapping.neural.source import SourceEncoder
from understudy.tasks.optimise import optimise
from understudy.testing import portrait_path, twins
from understudy.testing.shelf import stock

SWAPPER = "inswapper_128"
#: Each by what it is called here.
WAYS = {
    "ONNX Runtime, 32 bits": RuntimeOptions(backend="onnxruntime", precision="single"),
    "ONNX Runtime, 8 bits": RuntimeOptions(backend="onnxruntime", precision="int8"),
    "OpenVINO, 32 bits": RuntimeOptions(backend="openvino", precision="single"),
    "OpenVINO, 16 bits": RuntimeOptions(backend="openvino", precision="half"),
    "OpenVINO, 8 bits": RuntimeOptions(backend="openvino", precision="int8"),
}


def stocked(home: Path, *, small: bool) -> Store:
    """A private folder with twins in its store."""
    return stock(
        home,
        {
            "scrfd_10g": twins.scrfd_10g_twin(),
            "arcface_w600k_r50": twins.arcface_r50_twin(),
            "2d106det": twins.landmark_106_twin(),
            SWAPPER: twins.inswapper_twin((16, 32, 64, 128) if small else twins.INSWAPPER),
        },
    )


def ways() -> dict[str, RuntimeOptions]:
    """Those that are here."""
    return {name: one for name, one in WAYS.items() if one.backend == "onnxruntime" or OpenVino().usable}


def in_turn(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each, a round after the other; the first, to warm up, does not count."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: each[1:] for name, each in times.items()}


def table(title: str, times: dict[str, list[float]]) -> None:
    """Medians, and ratios to the first within each round."""
    print(title)
    first = next(iter(times.values()))
    for name, each in times.items():
        ratio = statistics.median(one / other for one, other in zip(each, first, strict=True))
        print(f"  {name:38s} {1000 * statistics.median(each):8.1f} ms   {ratio:.2f} times the first")


def opened(store: Store, name: str, options: RuntimeOptions) -> Session:
    """A model, opened by itself."""
    return Runtime(options).open(store, store.catalogue.entries[name])


def timed(store: Store, name: str, rounds: int) -> None:
    """Time one model in every way that it can run."""
    sessions = {way: opened(store, name, options) for way, options in ways().items() if options.precision != "int8"}
    given = noise(next(iter(sessions.values())))[0]
    runs: dict[str, Callable[[], object]] = {
        way: lambda one=session: one.run(given)
        for way, session in sessions.items()  # type: ignore[misc]
    }
    table(f"{name}'s twin", in_turn(runs, rounds))


def pasted(session: Session, identity: NeuralIdentity, app: Understudy, pictures: list[UInt8Array]) -> list[UInt8Array]:
    """Each picture with the swap's patches in it, without light or grain: what the model gave, where it goes."""
    assert session.entry.source is not None
    engine = NeuralEngine(session, SourceEncoder(session.entry.source))
    perception, result = app.resources.models.perception(app.settings), []
    for picture in pictures:
        faces = perception.still(picture)
        assert faces.track_ids is not None
        frame = Frame(picture.copy(), pts=0)
        for patch in engine.renderer().render(frame, faces, {int(one): identity for one in faces.track_ids}):
            place = frame.picture[patch.box.y0 : patch.box.y1, patch.box.x0 : patch.box.x1]
            alpha = patch.alpha[:, :, None].astype(np.float32) / 255
            place[:] = np.rint(place * (1 - alpha) + patch.picture * alpha).astype(np.uint8)
        result.append(frame.picture)
    return result


def swapper(store: Store, home: Path, rounds: int) -> None:
    """Make variants, time them, and see what they change."""
    pictures = list(sample_pictures(14))
    settings = Settings(engine=SWAPPER, home=home, runtime=RuntimeOptions(precision="single"))
    with Understudy(settings) as app:
        models = app.resources.models
        portraits, _ = load_portraits(
            [portrait_path("astronaut")], models.perception(settings), source_face=None, max_pixels=10**8
        )
        identity = models.engine(settings).identity(portraits)
        assert isinstance(identity, NeuralIdentity)
        sessions: dict[str, Session] = {}
        for bounds, title in ((OptimiseOptions(error=0.5), "all"), (OptimiseOptions(), "within 2 of 255")):
            record = optimise(store, models, settings, SWAPPER, pictures[:12], "the demo's faces", bounds)
            said = f"{record.layers} layers, {record.left} left; off by {record.error:.2%}, {record.size / 1e6:.0f} MB"
            print(f"8 bits, {title}: {said}")
            for way, options in ways().items():
                if options.precision == "int8":
                    sessions[f"{way}, {title}"] = opened(store, SWAPPER, options)
                elif way not in sessions:
                    sessions[way] = opened(store, SWAPPER, options)
        given = noise(sessions["ONNX Runtime, 32 bits"])[0]
        runs: dict[str, Callable[[], object]] = {
            way: lambda one=session: one.run(given)
            for way, session in sessions.items()  # type: ignore[misc]
        }
        table(f"{SWAPPER}'s twin", in_turn(runs, rounds))
        expected = pasted(sessions["ONNX Runtime, 32 bits"], identity, app, pictures[12:])
        for way, session in sessions.items():
            shown = pasted(session, identity, app, pictures[12:])
            off, over = [], []
            for one, other, before in zip(shown, expected, pictures[12:], strict=True):
                difference = np.abs(one.astype(np.int16) - other)
                changed = (other != before).any(axis=2)
                off.append(float(difference[changed].mean()))
                over.append(float(difference.mean()))
            where = f"{np.mean(off):.2f} of 255 where the swap is, {np.mean(over):.2f} over the frame"
            print(f"  {way:38s} pasted: off by {where}; computed in {session.precision}")


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--small", action="store_true", help="a small twin: to see that it runs")
    options = parser.parse_args()
    if not OpenVino().usable:
        print("OpenVINO is not here: only ONNX Runtime's lines", file=sys.stderr)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        store = stocked(home, small=options.small)
        for model in ("scrfd_10g", "arcface_w600k_r50", "2d106det"):
            timed(store, model, options.rounds)
        swapper(store, home, options.rounds)


if __name__ == "__main__":
    main()
