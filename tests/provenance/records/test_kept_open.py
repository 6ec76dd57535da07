"""Databases that stay open: the same as opened anew, and as careful."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import threading

import pytest

from understudy.errors import PrivacyError, RecordsError
from understudy.provenance.records.home import Home
from understudy.provenance.records.kept_open import KeptOpen
from understudy.provenance.records.sqlite_file import database

SCHEMA = "CREATE TABLE IF NOT EXISTS things (name TEXT)"


@pytest.fixture
def kept():
    found = KeptOpen()
    yield found
    found.close()


@pytest.fixture
def path(tmp_path):
    """Of a file in a private folder."""
    return Home(tmp_path / "home").folder("server") / "things.db"


def path_of(path):
    return Home(path.parents[1]), f"{path.parent.name}/{path.name}"


def names(kept, path):
    with kept(*path_of(path), SCHEMA) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM things ORDER BY rowid")]


def add(kept, path, name):
    with kept(*path_of(path), SCHEMA) as connection:
        connection.execute("INSERT INTO things VALUES (?)", (name,))


def test_one_connection_serves_one_transaction_after_the_other(kept, path):
    with kept(*path_of(path), SCHEMA) as first:
        first.execute("INSERT INTO things VALUES ('a')")
    with kept(*path_of(path), SCHEMA) as second:
        assert second is first
    assert names(kept, path) == ["a"]


def test_a_transaction_that_fails_is_undone_and_its_connection_not_used_again(kept, path):
    with pytest.raises(ZeroDivisionError), kept(*path_of(path), SCHEMA) as first:
        first.execute("INSERT INTO things VALUES ('a')")
        raise ZeroDivisionError
    with pytest.raises(sqlite3.ProgrammingError):
        first.execute("SELECT 1")
    assert names(kept, path) == []


def test_what_another_process_writes_is_seen(kept, path):
    add(kept, path, "a")
    code = (
        "import sys; from pathlib import Path\n"
        "from understudy.provenance.records.sqlite_file import database\n"
        f"with database(Path(sys.argv[1]), {SCHEMA!r}, log=True) as connection:\n"
        "    connection.execute(\"INSERT INTO things VALUES ('b')\")"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert names(kept, path) == ["a", "b"]


def test_threads_get_a_connection_each_and_all_of_it_is_kept(kept, path):
    def work(number):
        for _ in range(20):
            add(kept, path, str(number))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names(kept, path)) == 240


def test_another_file_of_that_name_is_opened_anew(kept, path, tmp_path):
    add(kept, path, "old")
    with database(tmp_path / "other.db", SCHEMA) as connection:
        connection.execute("INSERT INTO things VALUES ('new')")
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copy(tmp_path / "other.db", path)
    path.chmod(0o600)
    assert names(kept, path) == ["new"]
    path.unlink()
    assert names(kept, path) == []


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_a_file_that_others_may_read_by_now_is_refused(kept, path):
    add(kept, path, "a")
    path.chmod(0o644)
    with pytest.raises(PrivacyError):
        add(kept, path, "b")


def test_a_file_that_was_damaged_meanwhile_is_told(kept, path):
    add(kept, path, "a")
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # with what is in the log SQLite would mend the file
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(RecordsError):
        names(kept, path)


def test_a_query_in_the_place_of_a_table_is_refused(kept, path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE VIEW things AS SELECT 'a' AS name")
    connection.close()
    path.chmod(0o600)
    with pytest.raises(RecordsError, match="did not write"):
        names(kept, path)


def test_once_closed_nothing_is_kept(kept, path):
    with kept(*path_of(path), SCHEMA) as used:
        kept.close()
        used.execute("INSERT INTO things VALUES ('a')")
    with pytest.raises(sqlite3.ProgrammingError):
        used.execute("SELECT 1")
    assert names(kept, path) == ["a"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells of locks")
def test_looking_at_a_database_takes_no_lock_of_its_own_back(path):
    """A process has all its locks on a file taken back as soon as it closes that file, however often it has it open."""

    def locks():
        own = {os.stat(place).st_ino for place in (path, path.with_name(path.name + "-shm")) if os.path.exists(place)}
        with open("/proc/locks") as listed:
            found = [line.split() for line in listed if "->" not in line]
        # All but their numbers in the list, which change with everybody's.
        return [one[1:] for one in found if int(one[5].split(":")[2]) in own and int(one[4]) == os.getpid()]

    with database(path, SCHEMA, log=True) as connection:
        connection.execute("INSERT INTO things VALUES ('a')")
        before = locks()
        assert before
        refused = []

        def look():
            try:
                with database(path, f"PRAGMA busy_timeout = 1; {SCHEMA}", log=True):
                    pass
            except RecordsError as fault:
                refused.append(fault)

        thread = threading.Thread(target=look)
        thread.start()
        thread.join(1)
        assert locks() == before
    thread.join()
    with database(path, SCHEMA, log=True) as connection:
        assert connection.execute("SELECT count(*) FROM things").fetchone() == (1,)
