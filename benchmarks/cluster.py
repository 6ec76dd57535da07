"""Two workers of one core each against one: ``python -m benchmarks.cluster [--clips N] [--frames N] [--rounds N]``.

Machines of a Ray cluster, all on this one, each held to a core of its own. The clips are too short to be cut, so each
is one segment that is sent to a worker, worked, and fetched; the head plans, joins and signs beside them, on whatever
the workers leave. Rounds of one worker and of two take turns.

What is printed is measured from the moment when the workers have done two clips each, of which the first opens their
models, to the end of the last: how many frames were done in a second; how long a segment takes from being handed out to
its file being here, over what the worker itself says that it took; and what a job takes of the head's own processor.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_raylet_start_wait_time_s"] = "120"  # noqa: SIM112 - so Ray names it
import ray
from ray.cluster_utils import Cluster

from understudy import Settings, Understudy
from understudy.jobs.cluster import head
from understudy.jobs.cluster.board import Board, Joined, Say, Task
from understudy.jobs.cluster.crew import Node
from understudy.jobs.cluster.rays import RayCluster
from understudy.jobs.job import Job, Order
from understudy.provenance import ConsentClaim
from understudy.tasks.segments.report import SegmentReport
from understudy.testing import ClipSpec, Puppet, portrait, portrait_path, talking, write_clip

MEMORY = 200 << 20
SIZE = (640, 360)


@dataclass
class Round:
    """What one round told: (time, frames) of segments that came back, over-time of each, the head's own time.

    ``held`` has of each the times at which it was handed out and came back.
    """

    came: list[tuple[float, int]] = field(default_factory=list)
    over: list[float] = field(default_factory=list)
    held: list[tuple[float, float]] = field(default_factory=list)
    own: float = 0.0

    def busy(self, workers: int) -> float:
        """The share of the time, but for the beginning and the end, in which workers had a segment."""
        begins, ends = sorted(self.held)[workers][0], sorted(one for one, _ in self.came)[-workers]
        inside = sum(max(0.0, min(last, ends) - max(first, begins)) for first, last in self.held)
        return inside / (ends - begins) / workers

    def rate(self, first: int) -> float:
        """Frames in a second after the first so many segments."""
        came = sorted(self.came)
        return sum(frames for _, frames in came[first:]) / (came[-1][0] - came[first - 1][0])


class Watched(Board):
    """A board that notes when segments are handed out and come back."""

    now = Round()

    def __init__(self, say: Say = print) -> None:
        super().__init__(say)
        self._begun: dict[tuple[str, int], float] = {}

    def take(self, worker: Joined, seconds: float) -> Task | None:
        """See ``Board``."""
        task = super().take(worker, seconds)
        if task is not None:
            self._begun[task.of.key, task.index] = time.monotonic()
        return task

    def finish(self, task: Task, path: Path, report: SegmentReport) -> None:
        """See ``Board``."""
        now = time.monotonic()
        self.now.came.append((now, report.frames))
        begun = self._begun[task.of.key, task.index]
        self.now.over.append(now - begun - report.seconds)
        self.now.held.append((begun, now))
        super().finish(task, path, report)


def pinned(cluster: Cluster, core: int) -> None:
    """Begin a machine that has one core, and all of whose processes run on it."""
    node = cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
    raylet = node.all_processes["raylet"][0].process.pid
    todo = [raylet]
    while todo:
        pid = todo.pop()
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})
        todo += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def one_round(address: str, workers: int, clip: Path, clips: int, folder: Path) -> Round:
    """Do so many jobs with so many workers."""
    Watched.now = made = Round()

    class Few(RayCluster):
        def nodes(self) -> list[Node]:
            there = [node for node in super().nodes() if node.cores]
            return there[:workers]

    head.RayCluster, head.Board = Few, Watched  # type: ignore[misc]
    own = time.process_time()
    with Understudy(Settings(home=folder / "home")) as app:
        photo = portrait_path("hopper")
        # Each worker's first clip opens its models.
        orders = [Order(clip, folder / f"{n}.mp4", (photo,), overwrite=True) for n in range(workers * 2 + clips)]
        numbers = app.jobs.add(orders, ConsentClaim("sample"))
        failed: list[Job] = []
        app.jobs.run(cluster=address, told=lambda job: failed.append(job) if job.state == "failed" else None, say=print)
        if failed:
            raise SystemExit(failed[0].failure)
        for number in numbers:
            app.jobs.remove(number)
    made.own = (time.process_time() - own) / len(orders)
    return made


def main() -> None:
    """Rounds of one worker and of two, by turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("this machine has one core: there is nothing to compare")
    with tempfile.TemporaryDirectory(prefix="us") as name:
        folder = Path(name)
        puppet = Puppet(portrait("astronaut"), SIZE, face_share=0.5)
        pictures = (puppet.render(talking(n / 30)).picture for n in range(asked.frames))
        write_clip(folder / "clip.mp4", pictures, ClipSpec(rate=30))
        head_node = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": MEMORY}
        cluster = Cluster(initialize_head=True, head_node_args=head_node)
        try:
            for core in cores[:2]:
                pinned(cluster, core)
            rates: dict[int, list[float]] = {1: [], 2: []}
            over, own = [], []
            for _ in range(asked.rounds):
                for workers, found in rates.items():
                    one = one_round(cluster.address, workers, folder / "clip.mp4", asked.clips, folder)
                    found.append(one.rate(workers * 2))
                    over += one.over[workers * 2 :]
                    own.append(one.own)
                    print(f"  {workers} worker(s): {found[-1]:6.1f} frames/s, busy {one.busy(workers):.1%}", flush=True)
        finally:
            ray.shutdown()
            cluster.shutdown()
    middle = {workers: statistics.median(found) for workers, found in rates.items()}
    said = {
        "frames_per_second": middle,
        "ratio": middle[2] / middle[1],
        "over_seconds": statistics.median(over),
        "head_seconds": statistics.median(own),
    }
    if asked.json:
        print(json.dumps(said))
    print(f"  two workers against one: {said['ratio']:.2f} times")
    print(f"  a segment, handed out and fetched: {1000 * statistics.median(over):.0f} ms over its work")
    print(f"  of the head's processor, for a job of one segment: {1000 * statistics.median(own):.0f} ms")


if __name__ == "__main__":
    main()
