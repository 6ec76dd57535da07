"""The demo: sample material made on the spot, a swap of it, and a page to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from understudy.app import Understudy
from understudy.arrays import UInt8Array
from understudy.media.files import MediaKind
from understudy.media.files.atomic import AtomicFile
from understudy.media.files.readback import check_video
from understudy.media.reading import open_container
from understudy.media.tags import add_xmp
from understudy.outputs import Draft, settled
from understudy.settings import Settings
from understudy.tasks.report import SwapReport
from understudy.testing.clips import ClipSpec, write_clip, write_puppet_clip
from understudy.testing.motion import presenting
from understudy.testing.portraits import portrait, portrait_path
from understudy.testing.puppet import Puppet
from understudy.text import counted

#: Whose face, and onto whom. A young face without glasses shows what the engine does, as a photo; the other way round
#: half of the texture is made up, for the glasses hide it. As a target glasses stay, and wrinkles go.
SOURCE, TARGET = "astronaut", "hopper"
#: Where the face is on the source's photo: x0, y0, x1, y1 in its pixels, as the detector finds it.
FACE_BOX = (180.0, 70.0, 272.0, 179.0)
#: Who that is, as the report says it.
NAMES = {"astronaut": "Eileen Collins (NASA)", "hopper": "Grace Hopper (US Navy)"}
SIZE = (960, 720)
#: Height of the face over the sample's: the portrait fills the frame, and is small: larger it would be a blur.
FACE_SHARE = 0.45
#: Of the sample that is played as if it were a camera: pixels, pictures a second, and how long it goes one way.
LIVE_SIZE, LIVE_RATE, LIVE_SECONDS = (1280, 720), 30, 2
PICTURE, CLIP, SWAPPED, VIDEO = "swapped.png", "sample.mp4", "swapped.mp4", "side-by-side.mp4"
#: How the report begins.
_HEAD = "Understudy demo\n\n"


@dataclass(frozen=True)
class DemoReport:
    """What the demo wrote.

    Attributes:
        picture: The swapped portrait.
        clip: The sample clip.
        swapped: The swapped clip.
        video: Sample and swap side by side.
        report: A page of text about it.
        swap: What was done to the clip.
    """

    picture: Path
    clip: Path
    swapped: Path
    video: Path
    report: Path
    swap: SwapReport

    def as_json(self) -> dict[str, object]:
        """The report as plain values."""
        values = asdict(self) | {"swap": self.swap.as_json()}
        return {key: str(value) if isinstance(value, Path) else value for key, value in values.items()}


def sample_pictures(count: int) -> Iterator[UInt8Array]:
    """Pictures of both sample faces in motion, in turn: uint8 BGR, of ``SIZE``."""
    puppets = [Puppet(portrait(name), SIZE, face_share=FACE_SHARE) for name in (SOURCE, TARGET)]
    for number in range(count):
        yield puppets[number % 2].render(presenting(number * 0.37)).picture


def sample_photo() -> Path:
    """The photo of the sample face."""
    return portrait_path(SOURCE)


def write_sample(path: Path, check: Callable[[], object] = lambda: None) -> None:
    """Write a clip of the sample target that can be played again and again: to and fro, without sound.

    Args:
        path: A file that may be replaced.
        check: Called before each frame; what it raises ends the writing.
    """
    puppet = Puppet(portrait(TARGET), LIVE_SIZE, face_share=FACE_SHARE)
    there = []
    for number in range(LIVE_SECONDS * LIVE_RATE):
        check()
        there.append(puppet.render(presenting(number / LIVE_RATE)).picture)

    def pictures() -> Iterator[UInt8Array]:
        for picture in [*there, *there[-2:0:-1]]:
            check()
            yield picture

    spec = ClipSpec(
        audio=(), options=(("crf", "18"), ("preset", "superfast")), metadata=(("title", "Understudy sample"),)
    )
    write_clip(path, pictures(), spec)


def make_demo(
    folder: Path, *, seconds: float, home: Path | None = None, progress: Callable[[int, int | None], None] | None = None
) -> DemoReport:
    """Make the demo's files in ``folder``, which exists; files of an earlier demo are replaced.

    Raises:
        OutputExistsError: the folder holds files of those names that no demo made.
    """
    report = folder / "report.txt"
    _check_folder(folder, report)
    Draft(report, overwrite=True).write(_HEAD.encode())  # says whose files these are, if it is broken off
    picture, clip, swapped, video = (folder / name for name in (PICTURE, CLIP, SWAPPED, VIDEO))
    puppet = Puppet(portrait(TARGET), SIZE, face_share=FACE_SHARE)
    spec = ClipSpec(metadata=(("title", "Understudy sample"),))
    write_puppet_clip(clip, puppet, seconds, spec, presenting)
    with Understudy(Settings(home=home)) as app:
        person = app.person(portrait_path(SOURCE), consent="sample")
        app.swap(portrait_path(TARGET), picture, person, overwrite=True)
        done = app.swap(clip, swapped, person, overwrite=True, progress=progress)
        _write_signed(video, _side_by_side(clip, swapped), swapped, done, app)
    Draft(report, overwrite=True).write(_page(done, picture, clip, swapped, video).encode())
    return DemoReport(picture, clip, swapped, video, report, done)


def _check_folder(folder: Path, report: Path) -> None:
    """Refuse a folder with files that would be replaced, unless an earlier demo's report lies there."""
    names = (PICTURE, CLIP, SWAPPED, VIDEO, report.name)
    if report.is_file():
        with suppress(OSError, ValueError), report.open(encoding="utf-8") as file:
            if file.read(len(_HEAD)) == _HEAD:
                return
    for name in names:
        settled(folder / name, overwrite=False, hint="Name another folder with --output-dir.")


def _write_signed(
    video: Path, pictures: Iterator[UInt8Array], swapped: Path, done: SwapReport, app: Understudy
) -> None:
    """A clip of pictures that show a swap: labelled already, and signed like every output."""
    file = AtomicFile(video, overwrite=True)
    try:
        output = app.resources.trust(app.settings).output(app.settings, swapped, MediaKind.VIDEO, done.consents, ())
        write_clip(file.path, pictures, ClipSpec(audio=()))
        add_xmp(file.path, video.suffix, output.release.tags.xmp)
        file.release(output.release, check_video)
    finally:
        file.discard()


def _side_by_side(clip: Path, swapped: Path) -> Iterator[UInt8Array]:
    """The sample with the photo in its corner, and beside it the swapped clip with its own label."""
    photo = portrait(SOURCE)
    scale = SIZE[1] * 0.3 / photo.shape[0]
    inset = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)

    with open_container(clip) as left, open_container(swapped) as right:
        for pair in zip(left.decode(video=0), right.decode(video=0), strict=False):
            first, second = (frame.to_ndarray(format="bgr24") for frame in pair)
            first[: inset.shape[0], : inset.shape[1]] = inset
            yield np.ascontiguousarray(np.hstack([first, second]), np.uint8)


def _page(done: SwapReport, picture: Path, clip: Path, swapped: Path, video: Path) -> str:
    stages = "\n".join(
        f"  {name:9s} {times['p50']:6.1f} ms   (95%: {times['p95']:.1f} ms)" for name, times in done.stages_ms.items()
    )
    return (
        f"{_HEAD}"
        f"source photo      {NAMES[SOURCE]}, public domain\n"
        f"sample clip       {clip.name}: a portrait of {NAMES[TARGET]}, public domain, moved by a program;\n"
        "                  both were chosen because they show the engine well\n"
        f"swapped clip      {swapped.name}: {done.frames_swapped} of {counted(done.frames, 'frame')} swapped, "
        "all labelled\n"
        f"swapped picture   {picture.name}\n"
        f"side by side      {video.name}\n\n"
        f"{done.width}x{done.height}, {done.fps:.1f} frames a second on this machine, decoding and encoding included.\n"
        f"Milliseconds a frame, median:\n{stages}\n"
    )
