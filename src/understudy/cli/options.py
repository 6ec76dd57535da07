"""Options that several commands have, and the panels in which their help shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

#: The panels of a command's help, in the order in which they stand there; what is in none comes first.
FACES: Final = "Faces"
LOOK: Final = "Look"
MASK: Final = "Masks"
LABEL: Final = "Label and signature"
NEURAL: Final = "Neural models"
OUTPUT: Final = "Output"
ADVANCED: Final = "Advanced"
PANELS: Final = (FACES, LOOK, MASK, LABEL, NEURAL, OUTPUT, ADVANCED)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.", rich_help_panel=OUTPUT)]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace the output if it exists.", rich_help_panel=OUTPUT)
]
#: Of commands that take no settings.
HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="UNDERSTUDY_HOME",
        help="Private folder with key, consents and ledger. Default: the user's own.",
    ),
]
File = Annotated[Path, typer.Argument(help="Picture or video.")]
