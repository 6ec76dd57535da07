"""A cluster without Ray: workers are objects whose methods run in threads of this process."""

from __future__ import annotations

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

from understudy.jobs.cluster.crew import LostError, Node
from understudy.jobs.cluster.crossing import packed
from understudy.jobs.cluster.fitness import versions
from understudy.jobs.cluster.parcels import PIECE
from understudy.swapping.carried.running import Summary
from understudy.tasks.segments.report import SegmentReport


def report_of(index, data, frames=10):
    """What came of a segment whose file holds some bytes."""
    digest = hashlib.sha256(data).hexdigest()
    return SegmentReport(index, digest, frames, frames, (), 1, 0, (), Summary(0, 0, 0, None), {}, 0.1, None, ())


class FakeWorker:
    """Works nothing, but answers as ``ClusterWorker`` does; what goes wrong is set from outside.

    Attributes:
        received: Keys of the clips that came, in order.
        worked: Segments that were begun: key and index.
        fault: Raised by ``work``.
        stands: Whether it stands still in the middle of a segment.
    """

    def __init__(self, place, **about):
        self.about = {"versions": versions(), "memory": place.memory, "disk": 1 << 40, "gpus": place.gpus} | about
        self.received, self.worked, self.forgotten = [], [], []
        self.fault, self.stands, self.seconds, self.closed = None, False, 0.01, False
        self._signs, self._stop, self._data = 0, threading.Event(), b""

    def describe(self):
        return self.about

    def signs(self):
        return self._signs, 5

    def stop(self):
        self._stop.set()

    def receive(self, parcel):
        self.received.append(parcel)

    def work(self, key, index):
        self.worked.append((key, index))
        if self.fault is not None:
            return {"error": packed(self.fault)}
        while self.stands and not self._stop.wait(0.01):
            pass
        for _ in range(10):
            stopped = self._stop.wait(self.seconds / 10)
            self._signs += 1
            if stopped:
                self._stop.clear()
                return {}
        self._data = f"{key} {index}".encode() * 1000
        return {"report": report_of(index, self._data).as_json(), "pieces": -(-len(self._data) // PIECE)}

    def piece(self, place):
        return self._data[place * PIECE : (place + 1) * PIECE]

    def forget(self, *keys):
        self.forgotten += keys

    def close(self):
        self.closed = True


class ThreadHand:
    """A hand on an object in this process: see ``crew.Hand``."""

    def __init__(self, worker):
        self.worker, self.dead = worker, False
        self._pool = ThreadPoolExecutor(4)

    def begin(self, method, *values):
        if self.dead:
            raise LostError("it is dead")
        return self._pool.submit(getattr(self.worker, method), *values)

    def wait(self, call, seconds):
        until = time.monotonic() + seconds
        while not self.dead:
            if wait([call], timeout=min(0.02, seconds)).done:
                try:
                    return True, call.result()
                except ImportError as fault:  # as of an actor that can't be made
                    raise LostError(str(fault)) from fault
            if time.monotonic() >= until:
                return False, None
        raise LostError("it is dead")

    def kill(self):
        self.dead = True
        self.worker.stop()
        self._pool.shutdown(wait=False)


class FakeCluster:
    """Machines on which workers begin as objects: see ``crew.Cluster``.

    Args:
        nodes: The machines.
        make: Makes a worker for a machine and its place there.
    """

    def __init__(self, nodes, make=lambda _, place: FakeWorker(place)):
        self.there, self._make = list(nodes), make
        self.hands = []

    def nodes(self):
        return list(self.there)

    def hire(self, node, place):
        hand = ThreadHand(self._make(node, place))
        hand.node, hand.place = node, place
        self.hands.append(hand)
        return hand

    @property
    def workers(self):
        return [hand.worker for hand in self.hands]


def node(name="a", cores=1, memory=4e9, gpus=0, leaving=False):
    return Node(name, name, cores, memory, gpus, leaving)
