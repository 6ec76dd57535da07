"""When a picture of which nothing is known may be shown: once somebody is swapped, or it was looked at in every way."""

from __future__ import annotations

from typing import Final

from understudy.guard.sight import WAYS, Sight

#: Seconds between two frames after which nothing is known any more of who is where.
_GAP: Final = 0.5
#: Seconds after a start or a cut in which the choice may have fallen on the wrong face.
_UNSURE: Final = 1.0


class Settling:
    """Follows one clip. Frames come in order.

    Attributes:
        settled: Whether the picture may be shown, as far as those go of whom nothing is known.
    """

    def __init__(self) -> None:
        self.settled = False
        self._since: float | None = None
        self._looks = 0
        self._now: float | None = None
        self._step: float | None = None

    def begin(self, sight: Sight, now: float, *, cut: bool) -> bool:
        """Take up a frame; whether nothing is known any more of who is where: at first, after a cut or a gap.

        Args:
            sight: What is seen in it.
            now: Its time in seconds.
            cut: Whether a new shot begins.
        """
        anew = self._is_gap(now) or cut or self._since is None
        if anew or not sight.readable:  # in the dark somebody may come unseen
            self._since, self.settled, self._looks = now, False, 0
        self._looks += sight.through is not None
        return anew

    def update(
        self, sight: Sight, now: float, seconds: float, *, searched: bool, swapped: bool, everybody: bool
    ) -> None:
        """Settle if somebody is swapped, or if it was ``searched`` and looked at for ``seconds`` and in every way.

        ``everybody``: whether all are to be swapped: then one who is does not settle it before it was ``searched``, but
        in the dark, where that can't be done.
        """
        looked = searched and sight.readable and self._looks >= WAYS and now - (self._since or 0.0) >= seconds
        self.settled = self.settled or looked or (swapped and (searched or not everybody or not sight.readable))

    def unsure(self, now: float) -> bool:
        """Whether the choice may have fallen on the wrong face."""
        return self._since is not None and now - self._since < _UNSURE

    def _is_gap(self, now: float) -> bool:
        """Whether so much time passed since the frame before that faces may be anywhere."""
        before, self._now = self._now, now
        if before is None:
            return False
        step, usual = now - before, self._step
        self._step = step if usual is None else usual + 0.2 * (step - usual)
        return not 0 <= step <= max(_GAP, 3 * (usual or 0.0))
