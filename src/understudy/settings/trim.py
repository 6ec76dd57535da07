"""Which part of a clip is worked and written."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.times import seconds_of


@dataclass(frozen=True)
class TrimOptions:
    """A part of a clip: the frames that begin in it, and the sound that goes with them. Of the rest nothing is written.

    Attributes:
        start: When it begins: seconds, or `[hours:]minutes:seconds` such as `1:02.5`; kept as seconds. None for the
            clip's beginning.
        end: When it ends, likewise; a frame that begins then is no part of it. None for the clip's end.

    Raises:
        ValueError: they are no times, or it ends before it begins, or at once.
    """

    start: float | str | None = None
    end: float | str | None = None

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else seconds_of(value))
        if self.until == self.since:
            raise ValueError(f"it would end when it begins ({self.since:g} s): there is nothing in between")
        if self.until is not None and not self.since < self.until:
            raise ValueError(f"it would end ({self.until:g} s) before it begins ({self.since:g} s)")

    @property
    def since(self) -> float:
        """When it begins, in seconds."""
        return 0.0 if self.start is None else float(self.start)

    @property
    def until(self) -> float | None:
        """When it ends, in seconds; None for the clip's end."""
        return None if self.end is None else float(self.end)

    @property
    def edges(self) -> tuple[float | None, float | None]:
        """When it begins and when it ends, in seconds. None where nothing is said of it; 0 is said, too."""
        return (None if self.start is None else self.since, self.until)

    @property
    def whole(self) -> bool:
        """Whether it is all of the clip."""
        return self.since == 0 and self.end is None
