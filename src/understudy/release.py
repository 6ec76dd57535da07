"""What a finished file must have before it takes its name: a signature.

Sinks write under a temporary name and hand the file to a ``Release``; what they get back is the only thing that
can be given its final name. ``provenance`` makes it, and nothing else: an unsigned output is not a setting.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, NoReturn, Protocol, SupportsIndex, final
from weakref import WeakKeyDictionary

from understudy.errors import InputError, InputGoneError, SigningError, unreadable_input
from understudy.regular import open_regular


@dataclass(frozen=True)
class Tags:
    """What the file itself says, for programs that read no Content Credentials.

    Attributes:
        xmp: An XMP packet, for formats that carry one.
        fields: Metadata fields by name, for formats that carry those.
    """

    xmp: bytes
    fields: Mapping[str, str]


class _Signed(NamedTuple):
    """What was signed.

    Attributes:
        path, sidecar: The files, under their temporary names.
        final: What ``path`` shall be called.
        written: Digest of ``path`` as the sink had written it.
        digest, sidecar_digest: Of both as they were once signed.
    """

    path: Path
    sidecar: Path | None
    final: Path
    written: str
    digest: str
    sidecar_digest: str | None


class _SignatureSeal:
    """Knows the files that it has signed. Only ``provenance.releasing`` makes one."""

    def __init__(self) -> None:
        self._made: WeakKeyDictionary[SignedFile, _Signed] = WeakKeyDictionary()

    def close(self, content: _Signed) -> SignedFile:
        """A signed file of that description."""
        signed = object.__new__(SignedFile)
        object.__setattr__(signed, "_seal", self)
        self._made[signed] = content
        return signed

    def content(self, signed: SignedFile) -> _Signed | None:
        """What it signed; None if it did not make that very object."""
        return self._made.get(signed)


@final
class SignedFile:
    """A file that is signed and may take its name.

    As a ``LabelledFrame``, it can't be made by hand, changed, copied or subclassed, and its seal says what it is.

    Raises:
        TypeError: made by hand.
    """

    __slots__ = ("__weakref__", "_seal")
    _seal: _SignatureSeal

    def __init__(self, *_: object) -> None:
        raise TypeError("a SignedFile is made by understudy.provenance only")

    def __init_subclass__(cls) -> None:
        raise TypeError("a SignedFile is made by understudy.provenance only: it has no subclasses")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a SignedFile can't be changed: {name!r} can't be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a SignedFile can't be changed: {name!r} can't be removed")

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a SignedFile can't be copied or pickled")

    @property
    def path(self) -> Path:
        """The file, under its temporary name."""
        return _content(self).path

    @property
    def sidecar(self) -> Path | None:
        """A second file that belongs beside it, under its temporary name; None if it carries all itself."""
        return _content(self).sidecar

    @staticmethod
    def checked(signed: object, path: Path, final: Path, written: str) -> SignedFile:
        """What a release gave back, if it may take its name.

        Args:
            signed: What it gave back.
            path: The file that it was given.
            final: What that shall be called.
            written: The file's digest when it was given.

        Raises:
            TypeError: it is no signed file, whatever it looks like.
            SigningError: another file was signed, or what was signed has been changed since, or what was written
                before.
        """
        content = _content(signed)
        assert isinstance(signed, SignedFile)
        if (content.path, content.final) != (path, final):
            raise SigningError(f"another file than {final.name} was signed", _NOTHING)
        if content.written != written:
            raise SigningError(f"{final.name} was changed before it was signed", _NOTHING)
        there = (file_digest(path), None if content.sidecar is None else file_digest(content.sidecar))
        if there != (content.digest, content.sidecar_digest):
            raise SigningError(f"{final.name} was changed after it was signed", _NOTHING)
        return signed


_NOTHING: Final = "Nothing was released. Does another program, or code of your own, write to it?"


def _content(signed: object) -> _Signed:
    """What its seal says of a signed file.

    Raises:
        TypeError: it is none.
    """
    content = None
    if type(signed) is SignedFile:
        seal: object = getattr(signed, "_seal", None)
        content = seal.content(signed) if type(seal) is _SignatureSeal else None
    if content is None:
        raise TypeError(f"only a SignedFile that its seal made gets its name, not this {type(signed).__name__}")
    return content


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(file)


def input_digest(path: Path) -> str:
    """SHA-256 of a file that the user named and that was there a moment ago, in hexadecimal.

    Raises:
        InputGoneError, InputUnreadableError: it is gone, or can't be read.
    """
    try:
        return file_digest(path)
    except FileNotFoundError as fault:
        raise InputGoneError(path) from fault
    except OSError as fault:
        raise unreadable_input(path, fault) from fault


def check_same_input(path: Path, digest: str) -> None:
    """Make sure that a file that is used for a while is still the one that it was at the beginning.

    Args:
        path: The file.
        digest: SHA-256 that it had.

    Raises:
        InputError: it is gone, can't be read, or is another one.
    """
    if input_digest(path) != digest:
        raise InputError(f"{path} became another file while it was used", "Put the first one back, or begin anew.")


def _digest(file: Iterable[bytes]) -> str:
    state = hashlib.sha256()
    for part in file:
        state.update(part)
    return state.hexdigest()


#: Of a sidecar, after the file's whole name.
SIDECAR_SUFFIX: Final = ".c2pa"
#: Most bytes of a sidecar.
SIDECAR_MOST: Final = 32_000_000


def sidecar_of(path: Path) -> Path:
    """Where the credentials are that lie beside a file, if there are any: beside a link, or what it leads to."""
    beside = path.with_name(path.name + SIDECAR_SUFFIX)
    if beside.exists() or not path.is_symlink():
        return beside
    file = path.resolve()
    return file.with_name(file.name + SIDECAR_SUFFIX)


def is_sidecar(path: Path) -> bool:
    """Whether a file holds Content Credentials of another: a JUMBF box, by its content."""
    try:
        with open_regular(path, SIDECAR_MOST) as file:
            return file.read(8)[4:] == b"jumb"
    except OSError:
        return False


def identifier_of(release: Release) -> int | None:
    """The id of the output that a release is for; None of one that has none, and will sign nothing."""
    found = getattr(release, "identifier", None)
    return found if isinstance(found, int) else None


class Release(Protocol):
    """Makes a finished file fit to be released."""

    @property
    def tags(self) -> Tags:
        """What a sink writes into the file."""
        ...

    @property
    def notes(self) -> list[str]:
        """What the user should know of how it was signed."""
        ...

    def sign(self, path: Path, final: Path) -> SignedFile:
        """Sign the file at ``path``, which shall become ``final``.

        Raises:
            UnderstudyError: it can't be signed; it must not be released then.
        """
        ...
