"""Whether a face that should be swapped is ever shown as it is, and how often something is covered without need.

``python -m benchmarks.guard [--on-lost hold|blur|freeze] [--rests N] [--only WORDS] [--clips FOLDER]
[--pictures FOLDER]``

Goes through the situations of ``understudy.testing.situations``, whose truth is known, frame by frame as a live
session would, and prints for each: frames, frames in which a face is shown raw, frames with anything covered, and
frames in which that was not needed. ``--rests 1`` and ``2`` do so as a session in haste, whose meshes only follow the
picture in every second frame, or in two of three. ``--clips`` does the same with the videos in a folder, of which the
truth is not known: there only what was covered is counted. ``--pictures`` keeps the raw and the needlessly covered
frames. Ends with 1 if any is raw.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np

from understudy import Perception, Settings
from understudy.arrays import UInt8Array
from understudy.casting.assignment import OnePerson
from understudy.casting.portraits import portrait_in
from understudy.detection import BlazeFace
from understudy.face import FaceChoice
from understudy.frames import Frame
from understudy.guard import Guard, GuardOptions, OnLost
from understudy.pipeline.live import LivePipeline
from understudy.pipeline.tally import Swapped
from understudy.testing.opened import parts_of
from understudy.testing.scenes import FaceTruth, SceneFrame, is_raw, spotted
from understudy.testing.situations import RATE, SITUATIONS, Situation

#: A swap this near to a face (over the face's height) is the face's own; so little of a face needs none.
_ITS_OWN, _NONE = 0.35, 0.03


class Count(NamedTuple):
    """Frames of one situation."""

    frames: int
    raw: int
    covered: int
    needless: int


def swapper(on_lost: OnLost, faces: FaceChoice, rests: int = 0) -> LivePipeline:
    """What a live session makes of its frames, with the mesh engine and a face that no actor has.

    ``rests`` as of ``Tracker``.
    """
    perception = Perception.embedded()
    parts = parts_of(Settings(faces=faces), perception)
    identity = parts.engine.identity([portrait_in(spotted(), "a spotted portrait", perception, None)[0]])
    guard = Guard(BlazeFace(), GuardOptions(on_lost=on_lost), choice=faces)
    stages = LivePipeline(parts, OnePerson(identity), guard)
    stages.tracker.rests = rests
    return stages


def is_swapped(face: FaceTruth, done: Swapped) -> bool:
    """Whether a swap of this frame lies on the face."""
    middle, height = face.mesh[:, :2].mean(0), float(np.ptp(face.mesh[:, 1]))
    own = done.patches[: len(done.patches) - len(done.cover.held)]
    return any(float(np.hypot(*(patch.mesh[:, :2].mean(0) - middle))) < _ITS_OWN * height for patch in own)


def frames_of(situation: Situation) -> Iterator[tuple[SceneFrame, float]]:
    """Its frames and their times in seconds."""
    rests = dict(situation.rests)
    late = 0.0
    for number in range(situation.frames):
        late += rests.get(number, 0.0)
        yield situation.scene(number).draw(), number / RATE + late


def played(situation: Situation, on_lost: OnLost, keep: Path | None, rests: int = 0) -> Count:
    """Go through one situation."""
    stages = swapper(on_lost, situation.faces, rests)
    raw = covered = needless = 0
    for number, (shot, seconds) in enumerate(frames_of(situation)):
        frame = Frame(shot.picture.copy(), pts=round(seconds * 1e6), time_base=Fraction(1, 1_000_000))
        done = stages.swap(frame)
        chosen = [one for one in shot.faces if situation.chosen is None or one.actor in situation.chosen]
        shown_raw = any(is_raw(shot.picture, frame.picture, one) for one in chosen)
        unneeded = done.cover.any and all(one.seen < _NONE or is_swapped(one, done) for one in chosen)
        raw, covered, needless = raw + shown_raw, covered + done.cover.any, needless + unneeded
        if keep is not None and (shown_raw or unneeded):
            name = f"{re.sub(r'[^a-z0-9]+', '-', situation.name)}-{'raw' if shown_raw else 'needless'}-{number:03d}.png"
            cv2.imwrite(str(keep / name), np.hstack([shot.picture, frame.picture]))
    stages.close()
    return Count(situation.frames, raw, covered, needless)


def decoded(clip: Path, most: int) -> Iterator[tuple[UInt8Array, float]]:
    """The frames of a video, and their times in seconds."""
    with av.open(str(clip)) as container:
        for frame in islice(container.decode(video=0), most):
            yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8), float(frame.time or 0)


def clip_covered(clip: Path, on_lost: OnLost, faces: FaceChoice, keep: Path | None, rests: int) -> tuple[int, int]:
    """Frames of a video, and how many had something covered."""
    stages, frames = swapper(on_lost, faces, rests), 0
    for frames, (picture, seconds) in enumerate(decoded(clip, 400), 1):
        frame = Frame(picture.copy(), pts=round(seconds * 1e6), time_base=Fraction(1, 1_000_000))
        if stages.swap(frame).cover.any and keep is not None:
            cv2.imwrite(str(keep / f"{clip.stem}-{faces}-{frames:03d}.png"), np.hstack([picture, frame.picture]))
    stages.close()
    return frames, stages.tally.frames_covered


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--on-lost", choices=("hold", "blur", "freeze"), default="hold")
    parser.add_argument("--rests", type=int, choices=(0, 1, 2), default=0)
    parser.add_argument("--only", default="", help="words of the situations' names or groups")
    parser.add_argument("--clips", type=Path, default=None)
    parser.add_argument("--pictures", type=Path, default=None)
    asked = parser.parse_args()
    if asked.pictures is not None:
        asked.pictures.mkdir(parents=True, exist_ok=True)
    totals = {True: np.zeros(4, int), False: np.zeros(4, int)}
    print(f"{'':52s} frames   raw  covered  needless   ({asked.on_lost})")
    for situation in SITUATIONS:
        if asked.only not in f"{situation.group}: {situation.name}":
            continue
        count = played(situation, asked.on_lost, asked.pictures, asked.rests)
        totals[situation.group == "ordinary"] += count
        line = f"{situation.group}: {situation.name}"
        print(f"{line:62s} {count.frames:4d} {count.raw:4d} {count.covered:4d} {count.needless:4d}", flush=True)
    for clip in sorted(asked.clips.glob("*.mp4")) if asked.clips is not None else []:
        for faces in ("largest", "all"):
            frames, covered = clip_covered(clip, asked.on_lost, faces, asked.pictures, asked.rests)  # type: ignore[arg-type]
            print(f"{f'clip: {clip.name}, {faces}':62s} {frames:4d}      {covered:4d}", flush=True)
    for ordinary, (frames, raw, covered, needless) in totals.items():
        words = "ordinary" if ordinary else "all others"
        share = needless / max(frames, 1)
        print(f"{words}: {frames} frames, {raw} raw, {covered} covered, {needless} needlessly ({share:.1%})")
    return int(bool(totals[True][1] or totals[False][1]))


if __name__ == "__main__":
    sys.exit(main())
