"""Detection: where the faces in a picture are, and the hands before them."""

from understudy.detection.base import Detector
from understudy.detection.blazeface import BlazeFace, BlazeFaceOptions
from understudy.detection.palms import PalmDetector, Palms

__all__ = ["BlazeFace", "BlazeFaceOptions", "Detector", "PalmDetector", "Palms"]
