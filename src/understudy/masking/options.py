"""Which parts of a face are swapped, as settings say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from understudy.text import words_of

#: Parts of the face: together all of it. ``whole`` is all of them.
Region = Literal["whole", "eyes", "brows", "nose", "mouth", "skin"]
#: Parts that can stay the target's own.
Kept = Literal["mouth", "eyes"]
#: What a parser tells apart on a face.
Part = Literal["skin", "brows", "eyes", "glasses", "nose", "mouth", "lips"]
#: What of it is shown as a rule: glasses are before a face, not of it.
_SHOWN: Final[tuple[Part, ...]] = ("skin", "brows", "eyes", "nose", "mouth", "lips")
#: The widest edge, and the most that a parser's classes are grown or shrunk, as shares of the face's size.
MOST_FEATHER: Final = 0.5
MOST_GROWN: Final = 0.25


@dataclass(frozen=True)
class MaskOptions:
    """Where a swap is shown. All that is said here is multiplied, and with what hides the face.

    Attributes:
        regions: The parts of the face that are swapped; none named, or ``whole``, is all of it.
        keep: Parts that stay the target's own.
        strength: 0-1: how far these masks count: at 0 the whole swap is shown, at 1 nothing of it outside of them.
        feather: 0-0.5: how wide the edges are, as a share of the face's size: those of the parts, of the box, of what
            models see, and the face's own outline. 0 leaves the outline as the engine draws it.
        box: How much of the face's box is left out at the top, the right, the bottom and the left, as shares of its
            height and width. The box leans with the head. None leaves nothing out.
        occluders: Names of models of the catalogue (family ``xseg``) that see what hides a face; of several the least
            counts.
        parsers: Names of models of the catalogue (family ``bisenet``) that tell the parts of a face.
        classes: What parsers see that is shown: one part at least.
        grow: -0.25 to 0.25, as a share of the face's size: how far beyond what parsers see is shown; below 0 less is.

    Raises:
        ValueError: a part that there is not, or a number out of range.
    """

    regions: tuple[Region, ...] = ()
    keep: tuple[Kept, ...] = ()
    strength: float = 1.0
    feather: float = 0.0
    box: tuple[float, float, float, float] | None = None
    occluders: tuple[str, ...] = ()
    parsers: tuple[str, ...] = ()
    classes: tuple[Part, ...] = _SHOWN
    grow: float = 0.0

    def __post_init__(self) -> None:
        for name in ("occluders", "parsers"):  # in Python one may stand alone
            object.__setattr__(self, name, words_of(getattr(self, name)))
        for name, known in (("regions", Region), ("keep", Kept), ("classes", Part)):
            _check_words(name, getattr(self, name), get_args(known))
        if not self.classes:
            raise ValueError("classes name at least one part that is shown")
        for name, low, high in (("strength", 0, 1), ("feather", 0, MOST_FEATHER), ("grow", -MOST_GROWN, MOST_GROWN)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} must be between {low} and {high}, not {value}")
        if self.box is not None:
            top, right, bottom, left = self.box
            if not (min(self.box) >= 0 and top + bottom < 1 and left + right < 1):
                raise ValueError(f"the margins of a box are shares of 0 or more, less than 1 together, not {self.box}")

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it takes."""
        return (*self.occluders, *self.parsers)


def _check_words(name: str, words: object, known: Sequence[str]) -> None:
    if not isinstance(words, tuple):
        raise ValueError(f"{name} is a tuple of words, not {words!r}")  # noqa: TRY004 - as for any other wrong value
    for word in words:
        if word not in known:
            raise ValueError(f"{name} knows no {word!r}, but {', '.join(known)}")
