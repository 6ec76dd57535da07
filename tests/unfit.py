"""Things under a file's name that are no file, or have no end."""

import os

KINDS = ("pipe", "device", "sparse")


def put(path, what):
    """Put one of ``KINDS`` in the place of a file, readable by its owner only."""
    path.unlink(missing_ok=True)
    if what == "pipe":
        os.mkfifo(path, 0o600)
    elif what == "device":
        path.symlink_to("/dev/zero")
    else:
        with path.open("wb") as file:
            file.truncate(12 << 30)
        path.chmod(0o600)
