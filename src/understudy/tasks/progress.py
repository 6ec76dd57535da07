"""How far a task is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

#: Called after every frame with the frames done and, if known, how many there are.
Progress: TypeAlias = Callable[[int, "int | None"], None]
