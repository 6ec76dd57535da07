"""What a model of the catalogue says of a face that was found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """What one model says of one face.

    Attributes:
        model: Its name.
        points: Each point's place in pixels, with depth where the model knows it; none where it has none.
        pose: Yaw, pitch and roll in degrees (see ``geometry.pose.pose_degrees``), where the points tell it.
        looks: ``female`` or ``male``, and years, as statistics of photos guess; no facts about anybody.
    """

    model: str
    points: tuple[tuple[float, ...], ...] = ()
    pose: tuple[float, float, float] | None = None
    looks: tuple[str, int] | None = None
