"""``understudy inspect``."""

from __future__ import annotations

from understudy.cli.options import File, HomeOption, Json
from understudy.cli.terminal import answer, answer_json


def command(file: File, home: HomeOption = None, json: Json = False) -> None:
    """Say whether a file was made by this tool: signature, mark, metadata, ledger."""
    from understudy.tasks.inspect import inspect_file

    found = inspect_file(file, home)
    if json:
        answer_json(found.as_json())
        return
    answer(f"{file}: {found.verdict}")
    for reason in (*found.reasons, *found.notes):
        answer(f"  - {reason}")
