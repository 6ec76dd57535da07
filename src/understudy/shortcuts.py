"""One call for one file or session, with an ``Understudy`` of its own behind it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.app import Understudy
from understudy.settings import Settings

if TYPE_CHECKING:
    from understudy.media.live.base import CaptureOptions
    from understudy.provenance.records.consent import Ground
    from understudy.sessions import LiveSession
    from understudy.sessions.endpoints import AnySink, AnySource
    from understudy.tasks.faces import FacesReport
    from understudy.tasks.inspect import Inspection
    from understudy.tasks.report import SwapReport


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
    with Understudy(settings) as app:
        person = app.person(*_photos(source), consent=consent, note=consent_note)
        return app.swap(target, output, person, overwrite=overwrite)


def live(
    source: str | PathLike[str] | Sequence[str | PathLike[str]],
    from_: AnySource = "0",
    to: AnySink | Sequence[AnySink] = "window",
    *,
    consent: Ground | None = None,
    consent_note: str = "",
    settings: Settings | None = None,
    capture: CaptureOptions | None = None,
    mirror: bool = False,
    overwrite: bool = False,
) -> LiveSession:
    """Put the face of one person onto whoever is in front of a camera, as it happens.

    >>> with understudy.live("me.jpg", "0", "window", consent="self") as session:  # doctest: +SKIP
    ...     session.wait()

    Args:
        source: A photo, or several photos of the same person.
        from_: Where pictures come from, in a word as ``--from`` takes it; see ``Understudy.live``.
        to: Where they go, in one word or several, as ``--to`` takes them; see ``Understudy.live``.
        consent: On what ground the photos are used; see ``swap``.
        consent_note: How consent was granted.
        settings: Everything else; the defaults if None.
        capture: What the source is asked for.
        mirror: Turn the picture as a mirror does.
        overwrite: Whether a recording may replace a file that is there.

    Returns:
        A session that is not started yet. Entered as a context manager, it starts; so it does by ``LiveSession.start``.
        What it opens is closed when it is stopped, or fails to start.

    Raises:
        UnderstudyError: there is no such source or sink, as far as can be told before it is opened.
    """
    with ExitStack() as opened:
        app = opened.enter_context(Understudy(settings))
        person = app.person(*_photos(source), consent=consent, note=consent_note)
        session = app.live(person, from_, to, capture=capture, mirror=mirror, overwrite=overwrite)
        session.afterwards(opened.pop_all().close)
        return session


def faces(file: str | PathLike[str], *, ask: str | Sequence[str] = (), settings: Settings | None = None) -> FacesReport:
    """Say who is in a picture or video: where, how large, and which way each head is turned.

    Args:
        file: A picture, animation or video.
        ask: ``blendshapes``, ``emotion``, and models of the catalogue: who is asked about each face, by name. One
            may stand alone.
        settings: Whose detector finds faces; the defaults if None.

    Returns:
        Everybody who is seen.

    Raises:
        UnderstudyError: the file can't be read, or a model is not there or does not work.
    """
    with Understudy(settings) as app:
        return app.faces(file, ask=ask)


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
    with Understudy(Settings(home=None if home is None else Path(home))) as app:
        return app.inspect(file)


def _photos(source: str | PathLike[str] | Sequence[str | PathLike[str]]) -> Sequence[str | PathLike[str]]:
    if isinstance(source, (str, PathLike)):
        return [source]
    if not isinstance(source, Sequence):
        raise TypeError(f"source is a photo or a row of photos, not {type(source).__name__}")
    return source
