"""Whoever runs the tests is told what was left out, and how to bring it in."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.skipped import NOTHING, brings, summary

TESTS = Path(__file__).parent


def reasons():
    """Every reason for which a test here may be skipped."""
    for path in sorted(TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if node.func.attr == "skipif":
                    (reason,) = (word.value for word in node.keywords if word.arg == "reason")
                    yield path.name, ast.literal_eval(reason)
                elif ast.unparse(node.func) in ("pytest.skip", "pytest.mark.skip", "pytest.xfail", "pytest.mark.xfail"):
                    yield path.name, ast.literal_eval((node.args or [word.value for word in node.keywords])[0])


@pytest.mark.slow
def test_of_everything_that_may_be_skipped_it_is_known_what_brings_it_in():
    found = list(reasons())
    assert len(found) > 20
    assert [(name, reason) for name, reason in found if brings(reason) == NOTHING] == []


def test_what_was_skipped_is_named_once_with_what_it_needs():
    lines = summary(
        [
            ("tests/a.py::test_one[x]", "needs strace"),
            ("tests/a.py::test_one[y]", "needs strace"),
            ("tests/b.py::test_two", "the moon is full"),
        ]
    )
    assert lines == [
        "2 skipped (needs strace). To run them: apt-get install strace",
        "    tests/a.py::test_one (2 times)",
        f"1 skipped (the moon is full). To run them: {NOTHING}",
        "    tests/b.py::test_two",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [[], pytest.param(["-n", "1"], marks=pytest.mark.slow)])
def test_a_run_ends_with_it(workers, tmp_path):
    (tmp_path / "conftest.py").write_text("from tests.skipped import pytest_terminal_summary\n")
    (tmp_path / "test_it.py").write_text("import pytest\n\ndef test_a():\n    pytest.skip('needs strace')\n")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *workers]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    around = {**alone, "PYTHONPATH": str(TESTS.parent)}
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path, env=around)
    assert "skipped tests, and what they need" in done.stdout
    assert "1 skipped (needs strace). To run them: apt-get install strace\n    test_it.py::test_a\n" in done.stdout
