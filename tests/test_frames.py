"""Frames: their time, their memory, and who may make labelled ones."""

import ast
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import understudy
from understudy.frames import Frame, LabelledFrame
from understudy.frozen import Draft, Frozen


def test_a_frame_knows_its_time():
    frame = Frame(np.zeros((4, 6, 3), np.uint8), pts=45, time_base=Fraction(1, 30))
    assert frame.seconds == 1.5
    assert (frame.width, frame.height) == (6, 4)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        None,
        [[[1, 2, 3]]],
    ],
)
def test_other_pictures_are_refused(picture):
    with pytest.raises(ValueError, match="uint8 picture"):
        Frame(picture)


@pytest.mark.parametrize("wrong", [{"alpha": np.zeros((2, 2))}, {"time_base": 0.04}, {"time_base": None}])
def test_an_opacity_and_a_time_base_of_another_kind_are_refused(wrong):
    with pytest.raises(ValueError, match=r"uint8|Fraction"):
        Frame(np.zeros((2, 2, 3), np.uint8), **wrong)


def test_pictures_are_made_contiguous():
    frame = Frame(np.zeros((8, 8, 3), np.uint8)[:, ::2])
    assert frame.picture.flags.c_contiguous


def test_a_labelled_frame_can_not_be_made_by_hand():
    with pytest.raises(TypeError, match="provenance"):
        LabelledFrame(Frame(np.zeros((4, 4, 3), np.uint8)), object())


@pytest.mark.slow
def test_only_the_sealer_holds_the_seal_and_makes_labelled_frames():
    package = Path(understudy.__file__).parent
    users = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if {getattr(node, field, None) for field in ("id", "attr", "name")} & {"_LabelSeal", "_Content"}
    }
    assert users == {"frames.py", "provenance/sealing.py"}


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 5, 3), (4, 6), (300, 400, 3)])
def test_what_is_frozen_is_a_copy_that_nobody_can_write(shape):
    array = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    draft = Draft(array)
    draft.array[0] += 1
    expected = draft.array.copy()
    frozen, copied = draft.freeze(), Frozen.copy_of(expected)
    array[:] = 0
    for found in (frozen.array, copied.array):
        np.testing.assert_array_equal(found, expected)
        with pytest.raises(ValueError, match="read-only"):
            found[:] = 0
        with pytest.raises(ValueError, match="WRITEABLE"):
            found.flags.writeable = True
        found.shape = (-1,)
    assert frozen.array.shape == shape  # what one holder does to a view is not seen by the next
    with pytest.raises(ValueError, match="frozen"):
        draft.freeze()


def test_a_view_of_a_draft_does_not_reach_what_was_frozen():
    draft = Draft(np.zeros((4, 4), np.uint8))
    view = draft.array[1:]
    frozen = draft.freeze()
    view[:] = 1
    assert not frozen.array.any()
