"""The file that jobs are in: one of SQLite's, in the private folder, which several runners may share."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from understudy.errors import RecordsError
from understudy.jobs.job import Claim
from understudy.provenance.records.home import Home, check_private
from understudy.provenance.records.kept_open import Opened
from understudy.provenance.records.sqlite_file import told_by_sqlite

#: Of the store's tables: a program that knows a lower one leaves the store alone.
VERSION: Final = 2
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS version (number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, work TEXT NOT NULL, digests TEXT NOT NULL, priority INTEGER NOT NULL,
    state TEXT NOT NULL, wish TEXT NOT NULL DEFAULT '', runner TEXT NOT NULL DEFAULT '',
    signs INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, frames_done INTEGER NOT NULL DEFAULT 0,
    frames INTEGER NOT NULL DEFAULT 0, added REAL NOT NULL, begun REAL NOT NULL DEFAULT 0,
    ended REAL NOT NULL DEFAULT 0, report TEXT NOT NULL DEFAULT '{}', failure TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS needs (job INTEGER NOT NULL, needed INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS plans (job INTEGER PRIMARY KEY, digest TEXT NOT NULL, segments INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS segments (
    job INTEGER NOT NULL, place INTEGER NOT NULL, file TEXT NOT NULL, attempt INTEGER NOT NULL, frames INTEGER NOT NULL,
    report TEXT NOT NULL, PRIMARY KEY (job, place));
CREATE TABLE IF NOT EXISTS outputs (job INTEGER PRIMARY KEY, identifier TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, priority DESC, number);
CREATE INDEX IF NOT EXISTS needs_by_job ON needs (job)
"""
#: Frames of what is finished of a job, as far as it is kept when its runner stops.
KEPT: Final = "(SELECT coalesce(sum(frames), 0) FROM segments WHERE job = jobs.number)"
#: Where the store is, in the private folder.
_FILE: Final = "jobs/jobs.db"


class Database:
    """Transactions on it.

    Args:
        home: The private folder.
        open_with: Begins a transaction on its file.
    """

    def __init__(self, home: Home, open_with: Opened) -> None:
        self._home, self._open = home, open_with

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """One transaction, undone if the block fails.

        Raises:
            RecordsError: it is damaged, of a newer program, or held by another for too long.
            NoSpaceError: the disk is full.
        """
        with self._open(self._home, _FILE, _SCHEMA) as store:
            version = self._version(store)
            if version is None or version < VERSION:  # tables that it lacked were just made
                store.execute("INSERT INTO version VALUES (?)", (VERSION,))
            yield store

    @property
    def only_read(self) -> bool:
        """Whether it is in a folder that can't be written to: jobs can be looked at there, and nothing else."""
        folders = (self._path.parent, self._home.root)
        there = next((folder for folder in folders if folder.is_dir()), None)
        return there is not None and not os.access(there, os.W_OK)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """It as it is in such a folder; without any jobs if there is none.

        Raises:
            RecordsError: it is damaged, or of a newer program.
            PrivacyError: others can get at it.
        """
        with told_by_sqlite(self._path):
            if not self._path.exists():
                with closing(sqlite3.connect(":memory:")) as store:
                    store.executescript(_SCHEMA)
                    store.row_factory = sqlite3.Row
                    yield store
                return
            for path in (self._home.root, self._path):
                check_private(path)
            # SQLite makes files beside a log even to read it, but where it is told that nothing changes.
            how = "mode=ro" if self._path.with_name(f"{self._path.name}-wal").exists() else "immutable=1"
            with closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?{how}", uri=True)) as store:
                self._version(store)
                yield store

    def _version(self, store: sqlite3.Connection) -> int | None:
        """Of its tables; None of one that was just made.

        Raises:
            RecordsError: they are of a newer program.
        """
        store.row_factory = sqlite3.Row
        version: int | None = store.execute("SELECT max(number) FROM version").fetchone()[0]
        if version is not None and version > VERSION:
            raise RecordsError(f"the jobs in {self._path} are of a newer Understudy", "Update this one.")
        return version

    @property
    def _path(self) -> Path:
        return self._home.root / _FILE


def mine(store: sqlite3.Connection, claim: Claim) -> sqlite3.Row | None:
    """A job as it is in the store, if whoever took it still has it."""
    row: sqlite3.Row | None = store.execute(
        "SELECT * FROM jobs WHERE number = ? AND state = 'running' AND runner = ? AND attempts = ?",
        (claim.number, claim.runner, claim.attempt),
    ).fetchone()
    return row


def forget_segments(store: sqlite3.Connection, number: int) -> None:
    """Nothing is finished of a job any more. Its files go with the next ``sweep`` (see ``kept``)."""
    store.execute("DELETE FROM plans WHERE job = ?", (number,))
    store.execute("DELETE FROM segments WHERE job = ?", (number,))
