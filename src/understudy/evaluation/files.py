"""The report's files."""

from __future__ import annotations

import json
from pathlib import Path

from understudy.evaluation.page import page
from understudy.evaluation.report import Report
from understudy.outputs import Draft, made, settled

JSON_NAME, PAGE_NAME = "report.json", "report.html"


def prepare_folder(folder: Path, *, overwrite: bool) -> None:
    """Make the folder, before any work is done.

    Raises:
        OutputExistsError: it holds a report, and ``overwrite`` is false.
        OutputError: it can't be made or written to.
    """
    made(folder, "Name another with --output-dir.")
    for name in (JSON_NAME, PAGE_NAME):
        settled(folder / name, overwrite=overwrite, hint="Name another folder, or add --overwrite.")


def write_report(report: Report, folder: Path, *, overwrite: bool = False) -> None:
    """Write ``report.json`` and ``report.html``; each appears whole or not at all.

    Raises:
        OutputExistsError: one has come to exist meanwhile, and ``overwrite`` is false.
        OutputError, NoSpaceError: they can't be written.
    """
    texts = {JSON_NAME: json.dumps(report.as_json(), indent=1, ensure_ascii=True) + "\n", PAGE_NAME: page(report)}
    for name, text in texts.items():
        Draft(folder / name, overwrite=overwrite).write(text.encode("utf-8", "replace"))
