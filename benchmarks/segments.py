"""What working a clip in segments costs, and what is seen of it: ``python -m benchmarks.segments``.

The same clip is swapped in one go and as a job in segments, in turn. Printed are the ratio of the medians, of wall time
and of processor time, and how much the face changes from one frame to the next at joins, over what it does there when
the clip is swapped in one go, and over elsewhere.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from understudy import ConsentClaim, Order, Settings, Understudy
from understudy.jobs.jobs import Jobs
from understudy.jobs.kept import KeptSegments
from understudy.tasks.segments.edges import SegmentOptions
from understudy.tasks.segments.plan import ClipPlan
from understudy.testing import ClipSpec, Puppet, portrait, portrait_path, talking, write_clip


def main() -> None:
    """Run both in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, help="a clip with a face; a puppet talks if there is none")
    parser.add_argument("--photo", type=Path, default=portrait_path("hopper"))
    parser.add_argument("--consent", default="sample")
    parser.add_argument("--seconds", type=int, default=160, help="of the puppet's clip")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--frames", type=int, default=SegmentOptions().frames, help="of a segment")
    given = parser.parse_args()
    options = SegmentOptions(frames=given.frames, fewest=given.frames // 3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = given.clip or _talk(folder / "talk.mp4", given.seconds)
        _compare(folder, clip.absolute(), given.photo.absolute(), given.consent, options, given.rounds)


def _compare(folder: Path, clip: Path, photo: Path, consent: str, options: SegmentOptions, rounds: int) -> None:
    plans: list[ClipPlan] = []
    begin = KeptSegments.begin
    KeptSegments.begin = lambda self, plan: (plans.append(plan), begin(self, plan))[1]  # type: ignore[method-assign]
    took: dict[str, list[tuple[float, float]]] = {"in one go": [], "in segments": []}
    with Understudy(Settings(home=folder / "home")) as app:
        jobs = Jobs(app.resources, app.known, app.settings, options)
        whole, joined = folder / "whole.mp4", folder / "joined.mp4"

        def in_one_go() -> None:
            app.swap(clip, whole, app.person(photo, consent=consent), overwrite=True)

        def in_segments() -> None:
            jobs.add(Order(clip, joined, (photo,), overwrite=True), ConsentClaim(consent))
            assert jobs.run() == 1

        for _ in range(rounds):
            for name, work in (("in one go", in_one_go), ("in segments", in_segments)):
                took[name].append(_timed(work))
        print(f"  {len(plans[-1].segments)} segments of {plans[-1].frames} frames" if plans else "  not cut")
    for kind, of in (("wall", 0), ("processor", 1)):
        one, other = (statistics.median(pair[of] for pair in took[name]) for name in took)
        print(f"  {kind} time: in one go {one:7.2f} s, in segments {other:7.2f} s, ratio {other / one:.3f}")
    if plans:
        _flicker(whole, joined, plans[-1])


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds, and seconds of processors, of all threads."""
    wall, spent = time.perf_counter(), sum(os.times()[:2])
    work()
    return time.perf_counter() - wall, sum(os.times()[:2]) - spent


class _Seen(NamedTuple):
    """What is seen of a file, frame by frame, but for the first.

    Attributes:
        times: When each is shown.
        changes: How much the middle of the picture differs from the frame before.
        keys: Whether it can be decoded by itself: its grain is new then, whatever is in it.
    """

    times: np.ndarray
    changes: np.ndarray
    keys: np.ndarray


def _flicker(whole: Path, joined: Path, plan: ClipPlan) -> None:
    """How much the face changes at joins: over the same frames in one go, and over a file's other key frames."""
    firsts = {segment.first for segment in plan.segments[1:]}
    one, other = _seen(whole), _seen(joined)
    joins = np.isin(one.times, list(firsts))
    plain = ~joins & ~one.keys & ~other.keys
    renewed = {"whole": (one, other, one.keys & ~other.keys), "joined": (other, one, other.keys & ~one.keys & ~joins)}
    grain = sum(seen.changes[at].sum() for seen, _, at in renewed.values())
    grain /= sum(reference.changes[at].sum() for _, reference, at in renewed.values())
    seam = other.changes[joins].sum() / one.changes[joins].sum()
    print(f"  change at {joins.sum()} joins: {seam:.3f} of the same frames in one go, ", end="")
    print(f"at other key frames {grain:.3f} of them where they are none: joins over those {seam / grain:.3f}; ", end="")
    print(f"elsewhere {other.changes[plain].sum() / one.changes[plain].sum():.3f}")


def _seen(path: Path) -> _Seen:
    times, changes, keys = [], [], []
    last = None
    with av.open(str(path)) as file:
        for frame in file.decode(video=0):
            grey = frame.to_ndarray(format="gray")
            height, width = grey.shape
            part = grey[height // 6 : -height // 12, width // 4 : -width // 4].astype(np.float32)
            if last is not None:
                times.append(frame.pts)
                changes.append(float(np.abs(part - last).mean()))
                keys.append(frame.key_frame)
            last = part
    return _Seen(np.array(times), np.array(changes), np.array(keys))


def _talk(path: Path, seconds: int) -> Path:
    puppet = Puppet(portrait("astronaut"), (640, 360), face_share=0.5)
    rendered = [puppet.render(talking(n / 30)).picture for n in range(150)]
    there_and_back = rendered + rendered[-2:0:-1]
    write_clip(path, (there_and_back[n % len(there_and_back)] for n in range(seconds * 30)), ClipSpec())
    return path


if __name__ == "__main__":
    main()
