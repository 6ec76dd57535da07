"""What the swapper that is made for each person costs: ``python -m benchmarks.realtime [--backend PROGRAM]``.

Whole twins of mobilefaceswap_224's three models (292 MB, made here), on the CPU. Once for a person:
to open the two large models, to run them, to take what was kept instead, and to make the kernels part of the graph. For
each frame: the generator with kernels that are fed and with kernels that are part of it, in turn, so that what a shared
machine does meanwhile falls on both; then all stages of a 720p frame with one face. Medians, and the least beside them.
With OpenVINO also: the generator with one person's kernels in 8 bits, and what it takes to find these for that person.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from understudy import Perception, Settings
from understudy.arrays import FloatArray
from understudy.casting.assignment import OnePerson
from understudy.casting.portraits import load_portraits
from understudy.frames import Frame
from understudy.models.calibrating import measured
from understudy.models.devices import RuntimeOptions
from understudy.models.ends import ends_of
from understudy.models.graphs import check_graph, with_constants
from understudy.models.opening import Runtime
from understudy.models.openvino_runtime import OpenVino
from understudy.models.quantised import layers, prepared, quantised
from understudy.models.store import Store
from understudy.pipeline.clip import ClipPipeline
from understudy.swapping.base import Portrait
from understudy.testing import Puppet, portrait, portrait_path, talking, twins
from understudy.testing.opened import engine_of, parts_of
from understudy.testing.shelf import stock

ENGINE, IDENTITY, CONDITIONER = "mobilefaceswap_224", "mobilefaceswap_identity", "mobilefaceswap_conditioner"
SIZE = (1280, 720)
#: What a photo's kernels are kept under, here.
DIGEST = "0" * 64
#: What a layer of 8 bits may be off by.
MOST_LOST = 0.03


def timed(work: Callable[..., object], *given: object) -> float:
    """Milliseconds that a call takes."""
    begin = time.perf_counter()
    work(*given)
    return (time.perf_counter() - begin) * 1000


def said(what: str, times: list[float]) -> None:
    """Print the median and the least of some times."""
    print(f"  {what:52s} {statistics.median(times):8.1f} ms   least {min(times):8.1f}")


def once_for_each_person(store: Store, settings: Settings, photo: Portrait, rounds: int) -> None:
    """Print what a person costs, with nothing kept and with kernels that are."""
    entries, random = store.catalogue.entries, np.random.default_rng(0)
    for name, shapes in ((IDENTITY, [(1, 3, 112, 112)]), (CONDITIONER, [(1, 512), (1, 512, 7, 7)])):
        runtime = Runtime(settings.runtime)
        opening = timed(runtime.open, store, entries[name])
        session = runtime.open(store, entries[name])
        values = {end: random.random(shape, np.float32) for end, shape in zip(session.inputs, shapes, strict=True)}
        said(f"{name}, {session.size / 1e6:.1f} MB", [timed(session.run, values) for _ in range(rounds)])
        print(f"    opened and tried in {opening:.0f} ms")
    first = timed(learned, settings, photo)
    print(f"  {'a person of whom nothing is kept':52s} {first:8.1f} ms")
    said("a person whose kernels are kept", [timed(learned, settings, photo) for _ in range(rounds)])


def learned(settings: Settings, photo: Portrait) -> tuple[FloatArray, ...]:
    """A person's kernels, by an engine that is opened anew."""
    found: tuple[FloatArray, ...] = engine_of(settings).identity([photo]).values.arrays
    return found


def for_each_frame(store: Store, photo: Portrait, settings: Settings, rounds: int) -> None:
    """Print what the generator takes, with kernels fed and as constants."""
    entry = store.catalogue.entries[ENGINE]
    kernels = learned(settings, photo)
    picture = np.random.default_rng(0).random((1, 3, 224, 224), np.float32)
    for threads in (1, 2):
        runtime = Runtime(replace(settings.runtime, threads=threads))
        fed = runtime.open(store, entry)
        opening = [timed(runtime.open_with, store, entry, kernels) for _ in range(5)]
        baked = runtime.open_with(store, entry, kernels)
        values, alone = dict(zip(fed.inputs, [picture, *kernels], strict=True)), {baked.target: picture}
        slow, quick = [], []
        for _ in range(rounds):
            slow.append(timed(fed.run, values))
            quick.append(timed(baked.run, alone))
        name = f"{threads} thread{'s' * (threads > 1)}"
        said(f"generator, {name}, kernels fed", slow)
        said(f"generator, {name}, kernels as constants", quick)
        ratio = statistics.median(b / a for a, b in zip(slow, quick, strict=True))
        print(f"    {ratio:.2f} times; made part of it, opened and tried in {statistics.median(opening):.0f} ms")


def eight_bits(store: Store, photo: Portrait, settings: Settings, rounds: int) -> None:
    """Print what the generator with one person's kernels takes in 8 bits, beside 16."""
    data, kernels = store.read(store.catalogue.entries[ENGINE]), learned(settings, photo)
    graph = check_graph(data, ENGINE)
    end, *others = [one.name for one in ends_of(graph).inputs]
    graph = prepared(with_constants(graph, dict(zip(others, kernels, strict=True)), ENGINE), ENGINE)
    pictures = [{end: np.random.default_rng(n).random((1, 3, 224, 224), np.float32)} for n in range(4)]
    begin = time.perf_counter()
    found = {layer: one for layer, one in measured(graph, layers(graph), pictures).items() if one.error <= MOST_LOST}
    print(f"  ranges of {len(found)} layers, found for one person: {1000 * (time.perf_counter() - begin):.0f} ms")
    short = quantised(graph, {layer: one.range for layer, one in found.items()})
    sessions = [
        OpenVino().start(store.catalogue.entries[ENGINE], one.SerializeToString(), ends_of(one), half=True, threads=1)
        for one in (graph, short)
    ]
    times = [[timed(session.run, None, pictures[0]) for session in sessions] for _ in range(rounds + 1)][1:]
    for what, each in zip(("16 bits", "8 bits, the rest in 16"), zip(*times, strict=True), strict=True):
        said(f"generator, 1 thread, {what}", list(each))
    print(f"    {statistics.median(after / before for before, after in times):.2f} times")


def whole_frames(settings: Settings, photo: Portrait, frames: int) -> None:
    """Print what a 720p frame takes, stage by stage."""
    parts = parts_of(settings, Perception.embedded())
    pipeline = ClipPipeline(parts, OnePerson(parts.engine.identity([photo])))
    puppet = Puppet(portrait("astronaut"), SIZE, face_share=0.4)
    pictures = [puppet.render(talking(n / 30)).picture for n in range(frames)]
    times = []
    for number, picture in enumerate(pictures):
        times.append(timed(pipeline.process, Frame(picture, pts=number * 33)))
    said("a 720p frame with one face, all stages", times[2:])
    print(f"    of {frames} frames {pipeline.tally.frames_swapped} were swapped")
    for stage, each in pipeline.tally.timings.summary().items():
        print(f"    {stage:12s} {each['p50']:6.1f} ms   p95 {each['p95']:6.1f}")


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--backend", default="onnxruntime", choices=("onnxruntime", "openvino"), help="what runs them")
    options = parser.parse_args()
    load = f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}"
    print(f"mobilefaceswap_224's twins, {options.backend} on the CPU, {load}")
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        graphs = {
            ENGINE: twins.generator_twin(planted=True),
            IDENTITY: twins.identity_twin(),
            CONDITIONER: twins.conditioner_twin(),
        }
        store = stock(home, graphs)
        settings = Settings(engine=ENGINE, home=home, runtime=RuntimeOptions(device="cpu", backend=options.backend))
        (found,), _ = load_portraits(
            [portrait_path("hopper")], Perception.embedded(), source_face=None, max_pixels=10**8
        )
        photo = replace(found, digest=DIGEST)
        print("once for each person:")
        once_for_each_person(store, settings, photo, min(options.rounds, 10))
        print("for each frame:")
        for_each_frame(store, photo, settings, options.rounds)
        if options.backend == "openvino":
            eight_bits(store, photo, settings, options.rounds)
        whole_frames(settings, photo, options.frames)
    print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
