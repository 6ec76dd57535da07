"""Keeps ONNX Runtime from reporting to its makers."""

from __future__ import annotations

import os

#: What ONNX Runtime asks for before it begins.
VARIABLE = "ORT_DISABLE_TELEMETRY"


def silence() -> None:
    """Set the variable by which ONNX Runtime sends nothing, whatever the user's environment says.

    By whoever is about to import it, and before a thread is started for that: an environment that changes while another
    thread reads it is not safe.
    """
    if os.environ.get(VARIABLE) != "1":
        os.environ[VARIABLE] = "1"
