"""Detection: where the faces in a picture are."""

from understudy.detection.base import Detector
from understudy.detection.blazeface import BlazeFace, BlazeFaceOptions

__all__ = ["BlazeFace", "BlazeFaceOptions", "Detector"]
