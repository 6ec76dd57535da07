"""Writes understudy/client/async_client.py from client.py, and async_live.py from live.py.

    python tools/async_client.py [--check]

Each two do the same, one of them with ``await``. Which words that changes is said here; the rest is the same text.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "src" / "understudy" / "client"
NOTE = "Written by tools/async_client.py from"
PHOTO = r"self\._ask\(asking\.hand_over\(photo, \"photos\"\)\)"
#: Patterns and what stands in their place, in this order: in both.
BOTH = (
    (r"\bIterator\b", "AsyncIterator"),
    (r"\bClient\b", "AsyncClient"),
    (r"\bLive\b", "AsyncLive"),
    (r"client\.live import", "client.async_live import"),
    (r"A context manager", "An asynchronous context manager"),
    (r"^(\s*)def (?!__init__|__iter__)", r"\1async def "),
    (r"__enter__", "__aenter__"),
    (r"__exit__", "__aexit__"),
    (r"__iter__", "__aiter__"),
    (r"__next__", "__anext__"),
    (r"self\.close\(\)", "await self.close()"),
)
#: In the client.
CLIENT = (
    (r'^"""The client that waits[^"]*"""', f'"""The client that lets others work meanwhile."""\n\n# {NOTE} client.py.'),
    (r"^import time$", "import asyncio"),
    (r"return AsyncLive\.begin", "return await AsyncLive.begin"),
    (r"self\._line\.close\(\)", "await self._line.aclose()"),
    (r"self\.(_ask|_ask_again)\(", r"await self.\1("),
    (r"self\._fetch\(", "await self._fetch("),
    (rf"await ({PHOTO})", r"(await \1)"),
    (r"time\.sleep", "await asyncio.sleep"),
    (r"for (said|piece) in (self\.watch|answer)", r"async for \1 in \2"),
    (r"with self\._line", "async with self._line"),
    (r"answer\.read\(\)", "await answer.aread()"),
    (r"answer\.iter_bytes", "answer.aiter_bytes"),
    (r"self\._line\.request", "await self._line.request"),
    (r"  # noqa: SIM117.*$", ""),
    (r"file\.read\((.+)\)$", r"await asyncio.to_thread(file.read, \1)"),
)  # fmt: skip
#: In a live session.
LIVE = (
    (r'for a program that waits for them\."""$', f'for a program that does more meanwhile."""\n\n# {NOTE} live.py.'),
    (r"websockets\.sync", "websockets.asyncio"),
    (r"with ExitStack\b", "async with AsyncExitStack"),
    (r"\bExitStack\b", "AsyncExitStack"),
    (r"opened\.enter_context", "await opened.enter_async_context"),
    (r"self\._opened\.close", "await self._opened.aclose"),
    (r"(?<!def )(line|self\._line)\.(send|recv)\(", r"await \1.\2("),
    (r"sockets\.waiting\(", "await sockets.waiting_async("),
    (r"(?<!def )(self\._send)\(", r"await \1("),
    (r"async def _taken", "def _taken"),
    (r"StopIteration", "StopAsyncIteration"),
    (r"with ``for``", "with ``async for``"),
)  # fmt: skip


def written(text: str, changes: Sequence[tuple[str, str]]) -> str:
    """The asynchronous one out of the other one's text."""
    for pattern, place in (*BOTH, *changes):
        text = re.sub(pattern, place, text, flags=re.MULTILINE)
    for words in (("check", "--quiet", "--select", "I", "--fix"), ("format",)):
        command = [sys.executable, "-m", "ruff", *words, "--stdin-filename", str(FOLDER / "async_client.py"), "-"]
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    return text


def main(words: list[str]) -> int:
    """Write them, or say whether they are as they would be written."""
    for name, changes in (("client", CLIENT), ("live", LIVE)):
        target = FOLDER / f"async_{name}.py"
        text = written((FOLDER / f"{name}.py").read_text("utf-8"), changes)
        if words != ["--check"]:
            target.write_text(text, "utf-8")
        elif target.read_text("utf-8") != text:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
