"""Everything that can be set, frozen and passed in."""

from __future__ import annotations

from dataclasses import dataclass, field

from understudy.blending import BlendOptions
from understudy.faces import FaceChoice
from understudy.media import EncodeOptions
from understudy.media.base import MAX_PIXELS
from understudy.provenance import LabelOptions
from understudy.swapping import MeshOptions
from understudy.tracking import TrackerOptions


@dataclass(frozen=True)
class Settings:
    """How a swap is done.

    Attributes:
        engine: Name of the swapping engine (see ``ENGINES``).
        faces: Which faces of the target are swapped.
        source_face: Which face of a photo with several is used, from the left, the first is 1; None for the
            largest.
        max_pixels: Photos and frames with more are refused.
        tracker, mesh, blend, label, encode: Options of the stages.
    """

    engine: str = "mesh"
    faces: FaceChoice = "largest"
    source_face: int | None = None
    max_pixels: int = MAX_PIXELS
    tracker: TrackerOptions = field(default_factory=TrackerOptions)
    mesh: MeshOptions = field(default_factory=MeshOptions)
    blend: BlendOptions = field(default_factory=BlendOptions)
    label: LabelOptions = field(default_factory=LabelOptions)
    encode: EncodeOptions = field(default_factory=EncodeOptions)
