"""Which settings a live session may have, and which of them can be changed while it runs."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Final

from understudy.casting.cast import PartList
from understudy.errors import UsageError
from understudy.resources.made_with import MadeWith
from understudy.settings import Settings
from understudy.settings.schema import check_values

#: Settings that can be changed while a session runs.
CHANGEABLE: Final = ("blend", "faces", "guard")
#: Least strength of a swap that is shown live.
LEAST_STRENGTH: Final = 0.5


def check_settings(settings: Settings, cast: PartList | None) -> None:
    """Make sure that a session may have these settings.

    Args:
        settings: How all is done.
        cast: Who gets whose face, with strengths of their own; None for one person.

    Raises:
        UsageError: the raw face would be seen, or something else than the swap.
    """
    _check_strengths(settings, cast)
    _check_masks(settings, settings)


def changed_while_running(begun: Settings, asked: Settings, cast: PartList | None) -> Settings:
    """The settings that a running session has from now on.

    Args:
        begun: Those that it began with.
        asked: Those that it is to have; without a private folder it keeps its own.
        cast: As for ``check_settings``.

    Raises:
        UsageError: they can't be changed so while it runs, or one is not what it may be.
    """
    check_values(asked)
    if asked.home is None:
        asked = replace(asked, home=begun.home)
    if replace(asked, **{name: getattr(begun, name) for name in CHANGEABLE}) != begun:
        raise UsageError("these settings can't be changed while it runs", f"These can: {', '.join(CHANGEABLE)}.")
    if cast is not None and asked.blend.strength != begun.blend.strength:
        raise UsageError("how far each face is shown is settled by the cast", "Start another session for that.")
    _check_strengths(asked, cast)
    _check_masks(asked, begun)
    return asked


def carrying(settings: Settings, by: MadeWith) -> Settings:
    """Live, a neural engine is carried by the mesh where it does not keep up, unless the settings say otherwise.

    A core is left to everything else, as it runs beside.
    """
    if not by.neural:
        return settings
    if settings.neural.refresh is None:
        settings = replace(settings, neural=replace(settings.neural, refresh="auto"))
    if not settings.neural.carried or settings.runtime.threads is not None:
        return settings
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return replace(settings, runtime=replace(settings.runtime, threads=max(cores - 1, 1)))


def _check_strengths(settings: Settings, cast: PartList | None) -> None:
    """A swap that hardly shows is the raw face."""
    own = [part.strength for part in cast.parts if part.strength is not None] if cast is not None else []
    strength = min([settings.blend.strength, *own])
    if strength < LEAST_STRENGTH and settings.guard.on_lost != "pass":
        raise UsageError(
            f"live, the strength must be {LEAST_STRENGTH} or more, not {strength}",
            "A weaker swap shows the face as it is. To allow that, let lost faces be shown, too: --on-lost pass.",
        )


def _check_masks(settings: Settings, begun: Settings) -> None:
    """What a session shows is the swap, and the models of its masks are opened when it begins."""
    if settings.blend.show != "swap":
        raise UsageError("live, only the swap can be shown", "Leave show as it is; masks are shown of files.")
    new = [name for name in settings.blend.mask.models if name not in begun.blend.mask.models]
    if new:
        raise UsageError(
            f"the mask model {new[0]} can't be added while it runs", "Name it in the settings that it begins with."
        )
