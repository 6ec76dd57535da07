"""Rows of the private databases: frozen dataclasses of text, as JSON. A damaged row is an error, never a guess."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from understudy.errors import RecordsError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Row = TypeVar("Row", bound=DataclassInstance)
else:
    Row = TypeVar("Row")

#: What fields of certain names hold.
_FORMS: Final[Mapping[str, str]] = {
    "identifier": "[0-9a-f]{12}",
    "digest": "[0-9a-f]{64}",
    "look": "[0-9a-f]{64}",
    "sources": "[0-9a-f]{64}",
    "output": "([0-9a-f]{64})?",
    "hashes": "[0-9a-f]{64}",
    "ground": "self|granted|fictional|sample",
    "uses": "image|video|live",
    "time": r"\d{4}-\d\d-\d\dT.*",
    "given": r"\d{4}-\d\d-\d\dT.*",
    "expires": r"\d{4}-\d\d-\d\dT.*",
}


def body_of(row: DataclassInstance) -> str:
    """The row as JSON, its names sorted."""
    return json.dumps({field.name: getattr(row, field.name) for field in fields(row)}, sort_keys=True)


def parse(kind: type[Row], body: object) -> Row:
    """A row out of its JSON.

    Args:
        kind: A dataclass whose fields are all ``str`` or ``tuple[str, ...]``.
        body: What the database holds.

    Raises:
        RecordsError: it isn't one.
    """
    try:
        values = _object(body)
        known = {name: _value(name, values[name], listed, form) for name, listed, form in _forms_of(kind)}
    except (ValueError, KeyError, TypeError, RecursionError) as fault:
        raise RecordsError(
            f"a {kind.__name__.lower()} record can't be read: {fault}",
            "The private folder was damaged or altered. `understudy ledger verify` checks the ledger.",
        ) from fault
    return kind(**known)


def readable(kind: type[Row], body: object) -> dict[str, Any]:
    """Those fields of a row that can be read, by name: of a damaged one what is left.

    Args:
        kind: A dataclass as ``parse`` takes it.
        body: What the database holds.
    """
    try:
        values = _object(body)
    except (ValueError, TypeError, RecursionError):
        return {}
    known: dict[str, Any] = {}
    for name, listed, form in _forms_of(kind):
        with suppress(ValueError, KeyError, TypeError):
            known[name] = _value(name, values[name], listed, form)
    return known


def _object(body: object) -> dict[str, object]:
    values = json.loads(body) if isinstance(body, str) else None
    if not isinstance(values, dict):
        raise TypeError("no object")
    return values


@cache
def _forms_of(kind: type[DataclassInstance]) -> tuple[tuple[str, bool, re.Pattern[str] | None], ...]:
    """Of each field its name, whether it is a tuple, and what its texts look like; once for many rows."""
    forms = {name: re.compile(form) for name, form in _FORMS.items()}
    return tuple((field.name, str(field.type).startswith("tuple"), forms.get(field.name)) for field in fields(kind))


def _value(name: str, value: object, listed: bool, form: re.Pattern[str] | None) -> str | tuple[str, ...]:
    values = value if listed else [value]
    if not isinstance(values, list) or not all(isinstance(part, str) for part in values):
        raise TypeError(f"{name} is not text")
    if form is not None and not all(form.fullmatch(part) for part in values):
        raise ValueError(f"{name} has another form")
    return tuple(values) if listed else values[0]
