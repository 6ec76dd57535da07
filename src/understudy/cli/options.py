"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from understudy.errors import UsageError
from understudy.faces import FaceChoice

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")]
MaxPixels = Annotated[
    int | None,
    typer.Option("--max-pixels", min=1, help="Refuse photos and frames with more pixels. Default: 66 million."),
]
FacesOption = Annotated[str, typer.Option("--faces", help="Which faces of the target: largest, all, left or right.")]
HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="UNDERSTUDY_HOME",
        help="Private folder with key, consents and ledger. Default: the user's own.",
    ),
]
Strength = Annotated[
    float, typer.Option("--strength", min=0, max=1, help="How much of the swap is shown: 1 all of it.")
]
Shape = Annotated[
    float,
    typer.Option(
        "--shape",
        min=0,
        max=1.5,
        help="How far the face takes the photo's shape, inside its own contour: 0 not, 1 fully, 1.5 a caricature.",
    ),
]
File = Annotated[Path, typer.Argument(help="Picture or video.")]


def choice(word: str) -> FaceChoice:
    """The word as a choice of faces.

    Raises:
        UsageError: it is none.
    """
    if word not in get_args(FaceChoice):
        raise UsageError(f"--faces can't be {word!r}", f"Choose one of {', '.join(get_args(FaceChoice))}.")
    return cast(FaceChoice, word)
