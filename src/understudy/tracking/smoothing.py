"""The One-Euro filter (Casiez, Roussel and Vogel, 2012): still when still, quick when quick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from understudy.arrays import FloatArray, IntArray


@dataclass(frozen=True)
class OneEuroOptions:
    """For points that are carried along with the picture: the filter has only the carrying's errors to follow.

    For those that are not, MediaPipe takes 0.05, 80 and 1. What these were chosen by is in the lab book.

    Attributes:
        min_cutoff: Hz; lower is steadier at rest.
        beta: How much the cut-off rises with speed (in object sizes a second); higher is quicker.
        derivative_cutoff: Hz, for the speed's own smoothing.

    Raises:
        ValueError: a cut-off that is not above zero, or a beta below it.
    """

    min_cutoff: float = 0.5
    beta: float = 20.0
    derivative_cutoff: float = 3.0

    def __post_init__(self) -> None:
        if not (self.min_cutoff > 0 and self.derivative_cutoff > 0 and self.beta >= 0):
            raise ValueError(
                "cut-offs are above zero and beta is not below it; "
                f"these are {self.min_cutoff}, {self.derivative_cutoff} and {self.beta}"
            )


class OneEuroFilter:
    """Smooths points of one object, each coordinate by its own speed relative to the object's size.

    Args:
        options: How.
        special: What of the points is smoothed otherwise: as NumPy indexes an array of their shape, and how. Where two
            name the same, the later one counts. All in one filter is a third of the time of one for each.
    """

    def __init__(
        self,
        options: OneEuroOptions | None = None,
        special: Sequence[tuple[tuple[IntArray | slice | int, ...], OneEuroOptions]] = (),
    ) -> None:
        self.options, self._special = options or OneEuroOptions(), special
        #: Each a number, or one for each coordinate: least cut-off, beta, cut-off of the speed.
        self._settings: tuple[FloatArray, FloatArray, FloatArray] | None = None
        self._value: FloatArray | None = None
        self._speed: FloatArray | None = None
        self._seconds = 0.0

    def carry(self, moved: FloatArray) -> None:
        """Motion since the last points that is known by other means: what it explains is not smoothed.

        Args:
            moved: float32, the shape of the points.
        """
        if self._value is not None:
            self._value = np.asarray(self._value + moved, np.float32)

    def __call__(self, points: FloatArray, seconds: float, size: float) -> FloatArray:
        """The next smoothed points.

        Args:
            points: float32, any shape, the same at every call.
            seconds: Time of the frame; a step of zero, back, or over a second starts afresh.
            size: The object's size in the points' unit.

        Returns:
            float32, the shape of ``points``.
        """
        step = seconds - self._seconds
        self._seconds = seconds
        if self._value is None or self._speed is None or not 0 < step <= 1.0:
            self._value, self._speed = points.copy(), np.zeros_like(points)
            return points
        least, beta, derivative = self._settings = self._settings or self._spread(points.shape)
        away = points - self._value
        speed = away / np.float32(step * max(size, 1e-6))
        self._speed = self._speed + (speed - self._speed) * _share(derivative, step)
        self._value = np.asarray(self._value + away * _share(least + beta * np.abs(self._speed), step), np.float32)
        return self._value

    def _spread(self, shape: tuple[int, ...]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The settings for points of that shape."""
        rows = []
        for name in ("min_cutoff", "beta", "derivative_cutoff"):
            row = np.full(shape if self._special else (), getattr(self.options, name), np.float32)
            for where, options in self._special:
                row[where] = getattr(options, name)
            rows.append(row)
        return rows[0], rows[1], rows[2]


def _share(cutoff: FloatArray, step: float) -> FloatArray:
    """The share of the new value in an exponential smoother of that cut-off (Hz) and step (s)."""
    ratio = cutoff * np.float32(2 * np.pi * step)
    return np.asarray(ratio / (ratio + 1), np.float32)
