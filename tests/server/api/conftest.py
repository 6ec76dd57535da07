"""A real server with the API, and programs that ask it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from tests.server.processes import serving

from understudy.provenance import Home
from understudy.server.access.tokens import SCOPES, Tokens
from understudy.testing import portrait_path

#: Seconds that anything may take: many, for the machine may do a lot besides.
PATIENCE = 120


class Caller(httpx.Client):
    """Asks the API with one token."""

    def hand_over(self, kind, path, name=None):
        """What the server says of a file that it got."""
        answer = self.post(f"/{kind}", params={"name": name or Path(path).name}, content=Path(path).read_bytes())
        assert answer.status_code == 201, answer.text
        return answer.json()

    def somebody(self, portrait="hopper", **consent):
        """Id of a person whose face may be used."""
        photo = self.hand_over("photos", portrait_path(portrait))
        said = {"ground": "sample"} | consent
        answer = self.post("/people", json={"name": portrait, "photos": [photo["id"]], "consent": said})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def ended(self, swap):
        """A swap, once it ended."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found = self.get(f"/swaps/{swap}").json()
            if found["state"] not in ("waiting", "running"):
                return found
            time.sleep(0.2)
        raise AssertionError(f"the swap did not end: {found}")


class Server(NamedTuple):
    """A server in a process of its own."""

    address: str
    home: Path
    process: subprocess.Popen
    log: Path

    def caller(self, user, *scopes, quotas=None, name=None):
        """Somebody with a token of their own."""
        token = Tokens(Home(self.home)).add(name or f"{user}-{time.time_ns()}", user, scopes or list(SCOPES), 1, quotas)
        return Caller(
            base_url=f"{self.address}/api/v1", headers={"Authorization": f"Bearer {token[1]}"}, timeout=PATIENCE
        )


@contextlib.contextmanager
def server_in(folder, *words, before=(), **environment):
    """An API whose private folder and log are in ``folder``."""
    log = folder / "log.txt"
    command = [sys.executable, "-m", "understudy", "serve", "--json", "--port", "0", "--home", str(folder / "home")]
    with serving([*before, *command, *words], log, **environment) as (process, said):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{said['address']}/health").status_code == 200:
                    break
            time.sleep(0.05)
        yield Server(said["address"], folder / "home", process, log)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One for all tests of a file."""
    with server_in(tmp_path_factory.mktemp("server"), "--live", "2") as running:
        yield running


@pytest.fixture
def caller(server):
    """Somebody who may do everything, and has nothing yet."""
    with server.caller(f"user-{time.time_ns()}") as found:
        yield found
