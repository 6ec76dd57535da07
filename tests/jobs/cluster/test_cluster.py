"""Jobs on a cluster of Ray: machines, all on this one, that are killed, stopped, drained and of another version."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import av
import pytest

from tests.tasks.segments.conftest import SHORT, two_scenes
from understudy import Settings, Understudy
from understudy.jobs.job import Order
from understudy.jobs.jobs import Jobs
from understudy.provenance import ConsentClaim, Ledger

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")]
HERE, SAMPLE = Path(__file__).parent, ConsentClaim("sample")


class Machines:
    """A cluster with no machine that works yet."""

    def __init__(self, environment):
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - ``close`` does
        self._program = subprocess.Popen(
            [sys.executable, str(HERE / "nodes.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=environment,
        )
        self.address, self.names = self._answer(), set()

    def __call__(self, what, about):
        if what == "add":
            self.names.add(about["name"])
        self.names -= {about} if what == "kill" else set()
        print(json.dumps([what, about]), file=self._program.stdin, flush=True)
        return self._answer()

    def _answer(self):
        line = self._program.stdout.readline()
        if not line:
            self._log.seek(0)
            pytest.fail(self._log.read()[-2000:])
        return json.loads(line)

    def close(self):
        self._program.stdin.close()
        self._program.wait()
        self._program.stdout.close()
        self._log.close()


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Workers' files, and Ray's, go where nobody else's are."""
    folder = tempfile.mkdtemp(prefix="us")  # short: sockets lie in it
    yield os.environ | {"TMPDIR": folder, "RAY_TMPDIR": folder, "RAY_USAGE_STATS_ENABLED": "0"}
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def machines(environment):
    machines = Machines(environment)
    yield machines
    machines.close()


@pytest.fixture(scope="module")
def two(machines):
    """Two of them, one core each."""
    for name in {"a", "b"} - machines.names:
        machines("add", {"name": name})
    return machines


class Head:
    """A process that runs jobs on the cluster."""

    def __init__(self, home, address, environment, stalled=120.0, command=()):
        self.lines = []
        words = [str(home), address, str(stalled)]
        self.process = subprocess.Popen(
            [*command, sys.executable, "-m", "tests.jobs.cluster.head", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def until(self, pattern):
        """Read on until a line fits."""
        for line in self.process.stdout:
            self.lines.append(line.strip())
            if re.search(pattern, line):
                return line
        return pytest.fail("\n".join([*self.lines, self.process.stderr.read()]))

    def end(self):
        """What it wrote to stderr, when it has ended; it must end well."""
        self.lines += [line.strip() for line in self.process.stdout]
        said = self.process.stderr.read()
        self.process.stdout.close(), self.process.stderr.close()
        if self.process.wait() != 0:
            pytest.fail("\n".join([*self.lines, said]))  # whole: an assertion would shorten it
        return said

    @property
    def said(self):
        return [line for line in self.lines if line.startswith("said")]


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def jobs(home):
    with Understudy(Settings(home=home)) as app:
        yield Jobs(app.resources, app.known, app.settings, SHORT)


@pytest.fixture
def orders(tmp_path, scenes, hopper_path):
    def made(count, target=scenes):
        return [Order(target, tmp_path / f"{n}.mp4", (hopper_path,)) for n in range(count)]

    return made


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """A clip that is too short to be cut."""
    return two_scenes(tmp_path_factory.mktemp("short") / "short.mp4", each=8)


def content(path):
    """All that is in a file, as encoded."""
    with av.open(str(path)) as file:
        return [
            (packet.stream_index, packet.pts, packet.dts, packet.duration, bytes(packet)) for packet in file.demux()
        ]


def writes_a_segment(pid):
    with contextlib.suppress(OSError):
        return any(file.readlink().name.startswith(".segment.") for file in Path(f"/proc/{pid}/fd").iterdir())
    return False


def at_work(machines, name, *, stop=False):
    """The process of a machine's worker while it writes a segment: others may have begun long before it.

    Args:
        machines: Where it is.
        name: The machine's.
        stop: Whether to stop it in the middle of the segment.
    """
    until = time.monotonic() + 120
    while time.monotonic() < until:
        for pid in filter(writes_a_segment, machines("pids", name)):
            if not stop:
                return pid
            os.kill(pid, signal.SIGSTOP)
            time.sleep(0.1)
            if writes_a_segment(pid):
                return pid
            os.kill(pid, signal.SIGCONT)  # it was just done with it
        time.sleep(0.05)
    return pytest.fail(f"no worker of {name} writes a segment")


def until_nobody_works(machines, name):
    """Wait for workers of the test before: one that still writes would be taken for one of this test."""
    until = time.monotonic() + 60
    while any(map(writes_a_segment, machines("pids", name))):
        assert time.monotonic() < until, f"a worker of {name} writes a segment, and nobody asked for one"
        time.sleep(0.2)


def left_by_workers(environment):
    return list(Path(environment["TMPDIR"]).glob("understudy-workers-*/.*"))


def test_pixels_do_not_depend_on_how_many_worked(machines, jobs, orders, short, home, environment, tmp_path):
    """A clip of four segments, and one that is done in one go here: by this process, one machine, and two."""
    made = []
    for round_, names in enumerate(("", "a", "b")):
        if names and names not in machines.names:
            machines("add", {"name": names})
        all_of = [*orders(1), *(Order(short, tmp_path / "short.mp4", one.photos) for one in orders(1))]
        numbers = jobs.add(all_of, SAMPLE)
        head = Head(home, machines.address if names else "here", environment)
        assert head.end() == ""  # nothing of Ray's
        assert head.lines[-1] == "done 2"
        assert [jobs.show(number).state for number in numbers] == ["done", "done"]
        made.append([content(order.output) for order in all_of])
        for order in all_of:
            order.output.rename(tmp_path / f"{round_}-{order.output.name}")
    assert made[0] == made[1] == made[2]
    assert left_by_workers(environment) == []


def test_twenty_clips_survive_machines_that_are_killed(two, jobs, orders, short, home, environment, tmp_path):
    numbers = jobs.add(
        [*orders(6), *(Order(short, tmp_path / f"s{n}.mp4", one.photos) for n, one in enumerate(orders(14)))], SAMPLE
    )
    chance = random.Random(7)
    head = Head(home, two.address, environment)
    for _ in range(3):
        for _ in range(chance.randrange(3, 6)):
            head.until("^done")
        name = chance.choice("ab")
        two("kill", name)
        two("add", {"name": name})  # another machine for the cluster, which does not know these names
    head.end()
    assert head.lines[-1] == "done 20"
    assert any("is lost" in said for said in head.said)
    assert [jobs.show(number).attempts for number in numbers] == [1] * 20
    outputs = [jobs.show(number).order.output for number in numbers]
    with Understudy(Settings(home=home)) as app:
        assert {app.inspect(output).verdict for output in outputs} == {"made by this tool"}
        known = [app.inspect(output).record.identifier for output in outputs]
        records = list(Ledger(app.resources.home).records())
    assert Counter(record.identifier for record in records) == Counter(known)  # each once
    for name, frames in (("0.mp4", 48), ("s0.mp4", 16)):
        for output in outputs:
            if output.name.startswith("s") == name.startswith("s"):
                assert sum(stream == 0 and bool(data) for stream, *_, data in content(output)) == frames
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert list((home / "jobs" / "segments").iterdir()) == []


@pytest.mark.parametrize("what", ["worker", "machine"])
def test_what_stands_still_is_replaced(two, jobs, orders, home, environment, what):
    """One worker is stopped; or a whole machine, as behind a network that split."""
    until_nobody_works(two, "b")
    jobs.add(orders(4), SAMPLE)
    head = Head(home, two.address, environment, stalled=8)
    try:
        pid = at_work(two, "b", stop=True)
        if what == "machine":
            two("stop", "b")
        head.end()
    finally:
        if what == "worker":  # where Ray has not ended it yet, the next test would take it for one that works
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if what == "machine":  # the tests that follow want one that works
            two("kill", "b")
            two("add", {"name": "b"})
    assert head.lines[-1] == "done 4"
    lost = "is lost: (no progress for 8 s|its machine is gone|The actor)"
    assert any(re.search(lost, said) for said in head.said), head.said


def test_a_machine_that_is_drained_gets_nothing_more(two, jobs, orders, home, environment):
    two("add", {"name": "leaving"})
    jobs.add(orders(5), SAMPLE)
    head = Head(home, two.address, environment)
    at_work(two, "leaving")
    assert two("drain", "leaving")
    head.end()
    assert head.lines[-1] == "done 5"
    assert not [said for said in head.said if "is lost" in said]  # that one could not begin at first may be said
    assert not [pid for pid in two("pids", "leaving") if b"RayWorker" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    two("kill", "leaving")


def test_a_machine_with_another_version_gets_nothing(two, jobs, orders, home, environment, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import understudy.version\nunderstudy.version.__version__ = '0.0.1'\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, [environment.get("PYTHONPATH")])])
    two("add", {"name": "old", "env": {"PYTHONPATH": path}})
    jobs.add(orders(3), SAMPLE)
    head = Head(home, two.address, environment)
    head.end()
    assert head.lines[-1] == "done 3", (head.lines, head.said, [job.failure for job in jobs.list()])
    assert len(head.said) == 1
    assert re.search(r"gets no work, for there is another version: understudy 0\.0\.1 \(here", head.said[0])
    two("kill", "old")


def test_a_head_that_is_killed_is_begun_again_here_or_there(two, jobs, orders, home, environment):
    (number,) = jobs.add(orders(1), SAMPLE)
    head = Head(home, two.address, environment)
    head.until("frames (1[4-9]|2|3)")
    head.process.kill()
    head.process.wait()
    head.process.stdout.close(), head.process.stderr.close()
    job = jobs.show(number)
    assert (job.state, job.segments) == ("waiting", 4)
    begun = job.segments_done
    again = Head(home, "here", environment)
    again.end()
    assert again.lines[-1] == "done 1"
    frames = [int(line.split()[1]) for line in again.lines if line.startswith("frames")]
    assert frames[0] == job.frames_done
    assert (frames[0] > 0) == (begun > 0)
    until = time.monotonic() + 30
    while (left := left_by_workers(environment)) and time.monotonic() < until:
        jobs.add([Order(one.target, one.output.with_name("next.mp4"), one.photos) for one in orders(1)], SAMPLE)
        Head(home, two.address, environment).end()  # whose workers tidy up
        (orders(1)[0].output.with_name("next.mp4")).unlink()
    assert left == []


def test_nothing_is_said_to_anybody_else(two, jobs, orders, home, environment, tmp_path):
    """Whom the head calls: machines of the cluster, all on this one."""
    if not shutil.which("strace"):
        pytest.skip("needs strace")
    jobs.add(orders(1), SAMPLE)
    log = tmp_path / "calls.log"
    command = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=connect,sendto", "-o", str(log)]
    head = Head(home, two.address, environment, command=command)
    head.end()
    own = {two.address.rpartition(":")[0], "127.0.0.1", "0.0.0.0"}
    called = re.findall(r'AF_INET6?.*?inet_(?:addr|pton)\((?:AF_INET6, )?"([^"]+)"', log.read_text())
    assert called
    assert {address.removeprefix("::ffff:") for address in called} - own - {"::1", "::"} <= {
        "8.8.8.8",
        "2001:4860:4860::8888",
    }
