"""Where a run's time goes, as a picture: a flame graph of stacks that a sampling profiler wrote.

``py-spy record --threads --nonblocking --rate 200 --format raw --output stacks.txt -- understudy swap …``, then
``python -m benchmarks.flame_graph stacks.txt OUT.svg``. Each thread stands on a line of its own, the functions it calls
below it, as wide as their share of the samples of the thread that was busiest. Only functions of this project are
drawn: what others' code takes is the width of who called it. ``py-spy`` is not needed by anything else (pip install
py-spy).
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

#: How py-spy writes a frame and a thread.
_FRAME = re.compile(r"(?P<name>.+) \((?P<file>[^()]*?understudy/)(?P<module>[^():]+)\.py:\d+\)")
_THREAD = re.compile(r"thread \(\d+\)(?:: (?P<name>.+))?")
#: Widths and heights in the picture's units; what is narrower than ``_NARROWEST`` is left out.
_WIDE, _ROW, _NARROWEST, _LETTER = 1200.0, 18.0, 1.5, 6.2
#: A colour for each folder of the package, by its name.
_HUES = {"pipeline": 210, "media": 30, "provenance": 280, "blending": 0, "swapping": 120, "tracking": 170}


@dataclass
class Call:
    """A function as it was found on the stacks, called by one other.

    Attributes:
        name: What stands in its box.
        folder: Of the package.
        samples: In how many it was at work, or something that it called.
        calls: What it called.
    """

    name: str
    folder: str = ""
    samples: int = 0
    calls: dict[str, Call] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        """Rows that it and what it called take."""
        return 1 + max((call.depth for call in self.calls.values()), default=0)


def read(lines: Iterable[str]) -> list[Call]:
    """The threads, those with the most samples first.

    Args:
        lines: ``thread;frame;frame … samples``, the outermost frame first.
    """
    threads: dict[str, Call] = {}
    for line in lines:
        stack, _, count = line.rpartition(" ")
        first, *frames = stack.split(";")
        thread = _THREAD.fullmatch(first)
        name = (thread and thread["name"]) or "others"
        here = threads.setdefault(name, Call(name))
        here.samples += int(count)
        for own in filter(None, map(_FRAME.fullmatch, frames)):
            function, module = own["name"].replace(".<locals>", ""), own["module"]
            here = here.calls.setdefault(f"{module} {function}", Call(function, module.partition("/")[0]))
            here.samples += int(count)
    return sorted(threads.values(), key=lambda thread: -thread.samples)


def drawn(threads: list[Call]) -> str:
    """The flame graph as an SVG picture."""
    whole = max((thread.samples for thread in threads), default=1)  # the busiest is as wide as the picture
    boxes, top = [], 10.0
    for thread in threads:
        if thread.samples * _WIDE / whole < _NARROWEST * 10:
            continue
        rows = [_box(call, x, y, scale) for call, x, y, scale in _placed(thread, 10.0, 0, _WIDE / whole)]
        height = thread.depth * _ROW
        boxes.append(f'<g transform="translate(0,{top:.0f})">' + "\n".join(rows) + "</g>")
        top += height + 12
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE + 20:.0f} {top:.0f}" '
            'font-family="sans-serif" font-size="11">',
            '<rect width="100%" height="100%" fill="white"/>',
            *boxes,
            "</svg>\n",
        ]
    )


def _placed(call: Call, x: float, row: int, scale: float) -> Iterable[tuple[Call, float, int, float]]:
    """A call and all it made that is wide enough to be seen, with their places."""
    if call.samples * scale < _NARROWEST:
        return
    yield call, x, row, scale
    for inner in sorted(call.calls.values(), key=lambda one: -one.samples):
        yield from _placed(inner, x, row + 1, scale)
        x += inner.samples * scale


def _box(call: Call, x: float, row: int, scale: float) -> str:
    width, y = call.samples * scale, row * _ROW
    fill = "#ddd" if not call.folder else f"hsl({_HUES.get(call.folder, 55)},60%,{86 - 3 * (row % 4)}%)"
    letters = int((width - 4) / _LETTER)
    name = call.name if len(call.name) <= letters else call.name[: max(letters - 1, 0)] + "…" if letters > 3 else ""
    where = f"{call.name} ({call.folder})" if call.folder else f"thread {call.name}"
    return (
        f'<g><title>{escape(where)}: {call.samples} samples</title><rect x="{x:.1f}" y="{y:.0f}" width="{width:.1f}" '
        f'height="{_ROW - 1:.0f}" fill="{fill}"/><text x="{x + 3:.1f}" y="{y + 13:.0f}">{escape(name)}</text></g>'
    )


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stacks", type=Path)
    parser.add_argument("output", type=Path)
    options = parser.parse_args()
    threads = read(options.stacks.read_text(encoding="utf-8").splitlines())
    options.output.write_text(drawn(threads), encoding="utf-8")
    total = sum(thread.samples for thread in threads)
    for thread in threads[:6]:
        print(f"  {thread.name:12} {thread.samples / total:6.1%}")


if __name__ == "__main__":
    main()
