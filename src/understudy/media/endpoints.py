"""Where live pictures come from and where they go, as people name it: one word for each, read here and nowhere else.

Nothing is opened, so a wrong word is told at once: see ``capture`` and ``playout`` for what opens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from understudy import names
from understudy.errors import UsageError
from understudy.media.live.base import check_address, public_address
from understudy.media.live.broadcast import MUXERS
from understudy.media.live.streams import SCHEMES
from understudy.names import RealNames

SourceKind = Literal["camera", "file", "address", "pipe"]
SinkKind = Literal["window", "virtual", "file", "address", "pipe"]
#: Words for sinks that there is one of.
_SINGLE: Final[dict[str, SinkKind]] = {"window": "window", "virtual": "virtual", "-": "pipe"}


@dataclass(frozen=True)
class _Endpoint:
    kind: str
    place: str = field(default="", repr=False)  # an address may hold a password or a stream key

    def __str__(self) -> str:
        """For people: without what an address should not show."""
        return public_address(self.place) if self.kind == "address" else self.place or self.kind

    @property
    def files(self) -> tuple[Path, ...]:
        """The file that is read or written, if it is one."""
        return (Path(self.place),) if self.kind == "file" else ()


@dataclass(frozen=True)
class SourceEndpoint(_Endpoint):
    """Where live pictures come from.

    Attributes:
        kind: A camera, a video file, a network address, or raw frames on stdin.
        place: A camera's number, device or name; a path; an address. Empty for stdin.
    """

    kind: SourceKind


@dataclass(frozen=True)
class SinkEndpoint(_Endpoint):
    """Where live pictures go.

    Attributes:
        kind: A window, a virtual camera, a file that is recorded, a network address, or raw frames on stdout.
        place: A path or an address. Empty for the others.
    """

    kind: SinkKind


def source_endpoint(word: str) -> SourceEndpoint:
    """The source that a word names.

    Args:
        word: ``-`` for stdin, an address, a file, or a camera by number, device or (part of) its name.

    Raises:
        UsageError: it names nothing, or an address that can't be watched.
    """
    if not word:
        raise UsageError("the source has no name", "Name a camera, a file, an address, or - for stdin.")
    if word == "-":
        return SourceEndpoint("pipe")
    if (scheme := re.match(r"([a-z]+)://", word)) is not None:
        if scheme.group(1) not in SCHEMES:
            raise UsageError(
                f"can't receive from {scheme.group(1)}:// addresses", f"Choose one of {', '.join(SCHEMES)}."
            )
        check_address(word)
        return SourceEndpoint("address", word)
    if not word.startswith("/dev/") and (names.is_file(Path(word)) or re.search(r"\.\w{2,4}$", word)):
        return SourceEndpoint("file", word)
    return SourceEndpoint("camera", word)


def sink_endpoint(word: str) -> SinkEndpoint:
    """The sink that a word names.

    Args:
        word: ``window``, ``virtual`` for a virtual camera, ``-`` for stdout, an address, or a file to record.

    Raises:
        UsageError: it names nothing, or an address that nothing can be sent to.
    """
    if not word:
        raise UsageError("the output has no name", "Name window, virtual, an address, a file, or - for stdout.")
    if (kind := _SINGLE.get(word)) is not None:
        return SinkEndpoint(kind)
    if "://" in word:
        scheme = word.split(":", 1)[0]
        if scheme not in MUXERS:
            raise UsageError(f"can't send to {scheme}:// addresses", f"Choose one of {', '.join(MUXERS)}.")
        check_address(word)
        return SinkEndpoint("address", word)
    return SinkEndpoint("file", word)


def sink_endpoints(words: Iterable[str | SinkEndpoint]) -> list[SinkEndpoint]:
    """The sinks that words name, of which no two may be the same. An endpoint stands for itself.

    Raises:
        UsageError: see ``sink_endpoint``, or one is named twice.
    """
    found = [word if isinstance(word, SinkEndpoint) else sink_endpoint(word) for word in words]
    real = RealNames()
    places = {(sink.kind, str(real(Path(sink.place))) if sink.files else sink.place) for sink in found}
    if len(places) < len(found):
        raise UsageError("the same output is named twice", "Name each once.")
    return found
