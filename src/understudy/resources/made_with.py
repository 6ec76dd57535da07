"""What an output is made with: the engines that render somebody, and the networks that enhance the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from understudy.enhancement import CLASSICAL, EnhanceOptions
from understudy.provenance.metadata import COMPOSITE, TRAINED_COMPOSITE

#: The engine that the package carries.
MESH: Final = "mesh"


@dataclass(frozen=True)
class MadeWith:
    """What renders and what enhances.

    Attributes:
        engines: Names of the engines, each once.
        enhancers: Names of the restorers and upscalers, each once.
    """

    engines: tuple[str, ...]
    enhancers: tuple[str, ...] = ()

    @classmethod
    def of(cls, engines: Sequence[str], enhancements: Sequence[EnhanceOptions] = ()) -> MadeWith:
        """Each name once, in order; of enhancements those that are networks."""
        steps = [step.name for one in enhancements for step in one.parsed if step.name not in CLASSICAL]
        return cls(tuple(dict.fromkeys(engines)), tuple(dict.fromkeys(steps)))

    @property
    def neural(self) -> bool:
        """Whether any engine is a trained network."""
        return bool(self.networks)

    @property
    def networks(self) -> tuple[str, ...]:
        """The engines that are trained networks."""
        return tuple(engine for engine in self.engines if engine != MESH)

    @property
    def source_type(self) -> str:
        """IPTC's digital source type: drawn from the photos themselves, or by trained networks."""
        return TRAINED_COMPOSITE if self.neural or self.enhancers else COMPOSITE
