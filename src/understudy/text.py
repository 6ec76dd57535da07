"""Text from outside, made fit to be printed."""

from __future__ import annotations


def printable(text: object) -> str:
    """The text with what a terminal would obey, and what no encoding has, shown as U+FFFD.

    File names, notes and other people's manifests may hold escape sequences, line breaks, marks that turn the
    direction of writing, and half surrogates.
    """
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in str(text))
