"""What live tests look at: a sink that remembers, helper processes, and waiting for something to happen."""

import os
import time
from pathlib import Path

import pytest

from understudy.frames import LabelledFrame

#: Of the pictures that most live tests use.
SIZE = (320, 240)


class Screen:
    """A sink that remembers what it was given."""

    steady, keeps, depth = False, False, 1

    def __init__(self, name="screen", *, slow=0.0, steady=False, failing=()):
        self.name, self.slow, self.steady, self.failing = name, slow, steady, list(failing)
        self.seconds, self.frames, self.opened, self.closed, self.heard, self.discarded = [], [], 0, 0, 0, 0

    def open(self, info):
        self.opened += 1
        if self.failing and isinstance(self.failing[0], Exception):
            raise self.failing.pop(0)

    def write(self, labelled, seconds):
        assert type(labelled) is LabelledFrame
        if self.failing and callable(self.failing[0]) and self.failing[0](len(self.seconds)):
            raise self.failing.pop(0)(None)
        time.sleep(self.slow)
        self.seconds.append(seconds)
        self.frames = [*self.frames, labelled.frame.picture][-40:]

    def hear(self, sound, seconds):
        self.heard += len(sound.samples)

    def abandon(self):
        pass

    def discard(self):
        self.discarded += 1

    def close(self):
        self.closed += 1
        return []


def until(what, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def helpers(of=None):
    """Command lines, by number, of a process's helpers that still run."""
    if not Path("/proc/self").exists():
        pytest.skip("needs /proc")
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, IndexError):
            continue
        if parent == (of or os.getpid()) and "understudy.media.helpers" in words:
            found[folder] = words
    return found
