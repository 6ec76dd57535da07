"""``understudy faces``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from understudy.cli.chosen import Chosen, takes_settings
from understudy.cli.options import File, Json
from understudy.cli.terminal import answer, answer_json, progress_bar
from understudy.text import counted

Ask = Annotated[
    list[str] | None,
    typer.Option(
        "--ask",
        help="blendshapes (52 scores of what a face does) or emotion (which expressions it shows: a guess), both "
        "without a download, or a landmarker or genderage of `understudy models list`: what it says of each face. "
        "Repeatable.",
    ),
]


#: Of 52 scores, how many are printed, and from which on: what is less is a face at rest.
_STRONGEST, _LEAST = 6, 0.1


@takes_settings(("--detector", "--recogniser", "--device", "--backend", "--precision", "--max-pixels", "--home"))
def command(file: File, ask: Ask = None, json: Json = False, *, chosen: Chosen) -> None:
    """Say who is in a picture or video: where, how large, and which way each head is turned."""
    from understudy.app import Understudy

    settings = chosen.settings()
    with progress_bar("looking") as progress, Understudy(settings) as app:
        report = app.faces(file, ask=ask or (), progress=progress)
    if json:
        answer_json(report.as_json())
        return
    people = counted(len(report.faces), "face") if report.faces else "nobody"
    frames = "" if report.kind == "image" else f", {counted(report.frames, 'frame')}"
    answer(f"{report.path.name}: {report.kind}, {report.width}x{report.height}{frames}: {people}")
    for face in report.faces:
        left, top, right, bottom = face.box_xyxy
        when = ""
        if face.first_seconds is not None:
            when = f"  {face.first_seconds:.2f}-{face.last_seconds:.2f} s, {counted(face.frames, 'frame')}"
            when += f" in {len(face.tracks)} stretches" if len(face.tracks) > 1 else ""
        answer(
            f"  {face.number}  {right - left:.0f}x{bottom - top:.0f} at {left:.0f},{top:.0f}"
            f"  yaw {face.yaw:+.0f} pitch {face.pitch:+.0f} roll {face.roll:+.0f}"
            f"  mouth {face.mouth_open:.2f} eyes {face.eyes_open:.2f}  score {face.score:.2f}{when}"
        )
        if face.blendshapes is not None:
            answer(f"       blendshapes: {_strongest(face.blendshapes)}")
        for reading in face.readings:
            said = [counted(len(reading.points), "point")] if reading.points else []
            if reading.pose is not None:
                yaw, pitch, roll = reading.pose
                said.append(f"yaw {yaw:+.0f} pitch {pitch:+.0f} roll {roll:+.0f}")
            if reading.looks is not None:
                said.append(f"looks {reading.looks[0]}, about {reading.looks[1]} (a guess)")
            if reading.emotions is not None:
                said.append(f"shows {_strongest(reading.emotions)} (a guess)")
            answer(f"       {reading.model}: {', '.join(said)}")


def _strongest(scores: Mapping[str, float]) -> str:
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    told = [f"{name} {score:.2f}" for name, score in ranked if score >= _LEAST]
    return ", ".join(told[:_STRONGEST]) or "a face at rest"
