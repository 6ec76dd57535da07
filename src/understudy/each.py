"""How something is done with each of several items: one after the other, or side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Pixels from which a picture is done by halves. With half as many, handing over a half takes as long as it saves.
LARGE: Final = 200_000


class Each(Protocol):
    """Calls a function with each item and gives the results in their order: as ``map`` does, which is one.

    The function may call it in turn.
    """

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterable[Result]:
        """The results, in the items' order."""
        ...


def by_rows(each: Each, shape: tuple[int, ...], work: Callable[[tuple[int, int]], None]) -> None:
    """Have the rows of a picture worked on, those of a large one by halves.

    Args:
        each: Calls a function with each of several items.
        shape: The picture's height and width, and what else there is.
        work: Is given the first row and the one after the last.
    """
    rows, columns = shape[:2]
    if rows * columns < LARGE:
        work((0, rows))
        return
    half = rows // 2
    list(each(work, [(0, half), (half, rows)]))
