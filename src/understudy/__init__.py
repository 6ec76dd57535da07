"""Understudy: one photo in; that face on the person in front of the camera, labelled by construction.

>>> import understudy
>>> understudy.swap(source="me.jpg", target="clip.mp4", output="out.mp4", consent="self")  # doctest: +SKIP

For several clips, photos or sessions, open it once:

>>> with understudy.Understudy() as app:  # doctest: +SKIP
...     me = app.person("me.jpg", consent="self")
...     for clip in ("one.mp4", "two.mp4"):
...         app.swap(clip, f"swapped-{clip}", me)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from understudy.version import __version__

if TYPE_CHECKING:
    from understudy.app import Understudy
    from understudy.blending.detail import DetailOptions
    from understudy.blending.light import LightOptions
    from understudy.casting.cast import Cast, Gets, Like, Part, PartList, Who
    from understudy.casting.cast_file import read_cast, write_cast
    from understudy.casting.clip_person import ClipPerson
    from understudy.casting.person import Person
    from understudy.enhancement import EnhanceOptions
    from understudy.errors import InputError, ModelError, RefusedError, RunError, UnderstudyError, UsageError
    from understudy.face import FaceChoice, Faces
    from understudy.frames import Change, Frame, LabelledFrame, PixelBox, SealedFrame
    from understudy.guard import GuardOptions
    from understudy.jobs.blocked import BlockedJob
    from understudy.jobs.job import Job, JobFailure, JobState, Order
    from understudy.jobs.jobs import Jobs
    from understudy.landmarks.reading import Reading
    from understudy.masking import MaskOptions, OcclusionOptions
    from understudy.media.base import Damage
    from understudy.media.endpoints import SinkEndpoint, SourceEndpoint
    from understudy.media.files import EncodeOptions
    from understudy.media.live.base import (
        CaptureOptions,
        LiveInfo,
        LiveSink,
        LiveSource,
        Picture,
        Remark,
        SinkClosed,
        SinkLostError,
        Sound,
        SourceEnded,
        SourceLostError,
    )
    from understudy.media.live.broadcast import BroadcastOptions
    from understudy.media.live.capture import open_capture
    from understudy.media.live.microphone import Microphone, SoundSource
    from understudy.media.live.playout import playout
    from understudy.media.live.recording import RecordingSink
    from understudy.models.devices import RuntimeOptions
    from understudy.provenance import (
        ConsentClaim,
        ContentClassifier,
        ContentOptions,
        LabelOptions,
        SigningOptions,
        WatermarkOptions,
    )
    from understudy.provenance.credentials import Credentials
    from understudy.provenance.metadata import Claims
    from understudy.provenance.records.consent import Ground
    from understudy.provenance.records.ledger import Record
    from understudy.provenance.verdict import Reason, Verdict
    from understudy.provenance.watermark import Mark
    from understudy.release import Release
    from understudy.resources.perception import Perception
    from understudy.sessions import LiveReport, LiveSession, LiveStatistics, SinkState
    from understudy.sessions.endpoints import AnySink, AnySource
    from understudy.sessions.session import MakeSink
    from understudy.settings import (
        BlendOptions,
        FrameOptions,
        Lane,
        Settings,
        TrimOptions,
        as_toml,
        read_lanes,
        read_settings,
    )
    from understudy.shortcuts import faces, inspect, live, swap
    from understudy.swapping import MeshOptions
    from understudy.swapping.neural.options import NeuralOptions
    from understudy.tasks.checkup import Checkup, Finding
    from understudy.tasks.faces import FaceReport, FacesReport, TrackReport
    from understudy.tasks.inspect import Inspection
    from understudy.tasks.people import PeopleReport
    from understudy.tasks.people_sheet import write_sheet
    from understudy.tasks.progress import Progress
    from understudy.tasks.report import SwapReport
    from understudy.tracking import Tracker, TrackerOptions, TrackingResult
    from understudy.tracking.smoothing import OneEuroOptions

#: The public names of each module: looked up when one is first used, so that ``import understudy`` opens nothing.
_NAMES = {
    "app": ("Understudy",),
    "blending.detail": ("DetailOptions",),
    "blending.light": ("LightOptions",),
    "casting.cast": ("Cast", "Gets", "Like", "Part", "PartList", "Who"),
    "casting.cast_file": ("read_cast", "write_cast"),
    "casting.clip_person": ("ClipPerson",),
    "casting.person": ("Person",),
    "enhancement": ("EnhanceOptions",),
    "errors": ("InputError", "ModelError", "RefusedError", "RunError", "UnderstudyError", "UsageError"),
    "face": ("FaceChoice", "Faces"),
    "frames": ("Change", "Frame", "LabelledFrame", "PixelBox", "SealedFrame"),
    "guard": ("GuardOptions",),
    "jobs.blocked": ("BlockedJob",),
    "jobs.job": ("Job", "JobFailure", "JobState", "Order"),
    "jobs.jobs": ("Jobs",),
    "landmarks.reading": ("Reading",),
    "masking": ("MaskOptions", "OcclusionOptions"),
    "media.base": ("Damage",),
    "media.endpoints": ("SinkEndpoint", "SourceEndpoint"),
    "media.files": ("EncodeOptions",),
    "media.live.base": (
        "CaptureOptions",
        "LiveInfo",
        "LiveSink",
        "LiveSource",
        "Picture",
        "Remark",
        "SinkClosed",
        "SinkLostError",
        "Sound",
        "SourceEnded",
        "SourceLostError",
    ),
    "media.live.broadcast": ("BroadcastOptions",),
    "media.live.capture": ("open_capture",),
    "media.live.microphone": ("Microphone", "SoundSource"),
    "media.live.playout": ("playout",),
    "media.live.recording": ("RecordingSink",),
    "models.devices": ("RuntimeOptions",),
    "provenance": (
        "ConsentClaim",
        "ContentClassifier",
        "ContentOptions",
        "LabelOptions",
        "SigningOptions",
        "WatermarkOptions",
    ),
    "provenance.credentials": ("Credentials",),
    "provenance.metadata": ("Claims",),
    "provenance.records.consent": ("Ground",),
    "provenance.records.ledger": ("Record",),
    "provenance.verdict": ("Reason", "Verdict"),
    "provenance.watermark": ("Mark",),
    "release": ("Release",),
    "resources.perception": ("Perception",),
    "sessions": ("LiveReport", "LiveSession", "LiveStatistics", "SinkState"),
    "sessions.endpoints": ("AnySink", "AnySource"),
    "sessions.session": ("MakeSink",),
    "settings": (
        *("BlendOptions", "FrameOptions", "Lane", "Settings", "TrimOptions"),
        *("as_toml", "read_lanes", "read_settings"),
    ),
    "shortcuts": ("faces", "inspect", "live", "swap"),
    "swapping": ("MeshOptions",),
    "swapping.neural.options": ("NeuralOptions",),
    "tasks.checkup": ("Checkup", "Finding"),
    "tasks.faces": ("FaceReport", "FacesReport", "TrackReport"),
    "tasks.inspect": ("Inspection",),
    "tasks.people": ("PeopleReport",),
    "tasks.people_sheet": ("write_sheet",),
    "tasks.progress": ("Progress",),
    "tasks.report": ("SwapReport",),
    "tracking": ("Tracker", "TrackerOptions", "TrackingResult"),
    "tracking.smoothing": ("OneEuroOptions",),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "AnySink",
    "AnySource",
    "BlendOptions",
    "BlockedJob",
    "BroadcastOptions",
    "CaptureOptions",
    "Cast",
    "Change",
    "Checkup",
    "Claims",
    "ClipPerson",
    "ConsentClaim",
    "ContentClassifier",
    "ContentOptions",
    "Credentials",
    "Damage",
    "DetailOptions",
    "EncodeOptions",
    "EnhanceOptions",
    "FaceChoice",
    "FaceReport",
    "Faces",
    "FacesReport",
    "Finding",
    "Frame",
    "FrameOptions",
    "Gets",
    "Ground",
    "GuardOptions",
    "InputError",
    "Inspection",
    "Job",
    "JobFailure",
    "JobState",
    "Jobs",
    "LabelOptions",
    "LabelledFrame",
    "Lane",
    "LightOptions",
    "Like",
    "LiveInfo",
    "LiveReport",
    "LiveSession",
    "LiveSink",
    "LiveSource",
    "LiveStatistics",
    "MakeSink",
    "Mark",
    "MaskOptions",
    "MeshOptions",
    "Microphone",
    "ModelError",
    "NeuralOptions",
    "OcclusionOptions",
    "OneEuroOptions",
    "Order",
    "Part",
    "PartList",
    "PeopleReport",
    "Perception",
    "Person",
    "Picture",
    "PixelBox",
    "Progress",
    "Reading",
    "Reason",
    "Record",
    "RecordingSink",
    "RefusedError",
    "Release",
    "Remark",
    "RunError",
    "RuntimeOptions",
    "SealedFrame",
    "Settings",
    "SigningOptions",
    "SinkClosed",
    "SinkEndpoint",
    "SinkLostError",
    "SinkState",
    "Sound",
    "SoundSource",
    "SourceEnded",
    "SourceEndpoint",
    "SourceLostError",
    "SwapReport",
    "TrackReport",
    "Tracker",
    "TrackerOptions",
    "TrackingResult",
    "TrimOptions",
    "Understudy",
    "UnderstudyError",
    "UsageError",
    "Verdict",
    "WatermarkOptions",
    "Who",
    "__version__",
    "as_toml",
    "faces",
    "inspect",
    "live",
    "open_capture",
    "playout",
    "read_cast",
    "read_lanes",
    "read_settings",
    "swap",
    "write_cast",
    "write_sheet",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'understudy' has no attribute {name!r}")
    return getattr(import_module(f"understudy.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
