"""``understudy demo``: a swap of sample material that is made on the spot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.options import HomeOption, Json
from understudy.cli.terminal import answer_json, progress_bar, say
from understudy.outputs import made

if TYPE_CHECKING:
    from understudy.arrays import UInt8Array
    from understudy.server.studio.samples import Samples

Folder = Annotated[Path, typer.Option("--output-dir", "-d", help="Folder for the demo's files; made if missing.")]
Seconds = Annotated[float, typer.Option("--seconds", min=0.2, max=60, help="Length of the sample clip.")]


def command(
    output_dir: Folder = Path("demo"), seconds: Seconds = 6.0, home: HomeOption = None, json: Json = False
) -> None:
    """Make a sample clip out of public-domain portraits, swap a face onto it, and show both side by side."""
    from understudy.testing.demo import make_demo

    made(output_dir, "Name another with --output-dir.")
    with progress_bar("demo") as progress:
        report = make_demo(output_dir, seconds=seconds, home=home, progress=progress)
    if json:
        answer_json(report.as_json())
        return
    say(f"swapped picture: {report.picture}")
    say(f"side by side:    {report.video}")
    say(f"report:          {report.report}")


def sample_pictures(count: int) -> Iterator[UInt8Array]:
    """Pictures of the demo's two faces, uint8 BGR (H, W, 3), for other commands that need some."""
    from understudy.testing import demo

    return demo.sample_pictures(count)


def samples() -> Samples:
    """The demo's photo and clip, for the studio's first minute."""
    from understudy.server.studio.samples import Samples
    from understudy.testing import demo

    face, target = (demo.NAMES[name].partition(" (")[0] for name in (demo.SOURCE, demo.TARGET))
    return Samples(demo.sample_photo(), demo.FACE_BOX, face, demo.write_sample, target)
