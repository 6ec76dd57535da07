"""Looks at the content of a live session beside everything else, so that no frame is late for it."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYetError

from understudy.errors import RunError
from understudy.frames import Frame
from understudy.provenance.content import ContentCheck

#: Seconds that a look may take until the session ends for it: nothing goes on unseen.
PATIENCE = 10.0


class Watching:
    """Has frames looked at in a thread, one at a time. What it says of one is raised with one of the next frames.

    The first is waited for: nothing is shown before it was looked at.

    Args:
        content: Looks.
    """

    def __init__(self, content: ContentCheck) -> None:
        self._content = content
        self._thread = ThreadPoolExecutor(1, "content")
        self._looking: Future[None] | None = None
        self._begun = False

    def __call__(self, frame: Frame, *, cut: bool) -> None:
        """Have a frame looked at, if that is due, before anything is put into it.

        Args:
            frame: Which; its picture may be written into afterwards.
            cut: Whether it begins a new shot.

        Raises:
            ContentRefusedError: it is intimate, or the one that was looked at last.
            RunError: a look does not end.
        """
        if self._looking is not None and self._looking.done():
            self.settle()
        if not self._content.due(frame.seconds, cut=cut):
            return
        self.settle()
        if not self._begun:
            self._begun = True
            self._content.look(frame.picture, frame.seconds)
            return
        self._looking = self._thread.submit(self._content.look, frame.picture.copy(), frame.seconds)

    def settle(self) -> None:
        """Wait for the look that has begun.

        Raises:
            ContentRefusedError, RunError: as for a frame.
        """
        looking, self._looking = self._looking, None
        if looking is None:
            return
        try:
            looking.result(PATIENCE)
        except NotYetError as fault:
            raise RunError(f"the content check did not end within {PATIENCE:g} s", "Close other programs.") from fault

    def end(self) -> None:
        """After the last frame: wait for its look, and have a closer look decided by what it has seen so far.

        Raises:
            ContentRefusedError, RunError: as for a frame.
        """
        self.settle()
        self._content.end()

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)
