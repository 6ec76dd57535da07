"""Jobs whose clips are worked in segments: whatever ends them, they go on at the first segment that is missing."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from dataclasses import replace
from hashlib import sha256

import av
import pytest

from tests.tasks.segments.conftest import SHORT, two_scenes
from understudy.errors import NoSpaceError
from understudy.jobs import runner as runners
from understudy.jobs.at_work import MOST_ATTEMPTS
from understudy.jobs.database import Database
from understudy.jobs.job import Order
from understudy.jobs.jobs import Jobs
from understudy.jobs.kept import KeptSegments
from understudy.jobs.store import JobStore
from understudy.media.files import segments as files
from understudy.outputs import output_errors
from understudy.provenance import ConsentClaim, Consents, Home
from understudy.provenance.records.sqlite_file import database
from understudy.swapping.carried.running import Summary
from understudy.tasks.segments import planning, working
from understudy.tasks.segments.plan import ClipPlan, Segment
from understudy.tasks.segments.report import SegmentReport

SAMPLE = ConsentClaim("sample")
#: What a process of its own does: jobs with short segments, slowly.
RUNNER = """
import sys, time
from pathlib import Path
from tests.tasks.segments.conftest import SHORT
from understudy import Settings, Understudy
from understudy.jobs.jobs import Jobs
with Understudy(Settings(home=Path(sys.argv[1]))) as app:
    def progress(done, frames):
        print(done, flush=True)
        time.sleep(float(sys.argv[2]))
    Jobs(app.resources, app.known, app.settings, SHORT).run(progress=progress)
"""


@pytest.fixture
def jobs(app):
    return Jobs(app.resources, app.known, app.settings, SHORT)


@pytest.fixture
def order(tmp_path, scenes, hopper_path):
    return Order(scenes, tmp_path / "out.mp4", (hopper_path,))


@pytest.fixture(autouse=True)
def one_identifier(monkeypatch):
    """All plans have the same mark, so that two runs can be compared."""
    monkeypatch.setattr(planning, "new_identifier", lambda: 0x1234_5678_9ABC)


@pytest.fixture(autouse=True)
def sealed(monkeypatch):
    """What was sealed, frame by frame: the same frame is the same whenever it is made."""
    seen, write = {}, files.SegmentSink.write

    def watched(self, labelled):
        frame = labelled.frame
        made = sha256(frame.picture.tobytes()).hexdigest(), frame.label, frame.changes[-1:] and frame.changes[-1].box
        assert seen.setdefault((frame.pts, frame.identifier), made) == made
        write(self, labelled)

    monkeypatch.setattr(files.SegmentSink, "write", watched)
    return seen


@pytest.fixture(scope="module")
def made_undisturbed():
    """Where what a job writes that nothing disturbs is kept, and what was sealed for it, once it was made."""
    return []


@pytest.fixture
def undisturbed(jobs, order, tmp_path_factory, sealed, made_undisturbed):
    """What a job writes that nothing disturbs: made once, for it is the same for all tests."""
    if not made_undisturbed:
        output = tmp_path_factory.mktemp("undisturbed") / "undisturbed.mp4"
        jobs.add(replace(order, output=output), SAMPLE)
        assert jobs.run() == 1
        assert len(sealed) == 48
        made_undisturbed[:] = [output, dict(sealed)]
    output, frames = made_undisturbed
    sealed.update(frames)
    return output


def assert_same(output, other):
    """The same streams, times, sound and pictures, packet by packet."""
    for path in (output, other):
        assert path.is_file()
    with av.open(str(output)) as one, av.open(str(other)) as two:
        ours, theirs = ([_said(packet) for packet in file.demux()] for file in (one, two))
    assert ours == theirs


def _said(packet):
    return packet.stream_index, packet.pts, packet.dts, packet.duration, bytes(packet)


def kept(tmp_path):
    return sorted(path for path in (tmp_path / "home" / "jobs" / "segments").rglob("*") if path.is_file())


class Counting:
    """Counts the segments that are worked."""

    def __init__(self, monkeypatch):
        self.worked = worked = []
        before = working.SegmentWorker.work

        def work(self, index, path, progress=None):
            worked.append(index)
            return before(self, index, path, progress)

        monkeypatch.setattr(working.SegmentWorker, "work", work)


def interrupted_at(frame, fault=KeyboardInterrupt):
    def progress(done, _):
        if done == frame:
            raise fault

    return progress


@pytest.mark.slow
@pytest.mark.parametrize("frame", [1, 20, 25, 40, 48])
def test_a_job_goes_on_at_the_first_segment_that_is_missing(
    jobs, order, undisturbed, tmp_path, monkeypatch, frame, app
):
    (number,) = jobs.add(order, SAMPLE)
    counting = Counting(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        jobs.run(progress=interrupted_at(frame))
    job = jobs.show(number)
    assert (job.state, job.segments) == ("waiting", 4)
    assert job.frames_done <= frame
    assert len(kept(tmp_path)) == 1 + job.segments_done
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in kept(tmp_path))
    begun, seen = len(counting.worked), []
    assert jobs.run(progress=lambda done, frames: seen.append((done, frames))) == 1
    assert counting.worked[begun:] == [n for n in range(4) if n >= job.segments_done]
    assert len(counting.worked) <= 5  # nothing but the one that was broken off is worked twice
    assert seen[0] == (job.frames_done, 48)
    assert_same(order.output, undisturbed)
    assert kept(tmp_path) == []
    done = jobs.show(number)
    assert (done.report["frames"], done.report["frames_swapped"], done.share) == (48, 48, 1.0)
    assert app.inspect(order.output).verdict == "made by this tool"


@pytest.mark.slow
@pytest.mark.parametrize("frames", [(10,), (20, 40), (48,)])
def test_a_clip_survives_kill_9(jobs, order, tmp_path, frames):
    """In the middle of a segment, between two, twice, and while the output is written."""
    home = tmp_path / "home"
    (number,) = jobs.add(order, SAMPLE)
    before = 0
    for frame in frames:
        command = [sys.executable, "-c", RUNNER, str(home), "0.02"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=os.getcwd()) as runner:
            for line in runner.stdout:
                if int(line) >= frame:
                    os.kill(runner.pid, signal.SIGKILL)
                    break
            runner.wait()
        job = jobs.show(number)
        assert job.state == "waiting"
        assert before <= job.segments_done
        before = job.segments_done
    assert before > 0 or frames == (10,)
    assert jobs.run() == 1
    assert jobs.show(number).report["frames"] == 48
    assert kept(tmp_path) == []
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    with av.open(str(order.output)) as file:
        assert sum(1 for _ in file.decode(video=0)) == 48


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["truncated", "altered", "gone", "plan"])
def test_what_was_damaged_meanwhile_is_made_anew(jobs, order, undisturbed, tmp_path, monkeypatch, damage):
    """As a power cut leaves files of disks that do not keep what they promise."""
    jobs.add(order, SAMPLE)
    with pytest.raises(KeyboardInterrupt):
        jobs.run(progress=interrupted_at(40))
    first, *_, plan = kept(tmp_path)
    assert first.name.startswith("00000")
    assert plan.name == "plan.json"
    whole = first.read_bytes()
    if damage == "truncated":
        first.write_bytes(whole[: len(whole) // 2])
    elif damage == "altered":
        first.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    elif damage == "gone":
        first.unlink()
    else:
        plan.write_bytes(plan.read_bytes().replace(b'"threads": ', b'"threads": 1'))
    counting = Counting(monkeypatch)
    assert jobs.run() == 1
    assert counting.worked == ([0, 1, 2, 3] if damage == "plan" else [0, 3])
    assert_same(order.output, undisturbed)


@pytest.mark.slow
def test_a_segment_is_on_the_disk_before_the_store_says_so(jobs, order, monkeypatch):
    told = []
    monkeypatch.setattr(files.os, "fsync", lambda _: told.append("disk"))
    keep = Database.opened

    def opened(self):
        told.append("store")
        return keep(self)

    monkeypatch.setattr(Database, "opened", opened)
    before = working.file_digest
    monkeypatch.setattr(working, "file_digest", lambda path: (told.append("digest"), before(path))[1])
    jobs.add(order, SAMPLE)
    assert jobs.run() == 1
    places = [place for place, what in enumerate(told) if what == "digest"]
    assert len(places) == 4
    for place in places:
        assert told[place - 2 : place] == ["disk", "disk"]  # the file and its name
        assert "store" in told[place:]


@pytest.mark.slow
def test_a_full_disk_costs_one_segment_and_the_jobs_wait(jobs, order, undisturbed, tmp_path, monkeypatch):
    number, other = jobs.add([order, replace(order, output=tmp_path / "other.mp4")], SAMPLE)
    write, written = files.SegmentSink.write, []

    def full(self, labelled):
        written.append(labelled)
        with output_errors(tmp_path):
            if len(written) > 30:
                raise OSError(errno.ENOSPC, "No space left on device")
        write(self, labelled)

    monkeypatch.setattr(files.SegmentSink, "write", full)
    told = []
    with pytest.raises(NoSpaceError):
        jobs.run(told=lambda job: told.append((job.number, job.state)))
    assert told == [(number, "running"), (number, "waiting")]
    job = jobs.show(number)
    assert (job.state, jobs.show(other).attempts) == ("waiting", 0)
    assert 0 < job.segments_done < 4
    assert not [path for path in kept(tmp_path) if path.name.startswith(".")]
    monkeypatch.setattr(files.SegmentSink, "write", write)
    jobs.pause(other)
    counting = Counting(monkeypatch)
    assert jobs.run() == 1
    assert counting.worked == list(range(job.segments_done, 4))
    assert_same(order.output, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["input", "consent"])
def test_what_may_not_be_used_any_more_is_not_and_what_was_made_of_it_goes(
    jobs, app, order, tmp_path, hopper_path, what
):
    photo = tmp_path / "me.jpg"
    shutil.copy(hopper_path, photo)
    (number,) = jobs.add(replace(order, photos=(photo,)), SAMPLE)
    with pytest.raises(KeyboardInterrupt):
        jobs.run(progress=interrupted_at(40))
    assert len(kept(tmp_path)) == 4
    if what == "input":
        photo.write_bytes(photo.read_bytes() + b"\0")
    else:
        consents = Consents(app.resources.home)
        for record in consents.all():
            consents.revoke(record.id)
    assert jobs.run() == 0
    job = jobs.show(number)
    assert (job.state, job.failure.exit_code) == ("failed", 3 if what == "input" else 4)
    assert (job.segments_done, kept(tmp_path)) == (0, [])
    assert not order.output.exists()


@pytest.mark.slow
@pytest.mark.parametrize("frame", [20, 48])
@pytest.mark.parametrize("what", ["input", "consent"])
def test_what_changes_while_a_job_runs_ends_it(jobs, app, order, tmp_path, monkeypatch, what, frame):
    """In the middle of a segment, and when all are there but the output is not."""
    clip, consents = tmp_path / "clip.mp4", Consents(app.resources.home)
    shutil.copy(order.target, clip)
    two_scenes(tmp_path / "other.mp4", each=16)
    (number,) = jobs.add(replace(order, target=clip), SAMPLE)
    counting = Counting(monkeypatch)

    def meanwhile(done, _):
        if done == frame and what == "input" and (tmp_path / "other.mp4").exists():
            (tmp_path / "other.mp4").replace(clip)
        elif done == frame and what == "consent":
            for record in consents.all():
                consents.revoke(record.id)

    assert jobs.run(progress=meanwhile) == 0
    job = jobs.show(number)
    assert (job.state, job.failure.exit_code) == ("failed", 3 if what == "input" else 4)
    assert ("another file" if what == "input" else "revoked") in job.failure.message
    assert (job.segments_done, kept(tmp_path)) == (0, [])
    assert len(counting.worked) == (2 if frame == 20 else 4)
    assert not order.output.exists()


@pytest.mark.slow
def test_a_clip_that_was_only_touched_is_the_same(jobs, order, tmp_path):
    clip = tmp_path / "clip.mp4"
    shutil.copy(order.target, clip)
    jobs.add(replace(order, target=clip), SAMPLE)
    assert jobs.run(progress=lambda *_: clip.touch()) == 1


@pytest.mark.slow
def test_other_settings_begin_anew(jobs, app, order, sealed, monkeypatch):
    jobs.add(order, SAMPLE)
    with pytest.raises(KeyboardInterrupt):
        jobs.run(progress=interrupted_at(40))
    counting = Counting(monkeypatch)
    sealed.clear()
    fainter = replace(app.settings, blend=replace(app.settings.blend, strength=0.5))
    assert Jobs(app.resources, app.known, fainter, SHORT).run() == 1
    assert counting.worked == [0, 1, 2, 3]


@pytest.mark.slow
def test_an_output_that_appeared_meanwhile_costs_no_segment(jobs, order, tmp_path, monkeypatch):
    (number,) = jobs.add(order, SAMPLE)

    def meanwhile(done, _):
        if done == 48:
            order.output.write_text("somebody's")

    assert jobs.run(progress=meanwhile) == 0
    assert order.output.read_text() == "somebody's"
    assert jobs.show(number).segments_done == 4
    order.output.unlink()
    jobs.retry(number)
    counting = Counting(monkeypatch)
    assert jobs.run() == 1
    assert counting.worked == []


@pytest.mark.slow
@pytest.mark.parametrize("way", ["pause", "cancel", "remove"])
def test_pausing_keeps_what_is_finished_and_cancelling_does_not(jobs, order, tmp_path, monkeypatch, way):
    monkeypatch.setattr(runners, "EVERY", 0.02)
    (number,) = jobs.add(order, SAMPLE)

    def slow(done, _):
        if done == 30:
            getattr(jobs, "cancel" if way == "cancel" else "pause")(number)
        time.sleep(0.05 if done >= 30 else 0)

    assert jobs.run(progress=slow) == 0
    job = jobs.show(number)
    if way == "cancel":
        assert (job.state, kept(tmp_path)) == ("cancelled", [])
        return
    assert (job.state, job.segments_done, len(kept(tmp_path))) == ("paused", 2, 3)
    assert job.share == pytest.approx(job.frames_done / 48)
    assert job.frames_done == 24
    if way == "remove":
        jobs.remove(number)
        assert kept(tmp_path) == []
        return
    jobs.resume(number)
    counting = Counting(monkeypatch)
    assert jobs.run() == 1
    assert counting.worked == [2, 3]


@pytest.mark.slow
def test_a_runner_that_lost_its_job_keeps_nothing_of_it(jobs, order, undisturbed, tmp_path):
    """It stood still, another took the job up; then it wakes in the middle of a segment."""
    (number,) = jobs.add(order, SAMPLE)

    def robbed(done, _):
        if done == 20:
            with database(tmp_path / "home" / "jobs" / "jobs.db", "", log=True) as store:
                store.execute("UPDATE jobs SET attempts = attempts + 1 WHERE number = ?", (number,))

    assert jobs.run(progress=robbed) == 0
    assert not order.output.exists()
    job = jobs.show(number)  # its runner has ended, so it waits again
    assert (job.state, job.segments_done) == ("waiting", 1)
    assert jobs.run() == 1
    assert_same(order.output, undisturbed)
    assert kept(tmp_path) == []


@pytest.mark.slow
def test_two_runners_do_a_segmented_job_once(jobs, order, undisturbed, tmp_path):
    jobs.add([order, replace(order, output=tmp_path / "b.mp4")], SAMPLE)
    done = []
    threads = [threading.Thread(target=lambda: done.append(jobs.run())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == 2
    assert_same(order.output, undisturbed)
    assert_same(tmp_path / "b.mp4", undisturbed)


@pytest.mark.slow
def test_a_store_from_before_there_were_segments_is_used_on(jobs, order, tmp_path):
    (number,) = jobs.add(order, SAMPLE)
    path = tmp_path / "home" / "jobs" / "jobs.db"
    with sqlite3.connect(path) as store:
        store.executescript("DROP TABLE plans; DROP TABLE segments; UPDATE version SET number = 1;")
    store.close()
    assert jobs.show(number).segments == 0
    assert jobs.run() == 1
    with sqlite3.connect(path) as store:
        assert store.execute("SELECT max(number) FROM version").fetchone() == (2,)
    store.close()


def test_a_job_that_gets_further_each_time_is_not_given_up(jobs, order, tmp_path):
    """A machine that goes down every hour, and a clip that takes a night."""
    store, (number,) = JobStore(Home(tmp_path / "home")), jobs.add(order, SAMPLE)
    report = SegmentReport(0, "0" * 64, 8, 8, (), 1, 1, (), Summary(0, 0, 0, None), {}, 1.0, None, ())
    plan = ClipPlan(1, "all", 0.0, 1, tuple(Segment(n, None, n, n, 8) for n in range(9)), (), {})
    for place in range(MOST_ATTEMPTS + 2):
        with store.runner() as name:
            kept = KeptSegments(store, store.claim(name))
            if not place:
                kept.begin(plan)
            kept.keep(kept.path(place), replace(report, index=place))
        job = store.job(number)  # nobody does it any more
        assert (job.state, job.segments_done, job.frames_done) == ("waiting", place + 1, 8 * (place + 1))
    for _ in range(MOST_ATTEMPTS):
        with store.runner() as name:
            assert store.claim(name) is not None
    assert store.job(number).state == "failed"
