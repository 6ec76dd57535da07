"""What is said of known vulnerabilities, and when one stops a build."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from audit import needed, of_node, of_python, read_ignored, told  # noqa: E402

TODAY = dt.date(2026, 6, 1)
#: As pip-audit 2.10 and npm 10 and 11 write it.
PYTHON = {
    "dependencies": [
        {"name": "good", "version": "1", "vulns": []},
        {"name": "bad", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"], "aliases": ["CVE-1"]}]},
        {"name": "unknown", "skip_reason": "Dependency not found on PyPI and could not be audited: unknown (1)"},
    ],
    "fixes": [],
}
NODE = {
    "auditReportVersion": 2,
    "vulnerabilities": {
        "ws": {"name": "ws", "via": [{"title": "DoS", "url": "https://example.org/advisories/GHSA-1"}]},
        "above": {"name": "above", "via": ["ws"]},
    },
    "metadata": {"dependencies": {"prod": 2, "dev": 40}},
}


def test_what_is_found_is_told_by_package_and_stops_the_build(capsys):
    found = of_python(json.dumps(PYTHON))
    assert (found.asked, found.found) == (2, {"bad 2": ["PYSEC-1"]})
    assert told("Python", found, {}, TODAY)
    assert "bad 2: PYSEC-1" in capsys.readouterr().out
    found = of_node(json.dumps(NODE))
    assert (found.asked, found.found) == (2, {"ws": ["GHSA-1"]})
    assert told("Node", found, {}, TODAY)


def test_what_is_ignored_stops_a_build_again_when_its_day_has_come(capsys):
    ignored = read_ignored(b'[[ignored]]\nid = "GHSA-1"\nreason = "it is never called"\nuntil = 2026-07-01\n')
    found = of_node(json.dumps(NODE))
    assert not told("Node", found, ignored, TODAY)
    assert "ignored until 2026-07-01" in capsys.readouterr().out
    assert told("Node", found, ignored, dt.date(2026, 7, 1))


@pytest.mark.parametrize("entry", ['id = "GHSA-1"\nuntil = 2026-07-01', 'id = "GHSA-1"\nreason = "x"\nuntil = "never"'])
def test_without_a_reason_and_a_day_nothing_is_ignored(entry):
    assert read_ignored(f"[[ignored]]\n{entry}\n".encode()) == {}


@pytest.mark.parametrize(
    "said", ["", "{}", "[]", '{"message": "405 Method Not Allowed", "error": {"summary": ""}}', "<"]
)
@pytest.mark.parametrize("read", [of_python, of_node])
def test_a_list_that_can_not_be_had_is_said_and_is_no_fault(capsys, read, said):
    found = read(said)
    assert found.asked == 0
    assert not told("It", found, {}, TODAY)
    assert "NOT AUDITED" in capsys.readouterr().out


def test_what_the_project_and_its_extras_need_is_known():
    found = needed("understudy")
    assert found["numpy"] == version("numpy")
    assert {"fastapi", "httpx", "pydantic-core"} <= found.keys()
    assert not {"ruff", "mypy", "pytest"} & found.keys()


@pytest.mark.slow
def test_the_projects_own_list_is_read(tmp_path):
    read_ignored((ROOT / "audit.toml").read_bytes())
    run = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "audit.py")],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={"PATH": "", "HTTPS_PROXY": "http://127.0.0.1:9", "PYTHONPATH": str(ROOT / "src"), "HOME": str(tmp_path)},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("NOT AUDITED") == 2
