"""``understudy jobs``: swaps that are written down now and done later, by one runner or several."""

from __future__ import annotations

import glob
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from understudy.cli.chosen import Chosen, takes_settings
from understudy.cli.consent import ConsentNote, ConsentOption, ask, claim_of
from understudy.cli.options import OUTPUT, HomeOption, Json, Overwrite
from understudy.cli.setting_options import EVERY
from understudy.cli.terminal import answer, answer_json, progress_bar, say
from understudy.errors import UsageError
from understudy.text import counted

if TYPE_CHECKING:
    from understudy.app import Understudy
    from understudy.jobs.job import Job, Order, State

Numbers = Annotated[list[int], typer.Argument(help="Numbers of jobs, as `understudy jobs list` shows them.")]
#: Seconds between two looks of ``watch``.
_EVERY = 1.0

app = typer.Typer(help="Swaps that are written down now and done later, by one runner or several.")


@app.command("add")
@takes_settings(EVERY - {"--on-lost"})
def add(
    targets: Annotated[
        list[Path] | None, typer.Argument(help="Pictures, animations or videos, one job each; also a pattern, 'in/*.mp4'.")
    ] = None,
    source: Annotated[
        list[Path] | None, typer.Option("--source", "-s", help="Photo of the person whose face is used; several times.")
    ] = None,
    cast_file: Annotated[Path | None, typer.Option("--cast", help="Who gets whose face, in a file of `people`.")] = None,
    table: Annotated[
        Path | None, typer.Option("--from", help="A table of jobs: .csv, .tsv or .jsonl. docs/jobs.md shows its columns.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write, of a single target.")] = None,
    folder: Annotated[
        Path | None, typer.Option("--to", help="Folder to write into, under the targets' names. Default: beside each.")
    ] = None,
    priority: Annotated[int, typer.Option("--priority", help="The highest goes first.")] = 0,
    after: Annotated[list[int] | None, typer.Option("--after", help="Number of a job that must be done before.")] = None,
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
    from understudy.casting.cast import photos_of
    from understudy.jobs.jobs import cast_of
    from understudy.jobs.tables import BadRow, read_orders
    from understudy.settings.schema import values_of
    from understudy.settings.settings import Settings

    settings = chosen.settings()
    usual = values_of(Settings())
    changed = {name: value for name, value in values_of(settings).items() if value != usual[name] and name != "home"}
    bad: list[BadRow] = []
    if table is None:
        orders = _orders(_expanded(targets or []), source or [], cast_file, output, folder)
    elif targets or source or cast_file or output or folder:
        raise UsageError("a table says itself what is put where", "Leave out targets, --source, --cast, -o and --to.")
    else:
        orders, bad = read_orders(table)
    orders = [
        replace(
            order,
            settings={**changed, **order.settings},
            overwrite=order.overwrite or overwrite,
            priority=order.priority or priority,
            after=(*order.after, *(after or ())),
            when_done=order.when_done or tuple(shlex.split(when_done)),
        )
        for order in orders
    ]
    photos = {photo: None for order in orders for photo in photos_of(cast_of(order))}
    claim = claim_of(consent, consent_note) or ask(list(photos), settings.home)
    with Understudy(settings) as understudy:
        numbers, refused = understudy.jobs.add_each(orders, claim)
    bad += [BadRow(0, f"{orders[index].target.name}: {fault.message}", fault.hint) for index, fault in refused]
    for row in bad:
        say(f"not added: {f'line {row.line}: ' if row.line else ''}{row.message} ({row.hint})")
    if json:
        answer_json({"added": numbers, "not_added": [vars(row) for row in bad]})
    elif numbers:
        named = f"job {numbers[0]}" if len(numbers) == 1 else f"jobs {numbers[0]} to {numbers[-1]}"
        say(f"added {named}; `understudy jobs run` does what is written down")
    if bad:
        raise UsageError(f"{counted(len(bad), 'job')} of {len(orders) + len(bad)} could not be added", "See above.")
