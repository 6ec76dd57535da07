"""``understudy jobs``, as a person and a script use it."""

from __future__ import annotations

import json

import pytest

from understudy import Settings, Understudy
from understudy.cli.main import main


@pytest.fixture
def run(tmp_path, capsys):
    """Runs a command in a private folder of its own: exit code, stdout, stderr."""

    def command(*words):
        code = main(["jobs", *map(str, words), "--home", str(tmp_path / "home")])
        return (code, *capsys.readouterr())

    return command


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
        (["-s", "b.jpg"], "no target"),
        (["a.png"], "photos or a cast file"),
    ],
)
def test_what_can_not_be_is_one_line_with_a_hint(run, words, said):
    code, out, err = run("add", *words, "--consent", "sample")
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 2


def test_what_was_chosen_is_kept_with_the_job(run, tmp_path, astronaut_path, hopper_path):
    words = ["--strength", "0.5", "--label-text", "Not her", "--priority", "3", "--to", tmp_path / "new" / "folder"]
    assert run("add", astronaut_path, "-s", hopper_path, *words, "--consent", "sample")[0] == 0
    (job,) = json.loads(run("show", "1", "--json")[1])["jobs"]
    assert job["settings"] == {"blend.strength": 0.5, "label.text": "Not her"}
    assert (job["priority"], job["output"]) == (3, str(tmp_path / "new" / "folder" / astronaut_path.name))
    assert run("run")[0] == 0
    with Understudy(Settings(home=tmp_path / "home")) as app:
        assert app.inspect(job["output"]).record.label == "Not her"


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
