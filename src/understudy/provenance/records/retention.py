"""How long records have been kept, by time that was seen to pass: no single reading of a clock ages them.

A clock may be wrong for once (an empty battery, a virtual machine that was put back, a slip in the settings). So time
counts only as it was seen, entry by entry:

- beyond the latest time that was ever seen, so that a clock that goes back and forth counts nothing twice;
- of each step at most ``STEP_DAYS``, so that a leap, however far, ages a record by no more than that.

A record goes when it is too old by the clock and has been seen to age as long, and ``SPARE_DAYS`` more: two leaps
are not enough. A clock that stays behind the latest time is believed again when it has run on for ``BELIEVED_DAYS``.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass, replace
from typing import Final

#: Most that one step between two entries counts, and what is added to the time that records are kept.
STEP_DAYS: Final = 30
SPARE_DAYS: Final = 60
#: Days that a clock may be behind the latest time that was seen: time zones, and what clocks differ by.
TOLERANCE_DAYS: Final = 2
#: For how many days, and on how many of them, a clock that is behind must have run on to be believed again.
BELIEVED_DAYS: Final = 30
BELIEVED_SIGHTINGS: Final = 5
_DAY: Final = 86400.0
#: Drops that are told apart; the earliest are put together.
_MOST_DROPS: Final = 24


@dataclass(frozen=True)
class Drop:
    """Records that went for their age.

    Attributes:
        up_to: Number of the newest of them.
        made: When that was made, by its own time.
        at: When they went, by the clock.
        days: How long they had been seen to age.
    """

    up_to: int
    made: str
    at: str
    days: int

    @property
    def why(self) -> str:
        """In words."""
        return (
            f"up to number {self.up_to}, of {self.made[:10]}: they went on {self.at[:10]}, "
            f"{self.days} days after they were made as far as was seen"
        )


@dataclass(frozen=True)
class Passed:
    """What was seen of time passing.

    Attributes:
        latest: The latest time that was ever seen, in seconds since 1970.
        seen: Seconds that count.
        marks: By the day of ``seen`` at whose end they count as made: numbers of the newest records.
        behind: First and last reading of a clock that is behind ``latest``, and on how many days it was read.
        drops: What went, the earliest first.
    """

    latest: float
    seen: float = 0.0
    marks: tuple[tuple[int, int], ...] = ()
    behind: tuple[float, float, int] | None = None
    drops: tuple[Drop, ...] = ()

    def at(self, now: float) -> Passed:
        """The same after another look at the clock."""
        if now >= self.latest:
            return replace(self, latest=now, seen=self.seen + min(now - self.latest, STEP_DAYS * _DAY), behind=None)
        if self.latest - now <= TOLERANCE_DAYS * _DAY:
            return replace(self, behind=None)
        first, last, sightings = self.behind or (now, now, 1)
        if now < last:
            return replace(self, behind=(now, now, 1))  # it went back once more
        sightings += now - last >= _DAY / 2
        if now - first >= BELIEVED_DAYS * _DAY and sightings >= BELIEVED_SIGHTINGS:
            return replace(self, latest=now, behind=None)
        # Readings of one day count once: the last one stays where it was.
        return replace(self, behind=(first, now if now - last >= _DAY / 2 else last, sightings))

    def noted(self, number: int) -> Passed:
        """The same with a new record."""
        day = int(self.seen // _DAY) + 1
        return replace(self, marks=(*(mark for mark in self.marks if mark[0] != day), (day, number)))

    def aged(self, keep: dt.timedelta) -> tuple[int, int]:
        """Number of the newest record that was seen to age for longer than ``keep``, and its days; or zeros."""
        needed = keep.total_seconds() + SPARE_DAYS * _DAY
        old = [(number, day) for day, number in self.marks if self.seen - day * _DAY >= needed]
        return (old[-1][0], int(self.seen // _DAY) - old[-1][1]) if old else (0, 0)

    def dropped(self, drop: Drop) -> Passed:
        """The same after records went."""
        marks = tuple(mark for mark in self.marks if mark[1] > drop.up_to)
        return replace(self, marks=marks, drops=(*self.drops, drop)[-_MOST_DROPS:])

    def as_text(self) -> str:
        """For the database."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> Passed:
        """Out of the database.

        Raises:
            ValueError, TypeError, KeyError: it is none.
        """
        values = json.loads(text)
        behind = values["behind"]
        return cls(
            latest=float(values["latest"]),
            seen=float(values["seen"]),
            marks=tuple((int(day), int(number)) for day, number in values["marks"]),
            behind=None if behind is None else (float(behind[0]), float(behind[1]), int(behind[2])),
            drops=tuple(Drop(**drop) for drop in values["drops"]),
        )
