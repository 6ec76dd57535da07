"""Names of files as users give them, asked about without an exception.

``pathlib`` raises for a name that is too long, for a folder that may not be entered and for a failing disk, and
differs from one Python to the next. Here such a name is that of nothing; whoever opens it then is told why.
"""

from __future__ import annotations

import os
from pathlib import Path


def exists(path: Path) -> bool:
    """Whether there is something of that name, links followed."""
    return os.path.exists(path)  # noqa: PTH110


def is_file(path: Path) -> bool:
    """Whether it is a regular file, links followed."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """Whether it is a folder, links followed."""
    return os.path.isdir(path)  # noqa: PTH112
