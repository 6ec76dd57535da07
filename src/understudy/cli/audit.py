"""``understudy audit``: list, verify, export."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.ledger import say_checked, say_tampered, write_lines
from understudy.cli.options import HomeOption, Json
from understudy.cli.terminal import answer, answer_json, say

if TYPE_CHECKING:
    from understudy.server.access.audit import AuditLog

app = typer.Typer(help="The audit log: who did what with `understudy serve`, chained so that tampering shows.")


@app.command("list")
def show(
    last: Annotated[int, typer.Option("--last", min=1, help="So many of the newest.")] = 50,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """List what was done, the oldest first."""
    log = _log(home)
    entries, check = deque(log.entries(), last), log.verify()
    if json:
        answer_json({"entries": [asdict(entry) for entry in entries], "intact": check.intact})
    else:
        for entry in entries:
            who = entry.token or "-"
            answer(f"{entry.time[:19]}  {entry.address:15s} {who:12s} {entry.outcome}  {entry.action}  {entry.subject}")
        if not entries:
            say("nothing was done yet")
    say_tampered(check, "audit log")


@app.command("verify")
def verify(home: HomeOption = None, json: Json = False) -> None:
    """Check that no entry was edited or removed; exit 6 if one was."""
    say_checked(_log(home).verify(), "audit log", json=json)


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="File to write: one JSON object a line.")],
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Write all entries to a file that only its owner can read."""
    write_lines(file, _log(home).entries(), json=json)


def _log(home: Path | None) -> AuditLog:
    from understudy.provenance.records.home import Home
    from understudy.server.access.audit import AuditLog

    return AuditLog(Home.default() if home is None else Home(home))
