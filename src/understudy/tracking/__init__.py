"""Tracking: the same person from frame to frame, steady, at the cost of one mesh a frame."""

from understudy.tracking.hands import HandTracker
from understudy.tracking.options import TrackerOptions
from understudy.tracking.selection import FaceSelector
from understudy.tracking.tracker import Tracker, TrackingResult

__all__ = ["FaceSelector", "HandTracker", "Tracker", "TrackerOptions", "TrackingResult"]
