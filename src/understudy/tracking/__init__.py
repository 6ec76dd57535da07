"""Tracking: the same person from frame to frame, steady, at the cost of one mesh a frame."""

from understudy.tracking.hands import HandTracker
from understudy.tracking.selection import FaceSelector
from understudy.tracking.tracker import Tracker, TrackerOptions, TrackingResult

__all__ = ["FaceSelector", "HandTracker", "Tracker", "TrackerOptions", "TrackingResult"]
