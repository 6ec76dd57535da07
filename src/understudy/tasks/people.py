"""Says who is in a clip: each person once, however often they leave, come back, or are cut away from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.casting.clip_person import ClipPerson
from understudy.casting.gallery import NOBODY
from understudy.casting.recognising import Recogniser
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.boxes import pixel_box
from understudy.landmarks.reading import Reading
from understudy.media.base import Damage, Source
from understudy.media.bounds import frames_waiting
from understudy.media.files import MediaInfo, MediaKind, open_source
from understudy.pipeline.overlap import prefetched
from understudy.recognition.quality import quality
from understudy.release import input_digest
from understudy.resources import Models
from understudy.settings import Settings
from understudy.tasks.progress import Progress
from understudy.tracking.cuts import CutDetector

if TYPE_CHECKING:
    from understudy.landmarks.neural import Reader

#: A clip that is no longer than the first, in seconds, is looked at whole. Of a longer one the second is looked at
#: after each cut, and again so often that it comes to about the same.
_WHOLE: Final = 30.0
_STRETCH: Final = 1.0
#: Who is seen for less than this many seconds, and never well enough to be recognised, is nobody worth naming.
_GLIMPSE: Final = 0.5
#: Margin around a face in its thumbnail, as a share of its box; and the thumbnail's longest side in pixels.
_MARGIN, _SIDE = 0.35, 256


@dataclass(frozen=True)
class PeopleReport:
    """Who is in a file: ``first, second = app.people(FILE)``.

    Attributes:
        path: The file.
        digest: SHA-256 of it, in hexadecimal.
        kind: ``image``, ``animation`` or ``video``.
        width, height: In pixels.
        frames: Frames looked at.
        people: Who is seen longest first; in a picture from the left.
        glimpsed: How many more were seen for a moment, and not well enough to be recognised.
        damage: Where a video stops being readable: who comes later is not known. None if all of it was looked at.
    """

    path: Path
    digest: str
    kind: str
    width: int
    height: int
    frames: int
    people: tuple[ClipPerson, ...]
    glimpsed: int
    damage: Damage | None = None

    def __iter__(self) -> Iterator[ClipPerson]:
        return iter(self.people)

    def __len__(self) -> int:
        return len(self.people)

    def as_json(self) -> dict[str, object]:
        """The report as plain values. Embeddings and thumbnails are not among them: a cast file has those."""
        return {
            "path": str(self.path),
            "sha256": self.digest,
            "kind": self.kind,
            "width": self.width,
            "height": self.height,
            "frames": self.frames,
            "people": [_plain(person) for person in self.people],
            "glimpsed": self.glimpsed,
            "damage": None if self.damage is None else asdict(self.damage),
        }


def _plain(person: ClipPerson) -> dict[str, object]:
    return {
        "number": person.number,
        "share": round(person.share, 4),
        "first_seconds": None if person.first_seconds is None else round(person.first_seconds, 3),
        "last_seconds": None if person.last_seconds is None else round(person.last_seconds, 3),
        "center": [round(value, 4) for value in person.center_xy],
        "size": round(person.size, 4),
        "recognisable": person.known,
        "readings": [asdict(reading) for reading in person.readings],
    }


@dataclass
class _Sighted:
    """What was seen of somebody so far."""

    frames: int = 0
    first: float = 0.0
    last: float = 0.0
    centers: list[tuple[float, float]] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)
    best: float = -1.0
    thumbnail: UInt8Array | None = None
    readings: tuple[Reading, ...] = ()

    def join(self, other: _Sighted) -> None:
        """Somebody turned out to be the same person."""
        if other.best > self.best:
            self.best, self.thumbnail, self.readings = other.best, other.thumbnail, other.readings
        if self.frames == 0 or other.first < self.first:
            self.first = other.first
        self.last = max(self.last, other.last)
        self.frames += other.frames
        self.centers += other.centers
        self.sizes += other.sizes


class _Sightings:
    """Everybody in a file, by number or, while it is not known who they are, by track."""

    def __init__(self, readers: Sequence[Reader]) -> None:
        self._readers = readers
        self._seen: dict[tuple[str, int], _Sighted] = {}

    def note(self, frame: Frame, faces: Faces) -> None:
        """Add what is seen in a frame."""
        for row, face in enumerate(faces):
            person = NOBODY if face.person_ids is None else int(face.person_ids[0])
            track = row if face.track_ids is None else int(face.track_ids[0])
            key = ("track", track) if person == NOBODY else ("person", person)
            one = self._seen.setdefault(key, _Sighted(first=frame.seconds))
            if key[0] == "person" and ("track", track) in self._seen:
                one.join(self._seen.pop(("track", track)))
            box = face.boxes_xyxy[0]
            one.frames, one.last = one.frames + 1, frame.seconds
            one.centers.append((float(box[0] + box[2]) / 2 / frame.width, float(box[1] + box[3]) / 2 / frame.height))
            one.sizes.append(float(box[3] - box[1]) / frame.height)
            goodness = quality(frame.picture, face).score
            if goodness > one.best * 1.05:
                one.best, one.thumbnail = goodness, _thumbnail(frame.picture, box)
                one.readings = tuple(read(frame.picture, box) for read in self._readers)

    def people(self, current: Callable[[int], int]) -> dict[int, _Sighted]:
        """What was seen of each person: who turned out to be somebody else is counted with them; < 0 are tracks."""
        found: dict[int, _Sighted] = {}
        for (kind, number), one in self._seen.items():
            found.setdefault(current(number) if kind == "person" else -number - 1, _Sighted(first=one.first)).join(one)
        return found


def _thumbnail(picture: UInt8Array, box: FloatArray) -> UInt8Array:
    margin = _MARGIN * float(max(box[2] - box[0], box[3] - box[1]))
    place = pixel_box(box, picture.shape[1], picture.shape[0], margin=round(margin))
    part = picture[place.y0 : place.y1, place.x0 : place.x1]
    scale = min(_SIDE / max(part.shape[:2]), 1.0)
    return np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8).copy()


class _Sampling:
    """Which frames are looked at: all of a short clip; of a long one some after each cut, and now and then."""

    def __init__(self, info: MediaInfo) -> None:
        seconds = info.duration or (info.frames or 0) / float(info.rate or 25)
        self._whole = seconds <= _WHOLE
        self._every = seconds / _WHOLE * _STRETCH
        self._cuts = CutDetector()
        self._begun = -np.inf

    def __call__(self, frame: Frame) -> tuple[bool, bool]:
        """Whether a frame is looked at, and whether it does not follow on the one that was before."""
        if self._whole:
            return True, False
        begins = self._cuts.is_cut(frame.picture) or not 0 <= frame.seconds - self._begun < self._every
        if begins:
            self._begun = frame.seconds
        return frame.seconds - self._begun < _STRETCH, begins


def people_of_file(
    path: Path,
    settings: Settings,
    models: Models,
    progress: Progress | None = None,
    *,
    ask: Sequence[str] = (),
) -> PeopleReport:
    """Look through a file for its people. The same file gives the same people.

    Args:
        path: The file.
        settings: Whose detector finds faces.
        models: What is opened.
        progress: Told how far it is.
        ask: Landmarkers and guessers of the catalogue: who is asked about each person, by name.

    Raises:
        InputError: the file can't be used.
        UsageError, ModelError: the detector or a model that is asked is not there or does not work.
    """
    models.named.check_places(settings.runtime)
    sightings, embedder = _Sightings(models.readers(ask, settings.runtime)), models.embedder(settings)
    with open_source(path, settings.max_pixels) as source:
        info = source.info
        if info.kind is MediaKind.IMAGE:
            count, seen, views = 1, *_in_picture(next(iter(source)), settings, models, sightings)
            order = list(seen)
        else:
            recogniser = Recogniser(embedder)
            count = _watch(source, settings, models, recogniser, sightings, progress)
            seen = sightings.people(recogniser.current)
            views = {number: recogniser.views(number) for number in seen if number >= 0}
            order = sorted(seen, key=lambda number: (-seen[number].frames, seen[number].first, number))
    least = 1 if info.kind is MediaKind.IMAGE else max(round(_GLIMPSE * float(info.rate or 25)), 1)
    named = [number for number in order if len(views.get(number, ())) or seen[number].frames >= least]
    digest = input_digest(path)
    people = tuple(
        _person(number, digest, seen[one], views.get(one), count, embedder.name, still=info.kind is MediaKind.IMAGE)
        for number, one in enumerate(named, 1)
    )
    glimpsed = len(order) - len(named)
    kind, damage = info.kind.value, source.damage
    return PeopleReport(path, digest, kind, info.width, info.height, count, people, glimpsed, damage)


def _in_picture(
    frame: Frame, settings: Settings, models: Models, sightings: _Sightings
) -> tuple[dict[int, _Sighted], dict[int, FloatArray]]:
    """Everybody in a picture, from the left, and what they look like to the embedder."""
    faces = models.perception(settings).still(frame.picture)
    faces = faces[np.argsort(faces.boxes_xyxy[:, [0, 2]].mean(axis=1), kind="stable")]
    faces = replace(faces, person_ids=np.arange(len(faces)))
    sightings.note(frame, faces)
    embeddings = models.embedder(settings).embed(frame.picture, faces)
    views = {row: embedding[None] for row, embedding in enumerate(embeddings) if np.isfinite(embedding).all()}
    return sightings.people(lambda number: number), views


def _watch(
    source: Source,
    settings: Settings,
    models: Models,
    recogniser: Recogniser,
    sightings: _Sightings,
    progress: Progress | None,
) -> int:
    """Look through a clip; how many frames were looked at closely."""
    info = source.info
    sampled, count = _Sampling(info), 0
    tracker = models.perception(settings).tracker(settings.tracker, everybody=True)
    with closing(prefetched(source, frames_waiting(info.width, info.height))) as frames:
        for number, frame in enumerate(frames, 1):
            looked_at, begins = sampled(frame)
            if begins:
                tracker.break_off()
            if looked_at:
                count += 1
                sightings.note(frame, recogniser.update(frame, tracker.update(frame).faces).faces)
            if progress is not None:
                progress(number, info.frames)
    return count


def _person(
    number: int, clip: str, one: _Sighted, views: FloatArray | None, frames: int, embedder: str, *, still: bool
) -> ClipPerson:
    x, y = np.median(np.array(one.centers), axis=0).tolist()
    return ClipPerson(
        number=number,
        clip=clip,
        share=one.frames / max(frames, 1),
        first_seconds=None if still else one.first,
        last_seconds=None if still else one.last,
        center_xy=(x, y),
        size=float(np.median(one.sizes)),
        views=np.zeros((0, 0), np.float32) if views is None else views,
        embedder=embedder,
        thumbnail=one.thumbnail,
        readings=one.readings,
    )
