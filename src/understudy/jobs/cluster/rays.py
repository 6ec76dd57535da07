"""A cluster of Ray: found, joined, and its machines and actors as ``crew`` wants them."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

from understudy.errors import RunError, UsageError
from understudy.installing import install_extra
from understudy.jobs.cluster.crew import LostError, Node
from understudy.jobs.cluster.worker import Place, RayWorker

#: Seconds in which an address must answer.
_ANSWERS: Final = 5.0
#: Calls that a worker answers at a time: one that works, and those that ask or stop it.
_AT_ONCE: Final = 4
_AUTO: Final = "auto"
_START: Final = (
    "Start one: `ray start --head --disable-usage-stats`, and `ray start --address HOST:6379` on the others."
)


class RayCluster:
    """The machines of a cluster that this process has joined (see ``joined``).

    Args:
        ray: The module.
    """

    def __init__(self, ray: Any) -> None:  # noqa: ANN401 - it comes late
        self._ray, self._actor = ray, ray.remote(RayWorker)

    def nodes(self) -> Sequence[Node]:
        """See ``Cluster.nodes``."""
        try:
            found, leaving = self._ray.nodes(), _leaving()
        except Exception as fault:
            raise LostError(_said(fault)) from fault
        return [
            Node(
                id=one["NodeID"],
                name=_name(one, found),
                cores=one["Resources"].get("CPU", 0.0),
                memory=one["Resources"].get("memory", 0.0),
                gpus=one["Resources"].get("GPU", 0.0),
                leaving=one["NodeID"] in leaving,
            )
            for one in found
            if one["Alive"]
        ]

    def hire(self, node: Node, place: Place) -> RayHand:
        """See ``Cluster.hire``."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        try:
            actor = self._actor.options(
                num_cpus=place.cores,
                num_gpus=place.gpus,
                memory=place.memory,
                max_concurrency=_AT_ONCE,
                max_restarts=0,
                max_task_retries=0,
                scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False),
            ).remote(place)
        except self._ray.exceptions.RayError as fault:
            raise LostError(_said(fault)) from fault
        return RayHand(self._ray, actor)


class RayHand:
    """A worker that is an actor of Ray: see ``Hand``.

    Args:
        ray: The module.
        actor: Its handle.
    """

    def __init__(self, ray: Any, actor: Any) -> None:  # noqa: ANN401 - Ray makes its types as it goes
        self._ray, self._actor = ray, actor

    def begin(self, method: str, *values: Any) -> Any:  # noqa: ANN401 - whatever the method takes
        """See ``Hand.begin``."""
        try:
            return getattr(self._actor, method).remote(*values)
        except self._ray.exceptions.RayError as fault:
            raise LostError(_said(fault)) from fault

    def wait(self, call: Any, seconds: float) -> tuple[bool, Any]:  # noqa: ANN401 - whatever it returns
        """See ``Hand.wait``."""
        try:
            ended, _ = self._ray.wait([call], timeout=seconds)
            return (True, self._ray.get(call)) if ended else (False, None)
        except self._ray.exceptions.RayError as fault:
            raise LostError(_said(fault)) from fault

    def kill(self) -> None:
        """See ``Hand.kill``."""
        with suppress(self._ray.exceptions.RayError, ValueError):
            self._ray.kill(self._actor)


@contextmanager
def joined(address: str) -> Iterator[Any]:
    """Join a cluster while the block runs: Ray's module.

    Args:
        address: ``HOST:PORT`` of its head; or ``auto``: what RAY_ADDRESS says, or a cluster that runs on this machine.

    Raises:
        UsageError: Ray is not installed, or no cluster is there.
        RunError: it can't be joined.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # What a worker without a GPU sees of them is for Ray to say; it would warn that this changes some day.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as fault:
        raise UsageError(
            "a cluster takes Ray, which is not installed", f"Install it with: {install_extra('cluster')}"
        ) from fault
    if ray.is_initialized():  # by a program that uses it for itself, too
        yield ray
        return
    _check(address)
    with _own_signals():
        try:
            ray.init(address=address, log_to_driver=False, configure_logging=False, logging_level=logging.CRITICAL)
        except ConnectionError as fault:
            where = "here" if address == _AUTO else f"at {address}"
            raise UsageError(f"no cluster of Ray runs {where}", _START) from fault
        except (RuntimeError, ValueError, OSError) as fault:
            raise RunError(
                f"the cluster at {address} can't be joined: {_said(fault)}",
                "This machine must be one of it: `ray start --address HOST:6379`. Versions of Ray and Python must fit.",
            ) from fault
    try:
        yield ray
    finally:
        with _own_signals():
            ray.shutdown()


def _check(address: str) -> None:
    """Whether somebody answers at an address: Ray itself waits for long.

    Raises:
        UsageError: nobody does, or it is no address.
    """
    if address == _AUTO:
        return
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or "/" in host:
        raise UsageError(f"{address!r} is no address of a cluster", "Name it as HOST:PORT, such as 10.0.0.1:6379.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWERS).close()
    except (OSError, OverflowError) as fault:
        raise UsageError(f"no cluster of Ray runs at {address}: {fault}", _START) from fault


@contextmanager
def _own_signals() -> Iterator[None]:
    """Whatever is done about signals in the block, what holds before it holds after it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)


def _leaving() -> set[str]:
    """The machines that are about to leave. Ray says that only inside of itself: where it does not, none is."""
    try:
        from ray._private.state import state

        return set(state.get_draining_nodes())
    except (ImportError, AttributeError):
        return set()


def _name(node: dict[str, Any], all_of_them: Sequence[dict[str, Any]]) -> str:
    """What a machine is called: its address, and more where several have the same."""
    address = str(node["NodeManagerAddress"])
    same = sum(one["NodeManagerAddress"] == address and one["Alive"] for one in all_of_them)
    return address if same == 1 else f"{address} ({node['NodeID'][:6]})"


def _said(fault: BaseException) -> str:
    """The first line of what an error says."""
    lines = str(fault).strip().splitlines() or [type(fault).__name__]
    return lines[0][:200]
