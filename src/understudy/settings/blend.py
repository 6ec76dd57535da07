"""How patches are put into a frame: the options of lighting, masking and blending, and how far a swap is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from understudy.blending import DetailOptions, LightOptions
from understudy.masking import MaskOptions, OcclusionOptions


@dataclass(frozen=True)
class BlendOptions:
    """How patches are blended.

    Attributes:
        light: Limits of the light and colour transfer.
        detail: Limits of the match of sharpness and grain.
        occlusion: What stays in front of the face.
        mask: Which parts of the face are swapped.
        show: ``swap``; or ``mask``: in its place the frame as it is, with what would be swapped tinted.
        strength: 0-1: 0 leaves the frame as it is, 1 shows the patch in full.

    Raises:
        ValueError: another strength.
    """

    light: LightOptions = field(default_factory=LightOptions)
    detail: DetailOptions = field(default_factory=DetailOptions)
    occlusion: OcclusionOptions = field(default_factory=OcclusionOptions)
    mask: MaskOptions = field(default_factory=MaskOptions)
    show: Literal["swap", "mask"] = "swap"
    strength: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise ValueError(f"strength must be between 0 and 1, not {self.strength}")
