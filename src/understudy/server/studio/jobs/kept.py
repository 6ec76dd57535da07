"""What jobs of the studio need, kept until they are done: files that pages handed over go when the server ends."""

from __future__ import annotations

import re
import secrets
import shutil
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from understudy.jobs.job import Job

#: Longest name of a file, without its suffix: some letters take three bytes, and a name may have 255.
_LONGEST: Final = 60
#: Lies in a folder until its job is added; one that is older than so many seconds was left by a killed studio.
_NEW: Final = ".new"
_LONGEST_NEW: Final = 3600.0
#: Names that Windows keeps for itself.
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def stem_of(shown: str) -> str:
    """A name that a file may have on any system, made of what the user calls it: letters, digits, spaces, - and _.

    >>> stem_of("../Scène 1 (final).mp4")
    'Scène 1 final'
    """
    stem = PurePosixPath(unicodedata.normalize("NFC", shown).replace("\\", "/")).stem
    kept = re.sub(r"\s+", " ", _letters(stem))[:_LONGEST].strip(" -")
    return "clip" if not kept or _DEVICES.fullmatch(kept) else kept


def _letters(stem: str) -> str:
    """What of a name is kept. In Hindi and Thai a vowel is a mark of the letter before it: both stay, or both go."""
    kept, stays = "", False
    for letter in stem:
        if not unicodedata.category(letter).startswith("M"):
            stays = re.match(r"[\w -]", letter) is not None
        kept += letter if stays else ""
    return kept


class Kept:
    """A folder for each job, with copies of its inputs: for the user only, gone when the job is done or removed.

    Args:
        folder: Where. It is the user's only.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    @contextmanager
    def new(self) -> Iterator[Path]:
        """A new folder, for the inputs of a job that is added within the block. It goes if that fails.

        Raises:
            NoSpaceError: the disk is full.
        """
        with self._lock:
            folder = self.folder / secrets.token_hex(16)
            folder.mkdir(0o700)
            (folder / _NEW).touch(0o600)
            try:
                yield folder
                (folder / _NEW).unlink()
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise

    def sweep(self, needed: Callable[[], Iterable[Job]]) -> None:
        """Remove what is kept for jobs that need it no longer.

        Args:
            needed: Lists all jobs that are not done.
        """
        with self._lock:
            # In this order: the job of a folder that is whole by now is in a list that is made afterwards.
            whole = [folder for folder in self.folder.iterdir() if not _begun(folder)]
            folders = {job.order.target.parent.name for job in needed()}
            for folder in whole:
                if folder.name not in folders:
                    shutil.rmtree(folder, ignore_errors=True)


def _begun(folder: Path) -> bool:
    """Whether another studio with this private folder is about to add the job of a folder."""
    try:
        return time.time() - (folder / _NEW).stat().st_mtime < _LONGEST_NEW
    except OSError:
        return False
