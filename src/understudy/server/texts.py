"""What the page says, in the reader's language: one catalogue of texts for each, in ``locales``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from understudy import toml

#: Languages by code, with their own names. The first is spoken where none of the reader's is known.
LANGUAGES: Final[Mapping[str, str]] = {"en": "English", "zh": "中文", "ko": "한국어"}
#: The code that HTML has for each: fonts for Chinese and Japanese differ in how they draw the same letters.
HTML_CODES: Final[Mapping[str, str]] = {"en": "en", "zh": "zh-Hans", "ko": "ko"}


class Texts:
    """The texts of one language.

    Args:
        language: One of ``LANGUAGES``.

    Raises:
        KeyError: there is no such language.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = catalogue(language)

    @property
    def html_code(self) -> str:
        """The language as HTML says it."""
        return HTML_CODES[self.language]

    def __call__(self, name: str, /, **values: object) -> str:
        """A text, with what is to stand in it.

        Args:
            name: Group and name, such as ``live.start``.
            values: By the names that stand in its curly brackets.

        Raises:
            KeyError: there is no such text, or a value is missing.
        """
        return self._texts[name].format(**values) if values else self._texts[name]


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """All texts of a language, by full name.

    Raises:
        KeyError: there is no such language.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    data = files("understudy.server").joinpath("locales", f"{language}.toml").read_bytes()
    return dict(_walk(toml.parsed(data), ""))


def preferred(chosen: str | None, accepted: str) -> str:
    """The language to speak.

    Args:
        chosen: What the reader chose here; None if nothing.
        accepted: What the browser says (``Accept-Language``).
    """
    if chosen is not None and chosen in LANGUAGES:
        return chosen
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted.split(",")[:20]):
        found = re.fullmatch(r"\s*([a-zA-Z]{2,3})(?:-[\w-]*)?\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?", part)
        if found is not None and found[1].lower() in LANGUAGES:
            wanted.append((-float(found[2] or 1), place, found[1].lower()))
    return min(wanted)[2] if wanted else next(iter(LANGUAGES))


def _walk(tables: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in tables.items():
        if isinstance(value, dict):
            yield from _walk(value, f"{prefix}{name}.")
        else:
            yield prefix + name, str(value)
