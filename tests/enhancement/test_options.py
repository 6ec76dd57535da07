"""Steps in words, and what can't be one."""

from __future__ import annotations

import doctest

import pytest

from understudy import EnhanceOptions, Settings, as_toml, read_settings
from understudy.enhancement import Step, options
from understudy.errors import UsageError
from understudy.settings import changed


@pytest.mark.parametrize(
    ("words", "step"),
    [
        ("sharpen", Step("sharpen")),
        ("gfpgan_1.4:0.8", Step("gfpgan_1.4", 0.8)),
        ("clahe@frame", Step("clahe", None, "frame")),
        ("real_esrgan_x2:1@background", Step("real_esrgan_x2", 1.0, "background")),
    ],
)
def test_a_step_is_said_in_one_word(words, step):
    assert Step.of(words) == step


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("sharpen:1.5", "between 0 and 1"),
        ("sharpen:-0.1", "between 0 and 1"),
        ("sharpen:nan", "between 0 and 1"),
        ("sharpen:much", "a number"),
        ("sharpen:", "a number"),
        ("sharpen@everywhere", "face, frame, background"),
        ("sharpen@", "face, frame, background"),
        ("", "NAME"),
        ("sharpen:0.5:0.5", "NAME"),
        ("Two words", "NAME"),
    ],
)
def test_what_is_no_step_is_refused(words, said):
    with pytest.raises(ValueError, match=said):
        EnhanceOptions(steps=(words,))


@pytest.mark.parametrize("wrong", [{"steps": ("clahe", "clahe:1")}, {"weight": 1.1}, {"seconds": -1.0}])
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=r"twice|weight|below zero"):
        EnhanceOptions(**wrong)


def test_they_are_settings_like_any_other_in_their_order(tmp_path):
    settings = Settings(enhance=EnhanceOptions(("sharpen:0.3", "gfpgan_1.4", "clahe@frame"), weight=0.7))
    (tmp_path / "mine.toml").write_text(as_toml(settings), encoding="utf-8")
    assert read_settings(tmp_path / "mine.toml").enhance == settings.enhance
    assert "steps = [" in as_toml(settings)
    assert "steps = []" in as_toml(Settings())
    with pytest.raises(UsageError, match=r"enhance\.steps.*between 0 and 1"):
        changed(Settings(), {"enhance.steps": ["sharpen:7"]})


def test_the_docstrings_examples_hold():
    assert doctest.testmod(options).failed == 0
