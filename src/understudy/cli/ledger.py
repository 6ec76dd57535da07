"""``understudy ledger``: list, verify, export."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.options import HomeOption, Json
from understudy.cli.terminal import answer, answer_json, say
from understudy.errors import RecordsError
from understudy.text import counted

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from understudy.provenance.records.chain import Check
    from understudy.provenance.records.ledger import Ledger

app = typer.Typer(help="The ledger: one record of every output, chained so that tampering shows.")


def _ledger(home: Path | None) -> Ledger:
    from understudy.provenance.records.home import Home
    from understudy.provenance.records.ledger import Ledger

    return Ledger(Home.default() if home is None else Home(home))


@app.command("list")
def show(home: HomeOption = None, json: Json = False) -> None:
    """List the outputs, the oldest first."""
    ledger = _ledger(home)
    records = list(ledger.records())
    if json:
        answer_json({"records": [asdict(record) for record in records]})
        return
    for record in records:
        answer(
            f"{record.identifier}  {record.time[:19]}  {record.kind:9s} {record.engine:8s} sha256 {record.output[:16]}"
        )
    if not records:
        say("nothing was made yet")
    if not ledger.verify().intact:
        say("note: the ledger was tampered with; `understudy ledger verify` says how")


@app.command("verify")
def verify(home: HomeOption = None, json: Json = False) -> None:
    """Check that no record was edited or removed; exit 6 if one was."""
    say_checked(_ledger(home).verify(), "ledger", json=json)


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="File to write: one JSON object a line.")],
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Write all records to a file that only its owner can read."""
    write_lines(file, _ledger(home).records(), json=json)


def say_checked(check: Check, name: str, *, json: bool) -> None:
    """Say what a look at a chain of records found.

    Args:
        check: What it found.
        name: What the chain is called.
        json: Whether it is answered as JSON.

    Raises:
        RecordsError: something was edited or removed.
    """
    if json:
        answer_json(asdict(check) | {"intact": check.intact})
        raise typer.Exit(0 if check.intact else RecordsError.exit_code)
    if not check.intact:
        raise RecordsError(
            f"the {name} was tampered with: {'; '.join(check.problems)}",
            f"`understudy {name.split(maxsplit=1)[0]} list` shows what is left.",
        )
    if not check.records and not check.dropped:
        say("there are no records here")
        return
    left = "was dropped for its age" if check.dropped == 1 else "were dropped for their age"
    dropped = f"; {counted(check.dropped, 'older one')} {left}:" if check.dropped else ""
    say(f"{counted(check.records, 'record')}, none edited or removed{dropped}")
    for drop in check.drops:
        say(f"  {drop}")


def write_lines(file: Path, records: Iterable[DataclassInstance], *, json: bool) -> None:
    """Write records to a new file that only its owner can read, one JSON object a line.

    Raises:
        OutputError: it is there already, or can't be written.
    """
    from understudy.outputs import Draft, settled
    from understudy.provenance.records.rows import body_of

    target = settled(file, overwrite=False, hint="Name another.")
    lines = [body_of(record) + "\n" for record in records]
    Draft(target, private=True).write("".join(lines).encode())
    if json:
        answer_json({"output": str(file), "records": len(lines)})
        return
    say(f"wrote {counted(len(lines), 'record')} to {file}")
