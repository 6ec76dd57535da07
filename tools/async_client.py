"""Writes understudy/client/async_client.py from client.py: ``python tools/async_client.py [--check]``.

Both do the same, one of them with ``await``. Which words that changes is said here; the rest is the same text.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "src" / "understudy" / "client"
NOTE = "Written by tools/async_client.py from client.py."
PHOTO = r"self\._ask\(asking\.hand_over\(photo, \"photos\"\)\)"
#: Patterns and what stands in their place, in this order.
CHANGES = (
    (r'^"""The client that waits[^"]*"""', f'"""The client that lets others work meanwhile."""\n\n# {NOTE}'),
    (r"^import time$", "import asyncio"),
    (r"\bIterator\b", "AsyncIterator"),
    (r"\bClient\b", "AsyncClient"),
    (r"A context manager", "An asynchronous context manager"),
    (r"^(\s*)def (?!__init__)", r"\1async def "),
    (r"__enter__", "__aenter__"),
    (r"__exit__", "__aexit__"),
    (r"self\.close\(\)", "await self.close()"),
    (r"self\._line\.close\(\)", "await self._line.aclose()"),
    (r"self\._ask\(", "await self._ask("),
    (rf"await ({PHOTO})", r"(await \1)"),
    (r"time\.sleep", "await asyncio.sleep"),
    (r"for (said|piece) in (self\.watch|answer)", r"async for \1 in \2"),
    (r"with self\._line", "async with self._line"),
    (r"answer\.read\(\)", "await answer.aread()"),
    (r"answer\.iter_bytes", "answer.aiter_bytes"),
    (r"self\._line\.request", "await self._line.request"),
    (r"file\.read\(PIECE\)", "await asyncio.to_thread(file.read, PIECE)"),
)  # fmt: skip


def written(text: str) -> str:
    """The asynchronous client out of the other one's text."""
    for pattern, place in CHANGES:
        text = re.sub(pattern, place, text, flags=re.MULTILINE)
    words = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(FOLDER / "async_client.py"), "-"]
    return subprocess.run(words, input=text, capture_output=True, text=True, check=True).stdout


def main(words: list[str]) -> int:
    """Write it, or say whether it is as it would be written."""
    target, text = FOLDER / "async_client.py", written((FOLDER / "client.py").read_text("utf-8"))
    if words == ["--check"]:
        return int(target.read_text("utf-8") != text)
    target.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
