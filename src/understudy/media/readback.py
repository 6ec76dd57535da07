"""Opens a finished video as whoever gets it would: what can't be opened gets no name."""

from __future__ import annotations

from pathlib import Path

import av
import av.error

from understudy.errors import OutputError


def check_video(path: Path) -> None:
    """Make sure that a file opens, and shows a picture.

    Raises:
        OutputError: it does not.
    """
    try:
        with av.open(str(path.absolute())) as container:
            next(container.decode(video=0))
    except (av.error.FFmpegError, OSError, ValueError, IndexError, StopIteration) as fault:
        raise unreadable(fault) from fault


def unreadable(fault: Exception) -> OutputError:
    """What is raised of a file that can't be opened again."""
    reason = getattr(fault, "strerror", None) or str(fault) or "it shows no picture"
    return OutputError(
        f"the finished file could not be read back: {reason}", "Nothing was released. Check the disk and try again."
    )
