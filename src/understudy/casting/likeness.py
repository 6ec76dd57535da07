"""What the photos show that somebody is to be like."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from understudy.arrays import FloatArray
from understudy.casting.cast import Like, PartList
from understudy.casting.portraits import load_portraits
from understudy.errors import NoFaceError
from understudy.media.files.opening import check_input
from understudy.resources import Models
from understudy.settings import Settings


def embedded_photos(cast: PartList, settings: Settings, models: Models) -> Mapping[Like, FloatArray]:
    """The embedding of the face in each such photo, float32 (D,). The photos are compared with, and not kept.

    Raises:
        InputError: one can't be used, or its face is not seen well enough.
    """
    found: dict[Like, FloatArray] = {}
    for like in dict.fromkeys(part.who for part in cast.parts if isinstance(part.who, Like)):
        check_input(like.photo, "photo to compare with")
        portraits, _ = load_portraits(
            [like.photo], models.perception(settings), source_face=None, max_pixels=settings.max_pixels
        )
        embedding = models.embedder(settings).embed(portraits[0].picture, portraits[0].face)[0]
        if not np.isfinite(embedding).all():
            raise NoFaceError(f"the face in {like.photo.name} is not seen well enough", "Use another photo.")
        found[like] = embedding
    return found
