"""Options of the label and the signature, for every command that makes something."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from understudy.errors import UsageError

if TYPE_CHECKING:
    from understudy.provenance import LabelOptions, SigningOptions
    from understudy.provenance.label import Corner

LabelText = Annotated[str | None, typer.Option("--label-text", help="What the visible label says, in any language.")]
LabelFont = Annotated[
    Path | None,
    typer.Option(
        "--label-font",
        help="Font file for a script that the built-in fonts lack. They have Latin, Greek, Cyrillic, Armenian, "
        "Georgian, Hebrew, Arabic, Chinese, Japanese and Korean.",
    ),
]
LabelCorner = Annotated[
    str | None,
    typer.Option(
        "--label-corner", help="Where it stands while no face is there: bottom-left, bottom-right, top-left, top-right."
    ),
]
LabelSize = Annotated[
    float | None,
    typer.Option("--label-size", help="Height of its letters over the picture's shorter side; 0.05 at least."),
]
LabelLaterSize = Annotated[
    float | None,
    typer.Option("--label-later-size", help="The same after the first 2 s of a video; 0.025 at least."),
]
SigningCert = Annotated[
    Path | None, typer.Option("--signing-cert", help="Sign with your own certificate (PEM) and --signing-key.")
]
SigningKeyFile = Annotated[Path | None, typer.Option("--signing-key", help="Its private key (PEM, mode 600).")]


def label_options(
    text: str | None,
    corner: str | None,
    size: float | None,
    later_size: float | None,
    font: Path | None,
) -> LabelOptions:
    """The label that was asked for; what was not given is the default's.

    Raises:
        UsageError: the label can't be like that.
    """
    from understudy.provenance import LabelOptions

    usual = LabelOptions()
    try:
        return LabelOptions(
            text=usual.text if text is None else text,
            corner=usual.corner if corner is None else cast("Corner", corner),
            size=usual.size if size is None else size,
            later_size=later_size,
            font=font,
        )
    except ValueError as fault:
        raise UsageError(str(fault), "See the --label options in `--help`.") from fault


def signing_options(certificate: Path | None, key: Path | None) -> SigningOptions:
    """The certificate and key that were given, or the install's own.

    Raises:
        UsageError: one without the other.
    """
    from understudy.provenance import SigningOptions

    try:
        return SigningOptions(certificate, key)
    except ValueError as fault:
        raise UsageError(str(fault), "Give --signing-cert and --signing-key, or neither.") from fault
