"""How something is done with each of several items: one after the other, or side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Other = TypeVar("Other")

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


def both(first: Callable[[], Result], other: Callable[[], Other]) -> tuple[Result, Other]:
    """The results of two functions, the other one's made in a thread of its own.

    Raises:
        Exception: what either raises, once both have ended; the other one's if both do.
    """
    with ThreadPoolExecutor(1, "both") as thread:
        done = thread.submit(other)
        try:
            made = first()
        finally:
            theirs = done.result()
    return made, theirs
