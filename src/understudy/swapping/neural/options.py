"""How a neural engine draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

#: The weight at which the source is as it is, and the largest share of the target at 0: the range of FaceFusion's
#: ``face_swapper_weight``. There what is projected is mixed with what is not; here two directions of one space are.
AS_IT_IS: Final = 0.5
MOST_MIXED: Final = 0.35
#: Frames for which a face is carried, at most.
MOST_FRAMES: Final = 1000


@dataclass(frozen=True)
class NeuralOptions:
    """How a neural engine draws.

    Attributes:
        boost: How many times as many pixels along each side: the model runs ``boost`` squared times a face, on every
            ``boost``-th pixel of a larger crop. For models of 128 or 256 pixels on large faces.
        weight: How much of the source's identity: 0.5 is the source as it is; towards 0 up to ``MOST_MIXED`` of the
            target's own is mixed in, towards 1 as much is taken off, so that what tells the two apart is exaggerated.
        refresh: In how many frames a face is drawn by the model again, at the latest; the mesh carries it to those
            between. 1 is every frame; ``auto`` as often as the face needs it; None: every frame of a file, and live
            ``auto``.

    Raises:
        ValueError: outside 1-4, 0-1, or 1-1000.
    """

    boost: int = 1
    weight: float = AS_IT_IS
    refresh: int | Literal["auto"] | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.boost <= 4:
            raise ValueError(f"boost must be 1 to 4, not {self.boost}")
        if not 0 <= self.weight <= 1:
            raise ValueError(f"weight must be 0 to 1, not {self.weight}")
        if isinstance(self.refresh, int) and not 1 <= self.refresh <= MOST_FRAMES:
            raise ValueError(f"refresh must be 1 to {MOST_FRAMES} frames or auto, not {self.refresh}")

    @property
    def carried(self) -> bool:
        """Whether the mesh carries faces from the frames in which the model drew them."""
        return self.refresh not in (None, 1)

    @property
    def mixed(self) -> float:
        """The share of the target's identity; below 0 it is taken off."""
        return MOST_MIXED * (1 - self.weight / AS_IT_IS)
