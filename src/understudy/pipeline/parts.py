"""What every pipeline is given: the engine, what finds faces, the settings, and the checks at both ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from understudy.enhancement import Enhancers
from understudy.masking.base import MaskModel
from understudy.provenance import FrameSealer
from understudy.provenance.content import ContentCheck
from understudy.recognition import Embedder
from understudy.resources.perception import Perception
from understudy.settings import Settings
from understudy.swapping import Swapper


@dataclass(frozen=True, eq=False)
class Parts:
    """Parts of one pipeline.

    Attributes:
        engine: Renders the identities of those who have no engine of their own.
        perception: Finds and follows the faces.
        settings: Everything else.
        content: Looks at what comes in.
        sealer: Labels and marks what comes out.
        embedder: Tells the people of a clip apart; None where nobody asks who is who.
        masks: The models of masks that the settings name, by name.
        enhancers: The models that the settings' and the people's own enhancement names.
        others: The engines that single people have of their own.
        pixel_aspect: Width of the frames' pixels over their height.
    """

    engine: Swapper[Any]
    perception: Perception
    settings: Settings
    content: ContentCheck
    sealer: FrameSealer
    embedder: Embedder | None = None
    masks: Mapping[str, MaskModel] = field(default_factory=dict)
    enhancers: Enhancers = field(default_factory=Enhancers)
    others: tuple[Swapper[Any], ...] = ()
    pixel_aspect: Fraction = Fraction(1)
