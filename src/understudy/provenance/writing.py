"""In which order the letters of a line stand: what Unicode says of lines that mix directions, for one line of words.

Of Unicode's bidirectional algorithm (UAX #9) it has what such a line takes: the line runs as its first letter does,
numbers keep their order, and what has no direction goes with what is around it. Marks that set directions are not
printable and no part of a line.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from itertools import groupby

_OPEN, _CLOSED = "([{（［｛「『【〈《", ")]}）］｝」』】〉》"
#: Types that have no direction of their own once numbers are settled.
_NEUTRAL = ("B", "S", "WS", "ON", "BN", "ES", "ET", "CS")


def clusters(text: str) -> list[str]:
    """The letters, each with the marks that sit on it."""
    found: list[str] = []
    for letter in text:
        if found and unicodedata.category(letter).startswith("M"):
            found[-1] += letter
        else:
            found.append(letter)
    return found


def runs_left(text: str) -> bool:
    """Whether the text's first letter belongs to a script that runs from right to left."""
    directions = (unicodedata.bidirectional(letter) for letter in text)
    return next((one for one in directions if one in ("L", "R", "AL")), "L") != "L"


def runs(text: str, kind: Callable[[str], int]) -> list[tuple[str, int, bool]]:
    """A line in parts of one kind and one direction, in the order in which they stand, from left to right.

    Args:
        text: The line.
        kind: What of a letter with its marks is the same in each part.

    Returns:
        Of each part its text, as it is written; its kind; and whether it runs from right to left.

    >>> runs("ab אב", lambda _: 0)
    [('ab ', 0, False), ('אב', 0, True)]
    >>> runs("אב ab", lambda _: 0)
    [('ab', 0, False), ('אב ', 0, True)]
    """
    found: list[tuple[str, int, int]] = []
    levels = _levels(text)
    at = 0
    for letter in clusters(text):
        level, own = levels[at], kind(letter)
        at += len(letter)
        if found and found[-1][1:] == (own, level):
            found[-1] = (found[-1][0] + letter, own, level)
        else:
            found.append((letter, own, level))
    for level in range(max(levels, default=0), 0, -1):
        found = [one for part in _turned(found, level) for one in part]
    return [(part, own, level % 2 == 1) for part, own, level in found]


def _turned(parts: list[tuple[str, int, int]], level: int) -> Iterator[list[tuple[str, int, int]]]:
    """Parts with those that lie that deep, or deeper, in reverse (rule L2)."""
    for deep, some in groupby(parts, lambda part: part[2] >= level):
        found = list(some)
        yield found[::-1] if deep else found


def _levels(text: str) -> list[int]:
    """How deep each character lies: odd numbers run from right to left."""
    base = 1 if runs_left(text) else 0
    around = "R" if base else "L"
    types = _settled([unicodedata.bidirectional(letter) for letter in text], around)
    _bracketed(text, types, around)
    levels = []
    for number, settled in enumerate(types):
        own = settled
        if own in _NEUTRAL:  # N1, N2: as what is on both sides, else as the line
            before = next((_side(one) for one in reversed(types[:number]) if one not in _NEUTRAL), around)
            after = next((_side(one) for one in types[number:] if one not in _NEUTRAL), around)
            own = before if before == after else around
        if own == "L":
            levels.append(base + base % 2)
        else:
            levels.append(1 if own == "R" else 2)
    return levels


def _bracketed(text: str, types: list[str], around: str) -> None:
    """Give both brackets of a pair the direction of what is in it, or before it (rule N0)."""
    opened: list[int] = []
    pairs = []
    for number, letter in enumerate(text):
        if letter in _OPEN:
            opened.append(number)
        elif letter in _CLOSED:
            fitting = [at for at in opened if text[at] == _OPEN[_CLOSED.index(letter)]]
            if fitting:
                pairs.append((fitting[-1], number))
                opened = [at for at in opened if at < fitting[-1]]
    for start, stop in sorted(pairs):
        inside = {_side(one) for one in types[start + 1 : stop] if one not in _NEUTRAL}
        before = next((_side(one) for one in reversed(types[:start]) if one not in _NEUTRAL), around)
        if inside:
            types[start] = types[stop] = around if around in inside else before


def _side(kind: str) -> str:
    """Which way a letter or number counts for what stands beside it."""
    return "L" if kind == "L" else "R"


def _settled(types: list[str], around: str) -> list[str]:
    """The types of a line's characters, marks and numbers settled by what stands before them (rules W1 to W7)."""
    before = around
    for number, given in enumerate(types):
        own = (types[number - 1] if number else around) if given == "NSM" else given
        types[number] = own
        if own in ("L", "R", "AL"):
            before = own
        if own == "EN" and before == "AL":
            types[number] = "AN"
    for number in range(1, len(types) - 1):
        left, own, right = types[number - 1 : number + 2]
        if left == right and ((own == "CS" and left in ("EN", "AN")) or (own == "ES" and left == "EN")):
            types[number] = left
    for step in (1, -1):  # signs of money and percent go with their number
        order = range(len(types))[::step]
        for number in order[1:]:
            if types[number] == "ET" and types[number - step] == "EN":
                types[number] = "EN"
    before = around
    for number, own in enumerate(types):
        if own in ("L", "R", "AL"):
            before = own
        types[number] = "R" if own == "AL" else "L" if own == "EN" and before == "L" else own
    return types
