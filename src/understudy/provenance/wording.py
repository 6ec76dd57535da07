"""What a label may say."""

from __future__ import annotations

import unicodedata
from typing import Final

from understudy.provenance.denials import denied

#: Characters of a label, at most, and how many of them are letters or digits, at least.
LONGEST: Final = 40
LEAST_LETTERS: Final = 2
#: Marks that may sit on one letter: Vietnamese has two, pointed Hebrew three.
_MARKS: Final = 3
#: Draws out a line between two Arabic letters, and nothing else.
_TATWEEL: Final = "\u0640"


def worded(text: str) -> str:
    """The text as it is drawn: composed, its blanks single, nothing in it that only takes up room.

    Raises:
        TypeError: it is no text.
        ValueError: it is no line of text that can be read, or says the opposite of what a label is for.
    """
    if not isinstance(text, str):
        raise TypeError(f"the label's text is a string, not {type(text).__name__}")
    given = unicodedata.normalize("NFC", str.__str__(text))
    plain = " ".join(part for part in given.replace(_TATWEEL, "").split(" ") if part)
    count = sum(unicodedata.category(letter) in _LETTERS for letter in plain)
    if count < LEAST_LETTERS or not plain.isprintable() or len(given) > LONGEST:
        raise ValueError(f"the label needs one line of text with letters, at most {LONGEST} characters")
    if any(letter in _UNSEEN for letter in plain):
        raise ValueError("the label's text holds characters that are not seen: leave them out")
    if any(unicodedata.category(letter) in ("Co", "Cn") for letter in plain):
        raise ValueError("the label's text holds characters that mean nothing in Unicode: leave them out")
    if "M" * (_MARKS + 1) in "".join(unicodedata.category(letter)[0] for letter in plain):
        raise ValueError(f"no letter of the label carries more than {_MARKS} marks: they would hide it")
    if any(map(_strikes_out, plain)):
        raise ValueError("the label's text holds signs that strike it out: leave them out")
    claim = denied(plain)
    if claim is not None:
        raise ValueError(f"the label may not say the opposite of what it is for ({claim!r}): say what was done")
    return plain


def _strikes_out(letter: str) -> bool:
    """Whether it is drawn across the letter before, or around it, or is a sign that says "not" of what is beside it."""
    return letter in _CROSSES or any(
        unicodedata.combining(part) == _OVERLAY or unicodedata.category(part) == "Me"
        for part in unicodedata.normalize("NFD", letter)
    )


#: What Unicode calls marks across a letter (its combining class). "Not equal" and its like have one in them.
_OVERLAY: Final = 1
#: Crosses, signs that forbid, and the sign of logic for "not".
_CROSSES: Final = frozenset("\u00ac\u2298\u26d4\u2715\u2716\u2717\u2718\u274c\u274e\u29b8\U0001f6ab\U0001f6c7")
#: Letters and digits; not those that only change others (``Lm``).
_LETTERS: Final = ("Lu", "Ll", "Lt", "Lo", "Nd", "Nl", "No")
#: What Unicode calls ignorable and Python printable: joiners, fillers, selectors of variants.
_UNSEEN: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
