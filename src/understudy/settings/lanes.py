"""Stretches of a clip that have settings of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal, TypeAlias, get_args

from understudy.errors import UsageError
from understudy.times import clock, seconds_of

#: What may be said of a stretch in place of a look: that faces are left as they are, or blurred.
Instead: TypeAlias = Literal["leave", "blur"]
#: Settings that a stretch may have of its own: how faces look. Neither engines nor encoders, nor what protects.
OWN: Final = (
    *("blend.strength", "mesh.shape", "enhance.steps", "enhance.weight"),
    *(f"blend.mask.{name}" for name in ("regions", "keep", "strength", "feather", "box")),
    *(f"blend.mask.{name}" for name in ("occluders", "parsers", "classes", "grow")),
)
#: Most of them.
MOST: Final = 1000
_HINT: Final = "docs/parts.md shows what lanes look like."


@dataclass(frozen=True)
class Lane:
    """A stretch of a clip with settings of its own: those frames that begin in it. What it does not say is as usual.

    Attributes:
        start: When it begins, in the clip's time: seconds, or ``[hours:]minutes:seconds``; kept as seconds.
        end: When it ends, likewise; None for the clip's end.
        settings: Those of its own, by full name; kept as pairs.
        do: ``leave`` puts nobody's face on anybody, ``blur`` blurs those who would get one; None swaps them. Who is
            blurred anyway is blurred in either case.

    Raises:
        ValueError: it ends before it begins, or a setting is not such as a stretch may have.

    >>> Lane("0:03", 5.5, {"blend.strength": 0.4}).settings
    (('blend.strength', 0.4),)
    """

    start: float | str
    end: float | str | None = None
    settings: Mapping[str, Any] | tuple[tuple[str, Any], ...] = ()
    do: Instead | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", seconds_of(self.start))
        object.__setattr__(self, "end", None if self.end is None else seconds_of(self.end))
        if self.until == self.since:
            raise UsageError(f"a lane ends when it begins ({clock(self.since)}): there is no frame in it", _HINT)
        if self.until is not None and not self.since < self.until:
            raise UsageError(f"a lane ends ({clock(self.until)}) before it begins ({clock(self.since)})", _HINT)
        if self.do not in (None, *get_args(Instead)):
            raise UsageError(f"a lane does {' or '.join(get_args(Instead))}, or swaps; not {self.do!r}", _HINT)
        given = {name: tuple(one) if isinstance(one, list) else one for name, one in dict(self.settings).items()}
        object.__setattr__(self, "settings", tuple(given.items()))
        if given and self.do is not None:
            raise UsageError(f"a lane that does {self.do!r} has no settings: there is no swap in it", _HINT)
        _check(given)

    @property
    def since(self) -> float:
        """When it begins, in seconds."""
        return float(self.start)

    @property
    def until(self) -> float | None:
        """When it ends, in seconds; None for the clip's end."""
        return None if self.end is None else float(self.end)

    @property
    def values(self) -> dict[str, Any]:
        """Its settings, by full name."""
        return dict(self.settings)

    def as_table(self) -> dict[str, Any]:
        """The lane as a settings file has it."""
        table: dict[str, Any] = {"start": self.since}
        table |= {} if self.until is None else {"end": self.until}
        table |= {} if self.do is None else {"do": self.do}
        return table | {name: list(one) if isinstance(one, tuple) else one for name, one in self.values.items()}

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Lane:
        """The lane that a settings file says.

        Args:
            table: With ``start``, perhaps ``end`` and ``do``, and settings: as in such a file.

        Raises:
            ValueError: it is none.
        """
        from understudy.settings.schema import flattened  # which needs this module

        rest = {name: value for name, value in table.items() if name not in ("start", "end", "do")}
        times = [table.get("start"), table.get("end")]
        if times[0] is None:
            raise UsageError("a lane needs a start", _HINT)
        for time in times:
            if isinstance(time, bool) or not isinstance(time, (int, float, str, type(None))):
                raise UsageError(f"a lane's time is seconds, or minutes:seconds, not {time!r}", _HINT)
        return cls(times[0], times[1], flattened(rest), table.get("do"))


def in_order(lanes: Sequence[Lane]) -> tuple[Lane, ...]:
    """Lanes, the first of the clip first.

    Raises:
        UsageError: one is none, two overlap, or there are too many.
    """
    others: list[object] = [lane for lane in lanes if not isinstance(lane, Lane)]
    if others:
        raise UsageError(f"a lane is a Lane, not {type(others[0]).__name__}", _HINT)
    found = sorted(lanes, key=lambda lane: lane.since)
    if len(found) > MOST:
        raise UsageError(f"{len(found)} lanes are more than {MOST}", _HINT)
    for lane, later in pairwise(found):
        if lane.until is None or later.since < lane.until:
            ends = "never ends" if lane.until is None else f"goes up to {clock(lane.until)}"
            raise UsageError(
                f"two lanes overlap: the one from {clock(lane.since)} {ends}, and one begins at {clock(later.since)}",
                "A frame is in one lane at most: end the first sooner.",
            )
    return tuple(found)


def _check(values: Mapping[str, Any]) -> None:
    """Whether a stretch may have these settings, and they may be that.

    Raises:
        UsageError: not.
    """
    from understudy.settings.schema import changed, schema, unknown
    from understudy.settings.settings import Settings

    for name in values:
        if name not in schema():
            raise unknown(name)
        if name not in OWN:
            raise UsageError(f"a lane can't have {name!r}: it is the same for all of a clip", _HINT)
    if values:
        changed(Settings(), values)
