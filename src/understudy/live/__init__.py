"""Live sessions: capture, newest-frame slots, pacing, fail-closed."""

from understudy.live.session import LiveReport, LiveSession
from understudy.live.statistics import LiveStatistics

__all__ = ["LiveReport", "LiveSession", "LiveStatistics"]
