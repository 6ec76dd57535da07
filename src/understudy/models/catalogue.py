"""The catalogue: every model that can be fetched, from the package's data files and the user's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from understudy import toml
from understudy.errors import CatalogueError, InputUnreadableError, UnfitFileError, UnknownModelError
from understudy.models.entries import KINDS, Bundle, Entry, Kind, Licence, Strict
from understudy.regular import read_regular
from understudy.text import printable

#: The user's own entries: this file in the private folder.
OWN_FILE = "models.toml"
#: Longest file of entries that is read.
_LONGEST = 256_000
#: Longest row of models of which each needs the next.
_DEEPEST = 50

One = TypeVar("One", bound=Strict)


@dataclass(frozen=True)
class Catalogue:
    """What is known of all models.

    Attributes:
        entries: By name, in the order in which they are listed.
        bundles: By name.
        licences: By key.
    """

    entries: dict[str, Entry]
    bundles: dict[str, Bundle]
    licences: dict[str, Licence]

    @classmethod
    def load(cls, own: Path | None = None) -> Catalogue:
        """The package's entries, and those of a file of the user's.

        Args:
            own: A TOML file with the same tables (``[[model]]``, ``[[bundle]]``, ``[licence.KEY]``). An entry of a name
                that is there already takes its place. None, or a file that does not exist: no such entries.

        Raises:
            CatalogueError: an entry is wrong; it is named, and what is wrong with it.
            InputUnreadableError: the file can't be read.
        """
        folder = files("understudy.models").joinpath("data")
        packaged = [part for part in folder.iterdir() if part.name.endswith(".toml")]
        texts = [(part.name, part.read_bytes()) for part in sorted(packaged, key=lambda part: part.name)]
        if own is not None and own.exists():
            texts.append((str(own), _read(own)))
        entries: dict[str, Entry] = {}
        bundles: dict[str, Bundle] = {}
        licences: dict[str, Licence] = {}
        for place, text in texts:
            tables = _parsed(place, text)
            licences |= {key: _checked(place, key, Licence, table) for key, table in tables["licence"].items()}
            entries |= _by_name(place, Entry, tables["model"])
            bundles |= _by_name(place, Bundle, tables["bundle"])
        catalogue = cls({entry.name: entry for entry in sorted(entries.values(), key=_order)}, bundles, licences)
        catalogue._check_references(texts[-1][0])
        return catalogue

    def of_kind(self, kind: Kind) -> list[Entry]:
        """All entries of one kind."""
        return [entry for entry in self.entries.values() if entry.kind == kind]

    def licence_of(self, entry: Entry) -> Licence:
        """The licence of a model."""
        return self.licences[entry.licence]

    def strictest(self, entry: Entry) -> Licence:
        """Of the licences of a model and all that it needs to work, the one that allows least."""
        licences = [self.licence_of(one) for one in reversed(self.resolved([entry.name]))]
        return min(licences, key=lambda licence: (False, None, True).index(licence.commercial))

    def terms(self, entry: Entry) -> str:
        """Under which name it is noted that somebody accepted a model's terms.

        A licence's own, as a rule. What was accepted of one that is collective says nothing of another author's model.
        """
        return f"{entry.licence}: {entry.name}" if self.licence_of(entry).collective else entry.licence

    def resolved(self, names: Iterable[str], *, needed: bool = True) -> list[Entry]:
        """Models and bundles by name, each once.

        Args:
            names: Of models and bundles.
            needed: With all that they need, before them.

        Raises:
            UnknownModelError: there is none of that name.
        """
        found: dict[str, Entry] = {}

        def take(name: str, asked: str) -> None:
            if name in found:
                return
            if name in self.bundles:
                for member in self.bundles[name].models:
                    take(member, asked)
                return
            if name not in self.entries:
                raise UnknownModelError(printable(asked), [*self.entries, *self.bundles])
            for other in self.entries[name].needs if needed else ():
                take(other, asked)
            found[name] = self.entries[name]

        for name in names:
            take(name, name)
        return list(found.values())

    def _check_references(self, place: str) -> None:
        """Whether everything that is named is there, nothing needs itself, and each has a file of its own."""
        files: dict[str, str] = {}
        for entry in self.entries.values():
            other = files.setdefault(entry.file.name.lower(), entry.name)
            if other != entry.name:
                raise CatalogueError(place, entry.name, f"its file {entry.file.name} is also that of {other}")
        sound: set[str] = set()
        for entry in self.entries.values():
            if entry.licence not in self.licences:
                raise CatalogueError(place, entry.name, f"there is no licence {entry.licence}")
            for needed in entry.needs:
                if needed not in self.entries:
                    raise CatalogueError(place, entry.name, f"it needs {needed}, which the catalogue does not have")
            for other, kind in entry.source.others.items() if entry.source is not None else ():
                if self.entries[other].kind != kind:
                    raise CatalogueError(place, entry.name, f"{other} is no {kind}")
            self._check_circle(place, entry, (entry.name,), sound)
        for bundle in self.bundles.values():
            missing = [name for name in bundle.models if name not in self.entries]
            if missing:
                raise CatalogueError(place, bundle.name, f"it holds {missing[0]}, which the catalogue does not have")
            if bundle.name in self.entries:
                raise CatalogueError(place, bundle.name, "a model has the same name")

    def _check_circle(self, place: str, entry: Entry, path: tuple[str, ...], sound: set[str]) -> None:
        if len(path) > _DEEPEST:
            raise CatalogueError(place, path[0], "too many models need each other in a row")
        for needed in entry.needs:
            if needed in path:
                raise CatalogueError(place, path[0], f"it needs itself: {' > '.join([*path, needed])}")
            if needed in self.entries and needed not in sound:
                self._check_circle(place, self.entries[needed], (*path, needed), sound)
        sound.add(entry.name)


def _order(entry: Entry) -> int:
    return KINDS.index(entry.kind)


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, _LONGEST)
    except UnfitFileError as fault:
        raise CatalogueError(str(path), None, fault.reason) from fault
    except OSError as fault:
        raise InputUnreadableError(
            f"can't read {path}: {fault.strerror or fault}", "Check its permissions, or move it away."
        ) from fault


def _parsed(place: str, text: bytes) -> dict[str, Any]:
    """The tables of one file, each there."""
    try:
        tables = toml.parsed(text)
    except ValueError as fault:
        raise CatalogueError(place, None, str(fault)) from fault
    shapes: dict[str, type] = {"model": list, "bundle": list, "licence": dict}
    for name, found in tables.items():
        if name not in shapes:
            raise CatalogueError(place, None, f"there is no table {name!r}: only {', '.join(shapes)}")
        if not isinstance(found, shapes[name]):
            raise CatalogueError(place, None, f"{name} is written [[{name}]]" if name != "licence" else "[licence.KEY]")
    return {name: tables.get(name, shape()) for name, shape in shapes.items()}


def _by_name(place: str, what: type[One], tables: list[Any]) -> dict[str, One]:
    found: dict[str, One] = {}
    for number, table in enumerate(tables, start=1):
        named = table.get("name") if isinstance(table, dict) else None
        name = named if isinstance(named, str) else f"number {number}"
        if name in found:
            raise CatalogueError(place, name, "the name is there twice")
        found[name] = _checked(place, name, what, table)
    return found


def _checked(place: str, name: str, what: type[One], table: object) -> One:
    try:
        return what.model_validate(table)
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CatalogueError(place, name, f"{where}: {first['msg']}" if where else first["msg"]) from fault
