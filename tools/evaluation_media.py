"""Writes material for ``understudy eval`` where there is no better: ``python tools/evaluation_media.py FOLDER``.

Public-domain portraits as sources, and clips of them as puppets: talking, turning to the side, and by one dim lamp.
"""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from understudy.arrays import UInt8Array
from understudy.testing import ClipSpec, Motion, Puppet, portrait, portrait_path, talking, write_clip

SIZE, RATE, SECONDS = (640, 480), 30, 3
PORTRAITS = ("astronaut", "hopper")


def turning(seconds: float) -> Motion:
    """A head that turns far to both sides."""
    return Motion(yaw=35 * math.sin(2 * math.pi * seconds / SECONDS), mouth=0.2 + 0.2 * math.sin(5 * seconds))


def by_a_lamp(picture: UInt8Array, grain: np.random.Generator) -> UInt8Array:
    """The same, lit warmly from the left, with the grain that a camera has then."""
    height, width, _ = picture.shape
    falloff = np.linspace(0.9, 0.2, width, dtype=np.float32)[None, :, None]
    noise = grain.normal(0, 4, (height, width, 1)).astype(np.float32)
    warm = np.array([0.7, 0.9, 1.1], np.float32)
    return np.asarray(np.clip(picture * falloff * warm + noise, 0, 255), np.uint8)


#: How each clip moves, and whether by a lamp.
KINDS: dict[str, tuple[Callable[[float], Motion], bool]] = {
    "talking": (talking, False),
    "turning": (turning, False),
    "lamp": (talking, True),
}


def frames(puppet: Puppet, motion: Callable[[float], Motion], lamp: bool) -> Iterator[UInt8Array]:
    """The pictures of a clip."""
    noise = np.random.default_rng(0)
    for number in range(SECONDS * RATE):
        picture = puppet.render(motion(number / RATE)).picture
        yield by_a_lamp(picture, noise) if lamp else picture


def main(folder: Path) -> None:
    """Write ``sources`` and ``targets`` into ``folder``; what is there already is kept."""
    sources, targets = folder / "sources", folder / "targets"
    for place in (sources, targets):
        place.mkdir(parents=True, exist_ok=True)
    for name in PORTRAITS:
        shutil.copyfile(portrait_path(name), sources / portrait_path(name).name)
        puppet = Puppet(portrait(name), SIZE, face_share=0.5)

        for kind, (motion, lamp) in KINDS.items():
            clip = targets / f"{name}-{kind}.mp4"
            if not clip.exists():
                write_clip(clip, frames(puppet, motion, lamp), ClipSpec(rate=RATE, audio=()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
