"""Whether each of several people gets the face that was meant for them, in every frame: in files and live.

``python -m benchmarks.casting [--only WORDS]``

Goes through the situations of several people whose truth is known. In each, every actor is to get a face of their own;
in files people are first looked for, as ``understudy people`` does, live they are known from that. Counted are, of all
faces that can be seen: ``right`` that get their own, ``wrong`` another's, ``none`` that get nobody's (in a file they
are shown as they are, live they are blurred); and how often a minute somebody's face becomes another's (``changes``).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from understudy import Perception, Settings
from understudy.casting.assignment import Assigned
from understudy.casting.live_roles import LiveRoles
from understudy.casting.recognising import Recogniser
from understudy.casting.roles import LEAVE, Roles
from understudy.frames import Frame
from understudy.pipeline.ahead import Ahead
from understudy.pipeline.perceiving import Perceiving, Seen
from understudy.recognition.identity import IdentityNetwork
from understudy.swapping import Identity
from understudy.testing.opened import parts_of
from understudy.testing.scenes import SceneFrame
from understudy.testing.situations import CROWDS, PEOPLE, RATE, Situation
from understudy.tracking import TrackerOptions

#: A face this near to the truth (over its height) is that actor's; so much of it must be seen to count.
_NEAR, _SEEN = 0.35, 0.5


def shown(situation: Situation) -> list[tuple[Frame, SceneFrame]]:
    """The frames, with what is true of each."""
    shots = [situation.scene(number).draw() for number in range(situation.frames)]
    return [(Frame(shot.picture, number, Fraction(1, RATE)), shot) for number, shot in enumerate(shots)]


def actor_of(shot: SceneFrame, box: np.ndarray) -> int | None:
    """Whose face a box is; None for nobody's who can be seen well."""
    best, nearest = None, _NEAR
    for face in shot.faces:
        low, high = face.mesh[:, :2].min(0), face.mesh[:, :2].max(0)
        apart = float(np.linalg.norm((box[:2] + box[2:]) / 2 - (low + high) / 2) / (high[1] - low[1]))
        if face.seen >= _SEEN and apart < nearest:
            best, nearest = face.actor, apart
    return best


def looked_for(moments: list[tuple[Frame, SceneFrame]], perception: Perception) -> dict[int, tuple[int, np.ndarray]]:
    """The people by number: each one's actor, and what they look like."""
    tracker, recogniser = perception.tracker(TrackerOptions()), Recogniser(IdentityNetwork())
    votes: dict[int, Counter[int]] = {}
    for frame, shot in moments:
        faces = recogniser.update(frame, tracker.update(frame).faces).faces
        for box, person in zip(faces.boxes_xyxy, () if faces.person_ids is None else faces.person_ids, strict=True):
            actor = actor_of(shot, box)
            if actor is not None and person >= 0:
                votes.setdefault(recogniser.current(int(person)), Counter())[actor] += 1
    found = {person: count.most_common(1)[0][0] for person, count in votes.items()}
    return {one: (actor, recogniser.views(one)) for one, actor in found.items() if len(recogniser.views(one))}


def seen_in(kind: str, perceiving: Perceiving, moments: list[tuple[Frame, SceneFrame]]) -> Iterator[Seen]:
    """Who is in each frame, as a file's or a live session's frames are looked at."""
    if kind == "file":
        yield from (seen for _, seen in Ahead(perceiving, perceiving)(frame for frame, _ in moments))
        return
    for frame, _ in moments:
        begin = time.perf_counter()
        yield perceiving(frame)
        time.sleep(max(1 / RATE - (time.perf_counter() - begin), 0))  # embeddings are computed meanwhile


def played(kind: str, situation: Situation, perception: Perception) -> np.ndarray:
    """Faces that get their own, another's and nobody's, and changes of somebody's face: int (4,)."""
    moments = shown(situation)
    people = looked_for(moments, perception)
    identities = {actor: Identity() for actor in range(4)}
    of = {person: Assigned(identities[actor]) for person, (actor, _) in people.items()}
    views = {person: looks for person, (_, looks) in people.items()}
    roles = Roles(of, LEAVE, views) if kind == "file" else LiveRoles(of, LEAVE, views, {})
    perceiving = Perceiving(parts_of(Settings(), perception), live=kind == "live", roles=roles)
    counts, last = np.zeros(4, int), {}
    for seen, (_, shot) in zip(seen_in(kind, perceiving, moments), moments, strict=True):
        assigned = roles.assign(seen.faces)
        tracks = [] if seen.faces.track_ids is None else seen.faces.track_ids.tolist()
        for box, track in zip(seen.faces.boxes_xyxy, tracks, strict=True):
            actor = actor_of(shot, box)
            if actor is None:
                continue
            given = assigned.get(track)
            counts[2 if given is None else 0 if given.identity is identities[actor] else 1] += 1
            if given is not None:
                counts[3] += last.get(actor, given.identity) is not given.identity
                last[actor] = given.identity
    perceiving.close()
    return counts


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="words of the situations' names")
    only = parser.parse_args().only
    situations = [one for one in (*PEOPLE, *CROWDS) if only in one.name]
    perception = Perception.embedded()
    totals, frames = {kind: np.zeros(4, int) for kind in ("file", "live")}, 0
    print(f"{'':52s}      file: right wrong none changes      live: right wrong none changes")
    for situation in situations:
        told = []
        for kind, total in list(totals.items()):
            counts = played(kind, situation, perception)
            totals[kind] = total + counts
            told.append("{:16d} {:5d} {:4d} {:7d}".format(*counts))
        frames += situation.frames
        print(f"{situation.name:52.52s} {'  '.join(told)}", flush=True)
    for kind, (right, wrong, none, changes) in totals.items():
        faces, minutes = max(right + wrong + none, 1), max(frames, 1) / RATE / 60
        print(
            f"{kind}: of {faces} faces {right / faces:.1%} get their own, {wrong / faces:.2%} another's, "
            f"{none / faces:.1%} nobody's; {changes / minutes:.1f} changes a minute"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
