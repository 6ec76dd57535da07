"""``understudy doctor``."""

from __future__ import annotations

import typer

from understudy.cli.options import DeviceOption, HomeOption, Json, runtime_options
from understudy.cli.terminal import answer, answer_json

_MARK = {"ok": "ok     ", "missing": "missing", "broken": "BROKEN "}


def command(device: DeviceOption = None, home: HomeOption = None, json: Json = False) -> None:
    """Say what is installed, what really opens and where it runs, what is missing and how to mend it."""
    from understudy.pipeline import Settings
    from understudy.pipeline.checkup import checkup

    report = checkup(Settings(runtime=runtime_options(device), home=home))
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
