"""Live sessions: capture, newest-frame slots, pacing, fail-closed."""

from understudy.live.session import LiveSession
from understudy.live.statistics import LiveReport, LiveStatistics

__all__ = ["LiveReport", "LiveSession", "LiveStatistics"]
