"""What the content check says of pictures and clips, and what it costs.

``python -m benchmarks.content [PATH …]``, each a picture, a clip or a folder of those. Of a picture it prints how
intimate the package's classifier takes it to be, as a whole and at most with its squares, and of the faces in it,
cropped as close as a face's box and less so. Of a clip the same of four frames a second, what the check would do with
it from twelve frames on at which it might begin, and which share the looks are of the processor's time that a swap by
the mesh engine takes. Without a path: the package's portraits, puppets of them, plain colours and noise.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from understudy import Settings, Understudy
from understudy.arrays import UInt8Array
from understudy.errors import ContentRefusedError, NoFaceError, UnderstudyError
from understudy.frames import Frame
from understudy.media.files import load_photo, open_source
from understudy.provenance.content import ContentCheck, views
from understudy.provenance.open_nsfw import OpenNsfw
from understudy.resources.perception import Perception
from understudy.testing import Puppet, portrait, portrait_path, talking

#: How many times as large as a face's box its crops are, how often a second a clip is looked at, and from how many
#: places on the check is tried.
CROPS, RATE, BEGINNINGS = (1.0, 1.3, 1.7, 2.2), 4, 12
MOST_PIXELS = 100_000_000
#: Looks that are timed.
REPEATS = 20


def made() -> Iterator[tuple[str, UInt8Array]]:
    """What the package itself carries, and what is drawn."""
    for name in ("astronaut", "hopper"):
        yield name, portrait(name)
        puppet = Puppet(portrait(name), (480, 480), face_share=0.6)
        yield f"puppet of {name}", puppet.render(talking(0.4)).picture
    random = np.random.default_rng(1)
    yield "noise", random.integers(0, 256, (300, 400, 3)).astype(np.uint8)
    yield "smooth noise", cv2.resize(random.integers(0, 256, (9, 12, 3)).astype(np.uint8), (400, 300))
    colours = {"black": (0, 0, 0), "white": (255,) * 3, "grey": (128,) * 3, "red": (0, 0, 255), "blue": (255, 0, 0)}
    colours |= {"pale skin": (140, 170, 220), "tanned skin": (90, 120, 190), "dark skin": (50, 70, 110)}
    for name, colour in colours.items():
        yield f"plain {name}", np.full((300, 400, 3), colour, np.uint8)


def crops(picture: UInt8Array, perception: Perception) -> Iterator[UInt8Array]:
    """Squares about each face."""
    for box in perception.still(picture).boxes_xyxy:
        middle, side = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max())
        for factor in CROPS:
            x0, y0 = np.maximum(middle - factor * side / 2, 0).astype(int)
            x1, y1 = (middle + factor * side / 2).astype(int)
            yield np.ascontiguousarray(picture[y0:y1, x0:x1])


def look(name: str, picture: UInt8Array, own: OpenNsfw, perception: Perception) -> None:
    """Print what is said of a picture."""
    said = [own.intimate(view) for view in views(picture, 1.25)]
    faces = [own.intimate(crop) for crop in crops(picture, perception)]
    close = f"   its faces, close {max(faces):.3f}" if faces else ""
    print(f"{name:28} whole {said[0]:.3f}   at most {max(said):.3f}{close}")


def watched(frames: list[Frame], check: ContentCheck) -> str:
    """What the check does with frames, cuts left out."""
    try:
        for frame in frames:
            check.frame(frame.picture, frame.seconds)
    except ContentRefusedError as told:
        return told.message
    return ""


def clip(path: Path, own: OpenNsfw, perception: Perception, home: Path) -> None:
    """Print what is said of a clip, and what it costs."""
    with open_source(path, MOST_PIXELS) as source:
        frames = list(source)
        rate = len(frames) / max(frames[-1].seconds, 0.1)
    step = max(round(rate / RATE), 1)
    said = [own.intimate(frame.picture) for frame in frames[::step]]
    close = [own.intimate(one) for frame in frames[:: 10 * step] for one in crops(frame.picture, perception)]
    wide = [max(own.intimate(one) for one in views(frame.picture, 1.25)) for frame in frames[:: 4 * step]]
    middle, most = np.quantile(said, (0.5, 1))
    print(
        f"{path.name:28} whole: half of the frames {middle:.3f} or less, at most {most:.3f}, in squares {max(wide):.3f}"
    )
    print(f"{'':28} its faces, close, at most {max(close, default=0):.3f}")
    results = [watched(frames[at * 15 :], ContentCheck([own])) for at in range(BEGINNINGS) if at * 15 < len(frames)]
    refused = [one for one in results if one]
    print(f"{'':28} refused from {len(refused)} of {len(results)} beginnings {refused[:1] or ''}")
    share(path, frames[0].picture, own, home)


def share(path: Path, picture: UInt8Array, own: OpenNsfw, home: Path) -> None:
    """Print what share of the processor's time of a clip's swap goes into the check."""
    begun = time.thread_time()
    for _ in range(REPEATS):
        own.intimate(picture)
    a_look = (time.thread_time() - begun) / REPEATS
    with Understudy(Settings(home=home)) as app, tempfile.TemporaryDirectory() as folder:
        person, begun = app.person(portrait_path("hopper"), consent="sample"), time.process_time()
        try:
            report = app.swap(path, Path(folder) / "out.mp4", person)
        except NoFaceError:
            print(f"{'':28} no face")
            return
        processor = time.process_time() - begun
    looks = next(int(found[1]) for note in report.notes if (found := re.search(r"content .* (\d+) look", note)))
    print(
        f"{'':28} a swap of {report.frames} frames takes {1000 * processor / report.frames:.1f} ms of a processor a "
        f"frame; {looks} looks of {1000 * a_look:.1f} ms are {a_look * looks / processor:.2%}"
    )


def files(paths: list[Path]) -> Iterator[Path]:
    """The files of paths and folders."""
    for path in paths:
        yield from sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path)
    asked = parser.parse_args()
    own, perception = OpenNsfw(), Perception.embedded()
    tell: Callable[[str, UInt8Array], None] = lambda name, picture: look(name, picture, own, perception)  # noqa: E731
    if not asked.paths:
        for name, picture in made():
            tell(name, picture)
    with tempfile.TemporaryDirectory() as folder:
        for path in files(asked.paths):
            try:
                picture = load_photo(path, MOST_PIXELS)
                if picture is not None:
                    tell(path.name, picture)
                else:
                    clip(path, own, perception, Path(folder))
            except UnderstudyError as fault:
                print(f"{path.name:28} {fault.message}")


if __name__ == "__main__":
    main()
