"""The audit log: all of it is there, and what was edited shows."""

from __future__ import annotations

import json
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from understudy.cli.main import main
from understudy.errors import RecordsError
from understudy.server.access.audit import AuditLog, entry


def filled(home, count):
    log = AuditLog(home)
    for number in range(count):
        log.note(entry("192.0.2.1", "editor", "anna", f"POST /api/v1/swaps {number}", 201, f"{number:032x}"))
    return log


def test_entries_are_kept_in_their_order(own):
    log = filled(own, 3)
    assert [one.action[-1] for one in log.entries()] == ["0", "1", "2"]
    assert log.verify().intact


@pytest.mark.slow
def test_many_at_once_are_all_written(own):
    log, wanted = AuditLog(own), 200
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: log.note(entry("", "", "", f"GET {n}", 200)), range(wanted)))
    assert sorted(int(one.action[4:]) for one in log.entries()) == list(range(wanted))
    assert log.verify().intact


@pytest.mark.parametrize("harm", ["edit first", "edit last", "remove middle", "remove last", "no head"])
def test_tampering_shows(own, harm):
    log = filled(own, 4)
    with sqlite3.connect(own.root / "audit-log.sqlite") as database:
        if harm.startswith("edit"):
            number = 1 if harm == "edit first" else 4
            database.execute("UPDATE records SET body = replace(body, '201', '403') WHERE number = ?", (number,))
        elif harm.startswith("remove"):
            database.execute("DELETE FROM records WHERE number = ?", (2 if harm == "remove middle" else 4,))
        else:
            (own.root / "audit-log.head").unlink()
    database.close()
    assert not log.verify().intact
    assert main(["audit", "verify", "--home", str(own.root)]) == 6
    if harm in ("edit last", "remove last", "no head"):  # what the next entry would hang on
        with pytest.raises(RecordsError, match="tampered"):
            log.note(entry("", "", "", "GET", 200))


def test_what_can_not_be_written_is_told_to_each_who_waits(own):
    log = filled(own, 2)
    (own.root / "audit-log.sqlite").write_bytes(b"no database" * 100)
    refused = []

    def one():
        try:
            log.note(entry("", "", "", "GET", 200))
        except RecordsError:
            refused.append(1)

    threads = [threading.Thread(target=one) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 5


def test_the_command_line_lists_checks_and_exports(own, tmp_path, capsys):
    filled(own, 3)
    home = ["--home", str(own.root)]
    assert main(["audit", "list", "--last", "2", *home]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main(["audit", "verify", *home, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["records"] == 3
    assert main(["audit", "export", str(tmp_path / "log.jsonl"), *home]) == 0
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["user"] for line in lines] == ["anna"] * 3
    assert (tmp_path / "log.jsonl").stat().st_mode & 0o77 == 0
