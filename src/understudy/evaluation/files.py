"""The report's files."""

from __future__ import annotations

import json
import os
from pathlib import Path

from understudy.errors import OutputError, OutputExistsError
from understudy.evaluation.page import page
from understudy.evaluation.report import Report

JSON_NAME, PAGE_NAME = "report.json", "report.html"


def prepare_folder(folder: Path, *, overwrite: bool) -> None:
    """Make the folder, before any work is done.

    Raises:
        OutputExistsError: it holds a report, and ``overwrite`` is false.
        OutputError: it can't be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise OutputError(f"can't make the folder {folder}: {reason}", "Name another with --output-dir.") from fault
    if not os.access(folder, os.W_OK):
        raise OutputError(f"the folder can't be written to: {folder}", "Name another with --output-dir.")
    there = [name for name in (JSON_NAME, PAGE_NAME) if (folder / name).exists()]
    if there and not overwrite:
        raise OutputExistsError(f"{folder} holds a report already", "Name another folder, or add --overwrite.")


def write_report(report: Report, folder: Path) -> None:
    """Write ``report.json`` and ``report.html``; each appears whole or not at all."""
    texts = {JSON_NAME: json.dumps(report.as_json(), indent=1, ensure_ascii=True) + "\n", PAGE_NAME: page(report)}
    for name, text in texts.items():
        draft = folder / f".{name}.{os.getpid()}"
        try:
            draft.write_text(text, encoding="utf-8", errors="replace")
            draft.replace(folder / name)
        except OSError as fault:
            draft.unlink(missing_ok=True)
            reason = fault.strerror or str(fault)
            raise OutputError(f"can't write {folder / name}: {reason}", "Make room, or name another folder.") from fault
