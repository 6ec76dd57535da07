"""Intimate pictures are refused, and the report says whether that was looked at."""

from __future__ import annotations

import numpy as np
import pytest

from understudy import Settings, Understudy
from understudy.errors import (
    ContentRefusedError,
)


class Prude:
    name = "prude"

    def __init__(self, says):
        self.says = says

    def intimate(self, picture):
        assert picture.dtype == np.uint8
        return self.says


@pytest.mark.parametrize("says", [0.9, float("nan")])
def test_intimate_pictures_are_refused(own, hopper_path, astronaut_path, tmp_path, says):
    with (
        Understudy(Settings(home=own.root), classifier=Prude(says)) as app,
        pytest.raises(ContentRefusedError, match="intimate") as refusal,
    ):
        app.swap(astronaut_path, tmp_path / "out.png", app.person(hopper_path, consent="sample"))
    assert refusal.value.exit_code == 4
    assert not (tmp_path / "out.png").exists()


@pytest.mark.slow
def test_the_report_says_whether_content_was_checked(own, hopper_path, astronaut_path, tmp_path):
    for number, (classifier, words) in enumerate(
        [(None, "no content classifier is installed"), (Prude(0.1), "checked with prude")]
    ):
        with Understudy(Settings(home=own.root), classifier=classifier) as app:
            person = app.person(hopper_path, consent="sample")
            report = app.swap(astronaut_path, tmp_path / f"{number}.png", person)
        assert any(words in note for note in report.notes)
