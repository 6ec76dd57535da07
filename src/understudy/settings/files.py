"""Settings as files: TOML or JSON, by suffix, read and written here and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Final

from understudy import toml
from understudy.errors import UsageError
from understudy.settings.lanes import Lane
from understudy.settings.schema import changed, flattened, values_of
from understudy.settings.settings import Settings
from understudy.table_files import read_tables

#: Longest file that is read, in bytes.
LONGEST: Final = 256_000


def read_settings(path: str | PathLike[str]) -> Settings:
    """The settings of a file; what it does not say is as usual. Relative paths in it are relative to its folder.

    Args:
        path: A file that ends in ``.toml`` or ``.json``.

    Raises:
        UsageError: it ends otherwise, has a setting that there is not, or one that can't be that.
        InputError: it is not there, can't be read, is too long, or is no TOML or JSON.
    """
    path = Path(path)
    tables = read_tables(path, LONGEST, "settings", "docs/settings.md shows what such a file looks like.")
    try:
        return changed(Settings(), flattened(tables), folder=path.absolute().parent)
    except UsageError as fault:
        raise UsageError(f"{fault.message} (in {path})", fault.hint) from fault


def read_lanes(path: str | PathLike[str]) -> Sequence[Lane]:
    """The lanes of a file that says nothing else.

    Args:
        path: A file that ends in ``.toml`` or ``.json``, with a list ``lanes``, as a settings file has it.

    Raises:
        UsageError: it ends otherwise, or one of them is no lane.
        InputError: it is not there, can't be read, is too long, or is no TOML or JSON.
    """
    path = Path(path)
    tables = read_tables(path, LONGEST, "lanes", "docs/parts.md shows what such a file looks like.")
    try:
        if set(tables) != {"lanes"}:
            raise UsageError("a file of lanes has lanes, and nothing else", "Give other settings by --settings.")
        return changed(Settings(), tables).lanes
    except UsageError as fault:
        raise UsageError(f"{fault.message} (in {path})", fault.hint) from fault


def as_tables(settings: Settings) -> dict[str, Any]:
    """The settings as JSON has them: tables in tables, None where nothing is set, paths in full.

    Raises:
        UsageError: a setting can't be written, such as an infinite number.
    """
    values = values_of(settings)
    changed(Settings(), values)  # what could not be read again is told here
    tables: dict[str, Any] = {}
    for name, value in values.items():
        *groups, last = name.split(".")
        table = tables
        for group in groups:
            table = table.setdefault(group, {})
        table[last] = _plain(value)
    return tables


def as_json(settings: Settings) -> str:
    """The text of a JSON file that ``read_settings`` reads as these settings.

    Raises:
        UsageError: a setting can't be written.
    """
    tables = as_tables(settings)
    text = json.dumps(tables, ensure_ascii=False, indent=2)
    try:
        text.encode()
    except UnicodeEncodeError:  # a file's name need not be valid Unicode; escaped, it is what it was
        text = json.dumps(tables, indent=2)
    return f"{text}\n"


def as_toml(settings: Settings, *, ascii_only: bool = False) -> str:
    r"""The text of a TOML file that ``read_settings`` reads as these settings; what is not set is left out.

    Args:
        settings: To write.
        ascii_only: Write every letter beyond ASCII as ``\uXXXX``.

    Raises:
        UsageError: a setting can't be written.
    """
    try:
        return toml.written(_without_none(as_tables(settings)), ascii_only=ascii_only)
    except ValueError as fault:
        raise UsageError(f"these settings can't be written: {fault}", "Choose another name for that file.") from fault


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value.absolute())
    return list(value) if isinstance(value, tuple) else value


def _without_none(tables: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_none(value) if isinstance(value, dict) else value
        for name, value in tables.items()
        if value is not None
    }
