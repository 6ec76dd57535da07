"""When a slow engine runs: in the frame at hand, or beside it, as often as it can; and how often it did."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import Final, NamedTuple, Protocol

import numpy as np

from understudy.patches import Patch
from understudy.quantiles import percentiles

#: Drawn faces of which ages are kept: so that an evening needs no more memory than a minute.
_WINDOW: Final = 1800
#: Seconds that a texture is shown at most where its engine gives no other.
KEPT: Final = 2.0


class Summary(NamedTuple):
    """How often an engine ran, and how old what it gave was when it was shown.

    Attributes:
        runs: How often it gave a face.
        shown: How many faces were drawn.
        own: How many of them the mesh engine drew by itself.
        age: Median and 95th percentile of the seconds since the frame that a shown face was made of, of the last 1800
            faces (a minute of one); None where none of them was the engine's.
        missed: How many faces were not drawn at all: of an engine that is not carried, and gave no face.
    """

    runs: int
    shown: int
    own: int
    age: tuple[float, float] | None
    missed: int = 0


class Counts:
    """Counts runs, the ages of what was shown, and what was not.

    Attributes:
        runs, shown, own, missed: See ``Summary``.
    """

    def __init__(self) -> None:
        self.runs = self.shown = self.own = self.missed = 0
        self._ages: deque[float] = deque(maxlen=_WINDOW)

    def clear(self) -> None:
        """Begin anew."""
        self.runs = self.shown = self.own = self.missed = 0
        self._ages.clear()

    def note(self, age: float | None) -> None:
        """A face was drawn, of such an age; None: not what the engine gave."""
        self.shown += 1
        self.own += age is None
        self._ages.append(np.nan if age is None else age)

    def summary(self) -> Summary:
        """All so far."""
        ages = np.array(self._ages.copy())
        ages = ages[np.isfinite(ages)]
        p50, p95 = percentiles(ages, (50, 95))
        return Summary(self.runs, self.shown, self.own, (p50, p95) if len(ages) else None, self.missed)


class Runner(Protocol):
    """Runs a slow engine for the faces of one clip.

    Attributes:
        counts: How often it ran so far.
    """

    counts: Counts

    @property
    def waits(self) -> bool:
        """Whether a frame waits for its faces to be made."""
        ...

    @property
    def keeps_up(self) -> bool:
        """Whether the engine is quick enough to draw every frame by itself."""
        ...

    @property
    def kept(self) -> float:
        """Seconds that a texture is shown at most."""
        ...

    def now(self, run: Callable[[], Patch | None]) -> Patch | None:
        """Run it now; None where it gives nothing."""
        ...

    def offer(
        self, face: Hashable, need: float, run: Callable[[], Patch | None], take: Callable[[Patch], None]
    ) -> None:
        """Have it run as soon as may be, unless a newer frame of the same face is offered before.

        Args:
            face: Which.
            need: How much: of several faces the one with the most comes first.
            run: Does it, in another thread; None where it gives nothing.
            take: Takes what it gave, in that thread.
        """
        ...

    def given_up(self) -> None:
        """A texture grew too old: the mesh engine draws."""
        ...


class AtOnce:
    """In the frame at hand: of files every run gives the same bytes."""

    def __init__(self) -> None:
        self.counts = Counts()

    @property
    def waits(self) -> bool:
        """See ``Runner.waits``."""
        return True

    @property
    def keeps_up(self) -> bool:
        """See ``Runner.keeps_up``."""
        return False

    @property
    def kept(self) -> float:
        """See ``Runner.kept``."""
        return KEPT

    def now(self, run: Callable[[], Patch | None]) -> Patch | None:
        """See ``Runner.now``."""
        patch = run()
        self.counts.runs += patch is not None
        return patch

    def offer(
        self, face: Hashable, need: float, run: Callable[[], Patch | None], take: Callable[[Patch], None]
    ) -> None:
        """See ``Runner.offer``: nothing waits here for anything else."""
        del face, need
        patch = self.now(run)
        if patch is not None:
            take(patch)

    def given_up(self) -> None:
        """See ``Runner.given_up``."""
