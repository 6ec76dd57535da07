"""Runs the jobs of a private folder on a cluster, with short segments: HOME ADDRESS STALLED, or HOME here."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.tasks.segments.conftest import SHORT
from understudy import Settings, Understudy
from understudy.errors import UnderstudyError
from understudy.jobs.cluster import head
from understudy.jobs.cluster.crew import ClusterOptions
from understudy.jobs.jobs import Jobs
from understudy.tasks.segments import planning


def write(*words):
    """A line, whole: they come from several threads."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def main():
    home, address, stalled = sys.argv[1:4]
    planning.new_identifier = iter(range(0x1234_5678_0000, 0x1234_5678_FFFF)).__next__
    head.ClusterOptions = partial(ClusterOptions, stalled=float(stalled))
    with Understudy(Settings(home=Path(home))) as app:
        options = replace(SHORT, whole=True)  # what is too short to be cut is a segment here, too
        done = Jobs(app.resources, app.known, app.settings, options).run(
            told=lambda job: write(job.state, job.number),
            progress=lambda frames, _: write("frames", frames),
            cluster=None if address == "here" else address,
            say=lambda said: write("said", said),
        )
    write("done", done)


try:
    main()
except UnderstudyError as fault:
    write("error", type(fault).__name__, fault.message)
    sys.exit(fault.exit_code)
