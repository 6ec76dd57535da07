"""The API holds what its description says, whatever it is asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("schemathesis")
pytestmark = [pytest.mark.slow, pytest.mark.loopback]
TOOL = Path(__file__).parents[3] / "tools" / "attack_api.py"


def test_no_request_makes_the_server_fail(tmp_path):
    run = subprocess.run(
        [sys.executable, str(TOOL), "--count", "60"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert run.returncode == 0, run.stdout
    assert int(run.stdout.rsplit(" requests", 1)[0].split()[-1].replace(",", "")) > 100
