"""Opens single things as ``Understudy`` would: for tests and benchmarks of one stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from understudy.app import Understudy
from understudy.media.files import MediaKind
from understudy.pipeline.parts import Parts
from understudy.provenance import FrameSealer
from understudy.resources import Output
from understudy.resources.perception import Perception
from understudy.settings import Settings
from understudy.swapping import Swapper


def engine_of(settings: Settings) -> Swapper[Any]:
    """The engine that the settings name.

    Raises:
        UsageError, ModelError: there is none, or it does not open.
    """
    return Understudy(settings).resources.models.engine(settings)


def parts_of(settings: Settings, perception: Perception) -> Parts:
    """Parts of a pipeline of which nothing is kept: its output has no id of its own.

    Raises:
        UsageError, ModelError: as for ``engine_of``.
    """
    models = Understudy(settings).resources.models
    content, sealer = models.content(settings), FrameSealer(1)
    masks, enhancers = models.masks([settings.blend.mask], settings.runtime), models.enhancers(settings)
    return Parts(
        models.engine(settings), perception, settings, content, sealer, models.embedder(settings), masks, enhancers
    )


def output_of(target: Path, kind: MediaKind, settings: Settings | None = None) -> Output:
    """A new output of a target, for which nobody's photos are used."""
    settings = settings or Settings()
    return Understudy(settings).resources.trust(settings).output(settings, target, kind, (), ())
