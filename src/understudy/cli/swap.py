"""``understudy swap``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from understudy.cli.chosen import Chosen, takes_settings
from understudy.cli.consent import ConsentNote, ConsentOption, ask, claim_of
from understudy.cli.options import Json, Overwrite
from understudy.cli.parts import CastFile, LikeDistance, Others, Put, asked, claimed
from understudy.cli.setting_options import EVERY
from understudy.cli.terminal import answer_json, progress_bar, say
from understudy.face import FaceChoice
from understudy.text import counted

Sources = Annotated[
    list[Path] | None,
    typer.Option(
        "--source",
        "-s",
        help="Photo of the person whose face is used. May be given several times, for more photos of them.",
        show_default=False,
    ),
]
Target = Annotated[Path, typer.Option("--target", "-t", help="Picture, animation or video to put the face into.")]
Output = Annotated[
    Path,
    typer.Option("--output", "-o", help="File to write: mp4 mov mkv webm gif webp, or png jpg webp for a picture."),
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
    overwrite: Overwrite = False,
    json: Json = False,
    *,
    chosen: Chosen,
) -> None:
    """Put a person's face into a picture or video, or several people's. All is labelled, marked and signed."""
    from understudy.app import Understudy
    from understudy.casting.cast import photos_of

    faces = chosen.given_to("--faces")
    wanted = asked(source or [], put, cast, others, like_distance, faces)
    if faces is not None and faces not in get_args(FaceChoice):
        chosen = chosen.without("--faces")  # somebody in particular, of whom the settings know nothing
    settings = chosen.settings()
    claim = claim_of(consent, consent_note) or ask(photos_of(wanted), settings.home)
    with Understudy(settings) as app, progress_bar("swapping") as progress:
        report = app.swap(target, output, claimed(wanted, claim), overwrite=overwrite, progress=progress)
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
    say(f"signed as {report.identifier}; `understudy inspect {report.output}` checks it")
