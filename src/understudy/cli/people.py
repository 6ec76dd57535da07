"""``understudy people``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.chosen import Chosen, takes_settings
from understudy.cli.options import File, Json, Overwrite
from understudy.cli.terminal import answer, answer_json, progress_bar, say

if TYPE_CHECKING:
    from understudy.casting.clip_person import ClipPerson
    from understudy.tasks.people import PeopleReport

Cast = Annotated[
    Path | None,
    typer.Option("--cast", help="Write a cast file (.toml or .json), to be filled in.", show_default=False),
]
Embeddings = Annotated[
    bool,
    typer.Option(
        "--embeddings/--no-embeddings",
        help="Whether the cast file says what people look like to the recogniser: with it the cast holds for other "
        "clips, too; it is biometric data.",
    ),
]
Sheet = Annotated[
    Path | None,
    typer.Option("--sheet", help="Write a picture of everybody with their numbers (jpg, png).", show_default=False),
]
Asked = Annotated[
    list[str] | None,
    typer.Option(
        "--ask",
        help="Ask this model of `understudy models list` about each person, such as genderage: it guesses.",
        show_default=False,
    ),
]


@takes_settings(("--detector", "--recogniser", "--device", "--backend", "--precision", "--max-pixels", "--home"))
def command(
    file: File,
    cast: Cast = None,
    embeddings: Embeddings = True,
    sheet: Sheet = None,
    asked: Asked = None,
    overwrite: Overwrite = False,
    json: Json = False,
    *,
    chosen: Chosen,
) -> None:
    """Say who is in a picture or video: each person once, with a number to put a face on."""
    from understudy.app import Understudy
    from understudy.casting.cast_file import check_cast, write_cast
    from understudy.outputs import refuse_inputs
    from understudy.tasks.people_sheet import check_sheet, write_sheet

    settings, inputs = chosen.settings(), [file, *chosen.files]
    for output in filter(None, (cast, sheet)):
        refuse_inputs(output, inputs)
    if cast is not None:
        check_cast(cast, overwrite=overwrite)
    if sheet is not None:
        check_sheet(sheet, overwrite=overwrite)
    with progress_bar("looking") as progress, Understudy(settings) as app:
        report = app.people(file, ask=asked or (), progress=progress)
    if cast is not None:
        write_cast(cast, report.people, report.path.name, embeddings=embeddings, overwrite=overwrite)
        say(f"wrote {cast}: it holds {_held(report, embeddings=embeddings)}, for your eyes only")
    if sheet is not None:
        write_sheet(sheet, report.people, overwrite=overwrite)
        say(f"wrote {sheet}")
    if json:
        answer_json(report.as_json())
    else:
        _tell(report)
    if report.damage is not None:
        damage = f"damaged after {report.damage.at_seconds:.2f} s ({report.damage.reason})"
        say(f"note: {file.name} is {damage}: who comes later is not known")


def _held(report: PeopleReport, *, embeddings: bool) -> str:
    """What a cast file holds of the people."""
    pictures = "a small picture of each face" if any(one.thumbnail is not None for one in report.people) else ""
    if embeddings and any(one.known for one in report.people):
        return "biometric data" + (f", and {pictures}" if pictures else "")
    return f"{pictures or 'where each is seen'}, and no embeddings"


def _tell(report: PeopleReport) -> None:
    """Say who is in the file."""
    frames = "" if report.kind == "image" else f", {report.frames} frame{'s' * (report.frames != 1)} looked at"
    people = {0: "nobody", 1: "1 person"}.get(len(report), f"{len(report)} people")
    answer(f"{report.path.name}: {report.kind}, {report.width}x{report.height}{frames}: {people}")
    for person in report.people:
        answer(_line(person))
        for reading in person.readings:
            if reading.looks is not None:
                answer(f"       {reading.model}: looks {reading.looks[0]}, about {reading.looks[1]} (a guess)")
    if report.glimpsed:
        answer(f"  and {report.glimpsed} more, for a moment or too small to be recognised")


def _line(person: ClipPerson) -> str:
    where = f"at {person.center_xy[0]:.0%} across, {person.center_xy[1]:.0%} down, {person.size:.0%} of the height"
    if person.first_seconds is not None:
        when = f"{person.share:4.0%} of the frames, {person.first_seconds:.2f}-{person.last_seconds:.2f} s, "
        where = when + where
    known = "" if person.known else "; never seen well enough to be told from others"
    return f"  {person.number}  {where}{known}"
