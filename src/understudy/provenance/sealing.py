"""The last stage of every frame: label, mark, seal. It alone makes the frames that sinks take."""

from __future__ import annotations

from understudy.faces import Faces
from understudy.frames import LABEL_SEAL, Frame, LabelledFrame
from understudy.provenance.fingerprint import ClipHash
from understudy.provenance.label import Labeller, LabelOptions
from understudy.provenance.watermark import Watermarker, WatermarkOptions


class FrameSealer:
    """Labels and marks the frames of one output.

    Args:
        identifier: The output's id: 48 bits.
        label: What the label says and where.
        watermark: How strong the mark is.
        live: Whether the frames are shown as they are made: then the label is never reduced, and time is short.
    """

    def __init__(
        self,
        identifier: int,
        label: LabelOptions | None = None,
        watermark: WatermarkOptions | None = None,
        *,
        live: bool = False,
    ) -> None:
        self.identifier = identifier
        self._labeller = Labeller(label, live=live)
        self._watermarker = Watermarker(identifier, watermark, live=live)
        self._hash = ClipHash()

    def seal(self, frame: Frame, faces: Faces) -> LabelledFrame:
        """Label and mark ``frame`` (in place), the label clear of ``faces`` where there is room."""
        self._labeller.draw(frame, faces)
        self._watermarker.mark(frame)
        self._hash.add(frame.seconds, frame.picture)
        return LabelledFrame(frame, LABEL_SEAL)

    @property
    def hashes(self) -> tuple[str, ...]:
        """Perceptual hashes of what was sealed so far, for the ledger."""
        return tuple(self._hash.hashes)
