"""A clip of two scenes that jobs work in segments."""

from __future__ import annotations

from tests.tasks.segments.conftest import scenes  # noqa: F401 - a fixture
