"""What is measured on: photos of sources, and a few stretches of each clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from understudy import names
from understudy.errors import InputNotFoundError, UsageError, unreadable_input
from understudy.frames import Frame
from understudy.media.files import open_source
from understudy.media.files.encoders import CONTAINERS, STILL_FORMATS

#: Stretches that are taken of a clip, spread over it.
STRETCHES = 3
#: Most bytes of pictures that are taken of a clip: 96 frames of 1920x1080.
_MOST_BYTES = 600_000_000


@dataclass(frozen=True, eq=False)
class Clip:
    """Some of a clip.

    Attributes:
        path: The file.
        stretches: Frames that follow each other; between two stretches there is a gap.
    """

    path: Path
    stretches: tuple[tuple[Frame, ...], ...]

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return self.path.stem


def pictures_in(folder: Path) -> list[Path]:
    """The photos in a folder, by name."""
    return _files(folder, set(STILL_FORMATS), "photo")


def clips_in(folder: Path) -> list[Path]:
    """The clips in a folder, by name."""
    return _files(folder, set(CONTAINERS), "clip")


def _files(folder: Path, suffixes: set[str], what: str) -> list[Path]:
    if not names.exists(folder):
        raise InputNotFoundError(folder, f"folder of {what}s")
    if names.is_file(folder):
        return [folder]
    try:
        found = sorted(path for path in folder.iterdir() if names.is_file(path) and path.suffix.lower() in suffixes)
    except OSError as fault:
        raise unreadable_input(folder, fault) from fault
    if not found:
        raise UsageError(
            f"there is no {what} in {folder}", f"Name a folder with {what}s ({' '.join(sorted(suffixes))})."
        )
    return found


def read_clip(path: Path, frames: int, max_pixels: int) -> Clip:
    """At most ``frames`` frames of a clip: all of a short one, else stretches at its start, middle and end.

    Of large pictures fewer: all of them are held at once.

    Raises:
        InputError: the file can't be used.
    """
    with open_source(path, max_pixels) as source:
        frames = max(min(frames, _MOST_BYTES // (3 * source.info.width * source.info.height)), 1)
        starts = _starts(source.info.frames, frames)
        length = frames // len(starts)
        stretches: list[list[Frame]] = [[] for _ in starts]
        for number, frame in enumerate(source):
            for start, stretch in zip(starts, stretches, strict=True):
                if start <= number < start + length:
                    stretch.append(Frame(frame.picture, frame.pts, frame.time_base, frame.duration))
            if number >= starts[-1] + length:
                break
    return Clip(path, tuple(tuple(stretch) for stretch in stretches if stretch))


def _starts(total: int | None, frames: int) -> Sequence[int]:
    if total is None or total <= frames or frames < STRETCHES:
        return (0,)
    last = total - frames // STRETCHES
    return tuple(round(last * k / (STRETCHES - 1)) for k in range(STRETCHES))
