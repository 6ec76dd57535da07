"""How a neural engine draws."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NeuralOptions:
    """How a neural engine draws.

    Attributes:
        boost: How many times as many pixels along each side: the model runs ``boost`` squared times a face, on every
            ``boost``-th pixel of a larger crop. For models of 128 or 256 pixels on large faces.

    Raises:
        ValueError: outside 1-4.
    """

    boost: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.boost <= 4:
            raise ValueError(f"boost must be 1 to 4, not {self.boost}")
