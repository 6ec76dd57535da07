"""Which shape of picture is written, and which words stand in it: the options of cropping, padding and captions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from understudy.provenance.denials import denied
from understudy.provenance.lettering import font_for

Fit = Literal["crop", "pad"]
#: Most of either number of a ratio, and how many times as long as the other a side may become.
_NUMBER, _LONGEST = 100, 4
#: Least and most pixels of a side.
_SIDES: Final = (64, 7680)
#: Most characters of a caption.
CHARACTERS: Final = 160


@dataclass(frozen=True)
class FrameOptions:
    """The shape of what is written, and a caption in it.

    Attributes:
        shape: ``as-is``; or a ratio such as ``9:16``, of which as much of the target as fits in is written, in its own
            pixels; or a size such as ``1080x1920``, to which that is brought.
        fit: What is done about the rest: ``crop`` leaves it out, and follows the faces that are swapped; ``pad`` shows
            the whole target in front of a blurred one.
        caption: Words that stand in every frame, at most 160 characters: in the middle of its lower part, or of its
            upper part where they would hide a mouth. None for no words.

    Raises:
        ValueError: there is no such shape, or the caption is too long, has letters that no font here has, or says that
            nothing was done to the picture.
    """

    shape: str = "as-is"
    fit: Fit = "crop"
    caption: str | None = None

    def __post_init__(self) -> None:
        for name, value in (("shape", self.shape), ("caption", "" if self.caption is None else self.caption)):
            if not isinstance(value, str):
                raise ValueError(f"a {name} is text, not {value!r}")  # noqa: TRY004 - as for any other wrong value
        if self.caption is not None:
            object.__setattr__(self, "caption", _worded(self.caption) or None)
        words = re.fullmatch(r"([0-9]{1,4})([:x])([0-9]{1,4})", self.shape)
        if words is None and self.shape != "as-is":
            raise ValueError(f"a shape is as-is, a ratio such as 9:16, or a size such as 1080x1920, not {self.shape!r}")
        if words is None:
            return
        across, down = int(words[1]), int(words[3])
        least, most = (1, _NUMBER) if words[2] == ":" else _SIDES
        if not (least <= min(across, down) and max(across, down) <= most):
            raise ValueError(f"the numbers of {self.shape} must be {least} to {most}")
        if max(across, down) > _LONGEST * min(across, down):
            raise ValueError(f"{self.shape} is too long: one side may be {_LONGEST} times as long as the other")

    @property
    def ratio(self) -> Fraction | None:
        """Width over height, as it is shown; None for that of the target."""
        if self.shape == "as-is":
            return None
        across, down = re.split("[:x]", self.shape)
        return Fraction(int(across), int(down))

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height in pixels; None where the target says."""
        if "x" not in self.shape:
            return None
        across, down = self.shape.split("x")
        return int(across), int(down)


def _worded(text: str) -> str:
    """A caption as it is drawn, its blanks single.

    Raises:
        ValueError: see ``FrameOptions``.
    """
    plain = " ".join(text.split())
    if text and not plain:
        raise ValueError("a caption of blanks says nothing: leave it out, or give it words")
    if len(plain) > CHARACTERS or not plain.isprintable():
        raise ValueError(f"a caption has at most {CHARACTERS} characters, and none that can't be seen")
    if not plain:
        return ""
    font_for(plain)
    claim = denied(plain)
    if claim is not None:
        raise ValueError(f"a caption may not say the opposite of the label ({claim!r})")
    return plain
