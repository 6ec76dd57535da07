"""The catalogues of texts: every language says everything, and nothing that nobody asks for."""

import re
from importlib.resources import files
from pathlib import Path
from string import Formatter

import pytest

from understudy.server.texts import LANGUAGES, Texts, catalogue, preferred

CODE = Path(str(files("understudy.server")))


def asked_for():
    """Names of texts in the code: all stand there in full."""
    text = "".join(path.read_text(encoding="utf-8") for path in CODE.rglob("*") if path.suffix in (".py", ".js"))
    return set(re.findall(r"""["']([a-z]+\.[a-z_0-9]+)["']""", text))


def placeholders(text):
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def test_every_text_that_is_asked_for_is_there_and_every_other_is_not():
    groups = {name.split(".")[0] for name in catalogue("en")}
    wanted = {name for name in asked_for() if name.split(".")[0] in groups}
    assert wanted - set(catalogue("en")) == set()
    assert set(catalogue("en")) - wanted == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text_with_the_same_values_in_it(language):
    english, own = catalogue("en"), catalogue(language)
    assert english.keys() - own.keys() == set()
    assert own.keys() - english.keys() == set()
    assert [name for name in english if placeholders(own[name]) != placeholders(english[name])] == []
    assert [name for name, text in own.items() if not text.strip()] == []


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_nothing_is_left_in_english(language):
    own = catalogue(language)
    same = {name for name, text in catalogue("en").items() if own[name] == text and re.search(r"[a-z]{2}", text)}
    assert same == set()
    for name, text in own.items():
        assert re.search(r"[\u3400-\u9fff\uac00-\ud7a3]", text) or not re.search(r"[a-z]{3}", text), (name, text)


@pytest.mark.parametrize(
    ("chosen", "accepted", "spoken"),
    [
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "fr-FR, ko;q=0.3, en;q=0.7", "en"),
        (None, "de, ko-KR;q=0.5", "ko"),
        (None, "", "en"),
        (None, "fr", "en"),
        (None, "zh;q=bad;,,;;ko", "en"),
        ("ko", "zh", "ko"),
        ("xx", "zh", "zh"),
        (None, "ZH-Hant-TW", "zh"),
    ],
)
def test_the_language_is_the_one_that_was_chosen_or_the_browsers(chosen, accepted, spoken):
    assert preferred(chosen, accepted) == spoken


def test_values_stand_in_texts_as_they_are():
    english = Texts("en")
    name = next((name for name, text in catalogue("en").items() if placeholders(text)), None)
    if name is not None:
        said = english(name, **dict.fromkeys(placeholders(catalogue("en")[name]), "{x} <b>"))
        assert "{x} <b>" in said


def test_an_unknown_language_or_text_is_an_error():
    with pytest.raises(KeyError):
        Texts("xx")
    with pytest.raises(KeyError):
        Texts("en")("around.nothing")
