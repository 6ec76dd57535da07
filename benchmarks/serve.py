"""What a server costs: memory while it takes a large file in, and how much small requests slow a swap beside them.

    python -m benchmarks.serve [--gigabytes 1] [--rounds 7] [--seconds 10] [--only memory|speed]

Servers, their runner and who asks them are processes of this machine, as they would be anywhere. The clip that is
handed over for the memory plays; what makes it large is a part that no player reads. For the speed the same swap is
ordered again and again, by turns alone and with a hundred requests a second beside it: lists, progress, what the token
is for.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from benchmarks.__main__ import sample
from understudy.jobs.store import JobStore
from understudy.provenance import Home
from understudy.testing import portrait_path

UNDERSTUDY = [sys.executable, "-m", "understudy"]
#: What nobody may run out of here.
QUOTAS = ["--clips", "1e6", "--minutes", "1e6", "--requests", "1e9", "--gigabytes", "100"]


def family(pid: int) -> list[int]:
    """A process and all below it."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def held(pid: int) -> int:
    """Bytes that a process and all below it hold."""
    total = 0
    for one in family(pid):
        try:
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
    return total


class Peak:
    """The most that a process and all below it hold meanwhile. A context manager."""

    def __init__(self, pid: int) -> None:
        self.before = self.most = held(pid)
        self._pid, self._over = pid, threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.most = max(self.most, held(self._pid))


@contextmanager
def running(words: list[str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server, and its address."""
    with subprocess.Popen(
        [*UNDERSTUDY, *words, "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout is not None
            said = ""
            while not said.endswith("}\n"):
                said += server.stdout.readline()
            address = str(json.loads(said)["address"])
            while True:
                try:
                    if httpx.get(f"{address.partition('/?')[0]}/health").status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.05)
            yield server, address
        finally:
            server.terminate()
            server.wait(60)


def large(folder: Path, count: int) -> Path:
    """A clip that plays, and has so many bytes that no player reads; here they take no room on the disk."""
    path = folder / "large.mp4"
    shutil.copy(sample(folder, 1), path)
    with path.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(struct.pack(">I4sQ", 1, b"free", count))
        file.truncate(file.tell() + count - 16)
    return path


def pieces(path: Path) -> Iterator[bytes]:
    """A file's bytes, as a client streams them."""
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece


def token(home: Path) -> str:
    """A new token."""
    words = [*UNDERSTUDY, "token", "add", "bench", *QUOTAS, "--home", str(home)]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def told(name: str, peak: Peak, path: Path, seconds: float) -> None:
    """Print what taking a file in held."""
    size = path.stat().st_size
    print(
        f"  {name:8s} {size / 1e9:.2f} GB in {seconds:5.1f} s: {peak.before / 1e6:.0f} MB before, "
        f"{peak.most / 1e6:.0f} MB at most: {(peak.most - peak.before) / 1e6:+.0f} MB"
    )


def memory(folder: Path, gigabytes: float) -> None:
    """Print how much more memory a server holds while it takes a large clip in: the API's, and the studio's."""
    path, small = large(folder, int(gigabytes * 1e9)), sample(folder, 1)
    home = folder / "home"
    secret = token(home)
    with (
        running(["serve", "--port", "0", "--home", str(home)]) as (server, address),
        httpx.Client(
            base_url=f"{address}/api/v1", headers={"Authorization": f"Bearer {secret}"}, timeout=600
        ) as client,
    ):
        for _ in range(2):  # what is loaded with the first file is no part of it
            client.post("/media", params={"name": "a.mp4"}, content=small.read_bytes()).raise_for_status()
        time.sleep(3)  # its runner has begun
        begun = time.monotonic()
        with Peak(server.pid) as peak:
            client.post("/media", params={"name": "a.mp4"}, content=pieces(path)).raise_for_status()
        told("the API", peak, path, time.monotonic() - begun)
    with running(["studio", "--no-browser", "--home", str(folder / "studio")]) as (server, address):
        place = urlsplit(address)
        origin = f"http://{place.netloc}"
        with httpx.Client(base_url=origin, headers={"Origin": origin}, timeout=600) as client:
            client.get("/", params={"token": parse_qs(place.query)["token"][0]}).raise_for_status()
            client.post("/uploads/target/a.mp4", content=small.read_bytes()).raise_for_status()
            begun = time.monotonic()
            with Peak(server.pid) as peak:
                client.post("/uploads/target/a.mp4", content=pieces(path)).raise_for_status()
            told("the page", peak, path, time.monotonic() - begun)


class Asker:
    """Asks so many times a second, over one connection, at as little cost as may be. A context manager."""

    def __init__(self, address: str, secret: str, places: list[str], rate: float) -> None:
        place = urlsplit(address)
        self._line = socket.create_connection((place.hostname or "", place.port or 0), timeout=60)
        self._asked = [
            f"GET {one} HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {secret}\r\n\r\n".encode()
            for one in places
        ]
        self._pause, self._over = 1 / rate, threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.seconds: list[float] = []
        self.late = 0

    def __enter__(self) -> Asker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._line.close()

    def _ask(self) -> None:
        due = time.monotonic()
        for asked in itertools.cycle(self._asked):
            if self._over.wait(max(due - time.monotonic(), 0)):
                return
            self.late += time.monotonic() - due > 1
            begun = time.monotonic()
            self._line.sendall(asked)
            self._answer()
            self.seconds.append(time.monotonic() - begun)
            due += self._pause

    def _answer(self) -> None:
        said = b""
        while b"\r\n\r\n" not in said:
            said += self._line.recv(65536)
        head, _, body = said.partition(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(head.decode())
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += self._line.recv(65536)


def speed(folder: Path, rounds: int, seconds: int, rate: float) -> None:
    """Print how much longer a swap takes with small requests beside it, and what one of them costs."""
    home, clip = folder / "home", sample(folder, seconds)
    secret = token(home)
    with (
        running(["serve", "--port", "0", "--home", str(home)]) as (server, address),
        httpx.Client(
            base_url=f"{address}/api/v1", headers={"Authorization": f"Bearer {secret}"}, timeout=600
        ) as client,
    ):
        photo = client.post("/photos", params={"name": "a.png"}, content=portrait_path("hopper").read_bytes()).json()
        person = client.post("/people", json={"photos": [photo["id"]], "consent": {"ground": "sample"}}).json()["id"]
        target = client.post("/media", params={"name": "a.mp4"}, content=clip.read_bytes()).json()["id"]

        def swap() -> tuple[str, float]:
            """Order it and wait: its id, and the seconds that its runner had it."""
            number = str(client.post("/swaps", json={"target": target, "person": person}).json()["id"])
            store = JobStore(Home(home))
            while not store.counts()["done"] or store.jobs(("running", "waiting")):
                time.sleep(0.5)
            (job,) = store.jobs(("done",), 1)
            return number, job.ended - job.begun

        last, _ = swap()  # what is loaded with the first one is no part of it
        alone, beside, asked, took = [], [], 0, []
        places = ["/api/v1/me", f"/api/v1/swaps/{last}", "/api/v1/swaps", f"/api/v1/media/{target}", "/api/v1/people"]
        cost = 0.0
        for _ in range(rounds):
            alone.append(swap()[1])
            before = busy_alone(server.pid)
            with Asker(address, secret, places, rate) as asker:
                beside.append(swap()[1])
            cost += busy_alone(server.pid) - before
            asked += len(asker.seconds)
            took += asker.seconds
        one, two = statistics.median(alone), statistics.median(beside)
        ratio = statistics.median(with_them / without for without, with_them in zip(alone, beside, strict=True))
        print(f"  a swap of {seconds} s of 720p, by turns, {rounds} rounds, {os.cpu_count()} cores:")
        print(f"    alone {one:.2f} s, with {rate:g} requests a second {two:.2f} s")
        print(f"    ratio of medians {two / one:.3f}, median of ratios {ratio:.3f}")
        print(
            f"    {asked} requests: {1000 * cost / asked:.2f} ms of a processor each, in the server; answered after "
            f"p50 {1000 * statistics.median(took):.1f} ms, p95 {1000 * sorted(took)[int(0.95 * len(took))]:.1f} ms"
        )


def busy_alone(pid: int) -> float:
    """Seconds of processor time of one process, without those below it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def folder_in(place: str, name: str) -> Path:
    """A new folder: what is measured has a home of its own, and a token in it."""
    folder = Path(place, name)
    folder.mkdir()
    return folder


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=10, help="of the clip that is swapped")
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second")
    parser.add_argument("--only", choices=("memory", "speed"))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if chosen.only != "speed":
            print("memory:")
            memory(folder_in(name, "memory"), chosen.gigabytes)
        if chosen.only != "memory":
            print("speed:")
            speed(folder_in(name, "speed"), chosen.rounds, chosen.seconds, chosen.rate)


if __name__ == "__main__":
    main()
