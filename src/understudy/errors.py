"""Every error this package raises on purpose.

Each has a message for a person, a hint of what to do next, and the exit code the command line
ends with. Where a builtin fits, the error is one too, so ``except FileNotFoundError`` works::

    UnderstudyError
    ├── UsageError (ValueError)                    exit 2  the request itself is wrong
    │   ├── UnknownSuffixError
    │   ├── OutputExistsError (FileExistsError)
    │   ├── OutputIsInputError
    │   ├── EncoderError
    │   └── UnknownModelError (LookupError)
    ├── InputError (ValueError)                    exit 3  an input can't be used
    │   ├── InputNotFoundError (FileNotFoundError)
    │   ├── InputGoneError (FileNotFoundError)
    │   ├── InputUnreadableError (PermissionError)
    │   ├── UnfitFileError (OSError)
    │   ├── NotMediaError
    │   ├── InputTooLargeError
    │   ├── UnwieldyPictureError
    │   ├── CatalogueError
    │   └── NoFaceError (LookupError)
    ├── RefusedError (PermissionError)             exit 4  this tool does not do that
    │   ├── ConsentError
    │   ├── ContentRefusedError
    │   └── LicenceError
    ├── ModelError (RuntimeError)                  exit 5  a model is missing or not what it should be
    │   ├── ModelMissingError (FileNotFoundError)
    │   ├── ModelFileError
    │   └── FetchError
    └── RunError (RuntimeError)                    exit 6  something failed on the way
        ├── CorruptMediaError
        ├── EncodingError
        ├── OutputError (OSError)
        ├── NoSpaceError (OSError)
        ├── NoMemoryError (MemoryError)
        ├── DeviceLostError
        ├── SigningError
        ├── PrivacyError (PermissionError)
        ├── RecordsError
        │   └── RecordsBusyError
        └── ClockError
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from understudy.text import printable

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: What SQLite and the signer (Rust) say of it.
_FULL_WORDS: Final = ("database or disk is full", "os error 28", "No space left", "File too large")
#: What C++, OpenCV, ONNX Runtime, CUDA and DirectX say of memory that they do not get.
_NO_MEMORY_WORDS: Final = (
    "bad_alloc",
    "bad allocation",
    "Failed to allocate",
    "out of memory",
    "ALLOC_FAILED",
    "MemoryAllocation",
    "Not enough memory",
    "smaller than requested bytes",
    "OutOfMemory",
    "8007000E",
)
#: What CUDA (cudaGetErrorString), its driver and DirectX say of a device that has failed or gone: this process can run
#: nothing more on it.
_LOST_WORDS: Final = (
    "unspecified launch failure",
    "illegal memory access",
    "launch timed out and was terminated",
    "hardware stack error",
    "uncorrectable ECC error",
    "devices are busy or unavailable",
    "no CUDA-capable device",
    "context is destroyed",
    "CUDA failure 999",
    "CUDA error 999",
    "GPU is lost",
    "device removed",
    "DEVICE_REMOVED",
    "DEVICE_HUNG",
    "887A0005",
    "887A0006",
    "887A0007",
)


class UnderstudyError(Exception):
    """Base of the tree.

    Args:
        message: What is wrong, in one line, naming the file or option.
        hint: What to do next, in one line.
    """

    exit_code = 6

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # As it is, not made anew of its message: what subclasses are made of differs. Pools of processes pickle errors.
        values = {name: getattr(self, name) for name in _OF_OS_ERROR if getattr(self, name, None) is not None}
        return _as_it_was, (type(self), self.args), {**values, **self.__dict__}


#: Attributes of an OSError that are not in its ``__dict__``.
_OF_OS_ERROR: Final = ("errno", "strerror", "filename", "filename2")


def _as_it_was(kind: type[UnderstudyError], args: tuple[Any, ...]) -> UnderstudyError:
    """An error as it was when it was pickled or copied, but for its attributes."""
    # Python asks for the builtin by whose layout the object is made: only an OSError has one of its own.
    error: UnderstudyError = OSError.__new__(kind) if issubclass(kind, OSError) else Exception.__new__(kind)
    error.args = args
    return error


class UsageError(UnderstudyError, ValueError):
    """The request can't be carried out as it was put."""

    exit_code = 2


class UnknownSuffixError(UsageError):
    """The output's suffix names no format that can be written from this input."""


class OutputExistsError(UsageError, FileExistsError):
    """The output is there already and overwriting was not asked for."""


class OutputIsInputError(UsageError):
    """The output is one of the inputs."""


class EncoderError(UsageError):
    """The encoder asked for does not exist, does not open here, or does not fit the container."""


class UnknownModelError(UsageError, LookupError):
    """The catalogue has no model or bundle of that name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        near = difflib.get_close_matches(name, known, 3, 0.4)
        hint = f"Did you mean {' or '.join(near)}?" if near else "`understudy models list` shows what there is."
        super().__init__(f"there is no model {name!r}", hint)


class InputError(UnderstudyError, ValueError):
    """An input can't be used."""

    exit_code = 3


class InputNotFoundError(InputError, FileNotFoundError):
    """No such file."""

    def __init__(self, path: Path, role: str = "input") -> None:
        hint = "Check the path and its spelling."
        try:
            path.stat()
        except (OSError, ValueError) as fault:  # which of the ways of not being there it is
            hint = remedy(fault, hint)
        super().__init__(f"the {role} does not exist: {path}", hint)


class InputGoneError(InputError, FileNotFoundError):
    """An input was there, and went while it was used."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"the input disappeared while it was being used: {path}",
            "Put it back, and leave it there until the program has ended.",
        )


class InputUnreadableError(InputError, PermissionError):
    """The file is there and can't be read."""


class UnfitFileError(InputError, OSError):
    """A file beside the medium is no regular file, or longer than such a file may be.

    Args:
        path: The file.
        reason: What it is, after the words "can't use FILE:". It is the ``strerror``, too.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"can't use {printable(path)}: {reason}", "Name another file, or move this one away.")
        self.reason = reason
        self.filename, self.strerror = str(path), reason


class NotMediaError(InputError):
    """The file is empty, truncated, holds no pictures, or is not a picture or video at all."""


class InputTooLargeError(InputError):
    """A picture or frame has more pixels than the cap allows."""

    def __init__(self, path: Path, width: int, height: int, max_pixels: int) -> None:
        super().__init__(
            f"{path.name} is {width}x{height}, more than the limit of {max_pixels / 1e6:.3g} megapixels",
            f"Make it smaller, or raise the limit: --max-pixels {width * height}.",
        )


class UnwieldyPictureError(InputError):
    """A picture or frame is of a size that would take too much memory or time, whatever the cap.

    Args:
        path: The file.
        width, height: Its size in pixels.
        reason: What the limit is.
    """

    def __init__(self, path: Path, width: int, height: int, reason: str) -> None:
        super().__init__(f"{path.name} is {width}x{height}: {reason}", "Crop it or make it smaller first.")


class CatalogueError(InputError):
    """A file of the catalogue, or an entry in it, is not what it should be."""

    def __init__(self, place: str, entry: str | None, reason: str) -> None:
        where = place if entry is None else f"{entry} in {place}"
        super().__init__(f"can't use {printable(where)}: {printable(reason)}", "docs/models.md says what an entry is.")


class NoFaceError(InputError, LookupError):
    """No face was found where one is needed."""


class RefusedError(UnderstudyError, PermissionError):
    """The request is one that this tool does not carry out."""

    exit_code = 4


class ConsentError(RefusedError):
    """There is no valid consent for using a photo in this way."""


class ContentRefusedError(RefusedError):
    """A picture is of a kind that faces are not put into."""


class LicenceError(RefusedError):
    """A model's licence has not been accepted."""


class ModelError(UnderstudyError, RuntimeError):
    """A model file is missing, altered, or can't be opened."""

    exit_code = 5


class ModelMissingError(ModelError, FileNotFoundError):
    """Models are not in the store.

    Args:
        names: Which.
        pull: What fetches them, if not their names.
    """

    def __init__(self, *names: str, pull: str | None = None) -> None:
        what = f"the model {names[0]} is" if len(names) == 1 else f"the models {', '.join(names)} are"
        super().__init__(f"{what} not here", f"To fetch: understudy models pull {pull or ' '.join(names)}")


class ModelFileError(ModelError):
    """A model's file is not what it should be: altered, truncated, no ONNX, or with parts outside of it."""


class FetchError(ModelError):
    """A model could not be fetched from any of its places."""


class RunError(UnderstudyError, RuntimeError):
    """Something failed while running."""

    exit_code = 6


class CorruptMediaError(RunError):
    """A video could be read only in part; what was readable has been delivered.

    Args:
        path: The damaged file.
        at_seconds: Presentation time of the last good frame.
        reason: What the decoder said.
    """

    def __init__(self, path: Path, at_seconds: float, reason: str) -> None:
        super().__init__(
            f"{path.name} is damaged after {at_seconds:.2f} s ({reason})",
            "What could be read was processed. Fetch or export the file again for the rest.",
        )
        self.at_seconds = at_seconds


class EncodingError(RunError):
    """An encoder that opened failed on the way."""


class OutputError(RunError, OSError):
    """The output can't be written."""


class NoSpaceError(RunError, OSError):
    """The disk is full.

    Args:
        path: What could not be written.
        hint: What to do, where no output is meant.
    """

    def __init__(self, path: Path, hint: str = "") -> None:
        super().__init__(
            f"no space left on the disk of {path}",
            hint or "Free some space, or name an output on another disk. Nothing was left behind.",
        )


class NoMemoryError(RunError, MemoryError):
    """There is not enough memory.

    Args:
        what: For what.
        hint: What to do, where something is known that takes less.
    """

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(f"not enough memory {what}", hint or "Close other programs, or use a smaller input.")


class DeviceLostError(RunError):
    """A device that ran a model failed or went away.

    Args:
        device: Its name.
        model: What it ran.
        reason: What was said of it.
    """

    def __init__(self, device: str, model: str, reason: str) -> None:
        super().__init__(
            f"the device {device} failed while it ran {model}: {reason}",
            "Start again. If it happens again, look at its driver (`nvidia-smi`), or take another: --device cpu.",
        )


class SigningError(RunError):
    """The output can't be signed; it was not released."""


class PrivacyError(RunError, PermissionError):
    """A private file or folder is open to others, or not ours."""


class RecordsError(RunError):
    """The ledger or the consent records can't be read or written, or have been altered."""


class RecordsBusyError(RecordsError):
    """Others held the records for longer than one waits: the next try may do."""


class ClockError(RunError):
    """The clock of this machine shows a time that nothing can count.

    Args:
        shows: What it shows.
    """

    def __init__(self, shows: str) -> None:
        super().__init__(
            f"the clock of this machine shows {shows}", "Set it right: records and signatures carry its time."
        )


def out_of_memory(fault: BaseException) -> bool:
    """Whether an error, of whatever library, says that there is not enough memory."""
    return isinstance(fault, MemoryError) or any(word in str(fault) for word in _NO_MEMORY_WORDS)


def device_lost(fault: BaseException) -> bool:
    """Whether an error, of whatever library, says that a device has failed or is gone."""
    return any(word in str(fault) for word in _LOST_WORDS)


def out_of_space(fault: BaseException) -> bool:
    """Whether an error, of whatever library, says that the disk is full."""
    return getattr(fault, "errno", None) in _FULL or any(words in str(fault) for words in _FULL_WORDS)


def unreadable_input(path: Path, fault: OSError) -> InputUnreadableError:
    """The error of a file that is there, and that the system does not let us read."""
    return InputUnreadableError(
        f"can't read {path}: {fault.strerror or fault}", remedy(fault, "Check its permissions and the disk.")
    )


#: What to do about what the system says, where that names the cause by itself.
_REMEDIES: Final = {
    errno.ENAMETOOLONG: "The name is too long: choose a shorter one.",
    errno.ELOOP: "It is a link that leads in a circle: remove it, or name the file itself.",
    errno.ENOTDIR: "A part of its path is a file, not a folder.",
    errno.EROFS: "That disk can only be read: name a place on another one.",
    errno.EACCES: "Check the permissions of the file and of its folders.",
    errno.EPERM: "Check the permissions of the file and of its folders.",
    errno.EIO: "The disk or its connection fails: copy the file elsewhere first.",
    errno.ESTALE: "The network folder that it is in was lost: connect it again.",
    errno.EMFILE: "Too many files are open: raise the limit (ulimit -n).",
    errno.ENFILE: "Too many files are open on this machine: close other programs.",
    errno.EILSEQ: "That disk takes no such name: choose one of plain letters.",
}


def of_the_system(fault: BaseException) -> RunError | None:
    """An error that the system gave, and nobody foresaw there, as one of this package's; None for any other error.

    It says what failed and why: the fault is not the program's.
    """
    if not isinstance(fault, OSError) or fault.errno is None:
        return None
    what = f"can't use {printable(fault.filename)}" if fault.filename else "the system refused something"
    if out_of_space(fault):
        return OutputError(f"no space left ({what})", "Free some space, or name an output on another disk.")
    reason = " ".join(str(fault.strerror or fault).split())
    return RunError(f"{what}: {reason}", remedy(fault, "Check the file, its folder and its disk. --debug shows more."))


@contextmanager
def beside(error: object) -> Iterator[None]:
    """For what is closed at the end of a ``with`` block: its failure is not raised in place of the block's own error.

    Args:
        error: What the block was left for; None for nothing. What fails is noted on it (Python 3.11 and later show it).

    Raises:
        UnderstudyError: what failed, if the block was left for nothing.
    """
    try:
        yield
    except UnderstudyError as fault:
        if error is None:
            raise
        add_note = getattr(error, "add_note", None)
        if add_note is not None:
            add_note(f"While it was closed: {fault.message}. {fault.hint}")


def remedy(fault: BaseException, usual: str) -> str:
    """What to do about an error of the system: the real cause where it names one, else ``usual``."""
    return _REMEDIES.get(getattr(fault, "errno", None) or 0, usual)
