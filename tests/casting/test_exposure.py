"""Photos taken in poor light."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import understudy
from understudy.casting.exposure import in_usual_light
from understudy.casting.portraits import portrait_in

LUMA = np.array([0.114, 0.587, 0.299])


def photo(picture, factor, shift=0.0):
    return np.clip(np.round(picture.astype(np.float32) * factor + shift), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def levels(astronaut, perception):
    """Median of a photo's face, before and after, and what is said."""

    def measured(picture):
        portrait, _ = portrait_in(picture, "me.jpg", perception, None)
        lit, notes = in_usual_light(portrait, "me.jpg", perception)
        x0, y0, x1, y1 = portrait.face.boxes_xyxy[0].astype(int)
        middles = [np.median(p[y0:y1, x0:x1] @ LUMA) for p in (portrait.picture, lit.picture)]
        return portrait, lit, middles, notes

    return measured


@pytest.mark.slow
def test_a_usual_photo_stays_as_it_is(levels, astronaut, hopper):
    for picture in (astronaut, hopper, photo(astronaut, 0.5), photo(astronaut, 0.7, 40)):
        portrait, lit, _, notes = levels(picture)
        assert lit is portrait
        assert notes == []


@pytest.mark.parametrize("factor", [0.2, 0.12, 0.07, (0.3, 0.12, 0.06), (0.03, 0.06, 0.2)])
def test_a_dark_face_is_brought_to_usual_light_and_that_is_said(levels, astronaut, factor):
    _, lit, (before, after), notes = levels(photo(astronaut, factor))
    assert before < 45 < 60 < after < 190
    assert notes == ["the face in me.jpg is dark: it was brought to usual light"]
    assert (lit.picture == 255).all(axis=2).mean() < 0.1


def test_a_nearly_black_face_is_said_to_have_little_detail(levels, astronaut):
    *_, notes = levels(photo(astronaut, 0.04))
    assert "nearly black" in notes[0]


@pytest.mark.parametrize(("factor", "shift"), [(0.25, 110), (0.1, 200), (0.15, 60)])
def test_a_pale_face_gets_its_contrast_back(levels, astronaut, factor, shift):
    _, lit, _, notes = levels(photo(astronaut, factor, shift))
    assert "pale" in notes[0]
    assert lit.picture.std() > 1.5 * photo(astronaut, factor, shift).std()


@pytest.mark.parametrize(("factor", "shift"), [(2, 0), (1, 110)])
def test_an_over_exposed_face_is_said_to_be(levels, astronaut, factor, shift):
    portrait, lit, _, notes = levels(photo(astronaut, factor, shift))
    assert lit is portrait
    assert "over-exposed" in notes[0]


@pytest.mark.parametrize("factor", [0.12, 0.05])
@pytest.mark.slow
def test_a_swap_from_a_dark_photo_is_as_bright_as_from_the_photo_itself(
    astronaut, hopper, perception, tmp_path, factor
):
    cv2.imwrite(str(tmp_path / "target.png"), hopper)
    x0, y0, x1, y1 = perception.still(hopper).boxes_xyxy[0].astype(int)
    results, notes = [], []
    for number, source in enumerate((astronaut, photo(astronaut, factor))):
        cv2.imwrite(str(tmp_path / "source.png"), source)
        output = tmp_path / f"{number}.png"
        notes.append(understudy.swap(tmp_path / "source.png", tmp_path / "target.png", output, consent="self").notes)
        results.append(cv2.imread(str(output))[y0:y1, x0:x1].astype(float))
    usual, dark = results
    assert (dark @ LUMA).mean() == pytest.approx((usual @ LUMA).mean(), rel=0.03)
    assert np.abs(dark - usual).mean() < 6
    assert not any("the face in" in note for note in notes[0])
    assert any("the face in source.png" in note for note in notes[1])
