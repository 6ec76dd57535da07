"""What is said of a swap that is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from understudy.casting.cast import PartList, photos_of
from understudy.casting.person import Person
from understudy.tasks.casting import Settled
from understudy.tasks.opened import Opened


@dataclass(frozen=True)
class SwapReport:
    """What was done.

    Attributes:
        output: The file that was written.
        identifier: Its id, 12 hexadecimal digits: the mark's, the manifest's and the ledger's.
        consents: Ids of the consent records that were relied on.
        target: The file that was swapped.
        sources: The photos.
        engine: Names of the engines.
        kind: ``image``, ``animation`` or ``video``.
        width, height: Of the target, in pixels.
        frames: Frames written; every one of them is labelled.
        frames_swapped: Frames in which a face was swapped.
        people: How many different people were swapped, as far as it is known who is who.
        seconds: Wall time from the first frame to the finished file.
        fps: Frames a second over that time.
        first_frame_seconds: From the start of the call to the first finished frame.
        stages_ms: Median and 95th percentile of each stage's milliseconds a frame.
        notes: What the user should know.
    """

    output: Path
    identifier: str
    consents: tuple[str, ...]
    target: Path
    sources: tuple[Path, ...]
    engine: str
    kind: str
    width: int
    height: int
    frames: int
    frames_swapped: int
    people: int
    seconds: float
    fps: float
    first_frame_seconds: float
    stages_ms: dict[str, dict[str, float]]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """The report as plain values."""
        values = asdict(self)
        values |= {
            "output": str(self.output),
            "target": str(self.target),
            "sources": [str(p) for p in self.sources],
        }
        return values


def report_of(
    cast: Person | PartList,
    output: Path,
    opened: Opened,
    settled: Settled,
    *,
    identifier: str,
    frames: int,
    frames_swapped: int,
    people: int,
    seconds: float,
    first_frame_seconds: float,
    stages_ms: Mapping[str, Mapping[str, float]],
    notes: tuple[str, ...],
) -> SwapReport:
    """The report of a swap.

    Args:
        cast: Whose face; or who gets whose.
        output: The file that was written.
        opened: What was swapped.
        settled: Who got whose face.
        identifier: Its id, 12 hexadecimal digits.
        frames: Frames written.
        frames_swapped: Frames in which a face was swapped.
        people: How many different people were swapped.
        seconds: Wall time from the first frame to the finished file, not rounded; nor is the next.
        first_frame_seconds: From the start of the call to the first finished frame.
        stages_ms: Median and 95th percentile of each stage's milliseconds a frame.
        notes: What the user should know.
    """
    info, seconds = opened.info, max(seconds, 1e-3)
    return SwapReport(
        output=output,
        identifier=identifier,
        consents=settled.consents,
        target=info.path,
        sources=photos_of(cast),
        engine=", ".join(opened.by.engines),
        kind=info.kind.value,
        width=info.width,
        height=info.height,
        frames=frames,
        frames_swapped=frames_swapped,
        people=people,
        seconds=round(seconds, 3),
        fps=round(frames / seconds, 2),
        first_frame_seconds=round(first_frame_seconds, 3),
        stages_ms={stage: dict(times) for stage, times in stages_ms.items()},
        notes=notes,
    )
