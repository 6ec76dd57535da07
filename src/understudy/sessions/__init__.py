"""Live sessions: capture, newest-frame slots, pacing, fail-closed."""

from understudy.sessions.outlet import SinkState
from understudy.sessions.session import LiveSession
from understudy.sessions.statistics import LiveReport, LiveStatistics

__all__ = ["LiveReport", "LiveSession", "LiveStatistics", "SinkState"]
