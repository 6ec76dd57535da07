"""Makes the plan of a clip."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import av

from understudy.casting.cast import PartList
from understudy.casting.person import Person
from understudy.media.base import MediaKind
from understudy.media.files import open_source
from understudy.media.files.keyframes import Keyframes, keyframes
from understudy.media.files.video_source import VideoSource
from understudy.provenance.releasing import new_identifier
from understudy.resources import Models
from understudy.settings import Settings
from understudy.settings.files import as_tables
from understudy.tasks.casting import Settled
from understudy.tasks.segments.edges import Edge, SegmentOptions, edges
from understudy.tasks.segments.plan import ClipPlan, Segment
from understudy.tasks.segments.scout import Scout
from understudy.version import __version__

#: Outputs that are joined of segments.
SUFFIXES: Final = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
#: Seconds between two frames that are looked at for who is in them, at least.
_LOOKS: Final = 15.0


def made_of(settings: Settings, output: Path, inputs: Mapping[str, str]) -> str:
    """A digest of all that a plan depends on: settings, format, inputs, and the versions of what works on them.

    Args:
        settings: How.
        output: The file that is written: its suffix says the format.
        inputs: SHA-256 of the clip, the photos and the cast file, by path.
    """
    tables = as_tables(replace(settings, home=None))
    versions = {"understudy": __version__, **{name: list(one) for name, one in av.library_versions.items()}}
    said = [tables, output.suffix.lower(), dict(inputs), versions]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def can_be_cut(target: Path, output: Path, settings: Settings, options: SegmentOptions) -> Keyframes | None:
    """When the frames of a clip are shown, if it can be worked in segments; None if it is done in one go.

    So are pictures and animations, clips (or parts of one) too short for two segments (but see
    ``SegmentOptions.whole``), those whose packets do not say for certain when each frame is shown (see ``keyframes``),
    and those that are brought into another shape: the crop follows a face smoothly, from the clip's beginning on.

    Raises:
        InputError: the clip can't be read.
    """
    if output.suffix.lower() not in SUFFIXES or settings.frame.shape != "as-is" or settings.frame.caption:
        return None
    with open_source(target, settings.max_pixels) as source:
        if source.info.kind is not MediaKind.VIDEO:
            return None
    known = keyframes(target)
    if known is not None and not settings.trim.whole:
        known = known.part(settings.trim.since, settings.trim.until)
    if known is None or options.whole:
        return known
    return known if len(known.times) >= options.frames + options.fewest else None


def make_plan(
    cast: Person | PartList,
    target: Path,
    known: Keyframes,
    settings: Settings,
    settled: Settled,
    models: Models,
    *,
    made_of: str,
    clip: str,
    options: SegmentOptions,
) -> ClipPlan | None:
    """The plan of a clip; None if there is nowhere to cut it.

    Args:
        cast: Whose face; or who gets whose.
        target: The clip.
        known: See ``can_be_cut``.
        settings: How.
        settled: Who gets whose face, and whether it may be used.
        models: What is opened.
        made_of: See ``made_of``.
        clip: SHA-256 of the clip.
        options: How it is cut.

    Raises:
        InputError, ModelError: the clip can't be read, or a model failed.
    """
    with VideoSource(target, settings.max_pixels) as source:
        scout = Scout(source, known, settings, models, recognising=isinstance(cast, Person))
        found = edges(known, options, scout.changes)
        if not (found or options.whole):
            return None
        segments = _segments(known, found, scout)
        people = scout.people(clip) if isinstance(cast, Person) else tuple(settled.people)
    return ClipPlan(
        identifier=new_identifier(),
        made_of=made_of,
        opened=known.seconds(0),
        threads=cores(),
        segments=segments,
        people=people,
        permissions=settled.records,
    )


def _segments(known: Keyframes, found: list[Edge], scout: Scout) -> tuple[Segment, ...]:
    """The segments between edges; frames are looked at as far as that helps the later ones."""
    begins, last = {edge.begins for edge in found}, found[-1].begins if found else -1
    looks: list[int] = []
    for key in known.keys:
        far = not looks or known.seconds(key) - known.seconds(looks[-1]) >= _LOOKS
        if key <= last and (key in begins or far):
            looks.append(key)
    segments = []
    for index, edge in enumerate([Edge(0, 0), *found]):
        while looks and index and looks[0] <= edge.begins:
            scout.look(looks.pop(0))
        after = found[index].first if index < len(found) else None
        segments.append(
            Segment(
                index=index,
                begins=known.times[edge.begins] if index else known.entry,
                first=known.times[edge.first],
                last=None if after is None and known.ends else known.times[-1 if after is None else after - 1],
                frames=(len(known.times) if after is None else after) - edge.first,
                order=scout.order if index else (),
                corner=scout.corner if index else None,
            )
        )
    return tuple(segments)


def cores() -> int:
    """How many threads an encoder has by itself on this machine."""
    affinity = getattr(os, "sched_getaffinity", None)
    return max(1, len(affinity(0)) if affinity is not None else os.cpu_count() or 1)
