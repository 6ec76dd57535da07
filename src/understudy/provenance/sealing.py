"""The last stage of every frame: label, mark, seal. It alone makes the frames that sinks take."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import final

import numpy as np

from understudy.arrays import UInt8Array
from understudy.changes import apart
from understudy.face import Faces
from understudy.frames import Frame, LabelledFrame, PixelBox, _Content, _LabelSeal
from understudy.frozen import Draft, Frozen
from understudy.provenance.fingerprint import ClipHash
from understudy.provenance.label import CORNERS, Corner, Labeller, LabelOptions
from understudy.provenance.watermark import READABLE_CLIP, READABLE_PICTURE, Watermarker, WatermarkOptions


@final
class FrameSealer:
    """Labels and marks the frames of one output. It has no subclasses: what it makes is what it says.

    Args:
        identifier: The output's id: 48 bits.
        label: What the label says and where.
        watermark: How strong the mark is.
        live: Whether the frames are shown as they are made: then the label is never reduced, and time is short.
        opened: Of a part of a clip: when the clip begins, in seconds; None for with the first frame.
        corner: Of a part of a clip: where the label stands at first; None for where ``label`` says.
        corners: Where the label may go when a face comes.
    """

    def __init__(
        self,
        identifier: int,
        label: LabelOptions | None = None,
        watermark: WatermarkOptions | None = None,
        *,
        live: bool = False,
        opened: float | None = None,
        corner: Corner | None = None,
        corners: Sequence[Corner] = CORNERS,
    ) -> None:
        self._identifier = int(identifier)
        self._labeller = Labeller(label, live=live, opened=opened, corner=corner, corners=corners)
        self._watermarker = Watermarker(self._identifier, watermark, live=live)
        self._hash = ClipHash()
        self._seal = _LabelSeal()

    def for_part(self, opened: float, corner: Corner | None = None) -> FrameSealer:
        """One for a part of the same clip, that has what this one has made for the mark.

        Args:
            opened: When the clip begins, in seconds.
            corner: Where the label stands at first; None for where it is asked for.
        """
        part = FrameSealer(
            self._identifier, self._labeller.options, self._watermarker.options, opened=opened, corner=corner
        )
        part._watermarker.share(self._watermarker)
        return part

    def for_preview(self, corners: Sequence[Corner]) -> FrameSealer:
        """One for frames that are shown of what the file will be, the label in one of some corners."""
        shown = FrameSealer(self._identifier, self._labeller.options, self._watermarker.options, corners=corners)
        shown._watermarker.share(self._watermarker)
        return shown

    def __init_subclass__(cls) -> None:
        raise TypeError("a FrameSealer has no subclasses: what it seals is labelled")

    @property
    def identifier(self) -> int:
        """The output's id."""
        return self._identifier

    @property
    def text(self) -> str:
        """What the label says where there is room."""
        return self._labeller.text

    def check(self, width: int, height: int) -> None:
        """Whether frames of that size can carry the label: to be asked before the work.

        Raises:
            InputError: they are too small for any text.
        """
        self._labeller.check(width, height)

    @staticmethod
    def notes(width: int, height: int, *, still: bool) -> tuple[str, ...]:
        """What should be said of the mark of a picture, or of a clip, of that size."""
        if width * height >= (READABLE_PICTURE if still else READABLE_CLIP):
            return ()
        return (f"{width}x{height} is so small that the invisible mark may not be found again: the label can be read",)

    def prepare(self, width: int, height: int) -> None:
        """Make what the mark of frames of that size takes: the longest part of sealing the first.

        For another thread, while that frame is still looked for; ``seal`` waits for it, or makes it by itself.
        """
        self._watermarker.prepare(width, height)

    def seal(self, frame: Frame, faces: Faces, within: PixelBox | None = None) -> LabelledFrame:
        """A labelled and marked copy of ``frame``, the label clear of ``faces`` where there is room.

        ``within``: the part of the frame that the label says something of, in one of whose corners it stands.

        The copy comes first and all is drawn into it, so nothing that holds the frame's memory, now or later, can
        reach what was labelled. ``frame`` itself stays as it is.

        Raises:
            TypeError: it is no plain ``Frame``.
            ValueError: what it notes in ``changes`` does not fit its picture.
            InputError: the picture is too small to carry a label that can be read.
        """
        if type(frame) is not Frame:
            raise TypeError(f"only a plain Frame is sealed, not {type(frame).__name__}")
        picture, alpha, origin = Draft(frame.picture), _draft(frame.alpha), frame.origin
        # For the encoder, which adds to what was decoded what was changed.
        made = [] if origin is None else apart(picture.array, list(frame.changes))
        changes = tuple((box, Frozen.copy_of(before)) for box, before in made if before is not None)
        own = Frame(picture.array, int(frame.pts), Fraction(frame.time_base), int(frame.duration), _array(alpha))
        times, label = (own.pts, own.time_base, own.duration), self._labeller.draw(own, faces, within)
        steps = None if origin is None else Draft.of_zeros((own.height, own.width))
        self._watermarker.mark(own, None if steps is None else steps.array.view(np.int8))
        self._hash.add(own.seconds, own.picture)
        del own  # the last that could be written through
        opacity, added = (None if draft is None else draft.freeze() for draft in (alpha, steps))
        return self._seal.close(
            _Content(picture.freeze(), *times, opacity, origin, changes, added, label, self.identifier)
        )

    def pass_by(self, frame: Frame, faces: Faces) -> None:
        """A frame that is only looked at, before those that are sealed: the label goes where it would go in it."""
        self._labeller.pass_by(frame, faces)

    @property
    def corner(self) -> Corner:
        """Where the label stands now."""
        return self._labeller.corner

    @property
    def hashes(self) -> tuple[str, ...]:
        """Perceptual hashes of what was sealed so far, for the ledger."""
        return tuple(self._hash.hashes)

    @property
    def hashed(self) -> tuple[tuple[float, str], ...]:
        """The same, each with its time in seconds: see ``fingerprint.hashes_of``."""
        return tuple(self._hash.hashed)


def _draft(array: UInt8Array | None) -> Draft | None:
    return None if array is None else Draft(array)


def _array(draft: Draft | None) -> UInt8Array | None:
    return None if draft is None else draft.array
