"""Memory that was freed goes back to the system when it is asked to."""

import platform
from pathlib import Path

import pytest

from understudy.models.leftover_memory import give_back_memory


def resident():
    """Megabytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps it")
def test_what_was_freed_is_given_back():
    # Small enough to lie in the heap; every hundredth stays, so nothing can be given back from its end.
    blocks = [bytearray(50_000) for _ in range(2000)]
    blocks = blocks[::100]
    before = resident()
    give_back_memory()
    assert resident() < before - 60
    assert len(blocks) == 20
