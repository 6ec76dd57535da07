"""Machines of a Ray cluster, all on this one: a program that begins and ends them as it is told on its input.

Each line is a JSON list: ``["add", {"name": …, "env": {…}}]``, ``["kill", NAME]``, ``["drain", NAME]``,
``["stop", NAME]`` (the machine stands still, and nothing is heard of it), ``["pids", NAME]``. Each is answered by a
line.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_raylet_start_wait_time_s"] = "60"  # noqa: SIM112 - so Ray names it
from ray.cluster_utils import Cluster

MEMORY = 80 << 20


def processes_of(raylet):
    """A machine's raylet and all that it has begun."""
    children = {}
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                children.setdefault(int(file.read().rpartition(")")[2].split()[1]), []).append(int(pid))
        except OSError:
            continue
    found, todo = [], [raylet]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def begun(make, tries=3):
    """What begins where the machine is busy: Ray's processes wait for each other only so long."""
    for last in range(tries):
        try:
            return make()
        except Exception:
            if last == tries - 1:
                raise
    return None


def main():
    about_head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": MEMORY}
    cluster = begun(lambda: Cluster(initialize_head=True, head_node_args=about_head))
    nodes = {}
    print(json.dumps(cluster.address), flush=True)
    for line in sys.stdin:
        what, about = json.loads(line)
        answer = None
        if what == "add":
            given = {"num_cpus": 1, "object_store_memory": MEMORY, "env_vars": about.get("env", {})}
            node = begun(lambda given=given: cluster.add_node(**given))
            nodes[about["name"]] = node
            answer = node.node_id
        elif what == "kill":
            node = nodes.pop(about)
            raylet = node.all_processes["raylet"][0].process.pid
            for pid in processes_of(raylet):
                os.kill(pid, signal.SIGKILL)
            cluster.remove_node(node, allow_graceful=False)
        elif what == "drain":
            from ray._raylet import GcsClient

            accepted = GcsClient(address=cluster.address).drain_node(
                nodes[about].node_id, 2, "a test", int((time.time() + 600) * 1000)
            )
            answer = bool(accepted[0])
        elif what in ("stop", "pids"):
            answer = processes_of(nodes[about].all_processes["raylet"][0].process.pid)
            for pid in reversed(answer) if what == "stop" else ():
                os.kill(pid, signal.SIGSTOP)
        print(json.dumps(answer), flush=True)
    for node in nodes.values():  # what stands still does not end otherwise
        for pid in processes_of(node.all_processes["raylet"][0].process.pid):
            os.kill(pid, signal.SIGKILL)
    cluster.shutdown()


main()
