"""When each of a clip's people is seen, where it cuts, and where to look twice: frame by frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

from understudy.casting.clip_person import ClipPerson
from understudy.casting.gallery import NOBODY
from understudy.casting.recognising import Recogniser
from understudy.face import Faces
from understudy.geometry.pose import pose_degrees
from understudy.media.bounds import frames_waiting
from understudy.media.files import open_source
from understudy.pipeline.overlap import prefetched
from understudy.resources import Models
from understudy.settings import Settings
from understudy.tasks.progress import Progress

#: Degrees to the side, or up and down, from which little of a face is seen; and how sure it is that there is one (0-1).
_TURNED, _SURE = 50.0, 0.6
#: Seconds up to which two stretches of the same kind are one, and below which one is not worth a look.
_JOINED, _GLIMPSE = 0.2, 0.05
#: Share of the picture's width and height from its edge within which a face may be about to leave it.
_EDGE: Final = 0.02

Why = Literal["lost", "turned", "faint", "unknown"]


class Stretch(NamedTuple):
    """A part of a clip.

    Attributes:
        first_seconds: When its first frame begins.
        last_seconds: When its last frame begins.
    """

    first_seconds: float
    last_seconds: float


@dataclass(frozen=True)
class Doubt:
    """A part of a clip in which somebody may not come out as they should.

    Attributes:
        number: Whose, as ``people`` numbers them; 0 for somebody of whom it is not known who they are.
        why: ``lost``: they were seen in the same shot before, did not leave the picture at its edge, and are not seen.
            ``turned``: far away from the
            camera. ``faint``: it is not sure that it is a face. ``unknown``: it is not known who it is.
        when: The frames.
    """

    number: int
    why: Why
    when: Stretch


@dataclass(frozen=True)
class Timeline:
    """What happens when.

    Attributes:
        frames: How many there are.
        seconds: How long they last.
        cuts: When a shot begins; the first is not among them.
        seen: When each person is seen, by number.
        doubts: In the order of time.
    """

    frames: int
    seconds: float
    cuts: tuple[float, ...]
    seen: dict[int, tuple[Stretch, ...]]
    doubts: tuple[Doubt, ...]


class _Sight(NamedTuple):
    """A face in a frame."""

    track: int
    person: int
    doubt: Why | None
    at_edge: bool


class _Shown(NamedTuple):
    """A frame."""

    seconds: float
    shot: int
    faces: tuple[_Sight, ...]


def timeline_of_file(
    path: Path, people: Sequence[ClipPerson], settings: Settings, models: Models, progress: Progress | None = None
) -> Timeline:
    """Look through all of a clip for people who are known.

    Args:
        path: A video or animation.
        people: Those whom ``people`` found in it.
        settings: Whose detector finds faces.
        models: What is opened.
        progress: Told how far it is.

    Raises:
        InputError: the file can't be used.
        UsageError, ModelError: the detector is not there or does not work.
    """
    tracker = models.perception(settings).tracker(settings.tracker, everybody=True)
    recogniser = Recogniser(models.embedder(settings), people={one.number: one.views for one in people if one.known})
    shown: list[_Shown] = []
    cuts: list[float] = []
    with open_source(path, settings.max_pixels) as source:
        info = source.info
        with closing(prefetched(source, frames_waiting(info.width, info.height))) as frames:
            for frame in frames:
                tracked = tracker.update(frame)
                if tracked.cut:
                    cuts.append(frame.seconds)
                faces = recogniser.update(frame, tracked.faces).faces
                shown.append(_Shown(frame.seconds, len(cuts), tuple(_sights(faces, frame.width, frame.height))))
                if progress is not None:
                    progress(len(shown), info.frames)
    owners = _owners(shown, recogniser, {one.number for one in people if one.known})
    step = 1 / float(info.rate or 25)
    seconds = shown[-1].seconds + step if shown else 0.0
    seen = {one.number: _joined(_times(shown, owners, one.number), step) for one in people}
    return Timeline(len(shown), seconds, tuple(cuts), seen, tuple(_doubts(shown, owners, sorted(seen), step)))


def _sights(faces: Faces, width: int, height: int) -> Iterator[_Sight]:
    for face in faces:
        assert face.track_ids is not None and face.mesh is not None
        yaw, pitch, _ = pose_degrees(face.mesh[0])
        sure = 1.0 if face.scores is None else float(face.scores[0])
        doubt: Why | None = "turned" if max(abs(yaw), abs(pitch)) > _TURNED else "faint" if sure < _SURE else None
        person = NOBODY if face.person_ids is None else int(face.person_ids[0])
        x0, y0, x1, y1 = (face.boxes_xyxy[0] / (width, height, width, height)).tolist()
        at_edge = min(x0, y0, 1 - x1, 1 - y1) < _EDGE
        yield _Sight(int(face.track_ids[0]), person, doubt, at_edge)


def _owners(shown: Sequence[_Shown], recogniser: Recogniser, known: set[int]) -> dict[int, int]:
    """Whose each track is: who it turned out to be; 0 for nobody who is known."""
    found: dict[int, int] = {}
    for frame in shown:
        for face in frame.faces:
            person = face.person if face.person == NOBODY else recogniser.current(face.person)
            found[face.track] = person if person in known else found.get(face.track, 0)
    return found


def _times(shown: Sequence[_Shown], owners: dict[int, int], number: int) -> list[float]:
    return [frame.seconds for frame in shown if any(owners[face.track] == number for face in frame.faces)]


def _doubts(shown: Sequence[_Shown], owners: dict[int, int], numbers: Sequence[int], step: float) -> Iterator[Doubt]:
    times: dict[tuple[int, Why], list[float]] = {}
    for number in numbers:
        times[number, "lost"] = list(_lost(shown, owners, number))
    for frame in shown:
        for face in frame.faces:
            owner = owners[face.track]
            why: Why | None = face.doubt if owner else "unknown"
            if why is not None:
                times.setdefault((owner, why), []).append(frame.seconds)
    found = [
        Doubt(number, why, when)
        for (number, why), own in times.items()
        for when in _joined(own, step)
        if when.last_seconds - when.first_seconds + step > _GLIMPSE
    ]
    yield from sorted(found, key=lambda one: (one.when, one.number))


def _lost(shown: Sequence[_Shown], owners: dict[int, int], number: int) -> Iterator[float]:
    """When somebody is not seen, though they were in the same shot and did not leave the picture, or came back."""
    missing: list[float] = []
    shot, left = -1, True
    for frame in shown:
        own = [face for face in frame.faces if owners[face.track] == number]
        if frame.shot != shot or own:
            if not left or (own and frame.shot == shot):
                yield from missing
            missing, shot, left = [], frame.shot, True
        if own:
            left = any(face.at_edge for face in own)
        else:
            missing.append(frame.seconds)
    if not left:
        yield from missing


def _joined(times: Sequence[float], step: float) -> tuple[Stretch, ...]:
    """Times of frames as stretches."""
    found: list[Stretch] = []
    for seconds in times:
        if found and seconds - found[-1].last_seconds <= max(_JOINED, 1.5 * step):
            found[-1] = Stretch(found[-1].first_seconds, seconds)
        else:
            found.append(Stretch(seconds, seconds))
    return tuple(found)
