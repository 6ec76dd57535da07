"""Gives the faces of a clip the numbers of their people: one number throughout, over cuts, absences and crossings.

A track says that a face is the same from frame to frame. Whose it is an embedding says, and one is asked for only where
a track alone does not know: when a track begins, when it was lost or touched another, and now and then. Two faces that
are there at the same time are never one person's. Where a face is not seen well enough, place and size decide, as they
do for tracks: somebody who is too small is taken for somebody new, somebody who is turned away is not known yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import numpy as np

from understudy.arrays import FloatArray
from understudy.casting.deciding import Deciding, SampleOptions, Track
from understudy.casting.embedding import Answer, AtOnce, Beside, Embeddings
from understudy.casting.gallery import NOBODY, Gallery, GalleryOptions
from understudy.casting.visible import VisibleOptions, seen_well, shared_with_others, thumbnail
from understudy.face import Faces
from understudy.frames import Frame
from understudy.recognition import Embedder

#: Tracks that are remembered, at most: those longest unseen go first.
_REMEMBERED: Final = 64


@dataclass(frozen=True)
class RecognisingOptions:
    """How people are recognised.

    Attributes:
        touching: Share of the smaller of two boxes in the other, 0-1, from which it is asked afterwards who is who.
        alike: Correlation, -1 to 1, of how a face looks with how it looked when an embedding was asked for last, below
            which one is asked for again: somebody else may have come in its place.
        wait: Seconds after which that is done again.
        samples: How many embeddings are asked for, and when.
        gallery: How near is near.
        visible: Which faces are seen well enough.

    Raises:
        ValueError: a share or time below zero, or no correlation.
    """

    touching: float = 0.2
    alike: float = 0.75
    wait: float = 0.5
    samples: SampleOptions = field(default_factory=SampleOptions)
    gallery: GalleryOptions = field(default_factory=GalleryOptions)
    visible: VisibleOptions = field(default_factory=VisibleOptions)

    def __post_init__(self) -> None:
        if not (min(self.touching, self.wait) >= 0 and -1 <= self.alike <= 1):
            raise ValueError("shares and times can't be below zero, and a correlation is between -1 and 1")


class Recognised(NamedTuple):
    """Who is in a frame.

    Attributes:
        faces: With ``person_ids``.
        mistaken: Whether a track turned out to be of somebody else than it was taken for: what was learned of it as
            that person's does not hold.
        renamed: Who turned out to be one who was there before: the number they had up to now, and the one they have.
        known: Those who would be recognised if they came back.
        open: Tracks that are there and may soon turn out to be somebody's who is known.
        twice: Those of them that may show somebody a second time who is there: in a fade from one camera to another.
    """

    faces: Faces
    mistaken: bool = False
    renamed: tuple[tuple[int, int], ...] = ()
    known: frozenset[int] = frozenset()
    open: frozenset[int] = frozenset()
    twice: frozenset[int] = frozenset()


class Recogniser:
    """Of one clip. Frames come in order; the same frames give the same numbers, unless it is live.

    Args:
        embedder: Tells people apart.
        options: When it is asked, and what its answers mean.
        people: Who is known from before, by number: float32 (V, D), embeddings of them, one of each view. They keep
            their numbers, and are never taken for each other.
        live: Compute embeddings beside, one at a time; who somebody is, is then known a few frames later.

    Attributes:
        embeddings: How many were asked for so far.
    """

    def __init__(
        self,
        embedder: Embedder,
        options: RecognisingOptions | None = None,
        *,
        people: Mapping[int, FloatArray] | None = None,
        live: bool = False,
    ) -> None:
        self._options = options or RecognisingOptions()
        self._source: Embeddings = Beside(embedder) if live else AtOnce(embedder)
        self._gallery = Gallery(embedder, self._options.gallery)
        for number, views in (people or {}).items():
            self._gallery.introduce(number, views)
        self._deciding = Deciding(self._gallery, self._options.samples)
        self._tracks: dict[int, Track] = {}
        self.embeddings = 0

    def update(self, frame: Frame, faces: Faces, *, busy: bool = False) -> Recognised:
        """Say who is in ``frame``.

        Args:
            frame: As it came; it is only read.
            faces: Everybody who is tracked, with meshes.
            busy: Whether other work that is not done in every frame fell on this one: what is not in question is not
                asked in it.

        Raises:
            ModelError: the embedder failed.
        """
        if not len(faces):
            self._deciding.here = []
            self._source.answers()
            return Recognised(faces)
        self._arrive(faces, frame.seconds)
        self._number(faces)
        self._doubt(frame, faces)
        self._ask(frame, faces, most_unasked=0 if busy else 1)
        for answer in self._source.answers():
            self._note(answer, frame.seconds)
        mistaken = self._deciding(frame.seconds)
        self._number(faces)
        self._deciding.meet(frame.seconds)
        people = np.array([track.person for track in self._deciding.here], np.int64)
        named, known = replace(faces, person_ids=people), frozenset(self._gallery.known)
        twice = frozenset(one.number for one in self._deciding.here if self._deciding.twice(one))
        in_question = frozenset(
            one.number for one in self._deciding.here if one.person == NOBODY or (one.by_place and one.asked)
        )
        return Recognised(named, mistaken, tuple(self._deciding.renamed), known, in_question | twice, twice)

    def current(self, person: int) -> int:
        """The number that somebody has now: they may have turned out to be one who was there before."""
        return self._gallery.current(person)

    def views(self, person: int) -> FloatArray:
        """What somebody looks like to the embedder: see ``Gallery.views``."""
        return self._gallery.views(person)

    def close(self) -> None:
        """End what runs beside."""
        self._source.close()

    def _arrive(self, faces: Faces, now: float) -> None:
        """Note who is there, and of whom it is in question who they are."""
        assert faces.track_ids is not None
        before = self._deciding.here
        here: list[Track] = []
        self._deciding.here = here
        for row, number in enumerate(faces.track_ids.tolist()):
            track = self._tracks.pop(number, None)
            if track is None:
                track = Track(number, now)
            elif track not in before:  # it was lost, and found again by its place: that may be another's by now
                track.reopen(now)
            track.person = self._gallery.current(track.person)
            touches = shared_with_others(faces, row) > self._options.touching
            if track.touched and not touches:
                track.reopen(now)
            track.touched = touches
            here.append(track)
            self._tracks[number] = track
        for track in here:  # while it was lost, somebody else may have been found to be them
            if track not in before and any(other.person == track.person for other in here if other is not track):
                track.person = NOBODY
        gone = {track.person for track in before} - {track.person for track in here}
        for track in here:  # was that somebody a moment ago seen twice?
            if gone & self._deciding.twice(track) and not track.asked:
                track.reopen(now)
        for number in list(self._tracks)[:-_REMEMBERED]:
            del self._tracks[number]

    def _number(self, faces: Faces) -> None:
        """Give a new number to those who can be nobody who is known, or of whom no embedding can be had."""
        absent = bool(self._deciding.absent())
        for track, box in zip(self._deciding.here, faces.boxes_xyxy, strict=True):
            small = box[3] - box[1] < self._options.visible.smallest
            if track.person == NOBODY and (small or not absent):
                track.person, track.by_place = self._gallery.add(), absent

    def _doubt(self, frame: Frame, faces: Faces) -> None:
        """Ask whose a face is that looks otherwise than it did: there may have been a cut that nobody noticed."""
        for track, box in zip(self._deciding.here, faces.boxes_xyxy, strict=True):
            if track.asked or track.thumbnail is None or 0 <= frame.seconds - track.sampled < self._options.wait:
                continue
            if float(track.thumbnail @ thumbnail(frame.picture, box)) < self._options.alike:
                track.reopen(frame.seconds)

    def _ask(self, frame: Frame, faces: Faces, most_unasked: int) -> None:
        """Ask for those embeddings that are wanted most: where it is in question who it is, and longest so.

        Of those of whom it is not in question, and who have their turn as time goes by, only so many are asked about.
        """
        now, here, room = frame.seconds, self._deciding.here, self._source.room
        # Time may have stepped back.
        due = [row for row, track in enumerate(here) if not 0 < track.due - now <= self._options.samples.refresh]
        for row in sorted(due, key=lambda row: (not here[row].asked, here[row].due)):
            track = here[row]
            if not room or not (track.asked or most_unasked):
                return
            if seen_well(frame.picture, faces, row, self._options.visible):
                self._source.ask((track.number, track.question), frame.picture, faces[row])
                track.thumbnail, track.sampled = thumbnail(frame.picture, faces.boxes_xyxy[row]), now
                self.embeddings, room = self.embeddings + 1, room - 1
                most_unasked -= not track.asked
            elif not track.asked:
                track.due = now + self._options.samples.spacing

    def _note(self, answer: Answer, now: float) -> None:
        """Keep an embedding, unless it came too late or says nothing."""
        number, question = answer.asked
        track = next((track for track in self._deciding.here if track.number == number), None)
        if track is None or track.question != question:
            return
        track.due = now + self._options.samples.spacing
        if np.isfinite(answer.embedding).all():
            track.samples.append(answer.embedding)
