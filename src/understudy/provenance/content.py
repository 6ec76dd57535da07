"""The content check: faces are not put into intimate pictures, nor taken from them.

This module is the rule: what is looked at, how often, and from when on it is refused. What looks comes through the seam
``ContentClassifier``; there is always one, for the package carries one (see ``open_nsfw``).

**Minors.** No classifier here estimates ages, and none is claimed to. The rule - nobody under 18 - is part of what
the user states with every consent (see ``consent``), and nothing in a report says that it was checked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn, Protocol

import numpy as np

from understudy.arrays import UInt8Array
from understudy.errors import ContentRefusedError
from understudy.text import counted

#: The threshold that applies if none is asked for, and the most that can be asked for: the check can be made stricter
#: only. What it rests on is in docs/lab-book.md: of what is ordinary, no photo came above 0.38.
THRESHOLD: Final = 0.6
#: From which probability one look at a frame is enough. Between the two a clip is looked at more closely: somebody who
#: grimaces close to the camera reached 0.72, for less than a second.
SURE: Final = 0.85
#: Seconds between two looks at a clip, and frames, at most: whatever is shown for longer is seen.
INTERVAL: Final = 3.0
MOST_UNSEEN: Final = 90
#: Frames that earn a look at the beginning of a shot, and how many such looks can be saved up. A look takes 15 ms of a
#: processor, a frame 25 and more: however many cuts there are, looks are less than a hundredth of the work.
EARNING: Final = 75
MOST_SAVED: Final = 3.0
#: A closer look: so many looks, so far apart in seconds and in frames at most. Their mean decides.
CLOSE_LOOKS: Final = 12
CLOSE_INTERVAL: Final = 0.16
CLOSE_UNSEEN: Final = 10
#: A photo, and a frame, whose longer side is so many times the shorter is looked at in squares, too: squeezed to one
#: square, as classifiers are given pictures, people in a long picture are thin or flat.
_LONG_PHOTO, _LONG_FRAME = 1.25, 2.5


class ContentClassifier(Protocol):
    """Says how likely a picture is intimate. May be asked from several threads."""

    @property
    def name(self) -> str:
        """What it is called, for reports."""
        ...

    def intimate(self, picture: UInt8Array) -> float:
        """The probability, 0-1, that a picture (uint8 BGR, (H, W, 3)) shows nudity or a sexual act."""
        ...


@dataclass(frozen=True)
class ContentOptions:
    """How the content is checked.

    Attributes:
        threshold: From which probability on a picture is refused: above 0, and 0.6 at most.

    Raises:
        ValueError: another threshold.
    """

    threshold: float = THRESHOLD

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= THRESHOLD:
            raise ValueError(
                f"the content check can be made stricter only: its threshold is above 0 and {THRESHOLD} at most, "
                f"not {self.threshold}"
            )


class Schedule:
    """When a clip or session is looked at.

    The first frame is, and whatever comes after 3 seconds or 90 frames without a look: a clip may be played at any
    speed. The first frame of a shot is, too, as long as looks have been earned. During a closer look it is six times a
    second.
    """

    def __init__(self) -> None:
        self._last: float | None = None
        self._unseen = 0
        self._saved = 2.0  # the first look, and one for a cut soon after it
        self._new_shot = False
        self.closely = False

    def due(self, seconds: float, *, cut: bool) -> bool:
        """Whether this frame is to be looked at. Asked once for each, in order.

        Args:
            seconds: Its time.
            cut: Whether it begins a new shot.
        """
        self._unseen += 1
        self._saved = min(self._saved + 1 / EARNING, MOST_SAVED)
        self._new_shot |= cut
        interval, frames = (CLOSE_INTERVAL, CLOSE_UNSEEN) if self.closely else (INTERVAL, MOST_UNSEEN)
        long_ago = self._last is None or abs(seconds - self._last) >= interval or self._unseen >= frames
        if not (long_ago or (self._new_shot and self._saved >= 1)):
            return False
        self._last, self._unseen, self._new_shot = seconds, 0, False
        self._saved = max(self._saved - 1, 0)
        return True


class ContentCheck:
    """Looks at the photos, and at the target. One for each output.

    Args:
        classifiers: What looks, one at least: any of them can refuse.
        options: How.
        target: What the target is called in messages: a file's name, a camera's.

    Raises:
        ValueError: nothing looks.
    """

    def __init__(
        self,
        classifiers: Sequence[ContentClassifier],
        options: ContentOptions | None = None,
        *,
        target: str = "the target",
    ) -> None:
        if not classifiers:
            raise ValueError("a content check needs a classifier")
        self._classifiers, self._threshold = tuple(classifiers), (options or ContentOptions()).threshold
        self.target = target
        self._schedule = Schedule()
        self._looks = 0
        #: Probabilities of a closer look so far, when it began and was continued last, and who says the last.
        self._close: list[float] = []
        self._since = self._until = 0.0
        self._by = ""

    @property
    def note(self) -> str:
        """What the report says."""
        names = " and ".join(one.name for one in self._classifiers)
        return f"content was checked with {names}: {counted(self._looks, 'look')}, threshold {self._threshold:g}"

    @property
    def looks(self) -> int:
        """How often it looked."""
        return self._looks

    @property
    def closely(self) -> bool:
        """Whether a closer look is under way, that further frames decide: see ``end``."""
        return bool(self._close)

    def count(self, looks: int) -> None:
        """Add looks that another has made for the same output, to what is told of them."""
        self._looks += looks

    def photo(self, picture: UInt8Array, name: str) -> None:
        """Look at a photo (uint8 BGR, (H, W, 3)): as a whole, and if it is long, at each square of it.

        Args:
            picture: The photo.
            name: For the message.

        Raises:
            ContentRefusedError: it is intimate.
        """
        probability, by = self._probability(picture, _LONG_PHOTO)
        # Written this way round, a classifier that fails with NaN refuses, too.
        if not probability < self._threshold:
            self._refuse(name, f"{by}: {probability:.0%}")

    def still(self, picture: UInt8Array) -> None:
        """Look at a target that is a photo: see ``photo``."""
        self.photo(picture, self.target)

    def frame(self, picture: UInt8Array, seconds: float, *, cut: bool = False) -> None:
        """Look at a frame of the target, if it is ``due``: see there, and ``look``."""
        if self.due(seconds, cut=cut):
            self.look(picture, seconds)

    def due(self, seconds: float, *, cut: bool) -> bool:
        """Whether a frame of the target is to be looked at. Asked once for each, in order: see ``Schedule``.

        Args:
            seconds: Its time.
            cut: Whether it begins a new shot.
        """
        return self._schedule.due(seconds, cut=cut)

    def look(self, picture: UInt8Array, seconds: float) -> None:
        """Look at a frame of the target. One at a time.

        Args:
            picture: The frame, uint8 BGR (H, W, 3), before anything is put into it.
            seconds: Its time, for the message.

        Raises:
            ContentRefusedError: it is intimate, or the frames of some two seconds are in the mean.
        """
        probability, by = self._probability(picture, _LONG_FRAME)
        if not probability < SURE:
            self._refuse(f"{self.target} at {seconds:.1f} s", f"{by}: {probability:.0%}")
        if not self._close and probability < self._threshold:
            return
        if not self._close:
            self._since = seconds
        self._until, self._by = seconds, by
        self._close.append(probability)
        self._schedule.closely = len(self._close) < CLOSE_LOOKS
        if not self._schedule.closely:
            self.end()

    def end(self) -> None:
        """After the last frame of a clip: what a closer look has seen up to there decides, be it one frame.

        Raises:
            ContentRefusedError: it is intimate.
        """
        seen, self._close = self._close, []
        if not seen:
            return
        mean, looks = float(np.mean(seen)), len(seen)
        if not mean < self._threshold:
            if looks == 1:
                self._refuse(f"{self.target} at {self._since:.1f} s", f"{self._by}: {mean:.0%}")
            where = f"{self.target} from {self._since:.1f} to {self._until:.1f} s"
            self._refuse(where, f"{self._by}: {mean:.0%} in the mean of {looks} looks")

    def _probability(self, picture: UInt8Array, long: float) -> tuple[float, str]:
        """The highest probability, and who says it; NaN as soon as one says so."""
        self._looks += 1
        said = [(float(one.intimate(view)), one.name) for view in views(picture, long) for one in self._classifiers]
        return max(said, key=lambda one: math.inf if math.isnan(one[0]) else one[0])

    def _refuse(self, where: str, why: str) -> NoReturn:
        raise ContentRefusedError(
            f"{where} looks intimate ({why}; the threshold is {self._threshold:.0%})",
            "Faces are neither put into such pictures nor taken from them, whatever the consent. No file was written.",
        )


def views(picture: UInt8Array, long: float) -> list[UInt8Array]:
    """A picture, and if it is long, the squares that cover it: as few as do.

    Args:
        picture: uint8 BGR (H, W, 3).
        long: From which ratio of its sides on it is long.
    """
    height, width = picture.shape[:2]
    side, length = min(height, width), max(height, width)
    if length < long * side:
        return [picture]
    count = math.ceil(length / side)
    starts = [round(number * (length - side) / (count - 1)) for number in range(count)]
    return [picture, *(picture[:, at : at + side] if width > height else picture[at : at + side] for at in starts)]
