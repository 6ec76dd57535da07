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

With ``--device WORD`` (as of the command line: ``cuda``, ``cuda:1``, ``tensorrt``) the same twins run on that device
instead: in 32 and 16 bits, on new buffers for each run and on buffers that stay (I/O binding), and recorded (a CUDA
graph). What the device does not do, or does not give the same, is left out, and that is said. ``docs/gpu.md`` has the
table to be filled.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from understudy import Settings
from understudy.app import Understudy
from understudy.arrays import UInt8Array
from understudy.casting.portraits import load_portraits
from understudy.cli.demo import sample_pictures
from understudy.errors import UnderstudyError
from understudy.frames import Frame
from understudy.models.devices import RuntimeOptions
from understudy.models.nvidia_smi import list_gpus
from understudy.models.onnx_runtime import ort
from understudy.models.opening import Runtime
from understudy.models.openvino_runtime import OpenVino
from understudy.models.optimising import OptimiseOptions
from understudy.models.session import Session
from understudy.models.store import Store
from understudy.models.trial import noise
from understudy.swapping.neural.engine import NeuralEngine, NeuralIdentity
from understudy.swapping.neural.source import SourceEncoder
from understudy.tasks.optimise import optimise
from understudy.testing import portrait_path, twins
from understudy.testing.shelf import stock

SWAPPER = "inswapper_128"
#: Its channels in a small twin.
SMALL = (16, 32, 64, 128)
OTHERS = ("scrfd_10g", "arcface_w600k_r50", "2d106det")
#: Each by what it is called here.
WAYS = {
    "ONNX Runtime, 32 bits": RuntimeOptions(backend="onnxruntime", precision="single"),
    "ONNX Runtime, 8 bits": RuntimeOptions(backend="onnxruntime", precision="int8"),
    "OpenVINO, 32 bits": RuntimeOptions(backend="openvino", precision="single"),
    "OpenVINO, 16 bits": RuntimeOptions(backend="openvino", precision="half"),
    "OpenVINO, 8 bits": RuntimeOptions(backend="openvino", precision="int8"),
}


def stocked(home: Path, *, small: bool = False) -> Store:
    """A private folder with twins in its store."""
    return stock(
        home,
        {
            "scrfd_10g": twins.scrfd_10g_twin(),
            "arcface_w600k_r50": twins.arcface_r50_twin(),
            "2d106det": twins.landmark_106_twin(),
            SWAPPER: twins.inswapper_twin(SMALL if small else twins.INSWAPPER),
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
    run_in_turn(f"{name}'s twin", sessions, rounds)


def ways_on(device: str, store: Store, halves: Store) -> dict[str, Session]:
    """The swapper on a device, in each way that it can run there; ``halves`` has its file in 16 bits."""

    def way(where: Store, **how: Any) -> Session:  # noqa: ANN401 - options, each of its own type
        return opened(where, SWAPPER, RuntimeOptions(device=device, backend="onnxruntime", **how))

    plain, bound = way(store, precision="single"), way(store, precision="single")
    plain.unbind()
    found = {"32 bits, new buffers each run": plain}
    if bound.binding is not None:
        found["32 bits, buffers that stay"] = bound
    for bits, where, precision in (("32 bits", store, "single"), ("16 bits", halves, "half")):
        for what, recorded in (("buffers that stay", False), ("recorded", True)):
            name = f"{bits}, {what}"
            if name in found:
                continue
            session = way(where, precision=precision, recorded=recorded)
            if session.precision != precision or session.binding is None or session.binding.recorded != recorded:
                print(f"  {name}: not done here; {'; '.join(session.notes) or 'the device does not do that'}")
                continue
            found[name] = session
    return found


def on_device(device: str, folder: Path, rounds: int, *, small: bool) -> None:
    """Time the twins on one device.

    Raises:
        UnderstudyError: it is not there, or runs nothing.
    """
    channels = SMALL if small else twins.INSWAPPER
    store = stock(folder / "home", {SWAPPER: twins.inswapper_twin(channels)}) if small else stocked(folder / "home")
    halves = stock(folder / "halves", {SWAPPER: twins.inswapper_twin(channels, kind=np.float16)})
    for gpu in list_gpus().gpus:
        print(f"GPU {gpu.number}: {gpu.name}, {gpu.memory_mib} MiB, driver {gpu.driver}")
    print(f"{device}, ONNX Runtime {ort.__version__}, Python {platform.python_version()}, {platform.platform()}")
    begin = time.perf_counter()
    opened(store, SWAPPER, RuntimeOptions(device=device, backend="onnxruntime", precision="single"))
    first = time.perf_counter() - begin
    begin = time.perf_counter()
    opened(store, SWAPPER, RuntimeOptions(device=device, backend="onnxruntime", precision="single"))
    print(f"{SWAPPER}'s twin opens in {first:.1f} s, and again in {time.perf_counter() - begin:.1f} s")
    sessions = ways_on(device, store, halves)
    run_in_turn(f"{SWAPPER}'s twin{', small' if small else ''}", sessions, rounds)
    for name in () if small else OTHERS:
        one = opened(store, name, RuntimeOptions(device=device, backend="onnxruntime", precision="single"))
        kept = "new buffers each run" if one.binding is None else "buffers that stay"
        run_in_turn(f"{name}'s twin", {f"32 bits, {kept}": one}, rounds)


def run_in_turn(title: str, sessions: dict[str, Session], rounds: int) -> None:
    """Time sessions that take the same, and print the table."""
    given = noise(next(iter(sessions.values())))[0]
    runs: dict[str, Callable[[], object]] = {
        way: lambda one=session: one.run(given)
        for way, session in sessions.items()  # type: ignore[misc]
    }
    table(title, in_turn(runs, rounds))


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
        run_in_turn(f"{SWAPPER}'s twin", sessions, rounds)
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


def main(words: list[str] | None = None) -> None:
    """Run the comparison; ``words`` is the command line, if not the process'."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--small", action="store_true", help="a small twin: to see that it runs")
    parser.add_argument("--device", help="run them on this device instead: cuda, cuda:1, tensorrt, ...")
    options = parser.parse_args(words)
    if options.device is not None:
        try:
            with tempfile.TemporaryDirectory() as name:
                on_device(options.device, Path(name), options.rounds, small=options.small)
        except (UnderstudyError, ValueError) as fault:
            sys.exit(f"error: {fault}")
        return
    if not OpenVino().usable:
        print("OpenVINO is not here: only ONNX Runtime's lines", file=sys.stderr)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        store = stocked(home, small=options.small)
        for model in OTHERS:
            timed(store, model, options.rounds)
        swapper(store, home, options.rounds)


if __name__ == "__main__":
    main()
