"""Measures how far apart embeddings of clips' frames are: by the size of a face, how it is turned, and how sharp it is.

``casting/gallery.py`` and ``casting/visible.py`` have the limits, ``docs/lab-book.md`` the figures. Run from the
repository root: ``python tools/identity_frames.py MEDIA``, a folder with ``sources`` (photos of one person each, which
are made to turn their heads) and ``targets`` (clips of one person each).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np

from understudy.arrays import BoolArray, FloatArray, UInt8Array
from understudy.frames import Frame
from understudy.geometry.topology import pose_degrees
from understudy.recognition.identity import SAME_PERSON, IdentityNetwork
from understudy.recognition.quality import sharpness
from understudy.resources.perception import Perception
from understudy.testing import Motion, Puppet, portrait, talking
from understudy.tracking import TrackerOptions

#: Frames of a clip, of which every fourth counts; heights of faces in pixels, and blurs over the height.
FRAMES, EVERY, HEIGHTS, BLURS = 200, 4, (96, 64, 48, 40, 32, 24), (0.0, 0.03, 0.06)


@dataclass
class Seen:
    """A face in a frame; ``height`` is None where it is as it came."""

    who: str
    height: int | None
    blur: float
    yaw: float
    pitch: float
    sharpness: float
    embedding: FloatArray


def turning(seconds: float) -> Motion:
    """A head that talks and turns far to both sides."""
    return replace(talking(seconds), yaw=42 * float(np.sin(2 * np.pi * seconds / 4)))


def decoded(clip: Path) -> list[UInt8Array]:
    """The first frames of a clip."""
    with av.open(str(clip)) as container:
        return [np.asarray(one.to_ndarray(format="bgr24")) for one in islice(container.decode(video=0), FRAMES)]


def acted(picture: UInt8Array, perception: Perception) -> list[UInt8Array]:
    """Frames of a portrait that turns its head; none if it shows no face."""
    try:
        puppet = Puppet(picture, (480, 360), face_share=0.6, perception=perception)
    except ValueError:
        return []
    return [puppet.render(turning(number / 30)).picture for number in range(120)]


def seen(who: str, frames: list[UInt8Array], perception: Perception, network: IdentityNetwork) -> Iterator[Seen]:
    """The faces of one person's frames, in all sizes and blurs."""
    full = 0.0
    for height in (None, *HEIGHTS):
        tracker = perception.tracker(TrackerOptions(max_faces=1))
        for number, frame in enumerate(frames):
            scale = 1.0 if height is None else height / max(full, 1.0)
            if scale > 1:
                break
            picture = (
                frame if height is None else cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            )
            faces = tracker.update(Frame(np.ascontiguousarray(picture), pts=number, time_base=Fraction(1, 30))).faces
            if not len(faces) or number % EVERY:
                continue
            tall = float(np.ptp(faces.mesh[0, :, 1]))
            full = tall if height is None else full
            yaw, pitch, _ = pose_degrees(faces.mesh[0])
            for blur in BLURS if height is None else (0.0,):
                shown = cv2.GaussianBlur(picture, (0, 0), blur * tall) if blur else picture
                sharp = sharpness(shown, faces.boxes_xyxy[0])
                yield Seen(who, height, blur, yaw, pitch, sharp, network.embed(shown, faces)[0])


def main() -> None:
    """Measure and print."""
    media, perception, network = Path(sys.argv[1]), Perception.embedded(), IdentityNetwork()
    people = {clip.name: decoded(clip) for clip in sorted((media / "targets").glob("*.mp4"))}
    people |= {one.name: acted(cv2.imread(str(one)), perception) for one in sorted((media / "sources").iterdir())}
    people |= {name: acted(portrait(name), perception) for name in ("hopper", "astronaut")}
    faces = [one for who, frames in people.items() for one in seen(who, frames, perception, network)]
    names = sorted({one.who for one in faces})
    embeddings = np.stack([one.embedding for one in faces])
    own_row = np.array([names.index(one.who) for one in faces])
    yaw, pitch = (np.abs([getattr(one, axis) for one in faces]) for axis in ("yaw", "pitch"))
    height = np.array([one.height or 0 for one in faces])
    blur, sharp = (np.array([getattr(one, name) for one in faces]) for name in ("blur", "sharpness"))
    # Each person's own: the mean of the five faces, as they came, that are least turned.
    as_came = (height == 0) & (blur == 0)
    means = []
    for row in range(len(names)):
        rows = np.flatnonzero(as_came & (own_row == row))
        means.append(embeddings[rows[np.argsort(yaw[rows])[:5]]].mean(axis=0))
    apart = np.linalg.norm(embeddings[:, None] - np.stack(means)[None], axis=2)
    own = apart[np.arange(len(faces)), own_row]
    apart[np.arange(len(faces)), own_row] = np.inf
    other = apart.min(axis=1)

    def line(words: str, which: BoolArray) -> None:
        if which.any():
            p50, p95 = np.percentile(own[which], [50, 95])
            shares = (
                f"{np.mean(own[which] >= SAME_PERSON):.1%} beyond, {np.mean(other[which] < SAME_PERSON):.1%} within"
            )
            print(
                f"{words:22s} n {which.sum():4d}  own {p50:.3f} {p95:.3f} {own[which].max():.3f}  "
                f"other {other[which].min():.3f}  {shares}  sharp {np.percentile(sharp[which], 1):.3f}"
            )

    ahead = (yaw < 20) & (pitch < 20)
    print(f"{len(names)} people, {len(faces)} faces: own p50, p95, most; other least; beyond and within {SAME_PERSON}")
    for tall in (0, *HEIGHTS):
        line(f"{tall or 'as came'} high", ahead & (blur == 0) & (height == tall))
    for low, high in ((0, 10), (10, 20), (20, 25), (25, 30), (30, 35), (35, 40), (40, 60)):
        line(f"turned {low}-{high}", (yaw >= low) & (yaw < high) & (blur == 0) & ((height == 0) | (height >= 64)))
    for one in BLURS:
        line(f"blurred {one:.2f}", ahead & (height == 0) & (blur == one))


if __name__ == "__main__":
    main()
