"""Runs the tests that failed just now once more, each by itself: `make test` calls it with pytest's exit codes.

A test that holds the second time was up to the machine: it is named as unsteady and does not make the run fail. More
than a few are no accident, and neither is a run that could not be done.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

#: Where pytest keeps which tests failed.
FAILED = Path(".pytest_cache/v/cache/lastfailed")
MOST = 8


def main(codes: list[int]) -> int:
    """Run them; what `make test` is to end with."""
    if any(code not in (0, 1) for code in codes):  # interrupted, or not even collected
        return max(codes)
    tests = sorted(json.loads(FAILED.read_text()))
    if len(tests) > MOST:
        print(f"{len(tests)} tests failed")
        return 1
    print(f"=== once more, each by itself: {len(tests)} that failed", flush=True)
    command = [sys.executable, "-m", "pytest", "-n", "0"]
    failed = [test for test in tests if subprocess.run([*command, test], check=False).returncode]
    for test in tests:
        print(("FAILED" if test in failed else "UNSTEADY, held the second time:"), test)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main([int(code) for code in sys.argv[1:]]))
