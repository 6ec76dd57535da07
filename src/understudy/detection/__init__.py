"""Detection: where the faces in a picture are, the hands before them, and people as a whole."""

from understudy.detection.base import Detector, HandDetector, PersonSegmentation
from understudy.detection.blazeface import BlazeFace, BlazeFaceOptions
from understudy.detection.palms import PalmDetector, Palms
from understudy.detection.persons import PersonSegmenter
from understudy.detection.sweep import Sweep

__all__ = [
    "BlazeFace",
    "BlazeFaceOptions",
    "Detector",
    "HandDetector",
    "PalmDetector",
    "Palms",
    "PersonSegmentation",
    "PersonSegmenter",
    "Sweep",
]
