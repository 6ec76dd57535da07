"""``understudy jobs``, as a person and a script use it."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import av
import cv2
import pytest

from understudy import Settings, Understudy
from understudy.cli.main import main
from understudy.cli.terminal import changing_lines, progress_bar
from understudy.jobs.job import JobFailure
from understudy.jobs.store import JobStore
from understudy.provenance import Home


@pytest.fixture
def run(tmp_path, capsys):
    """Runs a command in a private folder of its own: exit code, stdout, stderr."""

    def command(*words):
        code = main(["jobs", *map(str, words), "--home", str(tmp_path / "home")])
        return (code, *capsys.readouterr())

    return command


def terminal(monkeypatch):
    """A terminal in the place of stderr: what is written to it."""

    class Screen(io.StringIO):
        def isatty(self):
            return True

    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    return screen


def plain(screen):
    """What was written, without colours and the like."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())


def test_a_bad_row_is_named_and_the_others_are_added(run, tmp_path, astronaut_path, hopper_path):
    (tmp_path / "no.toml").write_text("no cast")
    (tmp_path / "no.jpg").write_text("no photo")
    rows = [
        f"{astronaut_path},1.png,{hopper_path},,,",
        f"{astronaut_path},2.png,,no.toml,,",
        f"{astronaut_path},3.png,no.jpg,,,",
        f"{astronaut_path},4.png,{hopper_path},,99,",
        f"{astronaut_path},5.png,{hopper_path},,,9",
        f"{astronaut_path},1.png,{hopper_path},,,",
        f"{astronaut_path},6.png,{hopper_path},,,",
    ]
    table = tmp_path / "jobs.csv"
    table.write_text("target,output,photos,cast,after,blend.strength\n" + "\n".join(rows))
    code, out, err = run("add", "--from", table, "--consent", "sample", "--json")
    told = json.loads(out)  # one object
    assert code == 2
    assert told["added"] == [1, 2]
    words = [row["message"] for row in told["not_added"]]
    for word, message in zip(["no.toml", "no.jpg", "no job 99", "blend.strength", "two jobs"], words, strict=True):
        assert word in message
    assert err.count("not added") == 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "said"), [("false", "exit code 1"), ("no-such-program", "No such file"), ("true", "")]
)
def test_a_command_that_fails_afterwards_is_told(run, tmp_path, astronaut_path, hopper_path, command, said):
    run(
        "add",
        astronaut_path,
        "-s",
        hopper_path,
        "-o",
        tmp_path / "o.png",
        "--when-done",
        command,
        "--consent",
        "sample",
    )
    code, _, err = run("run")
    assert code == 0
    told = f"o.png; the command that was to follow failed: {said}" if said else "o.png\n"
    assert told in err
    for words in (["list"], ["show", 1]):
        assert told in run(*words)[1]


@pytest.mark.slow
def test_rows_of_a_table_come_after_each_other(run, tmp_path, astronaut_path, hopper_path):
    rows = [
        f"last,{astronaut_path},1.png,{hopper_path},first",
        f"first,{astronaut_path},2.png,{hopper_path},",
        f"lost,{astronaut_path},3.png,no.jpg,",
        f"orphan,{astronaut_path},4.png,{hopper_path},lost",
        f"child,{astronaut_path},5.png,{hopper_path},first;orphan",
    ]
    table = tmp_path / "jobs.csv"
    table.write_text("name,target,output,photos,after\n" + "\n".join(rows))
    code, out, _ = run("add", "--from", table, "--consent", "sample", "--json")
    told = json.loads(out)
    assert (code, told["added"]) == (2, [1, 2])
    assert [row["line"] for row in told["not_added"]] == [4, 5, 6]
    words = ["no.jpg", "after", "after"]
    assert all(word in row["message"] for word, row in zip(words, told["not_added"], strict=True))
    jobs = json.loads(run("list", "--json")[1])["jobs"]
    assert [(job["number"], job["waits_for"]) for job in jobs] == [(1, [2]), (2, [])]
    done = run("run")[2]
    assert done.index("job 2:") < done.index("job 1:")


def test_without_consent_nothing_is_added(run, tmp_path, astronaut_path, hopper_path):
    code, out, err = run("add", astronaut_path, "-s", hopper_path, "-o", tmp_path / "a.png", "--json")
    assert code == 4
    assert json.loads(out)["added"] == []
    assert "no consent" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.png", "-s", "b.jpg", "--when-done", "'open"], "command"),
        (["a.png", "b.png", "-s", "b.jpg", "-o", "c.png"], "--output names one file"),
        (["--from", "jobs.csv", "-s", "b.jpg"], "a table says itself"),
        (["none/*.png", "-s", "b.jpg"], "nothing fits"),
        (["of [2024]/*.png", "-s", "b.jpg"], "Brackets stand for one of the letters"),
        ([".", "-s", "b.jpg"], "is a folder"),
        (["jobs.csv", "-s", "b.jpg"], "--from jobs.csv"),
        (["-s", "b.jpg"], "no target"),
        (["a.png"], "photos or a cast file"),
    ],
)
def test_what_can_not_be_is_one_line_with_a_hint(run, words, said):
    code, out, err = run("add", *words, "--consent", "sample")
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 2


@pytest.mark.slow
def test_what_was_chosen_is_kept_with_the_job(run, tmp_path, astronaut_path, hopper_path):
    words = ["--strength", "0.5", "--label-text", "Not her", "--priority", "3", "--to", tmp_path / "new" / "folder"]
    assert run("add", astronaut_path, "-s", hopper_path, *words, "--consent", "sample")[0] == 0
    (job,) = json.loads(run("show", "1", "--json")[1])["jobs"]
    assert job["settings"] == {"blend.strength": 0.5, "label.text": "Not her"}
    assert (job["priority"], job["output"]) == (3, str(tmp_path / "new" / "folder" / astronaut_path.name))
    assert run("run")[0] == 0
    with Understudy(Settings(home=tmp_path / "home")) as app:
        assert app.inspect(job["output"]).record.label == "Not her"


@pytest.fixture
def two_jobs(run, tmp_path, astronaut_path, hopper_path):
    """Two jobs, and their store."""
    for number in (1, 2):
        run("add", astronaut_path, "-s", hopper_path, "-o", tmp_path / f"{number}.png", "--consent", "sample")
    return JobStore(Home(tmp_path / "home"))


def test_whoever_watches_by_a_pipe_reads_each_line_once(run, two_jobs, monkeypatch):
    with two_jobs.runner() as name:
        first = two_jobs.claim(name)

        def go_on():
            yield
            yield two_jobs.sign(first, 1, 4)
            yield
            yield
            yield two_jobs.sign(first, 3, 4)
            yield two_jobs.end(first, "failed", why=JobFailure("no luck", "try again", 6))
            second = two_jobs.claim(name)
            yield
            yield two_jobs.end(second, "done")

        steps = go_on()
        monkeypatch.setattr("understudy.cli.jobs.time.sleep", lambda _: next(steps))
        code, out, err = run("watch")
    assert (code, out) == (0, "")
    lines = err.splitlines()
    assert len(set(lines)) == len(lines)
    told = [line for line in lines if line.startswith("    1")]
    assert [share in line for share, line in zip(["0%", "25%", "75%", "no luck"], told, strict=True)] == [True] * 4
    assert lines[-1] == "1 failed, 1 done"
    assert "1 running, 1 waiting" in lines


@pytest.mark.slow
def test_jobs_that_wait_for_one_that_does_not_go_on_are_named(run, two_jobs, tmp_path, astronaut_path, hopper_path):
    for number, after in ((3, 1), (4, 3), (5, 2)):
        output = tmp_path / f"{number}.png"
        run("add", astronaut_path, "-s", hopper_path, "-o", output, "--after", after, "--consent", "sample")
    with two_jobs.runner() as name:
        two_jobs.end(two_jobs.claim(name), "failed", why=JobFailure("no luck", "try again", 6))
    run("pause", "2")
    code, out, err = run("run", "--json")
    assert code == 6
    assert err.splitlines()[-2:] == ["2 jobs wait for job 1, which failed", "1 job waits for job 2, which is paused"]
    told = json.loads(out)["blocked"]
    assert [(one["number"], one["by"]) for one in told] == [(3, 1), (4, 1), (5, 2)]
    assert "2 jobs wait for job 1, which failed" in run("watch")[2]  # which ends
    run("cancel", "1")
    assert "2 jobs wait for job 1, which was cancelled" in run("watch")[2]
    run("cancel", "3", "4")
    assert run("run")[0] == 0  # what is paused is so because somebody wanted it


def test_whoever_watches_a_terminal_sees_one_line_a_job_that_changes_in_its_place(monkeypatch):
    screen = terminal(monkeypatch)
    monkeypatch.delenv("NO_COLOR", raising=False)
    with changing_lines() as show:
        show([], ["a 10%", "1 running"])
        show([], ["a 20%", "1 running"])
        show(["a done \x1b[2J"], [])
    written = screen.getvalue()
    assert written.count("\x1b[1A") >= 1  # up, to write over it
    assert written.index("a 10%") < written.index("\x1b[1A") < written.index("a 20%")
    assert "a done" in written
    assert "\x1b[2J" not in written  # what comes from a file's name steers nothing


def test_frames_a_second_are_those_of_this_job_since_it_went_on(monkeypatch):
    screen, now = terminal(monkeypatch), [100.0]
    monkeypatch.setattr("understudy.cli.terminal.time.perf_counter", lambda: now[0])
    with progress_bar("swapping") as progress:
        progress(24_000, 54_000)  # finished by an earlier attempt
        now[0] += 2
        progress(24_050, 54_000)
    assert "24050/54000 25.0 fps" in plain(screen)
    with progress_bar("swapping") as progress:
        progress(1, 20)
        now[0] += 2
        progress(20, 20)
        progress(1, 30)
        now[0] += 1
        progress(6, 30)
    assert "6/30 5.0 fps" in plain(screen)


def test_what_a_row_says_wins_over_what_is_said_of_all(run, tmp_path, astronaut_path, hopper_path):
    rows = ["1.png,no,0", "2.png,yes,-1", "3.png,,"]
    table = tmp_path / "jobs.csv"
    table.write_text(
        "target,photos,output,overwrite,priority\n" + "".join(f"{astronaut_path},{hopper_path},{row}\n" for row in rows)
    )
    assert run("add", "--from", table, "--overwrite", "--priority", "7", "--consent", "sample")[0] == 0
    jobs = json.loads(run("list", "--json")[1])["jobs"]
    said = {job["number"]: (job["overwrite"], job["priority"]) for job in jobs}
    assert said == {1: (False, 0), 2: (True, -1), 3: (True, 7)}


def test_a_pattern_does_not_mean_what_was_made_of_what_else_fits_it(run, tmp_path, astronaut_path, hopper_path):
    for name in ("a", "a-swapped", "a-swapped-swapped", "b-swapped"):
        (tmp_path / f"{name}.png").write_bytes(astronaut_path.read_bytes())
    words = ["-s", hopper_path, "--consent", "sample", "--to", tmp_path / "new"]
    code, _, err = run("add", tmp_path / "*.png", *words)
    assert code == 0
    assert "left out 2 results of other files that fit" in err
    jobs = json.loads(run("list", "--json")[1])["jobs"]
    assert sorted(Path(job["target"]).name for job in jobs) == ["a.png", "b-swapped.png"]  # nothing is there to b's
    assert run("add", tmp_path / "a-swapped.png", *words)[0] == 0  # it was named


def test_a_name_that_leaves_no_room_for_credentials_is_refused_at_once(run, tmp_path, astronaut_path, hopper_path):
    words = ["add", astronaut_path, "-s", hopper_path, "--consent", "sample", "-o"]
    code, _, err = run(*words, tmp_path / f"{'a' * 247}.png")
    assert code == 6
    assert "File name too long" in err
    assert run(*words, tmp_path / f"{'a' * 246}.png")[0] == 0


@pytest.mark.slow
def test_several_are_changed_though_one_can_not_be(run, two_jobs):
    with two_jobs.runner() as name:
        two_jobs.end(two_jobs.claim(name), "done")
        two_jobs.end(two_jobs.claim(name), "failed", why=JobFailure("no luck", "try again", 6))
    assert "no luck" in run("list")[1]
    code, _, err = run("retry", "1", "7", "2")
    assert code == 2
    for said in ("can't retry job 1: it is done", "error: there is no job 7", "job 2: waiting"):
        assert said in err
    assert "no luck" not in run("list")[1]  # it has not failed this time
    assert "no job has failed" in run("retry", "--failed")[2]
    assert run("retry")[0] == 2
    with two_jobs.runner() as name:
        two_jobs.end(two_jobs.claim(name), "failed", why=JobFailure("no luck", "try again", 6))
    assert run("retry", "--failed")[::2] == (0, "job 2: waiting\n")


def test_the_name_of_a_file_writes_no_line_of_its_own(run, tmp_path, astronaut_path, hopper_path):
    target = tmp_path / "a\n    9  done.png"
    target.write_bytes(astronaut_path.read_bytes())
    assert run("add", target, "-s", hopper_path, "--consent", "sample")[0] == 0
    for words in (["list"], ["show", "1"], ["cancel", "1"], ["remove", "1"]):
        _, out, err = run(*words)
        assert not any(line.startswith("    9") for line in (out + err).splitlines())


@pytest.mark.slow
def test_many_clips_are_added_without_looking_at_the_settings_for_each(
    run, tmp_path, astronaut_path, hopper_path, monkeypatch
):
    clips = tmp_path / "clips"
    clips.mkdir()
    for number in range(40):
        (clips / f"{number:02d}.png").write_bytes(astronaut_path.read_bytes())
    made = []
    whole = Settings.__post_init__
    monkeypatch.setattr(Settings, "__post_init__", lambda self: made.append(whole(self)))
    few = run("add", clips / "0*.png", "-s", hopper_path, "--strength", "0.5", "--consent", "sample")
    assert few[0] == 0
    for_ten, made[:] = len(made), []
    assert run("add", clips / "[123]*.png", "-s", hopper_path, "--strength", "0.5", "--consent", "sample")[0] == 0
    assert len(made) <= for_ten
    assert json.loads(run("list", "--json", "--most", "0")[1])["counts"]["waiting"] == 40


def test_what_can_be_read_but_not_written_becomes_what_can(run, tmp_path, astronaut, hopper_path, small_clip):
    cv2.imwrite(str(tmp_path / "photo.tif"), astronaut)
    with av.open(str(small_clip)) as source, av.open(str(tmp_path / "clip.avi"), "w") as target:
        stream = target.add_stream("mpeg4", 25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for frame in source.decode(video=0):
            target.mux(stream.encode(frame.reformat(320, 240, "yuv420p")))
        target.mux(stream.encode())
    (tmp_path / "old.jfif").write_bytes(cv2.imencode(".jpg", astronaut)[1].tobytes())
    targets = [tmp_path / name for name in ("photo.tif", "old.jfif", "clip.avi")]
    code, _, err = run("add", *targets, "-s", hopper_path, "--consent", "sample")
    assert code == 0, err
    jobs = json.loads(run("list", "--json")[1])["jobs"]
    assert {Path(job["output"]).name for job in jobs} == {
        "photo-swapped.png",
        "old-swapped.png",
        "clip-swapped.mp4",
    }


@pytest.mark.slow
def test_jobs_are_changed_one_by_one(run, tmp_path, astronaut_path, hopper_path):
    for number in (1, 2):
        run("add", astronaut_path, "-s", hopper_path, "-o", tmp_path / f"{number}.png", "--consent", "sample")
    assert "job 2: paused" in run("pause", "1", "2")[2]
    assert "0 jobs done" in run("run")[2]
    assert "job 1: waiting" in run("resume", "1")[2]
    assert "job 2: cancelled" in run("cancel", "2")[2]
    assert run("list", "--state", "cancelled")[1].count("\n") == 1
    assert run("remove", "2")[0] == 0
    assert run("show", "2")[0] == 2
    assert run("list", "--state", "lost")[0] == 2
    assert "1 job done" in run("run")[2]
    assert "1 done" in run("watch")[2]
