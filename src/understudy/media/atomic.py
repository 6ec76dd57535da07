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

    def commit(self) -> None:
        """Give the file its name.

        Raises:
            OutputExistsError: somebody else has made a file of that name meanwhile.
        """
        with output_errors(self.target):
            if not self._overwrite and self._linked():
                self.path.unlink()
                return
            self.path.replace(self.target)

    def _linked(self) -> bool:
        """Give it its name by a hard link, which, unlike a rename, never replaces; False if there are none here."""
        try:
            os.link(self.path, self.target)
        except FileExistsError:
            self.discard()
            raise OutputExistsError(
                f"the output has come to exist meanwhile: {self.target}", "Name another, or add --overwrite."
            ) from None
        except (OSError, NotImplementedError):
            return False
        return True

    def discard(self) -> None:
        """Remove it; nothing was there if it is not."""
        self.path.unlink(missing_ok=True)


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
