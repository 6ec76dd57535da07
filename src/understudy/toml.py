"""TOML: parsed as it may come from anybody, and written so that any terminal and encoding can carry it."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any, Final

from understudy.text import decoded

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: Most dots between two delimiters of a file. The parser's time grows with the square of a key's parts.
_MOST_DOTS: Final = 100


def parsed(data: bytes) -> dict[str, Any]:
    """The tables of a file.

    Args:
        data: What is in it: UTF-8, or what its byte order mark says.

    Raises:
        ValueError: it is no TOML, or built to keep the parser busy.
    """
    if any(part.count(b".") > _MOST_DOTS for part in re.split(rb"[=,{\n]", data)):
        raise ValueError("a key in it has too many parts")
    try:
        return tomllib.loads(decoded(data))
    except (ValueError, RecursionError) as fault:
        raise ValueError(f"it is not valid TOML: {fault}") from fault


def written(tables: Mapping[str, Any], *, ascii_only: bool = False) -> str:
    r"""The text of a file with these tables, which ``parsed`` reads as the same.

    Args:
        tables: Of words, numbers, truths, lists and tables; ``None`` has no place in TOML.
        ascii_only: Write every letter beyond ASCII as ``\uXXXX``.

    Raises:
        ValueError: a word holds half a surrogate pair, which TOML can't say.
    """
    import tomli_w

    text = tomli_w.dumps(tables)
    # Outside of words all is ASCII, and in them no line breaks: so what a terminal would obey is in a word.
    return "".join(letter if _plain(letter, ascii_only=ascii_only) else _escaped(letter) for letter in text)


def _plain(letter: str, *, ascii_only: bool) -> bool:
    return letter == "\n" or (letter.isprintable() and (letter.isascii() or not ascii_only))


def _escaped(letter: str) -> str:
    number = ord(letter)
    if 0xD800 <= number <= 0xDFFF:
        raise ValueError(f"TOML has no way to say U+{number:04X}, half of a surrogate pair")
    return f"\\u{number:04X}" if number <= 0xFFFF else f"\\U{number:08X}"
