"""The plan of a clip: what its segments are, and all that they have in common. It is made once and never changes.

A segment is made of the clip, the photos, the settings and the plan alone. So it does not matter which are made before
it, nor by whom: a clip that was broken off goes on at the first that is missing, and several may be made at a time.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, get_args

import numpy as np

from understudy.casting.clip_person import ClipPerson
from understudy.media.base import MediaInfo
from understudy.media.files.trimming import excerpt_of
from understudy.provenance.label import Corner
from understudy.resources.trust import Permission
from understudy.settings import TrimOptions


@dataclass(frozen=True)
class Segment:
    """A part of a clip. Times are in units of the clip's time base.

    Attributes:
        index: Its place in the plan, from 0.
        begins: When the picture is shown with which its decoding begins; frames before ``first`` only warm what goes
            from one frame to the next, and are passed over where it is the plan's first. None for the clip's beginning.
        first: When its first frame is shown.
        last: When its last one is; None for all to the end.
        frames: How many there are, as the clip's packets say.
        order: People who are chosen before it, by number: who comes first (see ``FaceSelector``).
        corner: Where the label stands at its beginning; None for where the settings say.
    """

    index: int
    begins: int | None
    first: int
    last: int | None
    frames: int
    order: tuple[int, ...] = ()
    corner: Corner | None = None


@dataclass(frozen=True, eq=False)
class ClipPlan:
    """The plan of a clip. It holds embeddings of the people in it, which are biometric, and goes with its job.

    Attributes:
        identifier: Of the output: 48 bits, in each frame's mark.
        made_of: Digest of all that it was made of; with any other it does not hold.
        opened: When the clip begins, in seconds: from then on the label is shown in full.
        threads: Of the encoder, whatever machine encodes.
        segments: In order.
        people: Everybody who was found in the clip, with what they look like.
        permissions: What allows using each photo, by its SHA-256.
    """

    identifier: int
    made_of: str
    opened: float
    threads: int
    segments: tuple[Segment, ...]
    people: tuple[ClipPerson, ...]
    permissions: Mapping[str, Permission]

    @property
    def frames(self) -> int:
        """How many frames the clip has, as its packets say."""
        return sum(segment.frames for segment in self.segments)

    def shown_of(self, info: MediaInfo, trim: TrimOptions) -> MediaInfo:
        """What the plan makes of a clip: all of it, or a part.

        Args:
            info: What the clip is.
            trim: Which part.
        """
        if trim.whole:
            return info
        return excerpt_of(info, self.segments[0].first if trim.since else 0, trim.until, self.frames)

    def as_json(self) -> dict[str, Any]:
        """The plan as plain values."""
        return {
            "identifier": self.identifier,
            "made_of": self.made_of,
            "opened": self.opened,
            "threads": self.threads,
            "segments": [asdict(segment) for segment in self.segments],
            "people": [_plain(person) for person in self.people],
            "permissions": {digest: list(one) for digest, one in self.permissions.items()},
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ClipPlan:
        """The plan that ``as_json`` gave.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        segments = tuple(_segment(one) for one in values["segments"])
        if [one.index for one in segments] != list(range(len(segments))):
            raise ValueError("segments are missing")
        return cls(
            identifier=int(values["identifier"]),
            made_of=str(values["made_of"]),
            opened=float(values["opened"]),
            threads=int(values["threads"]),
            segments=segments,
            people=tuple(_person(one) for one in values["people"]),
            permissions={str(digest): Permission(*map(str, one)) for digest, one in values["permissions"].items()},
        )


def _segment(values: Mapping[str, Any]) -> Segment:
    known = {field.name: values[field.name] for field in fields(Segment)}
    if known["corner"] not in (None, *get_args(Corner)):
        raise ValueError("no such corner")
    return Segment(**known | {"order": tuple(map(int, known["order"]))})


def _plain(person: ClipPerson) -> dict[str, Any]:
    return {
        "number": person.number,
        "clip": person.clip,
        "share": person.share,
        "seconds": [person.first_seconds, person.last_seconds],
        "center": list(person.center_xy),
        "size": person.size,
        "embedder": person.embedder,
        "views": [base64.b64encode(view.astype("<f4").tobytes()).decode() for view in person.views],
    }


def _person(values: Mapping[str, Any]) -> ClipPerson:
    views = [np.frombuffer(base64.b64decode(text), "<f4").astype(np.float32) for text in values["views"]]
    first, last = values["seconds"]
    return ClipPerson(
        number=int(values["number"]),
        clip=str(values["clip"]),
        share=float(values["share"]),
        first_seconds=first,
        last_seconds=last,
        center_xy=(float(values["center"][0]), float(values["center"][1])),
        size=float(values["size"]),
        views=np.stack(views) if views else np.zeros((0, 0), np.float32),
        embedder=str(values["embedder"]),
    )
