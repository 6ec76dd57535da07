"""How packages come to this program: by the pip of its own Python, which need not be the one that a shell finds."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys


def pip(*words: str) -> str:
    """The command by which pip does something where this program is installed, whatever environment a shell is in.

    Args:
        words: What it is to do, such as ``install`` and the name of a package.

    Returns:
        A line for the shell of this system.
    """
    line = (sys.executable, "-m", "pip", *words)
    return subprocess.list2cmdline(line) if os.name == "nt" else shlex.join(line)


def install_extra(name: str) -> str:
    """The command that adds an extra to this program.

    Args:
        name: Of the extra, such as ``window``.
    """
    return pip("install", f"understudy[{name}]")
