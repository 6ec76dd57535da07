"""What came of a segment, and of several together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from understudy.media.base import Damage
from understudy.swapping.carried.running import Summary


@dataclass(frozen=True)
class SegmentReport:
    """What came of a segment. Plain data.

    Attributes:
        index: Its place in the plan.
        sha256: Of its file.
        frames: Frames sealed.
        frames_swapped: Frames in which a face was swapped.
        known: People who were swapped, by their number in the plan.
        unknown: How many more were.
        looks: How often the content was looked at.
        hashes: Perceptual hashes, each with its time in seconds.
        carried: How often a slow engine ran: see ``Summary``.
        stages_ms: See ``SwapReport``.
        seconds: Wall time.
        damage: Where the clip was unreadable, and why; None if it was not.
        remarks: What the user should know of how the clip was read.
    """

    index: int
    sha256: str
    frames: int
    frames_swapped: int
    known: tuple[int, ...]
    unknown: int
    looks: int
    hashes: tuple[tuple[float, str], ...]
    carried: Summary
    stages_ms: Mapping[str, Mapping[str, float]]
    seconds: float
    damage: tuple[float, str] | None
    remarks: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> SegmentReport:
        """The report that ``as_json`` gave.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        given = {field.name: values[field.name] for field in fields(cls)}
        runs, shown, own, age, *missed = given["carried"]  # the last of newer reports only
        damage = given["damage"]
        return cls(
            **given
            | {
                "known": tuple(map(int, given["known"])),
                "hashes": tuple((float(seconds), str(text)) for seconds, text in given["hashes"]),
                "carried": Summary(
                    int(runs), int(shown), int(own), None if age is None else (age[0], age[1]), sum(map(int, missed))
                ),
                "damage": None if damage is None else (float(damage[0]), str(damage[1])),
                "remarks": tuple(map(str, given["remarks"])),
            }
        )


@dataclass(frozen=True)
class Together:
    """What came of all segments of a clip.

    Attributes:
        of: Of each, in order.
    """

    of: Sequence[SegmentReport]

    def count(self, what: Callable[[SegmentReport], int]) -> int:
        """A sum over all."""
        return sum(what(one) for one in self.of)

    @property
    def people(self) -> int:
        """How many different people were swapped. Who is not in the plan may come in several segments."""
        return len({number for one in self.of for number in one.known}) + max(one.unknown for one in self.of)

    @property
    def hashes(self) -> Iterable[tuple[float, str]]:
        """Of all, in order."""
        return [pair for one in self.of for pair in one.hashes]

    @property
    def seconds(self) -> float:
        """Wall time of all."""
        return sum(one.seconds for one in self.of)

    @property
    def damage(self) -> Damage | None:
        """Where the clip was unreadable first."""
        return next((Damage(*one.damage) for one in self.of if one.damage is not None), None)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know of how the clip was read."""
        return tuple(dict.fromkeys(remark for one in self.of for remark in one.remarks[:1]))[:1]

    @property
    def carried(self) -> Summary:
        """How often a slow engine ran. Ages are the means of the segments', by the faces in each."""
        known = [one.carried for one in self.of if one.carried.age is not None]
        shown = sum(one.shown for one in known)
        ages = [sum(one.age[k] * one.shown for one in known if one.age) / max(shown, 1) for k in (0, 1)]
        all_of = [one.carried for one in self.of]
        return Summary(
            sum(one.runs for one in all_of),
            sum(one.shown for one in all_of),
            sum(one.own for one in all_of),
            (ages[0], ages[1]) if known else None,
            sum(one.missed for one in all_of),
        )

    @property
    def stages_ms(self) -> dict[str, dict[str, float]]:
        """Of each stage the means of the segments' percentiles, by their frames."""
        names = dict.fromkeys(name for one in self.of for name in one.stages_ms)
        return {name: {kind: self._mean(name, kind) for kind in ("p50", "p95")} for name in names}

    def _mean(self, stage: str, kind: str) -> float:
        pairs = [(one.stages_ms[stage][kind], one.frames) for one in self.of if stage in one.stages_ms]
        return round(sum(value * frames for value, frames in pairs) / max(sum(frames for _, frames in pairs), 1), 3)
