"""Which text tells the reader of an error: what is wrong and what to do, in their language.

Where such a text says all, it stands alone. Where the particulars matter (which model, which disk), what the program
says of them follows in English, as the command line would say it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from understudy.errors import (
    CatalogueError,
    ConsentError,
    ContentRefusedError,
    FetchError,
    InputError,
    InputNotFoundError,
    InputTooLargeError,
    LicenceError,
    ModelError,
    ModelFileError,
    ModelMissingError,
    NoFaceError,
    NoMemoryError,
    NoSpaceError,
    NotMediaError,
    OutputError,
    PrivacyError,
    RecordsError,
    RefusedError,
    UnderstudyError,
    UnwieldyPictureError,
    UsageError,
    of_the_system,
)
from understudy.server.receiving import TooLargeError
from understudy.text import printable


class Fault(NamedTuple):
    """An error as a page shows it.

    Attributes:
        text: The name of the text that says it in the reader's language.
        detail: What the program says of it, in English; empty where the text says all.
    """

    text: str
    detail: str = ""


def of_several(before: Fault | None, fault: Fault) -> Fault:
    """What is said of files that come together: of two with the same fault both, else of the last.

    Args:
        before: What is said until now.
        fault: Of one more, whose name is the detail.
    """
    same = before is not None and before.text == fault.text and before.detail and fault.detail
    return Fault(fault.text, f"{before.detail}, {fault.detail}") if same and before is not None else fault


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
#: What is said of a file that is not what it was handed over as.
_NOT: Final = {
    "photo": "fault.no_photo",
    "clip": "fault.no_clip",
    "target": "fault.no_target",
    "model": "fault.no_model",
    "file": "fault.empty",
}
#: Texts that go with what the program says.
_VAGUE: Final[tuple[tuple[type[UnderstudyError], str], ...]] = (
    (ConsentError, "fault.consent"),
    (LicenceError, "fault.licence"),
    (RefusedError, "fault.refused"),
    (CatalogueError, "fault.catalogue"),
    (InputError, "fault.input"),
    (ModelMissingError, "fault.model_missing"),
    (ModelFileError, "fault.model_file"),
    (FetchError, "fault.fetch"),
    (ModelError, "fault.model"),
    (RecordsError, "fault.records"),
    (PrivacyError, "fault.private"),
    (OutputError, "fault.output"),
    (UsageError, "fault.usage"),
)


def fault_of(error: Exception, kind: str = "") -> Fault:
    """How an error is shown.

    Args:
        error: The error. One that is not of this package is shown, too: the page must say something.
        kind: What a file was taken for (see ``uploads.Kind``); empty where it is about no file.
    """
    own = error if isinstance(error, UnderstudyError) else of_the_system(error)
    if own is None:
        return Fault("fault.unexpected", f"{type(error).__name__}: {printable(error)}")
    said = text_of(own, kind)
    exact = {text for _, text in _KNOWN} | set(_NOT.values())
    return Fault(said) if said in exact else Fault(said, printable(f"{own.message}. {own.hint}"))


def text_of(error: UnderstudyError, kind: str = "") -> str:
    """The name of the text about an error. Arguments as of ``fault_of``."""
    if isinstance(error, NotMediaError) and kind:
        return _NOT[kind]
    return next((text for known, text in (*_KNOWN, *_VAGUE) if isinstance(error, known)), "fault.run")
