"""Understudy: one photo in; that face on the person in front of the camera, labelled by construction.

>>> import understudy
>>> understudy.swap(source="me.jpg", target="clip.mp4", output="out.mp4", consent="self")  # doctest: +SKIP

For several clips, photos or sessions, open it once:

>>> with understudy.Understudy() as app:  # doctest: +SKIP
...     me = app.person("me.jpg", consent="self")
...     for clip in ("one.mp4", "two.mp4"):
...         app.swap(clip, f"swapped-{clip}", me)
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING

from understudy.version import __version__

if TYPE_CHECKING:
    from understudy.app import Understudy
    from understudy.casting.person import Person
    from understudy.errors import UnderstudyError
    from understudy.face import Faces
    from understudy.frames import Frame, LabelledFrame
    from understudy.guard import GuardOptions
    from understudy.media.files import EncodeOptions
    from understudy.media.live.base import CaptureOptions
    from understudy.media.live.capture import open_capture
    from understudy.media.live.playout import playout
    from understudy.media.live.recording import RecordingSink
    from understudy.models.devices import RuntimeOptions
    from understudy.provenance import ConsentClaim, LabelOptions, SigningOptions
    from understudy.provenance.records.consent import Ground
    from understudy.resources.perception import Perception
    from understudy.sessions import LiveReport, LiveSession
    from understudy.settings import BlendOptions, Settings
    from understudy.swapping import MeshOptions
    from understudy.swapping.neural.options import NeuralOptions
    from understudy.tasks.inspect import Inspection
    from understudy.tasks.swap import SwapReport
    from understudy.tracking import TrackerOptions

#: Where each public name comes from: looked up when it is first used, so that ``import understudy`` opens nothing.
_MODULES = {
    "BlendOptions": "settings",
    "CaptureOptions": "media.live.base",
    "ConsentClaim": "provenance",
    "EncodeOptions": "media.files",
    "Faces": "face",
    "Frame": "frames",
    "GuardOptions": "guard",
    "LabelOptions": "provenance",
    "LabelledFrame": "frames",
    "LiveReport": "sessions",
    "LiveSession": "sessions",
    "MeshOptions": "swapping",
    "NeuralOptions": "swapping.neural.options",
    "Perception": "resources.perception",
    "Person": "casting.person",
    "RecordingSink": "media.live.recording",
    "RuntimeOptions": "models.devices",
    "Settings": "settings",
    "SigningOptions": "provenance",
    "SwapReport": "tasks.swap",
    "TrackerOptions": "tracking",
    "Understudy": "app",
    "UnderstudyError": "errors",
    "open_capture": "media.live.capture",
    "playout": "media.live.playout",
}

__all__ = [
    "BlendOptions",
    "CaptureOptions",
    "ConsentClaim",
    "EncodeOptions",
    "Faces",
    "Frame",
    "GuardOptions",
    "LabelOptions",
    "LabelledFrame",
    "LiveReport",
    "LiveSession",
    "MeshOptions",
    "NeuralOptions",
    "Perception",
    "Person",
    "RecordingSink",
    "RuntimeOptions",
    "Settings",
    "SigningOptions",
    "SwapReport",
    "TrackerOptions",
    "Understudy",
    "UnderstudyError",
    "__version__",
    "inspect",
    "open_capture",
    "playout",
    "swap",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'understudy' has no attribute {name!r}")
    return getattr(import_module(f"understudy.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__


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
        settings: Everything else; the defaults if None.
        overwrite: Whether an existing output may be replaced.

    Returns:
        What was done.

    Raises:
        UnderstudyError: nothing was written then, but for ``CorruptMediaError``.
    """
    from understudy.app import Understudy

    photos = [source] if isinstance(source, (str, PathLike)) else source
    with Understudy(settings) as app:
        return app.swap(target, output, app.person(*photos, consent=consent, note=consent_note), overwrite=overwrite)


def inspect(file: str | PathLike[str], *, home: str | PathLike[str] | None = None) -> Inspection:
    """Say what is known of where a picture or video comes from.

    Args:
        file: A picture, animation or video.
        home: The private folder whose ledger and key are compared with; None for the user's own.

    Returns:
        What was found, and a verdict.

    Raises:
        UnderstudyError: the file can't be read.
    """
    from pathlib import Path

    from understudy.app import Understudy
    from understudy.settings import Settings

    with Understudy(Settings(home=None if home is None else Path(home))) as app:
        return app.inspect(file)
