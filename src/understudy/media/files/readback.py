"""Opens a finished video as whoever gets it would: what can't be opened gets no name."""

from __future__ import annotations

from pathlib import Path

import av
import av.error

from understudy.errors import OutputError


def check_video(path: Path, pictures: int | None = None) -> None:
    """Make sure that a file opens, shows its first picture, and holds all of them.

    Args:
        path: The file.
        pictures: How many there should be; None where that is not known.

    Raises:
        OutputError: it does not.
    """
    try:
        with av.open(str(path.absolute())) as container:
            next(container.decode(video=0))
        # All that is stored, whatever an edit list shows of it.
        with av.open(str(path.absolute()), options={"ignore_editlist": "1"}) as container:
            there = sum(packet.size > 0 for packet in container.demux(video=0))
        if pictures is not None and there != pictures:
            raise ValueError(f"it holds {there} of {pictures} pictures")
    except (av.error.FFmpegError, OSError, ValueError, IndexError, StopIteration) as fault:
        raise unreadable(fault) from fault


def unreadable(fault: Exception) -> OutputError:
    """What is raised of a file that can't be opened again."""
    reason = getattr(fault, "strerror", None) or str(fault) or "it shows no picture"
    return OutputError(
        f"the finished file could not be read back: {reason}", "Nothing was released. Check the disk and try again."
    )
