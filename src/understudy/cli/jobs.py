"""``understudy jobs``: swaps that are written down now and done later, by one runner or several."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from understudy.cli.chosen import Chosen, takes_settings
from understudy.cli.consent import ConsentNote, ConsentOption, ask, claim_of
from understudy.cli.job_lines import held_up, in_states, line_of
from understudy.cli.options import HomeOption, Json, Overwrite
from understudy.cli.ordering import asked_for, check_faces, photos_of_all, row_of
from understudy.cli.setting_options import EVERY
from understudy.cli.terminal import answer, answer_json, changing_lines, progress_bar, say
from understudy.errors import UsageError
from understudy.text import counted, printable

if TYPE_CHECKING:
    from understudy.jobs.job import Job, JobState
    from understudy.jobs.joblist import JobList
    from understudy.jobs.rows import BadRow

Numbers = Annotated[list[int], typer.Argument(help="Numbers of jobs, as `understudy jobs list` shows them.")]
#: Seconds between two looks of ``watch``.
_EVERY = 1.0
#: How many of the jobs that ended last it looks at: more do not end in that time.
_LATEST = 100

app = typer.Typer(help="Swaps that are written down now and done later, by one runner or several.")


@app.command("add")
@takes_settings(EVERY - {"--on-lost"})
def add(
    targets: Annotated[
        list[Path] | None,
        typer.Argument(help="Pictures, animations or videos, one job each; also a pattern, 'in/*.mp4'."),
    ] = None,
    source: Annotated[
        list[Path] | None, typer.Option("--source", "-s", help="Photo of the person whose face is used; several times.")
    ] = None,
    cast_file: Annotated[
        Path | None, typer.Option("--cast", help="Who gets whose face, in a file of `people`.")
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option("--from", help="A table of jobs: .csv, .tsv or .jsonl. docs/jobs.md shows its columns."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write, of a single target.")] = None,
    folder: Annotated[
        Path | None, typer.Option("--to", help="Folder to write into, under the targets' names. Default: beside each.")
    ] = None,
    priority: Annotated[int, typer.Option("--priority", help="The highest goes first.")] = 0,
    after: Annotated[
        list[int] | None, typer.Option("--after", help="Number of a job that must be done before.")
    ] = None,
    when_done: Annotated[
        str, typer.Option("--when-done", help="Command to run afterwards; the output's path is its last word.")
    ] = "",
    consent: ConsentOption = None,
    consent_note: ConsentNote = "",
    overwrite: Overwrite = False,
    json: Json = False,
    *,
    chosen: Chosen,
) -> None:
    """Write jobs down. `understudy jobs run` does them."""
    from understudy.app import Understudy
    from understudy.jobs.tables import command_of
    from understudy.outputs import made
    from understudy.settings.schema import unusual

    check_faces(chosen.given_to("--faces"))
    settings = chosen.settings()
    own = unusual(settings)
    usual = {"overwrite": overwrite, "priority": priority, "when_done": command_of(when_done)}
    asked = asked_for(targets or [], source or [], cast_file, table, output, folder, usual)
    orders = [
        replace(order, settings={**own, **order.settings}, after=(*order.after, *(after or ())))
        for order in asked.orders
    ]
    if folder is not None:
        made(folder, "Name another with --to.")
    claim = claim_of(consent, consent_note) or ask(photos_of_all(orders), settings.home)
    with Understudy(settings) as understudy:
        numbers, refused = understudy.jobs.add_each(orders, claim, asked.among)
    bad = [*asked.bad, *(row_of(asked, place, fault) for place, fault in refused)]
    _tell_added(numbers, bad, as_json=json)
    if bad:
        codes = {fault.exit_code for _, fault in refused} | ({2} if asked.bad else set())
        raise typer.Exit(codes.pop() if len(codes) == 1 else 2)


def _tell_added(numbers: Sequence[int], bad: Sequence[BadRow], *, as_json: bool) -> None:
    for row in bad:
        say(printable(f"not added: {f'line {row.line}: ' if row.line else ''}{row.message} ({row.hint})"))
    if as_json:
        answer_json({"added": numbers, "not_added": [vars(row) for row in bad]})
    elif numbers:
        named = f"job {numbers[0]}" if len(numbers) == 1 else f"jobs {numbers[0]} to {numbers[-1]}"
        say(f"added {named}; `understudy jobs run` does what is written down")


@app.command("list")
def show_all(
    state: Annotated[
        str | None, typer.Option("--state", help="Only these: waiting, running, paused, done, failed…")
    ] = None,
    most: Annotated[int, typer.Option("--most", help="How many at most; 0 for all.")] = 50,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """List the jobs: what runs, what goes next, what failed, and what is done."""
    from understudy.jobs.job import STATES, JobState

    if state is not None and state not in get_args(JobState):
        raise UsageError(f"there is no state {state!r}", f"States are {', '.join(STATES)}.")
    states = STATES if state is None else (cast("JobState", state),)
    listed = _listed(home)
    jobs, counts = listed.list(states, most or None), listed.counts()
    if json:
        answer_json({"counts": counts, "jobs": [job.as_json() for job in jobs]})
        return
    for job in jobs:
        answer(line_of(job))
    say(in_states(counts) or "no jobs: `understudy jobs add` writes some down")


@app.command("show")
def show(numbers: Numbers, home: HomeOption = None, json: Json = False) -> None:
    """Say all that is known of jobs."""
    listed = _listed(home)
    jobs = [listed.show(number) for number in numbers]
    if json:
        answer_json({"jobs": [job.as_json() for job in jobs]})
        return
    for job in jobs:
        answer(line_of(job))
        order = job.order
        answer(printable(f"     of {order.cast or ', '.join(map(str, order.photos))}"))
        for name, value in order.settings.items():
            answer(printable(f"     {name} = {value}"))
        if job.segments and job.state != "done":
            answer(f"     {job.segments_done} of {job.segments} segments are finished")
        if job.failure is not None:
            answer(printable(f"     hint: {job.failure.hint}"))


@app.command("run")
def run(
    wait: Annotated[bool, typer.Option("--wait", help="Wait for jobs that are added later; Ctrl-C ends it.")] = False,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", help="Have a cluster of Ray do the work: HOST:PORT, or auto for the one it finds."),
    ] = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Do the jobs that wait, the most urgent first. Several may run at once."""
    from understudy.app import Understudy
    from understudy.settings.settings import Settings

    ended: list[Job] = []

    def told(job: Job) -> None:
        if job.state == "running":
            attempt = f", attempt {job.attempts}" if job.attempts > 1 else ""
            say(printable(f"job {job.number}: {job.order.target.name}{attempt}"))
        else:
            ended.append(job)
            say(line_of(job))

    with Understudy(Settings(home=home)) as understudy, progress_bar("swapping") as progress:
        done = understudy.jobs.run(told=told, progress=progress, wait=wait, cluster=cluster, say=say)
        counts, blocked = understudy.jobs.counts(), understudy.jobs.blocked()
    if json:
        waiting = [one._asdict() for one in blocked]
        answer_json({"done": done, "jobs": [job.as_json() for job in ended], "counts": counts, "blocked": waiting})
    failed = sum(job.state == "failed" for job in ended)
    say(f"{counted(done, 'job')} done" + (f", {failed} failed" if failed else ""))
    for line in held_up(blocked):
        say(line)
    if failed or any(one.state != "paused" for one in blocked):
        raise typer.Exit(6)


@app.command("watch")
def watch(home: HomeOption = None) -> None:
    """Show how far the jobs are, a line each, until none is left that can be done. On a pipe it writes what changes."""
    listed = _listed(home)
    with changing_lines() as show:
        told = {job.number for job in _ended(listed)}
        while True:
            running = listed.list(("running",))
            told -= {job.number for job in running}  # begun anew
            ended = [job for job in _ended(listed) if job.number not in told]
            told |= {job.number for job in ended}
            counts, blocked = listed.counts(), listed.blocked()
            show([line_of(job) for job in ended], [*(line_of(job) for job in running), in_states(counts)])
            if not counts["running"] and counts["waiting"] <= len(blocked):
                show([*held_up(blocked), in_states(counts) or "no jobs"], [])
                return
            time.sleep(_EVERY)


def _ended(listed: JobList) -> list[Job]:
    """Those that ended last, the latest last."""
    from understudy.jobs.job import ENDED

    found = [job for state in ENDED for job in listed.list((state,), _LATEST)]
    return sorted(found, key=lambda job: job.ended)


@app.command("pause")
def pause(numbers: Numbers, home: HomeOption = None) -> None:
    """Keep jobs from being begun; one that runs stops within seconds."""
    _each(numbers, _listed(home).pause)


@app.command("resume")
def resume(numbers: Numbers, home: HomeOption = None) -> None:
    """Let paused jobs go on."""
    _each(numbers, _listed(home).resume)


@app.command("cancel")
def cancel(numbers: Numbers, home: HomeOption = None) -> None:
    """Give jobs up; one that runs stops within seconds."""
    _each(numbers, _listed(home).cancel)


@app.command("retry")
def retry(
    numbers: Annotated[list[int] | None, typer.Argument(help="Numbers of jobs.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All jobs that failed.")] = False,
    home: HomeOption = None,
) -> None:
    """Let jobs that failed or were cancelled be done after all."""
    listed = _listed(home)
    if not numbers and not failed:
        raise UsageError("no job", "Name jobs by their numbers, or all that failed with --failed.")
    found = sorted(job.number for job in listed.list(("failed",))) if failed else []
    if failed and not found:
        say("no job has failed")
    _each(dict.fromkeys([*(numbers or ()), *found]), listed.retry)


@app.command("remove")
def remove(numbers: Numbers, home: HomeOption = None) -> None:
    """Remove jobs that do not run. Their files stay."""
    listed = _listed(home)

    def removed(number: int) -> str:
        job = listed.remove(number)
        return f"removed {number}, which can't be read" if job is None else f"removed {line_of(job)}"

    _tell_each(numbers, removed)


def _each(numbers: Iterable[int], change: Callable[[int], JobState]) -> None:
    def changed(number: int) -> str:
        state = change(number)
        return f"job {number}: {state}" + (", and asked to stop" if state == "running" else "")

    _tell_each(numbers, changed)


def _tell_each(numbers: Iterable[int], change: Callable[[int], str]) -> None:
    """Change jobs and say what became of each; one that can't be changed does not keep the others.

    Raises:
        UsageError: one or several could not be changed; of several it is the last.
    """
    faults: list[UsageError] = []
    for number in numbers:
        try:
            say(change(number))
        except UsageError as fault:
            faults.append(fault)
    for one in faults[:-1]:
        say(one.message)
    if faults:
        raise faults[-1]


def _listed(home: Path | None) -> JobList:
    """The jobs, to be looked at and changed."""
    from understudy.jobs.joblist import JobList
    from understudy.provenance.records.home import Home

    return JobList(Home.default() if home is None else Home(home))
