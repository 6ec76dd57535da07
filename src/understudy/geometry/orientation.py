"""How a stored picture lies: the eight ways in which it can be turned and mirrored, read off a display matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import av
import numpy as np
from av.sidedata.sidedata import SideDataContainer

from understudy.arrays import AnyArray

#: Degrees from a quarter turn within which a matrix means that quarter turn, as FFmpeg takes it.
_NEAR: Final = 1.0


@dataclass(frozen=True)
class Orientation:
    """What makes a stored picture upright: first it is mirrored, then turned.

    Attributes:
        mirrored: Whether left and right are swapped, as selfie cameras do.
        turns: Quarter turns anticlockwise, 0-3.
    """

    mirrored: bool = False
    turns: int = 0

    @property
    def lying(self) -> bool:
        """Whether width and height change places."""
        return self.turns % 2 == 1

    def applied(self, picture: AnyArray) -> AnyArray:
        """The upright picture, or plane of one: a view of ``picture``, (H, W) or (H, W, K)."""
        return np.rot90(picture[:, ::-1] if self.mirrored else picture, self.turns)


#: A picture that is stored as it is shown.
UPRIGHT: Final = Orientation()


def display_matrix(picture: av.VideoFrame) -> AnyArray | None:
    """The display matrix of a frame that PyAV decoded, nine numbers row by row; None if it carries none."""
    try:
        # Not as its own ``side_data``: it would keep that, which keeps it, and of a large clip every frame would stay
        # in memory until the next look for such circles.
        found = SideDataContainer(picture).get("DISPLAYMATRIX")  # type: ignore[call-arg]
    except ValueError:  # another thing that the frame carries is newer than PyAV: it tells the angle all the same
        turn = math.radians(-picture.rotation)
        return np.array([math.cos(turn), math.sin(turn), 0, -math.sin(turn), math.cos(turn), 0, 0, 0, 1])
    return None if found is None else np.frombuffer(found, np.int32, 9)


def orientation_in(picture: av.VideoFrame) -> Orientation:
    """How a frame that PyAV decoded lies."""
    matrix = display_matrix(picture)
    return UPRIGHT if matrix is None else orientation_of(matrix)


def off_by(matrix: AnyArray) -> float:
    """Degrees by which a display matrix turns beyond the nearest quarter turn, -45 to 45."""
    angle = _turn(matrix)
    return angle - 90 * round(angle / 90)


def orientation_of(matrix: AnyArray) -> Orientation:
    """The orientation that a display matrix asks for.

    Args:
        matrix: Nine numbers, row by row, as ISO/IEC 14496-12 (8.3.2) stores them: a point (x, y) of the stored
            picture is shown at (a x + c y, b x + d y), of the matrix' rows (a, b, .), (c, d, .) and (.). Its scale and
            shift say nothing here.

    Returns:
        Upright, too, where the matrix makes no sense or turns by something else than quarters.
    """
    if abs(off_by(matrix)) > _NEAR:
        return UPRIGHT
    a, b, c, d = (float(matrix[at]) for at in (0, 1, 3, 4))
    # y runs down: a positive angle is clockwise.
    return Orientation(a * d - b * c < 0, -round(_turn(matrix) / 90) % 4)


def _turn(matrix: AnyArray) -> float:
    """Degrees clockwise by which a matrix turns what it has mirrored; 0 where it is no turn at all."""
    a, b, c, d = (float(matrix[at]) for at in (0, 1, 3, 4))
    if not math.isfinite(a * d - b * c) or a * d == b * c:
        return 0.0
    if a * d - b * c < 0:
        a, b = -a, -b
    # Of both columns, each by its own scale: pixels need not be square.
    across, down = math.hypot(a, c), math.hypot(b, d)
    return math.degrees(math.atan2(b / down, a / across))
