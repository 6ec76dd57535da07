"""``understudy faces``."""

from __future__ import annotations

from understudy.cli.options import File, Json, MaxPixels
from understudy.cli.terminal import answer, answer_json, progress_bar


def command(file: File, max_pixels: MaxPixels = None, json: Json = False) -> None:
    """Say who is in a picture or video: where, how large, and which way each head is turned."""
    from understudy.media.base import MAX_PIXELS
    from understudy.pipeline import Settings, survey_file

    with progress_bar("looking") as progress:
        report = survey_file(file, Settings(max_pixels=max_pixels or MAX_PIXELS), progress)
    if json:
        answer_json(report.as_json())
        return
    people = "nobody" if not report.faces else f"{len(report.faces)} face{'s' * (len(report.faces) > 1)}"
    frames = "" if report.kind == "image" else f", {report.frames} frames"
    answer(f"{report.path.name}: {report.kind}, {report.width}x{report.height}{frames}: {people}")
    for face in report.faces:
        left, top, right, bottom = face.box_xyxy
        when = ""
        if face.first_seconds is not None:
            when = f"  {face.first_seconds:.2f}-{face.last_seconds:.2f} s, {face.frames} frames"
        answer(
            f"  {face.number}  {right - left:.0f}x{bottom - top:.0f} at {left:.0f},{top:.0f}"
            f"  yaw {face.yaw:+.0f} pitch {face.pitch:+.0f} roll {face.roll:+.0f}"
            f"  mouth {face.mouth_open:.2f} eyes {face.eyes_open:.2f}  score {face.score:.2f}{when}"
        )
