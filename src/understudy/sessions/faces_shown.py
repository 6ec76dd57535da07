"""Whose faces outputs may show: of several people more than the one who is chosen now."""

from __future__ import annotations


class FacesShown:
    """Of one session: people by number. For several threads, of which one makes the frames.

    Whoever was chosen before is seen for a while: the last swap of a lost face is held, and outputs show their last
    picture again while none comes.

    Attributes:
        chosen: Whose face the next frame gets. May be set from any thread.
    """

    def __init__(self) -> None:
        self.chosen = 0
        self._given = 0
        #: Since when, by the frames' clock, those who were chosen before are no longer given.
        self._before: dict[int, float] = {}

    def begin(self) -> None:
        """The first frame comes: nobody was seen before."""
        self._given = self.chosen

    def changed(self, seconds: float) -> bool:
        """Whether the frame of that time gets another face than the one before it. Asked once for each."""
        chosen = self.chosen
        if chosen == self._given:
            return False
        self._before = {**self._before, self._given: seconds}  # first, for whoever asks meanwhile
        self._given = chosen
        return True

    def handed_over(self, seconds: float, held: float) -> None:
        """The frame of that time went to the outputs, in which a swap is held for ``held`` seconds."""
        self._before = {number: since for number, since in self._before.items() if seconds - since <= held}

    @property
    def numbers(self) -> tuple[int, ...]:
        """Everybody who may be seen, and whoever was chosen."""
        return tuple({self.chosen, self._given, *self._before})
