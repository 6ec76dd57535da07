"""The mask models of the field, each fed and read as its authors do it: XSeg (DeepFaceLab), BiSeNet (face parsing)."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.errors import ModelFileError
from understudy.geometry.templates import TEMPLATES
from understudy.masking.options import MaskOptions, Part
from understudy.models.conventions import blob
from understudy.models.session import Session

#: What BiSeNet, trained on CelebAMask-HQ, calls each part: of two sides always both.
CLASSES: Final[dict[Part, tuple[int, ...]]] = {
    "skin": (1,),
    "brows": (2, 3),
    "eyes": (4, 5),
    "glasses": (6,),
    "nose": (10,),
    "mouth": (11,),
    "lips": (12, 13),
}
#: How many classes there are.
_COUNT: Final = 19
#: Spread of the blur that softens what a model sees, as a share of the crop's side.
_SPREAD: Final = 0.01


class _Asked:
    """A model with its crop.

    Args:
        session: It, open.

    Raises:
        ModelFileError: its entry names no template.
    """

    def __init__(self, session: Session) -> None:
        self._session, self._input = session, session.entry.input
        if self._input.template is None:
            raise ModelFileError(
                f"the entry of {session.entry.name} names no template", "docs/models.md says what an entry is."
            )
        self.template, self.size = TEMPLATES[self._input.template], self._input.size

    def _run(self, crop: UInt8Array) -> FloatArray:
        return self._session.run({self._session.target: blob(crop, self._input)})[0]

    def _unfitting(self, values: FloatArray) -> ModelFileError:
        return ModelFileError(
            f"{self._session.entry.name} gives numbers in the shape {values.shape}, which are no mask of its family",
            "The file is another model than the one that the catalogue describes.",
        )


class Occluder(_Asked):
    """Sees what hides a face (family ``xseg``): 1 is the face itself. A ``MaskModel``."""

    def visible(self, crop: UInt8Array, face: float, options: MaskOptions) -> FloatArray | None:  # noqa: ARG002
        """See ``MaskModel.visible``."""
        values = self._run(crop)
        if values.size != self.size**2:
            raise self._unfitting(values)
        if not np.isfinite(values).all():
            return None
        return _inner(np.clip(values.reshape(self.size, self.size), 0, 1))


class Parser(_Asked):
    """Tells the parts of a face (family ``bisenet``). A ``MaskModel``."""

    def visible(self, crop: UInt8Array, face: float, options: MaskOptions) -> FloatArray | None:
        """See ``MaskModel.visible``."""
        values = self._run(crop)
        if values.shape != (1, _COUNT, self.size, self.size):
            raise self._unfitting(values)
        shown = [number for part in options.classes for number in CLASSES[part]]
        hidden = [number for number in range(_COUNT) if number not in shown]
        # The likeliest of those that are shown against the likeliest of the others: a fourth of the time of an argmax.
        best, other = (np.maximum.reduce([values[0, number] for number in some]) for some in (shown, hidden))
        if not (np.isfinite(best).all() and np.isfinite(other).all()):
            return None
        return _inner(_grown(np.asarray(best > other, np.uint8), options.grow * face).astype(np.float32))


def mask_model(session: Session) -> Occluder | Parser:
    """What the entry's family makes of an open model.

    Raises:
        ModelFileError: its entry names no template.
    """
    return Occluder(session) if session.entry.family == "xseg" else Parser(session)


def _grown(parts: UInt8Array, by: float) -> UInt8Array:
    """What is 1, wider by so many pixels; narrower where that is below 0."""
    size = 2 * round(abs(by)) + 1
    if size == 1:
        return parts
    change = cv2.dilate if by > 0 else cv2.erode
    return np.asarray(change(parts, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))), np.uint8)


def _inner(visible: FloatArray) -> FloatArray:
    """With an edge that falls off inwards, as FaceFusion has it: what hides a face hides it wholly."""
    blurred = cv2.GaussianBlur(visible.astype(np.float32), (0, 0), _SPREAD * len(visible))
    return np.asarray((np.clip(blurred, 0.5, 1) - 0.5) * 2, np.float32)
