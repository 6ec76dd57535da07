"""Files of jobs of which nothing is kept any more, removed. What makes such files is elsewhere: it imports a lot."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import Final

from understudy.jobs.store import JobStore

#: Where finished segments are in the private folder: in a folder for each job.
SEGMENTS: Final = ("jobs", "segments")


def sweep(jobs: JobStore) -> None:
    """Remove the files of jobs of which nothing is kept any more: those that are done, cancelled or removed."""
    place = jobs.home.folder(*SEGMENTS)
    with suppress(OSError):
        there = [folder for folder in place.iterdir() if folder.name.isdecimal()]
        if not there:
            return
        # Within the transaction: whoever begins one now has not made its folder yet.
        with jobs.database.opened() as store:
            kept = {str(row[0]) for row in store.execute("SELECT job FROM plans")}
            for folder in there:
                if folder.name not in kept:
                    shutil.rmtree(folder, ignore_errors=True)
