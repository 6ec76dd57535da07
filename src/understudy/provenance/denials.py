"""Texts that say the opposite of what the label is for: "real photo", "not AI", "unedited".

The words are data, ``denials.json``: by language, what is refused wherever it stands (``claims``), what is refused
where it is the whole text (``alone``), and what makes a claim an honest one, just before or after it ("not a real
photo"). ``joined``: the language is written without blanks. What no list holds is the user's own word.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import accumulate, chain
from typing import Final, NamedTuple

#: Letters of other scripts that look like Latin ones, letters that NFKD keeps whole, and signs that stand for letters.
_ALIKE: Final = str.maketrans(
    dict(zip("аеорсухіѕјһԁԛԝвкмнт", "aeopcyxisjhdqwbkmht", strict=True))
    | dict(zip("αοειρτυνκηωβ", "aoeiptuvknwb", strict=True))
    | dict(zip("ıłøđ@$", "ilodas", strict=True))
)
#: Capital letters of Greek that look like Latin ones which the small letters do not look like.
_CAPITALS: Final = str.maketrans(
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7", "ABEZHIKMNOPTYX"
)
#: Digits that stand for letters; 1 for either of two.
_DIGITS: Final = tuple(str.maketrans("013457", f"o{one}east") for one in "il")


class _Language(NamedTuple):
    """One language's lists, each phrase as its folded words without blanks."""

    joined: bool
    claims: dict[str, int]  # and how many words each has
    alone: frozenset[str]
    before: tuple[str, ...]
    after: tuple[str, ...]


def denied(text: str) -> str | None:
    """The part of ``text`` by which a label would deny what it is for, folded; None if there is none."""
    # As it is first: digits are letters only where that makes sense of them, and Greek need not be Latin in disguise.
    read = [_words(one, digits) for one in (text, text.translate(_CAPITALS)) for digits in (None, *_DIGITS)]
    for words in dict.fromkeys(read):
        for language in _languages():
            found = _claim(words, language)
            if found is not None:
                return found
    return None


def _claim(words: tuple[str, ...], language: _Language) -> str | None:
    """The first claim of a language that is there and is not turned into an honest one."""
    run, ends = "".join(words), [0, *accumulate(len(word) for word in words)]
    if run in language.alone:
        return run
    for claim, count in language.claims.items():
        for start, end in _places(run, claim):
            # Words may be run together or spaced out; a part of a word ("surreal photo") is none.
            if not language.joined and not (start in ends and end in ends):
                continue
            heads = [run[:start]]
            if count == 1 and start:  # an adjective may stand behind its noun: "not a photo that is authentic"
                heads.append(run[: max(place for place in ends if place < start)])
            honest = any(
                head.endswith(one) and (language.joined or len(head) - len(one) in ends)
                for head in heads
                for one in language.before
            ) or any(run.startswith(one, end) and (language.joined or end + len(one) in ends) for one in language.after)
            if not honest:
                return claim
    return None


def _places(run: str, claim: str) -> Iterator[tuple[int, int]]:
    start = run.find(claim)
    while start >= 0:
        yield start, start + len(claim)
        start = run.find(claim, start + 1)


def _words(text: str, digits: dict[int, int] | None = None) -> tuple[str, ...]:
    """The words, without case, accents, punctuation, and whose alphabet a letter is from."""
    spread = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(letter for letter in spread if unicodedata.category(letter) != "Mn").translate(_ALIKE)
    plain = plain if digits is None else plain.translate(digits)
    return tuple("".join(letter if letter.isalnum() else " " for letter in plain).split())


@cache
def _languages() -> tuple[_Language, ...]:
    lists = json.loads(files("understudy.provenance").joinpath("denials.json").read_text(encoding="utf-8"))

    def runs(phrases: list[str]) -> tuple[str, ...]:
        return tuple("".join(_words(phrase)) for phrase in phrases)

    def around(name: str, joined: bool) -> tuple[str, ...]:
        # Of all languages: neighbours share their claims ("foto real"), not what they say no with.
        listed = (runs(one[name]) for one in lists.values() if one.get("joined", False) == joined)
        return tuple(dict.fromkeys(chain.from_iterable(listed)))

    sides = {joined: (around("before", joined), around("after", joined)) for joined in (False, True)}
    return tuple(
        _Language(
            joined,
            {"".join(words): len(words) for words in map(_words, one["claims"])},
            frozenset(runs(one["alone"])),
            *sides[joined],
        )
        for one in lists.values()
        for joined in (bool(one.get("joined", False)),)
    )
