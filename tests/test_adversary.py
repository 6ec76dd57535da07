"""Tries to get a frame without its label, or a file without its signature, out of every sink and every public call."""

from __future__ import annotations

import contextlib
import copy
import inspect
import os
import pickle
import pkgutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from fractions import Fraction
from importlib import import_module
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest
import typer
from PIL import Image

import understudy
import understudy.media
from tests.evidence import has_label, is_released_honestly, pictures
from understudy import Settings
from understudy.app import Understudy
from understudy.canvas import Canvas
from understudy.cli.main import application, main
from understudy.errors import EncodingError, SigningError, UnderstudyError, UsageError
from understudy.face import Faces
from understudy.frames import Change, Frame, LabelledFrame, PixelBox
from understudy.geometry.orientation import UPRIGHT
from understudy.media.base import MediaKind
from understudy.media.files import EncodeOptions, open_sink, open_source
from understudy.media.live.base import LiveInfo
from understudy.media.live.broadcast import BroadcastOptions, PushSink
from understudy.media.live.raw import RawSink
from understudy.media.live.recording import RecordingSink
from understudy.media.live.virtual import VirtualCameraSink
from understudy.media.live.window import WindowSink
from understudy.media.pixels import Decoded, planes, settle_colors
from understudy.provenance import ConsentClaim, FrameSealer, Labeller, LabelOptions, WatermarkOptions
from understudy.provenance.credentials import read_credentials
from understudy.provenance.releasing import SignedRelease
from understudy.release import SIDECAR_SUFFIX, SignedFile, Tags
from understudy.testing import ClipSpec, write_puppet_clip
from understudy.testing.opened import output_of

STILLS, CLIPS = ("png", "jpg", "webp"), ("mp4", "mov", "mkv", "webm", "gif", "webp")


class Quiet(LabelOptions):
    """A label that says it is valid and is not."""

    def __post_init__(self):
        pass


class Silent(WatermarkOptions):
    def __post_init__(self):
        pass


class Unsigned:
    """A release that signs nothing."""

    tags, notes = Tags(b"", {}), []

    def sign(self, path, final):
        return SimpleNamespace(path=path, sidecar=None)


def left(folder):
    """What is there under a name that a user would take for an output."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_the_judge_is_not_blind(hopper, hopper_path):
    assert not has_label(hopper)
    frame = Frame(hopper.copy())
    Labeller().draw(frame, Faces.empty())
    assert has_label(frame.picture)
    assert read_credentials(hopper_path, None).state == "absent"


# Sinks


def sinks():
    """Every class of ``understudy.media`` that takes frames."""
    for module in pkgutil.walk_packages(understudy.media.__path__, "understudy.media."):
        for name, kind in inspect.getmembers(import_module(module.name), inspect.isclass):
            if callable(getattr(kind, "write", None)) and not getattr(kind, "_is_protocol", False):
                yield name


def test_every_sink_is_tried_below():
    files, live = (
        {"StillSink", "VideoSink"},
        {"PushSink", "RecordingSink", "RawSink", "VirtualCameraSink", "WindowSink"},
    )
    assert {name for name in sinks() if name.endswith("Sink")} == files | live


@pytest.fixture(params=[("png", MediaKind.IMAGE), ("mp4", MediaKind.VIDEO), ("gif", MediaKind.ANIMATION)])
def sink(request, tmp_path, astronaut_path, small_clip):
    """Opens a sink of each kind for a release."""
    suffix, kind = request.param
    with open_source(astronaut_path if kind is MediaKind.IMAGE else small_clip) as source:
        info = replace(source.info, kind=kind)
    folder = tmp_path / "out"
    folder.mkdir()
    return lambda release: open_sink(folder / f"out.{suffix}", info, EncodeOptions(), release), info, folder


def raw(info):
    return Frame(np.full((info.height, info.width, 3), 127, np.uint8))


def impostors(info):
    """Things that hold an unlabelled frame."""
    yield raw(info)
    yield raw(info).picture
    yield SimpleNamespace(frame=raw(info))
    yield LabelledFrame.__new__(LabelledFrame)
    honest = sealed(info)
    for seal in (None, object(), honest._seal):  # the last is the true seal, which does not know this object
        made = object.__new__(LabelledFrame)
        object.__setattr__(made, "_seal", seal)
        yield made
    yield honest.frame
    yield honest.frame._replace(picture=raw(info).picture)
    yield type("LabelledFrame", (), {"frame": honest.frame, "_seal": honest._seal})()
    yield None


def sealed(info, **more):
    return FrameSealer(1).seal(replace(raw(info), **more), Faces.empty())


def test_no_sink_takes_what_is_not_labelled(sink):
    make, info, folder = sink
    for impostor in impostors(info):
        with pytest.raises(TypeError, match="LabelledFrame"), make(Unsigned()) as opened:
            opened.write(impostor)
        assert left(folder) == []


def test_no_live_sink_takes_what_is_not_labelled(tmp_path, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    info = LiveInfo("nothing", 64, 48, Fraction(25))
    made = [
        RecordingSink(tmp_path / "out.mp4", Unsigned()),
        PushSink("udp://127.0.0.1:9"),
        RawSink((tmp_path / "raw").open("wb")),
        WindowSink(),
    ]
    for sink in made:
        sink.open(info)
        for impostor in impostors(info):
            with pytest.raises(TypeError, match="LabelledFrame"):
                sink.write(impostor, 0.0)
    camera = VirtualCameraSink()
    camera._camera = SimpleNamespace(send=lambda _: pytest.fail("sent"), close=lambda: None)
    for impostor in impostors(info):
        with pytest.raises(TypeError, match="LabelledFrame"):
            camera.write(impostor, 0.0)
    # And a recording without a signature gets no name.
    made[0].write(FrameSealer(1).seal(raw(info), Faces.empty()), 0.0)
    with pytest.raises(TypeError, match="SignedFile"):
        made[0].close()
    for sink in made[1:]:
        sink.close()
    made[2]._pipe.close()
    assert (tmp_path / "raw").stat().st_size == 0
    assert not (tmp_path / "out.mp4").exists()


def test_nothing_in_a_labelled_frame_can_be_changed(blank):
    """Each of these fails by itself, and what a sink gets stays as it was."""
    decoded = Decoded(av.VideoFrame.from_ndarray(blank, format="bgr24").reformat(format="yuv420p"), UPRIGHT)
    frame = Frame(blank.copy(), alpha=np.zeros(blank.shape[:2], np.uint8), origin=decoded)
    Canvas(frame).change(PixelBox(0, 0, 9, 9))[:] = 3
    labelled = FrameSealer(1).seal(frame, Faces.empty())
    before = [part.copy() for part in arrays_of(labelled)]
    assert has_label(before[0])
    for number in range(3):
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
    for name in ("picture", "alpha", "changes", "origin", "pts", "label"):
        with pytest.raises(AttributeError):
            setattr(labelled.frame, name, None)
        with pytest.raises(AttributeError):
            object.__setattr__(labelled.frame, name, None)
    with pytest.raises(TypeError):
        labelled.frame.changes[0] = None
    for name in ("frame", "picture", "_seal", "anything"):
        with pytest.raises(AttributeError):
            setattr(labelled, name, raw)
        with pytest.raises(AttributeError):
            delattr(labelled, name)
    for old, new in zip(before, arrays_of(labelled), strict=True):
        np.testing.assert_array_equal(old, new)


def arrays_of(labelled):
    frame = LabelledFrame.opened(labelled)
    return frame.picture, frame.alpha, frame.changes[0].before


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


def test_what_is_sealed_is_a_copy(sink):
    """However the frame's memory is reached, before, while or after it is labelled."""
    _, info, _ = sink
    owner = np.full((info.height, info.width, 3), 90, np.uint8)
    pristine = owner.copy()
    buffer = bytearray(pristine.tobytes())
    alpha = np.full((info.height, info.width), 255, np.uint8)
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


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "gif", "webp"])
@pytest.mark.parametrize("lie", ["before", "origin", "both", "late", "size"])
@pytest.mark.slow
def test_the_label_does_not_depend_on_what_a_frame_says_of_its_past(lie, suffix, blank, small_clip, tmp_path):
    """An encoder adds what was changed to what was decoded: whoever lies of either could take the label away."""
    with open_source(small_clip) as source:
        info = source.info
    # What the seal will draw is known to anyone beforehand.
    known = FrameSealer(1).seal(Frame(blank.copy()), Faces.empty()).frame.picture
    negative = np.clip(2 * blank.astype(int) - known, 0, 255).astype(np.uint8)
    shown = {"origin": negative, "both": negative}.get(lie, blank)
    if lie == "size":
        shown = cv2.resize(shown, (640, 480))
    decoded = av.VideoFrame.from_ndarray(np.ascontiguousarray(shown), format="bgr24").reformat(format="yuv420p")
    settle_colors(decoded)
    frame = Frame(blank.copy(), origin=Decoded(decoded, UPRIGHT))
    if lie in ("before", "both"):
        frame.changes.append(Change(PixelBox(0, 0, frame.width, frame.height), known))
    output, release = tmp_path / f"out.{suffix}", Kept(tmp_path / f"kept.{suffix}")
    with contextlib.suppress(UnderstudyError), open_sink(output, info, EncodeOptions(), release) as opened:
        sealer = FrameSealer(1)
        for number in range(3):
            frame.pts, frame.time_base = number * 3000, info.time_base
            labelled = sealer.seal(frame, Faces.empty())
            if lie == "late":
                frame.changes.append(Change(PixelBox(0, 0, frame.width, frame.height), known))
                for plane in planes(decoded):
                    plane[:] = 255 - plane
            opened.write(labelled)
    seen = pictures(release.place)
    assert seen
    assert all(has_label(picture) for picture in seen)


class Kept:
    """A release that fails, and keeps what a sink wrote."""

    tags, notes = Tags(b"", {}), []

    def __init__(self, place):
        self.place = place

    def sign(self, path, final):
        self.place.write_bytes(path.read_bytes())
        raise SigningError("no", "no")


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


def test_no_sink_cuts_a_larger_frame_down(sink):
    """What does not fit would be cut off, and the label with it."""
    make, info, folder = sink
    large = Frame(np.full((info.height * 2, info.width * 2, 3), 127, np.uint8))
    with pytest.raises(EncodingError, match="takes pictures"), make(Unsigned()) as opened:
        opened.write(FrameSealer(1).seal(large, Faces.empty()))
    assert left(folder) == []


def test_no_live_sink_cuts_a_larger_frame_down(tmp_path):
    labelled = FrameSealer(1).seal(Frame(np.full((480, 640, 3), 127, np.uint8)), Faces.empty())
    recording = RecordingSink(tmp_path / "out.mp4", Unsigned())
    with (tmp_path / "raw").open("wb") as pipe:
        pushed = PushSink("udp://127.0.0.1:9")
        for sink in (recording, pushed, RawSink(pipe)):
            sink.open(LiveInfo("nothing", 320, 240, Fraction(25)))
            with pytest.raises(EncodingError, match="takes pictures"):
                sink.write(labelled, 0.0)
        pushed.close()
    with contextlib.suppress(UnderstudyError, TypeError):
        recording.close()
    assert (tmp_path / "raw").stat().st_size == 0
    assert not (tmp_path / "out.mp4").exists()


class Odd(float):
    """A number that is another one as soon as it is used."""

    def __mul__(self, other):
        return 0.0

    __rmul__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__

    def __le__(self, other):
        return True

    __ge__ = __lt__ = __gt__ = __le__


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


def signed_by_hand():
    return object.__new__(SignedFile)


class Wrapped:
    """A release that does something to a file before or after it has it signed."""

    def __init__(self, inner, before=lambda path: None, after=lambda path: None, swap=lambda signed: signed, tags=None):
        self.inner, self.before, self.after, self.swap = inner, before, after, swap
        self.tags, self.notes = tags or inner.tags, inner.notes

    def sign(self, path, final):
        self.before(path)
        signed = self.inner.sign(path, final)
        self.after(path)
        return self.swap(signed)


def spoil(path):
    with path.open("ab") as file:
        file.write(b"more")


def replaced(path):
    Image.new("RGB", (64, 64)).save(path, "PNG")


@pytest.mark.parametrize(
    ("error", "ways"),
    [
        (TypeError, {"swap": lambda signed: signed_by_hand()}),
        (TypeError, {"swap": lambda signed: SimpleNamespace(path=signed.path, sidecar=None)}),
        (TypeError, {"swap": lambda signed: None}),
        (SigningError, {"tags": Tags(b"", {})}),
        (SigningError, {"before": replaced}),
        (SigningError, {"before": spoil}),
        (SigningError, {"after": replaced}),
        (SigningError, {"after": spoil}),
        (SigningError, {"after": lambda path: path.write_bytes(b"")}),
    ],
)
def test_what_is_not_signed_as_it_was_written_gets_no_name(error, ways, astronaut_path, tmp_path):
    made = output_of(astronaut_path, MediaKind.IMAGE)
    with open_source(astronaut_path) as source:
        info, frame = source.info, next(iter(source))
    with (
        pytest.raises(error),
        open_sink(tmp_path / "out.png", info, EncodeOptions(), Wrapped(made.release, **ways)) as s,
    ):
        s.write(made.sealer.seal(frame, Faces.empty()))
    assert left(tmp_path) == []


def test_a_sidecar_that_is_changed_gets_no_name(astronaut_path, small_clip, tmp_path):
    made = output_of(small_clip, MediaKind.VIDEO)
    spoiled = Wrapped(made.release, after=lambda path: spoil(path.with_name(path.name + SIDECAR_SUFFIX)))
    with open_source(small_clip) as source:
        info, frame = source.info, next(iter(source))
    with (
        pytest.raises(SigningError, match="after"),
        open_sink(tmp_path / "out.mkv", info, EncodeOptions(), spoiled) as sink,
    ):
        sink.write(made.sealer.seal(frame, Faces.empty()))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("suffix", "kind"), [("png", MediaKind.IMAGE), ("mp4", MediaKind.VIDEO)])
def test_a_file_takes_no_frame_of_another_output(suffix, kind, astronaut_path, small_clip, tmp_path):
    """Its mark would name one output and its signature another."""
    target = astronaut_path if kind is MediaKind.IMAGE else small_clip
    one, other = (output_of(target, kind) for _ in range(2))
    with open_source(target) as source:
        info, frame = source.info, next(iter(source))
    with (
        pytest.raises(TypeError, match="of the output"),
        open_sink(tmp_path / f"out.{suffix}", info, EncodeOptions(), one.release) as sink,
    ):
        sink.write(other.sealer.seal(frame, Faces.empty()))
    assert left(tmp_path) == []


@pytest.mark.parametrize("suffix", ["png", "jpg", "mp4", "mkv", "webm", "gif"])
def test_a_file_that_no_sink_has_written_is_not_signed(suffix, astronaut_path, small_clip, tmp_path):
    target = astronaut_path if suffix in ("png", "jpg") else small_clip
    made = output_of(target, MediaKind.IMAGE)
    for content in (target.read_bytes(), b""):
        path = tmp_path / f"raw.{suffix}"
        path.write_bytes(content)
        with pytest.raises(SigningError, match="does not say"):
            made.release.sign(path, path)
        assert read_credentials(path, None).state == "absent"
        assert path.read_bytes() == content


@pytest.mark.parametrize("aspect", [Fraction(1, 50), Fraction(50), Fraction(0), Fraction(-1)])
def test_a_picture_that_is_shown_out_of_shape_is_refused(aspect, small_clip, tmp_path):
    with open_source(small_clip) as source:
        info = replace(source.info, pixel_aspect=aspect)
    with pytest.raises(UnderstudyError, match="label"):
        open_sink(tmp_path / "out.mp4", info, EncodeOptions(), Unsigned())
    assert list(tmp_path.iterdir()) == []


class Loose(EncodeOptions):
    def __post_init__(self):
        pass


@pytest.mark.parametrize("quality", [-1000, 101, Odd(2000.0), "low", None])
def test_a_quality_out_of_range_is_refused_whatever_class_it_is_of(quality, sink):
    _, info, folder = sink
    with pytest.raises((ValueError, TypeError)):
        open_sink(
            folder / ("out.png" if info.kind is MediaKind.IMAGE else "out.mp4"), info, Loose(None, quality), Unsigned()
        )
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("mark", [{"least": Odd(0.0)}, {"most": Odd(0.0)}, {"slope": Odd(9.0)}, {"psnr": Odd(99.0)}])
def test_a_mark_is_not_weakened_by_odd_numbers(mark):
    with pytest.raises(ValueError, match="mark"):
        FrameSealer(1, None, Silent(**mark))


def test_another_signed_file_does_not_stand_in(astronaut_path, tmp_path):
    made = output_of(astronaut_path, MediaKind.IMAGE)
    (tmp_path / "other.png").write_bytes(astronaut_path.read_bytes() + f"{made.sealer.identifier:012x}".encode())
    other = made.release.sign(tmp_path / "other.png", tmp_path / "other.png")
    with open_source(astronaut_path) as source:
        info, frame = source.info, next(iter(source))
    standing_in = Wrapped(made.release, swap=lambda signed: other)
    with (
        pytest.raises(SigningError, match="another"),
        open_sink(tmp_path / "out.png", info, EncodeOptions(), standing_in) as sink,
    ):
        sink.write(made.sealer.seal(frame, Faces.empty()))
    assert left(tmp_path) == ["other.png"]


def test_no_sink_gives_a_name_to_an_unsigned_file(sink):
    make, info, folder = sink
    with pytest.raises(TypeError, match="SignedFile"), make(Unsigned()) as opened:
        opened.write(FrameSealer(1).seal(raw(info), Faces.empty()))
    assert left(folder) == []
    with pytest.raises(TypeError, match="provenance"):
        SignedFile(folder / "x", None, object())
    with pytest.raises(TypeError, match="SignedFile"):
        assert signed_by_hand().path


# Public calls


def test_every_command_is_known_here():
    """A command that is added to this list is to be tried below, if it writes pictures."""
    assert set(typer.main.get_command(application()).commands) == {
        "demo", "swap", "live", "faces", "inspect", "consent", "ledger", "models", "eval", "doctor", "settings"
    }  # fmt: skip
    functions = {name for name in understudy.__all__ if callable(getattr(understudy, name)) and name.islower()}
    assert functions == {"swap", "live", "faces", "inspect", "open_capture", "playout", "read_settings", "as_toml"}
    public = {name for name in vars(understudy.Understudy) if not name.startswith("_")}
    assert public == {"person", "swap", "live", "faces", "inspect", "doctor", "close"}


QUIET = {
    "no label": {"label": None},
    "empty text": {"label": Quiet(text="")},
    "blank text": {"label": Quiet(text="   ")},
    "no size": {"label": Quiet(size=0.0, later_size=0.0)},
    "negative size": {"label": Quiet(size=-1.0, later_size=-1.0)},
    "no corner": {"label": Quiet(corner="outside")},
    "no mark": {"watermark": None},
    "a mark of nothing": {"watermark": Silent(least=0.0, most=0.0, slope=0.0, psnr=90.0)},
    "no signature": {"signing": None},
}


@pytest.mark.parametrize("name", QUIET)
@pytest.mark.parametrize("suffix", ["png", "mp4"])
def test_settings_turn_nothing_off(name, suffix, hopper_path, astronaut_path, small_clip, tmp_path):
    output = tmp_path / f"out.{suffix}"
    target = astronaut_path if suffix == "png" else small_clip
    try:
        understudy.swap(hopper_path, target, output, consent="sample", settings=replace(Settings(), **QUIET[name]))
    except (UnderstudyError, ValueError, TypeError, AttributeError, IndexError, ZeroDivisionError):
        # However it ends, nothing may be there then.
        assert left(tmp_path) == []
        return
    assert is_released_honestly(output)


@pytest.mark.parametrize("name", QUIET)
@pytest.mark.slow
def test_settings_turn_nothing_off_live(name, hopper_path, small_clip, tmp_path):
    output, settings = tmp_path / "out.mp4", replace(Settings(), **QUIET[name])
    try:
        with understudy.live(hopper_path, small_clip, output, consent="sample", settings=settings) as session:
            assert session.wait(30)
    except (UnderstudyError, ValueError, TypeError, AttributeError, IndexError, ZeroDivisionError):
        assert left(tmp_path) == []
        return
    assert is_released_honestly(output)


@pytest.mark.parametrize(
    "words",
    [
        ["--label-text", ""],
        ["--label-text", "\u200b\u200b\u200b"],
        ["--label-text", "\u2800\u2800"],
        ["--label-text", "\u3164\u3164"],
        ["--label-text", "\u3164\u3164."],
        ["--label-text", "\u115f\uffa0\u1160"],
        ["--label-text", "real photo"],
        ["--label-text", "n0t  A.I."],
        ["--label-text", "未经编辑"],
        ["--label-text", "一一一一"],
        ["--label-text", "\u0640" * 30],
        ["--label-text", "A\u0301\u0301\u0301\u0301\u0301I"],
        ["--label-size", "0"],
        ["--label-size", "-0.05"],
        ["--label-size", "nan"],
        ["--label-later-size", "0"],
        ["--label-later-size", "nan"],
        ["--label-size", "inf"],
        ["--label-corner", "none"],
        ["--signing-cert", os.devnull, "--signing-key", os.devnull],
        ["--no-label"],
    ],
    ids=str,
)
def test_options_turn_nothing_off(words, hopper_path, small_clip, tmp_path, capfd):
    output = tmp_path / "out.mp4"
    code = main(["swap", "-s", str(hopper_path), "-t", str(small_clip), "-o", str(output), *words])
    assert code == (6 if "--signing-cert" in words else 2)
    assert left(tmp_path) == []


@pytest.mark.parametrize("suffix", STILLS)
def test_every_picture_format_is_labelled_and_signed(suffix, hopper_path, astronaut_path, tmp_path):
    output = tmp_path / f"out.{suffix}"
    understudy.swap(hopper_path, astronaut_path, output)
    assert is_released_honestly(output)


@pytest.mark.parametrize("suffix", CLIPS)
@pytest.mark.slow
def test_every_clip_format_is_labelled_and_signed(suffix, hopper_path, small_puppet, tmp_path):
    """At its smallest, and beyond the opening."""
    clip, output = tmp_path / "clip.mp4", tmp_path / f"out.{suffix}"
    write_puppet_clip(clip, small_puppet, 2.6, ClipSpec(rate=5))
    label = LabelOptions(later_size=0.025)
    understudy.swap(hopper_path, clip, output, settings=Settings(label=label))
    assert is_released_honestly(output)
    if suffix in ("mkv", "webm"):
        output.with_name(output.name + SIDECAR_SUFFIX).unlink()
        assert read_credentials(output, None).state == "absent"


def test_a_transparent_target_is_labelled_all_the_same(hopper_path, astronaut, tmp_path):
    see_through = np.dstack([astronaut[:, :, ::-1], np.zeros(astronaut.shape[:2], np.uint8)])
    Image.fromarray(see_through).save(tmp_path / "target.png")
    understudy.swap(hopper_path, tmp_path / "target.png", tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as found:
        colors = np.asarray(found.convert("RGBA"))
    seen = (colors[:, :, :3] * (colors[:, :, 3:] / 255.0)).astype(np.uint8)[:, :, ::-1]
    assert has_label(seen)


@pytest.mark.slow
def test_a_clip_that_is_read_by_another_program_is_labelled(hopper_path, small_clip, tmp_path):
    output = tmp_path / "out.mkv"
    understudy.swap(hopper_path, small_clip, output)
    with av.open(str(output)) as container:
        seen = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert len(seen) == 25
    assert all(has_label(picture) for picture in seen)


@pytest.mark.parametrize("size", [(24, 24), (32, 32), (16, 300)])
def test_a_picture_too_small_for_a_label_is_refused_before_the_work(size, hopper_path, astronaut, tmp_path, capfd):
    Image.fromarray(np.ascontiguousarray(cv2.resize(astronaut, size)[:, :, ::-1])).save(tmp_path / "small.png")
    words = ["swap", "-s", str(hopper_path), "-t", str(tmp_path / "small.png"), "-o", str(tmp_path / "out.png")]
    assert main(words) == 3
    assert ("too small" in capfd.readouterr().err) == (size != (32, 32))  # which has room for a short one, but no face
    assert left(tmp_path) == ["small.png"]


@pytest.mark.parametrize("suffix", ["mp4", "webm", "webp", "jpg"])
@pytest.mark.slow
def test_the_worst_quality_leaves_the_label_readable(suffix, small_clip, hopper_path, astronaut_path, tmp_path):
    target, output = (astronaut_path if suffix == "jpg" else small_clip), tmp_path / f"out.{suffix}"
    understudy.swap(hopper_path, target, output, settings=Settings(encode=EncodeOptions(quality=0)))
    assert is_released_honestly(output)


@pytest.mark.parametrize("bitrate", [-1, 0, 1, 1000, 9000, float("nan")])
def test_a_live_picture_has_bits_enough_for_its_label(bitrate, tmp_path):
    sink = RecordingSink(tmp_path / "out.mp4", Unsigned(), BroadcastOptions(bitrate=bitrate))
    with pytest.raises(UsageError, match="label"):
        sink.open(LiveInfo("nothing", 320, 240, Fraction(25)))
    sink.close()
    assert not (tmp_path / "out.mp4").exists()


def test_a_live_picture_with_the_fewest_bits_is_labelled(tmp_path):
    sink = RecordingSink(tmp_path / "out.mp4", kept := Kept(tmp_path / "kept.mp4"), BroadcastOptions(bitrate=18_000))
    sink.open(LiveInfo("noise", 320, 240, Fraction(25)))
    sealer, noise = FrameSealer(1, live=True), np.random.default_rng(2)
    for number in range(20):
        picture = noise.integers(0, 256, (240, 320, 3), dtype=np.uint8)
        sink.write(sealer.seal(Frame(picture, pts=number * 40), Faces.empty()), number / 25)
    with pytest.raises(UnderstudyError):
        sink.close()
    assert all(has_label(picture) for picture in pictures(kept.place))


class Stop(Exception):
    pass


def test_an_interrupted_swap_leaves_nothing(hopper_path, small_clip, tmp_path):
    def stop(done, total):
        if done == 20:
            raise Stop

    with Understudy() as app, pytest.raises(Stop):
        app.swap(small_clip, tmp_path / "out.mp4", app.person(hopper_path), progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.slow
def test_a_killed_swap_leaves_nothing_under_the_name(hopper_path, long_clip, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    words = [sys.executable, "-m", "understudy", "swap", "-s", str(hopper_path), "-t", str(long_clip)]
    with subprocess.Popen([*words, "-o", str(folder / "out.mp4")], stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not list(folder.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert list(folder.iterdir()) != []  # it was at work
    assert left(folder) == []


@pytest.mark.parametrize(
    "broken", ["understudy.provenance.releasing.sign_file", "understudy.provenance.records.ledger.Ledger.append"]
)
@pytest.mark.parametrize("suffix", ["png", "mp4", "mkv"])
def test_what_fails_at_the_very_end_is_not_released(broken, suffix, hopper_path, astronaut_path, small_clip, tmp_path):
    def fail(*_, **__):
        raise UnderstudyError("broken", "on purpose")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(broken, fail)
        with pytest.raises(UnderstudyError, match="broken"):
            target = astronaut_path if suffix == "png" else small_clip
            understudy.swap(hopper_path, target, tmp_path / f"out.{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_without_consent_no_frame_is_made(hopper_path, astronaut, small_clip, tmp_path):
    stranger = tmp_path / "stranger.png"
    Image.fromarray(np.ascontiguousarray(astronaut[:, ::-1, ::-1])).save(stranger)
    before = left(tmp_path)
    for claim in (None, ConsentClaim("sample")):
        with Understudy() as app, pytest.raises(UnderstudyError) as refusal:
            app.swap(small_clip, tmp_path / "out.mp4", app.person(stranger, consent=claim))
        assert refusal.value.exit_code == 4
    assert left(tmp_path) == before


@pytest.mark.slow
def test_the_demo_is_labelled_and_signed(tmp_path, capfd):
    assert main(["demo", "--output-dir", str(tmp_path / "demo"), "--seconds", "1"]) == 0
    outputs = [path for path in (tmp_path / "demo").iterdir() if path.suffix in (".mp4", ".png", ".jpg")]
    signed = [path for path in outputs if read_credentials(path, None).state == "valid"]
    assert {path.name for path in signed} >= {"swapped.mp4", "side-by-side.mp4"}
    for path in outputs:
        assert path in signed or path.name == "sample.mp4"  # the target: no face was put into it
