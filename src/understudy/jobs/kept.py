"""What is kept of a job between two attempts: the plan of its clip, and the segments that are finished.

They are files in the private folder, for its owner only (0600), in a folder for each job; the store knows what each
holds by its SHA-256, so a file that was truncated or altered is made anew. A file is on the disk before the store says
that it is there. They go when the job is done, cancelled or removed, or when its inputs may not be used any more.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from understudy.jobs.database import forget_segments, mine
from understudy.jobs.job import Claim
from understudy.jobs.leftovers import SEGMENTS
from understudy.jobs.store import JobStore
from understudy.provenance.records.home import write_private
from understudy.release import file_digest
from understudy.tasks.segments.plan import ClipPlan
from understudy.tasks.segments.report import SegmentReport
from understudy.temporaries import clean


class StoppedError(Exception):
    """The job is to be done no more here: it was paused or cancelled, or another runner has it."""


class KeptSegments:
    """Of one job.

    Args:
        store: Where the job is.
        claim: The job, taken by this runner.
    """

    def __init__(self, store: JobStore, claim: Claim) -> None:
        self._store, self._claim = store, claim

    def plan(self, made_of: str) -> ClipPlan | None:
        """The plan that an earlier attempt has made; None if there is none that holds.

        Args:
            made_of: A digest of all that it depends on.
        """
        with self._store.database.opened() as store:
            row = store.execute("SELECT digest FROM plans WHERE job = ?", (self._claim.number,)).fetchone()
        if row is None:
            return None
        try:
            said = (self._folder / "plan.json").read_bytes()
            plan = ClipPlan.from_json(json.loads(said))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return plan if (hashlib.sha256(said).hexdigest(), plan.made_of) == (row["digest"], made_of) else None

    def begin(self, plan: ClipPlan) -> None:
        """Keep a new plan, of which nothing is finished.

        Raises:
            StoppedError: another runner has the job.
            PrivacyError, NoSpaceError: it can't be written.
        """
        said = json.dumps(plan.as_json()).encode()
        with self._store.database.opened() as store:
            self._check_mine(mine(store, self._claim))
            forget_segments(store, self._claim.number)
            row = (self._claim.number, hashlib.sha256(said).hexdigest(), len(plan.segments))
            store.execute("INSERT INTO plans VALUES (?, ?, ?)", row)
        write_private(self._folder / "plan.json", said)

    def finished(self) -> dict[int, tuple[Path, SegmentReport]]:
        """The segments that are finished and whole, by their place in the plan."""
        with self._store.database.opened() as store:
            rows = store.execute("SELECT * FROM segments WHERE job = ?", (self._claim.number,)).fetchall()
        clean(self._folder)
        found = {}
        for row in rows:
            with suppress(OSError, ValueError, KeyError, TypeError):
                report, path = SegmentReport.from_json(json.loads(row["report"])), self._folder / Path(row["file"]).name
                if file_digest(path) == report.sha256:
                    found[int(row["place"])] = (path, report)
        return found

    def path(self, index: int) -> Path:
        """Where this attempt writes a segment: no other writes there."""
        return self._folder / f"{index:05d}-{self._claim.attempt}"

    def keep(self, path: Path, report: SegmentReport) -> None:
        """Note a segment that is finished; its file is on the disk.

        Raises:
            StoppedError: another runner has the job.
        """
        said = json.dumps(report.as_json())
        row = (self._claim.number, report.index, path.name, self._claim.attempt, report.frames, said)
        with self._store.database.opened() as store:
            self._check_mine(mine(store, self._claim))
            store.execute("INSERT OR REPLACE INTO segments VALUES (?, ?, ?, ?, ?, ?)", row)

    @property
    def _folder(self) -> Path:
        return self._store.home.folder(*SEGMENTS, str(self._claim.number))

    @staticmethod
    def _check_mine(row: object) -> None:
        if row is None:
            raise StoppedError
