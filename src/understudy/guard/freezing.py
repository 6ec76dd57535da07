"""Stands still while somebody would have to be covered."""

from __future__ import annotations

from understudy.arrays import UInt8Array
from understudy.canvas import Canvas
from understudy.frames import PixelBox


class Freezing:
    """The last picture of a session in which nothing had to be covered. Frames come in order."""

    def __init__(self) -> None:
        self._shown: UInt8Array | None = None

    def __call__(self, canvas: Canvas, *, covered: bool) -> None:
        """Show that picture in place of one in which something was covered; the swaps are in it already.

        Args:
            canvas: Of the frame.
            covered: Whether anything in it had to be covered.
        """
        picture = canvas.frame.picture
        if not covered:
            self._shown = picture.copy()
        elif self._shown is not None and self._shown.shape == picture.shape:
            canvas.change(PixelBox(0, 0, canvas.width, canvas.height))[:] = self._shown

    def forget(self) -> None:
        """That picture is not to be shown any more."""
        self._shown = None
