"""Any slow engine, carried: it draws now and then, and the mesh carries what it gave to every frame between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from understudy.each import Each
from understudy.swapping.base import Portrait, Swapper
from understudy.swapping.carried.identity import CarriedIdentity
from understudy.swapping.carried.looks import Limits
from understudy.swapping.carried.renderer import CarriedRenderer
from understudy.swapping.carried.running import AtOnce, Runner
from understudy.swapping.mesh.engine import MeshEngine

#: When a texture is worn out; its age is the user's to say, or this one (``python -m benchmarks.carrying``).
LIMITS: Final = Limits(frames=15, degrees=10.0, features=0.06, light=0.2)


class Carried:
    """A slow engine whose faces are carried by the mesh. Eyes and inner mouth are the target's own.

    They are in every frame, also in one that the slow engine drew itself: or else they would change with each.

    Args:
        slow: The engine that is carried.
        mesh: Draws what the slow one has not given yet.
        name: What the slow one is called.
        every: It draws a face again after so many frames, at the latest; None: when ``LIMITS`` say so.

    Attributes:
        slow, mesh, name: See above.
        limits: When a face is drawn again.
        chosen: Whether the number of frames was asked for.
    """

    def __init__(self, slow: Swapper[Any], mesh: MeshEngine, name: str, every: int | None = None) -> None:
        self.slow, self.mesh, self.name = slow, mesh, name
        self.limits = LIMITS if every is None else LIMITS._replace(frames=every)
        self.chosen = every is not None

    def identity(self, portraits: Sequence[Portrait]) -> CarriedIdentity:
        """See ``Swapper.identity``."""
        slow = self.slow.identity(portraits)
        return CarriedIdentity(slow, self.mesh.identity(portraits), slow.dropped)

    def renderer(self, each: Each = map, runner: Runner | None = None) -> CarriedRenderer:
        """See ``Swapper.renderer``.

        Args:
            each: See there. The slow engine is not given it: it may run beside, and is not to disturb.
            runner: Runs the slow engine; in the frame at hand if None.
        """
        drawing = self.slow.renderer(), self.mesh.renderer(each), self.mesh.options.fade_facing
        return CarriedRenderer(*drawing, self.limits, runner or AtOnce(), often=not self.chosen, each=each)
