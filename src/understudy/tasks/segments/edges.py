"""Where a clip is cut: at changes of scene if they can be found for little, else where decoding can begin.

Nothing goes over a change of scene but who is who, which the plan says. Everywhere else a segment is warmed: some
seconds before it go through all stages but are not sealed, so that what goes from one frame to the next is settled when
its own first frame comes. The frames of most of that time have gaps between them: what is learned slowly is learned of
a few as well, and those just before the first come without.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from understudy.media.files.keyframes import Keyframes

#: Frames that are decoded at most to see whether a picture begins a new scene, and pictures that are looked at so, for
#: each edge.
_MOST_DECODED, _MOST_LOOKED_AT = 90, 3
#: Seconds within which an edge is moved to where most moves.
_SPREAD: Final = 1.5


@dataclass(frozen=True)
class SegmentOptions:
    """How a clip is cut. What the usual ones were chosen by is in docs/jobs.md.

    Attributes:
        frames: How many a segment has, as a rule.
        fewest: And at least.
        warming: Seconds before a segment that it is warmed in.
        closely: Of those the last so many, in which every frame is taken.
        apart: Seconds between two frames before that.
        whole: Whether a clip that is too short to be cut is a segment by itself, for somebody else to work.

    Raises:
        ValueError: no frames, or a time below zero.
    """

    frames: int = 1800
    fewest: int = 600
    warming: float = 5.0
    closely: float = 0.3
    apart: float = 0.15
    whole: bool = False

    def __post_init__(self) -> None:
        if not (self.frames >= self.fewest >= 2 and min(self.warming, self.closely, self.apart) >= 0):
            raise ValueError("a segment has two frames or more, and times can't be below zero")


class Edge(NamedTuple):
    """Where a segment begins.

    Attributes:
        begins: The frame with which its decoding begins.
        first: Its own first frame.
    """

    begins: int
    first: int


def edges(known: Keyframes, options: SegmentOptions, changes: Callable[[int, int], bool]) -> list[Edge]:
    """Where segments begin, but for the first. The same clip is always cut in the same places.

    Args:
        known: When frames are shown, and with which decoding can begin.
        options: How.
        changes: Asked of two frames, with both of which decoding can begin: whether the second begins a new scene.
    """
    found: list[Edge] = []
    at, count = 0, len(known.times)
    while count - at >= options.frames + options.fewest:
        edge = _change(known, at, options, changes) or _anywhere(known, at, options)
        if edge is None or count - edge.first < options.fewest:
            break
        found.append(edge)
        at = edge.first
    return found


def _change(known: Keyframes, at: int, options: SegmentOptions, changes: Callable[[int, int], bool]) -> Edge | None:
    """A change of scene not too far from where the next segment should begin."""
    wanted, spread = at + options.frames, options.frames // 2
    before = dict(zip(known.keys[1:], known.keys, strict=False))
    # Encoders begin anew every so often, and besides where a scene begins.
    regular = Counter(key - last for key, last in before.items()).most_common(1)
    usual = regular[0][0] if regular and regular[0][1] > 1 else 0
    near = [
        key
        for key, last in before.items()
        if max(at + options.fewest, wanted - spread) <= key <= wanted + spread and key - last <= _MOST_DECODED
    ]
    near.sort(key=lambda key: (key - before[key] == usual, abs(key - wanted)))
    for key in near[:_MOST_LOOKED_AT]:
        if changes(before[key], key):
            return Edge(key, key)
    return None


def _anywhere(known: Keyframes, at: int, options: SegmentOptions) -> Edge | None:
    """An edge for which warming begins where decoding can, at the picture near it that differs most from those before.

    A small step in what was learned is lost in motion, and seen where nothing moves.
    """
    time = known.time_base
    warming, spread = int(options.warming / time), int(_SPREAD / time)
    found, keys = [], set(known.keys)
    for key in known.keys:
        begin, end = (known.frame_at(known.times[key] + warming + more) for more in (0, spread))
        # Where decoding begins anew a picture is large whatever it shows.
        near = [frame for frame in range(begin, min(end, len(known.times))) if frame not in keys]
        if near and near[0] >= at + options.fewest:
            found.append(Edge(key, max(near, key=lambda frame: known.sizes[frame])))
    wanted = at + options.frames
    not_far = [edge for edge in found if abs(edge.first - wanted) <= options.frames // 3]
    if not_far:
        return max(not_far, key=lambda edge: (known.sizes[edge.first], -edge.first))
    return min(found, key=lambda edge: (abs(edge.first - wanted), edge), default=None)


def warmed_by(seconds: float, first_seconds: float, last_taken: float | None, options: SegmentOptions) -> bool:
    """Whether a frame before a segment is taken to warm it.

    Args:
        seconds: Its time.
        first_seconds: That of the segment's first frame.
        last_taken: That of the one that was taken last, if any was.
        options: How.
    """
    left = first_seconds - seconds
    if left <= options.closely + 1e-6:
        return True
    if left > options.warming + 1e-6:
        return False
    return last_taken is None or seconds - last_taken >= options.apart - 1e-6
