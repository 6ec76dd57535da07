"""A program with a private folder of its own, and a clip of two scenes that jobs work in segments."""

from __future__ import annotations

from tests.tasks.segments.conftest import app, scenes  # noqa: F401 - fixtures
