"""What a finished file must have before it takes its name: a signature.

Sinks write under a temporary name and hand the file to a ``Release``; what they get back is the only thing that
can be given its final name. ``provenance`` makes it, and nothing else: an unsigned output is not a setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

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


class _Seal:
    """What proves that a file was signed. Only ``provenance.releasing`` holds it."""


SIGNED_SEAL: Final = _Seal()


class SignedFile:
    """A file that is signed and may take its name.

    Args:
        path: The file, under its temporary name.
        sidecar: A second file that belongs beside it, under its temporary name; None if it carries all itself.
        seal: What only provenance holds.

    Raises:
        TypeError: made without provenance's seal.
    """

    __slots__ = ("path", "sidecar")

    def __init__(self, path: Path, sidecar: Path | None, seal: _Seal) -> None:
        if seal is not SIGNED_SEAL:
            raise TypeError("a SignedFile is made by understudy.provenance only")
        self.path, self.sidecar = path, sidecar


#: Of a sidecar, after the file's whole name.
SIDECAR_SUFFIX: Final = ".c2pa"
#: Most bytes of a sidecar.
SIDECAR_MOST: Final = 32_000_000


def is_sidecar(path: Path) -> bool:
    """Whether a file holds Content Credentials of another: a JUMBF box, by its content."""
    try:
        with open_regular(path, SIDECAR_MOST) as file:
            return file.read(8)[4:] == b"jumb"
    except OSError:
        return False


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
