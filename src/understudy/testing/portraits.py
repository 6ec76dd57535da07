"""The portraits that the package carries. Both are in the public domain (see NOTICE)."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from understudy.arrays import UInt8Array
from understudy.errors import ModelError

#: Name and file of each.
PORTRAITS: Final = {"astronaut": "astronaut.png", "hopper": "grace_hopper.jpg"}


def portrait_path(name: str) -> Path:
    """Where a portrait lies.

    Raises:
        KeyError: there is none by that name.
        ModelError: the package was installed without it.
    """
    path = Path(str(files("understudy.testing").joinpath("portraits", PORTRAITS[name])))
    if not path.is_file():
        raise ModelError(f"the package was installed without the portrait {path.name}", "Install it again with pip.")
    return path


def portrait(name: str) -> UInt8Array:
    """A portrait, uint8 BGR (H, W, 3)."""
    data = np.frombuffer(portrait_path(name).read_bytes(), np.uint8)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
