"""What broken-off downloads and imports leave: kept to be gone on with, but not for ever, nor without bound."""

from __future__ import annotations

import re
import time
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from understudy.models.store import notes_of

#: How many parts are kept, how many bytes of them, and how many seconds after they last grew: a month.
MOST_PARTS: Final = 8
MOST_PART_BYTES: Final = 3_000_000_000
LONGEST_KEPT: Final = 30 * 86_400.0
#: Seconds after which an import's copy is nobody's any more: it goes on with nothing, so nobody takes it up.
_ABANDONED: Final = 3600.0
_IMPORT: Final = re.compile(r"import-\d+-[0-9a-f]{8}\.part")


def tidy(folder: Path) -> list[Path]:
    """Remove from a store's folder of parts what is too old or too much, the oldest first; and say what.

    A part whose lock somebody holds is growing, and stays.
    """
    now, kept, size, removed = time.time(), 0, 0, []
    for grown, part, length in sorted(_parts(folder), reverse=True):
        limit = _ABANDONED if _IMPORT.fullmatch(part.name) else LONGEST_KEPT
        fits = kept < MOST_PARTS and size + length <= MOST_PART_BYTES and -limit < now - grown < limit
        if not fits and _removed(part):
            removed.append(part)
        else:
            kept, size = kept + 1, size + length
    for notes in folder.glob("*.part.json"):
        if not notes.with_name(notes.name.removesuffix(".json")).exists():
            with suppress(OSError):
                notes.unlink()
    return removed


def _parts(folder: Path) -> list[tuple[float, Path, int]]:
    """When each part last grew, which it is, and its bytes."""
    found = []
    for path in folder.glob("*.part"):
        with suppress(OSError):  # gone meanwhile
            status = path.lstat()
            found.append((status.st_mtime, path, status.st_size))
    return found


def _removed(part: Path) -> bool:
    """Remove a part that nobody is at; whether it is gone."""
    # The locks of models are called after the model, those of archives after the part.
    name = part.name if part.name.startswith("archive-") else part.name.removesuffix(".part")
    lock = nullcontext() if _IMPORT.fullmatch(part.name) else FileLock(part.with_name(f"{name}.lock"), timeout=0)
    try:
        with lock:
            part.unlink()
            notes_of(part).unlink(missing_ok=True)
    except (OSError, Timeout):
        return False
    return True
