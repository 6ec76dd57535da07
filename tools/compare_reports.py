"""Two reports of ``understudy eval`` beside each other: ``python tools/compare_reports.py BEFORE AFTER [SHEET.jpg]``.

BEFORE and AFTER are the folders. Each measure of both is printed with the spread between clips: a change that is less
has shown nothing. Of pairs that both have, the sheet shows the pictures, BEFORE on the left; each bears its label.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from understudy.arrays import UInt8Array
from understudy.provenance.lettering import font_for, letters

#: Height of the line of text above each pair, and most pairs of a sheet: JPEG has 65,500 rows.
HEAD, MOST = 34, 40


def report_of(folder: Path) -> dict[str, Any]:
    """What a folder's ``report.json`` says."""
    found: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return found


def table(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Print the measures that both have, over the pairs that both have."""
    pairs = [{(pair["source"], pair["clip"]): pair["measures"] for pair in each["pairs"]} for each in (before, after)]
    shared = [pair for pair in pairs[0] if pair in pairs[1]]
    print(f"{len(shared)} pairs that both have")
    print(f"{'measure':26s}{'before':>10s}{'after':>10s}{'change':>10s}{'± clips':>10s}")
    for measure in (line["measure"] for line in before["summary"]):
        rows = [[side[pair].get(measure) for side in pairs] for pair in shared]
        told = {pair: row for pair, row in zip(shared, rows, strict=True) if None not in row}
        if not told:
            continue
        first, second = np.mean(list(told.values()), axis=0)
        clips = {clip for _, clip in told}
        spread = np.std([np.mean([row[1] for pair, row in told.items() if pair[1] == clip]) for clip in clips])
        mark = "  *" if abs(second - first) > spread else ""
        print(f"{measure:26s}{first:10.4f}{second:10.4f}{second - first:+10.4f}{spread:10.4f}{mark}")


def sheet(before: Path, after: Path, reports: tuple[dict[str, Any], dict[str, Any]]) -> UInt8Array | None:
    """The pairs' pictures, uint8 BGR (H, W, 3); None where no pair has a picture in both."""
    names = [{(p["source"], p["clip"]): p["picture"] for p in each["pairs"] if p["picture"]} for each in reports]
    rows = []
    for pair in [pair for pair in names[0] if pair in names[1]][:MOST]:
        sides = [cv2.imread(str(folder / side[pair])) for folder, side in zip((before, after), names, strict=True)]
        height = min(side.shape[0] for side in sides)
        row = np.hstack([side[:height] for side in sides])
        rows += [_headed(f"{pair[0]} on {pair[1]}: {before.name} | {after.name}", row.shape[1]), row]
    if not rows:
        return None
    width = max(row.shape[1] for row in rows)
    return np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows])


def _headed(text: str, width: int) -> UInt8Array:
    strip = np.full((HEAD, width, 3), 255, np.uint8)
    ink = letters(text, font_for(text), 16)[: HEAD - 8, : width - 16]
    strip[8 : 8 + ink.shape[0], 8 : 8 + ink.shape[1]] -= ink[:, :, None]
    return strip


def main() -> None:
    """Compare."""
    before, after = (Path(word) for word in sys.argv[1:3])
    reports = report_of(before), report_of(after)
    table(*reports)
    if len(sys.argv) > 3:
        picture = sheet(before, after, reports)
        if picture is None:
            sys.exit("no pair has a picture in both: were they measured with --no-pictures?")
        cv2.imwrite(sys.argv[3], picture)


if __name__ == "__main__":
    main()
