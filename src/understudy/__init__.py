"""Understudy: one photo in; that face on the person in front of the camera, labelled by construction.

>>> import understudy
>>> understudy.swap(source="me.jpg", target="clip.mp4", output="out.mp4")  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING

from understudy.version import __version__

if TYPE_CHECKING:
    from understudy.pipeline import Settings, SwapReport

__all__ = ["__version__", "swap"]


def swap(
    source: str | PathLike[str] | Sequence[str | PathLike[str]],
    target: str | PathLike[str],
    output: str | PathLike[str],
    *,
    settings: Settings | None = None,
    overwrite: bool = False,
) -> SwapReport:
    """Put the face of one person onto a face in a picture or video.

    Args:
        source: A photo, or several photos of the same person.
        target: A picture, animation or video.
        output: The file to write; its suffix says the format.
        settings: Everything else (``understudy.pipeline.Settings``); the defaults if None.
        overwrite: Whether an existing output may be replaced.

    Returns:
        What was done.

    Raises:
        understudy.errors.UnderstudyError: nothing was written then, but for ``CorruptMediaError``.
    """
    # Imported here: `import understudy` opens no model and loads no codec.
    from pathlib import Path

    from understudy.pipeline import Settings, swap_file

    several = [source] if isinstance(source, (str, PathLike)) else list(source)
    return swap_file(
        [Path(photo) for photo in several],
        Path(target),
        Path(output),
        settings or Settings(),
        overwrite=overwrite,
    )
