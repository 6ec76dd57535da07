"""How faces are followed, as settings have it."""

from __future__ import annotations

from dataclasses import dataclass, field

from understudy.tracking.smoothing import OneEuroOptions


@dataclass(frozen=True)
class TrackerOptions:
    """How faces are followed.

    Attributes:
        max_faces: The most faces that are followed at a time; None for 8, and for 32 where nobody in a file may be
            overlooked.
        max_fits: The number of faces whose mesh is fitted in one frame, in turn, and of more where a turn would come
            too late; the others' meshes are carried along with the picture, which costs a seventh. 0 is all of them,
            and live it is 1.
        min_presence: 0-1; below it the mesh model says that there is no face in its region.
        scan_seconds: While somebody is followed, look for others this often.
        search_seconds: While nobody is, look thoroughly (for small faces) this often.
        keep_seconds: A face lost for less than this gets its id back.
        smoothing: One-Euro settings for the mesh as it is seen, which is carried along with the picture.
        features: The same for eyelids, irises and lips: they go further in one frame than flow sees.
        depth: The same for its depth, of which a picture shows no motion.

    Raises:
        ValueError: nobody to follow, a count or time below zero, or a presence outside 0-1.
    """

    max_faces: int | None = None
    max_fits: int = 0
    min_presence: float = 0.5
    scan_seconds: float = 0.5
    search_seconds: float = 0.25
    keep_seconds: float = 1.0
    smoothing: OneEuroOptions = field(default_factory=OneEuroOptions)
    features: OneEuroOptions = field(default_factory=lambda: OneEuroOptions(0.5, 160.0, 12.0))
    depth: OneEuroOptions = field(default_factory=lambda: OneEuroOptions(0.05, 80.0, 1.0))

    def __post_init__(self) -> None:
        if not (self.max_faces is None or self.max_faces >= 1) or self.max_fits < 0:
            raise ValueError(
                f"1 face or more is followed and 0 or more are fitted, not {self.max_faces}, {self.max_fits}"
            )
        if not 0 <= self.min_presence <= 1:
            raise ValueError(f"presence must be between 0 and 1, not {self.min_presence}")
        if not min(self.scan_seconds, self.search_seconds, self.keep_seconds) >= 0:
            raise ValueError("times can't be below zero")
