"""Many jobs from one file: a table (.csv, .tsv) or a line of JSON for each (.jsonl), as scripts write them."""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from understudy import names
from understudy.errors import InputError, InputNotFoundError, UnderstudyError, UsageError, unreadable_input
from understudy.jobs.job import Order
from understudy.jobs.rows import BadRow, Row, resolved
from understudy.media.files.opening import written_suffix
from understudy.regular import read_regular
from understudy.settings.schema import schema, with_full_paths
from understudy.text import decoded

#: Longest file that is read, in bytes.
LONGEST: Final = 64_000_000
#: Columns and keys that have a meaning of their own; all others are settings, named as in a settings file.
COLUMNS: Final = ("name", "photos", "cast", "target", "output", "overwrite", "priority", "after", "when_done")
_SEPARATORS: Final = {".csv": ",", ".tsv": "\t"}
#: What files of jobs end in.
SUFFIXES: Final = (*_SEPARATORS, ".jsonl")
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0", "")


class Table(NamedTuple):
    """The jobs of a file.

    Attributes:
        orders: What they are to do, in the order of the file.
        lines: Of each, its line in the file, from 1.
        among: Of each, those of ``orders``, by their places, that must be done before, besides its order's ``after``.
        bad: The rows that are no jobs.
    """

    orders: list[Order]
    lines: list[int]
    among: list[tuple[int, ...]]
    bad: list[BadRow]


def read_orders(path: Path, usual: Mapping[str, Any] | None = None) -> Table:
    """The jobs of a file, in its order, and the rows that are none. Relative paths are relative to the file's folder.

    A photo's column may name several, separated by ``;``. Without an output the result lies beside the target, with
    ``-swapped`` in its name. ``after`` has numbers of jobs that are there, and names of rows of this file.

    Args:
        path: A file that ends in ``.csv``, ``.tsv`` or ``.jsonl``.
        usual: What holds where a row says nothing, by column.

    Raises:
        UsageError: it ends otherwise, or has no column of targets.
        InputError: it is not there, can't be read, or is too long.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        what = names.said(path)
        raise UsageError(f"jobs can't be read from {what}", "Name a file that ends in .csv, .tsv or .jsonl.")
    if not names.exists(path):
        raise InputNotFoundError(path, "table of jobs")
    try:
        text = decoded(read_regular(path, LONGEST))
    except InputError:
        raise
    except OSError as fault:
        raise unreadable_input(path, fault) from fault
    except ValueError as fault:
        raise InputError(f"can't use {path}: {fault}", "Save it as UTF-8.") from fault
    rows = _lines_of_json(text) if suffix == ".jsonl" else _rows(text, _SEPARATORS[suffix], path)
    found: list[Row] = []
    bad: list[BadRow] = []
    for line, values in rows:
        try:
            found.append(_row(line, values() if callable(values) else values, path.absolute().parent, usual))
        except UnderstudyError as fault:
            bad.append(BadRow(line, fault.message, fault.hint))
    good, dangling = resolved(found)
    places = {row.name: place for place, row in enumerate(good) if row.name}
    return Table(
        [row.order for row in good],
        [row.line for row in good],
        [tuple(places[name] for name in row.after) for row in good],
        sorted([*bad, *dangling], key=lambda row: row.line),
    )


def _row(line: int, values: Mapping[str, Any], folder: Path, usual: Mapping[str, Any] | None) -> Row:
    """The row of these values.

    Raises:
        UsageError: it is no job.
    """
    given = {str(name).strip(): value for name, value in values.items()}
    after = _several(given.pop("after", None) or ())
    numbers = [one for one in after if _is_number(one)]
    named = tuple(str(one) for one in after if not _is_number(one))
    name = str(given.pop("name", None) or "").strip()
    if _is_number(name):
        raise UsageError(f"a row's name is no number, as {name!r} is", "Numbers are those of jobs: put a letter in.")
    return Row(line, name, named, order_of({**given, "after": numbers}, folder, usual))


def _is_number(value: object) -> bool:
    return not isinstance(value, bool) and str(value).strip().lstrip("+-").isdecimal()


def order_of(values: Mapping[str, Any], folder: Path, usual: Mapping[str, Any] | None = None) -> Order:
    """The job that a row describes.

    Args:
        values: By column. Empty texts are as if they were not there.
        folder: What relative paths are relative to.
        usual: What holds where they say nothing, by column.

    Raises:
        UsageError: it is none.
    """
    said = {str(name).strip(): value for name, value in values.items() if value not in (None, "", [])}
    given = {**(usual or {}), **said}
    if "target" not in given:
        raise UsageError("a job needs a target", f"Columns are {', '.join(COLUMNS)}, and settings.")
    target = folder / _word(given["target"], "target")
    settings = {name: _value(name, value) for name, value in given.items() if name not in COLUMNS}
    output, cast = given.get("output"), given.get("cast")
    return Order(
        target=target,
        output=result_beside(target) if output is None else folder / _word(output, "output"),
        photos=tuple(folder / _word(photo, "photo") for photo in _several(given.get("photos", ()))),
        cast=None if cast is None else folder / _word(cast, "cast"),
        settings=with_full_paths(settings, folder),
        overwrite=_yes(given.get("overwrite", "no")),
        priority=_whole(given.get("priority", 0), "priority"),
        after=tuple(_whole(number, "after") for number in _several(given.get("after", ()))),
        when_done=command_of(given.get("when_done", ())),
    )


def result_beside(target: Path) -> Path:
    """The output of a job that names none: beside its target."""
    return target.with_name(f"{target.stem}-swapped{written_suffix(target)}")


def _rows(text: str, separator: str, path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    header = text.partition("\n")[0]
    if separator == "," and "," not in header and ";" in header:  # as spreadsheets do where numbers have commas
        separator = ";"
    reader = csv.DictReader(io.StringIO(text), delimiter=separator, strict=True)
    try:
        if reader.fieldnames is None:
            raise UsageError(f"{path.name} is empty", "Its first line names columns, its others are jobs.")
        reader.fieldnames = [_column(name) for name in reader.fieldnames]
        if "target" not in reader.fieldnames:
            raise UsageError(f"{path.name} has no column 'target'", f"Columns are {', '.join(COLUMNS)}, and settings.")
        for row in reader:
            surplus = row.pop(None, None)
            if surplus:
                row["more than there are columns"] = ""
            yield reader.line_num, row
    except csv.Error as fault:
        raise InputError(f"can't use {path}: line {reader.line_num}: {fault}", "Mend the table.") from fault


def _column(name: str) -> str:
    """What a column is called, of those with a meaning of their own: in capitals, too."""
    name = name.strip()
    return name.lower() if name.lower() in COLUMNS else name


def _lines_of_json(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), 1):  # other line ends may stand in texts as they are
        if line.strip():
            yield number, lambda line=line: _object(line)


def _object(line: str) -> Mapping[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as fault:
        raise UsageError(f"no JSON: {fault}", "Each line is one object.") from fault
    if not isinstance(found, dict):
        raise UsageError("something other than a JSON object", "Each line is one object.")
    return found


def _value(name: str, value: object) -> object:
    """What a setting's cell says: a text as it is written, a number, a list or the like as JSON writes it."""
    if not isinstance(value, str) or (name in schema() and schema()[name].is_text):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _several(value: object) -> list[Any]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(";") if part.strip()]
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _word(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f"a {what} is a path, not {value!r}", "Write it as text.")
    return value


def _yes(value: object) -> bool:
    word = str(value).strip().lower()
    if word not in (*_YES, *_NO):
        raise UsageError(f"overwrite is yes or no, not {value!r}", "Leave it out for no.")
    return word in _YES


def _whole(value: object, what: str) -> int:
    try:
        return int(str(value))
    except ValueError as fault:
        raise UsageError(f"{what} is a whole number, not {value!r}", "Leave it out for none.") from fault


def command_of(value: object) -> tuple[str, ...]:
    """A command's words, of one text or of several.

    Raises:
        UsageError: a text that can't be taken apart.
    """
    if isinstance(value, str):
        try:
            return tuple(shlex.split(value))
        except ValueError as fault:
            raise UsageError(f"the command can't be taken apart: {fault}", "Close its quotation marks.") from fault
    return tuple(str(word) for word in _several(value))
