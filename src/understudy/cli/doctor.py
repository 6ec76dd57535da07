"""``understudy doctor``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.chosen import Chosen, takes_settings
from understudy.cli.options import Json
from understudy.cli.rehearsal import rehearsed
from understudy.cli.terminal import answer, answer_json, say
from understudy.errors import InputNotFoundError, UsageError

_MARK = {"ok": "ok     ", "missing": "missing", "broken": "BROKEN "}

Clean = Annotated[
    bool,
    typer.Option(
        "--clean",
        help="Remove files that killed runs left behind: in the folders where they worked, the private folder, the "
        "system's folder for temporary files, this folder and those given. Files of other programs "
        "and of runs that go on stay.",
    ),
]
Folders = Annotated[
    list[Path] | None, typer.Argument(help="With --clean: further folders to look in (not in those below them).")
]


@takes_settings(("--device", "--backend", "--precision", "--home"))
def command(folders: Folders = None, clean: Clean = False, json: Json = False, *, chosen: Chosen) -> None:
    """Say what is installed, what really opens and where it runs, what is missing and how to mend it."""
    if folders and not clean:
        raise UsageError("folders can be named with --clean only", "Add --clean, or leave them out.")
    if clean:
        _clean(folders or [], chosen.settings().home, json=json)
        return
    from understudy.app import Understudy

    rehearsed()
    with Understudy(chosen.settings()) as app:
        report = app.doctor()
    if json:
        answer_json(report.as_json())
    else:
        for section, findings in report.sections.items():
            answer(section)
            for finding in findings:
                answer(f"  {_MARK[finding.state]} {finding.name}: {finding.detail}")
                if finding.mend:
                    answer(f"          mend: {finding.mend}")
        answer("all that is needed works" if report.healthy else "something that is needed is broken: see above")
    if not report.healthy:
        raise typer.Exit(6)


def _clean(folders: list[Path], home: Path | None, *, json: bool) -> None:
    """Remove what killed runs left."""
    from understudy import temporaries
    from understudy.provenance.records.home import Home

    for folder in folders:
        if not folder.is_dir():
            raise InputNotFoundError(folder, "folder")
    private = Home.default() if home is None else Home(home)
    removed = private.tidy() if private.root.exists() else []
    for folder in (*folders, Path(), Path(tempfile.gettempdir())):
        removed += temporaries.clean(folder)
    if json:
        answer_json({"removed": [str(path) for path in removed]})
        return
    for path in removed:
        answer(f"removed {path}")
    if not removed:
        say("nothing was left behind")
