"""A frame is labelled when it is sealed, whatever was said of it before, and can't be changed afterwards."""

from __future__ import annotations

import copy
import pickle
import threading
from dataclasses import replace
from types import SimpleNamespace

import av
import numpy as np
import pytest

from tests.evidence import has_label
from tests.liars import Odd, Silent, signed_by_hand
from understudy.canvas import Canvas
from understudy.face import Faces
from understudy.frames import Change, Frame, LabelledFrame, PixelBox
from understudy.geometry.orientation import UPRIGHT
from understudy.media.pixels import Decoded
from understudy.provenance import FrameSealer, LabelOptions
from understudy.provenance.releasing import SignedRelease
from understudy.release import SignedFile


def arrays_of(labelled):
    frame = LabelledFrame.opened(labelled)
    return frame.picture, frame.alpha, frame.changes[0].before, frame.steps


def test_nothing_in_a_labelled_frame_can_be_changed(blank):
    """Each of these fails by itself, and what a sink gets stays as it was."""
    decoded = Decoded(av.VideoFrame.from_ndarray(blank, format="bgr24").reformat(format="yuv420p"), UPRIGHT)
    frame = Frame(blank.copy(), alpha=np.zeros(blank.shape[:2], np.uint8), origin=decoded)
    Canvas(frame).change(PixelBox(0, 0, 9, 9))[:] = 3
    labelled = FrameSealer(1).seal(frame, Faces.empty())
    before = [part.copy() for part in arrays_of(labelled)]
    assert has_label(before[0])
    for number in range(4):
        with pytest.raises(ValueError, match="read-only"):
            arrays_of(labelled)[number][:] = 0
        with pytest.raises(ValueError, match="WRITEABLE"):
            arrays_of(labelled)[number].flags.writeable = True
        with pytest.raises(ValueError, match="WRITEABLE"):
            arrays_of(labelled)[number].setflags(write=True)
        with pytest.raises((TypeError, BufferError, ValueError)):
            memoryview(arrays_of(labelled)[number]).cast("B")[0] = 0
        base = arrays_of(labelled)[number]
        while isinstance(base, np.ndarray):
            assert not base.flags.writeable
            base = base.base
        assert type(base) is bytes
        arrays_of(labelled)[number].shape = (-1,)  # of a view that nobody else has
    for name in ("picture", "alpha", "changes", "steps", "origin", "pts", "label"):
        with pytest.raises(AttributeError):
            setattr(labelled.frame, name, None)
        with pytest.raises(AttributeError):
            object.__setattr__(labelled.frame, name, None)
    with pytest.raises(TypeError):
        labelled.frame.changes[0] = None
    for name in ("frame", "picture", "_seal", "anything"):
        with pytest.raises(AttributeError):
            setattr(labelled, name, None)
        with pytest.raises(AttributeError):
            delattr(labelled, name)
    for old, new in zip(before, arrays_of(labelled), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    "way",
    [
        copy.copy,
        copy.deepcopy,
        pickle.dumps,
        lambda frame: copy.replace(frame) if hasattr(copy, "replace") else replace(frame),
        lambda frame: LabelledFrame(frame.frame, frame._seal),
        lambda frame: frame.__init__(frame.frame, frame._seal),
        lambda frame: type("Relaxed", (LabelledFrame,), {}),
        lambda frame: type("Relaxed", (FrameSealer,), {}),
        lambda frame: type("Relaxed", (SignedFile,), {}),
        lambda frame: type("Relaxed", (SignedRelease,), {}),
        lambda frame: setattr(frame, "__class__", SimpleNamespace),
        lambda frame: setattr(SimpleNamespace(), "__class__", LabelledFrame),
        lambda frame: copy.copy(signed_by_hand()),
        lambda frame: SignedFile("x", None, frame._seal),
    ],
)
def test_no_second_one_is_made(way, blank):
    labelled = FrameSealer(1).seal(Frame(blank.copy()), Faces.empty())
    with pytest.raises((TypeError, AttributeError)):
        way(labelled)
    assert has_label(labelled.frame.picture)


class Lying(np.ndarray):
    """An array that says it is another one."""

    shape = property(lambda self: (9, 9, 3))

    def __array__(self, *_, **__):
        return np.zeros((9, 9, 3), np.uint8)

    def copy(self, *_):
        return self

    def tobytes(self, *_):
        return b""


@pytest.mark.parametrize(("width", "height"), [(320, 240), (511, 513)])
def test_what_is_sealed_is_a_copy(width, height):
    """However the frame's memory is reached, before, while or after it is labelled."""
    owner = np.full((height, width, 3), 90, np.uint8)
    pristine = owner.copy()
    buffer = bytearray(pristine.tobytes())
    alpha = np.full((height, width), 255, np.uint8)
    frames = {
        "a view": Frame(owner[:], alpha=alpha[:]),
        "a buffer": Frame(np.frombuffer(buffer, np.uint8).reshape(pristine.shape)),
        "a class of its own": Frame(pristine.copy()),
    }
    frames["a class of its own"].picture = frames["a class of its own"].picture.view(Lying)
    sealed_ones = {name: FrameSealer(1).seal(frame, Faces.empty()) for name, frame in frames.items()}
    owner[:], buffer[:], alpha[:] = 0, bytes(len(buffer)), 0
    for frame in frames.values():
        frame.picture, frame.alpha = pristine, None
        frame.changes.clear()
    for labelled in sealed_ones.values():
        assert has_label(labelled.frame.picture)
    np.testing.assert_array_equal(pristine, 90)
    assert sealed_ones["a view"].frame.alpha.min() == 255


@pytest.mark.slow
def test_a_frame_that_is_written_while_it_is_sealed_is_labelled_all_the_same():
    picture, over = np.zeros((720, 1280, 3), np.uint8), threading.Event()

    def scribble():
        while not over.is_set():
            picture[:] = 127

    thread = threading.Thread(target=scribble)
    thread.start()
    sealer = FrameSealer(1)
    try:
        found = [sealer.seal(Frame(picture, pts=number), Faces.empty()) for number in range(12)]
    finally:
        over.set()
        thread.join()
    assert all(has_label(labelled.frame.picture) for labelled in found)


class Forgetful(Frame):
    def change(self, box):
        return np.zeros((box.y1 - box.y0, box.x1 - box.x0, 3), np.uint8)


class Changing(Frame):
    """Another picture each time one looks."""

    @property
    def picture(self):
        return np.full((240, 320, 3), 127, np.uint8)

    @picture.setter
    def picture(self, value):
        pass


@pytest.mark.parametrize("kind", [Forgetful, Changing, SimpleNamespace])
def test_only_a_plain_frame_is_sealed(kind, blank):
    with pytest.raises(TypeError, match="plain Frame"):
        FrameSealer(1).seal(kind(picture=blank.copy()), Faces.empty())


@pytest.mark.parametrize(
    "change",
    [
        Change(PixelBox(0, 0, 9, 9), None),
        Change(PixelBox(0, 0, 9, 9), np.zeros((9, 8, 3), np.uint8)),
        Change(PixelBox(-9, 0, 9, 9), np.zeros((9, 18, 3), np.uint8)),
        Change(PixelBox(310, 0, 330, 9), np.zeros((9, 20, 3), np.uint8)),
    ],
)
def test_changes_that_do_not_fit_are_refused(change, blank):
    with pytest.raises(ValueError, match="does not fit"):
        FrameSealer(1).seal(Frame(blank.copy(), origin=object(), changes=[change]), Faces.empty())


class OddText(str):
    __slots__ = ()

    def isprintable(self):
        return True

    def __iter__(self):
        return iter("AI face swap")

    def __len__(self):
        return 12

    def split(self, *_):
        return ["AI", "face", "swap"]

    def casefold(self):
        return "ai face swap"


class Turning(LabelOptions):
    """Options that are good when they are looked at first."""

    def __getattribute__(self, name):
        found = object.__getattribute__(self, name)
        if name == "size":
            seen = object.__getattribute__(self, "__dict__").setdefault("seen", [])
            seen.append(1)
            return found if len(seen) % 2 else 0.0001
        return found


@pytest.mark.parametrize(
    "label",
    [
        lambda: LabelOptions(size=Odd(0.05)),
        lambda: LabelOptions(size=Odd(0.05), later_size=Odd(0.03)),
        lambda: LabelOptions(size=Odd(0.0001)),
        lambda: LabelOptions(text=OddText(" ")),
        lambda: LabelOptions(text=OddText("\u200b")),
        Turning,
        lambda: changed(LabelOptions(), "size", 0.0),
        lambda: changed(LabelOptions(), "text", ""),
        lambda: changed(LabelOptions(), "later_size", -1.0),
        lambda: SimpleNamespace(text="", corner="bottom-left", size=0.0, later_size=0.0, font=None),
    ],
)
def test_options_that_are_not_what_they_say_do_not_hide_the_label(label, blank):
    try:
        sealer = FrameSealer(1, label())
        labelled = sealer.seal(Frame(blank.copy()), Faces.empty())
        later = sealer.seal(Frame(blank.copy(), pts=9000), Faces.empty())
    except (ValueError, TypeError):
        return
    assert has_label(labelled.frame.picture)
    assert has_label(later.frame.picture)


def changed(options, name, value):
    object.__setattr__(options, name, value)
    return options


def test_options_that_are_changed_later_change_nothing(blank):
    options = LabelOptions()
    sealer = FrameSealer(1, options)
    changed(options, "size", 0.0)
    changed(options, "text", "..")
    assert has_label(sealer.seal(Frame(blank.copy()), Faces.empty()).frame.picture)


@pytest.mark.parametrize("mark", [{"least": Odd(0.0)}, {"most": Odd(0.0)}, {"slope": Odd(9.0)}, {"psnr": Odd(99.0)}])
def test_a_mark_is_not_weakened_by_odd_numbers(mark):
    with pytest.raises(ValueError, match="mark"):
        FrameSealer(1, None, Silent(**mark))
