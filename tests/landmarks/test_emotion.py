"""Which emotions a face shows: each prototype is its own, more of it is never less, and a smile is happy."""

from __future__ import annotations

import json

import numpy as np
import pytest

import understudy
from understudy.cli.main import main
from understudy.face import BLENDSHAPES
from understudy.landmarks.blendshapes import NAMES
from understudy.landmarks.emotion import EMOTIONS, RULES, UNITS, emotions

#: The prototypes in the words of their source: action units that are there in full.
PROTOTYPES = {
    "happy": [(12,)],
    "sad": [(1, 4, 15), (1, 4, 17), (1, 4, 15, 17)],
    "surprised": [(1, 2, 5, 26), (1, 2, 5), (1, 2, 26)],
    "angry": [(4, 5, 7, 24), (4, 7, 24), (4, 5, 24)],
    "disgusted": [(10, 16), (10, 17), (10, 16, 15, 26)],
    "afraid": [(1, 2, 4, 5, 20), (1, 2, 4, 5, 20, 26), (1, 2, 4, 5, 7, 20, 26)],
}
CASES = [(name, units) for name, faces in PROTOTYPES.items() for units in faces]


def scores(units, share=1.0):
    """52 scores of a face that does this, as far as ``share``."""
    found = np.zeros((1, BLENDSHAPES), np.float32)
    for unit in units:
        for name in UNITS[unit].names:
            found[0, NAMES.index(name)] = UNITS[unit].full * share
    return found


def told(blendshapes):
    return dict(zip(EMOTIONS, emotions(blendshapes)[0].tolist(), strict=True))


@pytest.mark.parametrize(("name", "units"), CASES)
def test_each_prototype_is_its_own_emotion(name, units):
    found = told(scores(units))
    assert found[name] == pytest.approx(1)
    assert found["neutral"] == pytest.approx(0)
    others = [value for other, value in found.items() if other not in (name, "neutral")]
    assert max(others) < 0.05


@pytest.mark.parametrize(("name", "units"), CASES)
def test_a_little_of_it_is_a_little_and_the_rest_neutral(name, units):
    found = told(scores(units, 0.3))
    assert found[name] > 0.2
    assert found["neutral"] == pytest.approx(1 - found[name])
    assert max(found, key=found.get) == "neutral"


def test_a_face_at_rest_is_neutral():
    assert told(np.zeros((1, BLENDSHAPES), np.float32)) == {name: float(name == "neutral") for name in EMOTIONS}


@pytest.mark.parametrize("name", RULES)
def test_more_of_what_it_takes_is_never_less_and_of_what_speaks_against_it_never_more(name):
    random, column = np.random.default_rng(4), EMOTIONS.index(name)
    faces = random.uniform(0, 1, (500, BLENDSHAPES)).astype(np.float32) ** 2
    before = emotions(faces)[:, column]
    taken = {unit for part in RULES[name].takes for unit in part}
    assert not taken & set(RULES[name].against)
    for unit in UNITS:
        after = faces.copy()
        columns = [NAMES.index(one) for one in UNITS[unit].names]
        after[:, columns] = np.minimum(after[:, columns] + 0.2, 1)
        change = emotions(after)[:, column] - before
        if unit in taken:
            assert change.min() >= -1e-6
        elif unit in RULES[name].against:
            assert change.max() <= 1e-6
            assert change.min() < -0.01
        else:
            assert np.abs(change).max() < 1e-6
    assert any(
        told(scores(PROTOTYPES[name][0], share))[name] < told(scores(PROTOTYPES[name][0], share + 0.2))[name]
        for share in (0.2, 0.5, 0.8)
    )


def test_left_and_right_count_alike():
    random = np.random.default_rng(2)
    faces = random.uniform(0, 1, (50, BLENDSHAPES)).astype(np.float32)
    order = [NAMES.index(name.replace("Left", "*").replace("Right", "Left").replace("*", "Right")) for name in NAMES]
    np.testing.assert_allclose(emotions(faces[:, order]), emotions(faces), atol=1e-6)


def test_every_number_is_from_0_to_1_and_each_face_by_itself():
    faces = np.random.default_rng(1).uniform(0, 1, (200, BLENDSHAPES)).astype(np.float32)
    faces[7, 3] = np.nan
    found = emotions(faces)
    assert found.shape == (200, 7)
    assert found.dtype == np.float32
    assert np.isnan(found[7]).all()
    rest = np.delete(found, 7, axis=0)
    assert rest.min() >= 0
    assert rest.max() <= 1
    np.testing.assert_array_equal(emotions(faces[8:9]), found[8:9])
    assert emotions(faces[:0]).shape == (0, 7)
    with pytest.raises(ValueError, match="shape"):
        emotions(faces[:, :51])


def test_the_units_are_of_the_face_and_the_rules_of_the_units():
    assert {name for unit in UNITS.values() for name in unit.names} <= set(NAMES)
    assert {unit for rule in RULES.values() for part in (*rule.takes, rule.against) for unit in part} == set(UNITS)
    assert ("neutral", *RULES) == EMOTIONS


def test_a_smile_is_happy_and_a_face_at_rest_is_not(astronaut_path, hopper_path):
    for path, shown in ((astronaut_path, "happy"), (hopper_path, "neutral")):
        (face,) = understudy.faces(path, ask=["emotion"]).faces
        (reading,) = face.readings
        assert reading.model == "emotion"
        assert max(reading.emotions, key=reading.emotions.get) == shown
        assert reading.emotions[shown] > 0.8
        assert face.blendshapes is None  # nobody asked for them


def test_it_is_said_to_be_a_guess(astronaut_path, tmp_path, capsys):
    words = ["faces", str(astronaut_path), "--home", str(tmp_path / "none"), "--ask", "emotion"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "emotion: shows happy 0." in said
    assert "(a guess)" in said
    assert main([*words, "--ask", "blendshapes", "--json"]) == 0
    (face,) = json.loads(capsys.readouterr().out)["faces"]
    assert list(face["readings"][0]["emotions"]) == list(EMOTIONS)
    assert face["blendshapes"]["mouthSmileLeft"] > 0.7
    assert not (tmp_path / "none").exists()
