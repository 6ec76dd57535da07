"""Jobs as a program uses them: added, done by one runner or several, interrupted and taken up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
from PIL import Image

from understudy import Settings, Understudy
from understudy.cli.main import main
from understudy.errors import ConsentError, InputError, OutputError, RecordsBusyError, RecordsError, UsageError
from understudy.jobs import runner as runners
from understudy.jobs.adding import Adding
from understudy.jobs.job import JobFailure, Order
from understudy.jobs.store import JobStore
from understudy.jobs.tables import read_orders
from understudy.provenance import ConsentClaim
from understudy.provenance.records.consent_store import Consents
from understudy.provenance.records.sqlite_file import database

SAMPLE = ConsentClaim("sample")


@pytest.fixture
def order(tmp_path, astronaut_path, hopper_path):
    return Order(astronaut_path, tmp_path / "out.png", (hopper_path,))


def test_words_are_paths(order, tmp_path):
    photo = str(order.photos[0])
    assert Order(str(order.target), str(order.output), photo) == order
    assert Order(order.target, order.output, [photo]) == order
    assert Order(order.target, order.output, order.photos[0]) == order
    assert Order("a.mp4", "b.mp4", cast="cast.json").cast == Path("cast.json")


@pytest.mark.slow
def test_a_job_is_done_as_the_command_swap_does_it(app, order):
    (number,) = app.jobs.add(replace(order, settings={"label.text": "Not her"}), SAMPLE)
    seen = []
    assert app.jobs.run(told=lambda job: seen.append(job.state)) == 1
    assert seen == ["running", "done"]
    job = app.jobs.show(number)
    assert job.report["frames_swapped"] == 1
    found = app.inspect(order.output)
    assert found.verdict == "made by this tool"
    assert found.record.label == "Not her"
    assert f"{found.mark.identifier:012x}" == job.report["identifier"]
    assert app.jobs.run() == 0  # nothing is done twice


@pytest.mark.slow
def test_a_file_that_a_setting_names_is_found_from_any_folder(app, order, tmp_path, monkeypatch):
    """As a word or as a path, relative to where the job was added."""
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
    own = resources.files("understudy.provenance") / "fonts" / "DejaVuSans.ttf"
    (tmp_path / "here" / "own.ttf").write_bytes(own.read_bytes())
    monkeypatch.chdir(tmp_path / "here")
    app.jobs.add(replace(order, settings={"label.font": "own.ttf"}), SAMPLE)
    app.jobs.add(replace(order, settings={"label.font": Path("own.ttf")}, output=tmp_path / "two.png"), SAMPLE)
    monkeypatch.chdir(tmp_path / "there")
    assert app.jobs.run() == 2


def test_what_is_wrong_is_told_when_a_job_is_added(app, order, tmp_path):
    with pytest.raises(ConsentError, match="no consent"):
        app.jobs.add(order)
    (tmp_path / "text.jpg").write_text("no photo")
    for wrong in (
        replace(order, settings={"blend.strenght": 1}),
        replace(order, settings={"blend.strength": 3.0}),
        replace(order, settings={"engine": "no_such_engine"}),
        replace(order, settings={"detector": "no_such_detector"}),
        replace(order, settings={"recogniser": "no_such_recogniser"}),
        replace(order, output=tmp_path / "out.xyz"),
        replace(order, output=tmp_path / "none" / "out.png"),
        order,  # the same output twice
        replace(order, target=tmp_path / "none.png"),
        replace(order, photos=(tmp_path / "text.jpg",)),
    ):
        with pytest.raises((UsageError, InputError, OutputError)):
            app.jobs.add([order, wrong], SAMPLE)
    assert app.jobs.list() == []
    numbers, refused = app.jobs.add_each([order, wrong, replace(order, output=tmp_path / "b.png")], SAMPLE)
    assert len(numbers) == 2
    assert [place for place, _ in refused] == [1]


def test_no_job_writes_over_what_another_one_reads(app, order, tmp_path):
    photo, target = tmp_path / "photo.png", tmp_path / "target.png"
    for path in (photo, target):
        Image.open(order.photos[0]).save(path)
    reads = replace(order, target=target, photos=(photo,))
    for lost in (photo, target):
        writes = replace(order, output=lost, overwrite=True)
        for both in ([reads, writes], [writes, reads]):
            numbers, refused = app.jobs.add_each(both, ConsentClaim("fictional"))
            assert len(numbers) == 1
            assert f"write over {lost}" in refused[0][1].message
            app.jobs.cancel(numbers[0])
    with pytest.raises(UsageError, match="write over"):  # nor over its own
        app.jobs.add(replace(reads, output=target, overwrite=True), ConsentClaim("fictional"))
    assert app.jobs.add(replace(order, output=target, overwrite=True), ConsentClaim("fictional"))


def test_nor_over_what_a_job_of_an_earlier_call_reads_or_writes(app, order, tmp_path):
    photo, target = tmp_path / "photo.png", tmp_path / "target.png"
    for path in (photo, target):
        Image.open(order.photos[0]).save(path)
    fiction = ConsentClaim("fictional")
    assert app.jobs.add(replace(order, target=target, photos=(photo,)), fiction) == [1]
    other = replace(order, overwrite=True)
    for lost in (photo, target):
        with pytest.raises(UsageError, match=f"it would write over {lost}, which job 1 reads"):
            app.jobs.add(replace(other, output=lost), fiction)
    with pytest.raises(UsageError, match=f"job 1 is to write {order.output}"):
        app.jobs.add(other, fiction)
    assert app.jobs.add(replace(other, output=photo, after=(1,)), fiction) == [2]  # when it was read
    for number in (2, 1):
        app.jobs.cancel(number)
    assert app.jobs.add([other, replace(other, output=target)], fiction) == [3, 4]
    with pytest.raises(UsageError, match="job 3 is to write the same file"):
        app.jobs.retry(1)
    with pytest.raises(UsageError, match=f"job 4 is to write over {target}"):
        app.jobs.add(replace(order, photos=(target,), output=tmp_path / "other.png"), fiction)


@pytest.mark.parametrize("first_writes", [True, False])
def test_of_two_who_add_at_the_same_moment_the_second_is_refused(app, order, tmp_path, first_writes):
    """Each has looked at what there is before the other has written anything down."""
    target = tmp_path / "target.png"
    Image.open(order.photos[0]).save(target)
    store, records = JobStore(app.resources.home), Consents(app.resources.home)
    adding = [Adding(store, records, ConsentClaim("fictional"), lambda _: None, lambda _: None) for _ in range(3)]
    both = [replace(order, output=target, overwrite=True), replace(order, target=target)]
    for one, wanted in zip(adding, both if first_writes else reversed(both), strict=False):
        one.check(wanted)
    adding[2].check(replace(order, output=tmp_path / "another.png"))
    assert adding[0].add() == [1]
    said = f"job 1 is to write over {target}" if first_writes else f"it would write over {target}, which job 1 reads"
    with pytest.raises(UsageError, match=said):
        adding[1].add()
    assert adding[2].add() == [2]  # which has nothing to do with it


def test_of_several_only_those_are_refused_with_which_somebody_came_first(app, order, tmp_path):
    store, records = JobStore(app.resources.home), Consents(app.resources.home)
    late = Adding(store, records, SAMPLE, lambda _: None, lambda _: None)
    for number, after in enumerate([(), (0,), ()]):  # the second comes after the first
        late.check(replace(order, output=tmp_path / f"{number}.png"), after)
    assert app.jobs.add(replace(order, output=tmp_path / "0.png"), SAMPLE) == [1]
    refused = {}
    assert late.add(refused) == [2]
    assert app.jobs.show(2).order.output == tmp_path / "2.png"
    assert sorted(refused) == [0, 1]
    assert "job 1 is to write" in refused[0].message
    assert "it is to come after" in refused[1].message


def test_a_job_that_is_retried_meanwhile_counts(app, order, tmp_path):
    """It had failed, so what it writes was nobody's; and then it was to be done again."""
    (number,) = app.jobs.add(order, SAMPLE)
    store = JobStore(app.resources.home)
    with store.runner() as name:
        store.end(store.claim(name), "failed", why=JobFailure("no", "", 6))
    late = Adding(store, Consents(app.resources.home), SAMPLE, lambda _: None, lambda _: None)
    late.check(order)
    app.jobs.retry(number)
    with pytest.raises(UsageError, match=f"job {number} is to write"):
        late.add()


def test_a_job_is_not_retried_while_another_writes_its_file_by_another_name(app, order, tmp_path):
    (tmp_path / "folder").mkdir()
    assert app.jobs.add(order, SAMPLE) == [1]
    app.jobs.cancel(1)
    assert app.jobs.add(replace(order, output=tmp_path / "folder" / ".." / "out.png"), SAMPLE) == [2]
    with pytest.raises(UsageError, match="job 2 is to write the same file"):
        app.jobs.retry(1)
    app.jobs.cancel(2)
    assert app.jobs.retry(1) == "waiting"


def test_a_file_is_the_same_by_any_of_its_names(app, order, tmp_path):
    (tmp_path / "folder").mkdir()
    link, around = tmp_path / "folder" / "link.png", tmp_path / "folder" / ".." / "out.png"
    link.symlink_to(tmp_path / "out.png")
    assert app.jobs.add(order, SAMPLE) == [1]
    for name in (link, around):
        with pytest.raises(UsageError, match="job 1 is to write"):
            app.jobs.add(replace(order, output=name, overwrite=True), SAMPLE)
        # What is to be made is known by them, too.
        (number,) = app.jobs.add(replace(order, target=name, output=tmp_path / f"of {name.name}"), SAMPLE)
        assert app.jobs.show(number).waits_for == (1,)


def test_an_output_whose_name_is_no_utf_8_stops_no_other_job(app, order, tmp_path):
    name = os.fsdecode(b"\xff\xfe.png")
    assert app.jobs.add(replace(order, output=tmp_path / name), SAMPLE) == [1]
    assert app.jobs.add(order, SAMPLE) == [2]
    with pytest.raises(UsageError, match="job 1 is to write"):
        app.jobs.add(replace(order, output=tmp_path / name), SAMPLE)


@pytest.mark.parametrize("number", [2**63, 10**30])
def test_a_number_that_is_too_large_is_no_damage(app, order, number):
    app.jobs.add(order, SAMPLE)
    with pytest.raises(UsageError, match="as large as that"):
        app.jobs.show(number)
    assert len(app.jobs.list()) == 1


def test_an_input_that_changed_since_is_not_used(app, order, tmp_path, astronaut_path):
    target = tmp_path / "target.png"
    target.write_bytes(astronaut_path.read_bytes())
    (number,) = app.jobs.add(replace(order, target=target), SAMPLE)
    target.write_bytes(order.photos[0].read_bytes())
    assert app.jobs.run() == 0
    job = app.jobs.show(number)
    assert (job.state, job.failure.exit_code) == ("failed", 3)
    assert "another file" in job.failure.message
    target.unlink()
    app.jobs.retry(number)
    app.jobs.run()
    assert "can't read" in app.jobs.show(number).failure.message
    assert not order.output.exists()


def test_an_output_that_appeared_meanwhile_is_not_replaced(app, order):
    (number,) = app.jobs.add(order, SAMPLE)
    order.output.write_text("somebody's")
    app.jobs.run()
    assert app.jobs.show(number).failure.exit_code == 2
    assert order.output.read_text() == "somebody's"


@pytest.mark.slow
def test_a_job_that_fails_does_not_keep_the_others(app, order, tmp_path):
    blank = tmp_path / "blank.png"
    Image.new("RGB", (320, 240), "grey").save(blank)
    first, second = app.jobs.add(
        [replace(order, target=blank, priority=1), replace(order, output=tmp_path / "b.png")], SAMPLE
    )
    assert app.jobs.run() == 1
    assert app.jobs.show(first).failure.exit_code == 3
    assert app.jobs.show(second).state == "done"
    assert app.jobs.counts()["failed"] == 1


@pytest.mark.slow
def test_whatever_goes_wrong_in_a_job_is_told_with_it(app, order, tmp_path, capsys):
    number, other = app.jobs.add([order, replace(order, output=tmp_path / "b.png")], SAMPLE)

    def broken(*_):
        if not (tmp_path / "once").exists():
            (tmp_path / "once").touch()
            raise ZeroDivisionError("a fault of the program's own")

    assert app.jobs.run(progress=broken) == 1
    assert "unexpected ZeroDivisionError: a fault" in app.jobs.show(number).failure.message
    assert app.jobs.show(other).state == "done"
    order.output.touch()
    app.jobs.retry(number)
    assert main(["jobs", "run", "--home", str(tmp_path / "home")]) == 6  # its output is there now
    assert "0 jobs done, 1 failed" in capsys.readouterr().err


@pytest.mark.slow
def test_a_command_is_run_when_a_job_is_done_and_what_came_of_it_is_kept(app, order, tmp_path):
    script = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.argv[2]); sys.exit(3)"
    command = (sys.executable, "-c", script, str(tmp_path / "told"))
    numbers = app.jobs.add([replace(order, when_done=command)], SAMPLE)
    numbers += app.jobs.add(replace(order, output=tmp_path / "b.png", when_done=("no such program",)), SAMPLE)
    assert app.jobs.run() == 2
    assert (tmp_path / "told").read_text() == str(order.output)
    assert app.jobs.show(numbers[0]).report["when_done"] == 3
    assert "No such file" in app.jobs.show(numbers[1]).report["when_done"]


def test_a_command_whose_runner_died_is_run_by_the_next_once_more(app, order, tmp_path):
    script = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
    command = (sys.executable, "-c", script, str(tmp_path / "told"))
    (number,) = app.jobs.add(replace(order, when_done=command), SAMPLE)
    store = JobStore(app.resources.home)
    with store.runner() as name:
        store.end(store.claim(name), "done", report={"frames": 1})
        assert app.jobs.run() == 0  # while its runner is at it nobody else is
        assert app.jobs.show(number).report == {"frames": 1, "when_done": "pending"}
    assert not (tmp_path / "told").exists()
    told = []
    assert app.jobs.run(told=lambda job: told.append(job.number)) == 0
    assert (tmp_path / "told").read_text() == str(order.output)
    assert (told, app.jobs.show(number).report) == ([number], {"frames": 1, "when_done": 0})
    (tmp_path / "told").unlink()
    app.jobs.run()
    assert not (tmp_path / "told").exists()


def test_a_command_that_ends_its_runner_each_time_is_let_alone(app, order):
    """As one that turns the machine off."""
    (number,) = app.jobs.add(replace(order, when_done=("poweroff",)), SAMPLE)
    store = JobStore(app.resources.home)
    with store.runner() as name:
        store.end(store.claim(name), "done", report={})
    with store.runner() as name:
        assert store.take_command(name) == (number, app.jobs.show(number).order)
    with store.runner() as name:
        assert store.take_command(name) is None
    assert "died twice" in app.jobs.show(number).report["when_done"]


@pytest.mark.slow
def test_records_that_can_not_be_used_leave_the_jobs_waiting(app, order, tmp_path):
    first, second = app.jobs.add([order, replace(order, output=tmp_path / "b.png")], SAMPLE)

    def broken(*_):
        (tmp_path / "home" / "ledger.sqlite").touch(0o600)
        (tmp_path / "home" / "ledger.sqlite").write_bytes(b"no database" * 1000)

    with pytest.raises(RecordsError):
        app.jobs.run(progress=broken)
    assert [app.jobs.show(number).state for number in (first, second)] == ["waiting", "waiting"]


@pytest.mark.slow
def test_records_that_others_held_for_too_long_fail_one_job_and_no_night(app, order, tmp_path):
    first, second = app.jobs.add([order, replace(order, output=tmp_path / "b.png")], SAMPLE)
    held = iter([True])

    def busy(*_):
        if next(held, False):
            raise RecordsBusyError("the ledger is held by others", "Try again.")

    assert app.jobs.run(progress=busy) == 1
    assert [app.jobs.show(number).state for number in (first, second)] == ["failed", "done"]


@pytest.mark.slow
@pytest.mark.parametrize(("way", "state"), [("pause", "paused"), ("cancel", "cancelled")])
def test_a_job_that_runs_is_stopped_and_leaves_nothing(app, order, small_clip, tmp_path, monkeypatch, way, state):
    monkeypatch.setattr(runners, "EVERY", 0.02)
    (number,) = app.jobs.add(replace(order, target=small_clip, output=tmp_path / "out.mp4"), SAMPLE)

    def slow(done, _):
        if done == 2:
            getattr(app.jobs, way)(number)
        time.sleep(0.05)

    assert app.jobs.run(progress=slow) == 0
    assert app.jobs.show(number).state == state
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    getattr(app.jobs, "resume" if way == "pause" else "retry")(number)
    assert app.jobs.run() == 1


@pytest.mark.slow
def test_a_job_that_is_resumed_before_it_has_stopped_goes_on(app, order, small_clip, tmp_path, monkeypatch):
    """As while a model is opened: signs of life are given, and no frame comes."""
    monkeypatch.setattr(runners, "EVERY", 0.02)
    (number,) = app.jobs.add(replace(order, target=small_clip, output=tmp_path / "out.mp4"), SAMPLE)

    def slow(done, _):
        if done == 2:
            app.jobs.pause(number)
            time.sleep(0.3)
            assert app.jobs.resume(number) == "running"
            time.sleep(0.3)

    assert app.jobs.run(progress=slow) == 1
    assert app.jobs.show(number).state == "done"


@pytest.mark.slow
def test_an_interruption_gives_the_job_back(app, order):
    (number,) = app.jobs.add(order, SAMPLE)

    def interrupted(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        app.jobs.run(progress=interrupted)
    assert app.jobs.show(number).state == "waiting"
    assert app.jobs.run() == 1


@pytest.mark.slow
def test_a_job_that_was_taken_away_writes_nothing_over_it(app, order, small_clip, tmp_path, monkeypatch):
    """As of a runner that stood still for so long that another took its job."""
    monkeypatch.setattr(runners, "EVERY", 0.02)
    (number,) = app.jobs.add(replace(order, target=small_clip, output=tmp_path / "out.mp4"), SAMPLE)

    def robbed(done, _):
        if done == 2:
            with database(tmp_path / "home" / "jobs" / "jobs.db", "", log=True) as store:
                store.execute("UPDATE jobs SET attempts = attempts + 1")
        time.sleep(0.05)

    assert app.jobs.run(progress=robbed) == 0
    assert not (tmp_path / "out.mp4").exists()
    assert app.jobs.show(number).report == {}


@pytest.mark.slow
def test_several_runners_share_the_work(app, order, tmp_path):
    app.jobs.add([replace(order, output=tmp_path / f"{n}.png") for n in range(6)], SAMPLE)
    done = []
    threads = [threading.Thread(target=lambda: done.append(app.jobs.run())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == 6
    assert app.jobs.counts()["done"] == 6
    assert {job.attempts for job in app.jobs.list()} == {1}
    assert sorted(path.name for path in tmp_path.glob("*.png")) == [f"{n}.png" for n in range(6)]


@pytest.mark.slow
def test_what_was_finished_before_its_runner_died_is_not_done_again(app, order, tmp_path):
    """Killed between the moment when the output got its name and the one when the job was said to be done."""
    first, second = app.jobs.add([order, replace(order, output=tmp_path / "b.png")], SAMPLE)
    app.jobs.run()
    made = order.output.read_bytes(), order.output.stat().st_mtime_ns
    with database(tmp_path / "home" / "jobs" / "jobs.db", "", log=True) as store:
        store.execute("UPDATE jobs SET state = 'running', runner = 'dead', report = '{}'")
    (tmp_path / "b.png").write_bytes(b"somebody else's")
    assert app.jobs.run() == 1
    assert app.jobs.show(first).state == "done"
    assert (order.output.read_bytes(), order.output.stat().st_mtime_ns) == made
    assert app.inspect(order.output).record.identifier == app.jobs.show(first).report["identifier"]
    assert "exists" in app.jobs.show(second).failure.message
    assert (tmp_path / "b.png").read_bytes() == b"somebody else's"


@pytest.mark.slow
def test_an_older_file_of_the_same_inputs_is_not_what_a_job_made(app, order):
    """As a preview is, which the job is to replace, and whose runner died, or failed, before it did."""
    app.swap(order.target, order.output, app.person(*order.photos, consent="sample"))
    older = order.output.read_bytes()
    (killed,), store = app.jobs.add(replace(order, overwrite=True), SAMPLE), JobStore(app.resources.home)
    with store.runner() as name:
        assert store.claim(name).number == killed
    assert app.jobs.run() == 1
    assert order.output.read_bytes() != older
    made = order.output.read_bytes()
    order.output.unlink()
    (failed,) = app.jobs.add(order, SAMPLE)
    order.output.write_bytes(made)
    app.jobs.run()
    app.jobs.retry(failed)
    assert app.jobs.run() == 0
    assert "the output exists" in app.jobs.show(failed).failure.message


@pytest.mark.slow
def test_jobs_are_listed_without_all_that_does_them(app, order):
    """Which would take longer to import than thousands of jobs take to be listed."""
    app.jobs.add(order, SAMPLE)
    program = (
        "import sys; from understudy.cli.main import main\n"
        "main(['jobs', 'list', '--home', sys.argv[1]])\n"
        "print([m for m in ('numpy', 'cv2', 'av', 'cryptography') if m in sys.modules])"
    )
    command = [sys.executable, "-c", program, str(app.resources.home.root)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "waiting" in said
    assert said.endswith("\n[]\n")


@pytest.mark.slow
def test_twenty_jobs_survive_two_power_cuts(order, tmp_path, capsys):
    """Added from a table, killed twice with all the threads in the middle, and in the end there are twenty."""
    rows = "".join(f"{order.target},{n}.png,{order.photos[0]},{n % 3}\n" for n in range(20))
    (tmp_path / "jobs.csv").write_text(f"target,output,photos,priority\n{rows}")
    home = ["--home", str(tmp_path / "home")]
    assert main(["jobs", "add", "--from", str(tmp_path / "jobs.csv"), "--consent", "sample", *home]) == 0
    for enough in (3, 9):
        runner = subprocess.Popen([sys.executable, "-m", "understudy", "jobs", "run", *home], stderr=subprocess.DEVNULL)
        while len(list(tmp_path.glob("[!.]*.png"))) < enough and runner.poll() is None:
            time.sleep(0.05)
        os.kill(runner.pid, signal.SIGKILL)
        runner.wait()
        capsys.readouterr()
        assert main(["jobs", "list", "--json", *home]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["counts"]["done"] == sum(job["state"] == "done" for job in told["jobs"])
        for job in told["jobs"]:
            if job["state"] == "done":
                assert (tmp_path / job["output"]).stat().st_size > 0
    assert main(["jobs", "run", *home]) == 0
    with Understudy(Settings(home=tmp_path / "home")) as app:
        assert app.jobs.counts()["done"] == 20
        for number in range(20):
            assert app.inspect(tmp_path / f"{number}.png").verdict == "made by this tool"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.slow
def test_a_job_does_a_part_of_a_clip_and_its_lanes(app, brief_clip, hopper_path, tmp_path):
    lanes = [{"start": 0.16, "do": "leave"}]
    table = tmp_path / "jobs.csv"
    said = json.dumps(lanes).replace('"', '""')
    table.write_text(
        "target,output,photos,trim.start,trim.end,lanes\n"
        f'{brief_clip},out.mkv,{hopper_path},0:00.08,0.24,"{said}"\n'
        f"{brief_clip},none.mkv,{hopper_path},0.3,0.2,\n"
    )
    found = read_orders(table)
    numbers, refused = app.jobs.add_each(found.orders, SAMPLE)
    assert len(numbers) == 1
    assert "would end" in refused[0][1].message
    assert app.jobs.show(numbers[0]).order.settings == {"trim.start": "0:00.08", "trim.end": 0.24, "lanes": lanes}
    assert app.jobs.run() == 1
    report = app.jobs.show(numbers[0]).report
    assert (report["frames"], report["frames_swapped"]) == (4, 2)


@pytest.mark.parametrize(
    ("output", "settings", "said"),
    [
        ("out.mp4", {"trim.start": 100}, "has no frame from 1:40 on"),
        ("out.png", {}, "moving pictures can't be written as .png"),
        ("out.mp4", {"encode.encoder": "nonsense"}, "unknown encoder 'nonsense'"),
        ("out.webm", {"encode.encoder": "libx264"}, "a .webm file can't hold h264 video"),
        ("out.mp4", {"lanes": [{"start": 0, "do": "leave"}]}, "nobody gets a face in what is written"),
    ],
)
def test_what_its_target_can_not_give_keeps_a_job_out(app, brief_clip, hopper_path, tmp_path, output, settings, said):
    order = Order(brief_clip, tmp_path / output, (hopper_path,), settings=settings)
    with pytest.raises(UsageError, match=said):
        app.jobs.add(order, SAMPLE)
    assert app.jobs.list() == []


@pytest.mark.slow
def test_what_another_job_makes_is_looked_at_when_it_is_there(app, brief_clip, hopper_path, tmp_path):
    made = tmp_path / "made.mp4"
    first = app.jobs.add(Order(brief_clip, made, (hopper_path,)), SAMPLE)
    late = Order(made, tmp_path / "out.mp4", (hopper_path,), settings={"trim.start": 100}, after=tuple(first))
    (number,) = app.jobs.add(late, SAMPLE)
    assert app.jobs.run() == 1
    job = app.jobs.show(number)
    assert job.state == "failed"
    assert "has no frame from 1:40 on" in job.failure.message
    assert job.failure.exit_code == 2
