"""Outputs that appear whole, signed and read back, or not at all."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av.error

from understudy import outputs
from understudy.errors import OutputExistsError
from understudy.interruptions import give_up_if_interrupted, undisturbed
from understudy.outputs import Draft, output_error
from understudy.release import SIDECAR_SUFFIX, Release, SignedFile, file_digest, is_sidecar
from understudy.temporaries import KEPT, SIDECAR, alone_in


class AtomicFile:
    """A temporary file beside its target that takes the target's name at the end.

    Args:
        target: Where the file shall be. Its folder must exist; a link is followed.
        overwrite: Whether a file that has appeared there meanwhile may be replaced.
    """

    def __init__(self, target: Path, *, overwrite: bool = False) -> None:
        # Same folder: a rename across disks is a copy. Same suffix: encoders look at it.
        self._draft = Draft(target, overwrite=overwrite)
        self.target, self.path, self._overwrite = self._draft.target, self._draft.path, overwrite
        self._stop = threading.Event()

    def release(self, release: Release, check: Callable[[Path], None]) -> None:
        """Have the file signed, read it back and give it its name: only a signed file gets one.

        No interruption enters here: the signer's compiled code calls back. One that comes ends the signing, and is
        raised when it has ended.

        Args:
            release: Signs it.
            check: Opens what was signed as whoever gets it would, and raises an error of this package if it can't.

        Raises:
            OutputExistsError: somebody else has made a file of that name meanwhile.
            UnderstudyError: it can't be signed.
        """
        undisturbed(lambda: self._released(release, check), self._stop)

    def give_up(self) -> None:
        """Have the signing, which another thread waits for, ended."""
        self._stop.set()

    def _released(self, release: Release, check: Callable[[Path], None]) -> None:
        with output_errors(self.target):
            written = file_digest(self.path)
        signed = SignedFile.checked(release.sign(self.path, self.target), self.path, self.target, written)
        check(signed.path)
        give_up_if_interrupted()
        with output_errors(self.target), alone_in(self.target.parent):
            beside = self.target.with_name(self.target.name + SIDECAR_SUFFIX)
            if os.path.lexists(beside) and not is_sidecar(beside):
                raise OutputExistsError(
                    f"another file has the name that the output's credentials need: {beside}", "Name another output."
                )
            if signed.sidecar is not None:
                self._name_both(signed.path, signed.sidecar, beside)
                return
            self._draft.name(signed.path)
            if self._overwrite and is_sidecar(beside):
                beside.unlink()  # of the file that was replaced

    def _name_both(self, path: Path, sidecar: Path, beside: Path) -> None:
        """Name a file and what belongs beside it. After a kill in between ``temporaries.clean`` undoes the half."""
        temporary = self._draft.temporary
        kept, shown = temporary.beside(beside, KEPT), temporary.beside(beside, SIDECAR)
        with suppress(OSError, NotImplementedError):  # no links here, or a name too long: then it is not undone
            if self._overwrite and beside.exists():
                os.link(beside, kept)
            os.link(sidecar, shown)
        self._draft.name(sidecar, beside)
        try:
            self._draft.name(path)
        except BaseException:
            if kept.exists():
                kept.replace(beside)
            else:
                beside.unlink(missing_ok=True)
            raise
        for left in (kept, shown):
            left.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove what is left of it; nothing is there if it has its name."""
        self._draft.discard()


@contextmanager
def output_errors(target: Path) -> Iterator[None]:
    """Turn what the system and FFmpeg say while writing into this package's errors.

    Raises:
        NoSpaceError: the disk is full.
        OutputError: anything else that is refused.
    """
    try:
        with outputs.output_errors(target):
            yield
    except av.error.FFmpegError as fault:
        raise output_error(target, fault) from fault
