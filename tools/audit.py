"""Asks whether anything that the project depends on has a known vulnerability: ``python tools/audit.py``.

Python's packages are those of this environment that the project and its extras need; Node's are those that come with
``clients/node``. What is found and is not in ``audit.toml`` gives the exit code 1. Where the lists of vulnerabilities
can't be had, that is said, and is no fault: a network that is down is none of the project's.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, NamedTuple

from understudy import toml

ROOT = Path(__file__).parents[1]
PATIENCE = 300


class Audit(NamedTuple):
    """What came of asking.

    Attributes:
        asked: How many packages were looked up.
        lost: Why others were not; empty if all were.
        found: Vulnerabilities: their ids, by package and version.
    """

    asked: int
    lost: str
    found: dict[str, list[str]]


def needed(name: str) -> dict[str, str]:
    """Versions of all packages here that a package needs, its extras' included."""
    found: dict[str, str] = {}
    left = [(name, True)]
    while left:
        one, extras = left.pop()
        for requirement in distribution(one).requires or ():
            other = re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()  # type: ignore[index]
            if other in found or (not extras and "extra ==" in requirement):
                continue
            try:
                found[other] = distribution(other).version
            except PackageNotFoundError:
                continue  # of an extra, or of another system
            left.append((other, False))
    return found


def of_python(said: str) -> Audit:
    """What ``pip-audit --format json`` says."""
    try:
        packages = json.loads(said)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Audit(0, "its list can't be had", {})
    lost = [one["name"] for one in packages if "vulns" not in one]
    found = {
        f"{one['name']} {one['version']}": [vulnerability["id"] for vulnerability in one["vulns"]]
        for one in packages
        if one.get("vulns")
    }
    return Audit(len(packages) - len(lost), f"nothing is known of {len(lost)} packages" if lost else "", found)


def of_node(said: str) -> Audit:
    """What ``npm audit --json`` says."""
    try:
        report: dict[str, Any] = json.loads(said)
        asked = int(report["metadata"]["dependencies"]["prod"])
        packages: dict[str, Any] = report["vulnerabilities"]
    except (ValueError, KeyError, TypeError):
        return Audit(0, "its list can't be had", {})
    found: dict[str, list[str]] = {}
    for name, one in packages.items():
        # Others are named for what they need; that is in the list itself.
        ids = [str(why["url"]).rsplit("/", 1)[-1] for why in one["via"] if isinstance(why, dict)]
        if ids:
            found[name] = ids
    return Audit(asked, "", found)


def told(name: str, audit: Audit, ignored: Mapping[str, dt.date], today: dt.date) -> bool:
    """Print what came of it: whether there is anything that must stop a build."""
    if audit.lost:
        print(f"{name}: NOT AUDITED: {audit.lost}" if not audit.asked else f"{name}: {audit.lost}")
    if audit.asked:
        print(f"{name}: {audit.asked} packages looked up")
    stops = False
    for package, ids in sorted(audit.found.items()):
        for one in ids:
            until = ignored.get(one)
            good = until is not None and today < until
            stops |= not good
            print(f"{name}: {package}: {one}" + (f" (ignored until {until}, see audit.toml)" if good else ""))
    return stops


def read_ignored(text: bytes) -> dict[str, dt.date]:
    """The days until which vulnerabilities are ignored, by id. Each has a reason, or it does not count."""
    entries = toml.parsed(text).get("ignored", [])
    return {one["id"]: one["until"] for one in entries if one.get("reason") and isinstance(one.get("until"), dt.date)}


def ask_python() -> Audit:
    """Ask about Python's packages."""
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder) / "pins.txt"
        pins.write_text("".join(f"{name}=={version}\n" for name, version in needed("understudy").items()), "utf-8")
        words = [sys.executable, "-m", "pip_audit", "--requirement", str(pins), "--no-deps", "--disable-pip"]
        return of_python(_said([*words, "--format", "json", "--progress-spinner", "off"]))


def ask_node() -> Audit:
    """Ask about Node's packages."""
    npm = shutil.which("npm")
    if npm is None:
        return Audit(0, "npm is not here", {})
    return of_node(_said([npm, "audit", "--omit=dev", "--json"], ROOT / "clients" / "node"))


def _said(words: list[str], folder: Path | None = None) -> str:
    try:
        run = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return ""
    return run.stdout


def main() -> int:
    """Ask, and tell: 1 if there is anything that must stop a build."""
    ignored, today = read_ignored((ROOT / "audit.toml").read_bytes()), dt.datetime.now(dt.timezone.utc).date()
    stops = [told(name, ask(), ignored, today) for name, ask in (("Python", ask_python), ("Node", ask_node))]
    return int(any(stops))


if __name__ == "__main__":
    sys.exit(main())
