"""Everything that can be set, frozen and passed in: numbers, words and paths of all stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

from understudy.enhancement.options import EnhanceOptions
from understudy.face import FaceChoice
from understudy.guard.options import GuardOptions
from understudy.media.base import MAX_PIXELS
from understudy.media.files import EncodeOptions
from understudy.models.devices import RuntimeOptions
from understudy.provenance import ContentOptions, LabelOptions, SigningOptions, WatermarkOptions
from understudy.provenance.records.chain import KEEP_DAYS
from understudy.settings.blend import BlendOptions
from understudy.settings.framing import FrameOptions
from understudy.settings.lanes import Lane, in_order
from understudy.settings.trim import TrimOptions
from understudy.swapping import MeshOptions
from understudy.swapping.neural.options import NeuralOptions
from understudy.tracking import TrackerOptions

#: What a swapped file shows: the result alone, or the original and the result: beside each other, or left and right of
#: a line that wanders to and fro.
Compare = Literal["no", "side-by-side", "wipe"]
#: Days: no calendar counts much further back than a few of these.
_CENTURY: Final = 36_525


@dataclass(frozen=True)
class Settings:
    """How a swap is done.

    Attributes:
        engine: Name of the swapping engine: ``mesh``, or a swapper of the catalogue.
        detector: ``embedded``, or a detector of the catalogue.
        recogniser: What tells people apart: ``embedded``, or an embedder of the catalogue.
        faces: Which faces of the target are swapped.
        source_face: Which face of a photo with several is used, from the left, the first is 1; None for the
            largest.
        compare: Whether a file that is swapped shows the original, too: ``side-by-side`` with the result, or left
            of the line of a ``wipe``. Live output and evaluation show the result alone.
        trim: Which part of a clip is worked and written. Live output and evaluation take all of it.
        lanes: Stretches of a clip that have settings of their own, none over another; see ``Lane``. Live output and
            evaluation have none.
        frame: The shape of what a file shows. Live output and evaluation have the source's.
        max_pixels: Photos and frames with more are refused.
        tracker, mesh, neural, blend, enhance, label, watermark, content, encode, signing: Options of the stages.
        runtime: Where and how precisely neural models run.
        home: The private folder (keys, consents, ledger); None for the platform's.
        guard: What live output does about a face that is lost.
        keep_days: How long the ledger keeps a record, at least: 184 days or more.

    Raises:
        ValueError: no pixels, no such number of a face, two lanes that overlap, or a time for records that is too short
            or beyond a century.
    """

    engine: str = "mesh"
    detector: str = "embedded"
    recogniser: str = "embedded"
    faces: FaceChoice = "largest"
    source_face: int | None = None
    compare: Compare = "no"
    trim: TrimOptions = field(default_factory=TrimOptions)
    lanes: Sequence[Lane] = ()
    frame: FrameOptions = field(default_factory=FrameOptions)
    max_pixels: int = MAX_PIXELS
    tracker: TrackerOptions = field(default_factory=TrackerOptions)
    mesh: MeshOptions = field(default_factory=MeshOptions)
    neural: NeuralOptions = field(default_factory=NeuralOptions)
    blend: BlendOptions = field(default_factory=BlendOptions)
    enhance: EnhanceOptions = field(default_factory=EnhanceOptions)
    label: LabelOptions = field(default_factory=LabelOptions)
    watermark: WatermarkOptions = field(default_factory=WatermarkOptions)
    content: ContentOptions = field(default_factory=ContentOptions)
    encode: EncodeOptions = field(default_factory=EncodeOptions)
    signing: SigningOptions = field(default_factory=SigningOptions)
    guard: GuardOptions = field(default_factory=GuardOptions)
    runtime: RuntimeOptions = field(default_factory=RuntimeOptions)
    home: Path | None = None
    keep_days: int = KEEP_DAYS

    def __post_init__(self) -> None:
        home: object = self.home
        if isinstance(home, str):  # what a newcomer writes
            object.__setattr__(self, "home", Path(home))
        object.__setattr__(self, "lanes", in_order(self.lanes))
        if self.faces not in get_args(FaceChoice):
            raise ValueError(f"faces must be one of {', '.join(get_args(FaceChoice))}, not {self.faces!r}")
        if not self.max_pixels >= 1:
            raise ValueError(f"max_pixels must be 1 or more, not {self.max_pixels}")
        if self.source_face is not None and not self.source_face >= 1:
            raise ValueError(f"faces are counted from 1: there is no number {self.source_face}")
        if not KEEP_DAYS <= self.keep_days <= _CENTURY:
            raise ValueError(f"records must be kept for {KEEP_DAYS} to {_CENTURY} days, not {self.keep_days}")
