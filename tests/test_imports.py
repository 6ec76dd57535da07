"""What makes a start shorter."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from understudy.imports import doing_without, not_collecting

#: Makes the studio's page as the command does, and prints which of some packages were read for it.
START = """
import sys
from pathlib import Path
from understudy.cli.demo import samples
from understudy.server.application import studio_application
from understudy.server.security import Keys
from understudy.server.studio.studio import Studio
from understudy.settings import Settings

studio_application(Studio(Settings(home=Path(sys.argv[1])), samples(), Path(sys.argv[1])), Keys(), 1)
print(*({"requests", "aiohttp", "aiortc", "nicegui"} & set(sys.modules)))
import requests, aiohttp
"""


@pytest.mark.slow
def test_a_studio_starts_without_what_it_does_not_need_yet(tmp_path):
    done = subprocess.run([sys.executable, "-c", START, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["nicegui"]


def test_what_is_left_out_is_there_afterwards_and_what_was_there_stays(monkeypatch):
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    with doing_without("wave", "json"):
        import json

        assert json.loads("1") == 1
        with pytest.raises(ImportError):
            import wave
    import wave

    assert wave.__name__ == "wave"


@pytest.mark.parametrize("on", [True, False])
def test_garbage_is_collected_again_if_it_was(on):
    before = gc.isenabled()
    (gc.enable if on else gc.disable)()
    try:
        with pytest.raises(ValueError, match="x"), not_collecting():
            assert not gc.isenabled()
            raise ValueError("x")
        assert gc.isenabled() is on
    finally:
        (gc.enable if before else gc.disable)()
