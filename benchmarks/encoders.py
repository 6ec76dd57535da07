"""What each preset of each encoder costs for the same picture: how a container's usual encoder was chosen and set.

``python -m benchmarks.encoders [--clip FILE ...] [--photo FILE] [--frames N]``

Clips are swapped, and what comes out, label and mark included, is encoded by every preset at several qualities. From
each preset's curve (SSIM of luma, by FFmpeg's filter, over the size) the size is read at which it looks as the
reference does: the first preset of each encoder's list, at ``--quality`` 90. Printed are that size over the
reference's, by how much its crf differs then, and the processor's milliseconds a frame; medians over the clips. A
preset is worth its time if no other is both faster and smaller.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.filter import Graph

from understudy import Perception, Settings
from understudy.casting.assignment import OnePerson
from understudy.casting.portraits import portrait_in
from understudy.frames import Frame
from understudy.media.files import open_source
from understudy.media.files.encoders import ENCODERS
from understudy.pipeline.clip import ClipPipeline
from understudy.testing import Puppet, portrait, talking
from understudy.testing.opened import parts_of

RATE = 30
#: Presets that are tried, by name, with their options; the first is the reference.
PRESETS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "libx264": {
        name: {"preset": name} for name in ("medium", "slow", "fast", "faster", "veryfast", "superfast", "ultrafast")
    },
    "libx265": {
        name: {"preset": name} for name in ("fast", "slow", "medium", "faster", "veryfast", "superfast", "ultrafast")
    },
    "libvpx-vp9": {
        f"{deadline} {speed}": {"deadline": deadline, "cpu-used": speed}
        for deadline, speeds in (("good", "4235"), ("realtime", "5678"))
        for speed in speeds
    },
}
#: Steps of the quality (crf) about the one of ``--quality`` 90.
STEPS = (-6, -3, 0, 3)


class Encoded(NamedTuple):
    """One encoding: bytes, SSIM as decibels of what is lost, and the processor's seconds."""

    size: int
    ssim_db: float
    seconds: float


def swapped(clip: Path | None, photo: Path | None, frames: int) -> list[av.VideoFrame]:
    """Frames of a swap as an encoder gets them: yuv420p."""
    perception = Perception.embedded()
    parts = parts_of(Settings(), perception)
    picture = portrait("hopper") if photo is None else next(iter(open_source(photo))).picture
    pipeline = ClipPipeline(parts, OnePerson(parts.engine.identity([portrait_in(picture, "a", perception, None)[0]])))
    found: list[av.VideoFrame] = []
    for labelled, _ in zip(pipeline.processed(originals(clip)), range(frames), strict=False):
        frame = av.VideoFrame.from_ndarray(labelled.frame.picture, format="bgr24").reformat(format="yuv420p")
        frame.pts, frame.time_base = len(found), Fraction(1, RATE)
        found.append(frame)
    return found


def originals(clip: Path | None) -> Iterator[Frame]:
    """A clip's frames, or a puppet's."""
    if clip is not None:
        with open_source(clip) as source:
            yield from source
        return
    puppet = Puppet(portrait("astronaut"), (1280, 720), face_share=0.5)
    for number in range(10_000):
        yield Frame(puppet.render(talking(number / RATE)).picture, number, Fraction(1, RATE))


def encode(frames: Sequence[av.VideoFrame], encoder: str, options: Mapping[str, str]) -> Encoded:
    """Encode frames, decode them again, and compare."""
    memory = io.BytesIO()
    begun = time.process_time()
    with av.open(memory, "w", format="matroska") as file:
        stream: Any = file.add_stream(encoder, rate=RATE, options=dict(options))
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, "yuv420p"
        size = 0
        for frame in [*frames, None]:
            for packet in stream.encode(frame):
                size += packet.size
                file.mux(packet)
    seconds = time.process_time() - begun
    memory.seek(0)
    with av.open(memory, "r") as file:
        lost = [1 - likeness for likeness in compared(frames, file.decode(video=0))]
    return Encoded(size, -10 * float(np.log10(np.mean(lost))), seconds)


def compared(frames: Sequence[av.VideoFrame], decoded: Iterator[av.VideoFrame]) -> Iterator[float]:
    """SSIM of the luma of each frame."""
    graph, like = Graph(), frames[0]
    sides = [
        graph.add_buffer(width=like.width, height=like.height, format=like.format, time_base=Fraction(1, RATE))
        for _ in range(2)
    ]
    ssim, sink = graph.add("ssim"), graph.add("buffersink")
    for number, side in enumerate(sides):
        side.link_to(ssim, 0, number)
    ssim.link_to(sink)
    graph.configure()
    for number, (before, after) in enumerate(zip(frames, decoded, strict=True)):
        for side, frame in zip(sides, (after, before), strict=True):
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            side.push(frame)
        yield float(sink.pull().metadata["lavfi.ssim.Y"])


def curve(frames: Sequence[av.VideoFrame], encoder: str, preset: str) -> list[Encoded]:
    """One preset at several qualities."""
    usual = ENCODERS[encoder](90, "medium")
    usual |= PRESETS[encoder][preset]
    return [encode(frames, encoder, usual | {"crf": f"{float(usual['crf']) + step:g}"}) for step in STEPS]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, action="append", help="swapped and encoded; a puppet if none is given")
    parser.add_argument("--photo", type=Path, help="whose face; a portrait that a package carries if none is given")
    parser.add_argument("--frames", type=int, default=90)
    parser.add_argument("--encoder", action="append", choices=PRESETS)
    options = parser.parse_args()
    found: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for clip in options.clip or [None]:
        frames = swapped(clip, options.photo, options.frames)
        for encoder in options.encoder or PRESETS:
            reference = None
            for preset in PRESETS[encoder]:
                at = curve(frames, encoder, preset)
                reference = reference or at[STEPS.index(0)]
                sizes = [np.log(one.size) for one in reversed(at)]
                size = np.exp(np.interp(reference.ssim_db, [one.ssim_db for one in reversed(at)], sizes))
                step = float(np.interp(reference.ssim_db, [one.ssim_db for one in reversed(at)], STEPS[::-1]))
                cost = 1000 * statistics.median(one.seconds for one in at) / len(frames)
                found.setdefault((encoder, preset), []).append((float(size) / reference.size, step, cost))
                print(
                    f"{'' if clip is None else clip.name:28s} {encoder:11s} {preset:10s} "
                    f"size at the reference's SSIM {found[encoder, preset][-1][0]:.2f}, {cost:5.1f} ms a frame; "
                    f"for that its crf {step:+.1f}",
                    flush=True,
                )
    print("\nmedians over the clips")
    for (encoder, preset), rows in found.items():
        size, step, cost = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"{encoder:11s} {preset:10s} size {size:.2f}   crf {step:+.1f}   {cost:5.1f} ms a frame")


if __name__ == "__main__":
    main()
