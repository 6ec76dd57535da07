"""Jobs in their store: who has one, what goes next, and what becomes of it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from understudy.errors import RecordsError, UsageError
from understudy.jobs.at_work import LEASE, MOST_ATTEMPTS
from understudy.jobs.job import JobFailure, Order
from understudy.jobs.store import JobStore
from understudy.provenance import Home


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def store(home):
    return JobStore(Home(home))


def order(number=1, **rest):
    return Order(Path(f"/in/{number}.mp4"), Path(f"/out/{number}.mp4"), (Path("/me.jpg"),), **rest)


def added(store, *orders):
    return store.add([(one, {"/me.jpg": "ab"}) for one in orders])


def test_a_job_comes_back_as_it_was_written_down(store, home):
    wanted = order(
        settings={"blend.strength": 0.5}, overwrite=True, priority=-3, when_done=("notify", "a b"), cast=None
    )
    (number,) = added(store, wanted)
    job = JobStore(Home(home)).job(number)
    assert job.order == wanted
    assert (job.state, job.attempts, job.share, job.digests) == ("waiting", 0, 0.0, {"/me.jpg": "ab"})


@pytest.mark.parametrize(
    ("asked", "state"),
    [(("pause",), "paused"), (("pause", "resume"), "waiting"), (("pause", "cancel"), "cancelled")],
)
def test_what_was_asked_for_last_becomes_of_a_job_that_stops(store, asked, state):
    (number,) = added(store, order())
    with store.runner() as name:
        claim = store.claim(name)
        for way in asked:
            getattr(store, way)(number)
        assert store.end(claim, None)
    assert store.job(number).state == state


def test_the_most_urgent_goes_first_and_of_equals_the_oldest(store):
    numbers = added(store, order(1), order(2, priority=5), order(3), order(4, priority=5))
    with store.runner() as name:
        taken = []
        while (claim := store.claim(name)) is not None:
            taken.append(claim.number)
            assert store.end(claim, "done")
    assert taken == [numbers[1], numbers[3], numbers[0], numbers[2]]


def test_a_job_waits_for_those_before_it(store):
    first, second = added(store, order(1), order(2))
    (third,) = added(store, order(3, after=(first, second), priority=9))
    with store.runner() as name:
        claims = [store.claim(name), store.claim(name)]
        assert {claim.number for claim in claims} == {first, second}
        assert store.claim(name) is None
        assert store.end(claims[0], "done")
        assert store.job(third).waits_for == (claims[1].number,)
        assert store.end(claims[1], "failed", why=JobFailure("no", "try", 3))
        assert store.claim(name) is None  # a failed one is not done
        store.retry(claims[1].number)
        assert store.end(store.claim(name), "done")
        assert store.claim(name).number == third


def test_what_a_job_waits_for_is_the_same_alone_and_among_many(store):
    first, second, *_ = numbers = added(store, *(order(n) for n in range(60)))
    (both,) = added(store, order(100, after=(second, first)))
    (one,) = added(store, order(101, after=(second,)))
    for done in ((), (first,), (first, second)):
        with store.runner() as name:
            for _ in done[-1:]:
                store.end(store.claim(name), "done")
        many = {job.number: job.waits_for for job in store.jobs()}
        assert many[both] == tuple(number for number in (first, second) if number not in done)
        assert many[one] == tuple(number for number in (second,) if number not in done)
        assert not any(many[number] for number in numbers)
        assert [store.job(number).waits_for for number in (both, one)] == [many[both], many[one]]


def test_a_job_after_one_that_is_not_there_is_not_added(store):
    with pytest.raises(UsageError, match="no job 7"):
        added(store, order(1), order(2, after=(7,)))
    assert store.jobs() == []


def test_many_threads_never_take_the_same_job(store, home):
    added(store, *[order(n) for n in range(24)])
    taken, lock = [], threading.Lock()

    def work():
        own = JobStore(Home(home))
        with own.runner() as name:
            while (claim := own.claim(name)) is not None:
                with lock:
                    taken.append(claim.number)
                assert own.end(claim, "done")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(1, 25))


KILLED = """
import os, sys
from pathlib import Path
from understudy.jobs.store import JobStore
from understudy.provenance import Home
store = JobStore(Home(Path(sys.argv[1])))
with store.runner() as name:
    print(store.claim(name).number, flush=True)
    os.kill(os.getpid(), 9)
"""


def killed(home):
    command = [sys.executable, "-c", KILLED, str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    return int(done.stdout)


def test_a_job_whose_runner_was_killed_is_taken_up_at_once(store, home):
    (number,) = added(store, order())
    assert killed(home) == number
    assert store.jobs()[0].state == "waiting"  # the list does not say that it runs
    with store.runner() as name:
        claim = store.claim(name)
        assert (claim.number, claim.attempt) == (number, 2)


@pytest.mark.slow
def test_a_job_that_ends_its_runner_each_time_is_let_alone(store, home):
    (number,) = added(store, order())
    for _ in range(MOST_ATTEMPTS):
        assert killed(home) == number
    job = store.job(number)
    assert job.state == "failed"
    assert str(MOST_ATTEMPTS) in job.failure.message
    with store.runner() as name:
        assert store.claim(name) is None
        store.retry(number)
        assert store.claim(name).number == number


@pytest.mark.parametrize(("wish", "state"), [("pause", "paused"), ("cancel", "cancelled")])
def test_what_was_asked_for_holds_though_the_runner_died(store, wish, state, home):
    added(store, order())
    number = killed(home)
    # Asked for before anybody noticed.
    with sqlite3.connect(home / "jobs" / "jobs.db") as database:
        database.execute("UPDATE jobs SET wish = ?", (wish,))
    assert store.job(number).state == state


def test_a_runner_that_stands_still_loses_its_job_and_is_told(store, monkeypatch, home):
    added(store, order())
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    other = JobStore(Home(home))
    with store.runner() as still, other.runner() as lively:
        claim = store.claim(still)
        assert other.claim(lively) is None
        now[0] += LEASE - 1
        assert store.sign(claim, 3, 10) == ""  # it lives
        assert other.claim(lively) is None
        now[0] += LEASE - 1
        assert other.claim(lively) is None
        now[0] += 2
        taken = other.claim(lively)
        assert (taken.number, taken.attempt) == (claim.number, 2)
        assert store.sign(claim, 4, 10) == "lost"
        assert not store.end(claim, "done", report={"of": "the first"})
        assert other.end(taken, "done", report={"of": "the second"})
    assert store.job(claim.number).report == {"of": "the second"}


@pytest.mark.parametrize("jump", [-1e6, 1e6])
def test_no_clock_that_jumps_takes_a_job_away(store, monkeypatch, jump, home):
    added(store, order())
    other = JobStore(Home(home))
    with store.runner() as name, other.runner() as second:
        claim = store.claim(name)
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + jump)
        assert other.claim(second) is None
        assert store.end(claim, "done")


def test_how_far_a_job_is_is_seen_by_others(store, home):
    added(store, order())
    with store.runner() as name:
        claim = store.claim(name)
        store.sign(claim, 25, 100)
        assert JobStore(Home(home)).job(claim.number).share == 0.25


def test_a_running_job_is_asked_to_stop(store):
    (number,) = added(store, order())
    with store.runner() as name:
        claim = store.claim(name)
        assert store.pause(number) == "running"
        assert store.sign(claim, 0, 0) == "pause"
        assert store.resume(number) == "running"  # changed their mind
        assert store.sign(claim, 0, 0) == ""
        assert store.cancel(number) == "running"
        assert store.sign(claim, 0, 0) == "cancel"
        with pytest.raises(UsageError, match="running"):
            store.remove(number)


@pytest.mark.parametrize(
    ("ways", "state"),
    [
        (("pause",), "paused"),
        (("pause", "resume"), "waiting"),
        (("cancel",), "cancelled"),
        (("pause", "cancel", "retry"), "waiting"),
    ],
)
def test_a_job_that_waits_is_changed(store, ways, state):
    (number,) = added(store, order())
    for way in ways:
        getattr(store, way)(number)
    assert store.job(number).state == state


@pytest.mark.parametrize("way", ["pause", "resume", "cancel", "retry"])
def test_a_job_that_is_done_stays_so(store, way):
    (number,) = added(store, order())
    with store.runner() as name:
        store.end(store.claim(name), "done")
    with pytest.raises(UsageError, match="done"):
        getattr(store, way)(number)
    with pytest.raises(UsageError, match="no job 99"):
        getattr(store, way)(99)


def test_a_job_that_others_wait_for_is_not_removed(store):
    (first,) = added(store, order(1))
    (second,) = added(store, order(2, after=(first,)))
    with pytest.raises(UsageError, match=f"job {second} waits"):
        store.remove(first)
    store.remove(second)
    assert store.remove(first).number == first
    assert store.jobs() == []
    assert added(store, order(3)) == [3]  # a number is never given twice


def test_a_store_of_a_newer_program_is_left_alone(store, home):
    added(store, order())
    path = home / "jobs" / "jobs.db"
    with sqlite3.connect(path) as database:
        database.execute("UPDATE version SET number = 3")
    with pytest.raises(RecordsError, match="newer"):
        store.jobs()


def test_a_damaged_store_is_told_and_not_replaced(store, home):
    added(store, order())
    path = home / "jobs" / "jobs.db"
    path.with_name("jobs.db-wal").unlink(missing_ok=True)
    path.write_bytes(b"no database" * 100)
    with pytest.raises(RecordsError):
        store.jobs()
    assert path.read_bytes().startswith(b"no database")


def test_only_its_owner_reads_the_store(store, home):
    added(store, order())
    with store.runner() as name:
        store.claim(name)
        for path in (home / "jobs").rglob("*"):
            assert path.stat().st_mode & 0o077 == 0, path


def test_jobs_go_in_the_order_that_is_asked_for(store):
    numbers = store.add([(order(priority=number), {}) for number in (0, 5, 0)])
    store.arrange([numbers[2], numbers[0]])
    assert [job.number for job in store.jobs(("waiting",))] == [numbers[2], numbers[0], numbers[1]]
    assert [job.order.priority for job in store.jobs(("waiting",))] == [7, 6, 5]
    with store.runner() as runner:
        assert store.claim(runner).number == numbers[2]
        store.arrange([numbers[1], numbers[2], 99])
        assert [job.number for job in store.jobs(("running", "waiting"))] == [numbers[2], numbers[1], numbers[0]]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("work", "{}"),
        ("work", "{},{}"),
        ("digests", "[1]"),
        ("report", "{"),
        ("report", "{}]"),
        ("failure", "{}"),
    ],
)
def test_a_row_that_can_not_be_read_is_told_and_can_be_removed(store, home, column, text):
    added(store, order(1), order(2), order(3))
    with sqlite3.connect(home / "jobs" / "jobs.db") as raw:
        raw.execute(f"UPDATE jobs SET {column} = ? WHERE number = 2", (text,))
    raw.close()
    with pytest.raises(RecordsError, match="job 2 can't be read") as told:
        store.jobs()
    assert "understudy jobs remove 2" in told.value.hint
    with pytest.raises(RecordsError, match="job 2 can't be read"):
        store.job(2)
    assert store.job(3).number == 3
    assert store.remove(2) is None
    assert [job.number for job in store.jobs()] == [1, 3]


def test_a_job_that_can_not_be_read_has_failed_and_those_after_it_go_on(store, home):
    added(store, order(1), order(2), order(3))
    with sqlite3.connect(home / "jobs" / "jobs.db") as raw:
        raw.execute("UPDATE jobs SET work = '{}' WHERE number = 2")
    raw.close()
    with store.runner() as runner:
        assert [one and one.number for one in (store.claim(runner), store.claim(runner), store.claim(runner))] == [
            1,
            3,
            None,
        ]
    assert store.counts()["failed"] == 1


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everything")
def test_jobs_can_be_looked_at_where_nothing_can_be_written(store, home):
    """As on a disk that is a copy, or was made read-only since it fails."""
    first, second = added(store, order(1), order(2))
    with store.runner() as name:
        store.end(store.claim(name), "failed", why=JobFailure("no", "try", 3))
    (home / "jobs").chmod(0o500)
    home.chmod(0o500)
    try:
        later = JobStore(Home(home))
        assert [job.number for job in later.jobs()] == [second, first]
        assert later.job(first).failure.message == "no"
        assert (later.counts()["failed"], later.blocked()) == (1, [])
        with pytest.raises(RecordsError):
            later.pause(second)
    finally:
        home.chmod(0o700)
        (home / "jobs").chmod(0o700)


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everything")
def test_where_nothing_can_be_written_and_no_jobs_are_there_are_none(home):
    home.mkdir(0o500)
    assert JobStore(Home(home)).jobs() == []
    assert list(home.iterdir()) == []
