"""Whether x264 writes the same file again, with this package's settings and without.

``python -m benchmarks.same_again [--clip FILE] [--times N]``

A second and a half of a clip is encoded over and over, in turn by the settings of ``libx264`` as they are, and without
the one that keeps x264 from code for single makes of processors. An encoder is still open when the next one begins, so
that it gets other memory; where none was, all files were the same, even with other processes beside. Printed are how
many differ from the most frequent one, and the medians of time and size. Which part of x264 it is was found by its
``x264-params``: with ``asm=avx2``, ``mbtree=0`` or ``rc-lookahead=0`` all files were the same, too; without adaptive
quantisation, weighted prediction, B-frames or ``8x8dct`` they still differed.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import math
import statistics
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np

from understudy.arrays import UInt8Array
from understudy.media.files import EncodeOptions
from understudy.media.files.encoders import encoder_settings
from understudy.testing import Puppet, portrait, talking

FRAMES = 48


@dataclass
class Encoded:
    """One encoding."""

    encoder: Any
    digest: str
    size: int
    seconds: float


def planes_of(clip: Path | None) -> list[UInt8Array]:
    """The first frames of a clip, or of a puppet that talks, as x264 takes them."""
    if clip is None:
        puppet = Puppet(portrait("astronaut"), (320, 240), face_share=0.5)
        drawn = (puppet.render(talking(number / 30)).picture for number in range(FRAMES))
        frames = [av.VideoFrame.from_ndarray(picture, format="bgr24") for picture in drawn]
    else:
        with av.open(str(clip)) as file:
            frames = list(islice(file.decode(video=0), FRAMES))
    return [np.asarray(frame.reformat(format="yuv420p").to_ndarray(), np.uint8) for frame in frames]


def size_of(frames: Sequence[UInt8Array]) -> tuple[int, int]:
    """Width and height of frames whose planes lie below each other."""
    return frames[0].shape[1], frames[0].shape[0] * 2 // 3


def encoded(frames: Sequence[UInt8Array], settings: Mapping[str, str]) -> Encoded:
    """Frames by x264 with those settings."""
    begun = time.perf_counter()
    digest, size = hashlib.sha256(), 0
    stream: Any = av.open(io.BytesIO(), "w", format="matroska").add_stream("libx264", rate=30, options=dict(settings))
    stream.width, stream.height, stream.pix_fmt = *size_of(frames), "yuv420p"
    for planes in (*frames, None):
        for packet in stream.encode(None if planes is None else av.VideoFrame.from_ndarray(planes, "yuv420p")):
            digest.update(bytes(packet))
            size += packet.size
    return Encoded(stream, digest.hexdigest(), size, time.perf_counter() - begun)


def main() -> None:
    """Encode, compare, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--clip", type=Path, help="without it, a puppet that talks")
    parser.add_argument("--times", type=int, default=300, help="of each")
    options = parser.parse_args()
    frames = planes_of(options.clip)
    ours = encoder_settings("libx264", EncodeOptions(), math.prod(size_of(frames)))
    ways = {"as it is": ours, "without": {name: value for name, value in ours.items() if name != "x264-params"}}
    made: dict[str, list[Encoded]] = {way: [] for way in ways}
    for number in range(options.times * 2):
        way = list(ways)[number % 2]
        made[way].append(encoded(frames, ways[way]))
        for before in made[way][:-1]:
            before.encoder = None
    for way, files in made.items():
        others = options.times - Counter(file.digest for file in files).most_common(1)[0][1]
        took, size = (
            statistics.median(values) for values in zip(*((file.seconds, file.size) for file in files), strict=True)
        )
        print(f"{way:8}  {others:3} of {options.times} files differ   {took:5.3f} s   {size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
