"""What the mark costs, how faint it is, and what it survives.

``python -m benchmarks.watermark [--clips DIR] [--trials N] [--unmarked N]``: three seconds of every clip in DIR (of a
clip made on the spot without it), each with N ids at different beginnings, of which a third go through every harm and
the others through those that coding alone does; and N unmarked pictures.
"""

from __future__ import annotations

import argparse
import io
import math
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from understudy.arrays import UInt8Array
from understudy.frames import Frame
from understudy.provenance.releasing import new_identifier
from understudy.provenance.watermark import Watermarker, read_mark
from understudy.testing import Puppet, portrait, talking

SECONDS, EVERY = 3.0, 3
Pictures = list[UInt8Array]


def clips(folder: Path | None) -> Iterator[tuple[str, Pictures, float]]:
    """Name, pictures and rate of every clip."""
    for name in ("astronaut", "hopper"):
        puppet = Puppet(portrait(name), (1280, 720), face_share=0.4)
        yield f"puppet {name} 1280x720", [puppet.render(talking(n / 30)).picture for n in range(90)], 30
    for path in sorted(folder.glob("*.mp4")) if folder else ():
        with av.open(str(path)) as container:
            rate = float(container.streams.video[0].average_rate or 30)
            pictures = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
        height, width = pictures[0].shape[:2]
        yield f"{path.stem} {width}x{height}", pictures, rate


def coded(pictures: Pictures, crf: int, rate: float) -> Pictures:
    """The pictures after x264."""
    height, width = (side - side % 2 for side in pictures[0].shape[:2])
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=round(rate), options={"crf": str(crf)})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for picture in pictures:
            even = np.ascontiguousarray(picture[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="bgr24")))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def scaled(scale: float) -> Callable[[Pictures, np.random.Generator], Pictures]:
    """Scaling by that factor."""
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return lambda pictures, _: [
        np.asarray(cv2.resize(p, None, fx=scale, fy=scale, interpolation=way)) for p in pictures
    ]


def cropped(share: float) -> Callable[[Pictures, np.random.Generator], Pictures]:
    """That share of width and height cut off, somewhere."""

    def crop(pictures: Pictures, rng: np.random.Generator) -> Pictures:
        height, width = pictures[0].shape[:2]
        down, across = int(height * share), int(width * share)
        top, left = int(rng.integers(0, down + 1)), int(rng.integers(0, across + 1))
        return [p[top : top + height - down, left : left + width - across] for p in pictures]

    return crop


def shaded(gain: float, offset: float) -> Callable[[Pictures, np.random.Generator], Pictures]:
    """Another brightness or contrast."""
    return lambda pictures, _: [np.clip(p * gain + offset, 0, 255).astype(np.uint8) for p in pictures]


#: What is done, at which CRF, and the share that must be read.
HARMS: dict[str, tuple[Callable[[Pictures, np.random.Generator], Pictures], int, float]] = {
    "CRF 23": (lambda p, _: p, 23, 0.99),
    "CRF 28": (lambda p, _: p, 28, 0.99),
    "CRF 33": (lambda p, _: p, 33, 0.95),
    "scale 0.5, CRF 23": (scaled(0.5), 23, 0.95),
    "scale 0.75, CRF 23": (scaled(0.75), 23, 0.95),
    "scale 1.5, CRF 23": (scaled(1.5), 23, 0.95),
    "crop 25%, CRF 23": (cropped(0.25), 23, 0.95),
    "brightness +30%, CRF 23": (shaded(1.3, 0), 23, 0.95),
    "brightness -30%, CRF 23": (shaded(0.7, 0), 23, 0.95),
    "contrast +30%, CRF 23": (shaded(1.3, -38.4), 23, 0.95),
    "contrast -30%, CRF 23": (shaded(0.7, 38.4), 23, 0.95),
}


def luma(picture: UInt8Array) -> UInt8Array:
    """The luma of BGR."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def marked_parts(pictures: Pictures, rate: float, trials: int) -> Iterator[tuple[Pictures, Pictures, int]]:
    """Parts of a clip with different beginnings, the same marked, and the id."""
    length = round(SECONDS * rate)
    for trial in range(trials):
        begin = int((len(pictures) - length) * trial / max(trials - 1, 1)) if len(pictures) > length else 0
        part, identifier = pictures[begin : begin + length], new_identifier()
        marker = Watermarker(identifier)
        frames = [Frame(picture.copy()) for picture in part]
        for frame in frames:
            marker.mark(frame)
        yield part, [frame.picture for frame in frames], identifier


def survival(folder: Path | None, trials: int) -> None:
    """Print what is read after each harm."""
    rng = np.random.default_rng(1)
    read: dict[str, list[bool]] = defaultdict(list)
    for name, pictures, rate in clips(folder):
        quality = []
        for number, (part, done, identifier) in enumerate(marked_parts(pictures, rate, trials)):
            errors = [np.mean((luma(a).astype(float) - luma(b)) ** 2) for a, b in zip(part, done, strict=True)]
            quality.append(10 * math.log10(255**2 / float(np.mean(errors))))
            for harm, (change, crf, _) in HARMS.items():
                if number % 3 and not harm.startswith("CRF"):
                    continue
                after = coded(change(done, rng), crf, rate)
                found = read_mark(luma(p) for p in after[::EVERY])
                read[harm].append(found is not None and found.identifier == identifier)
            for picture in done[:: max(len(done) // 4, 1)]:
                small = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], 0)
                found = read_mark([np.asarray(small, np.uint8)])
                read["JPEG q50, one picture"].append(found is not None and found.identifier == identifier)
        print(f"  {name:38s} PSNR of luma {statistics.mean(quality):5.1f} dB", flush=True)
    print(f"\n  {'after':26s} {'read':>9s}  {'share':>6s}  goal")
    for harm, results in read.items():
        goal = HARMS[harm][2] if harm in HARMS else 0.9
        print(f"  {harm:26s} {sum(results):4d}/{len(results):4d}  {sum(results) / len(results):6.1%}  {goal:.0%}")


def cost() -> None:
    """Print milliseconds a 720p frame on one core."""
    cv2.setNumThreads(1)
    picture = Puppet(portrait("astronaut"), (1280, 720), face_share=0.4).render(talking(0)).picture
    marker, times = Watermarker(1), []
    for _ in range(120):
        frame = Frame(picture.copy())
        begin = time.perf_counter()
        marker.mark(frame)
        times.append(time.perf_counter() - begin)
    p50, p95 = np.percentile(np.array(times[20:]) * 1000, (50, 95))
    print(f"  one 1280x720 frame on one core: p50 {p50:.1f} ms, p95 {p95:.1f} ms (goal 6)")
    cv2.setNumThreads(-1)


def false_accepts(folder: Path | None, count: int) -> None:
    """Print how many of ``count`` unmarked pictures are taken for marked: crops, turns and noises of all frames."""
    rng, wrong, done = np.random.default_rng(2), 0, 0
    base = [luma(p) for _, pictures, _ in clips(folder) for p in pictures[::9]]
    begin = time.perf_counter()
    while done < count:
        picture = base[int(rng.integers(len(base)))]
        height, width = picture.shape
        size = int(rng.integers(min(128, height, width), min(height, width, 288) + 1))
        top, left = int(rng.integers(0, height - size + 1)), int(rng.integers(0, width - size + 1))
        part = np.rot90(picture[top : top + size, left : left + size], int(rng.integers(4)))
        noisy = part + rng.normal(0, rng.uniform(0, 12), part.shape)
        wrong += read_mark([np.clip(noisy, 0, 255).astype(np.uint8)]) is not None
        done += 1
        if done % 1000 == 0:
            print(f"  … {wrong} of {done}", flush=True)
    print(f"  unmarked pictures taken for marked: {wrong} of {done} ({(time.perf_counter() - begin) / 60:.1f} min)")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path, default=None)
    parser.add_argument("--trials", type=int, default=2)
    parser.add_argument("--unmarked", type=int, default=200)
    asked = parser.parse_args()
    cost()
    if asked.trials:
        survival(asked.clips, asked.trials)
    if asked.unmarked:
        false_accepts(asked.clips, asked.unmarked)


if __name__ == "__main__":
    main()
