"""What a model, or a rule, says of a face that was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """What one model says of one face.

    Attributes:
        model: Its name.
        points: Each point's place in pixels, with depth where the model knows it; none where it has none.
        pose: Yaw, pitch and roll in degrees (see ``geometry.pose.pose_degrees``), where the points tell it.
        looks: ``female`` or ``male``, and years, as statistics of photos guess; no facts about anybody.
        emotions: Which expressions the face shows, 0-1, by the names of ``landmarks.emotion.EMOTIONS``: a guess about
            what is seen, no fact about what anybody feels.
    """

    model: str
    points: tuple[tuple[float, ...], ...] = ()
    pose: tuple[float, float, float] | None = None
    looks: tuple[str, int] | None = None
    emotions: Mapping[str, float] | None = None
