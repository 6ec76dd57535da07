"""``understudy swap``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.consent import ConsentNote, ConsentOption, ask, claim_of
from understudy.cli.options import (
    Boost,
    DetectorOption,
    DeviceOption,
    Engine,
    FacesOption,
    HomeOption,
    Json,
    MaxPixels,
    Overwrite,
    Shape,
    Strength,
    Threads,
    Weight,
    choice,
    runtime_options,
)
from understudy.cli.terminal import answer_json, progress_bar, say
from understudy.cli.trust import (
    LabelCorner,
    LabelFont,
    LabelLaterSize,
    LabelSize,
    LabelText,
    SigningCert,
    SigningKeyFile,
    label_options,
    signing_options,
)

Sources = Annotated[
    list[Path],
    typer.Option("--source", "-s", help="Photo of the person whose face is used; several of one person may be given."),
]
Target = Annotated[Path, typer.Option("--target", "-t", help="Picture, animation or video to put the face into.")]
Output = Annotated[
    Path,
    typer.Option("--output", "-o", help="File to write: mp4 mov mkv webm gif webp, or png jpg webp for a picture."),
]
SourceFace = Annotated[
    int | None,
    typer.Option("--source-face", help="Which face of a photo with several: 1 is the leftmost. Default: the largest."),
]
Encoder = Annotated[
    str | None,
    typer.Option("--encoder", help="Video encoder by FFmpeg's name; `understudy doctor` lists those that open."),
]
Quality = Annotated[int, typer.Option("--quality", min=0, max=100, help="0-100; 90 looks like the target.")]


def command(
    source: Sources,
    target: Target,
    output: Output,
    engine: Engine = "mesh",
    faces: FacesOption = "largest",
    source_face: SourceFace = None,
    strength: Strength = 1.0,
    shape: Shape = 1.0,
    consent: ConsentOption = None,
    consent_note: ConsentNote = "",
    label_text: LabelText = None,
    label_corner: LabelCorner = None,
    label_size: LabelSize = None,
    label_later_size: LabelLaterSize = None,
    label_font: LabelFont = None,
    signing_cert: SigningCert = None,
    signing_key: SigningKeyFile = None,
    detector: DetectorOption = "embedded",
    device: DeviceOption = None,
    threads: Threads = None,
    boost: Boost = 1,
    weight: Weight = 0.5,
    home: HomeOption = None,
    encoder: Encoder = None,
    quality: Quality = 90,
    max_pixels: MaxPixels = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Put one person's face into a picture or video. Every frame is labelled and marked, every file signed."""
    from understudy.app import Understudy
    from understudy.blending import BlendOptions
    from understudy.media import EncodeOptions
    from understudy.media.base import MAX_PIXELS
    from understudy.settings import Settings
    from understudy.swapping import MeshOptions
    from understudy.swapping.neural.options import NeuralOptions

    settings = Settings(
        engine=engine,
        detector=detector,
        faces=choice(faces),
        source_face=source_face,
        max_pixels=max_pixels or MAX_PIXELS,
        blend=BlendOptions(strength=strength),
        mesh=MeshOptions(shape=shape),
        label=label_options(label_text, label_corner, label_size, label_later_size, label_font),
        signing=signing_options(signing_cert, signing_key),
        runtime=runtime_options(device, threads),
        neural=NeuralOptions(boost=boost, weight=weight),
        home=home,
        encode=EncodeOptions(encoder=encoder, quality=quality),
    )
    claim = claim_of(consent, consent_note) or ask(source, home)
    with Understudy(settings) as app, progress_bar("swapping") as progress:
        person = app.person(*source, consent=claim)
        report = app.swap(target, output, person, overwrite=overwrite, progress=progress)
    for note in report.notes:
        say(f"note: {note}")
    if json:
        answer_json(report.as_json())
        return
    swapped = f"{report.frames_swapped} of {report.frames} frames swapped, all labelled and marked"
    if report.kind == "image":
        swapped = "swapped, labelled and marked"
    speed = f" ({report.fps:.1f} fps)" if report.frames > 1 else ""
    say(f"wrote {report.output}: {swapped}, {report.seconds:.1f} s{speed}")
    say(f"signed as {report.identifier}; `understudy inspect {report.output}` checks it")
