"""Bytes that come over the network, written to a private file as they come."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import AsyncIterable
from pathlib import Path
from typing import Final

from understudy.errors import InputError, NoSpaceError, NotMediaError, out_of_space
from understudy.server.coming import ComingFile

#: Bytes that are left free on the disk.
LEFT_FREE: Final = 500_000_000
#: Bytes between two looks at how much is free: others write, too.
_LOOK: Final = 1_000_000


class TooLargeError(InputError):
    """A file has more bytes than are taken, or there are too many files."""


async def received(
    path: Path,
    pieces: AsyncIterable[bytes],
    most: int,
    shown: str,
    announced: int = 0,
    coming: ComingFile | None = None,
) -> tuple[int, str]:
    """Write a new file, for its owner only. Nothing is left of one that was not whole.

    Args:
        path: Where; nothing may be there.
        pieces: Its bytes.
        most: How many are taken.
        shown: What it is called in messages.
        announced: How many are said to come; 0 where nobody said it. What is too much is refused before its first byte.
        coming: What it takes of the room that it shares with others; None where nothing else comes.

    Returns:
        How many bytes came, and their SHA-256 in hexadecimal.

    Raises:
        NotMediaError: there were none.
        TooLargeError: it has more than are taken.
        QuotaError: too much comes from its user at a time.
        NoSpaceError: the disk is full, or nearly.
    """
    count, digest = 0, hashlib.sha256()
    hint = "Free some space: the file was not taken."
    fits: int | None = None
    looked = 0

    def check(amount: int) -> None:
        nonlocal fits, looked
        if amount > most:
            raise TooLargeError(
                f"{shown} is larger than {most // 1_000_000} MB", "Export a smaller file, and try again."
            )
        if coming is not None:
            coming.book(amount)
            coming.here = count
        if fits is None or count - looked >= _LOOK:
            others = 0 if coming is None else coming.missing_of_others
            fits, looked = count + shutil.disk_usage(path.parent).free - LEFT_FREE - others, count
        if amount > fits:
            raise NoSpaceError(path.parent, hint)

    check(announced)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            async for piece in pieces:
                check(count + len(piece))
                digest.update(piece)
                file.write(piece)
                count += len(piece)
        if not count:
            raise NotMediaError(f"{shown} is empty", "Choose another file.")
    except BaseException as fault:
        path.unlink(missing_ok=True)
        if isinstance(fault, OSError) and not isinstance(fault, NoSpaceError) and out_of_space(fault):
            raise NoSpaceError(path.parent, hint) from fault
        raise
    return count, digest.hexdigest()
