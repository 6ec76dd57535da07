"""Opens single things as ``Understudy`` would: for tests and benchmarks of one stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from understudy.app import Understudy
from understudy.media.files import MediaKind
from understudy.resources import Output
from understudy.settings import Settings
from understudy.swapping import Swapper


def engine_of(settings: Settings) -> Swapper[Any]:
    """The engine that the settings name.

    Raises:
        UsageError, ModelError: there is none, or it does not open.
    """
    return Understudy(settings).resources.models.engine(settings)


def output_of(target: Path, kind: MediaKind, settings: Settings | None = None) -> Output:
    """A new output of a target, for which nobody's photos are used."""
    settings = settings or Settings()
    return Understudy(settings).resources.trust(settings).output(settings, target, kind, (), ())
