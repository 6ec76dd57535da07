"""How much a user of the API may do: a day, a minute, and at most at a time."""

from __future__ import annotations

import json
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from typing import Final, Literal

from understudy.errors import RefusedError, UsageError
from understudy.provenance.records.home import Home
from understudy.provenance.records.kept_open import Opened, opened_anew

Measure = Literal["clips", "minutes", "live_seconds"]
#: What is counted by the day, in words.
MEASURES: Final[dict[Measure, str]] = {
    "clips": "pictures and clips swapped",
    "minutes": "minutes of clips swapped",
    "live_seconds": "seconds of live swapping",
}
_DAY: Final = 86400.0
#: Days for which it is kept how much was used.
_KEPT: Final = 31
#: A user who waited may do so many seconds' worth of requests at once.
_BURST: Final = 10.0
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS used (
    user TEXT NOT NULL, day INTEGER NOT NULL, measure TEXT NOT NULL, amount REAL NOT NULL,
    PRIMARY KEY (user, day, measure)
)
"""


class QuotaError(RefusedError):
    """A user has done as much as they may for now.

    Attributes:
        seconds: When to come back, in seconds from now.
    """

    def __init__(self, message: str, seconds: float, hint: str = "") -> None:
        self.seconds = max(1, math.ceil(seconds))
        when = f"{self.seconds} s" if self.seconds < 120 else f"{self.seconds / 3600:.1f} hours"
        super().__init__(message, hint or f"Come back in {when}.")


@dataclass(frozen=True)
class Quotas:
    """How much a user may do.

    Attributes:
        clips: Pictures and clips a day.
        minutes: Minutes of clips a day.
        live_seconds: Seconds of live swapping a day.
        requests: Requests a minute.
        bytes: Of uploads and results that are kept at a time.

    Raises:
        UsageError: one of them is negative or no number.
    """

    clips: float = 100
    minutes: float = 120
    live_seconds: float = 3600
    requests: float = 600
    bytes: float = 20e9

    def __post_init__(self) -> None:
        for one in fields(self):
            amount = getattr(self, one.name)
            if not isinstance(amount, (int, float)) or not 0 <= amount < math.inf:
                raise UsageError(f"no quota of {one.name}: {amount!r}", "Name a number from 0 up.")

    def as_json(self) -> dict[str, float]:
        """The quotas as plain values."""
        return asdict(self)

    def as_text(self) -> str:
        """For the database."""
        return json.dumps(self.as_json(), sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> Quotas:
        """Out of the database. Names that this version does not know are left out."""
        said = json.loads(text)
        return cls(**{one.name: said[one.name] for one in fields(cls) if one.name in said})


@dataclass(frozen=True)
class Usage:
    """How much each user did, by the day (UTC). For several threads and processes.

    Args:
        home: The private folder.
        clock: Tells the Unix time. One that goes back gives no day anew: what counts is the latest day that was used.
        opened: Begins a transaction on their file.
    """

    home: Home
    clock: Callable[[], float] = time.time
    opened: Opened = opened_anew

    def take(self, user: str, measure: Measure, amount: float, quotas: Quotas) -> None:
        """Count something that is about to be done.

        Args:
            user: By whom.
            measure: What.
            amount: How much of it.
            quotas: How much they may.

        Raises:
            QuotaError: it would be more than they may; it is not counted then.
        """
        most, now = float(getattr(quotas, measure)), self.clock()
        with self._open() as connection:
            day = self._day(connection, user, now)
            used = _amount(connection, user, day, measure)
            if used + amount > most:
                raise QuotaError(
                    f"{MEASURES[measure]}: {used:g} of {most:g} today, and this would be {amount:g} more",
                    (day + 1) * _DAY - now,
                )
            connection.execute(
                "INSERT INTO used VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount",
                (user, day, measure, amount),
            )
            connection.execute("DELETE FROM used WHERE day < ?", (day - _KEPT,))

    def give_back(self, user: str, measure: Measure, amount: float) -> None:
        """Count less: what was counted today was not done after all."""
        with self._open() as connection:
            connection.execute(
                "UPDATE used SET amount = max(amount - ?, 0) WHERE user = ? AND day = ? AND measure = ?",
                (amount, user, self._day(connection, user, self.clock()), measure),
            )

    def today(self, user: str) -> dict[Measure, float]:
        """How much a user did today."""
        with self._open() as connection:
            day = self._day(connection, user, self.clock())
            return {measure: _amount(connection, user, day, measure) for measure in MEASURES}

    def _day(self, connection: sqlite3.Connection, user: str, now: float) -> int:
        """Days since 1970; of a clock that is a day or two behind, the latest day that this user did something."""
        day = int(now // _DAY)
        (latest,) = connection.execute("SELECT max(day) FROM used WHERE user = ?", (user,)).fetchone()
        return day if latest is None or latest - day > 2 else max(day, int(latest))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self.opened(self.home, "server/usage.sqlite", _SCHEMA) as connection:
            yield connection


@dataclass
class Rate:
    """Requests of each user as they come: so many a minute, and some at once after a pause. For several threads.

    Args:
        clock: Tells seconds that only go forward.
    """

    clock: Callable[[], float] = time.monotonic
    _left: dict[str, tuple[float, float]] = field(default_factory=dict, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def take(self, user: str, quotas: Quotas) -> None:
        """Count a request.

        Raises:
            QuotaError: they come too fast.
        """
        second = quotas.requests / 60
        most, now = max(second * _BURST, 1.0), self.clock()
        with self._lock:
            left, since = self._left.get(user, (most, now))
            left = min(left + (now - since) * second, most)
            if left >= 1:
                self._left[user] = (left - 1, now)
                return
            self._left[user] = (left, now)
        raise QuotaError(
            f"too many requests: {quotas.requests:g} a minute are allowed", (1 - left) / second if second else _DAY
        )


def _amount(connection: sqlite3.Connection, user: str, day: int, measure: str) -> float:
    row = connection.execute(
        "SELECT amount FROM used WHERE user = ? AND day = ? AND measure = ?", (user, day, measure)
    ).fetchone()
    return 0.0 if row is None else float(row[0])
