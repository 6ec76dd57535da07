"""Jobs are done beside the server, and survive it."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from understudy import ConsentClaim, Order, Settings, Understudy
from understudy.server.studio.jobs.desk import JobsDesk
from understudy.testing import ClipSpec, portrait, portrait_path, write_puppet_clip
from understudy.testing.puppet import Puppet

pytestmark = pytest.mark.slow
PATIENCE = 120


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    write_puppet_clip(path, Puppet(portrait("hopper"), (320, 240), face_share=0.5), 4.0, ClipSpec(rate=25, audio=()))
    return path


@pytest.fixture
def app(tmp_path):
    with Understudy(Settings(home=tmp_path / "home")) as app:
        yield app


@pytest.fixture
def desk(app):
    desk = JobsDesk(app)
    yield desk
    desk.close()


def order(clip, folder, name="out.mp4", **rest):
    return Order(clip, folder / name, (portrait_path("astronaut"),), **rest)


def until(desk, number, *states):
    """Look until the job is in one of the states."""
    for _ in range(10 * PATIENCE):
        desk.look()
        found = desk.shown(number)
        if found is not None and found.job.state in states:
            return found
        time.sleep(0.1)
    raise AssertionError(f"job {number} is {desk.shown(number)}, {desk.runner_failed}")


def test_a_job_is_done_beside_and_its_result_is_looked_at(app, desk, clip, tmp_path):
    (number,) = app.jobs.add(order(clip, tmp_path), ConsentClaim("sample"))
    desk.begin()
    seen = until(desk, number, "running")
    while seen.job.state == "running":
        assert seen.job.frames in (0, 100)
        seen = until(desk, number, "running", "done")
    assert seen.here
    for _ in range(10 * PATIENCE):
        desk.look()
        if (verdict := desk.shown(number).verdict) is not None:
            break
        time.sleep(0.1)
    assert verdict.ours and verdict.marked and verdict.signed
    assert verdict.label == "AI face swap"


def test_a_job_is_cancelled_and_done_again(app, desk, clip, tmp_path):
    (number,) = app.jobs.add(order(clip, tmp_path), ConsentClaim("sample"))
    until(desk, number, "running")
    while not desk.runner.told.frames:
        time.sleep(0.05)
    desk.do("cancel", number)
    assert desk.shown(number).job.state == "cancelled"
    assert desk.runner_failed is None
    assert not (tmp_path / "out.mp4").exists()
    desk.do("retry", number)
    assert until(desk, number, "done").here


def test_a_job_is_parked_when_the_server_ends_and_taken_up_by_the_next(app, tmp_path):
    clip = tmp_path / "long.mp4"  # not done before somebody has seen that it is begun
    write_puppet_clip(clip, Puppet(portrait("hopper"), (320, 240), face_share=0.5), 12.0, ClipSpec(rate=25, audio=()))
    (number,) = app.jobs.add(order(clip, tmp_path), ConsentClaim("sample"))
    first = JobsDesk(app)
    until(first, number, "running")
    first.close()
    assert app.jobs.show(number).state == "waiting"
    second = JobsDesk(app)
    try:
        second.begin()
        assert until(second, number, "done").here
    finally:
        second.close()


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_when_the_server_is_killed_its_worker_parks_the_job_and_ends(app, clip, tmp_path):
    (number,) = app.jobs.add(order(clip, tmp_path), ConsentClaim("sample"))
    # In the server's place: a process that begins the worker, says its number, and is killed.
    program = (
        "import sys, time; from pathlib import Path; from understudy.server.studio.jobs.runner import Runner\n"
        "runner = Runner(Path(sys.argv[1])); runner.begin(); print(runner.pid, flush=True); time.sleep(999)"
    )
    command = [sys.executable, "-c", program, str(app.resources.home.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        worker = int(server.stdout.readline())
        while app.jobs.show(number).state != "running":
            time.sleep(0.05)
        server.send_signal(signal.SIGKILL)
    for _ in range(10 * PATIENCE):
        if app.jobs.show(number).state == "waiting" and not os.path.exists(f"/proc/{worker}/cmdline"):
            break
        time.sleep(0.1)
    assert app.jobs.show(number).state == "waiting"
    assert app.jobs.run() == 1


def test_jobs_that_wait_are_moved_up_and_down(app, desk, clip, tmp_path):
    first, second, third = app.jobs.add(
        [order(clip, tmp_path, f"{n}.mp4", after=()) for n in "abc"], ConsentClaim("sample")
    )
    for number in (first, second, third):
        desk.store.pause(number)
    desk.look()
    assert not desk.runner.at_work
    desk.runner.close()  # nothing is done from here on
    for number in (first, second, third):
        desk.do("resume", number)
    desk.move(third, up=True)
    assert [one.job.number for one in desk.jobs] == [first, third, second]
    desk.move(third, up=True)
    desk.move(third, up=True)
    assert [one.job.number for one in desk.jobs] == [third, first, second]
    desk.move(first, up=False)
    assert [one.job.number for one in desk.jobs] == [third, second, first]


def test_what_can_t_be_done_is_said(app, desk, clip, tmp_path):
    desk.do("retry", 99)
    assert desk.fault is not None
    assert "99" in desk.fault.detail
    (number,) = app.jobs.add(order(clip, tmp_path), ConsentClaim("sample"))
    desk.runner.close()
    desk.do("pause", number)
    assert desk.fault is None
    assert desk.shown(number).job.state == "paused"
    desk.do("remove", number)
    assert desk.shown(number) is None


def test_a_worker_that_can_t_work_says_why(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "jobs").mkdir(mode=0o700)
    (home / "jobs" / "jobs.db").write_bytes(b"this is no database" * 100)
    (home / "jobs" / "jobs.db").chmod(0o600)
    command = [sys.executable, "-m", "understudy.server.studio.jobs.worker", str(home)]
    done = subprocess.run(command, input="", capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode in (6, 130)
    if done.returncode == 6:
        said = json.loads(done.stdout)
        assert "jobs.db" in said["message"]
        assert said["kind"] == "RecordsError"
