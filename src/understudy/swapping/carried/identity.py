"""A face as two engines know it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from understudy.swapping.base import Identity
from understudy.swapping.mesh.engine import MeshIdentity


@dataclass(frozen=True, eq=False)
class CarriedIdentity(Identity):
    """A face as both engines know it.

    Attributes:
        slow: As the slow one does.
        mesh: As the mesh engine does.
        dropped: See ``Identity``.
    """

    slow: Identity
    mesh: MeshIdentity
    dropped: tuple[tuple[int, str], ...] = ()

    def shaped(self, amount: float) -> CarriedIdentity:
        """See ``Identity.shaped``."""
        return replace(self, slow=self.slow.shaped(amount), mesh=self.mesh.shaped(amount))
