"""A file that is kept longer than who handed it over: a second name for it, or a copy."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from understudy.errors import NoSpaceError, out_of_space, unreadable_input
from understudy.temporaries import Temporary


def keep(file: Path, name: str, folder: Path, *, linked: bool = False) -> Path:
    """Keep a file in a folder.

    Args:
        file: Which.
        name: What it is called there.
        folder: Where.
        linked: Whether it may be the same file under another name, where the disk can do that: nothing is copied then.

    Raises:
        NoSpaceError: the disk is full.
        InputError: it can't be read.
    """
    there = folder / name
    try:
        if linked:
            with suppress(OSError):
                os.link(file, there)
                return there
        part = Temporary(there, 0o600)  # what was copied in part must never pass for the file
        try:
            shutil.copyfile(file, part.path)
            part.path.replace(there)
        finally:
            part.remove()
    except OSError as fault:
        if out_of_space(fault):
            raise NoSpaceError(folder, "Free some space: nothing was begun.") from fault
        raise unreadable_input(file, fault) from fault
    return there
