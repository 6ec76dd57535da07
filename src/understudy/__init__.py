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
    from understudy.blending import BlendOptions
    from understudy.errors import UnderstudyError
    from understudy.faces import Faces
    from understudy.frames import Frame, LabelledFrame
    from understudy.guard import GuardOptions
    from understudy.live import LiveReport, LiveSession
    from understudy.media import EncodeOptions
    from understudy.media.capture import open_capture
    from understudy.media.live import CaptureOptions
    from understudy.media.playout import playout
    from understudy.media.recording import RecordingSink
    from understudy.models.devices import RuntimeOptions
    from understudy.pipeline.inspect import Inspection
    from understudy.pipeline.person import Person
    from understudy.pipeline.swap import SwapReport
    from understudy.provenance import ConsentClaim, LabelOptions, SigningOptions
    from understudy.provenance.consent import Ground
    from understudy.resources.perception import Perception
    from understudy.settings import Settings
    from understudy.swapping import MeshOptions
    from understudy.swapping.neural.options import NeuralOptions
    from understudy.tracking import TrackerOptions

#: Where each public name comes from: looked up when it is first used, so that ``import understudy`` opens nothing.
_PLACES = {
    "BlendOptions": "blending",
    "CaptureOptions": "media.live",
    "ConsentClaim": "provenance",
    "EncodeOptions": "media",
    "Faces": "faces",
    "Frame": "frames",
    "GuardOptions": "guard",
    "LabelOptions": "provenance",
    "LabelledFrame": "frames",
    "LiveReport": "live",
    "LiveSession": "live",
    "MeshOptions": "swapping",
    "NeuralOptions": "swapping.neural.options",
    "Perception": "resources.perception",
    "Person": "pipeline.person",
    "RecordingSink": "media.recording",
    "RuntimeOptions": "models.devices",
    "Settings": "settings",
    "SigningOptions": "provenance",
    "SwapReport": "pipeline.swap",
    "TrackerOptions": "tracking",
    "Understudy": "app",
    "UnderstudyError": "errors",
    "open_capture": "media.capture",
    "playout": "media.playout",
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
    if name not in _PLACES:
        raise AttributeError(f"module 'understudy' has no attribute {name!r}")
    return getattr(import_module(f"understudy.{_PLACES[name]}"), name)


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
