"""The engines that are registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from understudy.errors import UsageError
from understudy.pipeline.settings import Settings
from understudy.swapping import MeshEngine, Swapper

#: Every engine by name. A new one is a line here.
ENGINES: Final[dict[str, Callable[[Settings], Swapper[Any]]]] = {
    "mesh": lambda settings: MeshEngine(settings.mesh),
}


def make_engine(settings: Settings) -> Swapper[Any]:
    """The engine that the settings name.

    Raises:
        UsageError: there is none by that name.
    """
    if settings.engine not in ENGINES:
        raise UsageError(f"unknown engine {settings.engine!r}", f"Known engines: {', '.join(ENGINES)}")
    return ENGINES[settings.engine](settings)
