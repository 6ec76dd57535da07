"""``understudy jobs``: swaps that are written down now and done later, by one runner or several."""

from __future__ import annotations

import glob
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, cast, get_args

import typer

from understudy import names
from understudy.cli.chosen import Chosen, takes_settings
from understudy.cli.consent import ConsentNote, ConsentOption, ask, claim_of, is_photo
from understudy.cli.options import HomeOption, Json, Overwrite
from understudy.cli.setting_options import EVERY
from understudy.cli.terminal import answer, answer_json, changing_lines, progress_bar, say
from understudy.errors import UnderstudyError, UsageError
from understudy.text import counted, listed

if TYPE_CHECKING:
    from understudy.jobs.blocked import Blocked
    from understudy.jobs.job import Job, JobState, Order
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
    from understudy.jobs.rows import BadRow
    from understudy.jobs.tables import command_of
    from understudy.outputs import made
    from understudy.settings.schema import unusual

    _check_faces(chosen.given_to("--faces"))
    settings = chosen.settings()
    own = unusual(settings)
    asked = _asked(targets or [], source or [], cast_file, table, output, folder)
    orders = [
        replace(
            order,
            settings={**own, **order.settings},
            overwrite=order.overwrite or overwrite,
            priority=order.priority or priority,
            after=(*order.after, *(after or ())),
            when_done=order.when_done or command_of(when_done),
        )
        for order in asked.orders
    ]
    if folder is not None:
        made(folder, "Name another with --to.")
    claim = claim_of(consent, consent_note) or ask(_photos(orders), settings.home)
    with Understudy(settings) as understudy:
        numbers, refused = understudy.jobs.add_each(orders, claim, asked.among)
    bad = [
        *asked.bad,
        *(
            BadRow(
                asked.lines[place] if asked.lines else 0, f"{orders[place].target.name}: {fault.message}", fault.hint
            )
            for place, fault in refused
        ),
    ]
    _tell_added(numbers, bad, as_json=json)
    if bad:
        codes = {fault.exit_code for _, fault in refused} | ({2} if asked.bad else set())
        raise typer.Exit(codes.pop() if len(codes) == 1 else 2)


def _check_faces(faces: str | None) -> None:
    """Refuse to choose by who somebody is: settings, which jobs have, know nothing of that.

    Raises:
        UsageError: ``--faces`` names a person.
    """
    from understudy.face import FaceChoice

    if faces is not None and faces not in get_args(FaceChoice):
        raise UsageError(
            f"jobs can't choose by {faces!r}: they take {listed(get_args(FaceChoice))}",
            "Say who gets whose face in a cast file: understudy people FILE --cast who.toml, then --cast who.toml.",
        )


class _Asked(NamedTuple):
    """The orders of a call; of a table also their lines, which of them wait for which, and rows that are none."""

    orders: Sequence[Order]
    lines: Sequence[int] = ()
    among: Sequence[Sequence[int]] = ()
    bad: Sequence[BadRow] = ()


def _asked(
    targets: Sequence[Path],
    photos: Sequence[Path],
    cast_file: Path | None,
    table: Path | None,
    output: Path | None,
    folder: Path | None,
) -> _Asked:
    """What the words of a call, or the table that they name, ask for.

    Raises:
        UsageError: nothing, or not to be understood.
    """
    from understudy.jobs.tables import read_orders

    if table is None:
        return _Asked(_orders(_expanded(targets), photos, cast_file, output, folder))
    if targets or photos or cast_file or output or folder:
        raise UsageError("a table says itself what is put where", "Leave out targets, --source, --cast, -o and --to.")
    return _Asked(*read_orders(table))


def _photos(orders: Sequence[Order]) -> list[Path]:
    """The photos of all jobs, each once. What can't be read is told when its job is added."""
    from understudy.casting.cast import photos_of
    from understudy.jobs.adding import cast_of

    found: dict[Path, None] = {}
    for order in orders:
        with suppress(UnderstudyError):
            found |= dict.fromkeys(photos_of(cast_of(order)))
    return [photo for photo in found if is_photo(photo)]


def _tell_added(numbers: Sequence[int], bad: Sequence[BadRow], *, as_json: bool) -> None:
    for row in bad:
        say(f"not added: {f'line {row.line}: ' if row.line else ''}{row.message} ({row.hint})")
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
        answer(_line(job))
    say(_counted(counts) or "no jobs: `understudy jobs add` writes some down")


@app.command("show")
def show(numbers: Numbers, home: HomeOption = None, json: Json = False) -> None:
    """Say all that is known of jobs."""
    listed = _listed(home)
    jobs = [listed.show(number) for number in numbers]
    if json:
        answer_json({"jobs": [job.as_json() for job in jobs]})
        return
    for job in jobs:
        answer(_line(job))
        order = job.order
        answer(f"     of {order.cast or ', '.join(map(str, order.photos))}")
        for name, value in order.settings.items():
            answer(f"     {name} = {value}")
        if job.segments and job.state != "done":
            answer(f"     {job.segments_done} of {job.segments} segments are finished")
        if job.failure is not None:
            answer(f"     hint: {job.failure.hint}")


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
            say(
                f"job {job.number}: {job.order.target.name}" + (f", attempt {job.attempts}" if job.attempts > 1 else "")
            )
        else:
            ended.append(job)
            say(_line(job))

    with Understudy(Settings(home=home)) as understudy, progress_bar("swapping") as progress:
        done = understudy.jobs.run(told=told, progress=progress, wait=wait, cluster=cluster, say=say)
        counts, blocked = understudy.jobs.counts(), understudy.jobs.blocked()
    if json:
        waiting = [one._asdict() for one in blocked]
        answer_json({"done": done, "jobs": [job.as_json() for job in ended], "counts": counts, "blocked": waiting})
    failed = sum(job.state == "failed" for job in ended)
    say(f"{counted(done, 'job')} done" + (f", {failed} failed" if failed else ""))
    for line in _held_up(blocked):
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
            show([_line(job) for job in ended], [*(_line(job) for job in running), _counted(counts)])
            if not counts["running"] and counts["waiting"] <= len(blocked):
                show([*_held_up(blocked), _counted(counts) or "no jobs"], [])
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
def retry(numbers: Numbers, home: HomeOption = None) -> None:
    """Let jobs that failed or were cancelled be done after all."""
    _each(numbers, _listed(home).retry)


@app.command("remove")
def remove(numbers: Numbers, home: HomeOption = None) -> None:
    """Remove jobs that do not run. Their files stay."""
    listed = _listed(home)
    for number in numbers:
        job = listed.remove(number)
        say(f"removed {number}, which can't be read" if job is None else f"removed {_line(job)}")


def _each(numbers: Sequence[int], change: Callable[[int], JobState]) -> None:
    for number in numbers:
        state = change(number)
        say(f"job {number}: {state}" + (", and asked to stop" if state == "running" else ""))


def _listed(home: Path | None) -> JobList:
    """The jobs, to be looked at and changed."""
    from understudy.jobs.joblist import JobList
    from understudy.provenance.records.home import Home

    return JobList(Home.default() if home is None else Home(home))


def _held_up(blocked: Sequence[Blocked]) -> list[str]:
    """Which jobs wait for one that does not go on by itself, a line for each of those."""
    why = {"failed": "failed", "cancelled": "was cancelled", "paused": "is paused"}
    times = Counter((one.by, one.state) for one in blocked)
    return [
        f"{counted(count, 'job')} wait{'s' * (count == 1)} for job {by}, which {why[state]}"
        for (by, state), count in times.items()
    ]


def _counted(counts: Mapping[JobState, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _line(job: Job) -> str:
    """A job in one line."""
    from understudy.jobs.job import PENDING, PENDING_AGAIN

    what = f"{job.number:5d}  {job.state:9s}  {job.order.target.name} -> {job.order.output}"
    if job.failure is not None:
        return f"{what}: {job.failure.message}"
    ended = job.report.get("when_done", 0)
    if ended in (PENDING, PENDING_AGAIN):
        return f"{what}; the command that is to follow has not ended"
    if ended != 0:
        return f"{what}; the command that was to follow failed: {_why(ended)}"
    if job.state == "running" or (job.segments_done and job.state in ("waiting", "paused")):
        return f"{what}  {job.share:.0%}"
    if job.waits_for:
        return f"{what}  after {', '.join(str(number) for number in job.waits_for)}"
    return what


def _why(ended: int | str) -> str:
    """Why a command failed, by what it ended with, as ``subprocess`` and the system say it."""
    if isinstance(ended, str):
        return ended
    return f"exit code {ended}" if ended > 0 else f"signal {-ended}"


def _expanded(targets: Sequence[Path]) -> list[Path]:
    """Targets, with patterns that no shell has taken apart.

    Raises:
        UsageError: nothing fits one, it is a folder or a table, or none was named.
    """
    from understudy.jobs.tables import SUFFIXES

    found: list[Path] = []
    for target in targets:
        if names.is_folder(target):
            raise UsageError(f"{target} is a folder", f"Name its files, as in '{target / '*.mp4'}'.")
        if target.suffix.lower() in SUFFIXES:
            raise UsageError(f"{target.name} is a table", f"For its jobs: understudy jobs add --from {target}")
        if target.exists() or not glob.has_magic(str(target)):
            found.append(target)
            continue
        fitting = sorted(Path(name) for name in glob.glob(str(target), recursive=True))  # noqa: PTH207 - of any root
        if not fitting:
            raise UsageError(f"nothing fits {target}", "Check the folder and the pattern.")
        found += fitting
    if not found:
        raise UsageError("no target", "Name pictures or clips, or a table with --from.")
    return found


def _orders(
    targets: Sequence[Path], photos: Sequence[Path], cast_file: Path | None, output: Path | None, folder: Path | None
) -> list[Order]:
    from understudy.jobs.job import Order
    from understudy.media.files.opening import written_suffix

    if output is not None and (folder is not None or len(targets) > 1):
        raise UsageError("--output names one file", "For several targets name a folder with --to.")
    apart = "" if folder else "-swapped"
    return [
        Order(
            target,
            output or (folder or target.parent) / f"{target.stem}{apart}{written_suffix(target)}",
            tuple(photos),
            cast_file,
        )
        for target in targets
    ]
