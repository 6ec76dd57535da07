"""How something is done with each of several items: one after the other, or side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Each(Protocol):
    """Calls a function with each item and gives the results in their order: as ``map`` does, which is one."""

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterable[Result]:
        """The results, in the items' order."""
        ...
