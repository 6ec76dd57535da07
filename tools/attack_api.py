"""Asks the API all that its description allows, and more: ``python tools/attack_api.py [--count 5000] [--seed 1]``.

A server with a private folder of its own is started; schemathesis makes requests from the OpenAPI document. Told are
how many there were, and every answer that is a failure of the server's (5xx) or that the document does not know. The
exit code is 1 if there was one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

#: Operations of the API, about: how many requests each of them gets.
OPERATIONS = 39
CHECKS = "not_a_server_error,status_code_conformance,response_schema_conformance,content_type_conformance"


def main() -> int:
    """Do it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5000, help="requests, about")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = ["--home", str(Path(folder) / "home")]
        quotas = ["--requests", "1e9", "--clips", "1e9", "--minutes", "1e9", "--live-seconds", "1e9"]
        made = subprocess.run([*UNDERSTUDY, "token", "add", "attack", *quotas, *home], check=True, **TEXT)
        server = subprocess.Popen([*UNDERSTUDY, "serve", "--port", "0", "--runners", "0", "--json", *home], **TEXT)
        try:
            assert server.stdout is not None
            said = ""
            while not said.endswith("}\n"):
                said += server.stdout.readline()
            address = json.loads(said)["address"]
            _wait(address)
            return attack(address, made.stdout.strip(), chosen.count, chosen.seed)
        finally:
            server.terminate()
            server.wait(60)


UNDERSTUDY = [sys.executable, "-m", "understudy"]
TEXT = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}


def attack(address: str, token: str, count: int, seed: int) -> int:
    """Ask a server; 1 if it failed at something."""
    words = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{address}/api/v1/openapi.json"]
    words += ["--header", f"Authorization: Bearer {token}", "--checks", CHECKS, "--phases", "coverage,fuzzing"]
    words += ["--max-examples", str(max(count // OPERATIONS, 1)), "--seed", str(seed), "--no-color"]
    # A module that tells how SDP is sent.
    hooks = os.environ | {"SCHEMATHESIS_HOOKS": "offers", "PYTHONPATH": _path()}
    run = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=hooks)
    cases = re.search(r"(\d[\d,]*) generated", run.stdout)
    failed = run.returncode != 0
    if failed:
        print(run.stdout)
    print(f"{cases[1] if cases else 'no'} requests, {'with' if failed else 'without'} failures")
    return int(failed or cases is None)


def _path() -> str:
    """Where modules are looked for: besides where they are anyway, in the folder of the attacks."""
    return os.pathsep.join([str(Path(__file__).parent / "attack"), *filter(None, [os.environ.get("PYTHONPATH")])])


def _wait(address: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(address)


if __name__ == "__main__":
    sys.exit(main())
