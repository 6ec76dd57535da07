"""Who may write into a frame, and what is known of it afterwards."""

import ast
from functools import cache
from pathlib import Path

import numpy as np

import understudy
from understudy.canvas import Canvas
from understudy.frames import Frame, PixelBox

PACKAGE = Path(understudy.__file__).parent


@cache
def nodes():
    """Every call and assignment in the source, with the place of its module in the package."""
    kinds = (ast.Call, ast.Assign, ast.AugAssign, ast.AnnAssign)
    return [
        (path.relative_to(PACKAGE).as_posix(), node)
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, kinds)
    ]


def callers(name):
    """The modules that call what has this name."""
    return {
        place
        for place, node in nodes()
        if isinstance(node, ast.Call) and name in (getattr(node.func, "id", None), getattr(node.func, "attr", None))
    }


def test_only_the_guard_gives_out_canvases():
    assert callers("Canvas") == {"guard/guard.py", "guard/unguarded.py"}


def test_only_the_paths_of_files_do_without_a_guard():
    assert callers("unguarded") == {"pipeline/photo.py", "pipeline/clip.py"}


def test_nobody_writes_into_the_picture_of_a_frame_by_hand():
    targets = [
        (place, target)
        for place, node in nodes()
        for target in [*getattr(node, "targets", []), getattr(node, "target", None)]
        if isinstance(target, ast.Subscript)
    ]
    assert targets
    assert not [place for place, target in targets if getattr(target.value, "attr", None) == "picture"]


def test_what_is_changed_is_noted_with_what_was_there():
    frame = Frame(np.arange(8 * 6 * 3, dtype=np.uint8).reshape(8, 6, 3), origin="decoded")
    before = frame.picture.copy()
    canvas = Canvas(frame)
    canvas.change(PixelBox(2, 1, 9, 5))[:] = 0
    (change,) = frame.changes
    assert change.box == (2, 1, 6, 5)
    np.testing.assert_array_equal(change.before, before[1:5, 2:6])
    assert (frame.part(change.box) == 0).all()
    outside = np.ones((8, 6), bool)
    outside[1:5, 2:6] = False
    np.testing.assert_array_equal(frame.picture[outside], before[outside])


def test_without_an_origin_nobody_asks_what_was_there():
    frame = Frame(np.zeros((8, 6, 3), np.uint8))
    Canvas(frame).change(PixelBox(0, 0, 2, 2))[:] = 1
    assert [change.before for change in frame.changes] == [None]
