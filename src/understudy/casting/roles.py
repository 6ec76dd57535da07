"""What each person of a clip gets: somebody's face, a blur, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import numpy as np

from understudy.arrays import FloatArray
from understudy.casting.assignment import Assigned
from understudy.casting.gallery import NOBODY
from understudy.face import Faces

#: For somebody who gets nobody's face: left as they are, or blurred beyond recognition.
Unswapped: TypeAlias = Literal["leave", "blur"]
LEAVE: Final[Unswapped] = "leave"
BLUR: Final[Unswapped] = "blur"
#: What one person gets.
Role: TypeAlias = "Assigned | Unswapped"


class Roles:
    """An assignment that goes by who somebody is, wherever in the picture they are.

    Args:
        of: What people get, by number (``Faces.person_ids``).
        others: What everybody else gets, those included of whom it is not known who they are.
        people: Who is known from before the clip, by number: see ``Recogniser``.
    """

    def __init__(self, of: Mapping[int, Role], others: Role, people: Mapping[int, FloatArray]) -> None:
        self._of, self._others, self.people = dict(of), others, dict(people)

    @property
    def blurs(self) -> bool:
        """Whether anybody is blurred."""
        return any(_is_blurred(role) for role in (self._others, *self._of.values()))

    def of(self, person: int) -> Role:
        """What somebody gets; -1 is somebody of whom it is not known who they are."""
        return self._of.get(person, self._others)

    def rename(self, person: int, other: int) -> None:
        """Somebody has another number from now on: of those who are known from before nobody."""

    def assign(self, faces: Faces) -> Mapping[int, Assigned]:
        """See ``Assignment.assign``."""
        if faces.track_ids is None:
            return {}
        found = zip(faces.track_ids.tolist(), self._roles(faces), strict=True)
        return {track: role for track, role in found if isinstance(role, Assigned)}

    def chosen(self, faces: Faces) -> Faces:
        """Those whose faces must not be seen as they are."""
        return faces[np.array([role != LEAVE for role in self._roles(faces)], bool)]

    def blurred(self, faces: Faces) -> Faces:
        """Those of them who are blurred."""
        return faces[np.array([_is_blurred(role) for role in self._roles(faces)], bool)]

    def _roles(self, faces: Faces) -> list[Role]:
        people = [NOBODY] * len(faces) if faces.person_ids is None else faces.person_ids.tolist()
        return [self.of(person) for person in people]


def _is_blurred(role: Role) -> bool:
    """Whether that role is a blur: whatever else it were called, nobody's face may be seen for it."""
    return not isinstance(role, Assigned) and role != LEAVE
