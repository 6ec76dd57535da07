"""Counts for Prometheus: requests by route and status, jobs by state, live sessions. Nothing of any user."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.types import Scope

#: Where the API is: routes of WebSockets name it, others do not.
_PLACE: Final = "/api/v1"


@dataclass(eq=False)
class Metrics:
    """What was counted since the server began. For several threads."""

    _requests: Counter[tuple[str, str, int]] = field(default_factory=Counter, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def count(self, scope: Scope, status: int) -> None:
        """Count a request by its route, not by its address: those hold ids."""
        path = route_of(scope)
        with self._lock:
            self._requests[method_of(scope) if path else "", path, status] += 1

    def text(self, jobs: Mapping[str, int], live: int) -> str:
        """All of it in Prometheus' text format 0.0.4.

        Args:
            jobs: How many jobs are in each state.
            live: How many live sessions there are.
        """
        with self._lock:
            requests = sorted(self._requests.items())
        lines = ["# HELP understudy_requests_total Requests answered.", "# TYPE understudy_requests_total counter"]
        lines += [
            f'understudy_requests_total{{method="{method}",route="{path}",status="{status}"}} {count}'
            for (method, path, status), count in requests
        ]
        lines += ["# HELP understudy_jobs Jobs by state.", "# TYPE understudy_jobs gauge"]
        lines += [f'understudy_jobs{{state="{state}"}} {count}' for state, count in sorted(jobs.items())]
        lines += ["# HELP understudy_live_sessions Live sessions.", "# TYPE understudy_live_sessions gauge"]
        return "\n".join([*lines, f"understudy_live_sessions {live}", ""])


def method_of(scope: Scope) -> str:
    """A request's method; ``WS`` where it asks for a WebSocket."""
    return str(scope.get("method", "WS"))


def route_of(scope: Scope) -> str:
    """A request's route within the API, such as ``/swaps/{id}``; empty if there is none."""
    return str(getattr(scope.get("route"), "path", "")).removeprefix(_PLACE)
