"""Private SQLite files that are asked many times a second: what opening one takes is paid once."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Final

from understudy.provenance.records.home import Home
from understudy.provenance.records.sqlite_file import connected, database, told_by_sqlite, transaction

#: What begins a transaction on a file of a private folder, named from there; the last word makes missing tables (see
#: ``database``).
Opened = Callable[[Home, str, str], AbstractContextManager[sqlite3.Connection]]
#: Most connections to one file that are kept: more at once are opened as they are needed.
_MOST: Final = 8
_State = tuple[int, ...]


def opened_anew(home: Home, name: str, schema: str) -> AbstractContextManager[sqlite3.Connection]:
    """A transaction on a connection of its own, for who asks now and then."""
    return database(_place(home, name), schema, log=True)


class KeptOpen:
    """Connections that stay open from one transaction to the next. For several threads.

    A file that was replaced, that others may read now, or that was written past SQLite's log since, is looked at and
    opened anew, as if it was the first time.
    """

    def __init__(self) -> None:
        self._idle: dict[Path, list[tuple[sqlite3.Connection, _State]]] = {}
        self._lock = threading.Lock()
        self._over = False

    @contextmanager
    def __call__(self, home: Home, name: str, schema: str) -> Iterator[sqlite3.Connection]:
        """One transaction on a private SQLite file, alone; undone if the block fails. As ``database`` with a log."""
        path = home.root / name
        with told_by_sqlite(path):
            connection = self._kept(path)
            known = connection is not None
            if connection is None:
                connection = connected(_place(home, name), log=True, shared=True)
            try:
                with transaction(connection, path, None if known else schema):
                    yield connection
            except BaseException:
                connection.close()
                raise
            self._keep(path, connection)

    def close(self) -> None:
        """Close all of them; those that are in use are closed when they are not."""
        with self._lock:
            self._over = True
            left = [connection for kept in self._idle.values() for connection, _ in kept]
            self._idle.clear()
        for connection in left:
            connection.close()

    def _kept(self, path: Path) -> sqlite3.Connection | None:
        now = _state(path)
        while True:
            with self._lock:
                kept = self._idle.get(path)
                if not kept:
                    return None
                connection, then = kept.pop()
            if then == now:
                return connection
            connection.close()

    def _keep(self, path: Path, connection: sqlite3.Connection) -> None:
        now = _state(path)
        with self._lock:
            kept = self._idle.setdefault(path, [])
            if not self._over and now and len(kept) < _MOST:
                kept.append((connection, now))
                return
        connection.close()


def _place(home: Home, name: str) -> Path:
    """Where a file is, in a folder that was looked at, and made if it was missing."""
    folder, _, file = name.rpartition("/")
    return home.folder(*folder.split("/")) / file


def _state(path: Path) -> _State:
    """What changes where a file is another one, or was written past the log; nothing where there is none."""
    with suppress(OSError):
        found = path.stat()
        return (found.st_dev, found.st_ino, found.st_mode, found.st_uid, found.st_size, found.st_mtime_ns)
    return ()
