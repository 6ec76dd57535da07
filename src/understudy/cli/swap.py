"""``understudy swap``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from understudy.cli.chosen import Chosen, takes_settings
from understudy.cli.consent import ConsentNote, ConsentOption, ask, claim_of
from understudy.cli.options import OUTPUT, Json, Overwrite
from understudy.cli.parts import CastFile, LikeDistance, Others, Put, asked, claimed
from understudy.cli.setting_options import EVERY
from understudy.cli.terminal import answer_json, progress_bar, say
from understudy.errors import UsageError
from understudy.imports import not_collecting
from understudy.text import counted, pasted

if TYPE_CHECKING:
    from understudy.settings import Settings

Sources = Annotated[
    list[Path] | None,
    typer.Option(
        "--source",
        "-s",
        help="Photo of the person whose face is used. May be given several times, for more photos of them.",
        show_default=False,
    ),
]
# One each: of several only the last would be seen to.
Target = Annotated[list[Path], typer.Option("--target", "-t", help="Picture, animation or video to put the face into.")]
Output = Annotated[
    list[Path],
    typer.Option("--output", "-o", help="File to write: mp4 mov mkv webm gif webp, or png jpg webp for a picture."),
]
SideBySide = Annotated[
    bool,
    typer.Option(
        "--side-by-side",
        help="Show the original beside the result, in one file; above it where the target is wider than 16:9.",
        rich_help_panel=OUTPUT,
    ),
]
Wipe = Annotated[
    bool,
    typer.Option(
        "--wipe",
        help="Show the original left of a line that wanders slowly to and fro, and the result right of it; in a "
        "picture the line stays in the middle.",
        rich_help_panel=OUTPUT,
    ),
]


@takes_settings(EVERY - {"--on-lost"})
def command(
    target: Target,
    output: Output,
    source: Sources = None,
    put: Put = None,
    cast: CastFile = None,
    others: Others = None,
    like_distance: LikeDistance = 1.0,
    consent: ConsentOption = None,
    consent_note: ConsentNote = "",
    side_by_side: SideBySide = False,
    wipe: Wipe = False,
    overwrite: Overwrite = False,
    json: Json = False,
    *,
    chosen: Chosen,
) -> None:
    """Put a person's face into a picture or video, or several people's. All is labelled, marked and signed."""
    with not_collecting():
        from understudy.app import Understudy
        from understudy.casting.cast import photos_of
        from understudy.face import FaceChoice

    if len(target) > 1 or len(output) > 1:
        raise UsageError(
            f"{'--target' if len(target) > 1 else '--output'} names one file",
            "For several: understudy jobs add FILE …, then understudy jobs run.",
        )
    faces = chosen.given_to("--faces")
    wanted = asked(source or [], put, cast, others, like_distance, faces)
    if faces is not None and faces not in get_args(FaceChoice):
        chosen = chosen.without("--faces")  # somebody in particular, of whom the settings know nothing
    settings = _with_compare(chosen.settings(), side_by_side=side_by_side, wipe=wipe)
    claim = claim_of(consent, consent_note) or ask(photos_of(wanted), settings.home)
    with Understudy(settings) as app, progress_bar("swapping") as progress:
        report = app.swap(target[0], output[0], claimed(wanted, claim), overwrite=overwrite, progress=progress)
    for note in report.notes:
        say(f"note: {note}")
    if json:
        answer_json(report.as_json())
        return
    swapped = f"{report.frames_swapped} of {counted(report.frames, 'frame')} swapped, all labelled and marked"
    if report.kind == "image":
        swapped = "swapped, labelled and marked"
    speed = f" ({report.fps:.1f} fps)" if report.frames > 1 else ""
    say(f"wrote {report.output}: {swapped}, {report.seconds:.1f} s{speed}")
    say(f"signed as {report.identifier}; `understudy inspect {pasted(report.output)}` checks it")


def _with_compare(settings: Settings, *, side_by_side: bool, wipe: bool) -> Settings:
    """The settings, with the compare that the options ask for.

    Raises:
        UsageError: they ask for two.
    """
    if side_by_side and wipe:
        raise UsageError("--side-by-side and --wipe are two ways to compare", "Leave one of them out.")
    if side_by_side:
        return replace(settings, compare="side-by-side")
    return replace(settings, compare="wipe") if wipe else settings
