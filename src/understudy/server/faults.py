"""Which text tells the reader of an error: what is wrong and what to do, in their language."""

from __future__ import annotations

from typing import Final, NamedTuple

from understudy.errors import (
    ConsentError,
    ContentRefusedError,
    InputError,
    InputNotFoundError,
    InputTooLargeError,
    NoFaceError,
    NoMemoryError,
    NoSpaceError,
    NotMediaError,
    OutputError,
    RefusedError,
    UnderstudyError,
    UnwieldyPictureError,
    UsageError,
)
from understudy.server.uploads import TooLargeError


class Fault(NamedTuple):
    """An error as a page shows it.

    Attributes:
        text: The name of the text that says it in the reader's language.
        detail: What the program says of it, in English; empty where the text says all.
    """

    text: str
    detail: str = ""


#: Texts that say all there is to say, by the errors they are about: the first that fits.
_KNOWN: Final[tuple[tuple[type[UnderstudyError], str], ...]] = (
    (NoFaceError, "fault.no_face"),
    (TooLargeError, "fault.file_too_large"),
    (InputTooLargeError, "fault.picture_too_large"),
    (UnwieldyPictureError, "fault.picture_too_large"),
    (NoSpaceError, "fault.disk_full"),
    (NoMemoryError, "fault.no_memory"),
    (ContentRefusedError, "fault.content"),
    (InputNotFoundError, "fault.not_here"),
)
#: What is said of a file that is not what it was taken for.
_NO_MEDIA: Final = {"photo": "fault.no_photo", "clip": "fault.no_clip", "target": "fault.no_target"}
#: Texts that go with what the program says.
_VAGUE: Final[tuple[tuple[type[UnderstudyError], str], ...]] = (
    (ConsentError, "fault.consent"),
    (RefusedError, "fault.refused"),
    (InputError, "fault.input"),
    (OutputError, "fault.output"),
    (UsageError, "fault.usage"),
)


def fault_of(error: UnderstudyError, kind: str = "") -> Fault:
    """How an error is shown.

    Args:
        error: The error.
        kind: What a file was taken for: ``photo``, ``clip`` or ``target``; empty where it is about no file.
    """
    said = text_of(error, kind)
    exact = {text for _, text in _KNOWN} | {*_NO_MEDIA.values()}
    return Fault(said) if said in exact else Fault(said, f"{error.message}. {error.hint}")


def text_of(error: UnderstudyError, kind: str = "") -> str:
    """The name of the text about an error. Arguments as of ``fault_of``."""
    if isinstance(error, NotMediaError) and kind in _NO_MEDIA:
        return _NO_MEDIA[kind]
    return next((text for known, text in (*_KNOWN, *_VAGUE) if isinstance(error, known)), "fault.run")
