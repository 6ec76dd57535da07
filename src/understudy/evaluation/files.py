"""The report's files."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType

from understudy import names
from understudy.evaluation.page import page
from understudy.evaluation.report import Report
from understudy.interruptions import deferred
from understudy.outputs import Draft, made, output_errors, settled
from understudy.temporaries import FOLDER, Temporary

JSON_NAME, PAGE_NAME = "report.json", "report.html"


class Pictures:
    """Pictures of a report that is not done: they get their names with it, or are removed.

    Until then they lie in a folder of their own beside their places, which goes at the end of the ``with`` block, or
    with the next run's tidying if this one is killed.

    Args:
        folder: Where they shall be; it exists.
        overwrite: Whether pictures that are there may be replaced.
    """

    def __init__(self, folder: Path, *, overwrite: bool = False) -> None:
        self.folder, self.overwrite = folder, overwrite
        with output_errors(folder):
            self._mark = Temporary(folder / "pictures", 0o600)
            self._aside = self._mark.beside(folder / "pictures", FOLDER)
            self._aside.mkdir(0o700)

    def aside(self, name: str) -> Path:
        """Where a picture is written."""
        return self._aside / name

    def name(self) -> list[Path]:
        """Give all that were written their names.

        Returns:
            Those that were not there before.

        Raises:
            OutputExistsError, OutputError, NoSpaceError: one can't be written; none is new then.
        """
        new: list[Path] = []
        try:
            for path in sorted(self._aside.iterdir()):
                place = self.folder / path.name
                there = names.exists(place)
                Draft(place, overwrite=self.overwrite).write(path.read_bytes())
                new += [] if there else [place]
        except BaseException:
            _remove(new)
            raise
        return new

    def __enter__(self) -> Pictures:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        with deferred():
            self._mark.remove()


def prepare_folder(folder: Path, *, overwrite: bool) -> None:
    """Make the folder, before any work is done.

    Raises:
        OutputExistsError: it holds a report, and ``overwrite`` is false.
        OutputError: it can't be made or written to.
    """
    made(folder, "Name another with --output-dir.")
    for name in (JSON_NAME, PAGE_NAME):
        settled(folder / name, overwrite=overwrite, hint="Name another folder, or add --overwrite.")


def write_report(report: Report, folder: Path, *, overwrite: bool = False, pictures: Pictures | None = None) -> None:
    """Write ``report.json`` and ``report.html``, and give its pictures their names; each appears whole or not at all.

    No interruption comes in between: there is no picture without the report that it belongs to.

    Raises:
        OutputExistsError: one has come to exist meanwhile, and ``overwrite`` is false.
        OutputError, NoSpaceError: they can't be written.
    """
    texts = {JSON_NAME: json.dumps(report.as_json(), indent=1, ensure_ascii=True) + "\n", PAGE_NAME: page(report)}
    with deferred():
        new = [] if pictures is None else pictures.name()
        try:
            for name, text in texts.items():
                Draft(folder / name, overwrite=overwrite).write(text.encode("utf-8", "replace"))
        except BaseException:
            _remove(new)
            raise


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
