"""SQLite's files in the private folder: looked at before they are opened, and a transaction at a time."""

from __future__ import annotations

import glob
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from understudy.errors import NoSpaceError, RecordsBusyError, RecordsError, UnfitFileError, UsageError, out_of_space
from understudy.provenance.records.home import check_private, unusable
from understudy.regular import check_kind
from understudy.temporaries import Temporary
from understudy.text import printable

#: Seconds that a process waits for another one's transaction.
PATIENCE = 30.0
#: How long a transaction waits for the disk, as SQLite names it: until a power cut takes nothing of it back.
SYNCHRONOUS = "EXTRA"
#: What to do, by what SQLite says.
_DATABASE_HINTS: Final = {
    "locked": "Another process holds it. Try again.",
    "readonly": "Check its permissions and its folder's.",
    "I/O": "Check the disk.",
}
#: By what SQLite says of a file that is damaged.
_DAMAGED: Final = ("malformed", "Could not decode", "not a database")
#: Files that SQLite looks for beside a database.
_BESIDE: Final = ("", "-journal", "-wal", "-shm")
#: Most bytes of a database. Its own records never come to so many, and no more of it is read than is asked for.
_LONGEST: Final = 1 << 46
#: Most bytes of a file beside it: no transaction changes so much at once.
_LONGEST_BESIDE: Final = 1 << 33
#: Bytes without which SQLite can't even begin to write.
_BLOCK: Final = 65_536
#: Most bytes of one value in it, or of a statement.
_LONGEST_VALUE: Final = 16_000_000
#: What a database of this package never holds: queries in the place of tables, and columns that are computed.
_STRANGE: Final = """
SELECT 1 FROM sqlite_master WHERE type IN ('view', 'trigger') OR sql LIKE 'CREATE VIRTUAL%'
UNION ALL SELECT 1 FROM sqlite_master AS kept, pragma_table_xinfo(kept.name) AS field WHERE field.hidden > 0
"""


@contextmanager
def database(
    path: Path,
    schema: str,
    *,
    log: bool = False,
    reading: bool = False,
    from_nothing: bool = False,
    patience: float = PATIENCE,
) -> Iterator[sqlite3.Connection]:
    """One transaction on a private SQLite file, alone if it may write; undone if the block fails.

    Args:
        path: The file; made if it is missing.
        schema: Statements that make its tables where they are missing.
        log: Whether what is written goes to a log beside it first (SQLite's WAL): several processes get on better.
        reading: Whether the block only reads: others may read and write meanwhile, until what they wrote is to be kept.
        from_nothing: Whether a file of 0 bytes counts as new, though none is made so here: for who can tell otherwise
            whether there was anything in it.
        patience: Seconds that it waits for others.

    Raises:
        RecordsError: the file is damaged, or another process holds it for too long.
        PrivacyError: others can read it.
    """
    with (
        told_by_sqlite(path),
        closing(connected(path, log=log, from_nothing=from_nothing, patience=patience)) as connection,
        transaction(connection, path, schema, reading=reading),
    ):
        yield connection


def connected(
    path: Path, *, log: bool = False, shared: bool = False, from_nothing: bool = False, patience: float = PATIENCE
) -> sqlite3.Connection:
    """A connection to a private SQLite file, once that was looked at. See ``told_by_sqlite`` for its errors.

    Args:
        path: The file; made if it is missing.
        log: As of ``database``.
        shared: Whether several threads use it, one after the other.
        from_nothing: As of ``database``.
        patience: As of ``database``.

    Raises:
        RecordsError: it is no file, may not be read, or was emptied.
        PrivacyError: others can read it.
    """
    if not path.exists():
        _make(path)
    _check_files(path)
    check_private(path)
    if not (from_nothing or path.stat().st_size):
        raise RecordsError(f"{path} was emptied: what was in it is gone", f"Put it back. {_to_begin_anew(path)}")
    connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=not shared)
    try:
        if sys.version_info >= (3, 11):
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
        connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
        if log:
            connection.execute("PRAGMA journal_mode = WAL")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(
    connection: sqlite3.Connection, path: Path, schema: str | None, *, reading: bool = False
) -> Iterator[None]:
    """One transaction, alone if it may write; undone if the block fails.

    Args:
        connection: To a private SQLite file.
        path: The file.
        schema: As of ``database``; None if its tables were looked at before.
        reading: As of ``database``.

    Raises:
        RecordsError: there is something in it that is no table.
    """
    connection.execute("BEGIN" if reading else "BEGIN IMMEDIATE")  # tables that are there are not written anew
    try:
        if schema is not None:
            _check_schema(connection, path)
            _make_tables(connection, schema, reading=reading)
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def told_by_sqlite(path: Path) -> Iterator[None]:
    """Whatever SQLite complains of in the block, as an error with a hint.

    Raises:
        RecordsError: the file is damaged, or another process holds it for too long.
        NoSpaceError: the disk is full.
        UsageError: something is asked for by a number that no row can have.
    """
    try:
        yield
    except OverflowError as fault:
        if "SQLite INTEGER" in str(fault):  # what was asked for, not what is in there
            raise UsageError("there is nothing with a number as large as that", "Look it up again.") from fault
        raise RecordsError(f"can't use {path}: it is damaged", _to_begin_anew(path)) from fault
    except UnicodeError as fault:  # of texts that no database of ours holds
        raise RecordsError(f"can't use {path}: it is damaged", _to_begin_anew(path)) from fault
    except sqlite3.Error as fault:
        if out_of_space(fault) or ("I/O" in str(fault) and _is_full(path)):  # SQLite often says no more of a full disk
            raise NoSpaceError(path) from fault
        hints = [hint for words, hint in _DATABASE_HINTS.items() if words in str(fault)]
        hints += [_to_begin_anew(path) for words in _DAMAGED if words in str(fault)]
        said = printable(fault)[:100]  # it may quote what is in there
        kind = RecordsBusyError if "locked" in said else RecordsError
        raise kind(f"can't use {path}: {said}", (hints or ["Check the disk and the folder."])[0]) from fault


def _to_begin_anew(path: Path) -> str:
    """How to go on without a database: all that belongs to it (its key, its log) goes together, or its lack shows."""
    names = sorted(part.name for part in path.parent.glob(f"{glob.escape(path.stem)}.*"))
    return f"Nothing overwrites it. To begin anew, move aside, together: {', '.join(names)} (in {path.parent})."


def _is_full(path: Path) -> bool:
    """Whether the disk of a file has no room for another block."""
    with suppress(OSError):
        return shutil.disk_usage(path.parent).free < _BLOCK
    return False


def _make(path: Path) -> None:
    """Make a database without tables, its head and all at once, if there is none yet.

    Raises:
        PrivacyError, NoSpaceError: it can't be made.
    """
    try:
        part = Temporary(path, 0o600)
        try:
            with closing(sqlite3.connect(part.path, isolation_level=None)) as new:
                new.execute("PRAGMA user_version = 0")  # what it is already; but the head is written
            with suppress(FileExistsError):  # another process was first
                _link(part.path, path)
        finally:
            part.remove()
    except OSError as fault:
        raise unusable(path, fault) from fault


def _link(made: Path, path: Path) -> None:
    """Give a file another name, which no other file has."""
    try:
        os.link(made, path)  # unlike a rename, it never replaces
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):  # no links here
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(made.read_bytes())


def _check_files(path: Path) -> None:
    """Make sure that a database is a file, and so is what SQLite opens beside it: for a pipe it would wait.

    They are not opened for it: with a file that is closed here, the system would take back every lock that SQLite
    has on it anywhere in this process, and two processes could write at once.

    Raises:
        RecordsError: one of them is not.
    """
    for suffix in _BESIDE:
        part = path.with_name(path.name + suffix)
        try:
            check_kind(part, _LONGEST_BESIDE if suffix else _LONGEST)
        except FileNotFoundError:
            continue
        except UnfitFileError as fault:
            raise RecordsError(f"can't use {part}: {fault.strerror}", _to_begin_anew(path)) from fault
        except OSError as fault:
            raise RecordsError(f"can't read {part}: {fault.strerror}", "Check its permissions.") from fault


def _make_tables(connection: sqlite3.Connection, schema: str, *, reading: bool) -> None:
    """Make the tables that are missing.

    While others make the same tables, a transaction that reads already fails at once: SQLite does not let it wait, for
    the others might wait for it. It is begun anew, and then waits for its turn.
    """
    try:
        for statement in schema.split(";"):
            connection.execute(statement)
    except sqlite3.OperationalError:
        if not reading:
            raise
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        _make_tables(connection, schema, reading=False)


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Make sure that a database holds tables only: in the place of a table there may be a query that never ends.

    Raises:
        RecordsError: there is something else in it.
    """
    if connection.execute(_STRANGE).fetchone() is not None:
        raise RecordsError(f"can't use {path}: it holds data that this program did not write", _to_begin_anew(path))
