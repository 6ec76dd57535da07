"""Every setting by its full name: what it may be, and how settings are changed by names and values from outside.

The schema is not written down anywhere: it is what the dataclasses of ``Settings`` say. A name is the path to a field
(``blend.strength``). Types are checked by pydantic, strictly; ranges by the dataclasses themselves.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from understudy.errors import UnderstudyError, UsageError
from understudy.settings.lanes import Lane, in_order
from understudy.settings.settings import Settings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from pydantic import TypeAdapter

#: Never from a file: live objects among the options and what belongs to them, and what protects: a file of somebody's
#: favourite settings must not quietly let intimate pictures through.
PYTHON_ONLY: Final = frozenset({"signing.sign", "signing.algorithm", "content.threshold"})
_HINT: Final = "docs/settings.md says what each may be; `understudy settings --json` prints them."
#: Largest whole number: TOML promises no more.
_MOST: Final = 2**63 - 1
#: Longest part of a name or value that is shown in an error.
_SHOWN: Final = 60

#: What lanes are in a file.
_TABLES: Final = tuple[dict[str, Any], ...]

Options = TypeVar("Options", bound="DataclassInstance")


class Setting(NamedTuple):
    """One setting.

    Attributes:
        name: In full, such as ``blend.strength``.
        type: What it may be, in a file: pairs of a word and something are a table there.
        default: Of that type; None if it is not set.
    """

    name: str
    type: Any
    default: object

    @property
    def is_path(self) -> bool:
        """Whether it names a file or folder."""
        return Path in get_args(self.type)

    @property
    def is_text(self) -> bool:
        """Whether it is a word or several as they are written, or a path, and nothing else."""
        literal = get_origin(self.type) is Literal
        kinds = {type(one) for one in get_args(self.type)} if literal else {*get_args(self.type)} or {self.type}
        return kinds <= {str, Path, type(None)}


@lru_cache(maxsize=1)
def schema() -> Mapping[str, Setting]:
    """All settings, by name, in the order of the dataclasses' fields."""
    return {name: Setting(name, type_, in_a_file(value, type_)) for name, type_, value in _walk(Settings(), "")}


def values_of(settings: Settings) -> dict[str, object]:
    """What each setting is, by name, as ``changed`` takes it."""
    return {name: in_a_file(value, type_) for name, type_, value in _walk(settings, "")}


def unusual(settings: Settings) -> dict[str, object]:
    """Settings that differ from the usual, by name; where the private folder is is not among them."""
    usual = values_of(Settings())
    return {name: value for name, value in values_of(settings).items() if value != usual[name] and name != "home"}


def with_full_paths(values: Mapping[str, object], folder: Path) -> dict[str, object]:
    """Settings of which each file or folder is named by its full path, as a word: so they hold wherever they are used.

    Args:
        values: By name; what is no setting, or can't be one, stays as it is.
        folder: What paths are relative to.
    """
    return {
        name: str((folder / value).absolute())
        if name in schema() and schema()[name].is_path and isinstance(value, (str, Path)) and value
        else value
        for name, value in values.items()
    }


def in_a_file(value: object, type_: object) -> object:
    """A field's value as it stands in a file, of its type there: pairs are a table, which has every name once."""
    if isinstance(value, tuple) and type_ == _TABLES:
        return tuple(one.as_table() if isinstance(one, Lane) else one for one in value)
    return dict(value) if isinstance(value, tuple) and get_origin(type_) is dict else value


def changed(
    settings: Settings,
    values: Mapping[str, object],
    *,
    folder: Path | None = None,
    called: Mapping[str, str] | None = None,
) -> Settings:
    """The settings with some of them changed.

    Args:
        settings: As they are; live objects among them stay.
        values: By full name, as they stand in a file: a path is a word or a ``Path``.
        folder: What paths in words are relative to; None for the working directory.
        called: What an error calls a setting, if not by its full name: the option that set it.

    Raises:
        UsageError: there is no such setting, or it can't be that.
        UnderstudyError: a file that is named can't be used.
    """
    for name in values:
        if name not in schema():
            raise unknown(name)
    checked = {name: _checked(schema()[name], value, folder or Path(), called or {}) for name, value in values.items()}
    return _replaced(settings, "", checked, called or {})


def check_values(settings: Settings) -> None:
    """Make sure that settings that were made in Python hold what a file of settings could hold.

    The dataclasses check ranges, not types: a word that is none would do something else in silence. What is as usual
    costs nothing.

    Raises:
        UsageError: one is of another type, or no such word; or a group of them is none.
    """
    _check_group(settings, _usual(), "")


@cache
def _usual() -> Settings:
    return Settings()  # milliseconds: it looks whether its label can be written


def _check_group(options: DataclassInstance, usual: DataclassInstance, prefix: str) -> None:
    for field in fields(usual):
        name = prefix + field.name
        value, default = getattr(options, field.name), getattr(usual, field.name)
        if is_dataclass(default) and not isinstance(default, type):
            if not isinstance(value, type(default)):
                found = "None" if value is None else type(value).__name__
                raise UsageError(
                    f"the setting {name!r} is made with {type(default).__name__}(…), not {found}",
                    f"Leave it out to have it as usual, or say {field.name}={type(default).__name__}(…).",
                )
            _check_group(value, default, f"{name}.")
        elif name not in PYTHON_ONLY and not (type(value) is type(default) and value == default):
            setting = schema()[name]
            plain = value.item() if isinstance(value, np.generic) else value
            if setting.type != _TABLES and not _fits_plainly(plain, setting.type):  # lanes checked themselves
                _checked(setting, in_a_file(plain, setting.type), Path(), {})


def _fits_plainly(value: object, type_: Any) -> bool:  # noqa: ANN401 - any type
    """Whether a value is of that type beyond doubt: told without pydantic, whose import takes as long as a swap."""
    if get_origin(type_) is Literal:
        return isinstance(value, str) and value in get_args(type_)
    if get_origin(type_) in (Union, UnionType):
        return any(_fits_plainly(value, one) for one in get_args(type_))
    if type_ is Path:
        return isinstance(value, Path)
    if type(value) is not type_:
        return False
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, (str, bool, NoneType)) or (isinstance(value, int) and -_MOST <= value <= _MOST)


def unknown(name: str) -> UsageError:
    """The error about a name that no setting has."""
    names = list(schema())
    if own := [known for known in names if known.startswith(f"{name}.")]:
        said = f"Name its settings in full, such as {own[0]!r}. {_HINT}"
        return UsageError(f"{name!r} is a group of settings, not a setting", said)
    leaf = name.rpartition(".")[2]
    near = difflib.get_close_matches(name, names, 1, 0.7) or [
        known for known in names if difflib.get_close_matches(leaf, [known.rpartition(".")[2]], 1, 0.8)
    ]
    hint = f"Did you mean {' or '.join(repr(known) for known in near[:3])}? " if near else ""
    return UsageError(f"unknown setting {name[:_SHOWN]!r}", hint + _HINT)


def _walk(options: DataclassInstance, prefix: str) -> Iterator[tuple[str, Any, object]]:
    hints = get_type_hints(type(options))
    for field in fields(options):
        name, value = prefix + field.name, getattr(options, field.name)
        if is_dataclass(value) and not isinstance(value, type):
            yield from _walk(value, f"{name}.")
        elif name not in PYTHON_ONLY:
            yield name, _type_in_a_file(hints[field.name]), value


def _type_in_a_file(hint: object) -> object:
    """``tuple[tuple[str, X], ...]`` is a table of X in a file, and lanes are tables; all else is what it is."""
    if hint == Sequence[Lane]:
        return _TABLES
    if get_origin(hint) is tuple and get_origin(pair := get_args(hint)[0]) is tuple:
        return dict[get_args(pair)]  # type: ignore[misc]
    return hint


@cache
def _adapter(name: str) -> TypeAdapter[object]:
    from pydantic import ConfigDict, TypeAdapter  # here, so that options alone do without it

    return TypeAdapter(schema()[name].type, config=ConfigDict(strict=True, allow_inf_nan=False))


def _checked(setting: Setting, value: object, folder: Path, called: Mapping[str, str]) -> object:
    """The value as the dataclass has it.

    Raises:
        UsageError: it is of another type.
    """
    from pydantic import ValidationError

    if setting.is_path and isinstance(value, str):
        if not value or "\0" in value:
            raise _refused(setting.name, value, "it should name a file or folder", called)
        value = folder / value
    if setting.type == _TABLES and isinstance(value, (list, tuple)):
        value = tuple(one.as_table() if isinstance(one, Lane) else one for one in value)
    if isinstance(value, int) and not -_MOST <= value <= _MOST:
        raise _refused(setting.name, value, "the number is too large", called)
    try:
        found = _adapter(setting.name).validate_python(tuple(value) if isinstance(value, list) else value)
    except ValidationError as fault:
        first, *others = fault.errors(include_url=False)
        reason = _reason([first["msg"], *(one["msg"] for one in others if not isinstance(value, (dict, tuple, list)))])
        inner = [part for part in first["loc"] if isinstance(part, str)]  # names in a table; all else is shown whole
        if inner and isinstance(value, dict):
            raise _refused(f"{setting.name}.{inner[0]}", value.get(inner[0]), reason, called) from fault
        raise _refused(setting.name, value, reason, called) from fault
    if setting.type == _TABLES:
        return _lanes(setting.name, found, called)
    return tuple(found.items()) if isinstance(found, dict) else found


def _reason(said: Sequence[str]) -> str:
    """What a value should be, by what pydantic says of each thing that it may be, in this program's words."""
    found = "\n".join(said)
    for theirs, ours in _WORDS.items():
        found = found.replace(theirs, ours)
    first, *others = dict.fromkeys(found.split("\n"))
    return " or ".join(
        [first, *(one.removeprefix("it should be ") for one in others if one.startswith("it should be "))]
    )


def _lanes(name: str, tables: Any, called: Mapping[str, str]) -> tuple[Lane, ...]:  # noqa: ANN401 - checked
    """Lanes of tables.

    Raises:
        UsageError: one is none, or two overlap.
    """
    found = []
    for number, table in enumerate(tables, 1):
        try:
            found.append(Lane.of(table))
        except UsageError as fault:
            raise UsageError(f"{_named(name, called)}, number {number}: {fault.message}", fault.hint) from fault
        except ValueError as fault:
            raise UsageError(f"{_named(name, called)}, number {number}: {fault}", _hint(name, called)) from fault
    return in_order(found)


#: Pydantic's words, and those of the page of settings.
_WORDS: Final = {
    "Input should": "it should",
    "a valid integer": "a whole number",
    "a valid number": "a number",
    "a valid string": "a word",
    "a valid boolean": "yes or no",
}


def _refused(name: str, value: object, reason: object, called: Mapping[str, str]) -> UsageError:
    return UsageError(f"{_named(name, called)} can't be {_shown(value)}: {reason}", _hint(name, called))


def _named(name: str, called: Mapping[str, str]) -> str:
    return called.get(name, f"the setting {name!r}")


def _hint(name: str, called: Mapping[str, str]) -> str:
    return "`--help` says what it may be." if name in called else _HINT


def _shown(value: object) -> str:
    """A value as it may stand in an error: as people write it, and not for pages."""
    try:
        text = repr(str(value)) if isinstance(value, (str, Path)) else json.dumps(value, default=str)
    except ValueError:  # Python writes no number of thousands of digits
        text = "a number without end"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _replaced(options: Options, prefix: str, checked: Mapping[str, object], called: Mapping[str, str]) -> Options:
    """The options of one group, and of those in it, with what of them is to change."""
    changes: dict[str, object] = {}
    for field in fields(options):
        name = prefix + field.name
        if name in checked:
            changes[field.name] = checked[name]
        elif any(other.startswith(f"{name}.") for other in checked):
            changes[field.name] = _replaced(getattr(options, field.name), f"{name}.", checked, called)
    try:
        return replace(options, **changes)
    except UnderstudyError:
        raise
    except ValueError as fault:
        raise _misfit(options, prefix, changes, called, fault) from fault


def _misfit(
    options: DataclassInstance, prefix: str, changes: Mapping[str, object], called: Mapping[str, str], fault: ValueError
) -> UsageError:
    """The error about values that a group's dataclass refuses: of the one without which it takes the rest, or all."""

    def fits_without(field: str) -> bool:
        try:
            replace(options, **{other: value for other, value in changes.items() if other != field})
        except ValueError:
            return False
        return True

    at_fault = [field for field in changes if fits_without(field)] or [*changes]
    names = [prefix + field for field in at_fault]
    if len(names) == 1:
        return _refused(names[0], changes[at_fault[0]], fault, called)
    said = " and ".join(_named(name, called) for name in names)
    return UsageError(f"{said} do not go together: {fault}", _hint(names[0], called))


def flattened(tables: Mapping[str, object]) -> dict[str, object]:
    """The settings in tables, by full name.

    Args:
        tables: As a file has them: tables in tables, or full names, or both.

    Raises:
        UsageError: there is no such setting or group, or one that is there twice, or a group that is no table.
    """
    found: dict[str, object] = {}
    _take(tables, "", found)
    return found


def _take(tables: Mapping[str, object], prefix: str, found: dict[str, object]) -> None:
    """Put each setting's full name and value into ``found``.

    Raises:
        UsageError: there is no such setting or group, or one that is there twice, or a group that is no table.
    """
    for key, value in tables.items():
        name = prefix + key
        if name in found:  # "blend.strength" beside a table "blend"
            raise UsageError(f"the setting {name!r} is there twice", "Leave it in once.")
        if name in schema():
            found[name] = value
        elif not any(known.startswith(f"{name}.") for known in schema()):
            raise unknown(_innermost(name, value))
        elif isinstance(value, dict):
            _take(value, f"{name}.", found)
        else:
            raise UsageError(f"{name!r} is a group of settings, not a setting", f"Write [{name}] above its settings.")


def _innermost(name: str, value: object) -> str:
    """The first setting in a table: its name says more than its group's."""
    while isinstance(value, dict) and value:
        key, value = next(iter(value.items()))
        name = f"{name}.{key}"
    return name
