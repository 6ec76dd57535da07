"""Everybody whose face is used in one output: whether it may be, and as which engine knows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from understudy.casting.assignment import Assigned
from understudy.casting.cast import Part, PartList, assigned_to
from understudy.casting.person import Allowed, Person
from understudy.resources.trust import Permission
from understudy.settings import Settings

#: A person, and the name of the engine that renders them if it is not the one that the settings name.
_Use: TypeAlias = "tuple[Person, str | None]"


@dataclass(frozen=True, eq=False)
class AllowedParts:
    """People whose faces may be used for one output.

    Attributes:
        uses: By person and engine.
        strength: 0-1: how far a face is shown where its part does not say so.
    """

    uses: Mapping[_Use, Allowed]
    strength: float

    @classmethod
    def of(
        cls,
        cast: Person | Sequence[Person] | PartList,
        settings: Settings,
        allowed: Callable[[Person, Settings], Allowed],
    ) -> AllowedParts:
        """Ask for everybody.

        Args:
            cast: Whose face, or those of whom one is chosen; or who gets whose.
            settings: With the engine of those for whom no other is named.
            allowed: Asks whether somebody's face may be used, and has the engine learn it that settings name.

        Raises:
            UsageError, InputError, RefusedError: what ``allowed`` raises.
        """
        if isinstance(cast, PartList):
            uses = dict.fromkeys((person, None if part is None else part.engine) for person, part in cast.used)
        else:
            uses = dict.fromkeys((person, None) for person in ([cast] if isinstance(cast, Person) else cast))
        return cls(
            {
                (person, engine): allowed(person, settings if engine is None else replace(settings, engine=engine))
                for person, engine in uses
            },
            settings.blend.strength,
        )

    def assigned(self, person: Person, part: Part | None) -> Assigned:
        """What somebody gets with a person's face.

        Args:
            person: Whose face.
            part: What was asked for whoever gets it; None for everybody else.
        """
        one = self.uses[person, None if part is None else part.engine]
        return assigned_to(one.identity, part, self.strength, one.engine)

    @property
    def consents(self) -> tuple[str, ...]:
        """Ids of the records that allow it, each once."""
        return _once(one.consents for one in self.uses.values())

    @property
    def records(self) -> Mapping[str, Permission]:
        """What allows using each photo, by the photo's SHA-256."""
        return {digest: record for one in self.uses.values() for digest, record in one.records.items()}

    @property
    def digests(self) -> tuple[str, ...]:
        """SHA-256 of the photos, each once."""
        return _once(one.digests for one in self.uses.values())

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know, each once."""
        return _once(one.notes for one in self.uses.values())


def _once(parts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for part in parts for one in part))
