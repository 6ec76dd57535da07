"""States, times and failures in the reader's language."""

from __future__ import annotations

from typing import Final

from understudy.errors import (
    ConsentError,
    ContentRefusedError,
    CorruptMediaError,
    InputTooLargeError,
    LicenceError,
    ModelFileError,
    ModelMissingError,
    NoFaceError,
    NoMemoryError,
    NoSpaceError,
    OutputError,
    OutputExistsError,
    UnwieldyPictureError,
)
from understudy.jobs.job import JobFailure, JobState
from understudy.server.faults import Fault
from understudy.server.texts import Texts
from understudy.text import printable

#: What a state is called.
STATES: Final[dict[JobState, str]] = {
    "waiting": "jobs.waiting",
    "running": "jobs.running",
    "paused": "jobs.paused",
    "done": "jobs.done",
    "failed": "jobs.failed",
    "cancelled": "jobs.cancelled",
}
#: What is said of a failure, by the class of its error.
_FAILURES: Final = {
    ConsentError.__name__: "jobs.no_consent",
    ContentRefusedError.__name__: "fault.content",
    CorruptMediaError.__name__: "jobs.damaged",
    InputTooLargeError.__name__: "fault.picture_too_large",
    LicenceError.__name__: "fault.licence",
    ModelFileError.__name__: "fault.model_file",
    ModelMissingError.__name__: "fault.model_missing",
    NoFaceError.__name__: "fault.no_face",
    NoMemoryError.__name__: "fault.no_memory",
    NoSpaceError.__name__: "fault.disk_full",
    OutputError.__name__: "fault.output",
    OutputExistsError.__name__: "jobs.exists",
    UnwieldyPictureError.__name__: "fault.picture_too_large",
}
#: What is said of others, by the exit code.
_OTHERS: Final = {
    2: "jobs.bad_order",
    3: "jobs.bad_input",
    4: "jobs.refused",
    5: "jobs.no_model",
    6: "jobs.broke",
}


def said_of(failure: JobFailure) -> str:
    """The name of the text about a failure."""
    return _FAILURES.get(failure.kind) or _OTHERS.get(failure.exit_code, "jobs.broke")


def waits_for(texts: Texts, failure: JobFailure | None) -> Fault | None:
    """What is said where jobs are not done just now, and are tried again; None where they are.

    Args:
        texts: In the reader's language.
        failure: Why they are not.
    """
    if failure is None:
        return None
    known = _FAILURES.get(failure.kind)
    said = (texts(known) if known else "", f"{failure.message}.", failure.hint)
    return Fault("jobs.runner", printable(" ".join(filter(None, said))))


def span(texts: Texts, seconds: float) -> str:
    """A time that something takes, as people say it."""
    whole = round(seconds)
    if whole < 60:
        return texts("jobs.seconds", seconds=max(whole, 1))
    if whole < 3600:
        return texts("jobs.minutes", minutes=whole // 60, seconds=whole % 60)
    return texts("jobs.hours", hours=whole // 3600, minutes=whole % 3600 // 60)
