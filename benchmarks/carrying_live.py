"""Live with an engine that is slower than the camera: ``python -m benchmarks.carrying_live [--engine NAME]``.

A clip of one talking face, 720p at 30 fps, x264 over UDP as the sink, and a whole twin of the engine, whose weights are
made up: its time is the real one's, its pictures are not. Printed are the frames a second that are shown, the faces a
second that the engine drew beside them, how old they were when they were shown, and, in the same run, before and
after, how many it draws alone: with as many threads as in the session, and with all cores.

``--waits MS`` takes a stand-in in its place that waits so long for each face and needs no processor, as a model on a
graphics card: then nothing but the session itself could keep it from drawing as many faces as alone.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.carried_standins import StandIn
from benchmarks.live import WARM, made, ticks
from benchmarks.realtime import CONDITIONER, ENGINE, IDENTITY
from understudy import Settings, Understudy
from understudy.arrays import FloatArray, UInt8Array
from understudy.frames import Frame
from understudy.media.live.base import CaptureOptions
from understudy.media.live.broadcast import PushSink
from understudy.media.live.playback import FileSource
from understudy.models.devices import RuntimeOptions
from understudy.models.opening import Runtime
from understudy.models.store import Store
from understudy.swapping import MeshEngine
from understudy.swapping.carried.engine import Carried
from understudy.swapping.neural.options import NeuralOptions
from understudy.testing import portrait_path, twins
from understudy.testing.shelf import stock

#: Seconds over which the engine is run alone.
_ALONE = 6.0


def stocked(home: Path, engine: str, *, small: bool) -> Store:
    """A private folder with a twin of the engine."""
    graphs = {"arcface_w600k_r50": twins.arcface_r50_twin(), "nsfw_384": twins.classifier_twin()}
    if engine == "inswapper_128":
        graphs[engine] = twins.inswapper_twin((16, 32, 64, 128) if small else twins.INSWAPPER)
    elif engine == ENGINE:
        graphs |= {
            IDENTITY: twins.identity_twin(),
            CONDITIONER: twins.conditioner_twin(),
            engine: twins.generator_twin(planted=True),
        }
    else:
        graphs[engine] = twins.swapper_twin(256, (1, 512))
    return stock(home, graphs)


def alone(store: Store, engine: str, threads: int) -> float:
    """Faces a second of the bare model."""
    runtime = Runtime(RuntimeOptions(threads=threads))
    session = runtime.open(store, store.catalogue.entries[engine])
    random = np.random.default_rng(0)
    side = session.entry.input.size
    given = {session.target: random.random((1, 3, side, side), np.float32)}
    given[session.source] = random.normal(size=(1, 512)).astype(np.float32)
    session.run(given)
    begin, runs = time.perf_counter(), 0
    while time.perf_counter() - begin < _ALONE:
        session.run(given)
        runs += 1
    rate = runs / (time.perf_counter() - begin)
    runtime.close()
    return rate


def in_place(app: Understudy, milliseconds: float) -> None:
    """Have a stand-in drawn that waits: it gives the target's own face back."""

    def draw(frame: Frame, _: FloatArray) -> UInt8Array:
        time.sleep(milliseconds / 1000)
        return frame.picture

    engine = Carried(StandIn(draw), MeshEngine(), "a stand-in")
    app.resources.models.engine = lambda _: engine  # type: ignore[method-assign]


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="inswapper_128")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--small", action="store_true", help="a small twin of inswapper_128")
    parser.add_argument("--refresh", type=int, default=None, help="1: in every frame, as without carrying")
    parser.add_argument("--waits", type=float, default=None)
    asked = parser.parse_args()
    cores = os.cpu_count() or 1
    # What is made for each person runs with that person's kernels: benchmarks.realtime has its times.
    counts = [] if asked.waits or asked.engine == ENGINE else sorted({max(cores - 1, 1), cores})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = stocked(folder / "home", asked.engine, small=asked.small or asked.waits is not None)
        clip = made(folder / "one.mp4", 1)
        before = {threads: alone(store, asked.engine, threads) for threads in counts}
        settings = Settings(engine=asked.engine, home=folder / "home", neural=NeuralOptions(refresh=asked.refresh))
        with Understudy(settings) as app:
            if asked.waits:
                in_place(app, asked.waits)
            report(app, clip, asked.seconds, asked.engine if asked.waits is None else "a stand-in")
        after = {threads: alone(store, asked.engine, threads) for threads in counts}
        for threads in counts:
            rates = f"{before[threads]:.2f} before, {after[threads]:.2f} after"
            print(f"  the model alone, threads {threads}: {rates} a second")
        if asked.waits:
            print(f"  the stand-in alone: {1000 / asked.waits:.2f} a second")


def report(app: Understudy, clip: Path, seconds: float, name: str) -> None:
    """Run a session and print what it did."""
    session = app.live(
        app.person(portrait_path("hopper"), consent="sample"),
        FileSource(clip, CaptureOptions(loop=True)),
        [lambda _: PushSink("udp://127.0.0.1:9")],
    )
    session.start()
    session.wait(WARM)
    first, begun, rates = session.statistics(), ticks(), []
    until = time.monotonic() + seconds
    while time.monotonic() < until and not session.wait(2.5):
        rates.append(session.statistics().neural_fps or 0.0)
    last, ended = session.statistics(), ticks()
    session.stop()
    took = last.seconds - first.seconds
    written = [sum(int(str(sink["written"])) for sink in found.sinks.values()) for found in (first, last)]
    print(f"{name} live, 720p, one face, {os.cpu_count()} cores, {took:.0f} s; load {os.getloadavg()[0]:.1f}")
    print(f"  shown {(written[1] - written[0]) / took:.1f} fps, latency before the encoder, ms: {last.latency_ms}")
    print(f"  drops: {dict(last.drops)}")
    print(f"  faces drawn by the model: {np.mean(rates):.2f} a second; age of what is shown, ms: {last.texture_age_ms}")
    for stage, times in last.stages_ms.items():
        print(f"    {stage:9s} p50 {times['p50']:6.2f} ms   p95 {times['p95']:6.2f} ms")
    print(f"  taken by the host: {(ended[1] - begun[1]) / max(ended[0] - begun[0], 1):.0%}")
    print("  events:", *last.events, sep="\n    ")


if __name__ == "__main__":
    main()
