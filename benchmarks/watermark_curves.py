"""How far the mark carries: the share that is read over harm, as a picture.

``python -m benchmarks.watermark_curves OUT.svg [--clips DIR] [--trials N]``: three seconds of every clip in DIR and of
two made ones, each with N ids; every point is a share of clips x trials.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.watermark import EVERY, Pictures, clips, coded, cropped, luma, marked_parts, scaled
from understudy.arrays import UInt8Array
from understudy.provenance.watermark import read_mark

Harm = Callable[[Pictures, float, float, np.random.Generator], Pictures]


def _jpeg(pictures: Pictures, quality: float, _rate: float, _rng: np.random.Generator) -> Pictures:
    data = cv2.imencode(".jpg", pictures[0], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
    return [np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)]


#: Name of the axis, values along it, what is done.
AXES: dict[str, tuple[tuple[float, ...], Harm]] = {
    "x264 CRF": ((18, 23, 28, 31, 33, 35, 37, 39), lambda p, x, rate, _: coded(p, int(x), rate)),
    "scale, CRF 23": (
        (0.25, 0.35, 0.5, 0.75, 1.5, 2.0),
        lambda p, x, rate, rng: coded(scaled(x)(p, rng), 23, rate),
    ),
    "% of width and height cut off, CRF 23": (
        (10, 25, 35, 45, 55),
        lambda p, x, rate, rng: coded(cropped(x / 100)(p, rng), 23, rate),
    ),
    "JPEG quality, one picture": ((10, 20, 30, 40, 50, 70, 90), _jpeg),
}


def measured(folder: Path | None, trials: int) -> dict[str, dict[float, list[bool]]]:
    """For every axis and value, whether each trial was read."""
    read: dict[str, dict[float, list[bool]]] = {axis: {x: [] for x in values} for axis, (values, _) in AXES.items()}
    rng = np.random.default_rng(3)
    for name, pictures, rate in clips(folder):
        for _, done, identifier in marked_parts(pictures, rate, trials):
            for axis, (values, harm) in AXES.items():
                for x in values:
                    after: Iterator[UInt8Array] = (luma(p) for p in harm(done, x, rate, rng)[::EVERY])
                    found = read_mark(after)
                    read[axis][x].append(found is not None and found.identifier == identifier)
        print(f"  {name}", flush=True)
    return read


def drawn(read: dict[str, dict[float, list[bool]]]) -> str:
    """The curves as an SVG picture."""
    wide, high, gap = 300, 170, 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * (wide + gap) + 20} {2 * (high + gap) + 20}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for number, (axis, points) in enumerate(read.items()):
        left, top = gap - 10 + (number % 2) * (wide + gap), 20 + (number // 2) * (high + gap)
        low, span = min(points), max(points) - min(points)
        places = [
            (left + (x - low) / span * wide, top + high * (1 - sum(results) / len(results)))
            for x, results in points.items()
        ]
        parts.append(f'<rect x="{left}" y="{top}" width="{wide}" height="{high}" fill="none" stroke="#bbb"/>')
        for share in (0, 0.5, 1):
            y = top + high * (1 - share)
            parts.append(f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{share:.0%}</text>')
        parts.append(f'<text x="{left + wide / 2}" y="{top + high + 34}" text-anchor="middle">{axis}</text>')
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="#1565c0" stroke-width="2"/>')
        for (x, y), value in zip(places, points, strict=True):
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#1565c0"/>')
            parts.append(f'<text x="{x:.1f}" y="{top + high + 16}" text-anchor="middle">{value:g}</text>')
    return "\n".join([*parts, "</svg>\n"])


def main() -> None:
    """Measure and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--clips", type=Path, default=None)
    parser.add_argument("--trials", type=int, default=1)
    asked = parser.parse_args()
    read = measured(asked.clips, asked.trials)
    for axis, points in read.items():
        print(f"  {axis}: " + ", ".join(f"{x:g}: {sum(r)}/{len(r)}" for x, r in points.items()))
    asked.output.write_text(drawn(read), encoding="utf-8")


if __name__ == "__main__":
    main()
