"""The ledger: what it keeps, and that tampering shows."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

import understudy
from understudy.cli.consent import photo_of
from understudy.cli.main import main
from understudy.errors import RecordsError
from understudy.provenance import ConsentClaim, Consents, Ledger
from understudy.provenance.records.chain import KEEP_DAYS, Chain, now
from understudy.provenance.records.ledger import Record
from understudy.provenance.records.rows import body_of
from understudy.provenance.records.sqlite_file import connected


def record(**values):
    known = dict.fromkeys(Record.__dataclass_fields__, "")
    known |= dict.fromkeys(("sources", "consents", "hashes"), ()) | {"time": now(), "identifier": "0" * 12}
    return Record(**(known | values))


@pytest.mark.slow
def test_the_ledger_keeps_what_was_made(make, own):
    output = make()
    (entry,) = Ledger(own).records()
    assert Ledger(own).find_output(entry.output) == entry
    assert entry.engine == "mesh"
    assert len(entry.sources[0]) == len(entry.target) == 64
    assert Ledger(own).verify().intact
    assert output.exists()


@pytest.mark.parametrize(
    "harm",
    [
        "edit",
        "rehash",
        "remove first",
        "age out",
        "remove middle",
        "remove last",
        "remove all",
        "no head",
        "head",
        "no key",
        "no database",
        "no files",
    ],
)
def test_tampering_shows(own, harm):
    ledger = Ledger(own)
    head = own.root / "ledger.head"
    for number in range(4):
        ledger.append(record(identifier=f"{number:012x}", engine=f"engine {number}"))
    assert ledger.verify().intact
    with sqlite3.connect(own.root / "ledger.sqlite") as database:
        if harm == "edit":
            database.execute("UPDATE records SET body = replace(body, 'engine 1', 'engine 9')")
        elif harm == "rehash":  # as a plain hash chain would be forged
            database.execute("UPDATE records SET body = replace(body, 'engine 3', 'engine 9')")
            body, before = database.execute(
                "SELECT a.body, b.hash FROM records a, records b WHERE a.number = 4 AND b.number = 3"
            ).fetchone()
            link = hashlib.sha256(f"{before}\n{body}".encode()).hexdigest()
            database.execute("UPDATE records SET hash = ? WHERE number = 4", (link,))
            head.write_text(json.dumps(json.loads(head.read_text()) | {"hash": link}))
        elif harm == "age out":
            link = database.execute("SELECT hash FROM records WHERE number = 2").fetchone()[0]
            database.execute("DELETE FROM records WHERE number <= 2")
            database.execute("INSERT INTO origin VALUES (2, ?, ?)", (link, "0" * 64))
        elif harm == "remove first":
            database.execute("DELETE FROM records WHERE number = 1")
        elif harm == "remove middle":
            database.execute("DELETE FROM records WHERE number = 2")
        elif harm == "remove last":
            database.execute("DELETE FROM records WHERE number = 4")
        elif harm == "remove all":
            database.execute("DELETE FROM records")
        elif harm == "no head":
            head.unlink()
        elif harm.startswith("no "):
            gone = {"no key": ["key"], "no database": ["sqlite"], "no files": ["sqlite", "head"]}[harm]
            for end in gone:
                (own.root / f"ledger.{end}").unlink()
        else:
            head.write_text("{}")
    database.close()
    check = ledger.verify()
    assert not check.intact
    assert main(["ledger", "verify", "--home", str(own.root)]) == 6
    with pytest.raises(RecordsError, match="tampered"):
        ledger.append(record())
    changed = {"edit": 1, "rehash": 3}.get(harm)
    if changed is not None:
        assert Ledger(own).find(changed) is None  # it speaks for nothing
        assert Ledger(own).find(0) is not None


@pytest.mark.slow
def test_a_process_that_is_killed_while_it_writes_leaves_the_ledger_sound(own):
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from understudy.provenance import Home, Ledger\n"
        "from tests.provenance.records.test_ledger import record\n"
        "ledger = Ledger(Home(Path(sys.argv[1])))\n"
        "while True: ledger.append(record()); print(flush=True)\n"
    )
    written = 0
    for lines in (1, 5, 9):
        words = [sys.executable, "-c", code, str(own.root), str(Path(__file__).parents[3])]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
            for _ in range(lines):
                process.stdout.readline()
            process.kill()
            written += lines + len(process.stdout.readlines())
        check = Ledger(own).verify()
        assert check.intact
        assert check.records >= written
    Ledger(own).append(record())
    # Between the database and its head, where no kill can be aimed:
    head = (own.root / "ledger.head").read_bytes()
    Ledger(own).append(record())
    (own.root / "ledger.head").write_bytes(head)
    assert Ledger(own).verify().intact
    Ledger(own).append(record())
    assert Ledger(own).verify().intact


@pytest.mark.parametrize("body", ["", "[]", "{}", "x", "null", '{"id": 4}', "[" * 5000])
def test_damaged_rows_are_said_to_be(own, hopper_path, body, capfd):
    Ledger(own).append(record())
    Consents(own).grant(photo_of(hopper_path), ConsentClaim("sample"))
    for name, table in (("ledger", "records"), ("consents", "consents")):
        with sqlite3.connect(own.root / f"{name}.sqlite") as database:
            database.execute(f"UPDATE {table} SET body = ?", (body,))
        database.close()
    assert main(["ledger", "list", "--home", str(own.root)]) == 6
    assert "record can't be read" in capfd.readouterr().err
    assert main(["consent", "list", "--home", str(own.root)]) == 0
    assert "record can't be read" in capfd.readouterr().out


TODAY = dt.datetime(2026, 5, 4, 12, tzinfo=dt.timezone.utc)


def made(own, when, number=0):
    """An entry on that day."""
    Ledger(own, clock=lambda: when).append(
        record(time=when.isoformat(timespec="milliseconds"), identifier=f"{number:012x}")
    )


def days(count):
    return TODAY + dt.timedelta(days=count)


def test_records_go_when_they_were_seen_to_grow_old_and_it_is_said_why(own):
    for day in range(0, 400, 10):
        made(own, days(day))
    check = Ledger(own).verify()
    kept = [dt.datetime.fromisoformat(each.time) for each in Ledger(own).records()]
    assert check.problems == ()
    assert check.dropped > 0
    assert check.records + check.dropped == 40
    # Six months at least, and not for ever.
    assert min(kept) <= days(390 - KEEP_DAYS)
    assert min(kept) >= days(390 - KEEP_DAYS - 100)
    assert sum(1 for _ in check.drops) > 1
    assert f"up to number {check.dropped}," in check.drops[-1]
    with pytest.raises(ValueError, match="at least"):
        Ledger(own, keep_days=30)


@pytest.mark.parametrize("leap", [200, 365 * 12, 365 * 6974])
@pytest.mark.parametrize("then", ["goes back", "stays"])
def test_a_clock_that_leaps_drops_nothing(own, leap, then):
    for day in range(5):
        made(own, days(day))
    made(own, days(leap))
    for day in range(6, 60):
        made(own, days(day + (leap if then == "stays" else 0)))
    check = Ledger(own).verify()
    assert (check.records, check.dropped, check.problems) == (60, 0, ())


@pytest.mark.slow
def test_a_clock_that_leaps_to_and_fro_drops_nothing(own):
    for day in range(40):
        made(own, days(day))
        made(own, days(day + 300))
        made(own, dt.datetime(1970, 1, 1, 0, 5, tzinfo=dt.timezone.utc))
    check = Ledger(own).verify()
    assert (check.records, check.dropped, check.problems) == (120, 0, ())


@pytest.mark.slow
def test_after_a_leap_that_was_set_right_records_still_grow_old(own):
    made(own, days(0), 1)
    made(own, days(365 * 6974), 2)  # in the year 9000, for once
    for day in range(1, 500, 4):
        made(own, days(day))
    assert Ledger(own).verify().problems == ()
    assert Ledger(own).find(1) is None
    assert Ledger(own).find(2) is None  # what seems to be of the future holds up nothing


def test_records_of_an_earlier_version_are_kept_until_they_were_seen_to_grow_old(own):
    for day in range(3):
        made(own, days(day), day + 1)
    with sqlite3.connect(own.root / "ledger.sqlite") as database:
        database.execute("DROP TABLE passed")
    database.close()
    made(own, days(400))
    assert Ledger(own).verify().records == 4
    for day in range(401, 700, 10):
        made(own, days(day))
    assert Ledger(own).find(1) is None
    assert Ledger(own).verify().problems == ()


def test_what_was_noted_of_time_is_not_edited_unseen(own):
    made(own, days(0))
    with sqlite3.connect(own.root / "ledger.sqlite") as database:
        body = database.execute("SELECT body FROM passed").fetchone()[0]
        database.execute("UPDATE passed SET body = ?", (body.replace('"seen": 0.0', '"seen": 1e9'),))
    database.close()
    assert Ledger(own).verify().problems == ("what was noted of the records' age was edited",)
    with pytest.raises(RecordsError, match="tampered"):
        made(own, days(1))


def test_the_command_line_says_what_was_dropped_and_why(own, capfd):
    for day in range(0, 300, 10):
        made(own, days(day))
    assert main(["ledger", "verify", "--home", str(own.root)]) == 0
    said = capfd.readouterr().err
    assert "older ones were dropped for their age" in said
    assert "as far as was seen" in said


def test_one_record_is_told_as_one(own, capfd):
    home = ["--home", str(own.root)]
    for number, said in enumerate(("1 record, none edited", "2 records, none edited")):
        made(own, days(number))
        assert main(["ledger", "verify", *home]) == 0
        assert said in capfd.readouterr().err
    made(own, days(2))
    with sqlite3.connect(own.root / "ledger.sqlite") as database:
        database.execute("DELETE FROM records WHERE number = 2")
    database.close()
    assert "record 2 was removed" in Ledger(own).verify().problems


@pytest.mark.slow
def test_a_corrupt_ledger_stops_the_work_and_is_not_overwritten(make, own, tmp_path):
    make()
    (own.root / "ledger.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(RecordsError, match="ledger"):
        make("second.png")
    assert not (tmp_path / "second.png").exists()
    assert (own.root / "ledger.sqlite").read_bytes() == b"not a database" * 100
    with pytest.raises(RecordsError):
        understudy.inspect(tmp_path / "out.png", home=own.root)


@pytest.mark.slow
def test_several_processes_share_one_ledger(own):
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from understudy.provenance import Home, Ledger, SigningOptions\n"
        "from understudy.provenance.records.keys import open_signing_key\n"
        "from tests.provenance.records.test_ledger import record\n"
        "home = Home(Path(sys.argv[1]))\n"
        "open_signing_key(home, SigningOptions())\n"
        "[Ledger(home).append(record()) for _ in range(8)]\n"
    )
    root = str(Path(__file__).parents[3])
    words = [sys.executable, "-c", code, str(own.root), root]
    processes = [subprocess.Popen(words, stderr=subprocess.PIPE) for _ in range(3)]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
    check = Ledger(own).verify()
    assert (check.records, check.problems) == (24, ())
    assert sorted(path.name for path in (own.root / "keys").iterdir()) == ["signing.key", "signing.pem"]


@pytest.mark.slow
def test_the_ledger_from_the_command_line(make, own, tmp_path, capfd):
    make()
    home = ["--home", str(own.root)]
    assert main(["ledger", "verify", *home]) == 0
    capfd.readouterr()
    assert main(["ledger", "list", "--json", *home]) == 0
    (entry,) = json.loads(capfd.readouterr().out)["records"]
    assert main(["ledger", "export", str(tmp_path / "records.jsonl"), *home]) == 0
    assert json.loads((tmp_path / "records.jsonl").read_text())["identifier"] == entry["identifier"]
    assert main(["ledger", "export", str(tmp_path / "records.jsonl"), *home]) == 2


def test_a_ledger_whose_making_broke_off_is_taken_up(own):
    """A database without rows, without a key, with or without a head: no tampering."""
    folder = own.folder()
    (folder / "ledger.sqlite").touch(0o600)
    assert list(Ledger(own).records()) == []
    assert (folder / "ledger.sqlite").stat().st_size == 0  # looking makes nothing
    assert Ledger(own).verify().intact
    Ledger(own).append(record())
    (folder / "ledger.sqlite").unlink()
    for end in ("head", "key"):
        (folder / f"ledger.{end}").unlink()
    with sqlite3.connect(folder / "ledger.sqlite") as database:
        database.execute("CREATE TABLE records (number INTEGER PRIMARY KEY, body TEXT NOT NULL, hash TEXT NOT NULL)")
    database.close()
    (folder / "ledger.sqlite").chmod(0o600)
    assert Ledger(own).verify().intact
    Ledger(own).append(record())
    assert Ledger(own).verify().records == 1


def test_without_the_key_no_record_speaks(own):
    """An attacker who has no key takes it away and writes records of his own."""
    Ledger(own).append(record())
    (own.root / "ledger.key").unlink()
    with sqlite3.connect(own.root / "ledger.sqlite") as database:
        (body,) = database.execute("SELECT body FROM records").fetchone()
        forged = body.replace("0" * 12, "a" * 12)
        link = hmac.new(b"", f"{'0' * 64}\n{forged}".encode(), hashlib.sha256).hexdigest()
        database.execute("UPDATE records SET body = ?, hash = ?", (forged, link))
    database.close()
    assert Ledger(own).find(0xAAAAAAAAAAAA) is None
    assert not Ledger(own).verify().intact


@pytest.mark.parametrize("head", [b"[" * 9000, b"\xff\xfe", b'{"number": [], "hash": 1, "mac": "\xc3\xa9"}', b"7"])
def test_a_head_of_any_kind_is_a_problem_and_no_crash(own, head):
    Ledger(own).append(record())
    (own.root / "ledger.head").write_bytes(head)
    assert not Ledger(own).verify().intact
    with sqlite3.connect(own.root / "ledger.sqlite") as database:
        database.execute("UPDATE records SET hash = 'é'")
        database.execute("INSERT INTO origin VALUES ('x', 'y', 'é')")
    database.close()
    assert not Ledger(own).verify().intact


def test_whoever_looks_waits_for_nobody_who_writes(own):
    for number in range(3):
        Ledger(own).append(record(identifier=f"{number:012x}", output=f"{number:064x}"))
    with closing(sqlite3.connect(own.root / "ledger.sqlite", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        ledger = Ledger(own)
        assert ledger.verify().intact
        assert len(list(ledger.records())) == 3
        assert ledger.find_output(f"{1:064x}") is not None
        ledger.ensure_sound()


def test_whoever_looks_while_another_makes_the_first_record_waits_for_it(own):
    """Two first swaps at a time: none of them is done in vain."""
    with closing(connected(own.folder() / "ledger.sqlite", shared=True)) as other:
        other.execute("BEGIN IMMEDIATE")
        ends = threading.Timer(0.05, other.execute, ["COMMIT"])
        ends.start()
        Ledger(own).ensure_sound()
        ends.join()
    Ledger(own).append(record())
    assert Ledger(own).verify().records == 1


def test_who_reads_the_records_slowly_holds_up_nobody_who_writes(own):
    Ledger(own).append(record())
    slowly = Ledger(own).records()
    assert next(slowly).identifier == "0" * 12
    Ledger(own).append(record(identifier=f"{1:012x}"))
    assert Ledger(own).verify().records == 2


@pytest.mark.parametrize("harm", ["none", "edit", "remove", "what was looked at"])
def test_what_came_since_the_look_before_the_work_is_looked_at_when_the_work_is_entered(own, harm):
    for number in range(3):
        Ledger(own).append(record(identifier=f"{number:012x}"))
    ledger = Ledger(own)
    ledger.ensure_sound()
    for number in range(3, 6):  # another process, meanwhile
        Ledger(own).append(record(identifier=f"{number:012x}"))
    number = 3 if harm == "what was looked at" else 5
    with closing(sqlite3.connect(own.root / "ledger.sqlite", isolation_level=None)) as database:
        if harm == "edit":
            database.execute("UPDATE records SET body = '{}' WHERE number = ?", (number,))
        elif harm != "none":
            database.execute("DELETE FROM records WHERE number = ?", (number,))
    if harm == "none":
        ledger.append(record())
        assert (ledger.verify().records, ledger.verify().problems) == (7, ())
        return
    with pytest.raises(RecordsError, match=f"record {number} was {'edited' if harm == 'edit' else 'removed'}"):
        ledger.append(record())


def test_one_look_counts_for_one_record(own):
    ledger = Ledger(own)
    for _ in range(3):
        ledger.append(record())
    ledger.ensure_sound()
    ledger.append(record())
    with closing(sqlite3.connect(own.root / "ledger.sqlite", isolation_level=None)) as database:
        database.execute("UPDATE records SET body = '{}' WHERE number = 2")
    with pytest.raises(RecordsError, match="record 2 was edited"):
        ledger.append(record())


def test_the_newest_sound_record_of_a_file_speaks(own):
    digest = "a" * 64
    for number in range(5):
        Ledger(own).append(record(identifier=f"{number:012x}", output=digest, target="b" * 64))
    with closing(sqlite3.connect(own.root / "ledger.sqlite", isolation_level=None)) as database:
        database.execute("UPDATE records SET body = replace(body, '000000000004', '00000000000f') WHERE number = 5")
    found = Ledger(own).find_output(digest)
    assert found is not None
    assert found.identifier == f"{3:012x}"
    assert Ledger(own).find_output("b" * 64) is None  # that of what it was made of


@pytest.mark.slow
def test_a_large_ledger_is_looked_at_in_seconds(own):
    """The key is not read for each record, and nothing is held in memory or in a transaction for the others."""
    body = body_of(record(hashes=("0" * 64,) * 5))
    Chain(own, "ledger").append([body] * 30_000)
    begin = time.perf_counter()
    Ledger(own).ensure_sound()
    assert time.perf_counter() - begin < 3
    begin = time.perf_counter()
    assert Ledger(own).find_output("a" * 64) is None
    assert time.perf_counter() - begin < 1


def test_a_ledger_has_no_end(own, tmp_path, capfd):
    """A record of a clip of ten minutes has 41 kB: some gigabytes come together."""
    Ledger(own).append(record())
    os.truncate(own.root / "ledger.sqlite", 3_000_000_000)  # nothing is written for it
    Ledger(own).append(record())
    assert Ledger(own).verify().records == 2
    home = ["--home", str(own.root)]
    for words in (["list"], ["verify"], ["export", str(tmp_path / "records.jsonl")]):
        assert main(["ledger", *words, *home]) == 0, capfd.readouterr().err
    assert len((tmp_path / "records.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize("harm", ["damaged", "a folder"])
def test_a_new_ledger_is_begun_when_all_is_moved_aside_that_the_hint_names(own, tmp_path, harm):
    Ledger(own).append(record())
    path = own.root / "ledger.sqlite"
    if harm == "damaged":
        path.write_bytes(path.read_bytes()[:5000] + b"\xff" * 20_000)
    else:
        path.unlink()
        path.mkdir()
    with pytest.raises(RecordsError) as refusal:
        Ledger(own).ensure_sound()
    names = [name for name in ("ledger.sqlite", "ledger.head", "ledger.key") if name in refusal.value.hint]
    assert len(names) == 3
    for name in names:
        (own.root / name).rename(tmp_path / name)
    Ledger(own).ensure_sound()
    Ledger(own).append(record())
    assert Ledger(own).verify().intact


def test_a_list_with_a_forged_record_says_so(own, capfd):
    Ledger(own).append(record(engine="mesh"))
    with closing(sqlite3.connect(own.root / "ledger.sqlite", isolation_level=None)) as database:
        database.execute("UPDATE records SET body = replace(body, 'mesh', 'forged')")
    for form in ([], ["--json"]):
        assert main(["ledger", "list", *form, "--home", str(own.root)]) == 0
        said = capfd.readouterr()
        assert "forged" in said.out
        assert "the ledger was tampered with" in said.err
    assert json.loads(said.out)["intact"] is False
