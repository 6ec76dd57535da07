"""Tries to get a frame without its label out of every sink."""

from __future__ import annotations

import contextlib
import inspect
import pkgutil
import sys
from dataclasses import replace
from fractions import Fraction
from importlib import import_module
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest

import understudy
import understudy.media
from tests.evidence import has_label, left, pictures
from tests.liars import Kept, Odd, Unsigned, signed_by_hand
from understudy.errors import EncodingError, UnderstudyError, UsageError
from understudy.face import Faces
from understudy.frames import Change, Frame, LabelledFrame, PixelBox
from understudy.geometry.orientation import UPRIGHT
from understudy.media.base import MediaKind
from understudy.media.files import EncodeOptions, open_sink, open_source
from understudy.media.files.segments import SegmentSink
from understudy.media.live.base import LiveInfo
from understudy.media.live.broadcast import BroadcastOptions, PushSink
from understudy.media.live.raw import RawSink
from understudy.media.live.recording import RecordingSink
from understudy.media.live.virtual import VirtualCameraSink
from understudy.media.live.window import WindowSink
from understudy.media.pixels import Decoded, planes, settle_colors
from understudy.provenance import FrameSealer
from understudy.release import SignedFile


def sinks():
    """Every class of ``understudy.media`` that takes frames."""
    for module in pkgutil.walk_packages(understudy.media.__path__, "understudy.media."):
        for name, kind in inspect.getmembers(import_module(module.name), inspect.isclass):
            if callable(getattr(kind, "write", None)) and not getattr(kind, "_is_protocol", False):
                yield name


def test_every_sink_is_tried_below():
    files, live = (
        {"StillSink", "VideoSink", "SegmentSink"},
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


def sealed(info, **more):
    return FrameSealer(1).seal(replace(raw(info), **more), Faces.empty())


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


def test_no_sink_takes_what_is_not_labelled(sink):
    make, info, folder = sink
    for impostor in impostors(info):
        with pytest.raises(TypeError, match="LabelledFrame"), make(Unsigned()) as opened:
            opened.write(impostor)
        assert left(folder) == []


def test_no_segment_takes_what_is_not_labelled_or_of_another_output(small_clip, tmp_path):
    with open_source(small_clip) as source:
        info = source.info
    segment = tmp_path / "segment"
    for impostor in impostors(info):
        with (
            pytest.raises(TypeError, match="LabelledFrame"),
            SegmentSink(segment, ".mp4", info, EncodeOptions(), identifier=1) as opened,
        ):
            opened.write(impostor)
        assert left(tmp_path) == []
    with (
        pytest.raises(TypeError, match="of the output"),
        SegmentSink(segment, ".mp4", info, EncodeOptions(), identifier=2) as opened,
    ):
        opened.write(sealed(info))
    assert left(tmp_path) == []


@pytest.mark.slow
def test_no_live_sink_takes_what_is_not_labelled(tmp_path, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    # The package of the virtual camera, and the driver behind it.
    device = SimpleNamespace(device="none", send=lambda _: pytest.fail("sent"), close=lambda: None)
    package = SimpleNamespace(Camera=lambda *_, **__: device, PixelFormat=SimpleNamespace(BGR=None))
    monkeypatch.setitem(sys.modules, "pyvirtualcam", package)
    info, pipe = LiveInfo("nothing", 64, 48, Fraction(25)), (tmp_path / "raw").open("wb")
    made = [
        RecordingSink(tmp_path / "out.mp4", Unsigned()),
        PushSink("udp://127.0.0.1:9"),
        RawSink(pipe),
        WindowSink(),
        VirtualCameraSink(),
    ]
    for sink in made:
        sink.open(info)
        for impostor in impostors(info):
            with pytest.raises(TypeError, match="LabelledFrame"):
                sink.write(impostor, 0.0)
    # And a recording without a signature gets no name.
    made[0].write(FrameSealer(1).seal(raw(info), Faces.empty()), 0.0)
    with pytest.raises(TypeError, match="SignedFile"):
        made[0].close()
    for sink in made[1:]:
        sink.close()
    pipe.close()
    assert (tmp_path / "raw").stat().st_size == 0
    assert not (tmp_path / "out.mp4").exists()


def test_no_sink_gives_a_name_to_an_unsigned_file(sink):
    make, info, folder = sink
    with pytest.raises(TypeError, match="SignedFile"), make(Unsigned()) as opened:
        opened.write(FrameSealer(1).seal(raw(info), Faces.empty()))
    assert left(folder) == []
    with pytest.raises(TypeError, match="provenance"):
        SignedFile(folder / "x", None, object())
    with pytest.raises(TypeError, match="SignedFile"):
        assert signed_by_hand().path


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
    seen = pictures(kept.place)
    assert len(seen) > 10
    assert all(has_label(picture) for picture in seen)
