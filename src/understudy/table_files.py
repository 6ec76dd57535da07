"""Files of tables: TOML or JSON, by suffix, as anybody may have written them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from understudy import names, toml
from understudy.errors import InputError, InputNotFoundError, UsageError, unreadable_input
from understudy.regular import read_regular
from understudy.text import decoded


def read_tables(path: Path, most: int, what: str, hint: str) -> dict[str, Any]:
    """The tables of a file.

    Args:
        path: A file that ends in ``.toml`` or ``.json``.
        most: Most bytes that it may have.
        what: What it is a file of, in one word.
        hint: Where is said what such a file looks like.

    Raises:
        UsageError: it ends otherwise.
        InputError: it is not there, can't be read, is too long, or is no TOML or JSON.
    """
    if (parse := _PARSERS.get(path.suffix.lower())) is None:
        raise UsageError(f"no {what} can be read from {names.said(path)}", "Name a file that ends in .toml or .json.")
    if not names.exists(path):
        raise InputNotFoundError(path, f"{what} file")
    try:
        data = read_regular(path, most)
    except InputError:
        raise
    except OSError as fault:
        raise unreadable_input(path, fault) from fault
    try:
        return parse(data)
    except ValueError as fault:
        raise InputError(f"can't use {path}: {fault}", hint) from fault


def _parsed_json(data: bytes) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        ValueError: it is no JSON, no object, or says something twice.
    """
    try:
        found = json.loads(decoded(data), object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError as fault:
        raise ValueError("its JSON is nested too deeply") from fault
    except ValueError as fault:
        raise ValueError(f"it is not valid JSON: {fault}") from fault
    if not isinstance(found, dict):
        raise ValueError("it holds something other than a JSON object")  # noqa: TRY004 - its content is wrong, as above
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} is there twice")
        found[name] = value
    return found


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")


_PARSERS: Final = {".toml": toml.parsed, ".json": _parsed_json}
