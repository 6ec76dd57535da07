"""Jobs whose target is what another job makes."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from PIL import Image

import understudy
from understudy.cli.main import main
from understudy.errors import InputNotFoundError, UsageError
from understudy.jobs.job import Order
from understudy.provenance import ConsentClaim
from understudy.testing import portrait_path

SAMPLE = ConsentClaim("sample")


@pytest.fixture
def first(tmp_path, astronaut_path, hopper_path):
    return Order(astronaut_path, tmp_path / "first.png", (hopper_path,))


@pytest.fixture
def second(tmp_path, hopper_path, first):
    return Order(first.output, tmp_path / "second.png", (hopper_path,), settings={"blend.strength": 0.5})


@pytest.mark.slow
def test_a_job_is_made_of_what_another_makes_later(app, first, second):
    one, other = app.jobs.add([first, second], SAMPLE)
    assert app.jobs.show(other).waits_for == (one,)
    assert app.jobs.run() == 2
    assert app.inspect(second.output).verdict == "made by this tool"
    assert app.jobs.show(other).digests[str(first.output)]  # it is known from then on


@pytest.mark.slow
def test_the_other_one_may_be_there_already(app, first, second):
    one = app.jobs.add(first, SAMPLE)[0]
    other = app.jobs.add(replace(second, priority=9), SAMPLE)[0]
    assert app.jobs.show(other).order.after == (one,)
    assert app.jobs.run() == 2  # the priority does not put it before what it needs


def test_a_target_that_nobody_makes_is_not_found(app, first, second):
    app.jobs.add(first, SAMPLE)
    with pytest.raises(InputNotFoundError):
        app.jobs.add(replace(second, target=second.target.with_name("others.png")), SAMPLE)
    app.jobs.cancel(1)
    with pytest.raises(InputNotFoundError):
        app.jobs.add(second, SAMPLE)


@pytest.mark.slow
def test_a_file_that_a_job_is_to_replace_is_read_after_it_or_not_at_all(app, first, second):
    Image.open(portrait_path("astronaut")).save(first.output)
    one = app.jobs.add(replace(first, overwrite=True), SAMPLE)[0]
    with pytest.raises(UsageError, match=f"job {one} is to write over .*first.png, which is read"):
        app.jobs.add(second, SAMPLE)
    other = app.jobs.add(replace(second, after=(one,)), SAMPLE)[0]
    assert app.jobs.run() == 2
    assert app.jobs.show(other).state == "done"


@pytest.mark.slow
def test_a_file_that_a_job_has_replaced_since_is_not_read(app, first, second):
    Image.open(portrait_path("astronaut")).save(first.output)
    app.jobs.add(second, SAMPLE)
    app.jobs.pause(1)
    understudy.swap(first.photos, first.target, first.output, overwrite=True)
    app.jobs.resume(1)
    assert app.jobs.run() == 0
    assert "another file" in app.jobs.show(1).failure.message


@pytest.mark.slow
def test_what_lies_there_instead_is_not_used(app, first, second):
    app.jobs.add([first, second], SAMPLE)
    assert app.jobs.run(until=lambda: app.jobs.show(1).state == "done") == 1
    Image.open(portrait_path("astronaut")).save(first.output)
    assert app.jobs.run() == 0
    assert "another file" in app.jobs.show(2).failure.message
    assert not second.output.exists()


@pytest.mark.slow
def test_what_was_used_once_must_stay_as_it_is(app, first, second, tmp_path):
    app.jobs.add([first, second], SAMPLE)
    second.output.mkdir()  # it can't be written
    assert app.jobs.run() == 1
    other = Order(portrait_path("astronaut"), first.output, first.photos, settings={"blend.strength": 0.3})
    app.jobs.add(replace(other, overwrite=True), SAMPLE)
    second.output.rmdir()
    assert app.jobs.run() == 1
    app.jobs.retry(2)
    assert app.jobs.run() == 0  # made here, too, but not what it began with
    assert "another file" in app.jobs.show(2).failure.message


def test_no_two_jobs_wait_for_one_another(app, first, second):
    numbers, bad = app.jobs.add_each([first, second], SAMPLE, among=[(1,), ()])
    assert numbers == []
    assert [type(fault) for _, fault in bad] == [UsageError, UsageError]
    third = replace(first, output=first.output.with_name("third.png"))
    numbers, bad = app.jobs.add_each([first, second, third], SAMPLE, among=[(2,), (), (1,)])
    assert numbers == []
    assert app.jobs.list() == []


def test_of_a_job_that_is_made_of_one_that_can_not_be_added_it_is_said(app, first, second):
    wrong = replace(first, settings={"blend.strength": 9})
    numbers, bad = app.jobs.add_each([wrong, second], SAMPLE)
    assert numbers == []
    assert isinstance(bad[1][1], InputNotFoundError)


@pytest.mark.slow
def test_a_table_makes_one_file_of_another(tmp_path, first, second, capsys):
    table = tmp_path / "table.jsonl"
    rows = [
        {"photos": str(order.photos[0]), "target": str(order.target), "output": order.output.name}
        for order in (first, second)
    ]
    table.write_text("\n".join(map(json.dumps, rows)))
    home = ["--home", str(tmp_path / "home")]
    assert main(["jobs", "add", "--from", str(table), "--consent", "sample", *home]) == 0
    assert main(["jobs", "run", *home]) == 0
    assert second.output.is_file()
    capsys.readouterr()
