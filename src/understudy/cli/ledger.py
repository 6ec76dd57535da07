"""``understudy ledger``: list, verify, export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    if json:
        records = [asdict(record) for record in ledger.records()]
        check = ledger.verify()
        answer_json({"records": records, "intact": check.intact})
    else:
        for record in ledger.records():
            answer(
                f"{record.identifier}  {record.time[:19]}  {record.kind:9s} {record.engine:8s} "
                f"sha256 {record.output[:16]}"
            )
        check = ledger.verify()
        if not check.records:
            say("nothing was made yet")
    say_tampered(check, "ledger")


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


def say_tampered(check: Check, name: str) -> None:
    """Say so, in one line, if something of a chain of records was edited or removed.

    Args:
        check: What a look at it found.
        name: What the chain is called.
    """
    if not check.intact:
        say(f"note: the {name} was tampered with; `understudy {name.split(maxsplit=1)[0]} verify` says how")


def write_lines(file: Path, records: Iterable[DataclassInstance], *, json: bool) -> None:
    """Write records to a new file that only its owner can read, one JSON object a line.

    Raises:
        OutputError: it is there already, or can't be written.
    """
    from understudy.outputs import Draft, settled
    from understudy.provenance.records.rows import body_of

    target, count = settled(file, overwrite=False, hint="Name another."), 0

    def lines() -> Iterator[bytes]:
        nonlocal count
        for record in records:
            count += 1
            yield f"{body_of(record)}\n".encode()

    Draft(target, private=True).write(lines())
    if json:
        answer_json({"output": str(file), "records": count})
        return
    say(f"wrote {counted(count, 'record')} to {file}")
