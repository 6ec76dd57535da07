"""Several fonts as one: each letter is drawn by the first that has it, all on one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from PIL import ImageDraw, ImageFont

from understudy.provenance.writing import runs

if TYPE_CHECKING:
    from understudy.provenance.lettering import Font


class Face(Protocol):
    """A font at one size, as far as it is asked for how large a text is."""

    size: float

    def getbbox(self, text: str) -> tuple[float, float, float, float]:
        """The ink of a line: left, top, right and bottom from where it is drawn."""
        ...

    def getlength(self, text: str) -> float:
        """How far a line goes."""
        ...


class MixedFont:
    """Draws a text that no single font has all letters of.

    Args:
        fonts: Those that have them together.
        owners: The number of the font that draws a letter with its marks; of what is not in it, the first one does.
    """

    def __init__(self, fonts: Sequence[Font], owners: dict[str, int]) -> None:
        self._fonts, self._owners = tuple(fonts), owners
        self.name = " and ".join(font.name for font in fonts)

    def at(self, size: int) -> MixedFace:
        """The fonts at a size in pixels."""
        return MixedFace([font.at(size) for font in self._fonts], self._owners)


class MixedFace:
    """Such fonts at one size. Arguments as for ``MixedFont``.

    Attributes:
        size: In pixels.
    """

    def __init__(self, faces: Sequence[ImageFont.FreeTypeFont], owners: dict[str, int]) -> None:
        self._faces, self._owners, self.size = tuple(faces), owners, faces[0].size

    def getbbox(self, text: str) -> tuple[float, float, float, float]:
        """The ink of a line: left, top, right and bottom from where its base line begins."""
        found = []
        for part, face, left, direction in self._placed(text):
            box = face.getbbox(part, anchor="ls", direction=direction)
            if box[2] > box[0] and box[3] > box[1]:
                found.append((box[0] + left, box[1], box[2] + left, box[3]))
        if not found:
            return (0.0, 0.0, 0.0, 0.0)
        lefts, tops, rights, bottoms = zip(*found, strict=True)
        return (min(lefts), min(tops), max(rights), max(bottoms))

    def getlength(self, text: str) -> float:
        """How far a line goes."""
        return sum(face.getlength(part, direction=direction) for part, face, _, direction in self._placed(text))

    def face_of(self, letter: str) -> ImageFont.FreeTypeFont:
        """What draws a letter."""
        return self._faces[self._owner(letter)]

    def draw(self, pen: ImageDraw.ImageDraw, xy: tuple[float, float], text: str) -> None:
        """Draw a line in white, its base line from there on."""
        for part, face, left, direction in self._placed(text):
            pen.text((xy[0] + left, xy[1]), part, fill=255, font=face, anchor="ls", direction=direction)

    def _placed(self, text: str) -> list[tuple[str, ImageFont.FreeTypeFont, int, str | None]]:
        """The parts of a line: each with its font, where it begins, and its direction, if that is not the usual one."""
        placed, left = [], 0.0
        for part, number, leftwards in runs(text, self._owner):
            face, direction = self._faces[number], "rtl" if leftwards else None
            placed.append((part, face, round(left), direction))
            left += face.getlength(part, direction=direction)
        return placed

    def _owner(self, letter: str) -> int:
        return self._owners.get(letter, 0)
