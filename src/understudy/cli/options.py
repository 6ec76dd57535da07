"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from understudy.errors import UsageError
from understudy.faces import FaceChoice

if TYPE_CHECKING:
    from understudy.models.devices import RuntimeOptions

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")]
MaxPixels = Annotated[
    int | None,
    typer.Option("--max-pixels", min=1, help="Refuse photos and frames with more pixels. Default: 96 million."),
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
Engine = Annotated[
    str, typer.Option("--engine", help="mesh, which needs nothing more, or a swapper of `understudy models list`.")
]
DetectorOption = Annotated[str, typer.Option("--detector", help="embedded, or a detector of `understudy models list`.")]
DeviceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--device",
        help="Where neural models run: auto, cpu, cuda, tensorrt, coreml, directml or openvino. MODEL=DEVICE or "
        "KIND=DEVICE places one of them; may be given several times.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option("--threads", min=1, max=1024, help="Of a neural model on the CPU; if left out, one a core."),
]
Boost = Annotated[
    int,
    typer.Option("--boost", min=1, max=4, help="Neural engines: so many times as many pixels along each side."),
]
Weight = Annotated[
    float,
    typer.Option(
        "--weight",
        min=0,
        max=1,
        help="Neural engines: how much of the photo's identity: 0.5 as it is, less mixes the target's in, more "
        "exaggerates what tells them apart.",
    ),
]
File = Annotated[Path, typer.Argument(help="Picture or video.")]


def runtime_options(words: list[str] | None, threads: int | None = None) -> RuntimeOptions:
    """How neural models run.

    Raises:
        UsageError: there is no such device, or two places are named for all.
    """
    from understudy.models.devices import DEVICES, Device, RuntimeOptions

    places: dict[str, Device] = {}
    for word in words or []:
        name, equals, asked = word.rpartition("=")
        device = next((device for device in DEVICES if device == asked), None)
        if device is None or bool(equals) != bool(name):
            raise UsageError(f"--device can't be {word!r}", f"Choose one of {', '.join(DEVICES)}, or MODEL=DEVICE.")
        if places.get(name, device) != device:
            raise UsageError(f"--device names two places for {name or 'all models'}", "Name one.")
        places[name] = device
    everywhere = places.pop("", "auto")
    return RuntimeOptions(device=everywhere, threads=threads, placed=tuple(places.items()))


def choice(word: str) -> FaceChoice:
    """The word as a choice of faces.

    Raises:
        UsageError: it is none.
    """
    if word not in get_args(FaceChoice):
        raise UsageError(f"--faces can't be {word!r}", f"Choose one of {', '.join(get_args(FaceChoice))}.")
    return cast(FaceChoice, word)
