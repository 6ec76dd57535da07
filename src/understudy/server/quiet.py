"""FastAPI without its telemetry: no server of this program reports to anybody, whatever its environment says."""

from __future__ import annotations

import inspect
from typing import Any

from fastapi import FastAPI


def quietly() -> dict[str, Any]:
    """What to give to ``FastAPI``, so that it does not ask the environment whether and to whom to report.

    Versions from before it could have nothing to be kept from.
    """
    if "telemetry" not in inspect.signature(FastAPI).parameters:
        return {}
    return {"telemetry": {"auto_configure": False, "tracing": False, "metrics": False, "logs": False}}
