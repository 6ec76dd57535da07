"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from understudy.errors import NoSpaceError, OutputError, UnderstudyError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class AtomicFile:
    """A temporary file beside its target that takes the target's name at the end.

    Args:
        target: Where the file shall be. Its folder must exist.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        # Same folder: a rename across disks is a copy. Same suffix: encoders look at it.
        self.path = target.with_name(f".{target.stem[:40]}.{os.getpid()}-{secrets.token_hex(4)}{target.suffix}")

    def commit(self) -> None:
        """Give the file its name."""
        with output_errors(self.target):
            self.path.replace(self.target)

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
    except OSError as fault:
        if fault.errno in _FULL:
            raise NoSpaceError(target) from fault
        reason = fault.strerror or str(fault)
        raise OutputError(
            f"can't write {target}: {reason}", "Check the folder and its permissions, or name another output."
        ) from fault
