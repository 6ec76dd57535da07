"""Settings that leave nothing of a swap to be seen: the report says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import understudy
from understudy import Lane, Settings
from understudy.casting.cast import Part, PartList
from understudy.casting.person import Person
from understudy.casting.roles import BLUR
from understudy.enhancement import EnhanceOptions
from understudy.masking import MaskOptions
from understudy.settings import changed
from understudy.tasks.unseen import unheeded, unseen

ME = Person((Path("me.jpg"),))
EYES = {"blend.mask.regions": ("eyes",), "blend.mask.keep": ("eyes",)}
HALF = Lane(1, 2, {"blend.strength": 0.5})


def of(cast=ME, lanes=(), **values):
    given = {name.replace("_", "."): value for name, value in values.items()}
    return unseen(cast, changed(Settings(lanes=lanes), given))


def test_only_what_is_certain_for_everybody_is_said():
    assert of() == of(blend_strength=0.01) == ()
    assert of(blend_strength=0.0) == ("nothing of the swap is shown: the strength is 0",)
    assert of(blend_strength=0.0, blend_show="mask") == ()
    assert of(blend_strength=0.0, lanes=[HALF]) == ()
    assert of(blend_strength=0.0, lanes=[Lane(1, 2, do="leave")]) != ()
    own = Part(1, ME, strength=0.3)
    assert of(PartList((own, Part(2, BLUR))), blend_strength=0.0) == ()
    assert of(PartList((Part(1, ME, strength=0.0), Part(2, BLUR)))) != ()
    assert of(PartList((Part(1, ME, strength=0.0),), ME)) == ()  # all others are shown


@pytest.mark.parametrize(
    ("regions", "keep", "strength", "said"),
    [
        (("eyes",), ("eyes",), 1.0, "of the face only eyes would be swapped, and all of that stays"),
        (("mouth", "eyes"), ("eyes", "mouth"), 1.0, "only mouth and eyes would be swapped, and all"),
        (("eyes",), ("eyes",), 0.9, ""),
        (("eyes", "whole"), ("eyes",), 1.0, ""),
        (("eyes", "nose"), ("eyes",), 1.0, ""),
        ((), ("eyes", "mouth"), 1.0, ""),
    ],
)
def test_parts_that_are_kept_can_be_all_that_is_swapped(regions, keep, strength, said):
    mask = MaskOptions(regions=regions, keep=keep, strength=strength)
    for found in (
        of(blend_mask_regions=regions, blend_mask_keep=keep, blend_mask_strength=strength),
        of(PartList((Part(1, ME, mask=mask),))),
    ):
        assert bool(found) == bool(said)
        assert said in "".join(found)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, ""),
        ({"frame.fit": "pad"}, "--frame-fit is not heeded"),
        ({"frame.fit": "pad", "frame.shape": "1:1"}, ""),
        ({"enhance.weight": 0.2}, "--enhance-weight is not heeded"),
        ({"enhance.weight": 0.2, "enhance.steps": ("sharpen", "gfpgan_1.4")}, "--enhance-weight is not heeded"),
        ({"enhance.weight": 0.2, "enhance.steps": ("codeformer:0.5",)}, ""),
    ],
)
def test_what_was_set_for_nothing_is_said(values, said):
    found = unheeded(ME, changed(Settings(), values))
    assert len(found) == bool(said)
    assert said in "".join(found)


def test_what_one_person_or_stretch_has_of_its_own_counts():
    weighed = {"enhance.weight": 0.2}
    own = PartList((Part(1, ME, enhance=EnhanceOptions(("codeformer",))),))
    lane = Settings(lanes=[Lane(1, 2, {"enhance.steps": ["codeformer"]})])
    assert unheeded(own, changed(Settings(), weighed)) == unheeded(ME, changed(lane, weighed)) == ()


@pytest.mark.slow
def test_what_was_set_for_nothing_is_in_the_report(hopper_path, astronaut_path, tmp_path):
    settings = changed(Settings(), {"frame.fit": "pad", "enhance.weight": 0.2})
    report = understudy.swap(hopper_path, astronaut_path, tmp_path / "a.png", settings=settings)
    assert sum("is not heeded" in note for note in report.notes) == 2


@pytest.mark.slow
@pytest.mark.parametrize("values", [EYES, {"blend.strength": 0.0}], ids=["eyes", "strength"])
def test_a_picture_without_anything_of_the_swap_says_so(hopper_path, astronaut_path, tmp_path, values):
    report = understudy.swap(hopper_path, astronaut_path, tmp_path / "a.png", settings=changed(Settings(), values))
    assert [note for note in report.notes if note.startswith("nothing of the swap is shown")]
    before, after = (np.asarray(Image.open(one).convert("RGB"), int) for one in (astronaut_path, tmp_path / "a.png"))
    label = round(0.15 * before.shape[0])
    assert np.abs(before - after)[:-label].mean() < 2  # the mark
