"""Understudy: one photo in; that face on the person in front of the camera, labelled by construction.

>>> import understudy
>>> understudy.swap(source="me.jpg", target="clip.mp4", output="out.mp4", consent="self")  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING

from understudy.version import __version__

if TYPE_CHECKING:
    from understudy.pipeline import Settings, SwapReport
    from understudy.pipeline.inspect import Inspection
    from understudy.provenance.consent import Ground

__all__ = ["__version__", "inspect", "swap"]


def swap(
    source: str | PathLike[str] | Sequence[str | PathLike[str]],
    target: str | PathLike[str],
    output: str | PathLike[str],
    *,
    consent: Ground | None = None,
    consent_note: str = "",
    settings: Settings | None = None,
    overwrite: bool = False,
) -> SwapReport:
    """Put the face of one person onto a face in a picture or video.

    Args:
        source: A photo, or several photos of the same person.
        target: A picture, animation or video.
        output: The file to write; its suffix says the format.
        consent: On what ground the photos are used: ``self``, ``granted`` (with a note), ``fictional`` or
            ``sample``; None where a consent record says so already.
        consent_note: How consent was granted.
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
    from understudy.provenance import ConsentClaim

    several = [source] if isinstance(source, (str, PathLike)) else list(source)
    return swap_file(
        [Path(photo) for photo in several],
        Path(target),
        Path(output),
        settings or Settings(),
        consent=None if consent is None else ConsentClaim(consent, consent_note),
        overwrite=overwrite,
    )


def inspect(file: str | PathLike[str], *, home: str | PathLike[str] | None = None) -> Inspection:
    """Say what is known of where a picture or video comes from.

    Args:
        file: A picture, animation or video.
        home: The private folder whose ledger and key are compared with; None for the user's own.

    Returns:
        What was found, and a verdict.

    Raises:
        understudy.errors.UnderstudyError: the file can't be read.
    """
    from pathlib import Path

    from understudy.pipeline.inspect import inspect_file

    return inspect_file(Path(file), None if home is None else Path(home))
