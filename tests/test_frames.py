import ast
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import understudy
from understudy.frames import Frame, LabelledFrame


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
    ],
)
def test_other_pictures_are_refused(picture):
    with pytest.raises(ValueError, match="uint8 picture"):
        Frame(picture)


def test_pictures_are_made_contiguous():
    frame = Frame(np.zeros((8, 8, 3), np.uint8)[:, ::2])
    assert frame.picture.flags.c_contiguous


def test_a_labelled_frame_can_not_be_made_by_hand():
    with pytest.raises(TypeError, match="provenance"):
        LabelledFrame(Frame(np.zeros((4, 4, 3), np.uint8)), object())


def test_only_the_sealer_holds_the_seal_and_makes_labelled_frames():
    package = Path(understudy.__file__).parent
    users = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            makes = (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", getattr(node.func, "attr", "")) == "LabelledFrame"
            )
            holds = isinstance(node, (ast.Name, ast.Attribute, ast.alias)) and "LABEL_SEAL" in ast.dump(node)
            if makes or holds:
                users.add(path.relative_to(package).as_posix())
    assert users == {"frames.py", "provenance/sealing.py"}
