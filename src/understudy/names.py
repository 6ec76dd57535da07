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


def said(path: Path) -> str:
    """A file's name as an error says it; of what is a folder the whole path, and that it is one."""
    if path == Path():  # what an empty name comes to, too
        return f"{path} (this folder, or no name at all)"
    return f"{path} (a folder)" if is_folder(path) else path.name


def is_folder(path: Path) -> bool:
    """Whether it is a folder, links followed."""
    return os.path.isdir(path)  # noqa: PTH112


class RealNames:
    """What files are really called, symbolic links and ``..`` followed: two names that give the same are of one file.

    Of hard links, and of capitals where the file system does not tell them apart, nothing is known. Folders that names
    have in common are looked up once, so it is for one task only.
    """

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}

    def __call__(self, path: Path) -> Path:
        """The real name of a file, which need not be there; the name as it is, if no system has such a name."""
        folder, name = os.path.split(path)
        try:
            if folder not in self._folders:
                self._folders[folder] = os.path.realpath(folder)
            whole = os.path.join(self._folders[folder], name)  # noqa: PTH118 - thousands of them
            follow = name in ("", os.curdir, os.pardir) or os.path.islink(whole)  # noqa: PTH114
            return Path(os.path.realpath(whole) if follow else whole)
        except ValueError:  # a NUL byte
            return path
