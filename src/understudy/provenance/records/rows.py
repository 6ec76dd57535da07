"""Rows of the private databases: frozen dataclasses of text, as JSON. A damaged row is an error, never a guess."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Final, TypeVar

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
    return json.dumps(asdict(row), sort_keys=True)


def parse(kind: type[Row], body: object) -> Row:
    """A row out of its JSON.

    Args:
        kind: A dataclass whose fields are all ``str`` or ``tuple[str, ...]``.
        body: What the database holds.

    Raises:
        RecordsError: it isn't one.
    """
    try:
        values = json.loads(body) if isinstance(body, str) else None
        if not isinstance(values, dict):
            raise TypeError("no object")
        known = {field.name: _value(field.name, str(field.type), values[field.name]) for field in fields(kind)}
    except (ValueError, KeyError, TypeError, RecursionError) as fault:
        raise RecordsError(
            f"a {kind.__name__.lower()} record can't be read: {fault}",
            "The private folder was damaged or altered. `understudy ledger verify` checks the ledger.",
        ) from fault
    return kind(**known)


def _value(name: str, kind: str, value: object) -> str | tuple[str, ...]:
    listed = kind.startswith("tuple")
    values = value if listed else [value]
    if not isinstance(values, list) or not all(isinstance(part, str) for part in values):
        raise TypeError(f"{name} is not text")
    if name in _FORMS and not all(re.fullmatch(_FORMS[name], part) for part in values):
        raise ValueError(f"{name} has another form")
    return tuple(values) if listed else values[0]
