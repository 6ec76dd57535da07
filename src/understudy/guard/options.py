"""What is done about a face that should be swapped and is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

OnLost = Literal["hold", "blur", "freeze", "pass"]
ON_LOST: Final[tuple[OnLost, ...]] = get_args(OnLost)


@dataclass(frozen=True)
class GuardOptions:
    """What is done about a face that is lost.

    Attributes:
        on_lost: ``hold`` the last swap, then blur; ``blur`` at once; ``freeze`` the whole picture; ``pass``: show
            the face as it is.
        hold_seconds: How long the last swap is held.
        cover_seconds: How long the place of somebody who vanished at once is covered; whoever is seen to leave is
            forgotten after ``settle_seconds``, and longer than both stays what looks as it did with the face in it.
        settle_seconds: How long nobody must be seen, in a picture in which somebody could be seen, before a picture
            without a face is shown.
        search_seconds: While nobody is swapped, in how long the whole picture is searched for small faces.

    Raises:
        ValueError: another choice, or times below zero.
    """

    on_lost: OnLost = "hold"
    hold_seconds: float = 0.4
    cover_seconds: float = 2.0
    settle_seconds: float = 0.3
    search_seconds: float = 0.25

    def __post_init__(self) -> None:
        if self.on_lost not in ON_LOST:
            raise ValueError(f"a lost face can be met by {', '.join(ON_LOST)}, not {self.on_lost!r}")
        times = (self.hold_seconds, self.cover_seconds, self.settle_seconds, self.search_seconds)
        if not all(seconds >= 0 for seconds in times):
            raise ValueError("times can't be below zero")
