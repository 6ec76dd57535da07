"""The content check: faces are not put into intimate pictures, nor taken from them.

This module is the seam and the rule; the classifier is a model that is installed apart. Without one nothing is
checked, and every report says so. Neural engines will ask for one; the embedded engine runs without.

**Minors.** No classifier here estimates ages, and none is claimed to. The rule - nobody under 18 - is part of what
the user states with every consent (see ``consent``), and nothing in a report says that it was checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from understudy.arrays import UInt8Array
from understudy.errors import ContentRefusedError

#: Seconds of a clip between two looks.
INTERVAL: Final = 1.0
#: Frames of a clip between two looks, at most.
MOST_UNSEEN: Final = 30


class ContentClassifier(Protocol):
    """Says how likely a picture is intimate."""

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
        threshold: From which probability on a picture is refused.

    Raises:
        ValueError: a threshold outside 0-1.
    """

    threshold: float = 0.6

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise ValueError(f"the threshold is a probability between 0 and 1, not {self.threshold}")


class ContentCheck:
    """Looks at the photos, and at the target every second and every 30 frames. One for each output.

    Args:
        options: How.
        classifier: What looks; None where none is installed.
    """

    def __init__(self, options: ContentOptions | None = None, classifier: ContentClassifier | None = None) -> None:
        self._options, self._classifier = options or ContentOptions(), classifier
        self._last: float | None = None
        self._unseen = 0
        self._looks = 0

    @property
    def classifies(self) -> bool:
        """Whether anything looks."""
        return self._classifier is not None

    @property
    def note(self) -> str:
        """What the report says."""
        if self._classifier is None:
            return "no content classifier is installed: intimate pictures were not looked for"
        looks = f"{self._looks} look{'s' * (self._looks != 1)}"
        return f"content was checked with {self._classifier.name}: {looks}, threshold {self._options.threshold:g}"

    def photo(self, picture: UInt8Array, name: str) -> None:
        """Look at a photo (uint8 BGR).

        Raises:
            ContentRefusedError: it is intimate.
        """
        self._look(picture, name)

    def frame(self, picture: UInt8Array, seconds: float) -> None:
        """Look at a frame of the target (uint8 BGR, before anything is put into it) if the last look is long ago.

        That is a second, or as many frames as a second has as a rule: a clip may be played at any speed.

        Raises:
            ContentRefusedError: it is intimate.
        """
        self._unseen += 1
        if self._last is None or abs(seconds - self._last) >= INTERVAL or self._unseen >= MOST_UNSEEN:
            self._last, self._unseen = seconds, 0
            self._look(picture, f"the target at {seconds:.1f} s")

    def _look(self, picture: UInt8Array, where: str) -> None:
        classifier = self._classifier
        if classifier is None:
            return
        self._looks += 1
        probability = float(classifier.intimate(picture))
        # Written this way round, a classifier that fails with NaN refuses too.
        if not probability < self._options.threshold:
            raise ContentRefusedError(
                f"{where} looks intimate ({classifier.name}: {probability:.0%})",
                "Faces are not put into such pictures, whatever consent there is. Nothing was written.",
            )
