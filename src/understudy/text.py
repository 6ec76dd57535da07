"""Text from outside, made fit to be printed."""

from __future__ import annotations

import codecs
import math
import shlex
from collections.abc import Iterable, Sequence
from typing import Final, SupportsFloat

#: What texts in other encodings than UTF-8 begin with. UTF-32's little-endian mark begins as that of UTF-16.
_MARKS: Final = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}


def decoded(data: bytes) -> str:
    """The text of a file that an editor may have written: UTF-8, or what its byte order mark says.

    Raises:
        ValueError: it is no text in that encoding.
    """
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise ValueError(f"it is no text in {encoding.upper().removesuffix('-SIG')}, from line {line} on") from fault


def pasted(path: object) -> str:
    """A path as a shell takes it in a command: quoted where it has spaces and the like, and no option."""
    name = str(path)
    return shlex.quote(f"./{name}" if name.startswith("-") else name)


def unmarked(data: bytes) -> bytes:
    """The same text in UTF-8 without a byte order mark, which readers of old formats stumble over.

    What has no mark, or is no text, is left as it is.
    """
    try:
        return decoded(data).encode() if data.startswith(tuple(_MARKS)) else data
    except ValueError:
        return data


def counted(number: int, noun: str) -> str:
    """A number of things in words: "1 record", "2 records".

    Args:
        number: How many.
        noun: What, in the singular; its plural ends in -s.
    """
    return f"{number} {noun}{'s' * (number != 1)}"


def number_of(value: SupportsFloat) -> float:
    """A number as a plain float; one too large for that is infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def words_of(words: str | Iterable[str]) -> tuple[str, ...]:
    """Several words; one that stands alone is one word, not its letters."""
    return (words,) if isinstance(words, str) else tuple(words)


def listed(words: Sequence[str]) -> str:
    """``a``; ``a and b``; ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def few(words: Sequence[str], most: int) -> str:
    """As ``listed``, no more than so many of them: ``a, b and 68 more``."""
    return listed(words if len(words) <= most else [*words[:most], f"{len(words) - most} more"])


def printable(text: object) -> str:
    """The text with what a terminal would obey, and what no encoding has, shown as U+FFFD.

    File names, notes and other people's manifests may hold escape sequences, line breaks, marks that turn the
    direction of writing, and half surrogates.
    """
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in str(text))
