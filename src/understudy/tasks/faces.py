"""Says who is in a picture or video."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.casting.recognising import Recogniser
from understudy.errors import CorruptMediaError
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry import topology as topo
from understudy.geometry.pose import pose_degrees
from understudy.landmarks import with_blendshapes
from understudy.landmarks.blendshapes import NAMES
from understudy.landmarks.emotion import EMOTIONS, emotions
from understudy.landmarks.reading import Reading
from understudy.media.bounds import frames_waiting
from understudy.media.files import MediaKind, open_source
from understudy.pipeline.overlap import prefetched
from understudy.resources import Models
from understudy.resources.named_models import BLENDSHAPES, EMOTION
from understudy.settings import Settings
from understudy.tasks.progress import Progress


@dataclass(frozen=True)
class TrackReport:
    """A stretch of a video in which a face was followed without a break, or with one that was bridged by its place.

    Attributes:
        number: Of the track; from 1.
        first_seconds, last_seconds: When it is first and last seen.
        frames: In how many frames.
    """

    number: int
    first_seconds: float
    last_seconds: float
    frames: int


@dataclass(frozen=True)
class FaceReport:
    """One person.

    Attributes:
        number: In a picture counted from the left, in a video by first appearance; from 1. In a video it is the same
            after a cut, or when they come back, if their face is seen well enough to be recognised.
        box_xyxy: Where, in the frame in which the face is largest, in pixels.
        size: The longer side of that box.
        score: 0-1, how sure it is that there is a face.
        yaw, pitch, roll: Where the head points, in degrees: to the picture's right, down, clockwise.
        mouth_open, eyes_open: Aperture over width: about 0 when shut; the mean of both eyes.
        first_seconds, last_seconds: When the person is first and last seen; None in a picture.
        frames: In how many frames.
        tracks: When they were followed, in the order of time; empty in a picture.
        irises_xy: The irises' centres in the same frame, the picture's left first.
        readings: What each model of the catalogue that was asked says of the face in that frame, and which emotions
            it shows, if that was asked.
        blendshapes: What the face does in that frame, as 52 scores, 0-1, by the names and in the order of
            ``landmarks.blendshapes.NAMES``; None where nobody asked.
    """

    number: int
    box_xyxy: tuple[float, ...]
    size: float
    score: float
    yaw: float
    pitch: float
    roll: float
    mouth_open: float
    eyes_open: float
    first_seconds: float | None
    last_seconds: float | None
    frames: int
    tracks: tuple[TrackReport, ...]
    irises_xy: tuple[tuple[float, float], tuple[float, float]]
    readings: tuple[Reading, ...] = ()
    blendshapes: Mapping[str, float] | None = None


@dataclass(frozen=True)
class FacesReport:
    """Everybody in a file.

    Attributes:
        path: The file.
        kind: ``image``, ``animation`` or ``video``.
        width, height: In pixels.
        frames: Frames looked at.
        faces: The people.
    """

    path: Path
    kind: str
    width: int
    height: int
    frames: int
    faces: tuple[FaceReport, ...]

    def as_json(self) -> dict[str, object]:
        """The report as plain values."""
        return asdict(self) | {"path": str(self.path)}


#: A face with its irises, and what models say of it.
_Closely = Callable[[Faces, UInt8Array], "tuple[Faces, tuple[Reading, ...]]"]


@dataclass
class _Sighting:
    """A track, as long as it was taken for the same person's."""

    track: int
    person: int
    best: Faces
    readings: tuple[Reading, ...]
    first: float
    last: float
    frames: int = 1


class _Sightings:
    """All of a file.

    Args:
        closely: How a face is looked at where it is largest.
    """

    def __init__(self, closely: _Closely) -> None:
        self._closely = closely
        self._now: dict[int, _Sighting] = {}
        self._all: list[_Sighting] = []

    def note(self, faces: Faces, frame: Frame, recogniser: Recogniser | None) -> None:
        """Add what is seen in a frame; None for a recogniser where nobody asks who is who."""
        for face in faces:
            assert face.track_ids is not None
            track = int(face.track_ids[0])
            person = -1 if face.person_ids is None else int(face.person_ids[0])
            known = self._now.get(track)
            if known is not None and recogniser is not None and known.person >= 0:
                known.person = recogniser.current(known.person)
            if known is None or (person >= 0 and known.person not in (-1, person)):
                seen = self._closely(face, frame.picture)
                self._now[track] = _Sighting(track, person, *seen, frame.seconds, frame.seconds)
                self._all.append(self._now[track])
                continue
            known.person = max(known.person, person)
            known.last, known.frames = frame.seconds, known.frames + 1
            if face.areas[0] > known.best.areas[0] * 1.05:
                known.best, known.readings = self._closely(face, frame.picture)

    def people(self, recogniser: Recogniser | None) -> list[list[_Sighting]]:
        """Those of each person together, people and theirs by first appearance."""
        found: dict[tuple[int, int], list[_Sighting]] = {}
        for one in self._all:
            known = recogniser is not None and one.person >= 0
            key = (recogniser.current(one.person), 0) if recogniser is not None and known else (-1, one.track)
            found.setdefault(key, []).append(one)
        return list(found.values())


def faces_in_file(
    path: Path, settings: Settings, models: Models, progress: Progress | None = None, *, ask: Sequence[str] = ()
) -> FacesReport:
    """Look through a whole file.

    Args:
        path: The file.
        settings: Whose detector finds faces.
        models: What is opened.
        progress: Told how far it is.
        ask: ``blendshapes``, ``emotion``, and landmarkers and guessers of the catalogue: who is asked about each face,
            by name.

    Raises:
        InputError: the file can't be used.
        CorruptMediaError: a video could be read only in part.
        UsageError, ModelError: the detector or a model that is asked is not there or does not work.
    """
    models.named.check_places(settings.runtime)
    own = (EMOTION, BLENDSHAPES)
    readers = models.readers([name for name in ask if name not in own], settings.runtime, own)
    blendshapes = models.blendshapes() if {BLENDSHAPES, EMOTION} & set(ask) else None
    perception = models.perception(settings)
    tracker = perception.tracker(settings.tracker, everybody=True)

    def closely(face: Faces, picture: UInt8Array) -> tuple[Faces, tuple[Reading, ...]]:
        """A face, and what the models say of it."""
        readings = tuple(read(picture, face.boxes_xyxy[0]) for read in readers)
        if blendshapes is not None:
            scored = with_blendshapes(face, blendshapes)
            readings += (_shown(scored),) if EMOTION in ask else ()
            face = scored if BLENDSHAPES in ask else face
        return face, readings

    def followed(frame: Frame, recogniser: Recogniser) -> Faces:
        return recogniser.update(frame, tracker.update(frame).faces).faces

    seen, count = _Sightings(closely), 0
    with open_source(path, settings.max_pixels) as source:
        recogniser = None if source.info.kind is MediaKind.IMAGE else Recogniser(models.embedder(settings))
        with closing(prefetched(source, frames_waiting(source.info.width, source.info.height))) as frames:
            for frame in frames:
                faces = perception.still(frame.picture) if recogniser is None else followed(frame, recogniser)
                count += 1
                seen.note(faces, frame, recogniser)
                if progress is not None:
                    progress(count, source.info.frames)
        if source.damage is not None:
            raise CorruptMediaError(path, source.damage.at_seconds, source.damage.reason)
        info = source.info
    people = tuple(
        _report(number, sightings, still=recogniser is None)
        for number, sightings in enumerate(seen.people(recogniser), 1)
    )
    return FacesReport(path, info.kind.value, info.width, info.height, count, people)


def _report(number: int, sightings: Sequence[_Sighting], *, still: bool) -> FaceReport:
    best = max(sightings, key=lambda one: float(one.best.areas[0]))
    face = best.best
    assert face.mesh is not None and face.scores is not None
    mesh, box = face.mesh[0], face.boxes_xyxy[0]
    yaw, pitch, roll = pose_degrees(mesh)
    centers = [(round(float(x), 1), round(float(y), 1)) for x, y in face.irises[0, :, 0, :2]]
    return FaceReport(
        number=number,
        box_xyxy=tuple(round(float(value), 1) for value in box),
        size=round(float(np.max(box[2:] - box[:2])), 1),
        score=round(float(face.scores[0]), 3),
        yaw=round(yaw, 1),
        pitch=round(pitch, 1),
        roll=round(roll, 1),
        mouth_open=round(topo.mouth_aperture(mesh), 3),
        eyes_open=round(sum(topo.eye_apertures(mesh)) / 2, 3),
        first_seconds=None if still else round(sightings[0].first, 3),
        last_seconds=None if still else round(max(one.last for one in sightings), 3),
        frames=sum(one.frames for one in sightings),
        tracks=() if still else tuple(_track(one) for one in sightings),
        irises_xy=(centers[0], centers[1]),
        readings=best.readings,
        blendshapes=None if face.blendshapes is None else _by_name(face.blendshapes[0]),
    )


def _shown(face: Faces) -> Reading:
    """The emotions that a face shows."""
    assert face.blendshapes is not None
    return Reading(EMOTION, emotions=_by_name(emotions(face.blendshapes)[0], EMOTIONS))


def _by_name(scores: FloatArray, names: Sequence[str] = NAMES) -> dict[str, float]:
    return {name: round(float(score), 4) for name, score in zip(names, scores, strict=True)}


def _track(one: _Sighting) -> TrackReport:
    return TrackReport(one.track, round(one.first, 3), round(one.last, 3), one.frames)
