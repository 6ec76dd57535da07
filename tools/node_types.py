"""Writes clients/node/src/api.ts from the API's own description: ``python tools/node_types.py [--check]``.

It takes Node, and ``npm ci`` run in ``clients/node``; another folder with that package can be named with ``--package``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

from understudy import Settings
from understudy.server.api.application import api_application
from understudy.server.api.service import Service

FOLDER = Path(__file__).parents[1] / "clients" / "node"
NOTE = "// Written by tools/node_types.py from the API's description (GET /api/v1/openapi.json).\n\n"


def described() -> dict[str, Any]:
    """The API in OpenAPI's terms."""

    async def asked(service: Service) -> dict[str, Any]:
        line = httpx.ASGITransport(api_application(service, {"localhost"}, set()))
        async with httpx.AsyncClient(transport=line, base_url="http://localhost") as client:
            found: dict[str, Any] = (await client.get("/api/v1/openapi.json")).raise_for_status().json()
            return found

    with tempfile.TemporaryDirectory() as folder:
        service = Service(Settings(home=Path(folder) / "home"))
        try:
            return asyncio.run(asked(service))
        finally:
            service.close()


def written(package: Path) -> str:
    """Types of all that is asked and answered.

    Args:
        package: The client's folder, with what it is developed with.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is not here: install Node 20 or later")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "openapi.json", Path(folder) / "api.ts"
        source.write_text(json.dumps(described()), "utf-8")
        words = [npm, "run", "--silent", "types", "--", str(source), "--output", str(target)]
        subprocess.run(words, cwd=package, check=True, stdout=subprocess.DEVNULL)
        return NOTE + target.read_text("utf-8")


def main() -> int:
    """Write it, or say whether it is as it would be written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if it is not as it would be")
    parser.add_argument("--package", type=Path, default=FOLDER)
    chosen = parser.parse_args()
    target, text = FOLDER / "src" / "api.ts", written(chosen.package)
    if chosen.check:
        return int(not target.exists() or target.read_text("utf-8") != text)
    target.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
