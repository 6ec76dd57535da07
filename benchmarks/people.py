"""Whether people keep their numbers through a clip: identity switches a minute, and joins that are right and wrong.

``python -m benchmarks.people [--only WORDS] [--clips FOLDER]``

Goes through the situations of ``understudy.testing.situations.PEOPLE``, whose truth is known. ``--clips`` does the same
with the videos in a folder, each of one person by whom nobody else's is: of each two of them one is shown, cut to the
other, and back. Printed are, with tracks as numbers (``before``) and with people's (``after``): switches, how often
somebody's number in a frame is another than it was; and what became of somebody's further tracks: joined with that
person's (right), with somebody else's (wrong), or with nobody's (missed). ``new`` are first tracks that were joined
with somebody else, wrongly. Last come the embeddings asked for, and milliseconds a frame of tracking and recognising.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import combinations, islice
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np

from understudy import Perception
from understudy.arrays import UInt8Array
from understudy.casting.recognising import Recogniser
from understudy.face import Faces
from understudy.frames import Frame
from understudy.recognition.identity import IdentityNetwork
from understudy.testing.scenes import FaceTruth
from understudy.testing.situations import PEOPLE, RATE, Situation
from understudy.tracking import TrackerOptions

#: A face this near to the truth (over its height) is that actor's.
_NEAR = 0.35
#: Frames of each shot of a pair of clips, and the size that they are put into.
_SHOT, _SIZE = 60, (854, 480)


class Moment(NamedTuple):
    """A picture, uint8 BGR (H, W, 3), and who is in it: an actor's name and face, None where that is not known."""

    picture: UInt8Array
    people: list[tuple[str, FaceTruth | None]]


class Sighting(NamedTuple):
    """Somebody in a frame, under a track's number and under a person's, -1 for nobody's."""

    actor: str
    track: int
    person: int


class Counts(NamedTuple):
    """Of one clip: what is said at the top."""

    switches: int
    right: int
    wrong: int
    missed: int
    new: int


def acted(situation: Situation) -> Iterator[Moment]:
    """The frames of a situation."""
    for number in range(situation.frames):
        shot = situation.scene(number).draw()
        yield Moment(shot.picture, [(str(face.actor), face) for face in shot.faces])


def in_turn(first: Path, second: Path) -> Iterator[Moment]:
    """One clip, the other, and the first again from where it was left."""
    pictures = {path: decoded(path) for path in (first, second)}
    for path in (first, second, first):
        for picture in islice(pictures[path], _SHOT):
            yield Moment(picture, [(path.stem, None)])


def decoded(clip: Path) -> Iterator[UInt8Array]:
    """The frames of a video, in the middle of a black picture."""
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            picture = frame.to_ndarray(format="bgr24")
            scale = min(_SIZE[0] / picture.shape[1], _SIZE[1] / picture.shape[0])
            small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            shown = np.zeros((_SIZE[1], _SIZE[0], 3), np.uint8)
            top, left = (_SIZE[1] - small.shape[0]) // 2, (_SIZE[0] - small.shape[1]) // 2
            shown[top : top + small.shape[0], left : left + small.shape[1]] = small
            yield shown


def sightings(moment: Moment, faces: Faces) -> Iterator[Sighting]:
    """Who of those who are there was seen."""
    assert faces.track_ids is not None or not len(faces)
    for name, truth in moment.people:
        if not len(faces):
            return
        row = 0  # the largest
        if truth is not None:
            middles = (faces.boxes_xyxy[:, :2] + faces.boxes_xyxy[:, 2:]) / 2
            there = (truth.mesh[:, :2].min(0) + truth.mesh[:, :2].max(0)) / 2
            apart = np.hypot(*(middles - there).T) / np.ptp(truth.mesh[:, 1])
            row = int(np.argmin(apart))
            if apart[row] > _NEAR or truth.seen < 0.5:
                continue
        assert faces.track_ids is not None and faces.person_ids is not None
        yield Sighting(name, int(faces.track_ids[row]), int(faces.person_ids[row]))


def counted(seen: list[list[Sighting]], numbers: dict[Sighting, int]) -> Counts:
    """Count; ``numbers`` are what each sighting is known as, -1 for unknown."""
    switches = right = wrong = missed = new = 0
    known: dict[str, int] = {}
    last: dict[tuple[str, int], int] = {}  # what an actor's track was known as at its end
    for frame in seen:
        for one in frame:
            number = numbers[one]
            if number >= 0:
                switches += known.get(one.actor, number) != number
                known[one.actor] = number
            last[one.actor, one.track] = max(number, last.get((one.actor, one.track), -1))
    owner: dict[int, str] = {}
    for (actor, _), number in last.items():
        first = actor not in owner.values()
        if number < 0:
            missed += not first
        elif number in owner:
            right += owner[number] == actor
            wrong += owner[number] != actor and not first
            new += owner[number] != actor and first
        else:
            missed += not first
            owner[number] = actor
    return Counts(switches, right, wrong, missed, new)


def played(moments: Iterable[Moment], perception: Perception, embedder: IdentityNetwork) -> tuple[Counts, Counts, str]:
    """Go through one clip: the counts before and after, and what it cost."""
    tracker, recogniser = perception.tracker(TrackerOptions()), Recogniser(embedder)
    seen: list[list[Sighting]] = []
    tracking = recognising = 0.0
    for number, moment in enumerate(moments):
        frame = Frame(moment.picture, pts=number, time_base=Fraction(1, RATE))
        start = time.perf_counter()
        faces = tracker.update(frame).faces
        between = time.perf_counter()
        faces = recogniser.update(frame, faces).faces
        recognising, tracking = recognising + time.perf_counter() - between, tracking + between - start
        seen.append(list(sightings(moment, faces)))
    every = {one for frame in seen for one in frame}
    before = counted(seen, {one: one.track for one in every})
    after = counted(seen, {one: one.person for one in every})
    ms = 1000 / len(seen)
    return before, after, f"{recogniser.embeddings:3d} {tracking * ms:6.1f} {recognising * ms:5.2f}"


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="words of the situations' names")
    parser.add_argument("--clips", type=Path, default=None)
    asked = parser.parse_args()
    clips: list[tuple[str, Iterator[Moment]]] = [(one.name, acted(one)) for one in PEOPLE if asked.only in one.name]
    if asked.clips is not None:
        for first, second in combinations(sorted(asked.clips.glob("*.mp4")), 2):
            clips.append((f"{first.stem}, {second.stem}, and back", in_turn(first, second)))
    perception, embedder = Perception.embedded(), IdentityNetwork()
    totals, frames = np.zeros((2, len(Counts._fields)), int), 0
    words = "  ".join(f"{word:>8s}" for word in Counts._fields)
    print(f"{'':52s} {words}   embeddings, ms tracking, recognising")
    for name, moments in clips:
        shown = list(moments)
        before, after, cost = played(shown, perception, embedder)
        totals, frames = totals + np.array([before, after]), frames + len(shown)
        pairs = "  ".join(f"{a:3d} > {b:2d}" for a, b in zip(before, after, strict=True))
        print(f"{name:52.52s} {pairs}   {cost}", flush=True)
    for word, (switches, right, wrong, missed, new) in zip(("before", "after"), totals, strict=True):
        tracks, minutes = max(right + wrong + missed, 1), max(frames, 1) / RATE / 60
        print(
            f"{word}: {switches / minutes:.1f} identity switches a minute; of {tracks} further tracks "
            f"{right / tracks:.0%} joined rightly, {wrong / tracks:.0%} wrongly; {new} newcomers taken for somebody"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
