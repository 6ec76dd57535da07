"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av.error

from understudy.errors import NoSpaceError, OutputError, OutputExistsError, UnderstudyError
from understudy.release import SIDECAR_SUFFIX, Release, SignedFile, file_digest, is_sidecar

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class AtomicFile:
    """A temporary file beside its target that takes the target's name at the end.

    Args:
        target: Where the file shall be. Its folder must exist; a link is followed.
        overwrite: Whether a file that has appeared there meanwhile may be replaced.
    """

    def __init__(self, target: Path, *, overwrite: bool = False) -> None:
        target = target.resolve()
        self.target, self._overwrite = target, overwrite
        # Same folder: a rename across disks is a copy. Same suffix: encoders look at it.
        self.path = target.with_name(f".{target.stem[:40]}.{os.getpid()}-{secrets.token_hex(4)}{target.suffix}")

    def release(self, release: Release) -> None:
        """Have the file signed and give it its name: only a signed file gets one.

        Raises:
            OutputExistsError: somebody else has made a file of that name meanwhile.
            UnderstudyError: it can't be signed.
        """
        with output_errors(self.target):
            written = file_digest(self.path)
        signed = SignedFile.checked(release.sign(self.path, self.target), self.path, self.target, written)
        beside = self.target.with_name(self.target.name + SIDECAR_SUFFIX)
        with output_errors(self.target):
            # Until the file has its name, what lay beside the one that it replaces is kept.
            kept = self.path.with_name(f"{self.path.name}.kept")
            if os.path.lexists(beside) and not is_sidecar(beside):
                raise OutputExistsError(
                    f"something else has the name of the output's credentials: {beside}", "Name another output."
                )
            if self._overwrite and is_sidecar(beside):
                beside.replace(kept)
            made = signed.path.stat()
            try:
                if signed.sidecar is not None:
                    self._named(signed.sidecar, beside)
                self._named(signed.path, self.target)
            except BaseException:
                # An interruption may come when the file has its name already: then what is beside it belongs there.
                if not _is(self.target, made):
                    if signed.sidecar is not None and not signed.sidecar.exists():
                        beside.unlink(missing_ok=True)
                    if kept.exists():
                        kept.replace(beside)
                raise
            finally:
                if signed.sidecar is not None:
                    signed.sidecar.unlink(missing_ok=True)
            kept.unlink(missing_ok=True)

    def _named(self, path: Path, name: Path) -> None:
        """Give a file its name; another of that name is replaced only where that was asked for."""
        if not self._overwrite:
            try:
                # Unlike a rename, a hard link never replaces.
                os.link(path, name)
            except FileExistsError:
                raise OutputExistsError(
                    f"the output has come to exist meanwhile: {name}", "Name another, or add --overwrite."
                ) from None
            except (OSError, NotImplementedError):  # no links here
                if os.path.lexists(name):
                    raise OutputExistsError(
                        f"the output has come to exist meanwhile: {name}", "Name another, or add --overwrite."
                    ) from None
            else:
                path.unlink()
                return
        path.replace(name)

    def discard(self) -> None:
        """Remove it and its sidecar; nothing was there if they are not."""
        self.path.unlink(missing_ok=True)
        self.path.with_name(self.path.name + SIDECAR_SUFFIX).unlink(missing_ok=True)


def _is(path: Path, made: os.stat_result) -> bool:
    """Whether ``path`` is that very file."""
    try:
        return os.path.samestat(path.stat(), made)
    except OSError:
        return False


@contextmanager
def output_errors(target: Path) -> Iterator[None]:
    """Turn what the system says while writing into this package's errors.

    Raises:
        NoSpaceError: the disk is full.
        OutputError: anything else the system refuses.
    """
    try:
        yield
    except UnderstudyError:
        raise
    except (OSError, av.error.FFmpegError) as fault:
        if getattr(fault, "errno", None) in _FULL:
            raise NoSpaceError(target) from fault
        reason = getattr(fault, "strerror", None) or str(fault)
        raise OutputError(
            f"can't write {target}: {reason}", "Check the folder and its permissions, or name another output."
        ) from fault
