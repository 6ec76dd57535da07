"""A rehearsal: a second of a live session in a process of its own, before the first one on this machine.

Kernels are compiled when they are first called on a machine, and their machine code is kept (see ``compiled``). That
takes some seconds: a camera's first pictures would wait for it, a short clip would be over before the first of them is
swapped, and the session would keep the compiler's 160 MB. Here another process has them compiled, and is gone.

``python -m understudy.cli.rehearsal FOLDER`` is that process. What it does is seen by nobody: the sample faces, in a
folder that whoever began it removes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Final

from understudy.cli.terminal import say

if TYPE_CHECKING:
    from understudy.arrays import UInt8Array
    from understudy.media.live.base import LiveInfo, Picture

#: Faces in the rehearsal's pictures that are swapped until it is over, and its seconds at most.
_FACES: Final = 20
_SECONDS: Final = 60.0
_RATE: Final = 30
#: How polite the process is where somebody does something else meanwhile.
_POLITE: Final = 10


class Rehearsal:
    """The process, and whether there has been one on this machine."""

    def __init__(self) -> None:
        from understudy.compiled.kept import Mark  # which takes as long to import as other commands to do all

        self._mark = Mark("rehearsed")
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def needed(self) -> bool:
        """Whether there has been none on this machine."""
        return not self._mark.is_there

    def begin(self, *, politely: bool = False) -> bool:
        """Begin it, if it is needed, and what it has compiled can be kept; whether that is so.

        Args:
            politely: Behind everything else that this machine does.
        """
        if not self.needed or not self._mark.set():
            return False
        try:
            # Of a process that is ended in the midst nothing is left either.
            self._folder = tempfile.TemporaryDirectory(prefix="understudy-", ignore_cleanup_errors=True)
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, self._folder.name, *(["--politely"] if politely else [])],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # what does not come about here is compiled by the session itself
                start_new_session=True,  # Ctrl-C in the terminal is for whoever waits
            )
        except OSError:  # a full disk, or no room for a process: a session may still be had
            self._mark.clear()
            return False
        return True

    def wait(self) -> None:
        """Wait until it is over; what interrupts that ends it."""
        if self._process is not None:
            try:
                self._process.wait()
            finally:
                self.close()

    def close(self) -> None:
        """End it. What was not over by then is done when it is needed again."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            self._mark.clear()
            process.kill()
            process.wait()
        if self._folder is not None:
            self._folder.cleanup()


def rehearsed() -> None:
    """Have it over, where somebody waits for their first session; they are told why."""
    rehearsal = Rehearsal()
    if rehearsal.begin():
        say("note: on this machine for the first time: it takes some seconds to be made ready for its processor")
        rehearsal.wait()


class _Pictures:
    """A live source of pictures, over and over."""

    def __init__(self, pictures: Sequence[UInt8Array]) -> None:
        self._pictures = cycle(pictures)
        self._shape = pictures[0].shape

    def open(self) -> LiveInfo:
        """See ``LiveSource``."""
        from understudy.media.live.base import LiveInfo

        return LiveInfo("rehearsal", self._shape[1], self._shape[0], Fraction(_RATE))

    def read(self) -> Picture:
        """See ``LiveSource``."""
        from understudy.media.live.base import Picture

        time.sleep(1 / _RATE)
        return Picture(next(self._pictures), time.monotonic())

    def close(self) -> None:
        """See ``LiveSource``."""

    def abandon(self) -> None:
        """See ``LiveSource``."""


def rehearse(pictures: Sequence[UInt8Array], photo: Path, folder: Path) -> None:
    """Swap faces in pictures live, and record them.

    Args:
        pictures: uint8 BGR (H, W, 3), with faces.
        photo: Whose face: one of the package's portraits.
        folder: For everything that comes of it.

    Raises:
        UnderstudyError: it can't be done.
    """
    from understudy.app import Understudy
    from understudy.settings import Settings

    with Understudy(Settings(home=folder / "home")) as app:
        person = app.person(photo, consent="sample")
        with app.live(person, _Pictures(pictures), folder / "rehearsal.mp4") as session:
            until = time.monotonic() + _SECONDS
            while session.running and session.statistics().frames_swapped < _FACES and time.monotonic() < until:
                session.wait(0.1)


def _main() -> None:
    import numpy as np

    from understudy.cli.demo import sample_pictures, samples
    from understudy.errors import UnderstudyError

    folder, *more = sys.argv[1:]
    if "--politely" in more and hasattr(os, "nice"):
        os.nice(_POLITE)
    # Two people: one is swapped, and the other is covered, which has a kernel of its own.
    faces = list(sample_pictures(4))
    pictures = [np.hstack([one, other]) for one, other in zip(faces[::2], faces[1::2], strict=True)]
    with suppress(UnderstudyError):
        rehearse(pictures, samples().photo, Path(folder))


if __name__ == "__main__":
    _main()
