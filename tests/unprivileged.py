"""A file that may not be read: also where the tests run as root, who reads everything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """Have nobody read a file within the block; the folders above it, as far as they are the test's own, stay open."""
    for parent in path.parents[:4]:
        parent.chmod(parent.stat().st_mode | 0o055)
    path.chmod(0)
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)
