"""Fails closed: a face that should be swapped and is not, for the moment, is covered and never shown as it is.

A person who was swapped and is lost (turned away, behind a hand, too fast) is first covered by the last swap, moved
along with the picture, then blurred. After a cut, and at the beginning, the whole picture is blurred until somebody
is swapped or a thorough look has found nobody. Faces that are there beside the swapped one and were not chosen are
left alone: that is what choosing means.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Literal, Protocol, get_args

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.faces import FaceChoice, Faces
from understudy.frames import Frame, PixelBox
from understudy.geometry.boxes import bounds_xyxy
from understudy.patches import Patch, Warp
from understudy.pipeline.places import Small, alike, inside_larger, look, motion, same_face, small

OnLost = Literal["hold", "blur", "freeze", "pass"]
ON_LOST: Final[tuple[OnLost, ...]] = get_args(OnLost)
#: Longer side of the small picture in which motion is followed.
_FOLLOWED: Final = 320
#: A region is blurred so much larger than the box it is known by, and so much more with every second of not knowing.
_MARGIN, _GROWTH, _MOST = 0.35, 0.8, 2.0
#: Seconds between two frames after which nothing is known any more of who is where.
_GAP: Final = 0.5
#: Seconds after a start or a cut in which the choice may have fallen on the wrong face.
_UNSURE: Final = 1.0
#: Where everybody is swapped, every so-manieth frame is searched for a small face, too: that takes twice as long.
_GLANCE: Final = 3
#: Seconds between two looks for such a face later on.
_RESCAN: Final = 0.5
#: A face so many times as large as the one that is swapped is the one to be swapped.
_LARGER: Final = 1.5


class FindsFaces(Protocol):
    """A detector (see ``detection.Detector``)."""

    def detect(  # noqa: D102
        self, picture: UInt8Array, *, thorough: bool = False, glance: int | None = None
    ) -> Faces: ...


@dataclass(frozen=True)
class GuardOptions:
    """What is done about a face that is lost.

    Attributes:
        on_lost: ``hold`` the last swap, then blur; ``blur`` at once; ``freeze`` the whole picture; ``pass``: show
            the face as it is.
        hold_seconds: How long the last swap is held.
        cover_seconds: How long the place is covered where nothing is seen of the face any more; longer while it looks
            as it did with the face in it.
        settle_seconds: How long after a cut nobody must be found before a picture without a face is shown.
        search_seconds: While nobody is swapped, how often small faces are looked for.

    Raises:
        ValueError: another choice, or times below zero.
    """

    on_lost: OnLost = "hold"
    hold_seconds: float = 0.4
    cover_seconds: float = 2.0
    settle_seconds: float = 0.3
    search_seconds: float = 0.25

    def __post_init__(self) -> None:
        if self.on_lost not in ON_LOST:
            raise ValueError(f"a lost face can be met by {', '.join(ON_LOST)}, not {self.on_lost!r}")
        times = (self.hold_seconds, self.cover_seconds, self.settle_seconds, self.search_seconds)
        if not all(seconds >= 0 for seconds in times):
            raise ValueError("times can't be below zero")


@dataclass(eq=False)
class _Person:
    """Somebody who must not be shown as they are.

    Attributes:
        patch: The last swap; None for a face that was seen and not swapped yet.
        box: float32 xyxy: where the face is taken to be now.
        swapped: When it was swapped last.
        seen: When anything was seen of it last.
        followed: Whether its motion since then is known.
        look: What its place looked like when it was last swapped (see ``_look``).
    """

    patch: Patch | None
    box: FloatArray
    swapped: float
    seen: float
    followed: bool = True
    look: FloatArray | None = None
    moved: FloatArray = field(default_factory=lambda: np.zeros(2, np.float32))


@dataclass(frozen=True, eq=False)
class Cover:
    """What is to be done to a frame.

    Attributes:
        held: Swaps of earlier frames, moved to where the faces are now.
        blurred: Regions to blur.
        whole: Blur all of it.
        newcomers: What was found by looking for newcomers, if any of it is not swapped.
    """

    held: tuple[Patch, ...] = ()
    blurred: tuple[PixelBox, ...] = ()
    whole: bool = False
    newcomers: Faces | None = None

    @property
    def any(self) -> bool:
        """Whether anything is covered."""
        return bool(self.held or self.blurred or self.whole)


class Guard:
    """Watches over one clip. Frames come in order.

    Args:
        detector: Looks for faces that the tracker does not know: not the tracker's own, which runs at the same time.
        options: What is done.
        choice: Whose faces are to be swapped. If everybody's, every frame is searched for newcomers, in a thread beside
            the swap: for faces from a sixth of the picture's height all over, for small ones in one part after the
            other.
    """

    def __init__(
        self, detector: FindsFaces, options: GuardOptions | None = None, *, choice: FaceChoice = "largest"
    ) -> None:
        self.options = options or GuardOptions()
        self.choice: FaceChoice = choice
        self._glances = 0
        self._closed = False
        self._beside: ThreadPoolExecutor | None = None
        self._ahead: Future[Faces] | None = None
        self._small: Future[Small] | None = None
        #: Whether all whom we know of are swapped.
        self._calm = False
        self._detector = detector
        self._people: dict[int, _Person] = {}
        self._bystanders: set[int] = set()
        self._suspects = 0
        self._settling: float | None = None
        self._settled = False
        self._searched = -np.inf
        self._now: float | None = None
        self._step: float | None = None
        self._looked = -np.inf
        self._last: Small | None = None

    def look_ahead(self, frame: Frame) -> None:
        """Begin beside other work with what needs ``frame`` only, which is not written to before ``cover``."""
        if self.options.on_lost == "pass" or self._closed:
            return
        self._beside = self._beside or ThreadPoolExecutor(1, "guard")
        with suppress(RuntimeError):  # closed meanwhile
            self._small = self._beside.submit(small, frame.picture, _scale(frame))
            if self.choice == "all" and self._calm:
                self._glances += 1
                glance = None if self._glances % _GLANCE else self._glances // _GLANCE
                detect = partial(self._detector.detect, glance=glance)
                self._ahead = self._beside.submit(detect, frame.picture)

    def close(self) -> None:
        """End what runs beside."""
        self._closed = True
        if self._beside is not None:
            self._beside.shutdown()

    def cover(self, frame: Frame, faces: Faces, chosen: Faces, patches: list[Patch], *, cut: bool) -> Cover:
        """What has to be covered in ``frame``, which holds no swap yet.

        Args:
            frame: As it came.
            faces: Everybody who is tracked.
            chosen: Those who should be swapped.
            patches: The swaps that there are.
            cut: Whether a new shot begins.
        """
        ahead, self._ahead = self._ahead, None
        found = None if ahead is None else ahead.result()
        if self.options.on_lost == "pass":
            return Cover()
        now, scale = frame.seconds, _scale(frame)
        begun, self._small = self._small, None
        before, self._last = self._last, small(frame.picture, scale) if begun is None else begun.result()
        gap = self._is_gap(now)
        if cut or gap or self._settling is None:
            self._bystanders, self._settling, self._settled = set(), now, False
            self._searched = self._looked = -np.inf
            if cut:
                self._people = {}
            for person in self._people.values():
                person.followed = False
        self._know(faces, chosen, patches, now)
        self._follow(patches, before, scale, now, cut=cut)
        self._suspect(frame, faces, chosen, patches, found)
        self._calm = bool(patches) and not self._unswapped(patches)
        if patches or now - self._settling >= self.options.settle_seconds:
            self._settled = True
        held: list[Patch | None] = []
        regions: list[FloatArray] = []
        for person in self._unswapped(patches):
            holding = self.options.on_lost == "hold" and now - person.swapped <= self.options.hold_seconds
            if person.patch is not None and holding and person.followed:
                held.append(_moved(person.patch, person.moved, frame))
            else:
                regions.append(_grown(person.box, now - person.seen))
        whole = not self._settled and not patches
        boxes = tuple(PixelBox(*np.rint(region).astype(int)) for region in regions)
        newcomers = found if found is not None and self._unswapped(patches) else None
        return Cover(tuple(p for p in held if p is not None), boxes, whole, newcomers)

    def _is_gap(self, now: float) -> bool:
        """Whether so much time passed since the frame before that faces may be anywhere."""
        before, self._now = self._now, now
        if before is None:
            return False
        step, usual = now - before, self._step
        self._step = step if usual is None else usual + 0.2 * (step - usual)
        return not 0 <= step <= max(_GAP, 3 * (usual or 0.0))

    def _know(self, faces: Faces, chosen: Faces, patches: list[Patch], now: float) -> None:
        """Note who is swapped, and who stands beside."""
        for patch in patches:
            box = bounds_xyxy(patch.mesh[None])[0]
            self._people[patch.track_id] = _Person(patch, box, now, now)
        if patches and faces.track_ids is not None and chosen.track_ids is not None:
            self._bystanders |= set(faces.track_ids.tolist()) - set(chosen.track_ids.tolist())
            self._bystanders -= set(chosen.track_ids.tolist())
            # Whoever turns out to stand beside is not covered any longer: nor what was seen of them before.
            for number in self._bystanders & self._people.keys():
                del self._people[number]
            beside = self._beside_boxes(faces)
            for number in [key for key, person in self._people.items() if person.patch is None]:
                if same_face(self._people[number].box, beside):
                    del self._people[number]

    def _beside_boxes(self, faces: Faces) -> FloatArray:
        numbers = [] if faces.track_ids is None else faces.track_ids.tolist()
        boxes = [box for box, number in zip(faces.boxes_xyxy, numbers, strict=False) if number in self._bystanders]
        return np.array(boxes, np.float32).reshape(-1, 4)

    def _unswapped(self, patches: list[Patch]) -> list[_Person]:
        swapped = {patch.track_id for patch in patches}
        return [person for number, person in self._people.items() if number not in swapped]

    def _follow(self, patches: list[Patch], before: Small | None, scale: float, now: float, *, cut: bool) -> None:
        """Move those who are not swapped to where they are; forget who is gone or swapped under another number."""
        present = _boxes(patches)
        swapped = {patch.track_id for patch in patches}
        for number in [key for key in self._people if key not in swapped]:
            person = self._people[number]
            assert self._last is not None
            if before is not None and not cut and before.grey.shape == self._last.grey.shape:
                if person.look is None:
                    person.look = look(before.color, person.box * scale)
                step = motion(before.grey, self._last.grey, person.box * scale)
                person.followed = person.followed and step is not None
                if step is not None:
                    person.moved = person.moved + step / scale
                    person.box = person.box + np.tile(step / scale, 2).astype(np.float32)
            unseen = now - person.seen > self.options.cover_seconds
            # Nothing is found there, but it looks as they did: turned away, or in a light in which nothing is found.
            gone = unseen and (
                person.patch is None or not alike(person.look, look(self._last.color, person.box * scale))
            )
            if gone or same_face(person.box, present):
                del self._people[number]

    def _suspect(self, frame: Frame, faces: Faces, chosen: Faces, patches: list[Patch], found: Faces | None) -> None:
        """Note faces that are seen and neither swapped nor known to stand beside: they stay covered until they are."""
        unswapped, now = self._unswapped(patches), frame.seconds
        # At first and now and then: somebody whom the mesh does not fit may be the one to be swapped.
        unsure = self._settling is not None and now - self._settling < _UNSURE
        if patches and not unswapped and found is None and not unsure and now - self._looked < _RESCAN:
            return
        self._looked = now
        numbers = [] if faces.track_ids is None else faces.track_ids.tolist()
        swapped = {patch.track_id for patch in patches}
        tracked = [
            box
            for box, number in zip(faces.boxes_xyxy, numbers, strict=False)
            if number not in self._bystanders and number not in swapped
        ]
        # A thorough look takes the time of several frames: one at once after a cut, then now and then - and none for
        # somebody who is there, only not swapped: a mesh that is not to be trusted.
        thorough = not patches and not len(chosen) and not 0 <= now - self._searched < self.options.search_seconds
        if thorough:
            self._searched = now
        if found is None or thorough:
            found = self._detector.detect(frame.picture, thorough=thorough)
        present = _boxes(patches)
        explained = np.concatenate([present, self._beside_boxes(faces)])
        for box in [*tracked, *found.boxes_xyxy]:
            if same_face(box, explained) or inside_larger(box, explained) or not self._chosen_over(box, present):
                continue
            known = next((one for one in unswapped if same_face(box, one.box[None])), None)
            if known is not None:
                known.seen = now
                known.box = np.concatenate([np.minimum(known.box, box)[:2], np.maximum(known.box, box)[2:]])
                if known.patch is None:
                    known.box = box
                continue
            self._suspects -= 1
            self._people[self._suspects] = _Person(None, box, -np.inf, now)
            unswapped.append(self._people[self._suspects])

    def _chosen_over(self, box: FloatArray, present: FloatArray) -> bool:
        """Whether a face there would be swapped though others are."""
        if self.choice == "all" or not len(present):
            return True
        middles = present[:, [0, 2]].mean(1)
        if self.choice == "left":
            return bool(box[[0, 2]].mean() < middles.min())
        if self.choice == "right":
            return bool(box[[0, 2]].mean() > middles.max())
        areas = (present[:, 2] - present[:, 0]) * (present[:, 3] - present[:, 1])
        return bool((box[2] - box[0]) * (box[3] - box[1]) > _LARGER * areas.max())


def _scale(frame: Frame) -> float:
    """Size of the small picture over the frame's."""
    return _FOLLOWED / max(frame.width, frame.height, _FOLLOWED)


def _moved(patch: Patch, by: FloatArray, frame: Frame) -> Patch | None:
    """A patch at another place, cut to the frame; None if nothing is left of it."""
    dx, dy = (round(float(step)) for step in by)
    box = PixelBox(patch.box.x0 + dx, patch.box.y0 + dy, patch.box.x1 + dx, patch.box.y1 + dy)
    inside = box.clipped(frame.width, frame.height)
    if inside.empty:
        return None
    rows = slice(inside.y0 - box.y0, inside.y1 - box.y0)
    columns = slice(inside.x0 - box.x0, inside.x1 - box.x0)
    shift, warp = np.array([dx, dy, 0], np.float32), patch.warp
    return replace(
        patch,
        picture=np.ascontiguousarray(patch.picture[rows, columns]),
        alpha=np.ascontiguousarray(patch.alpha[rows, columns]),
        uv=np.ascontiguousarray(patch.uv[rows, columns]),
        warp=None if warp is None else Warp(warp.mesh + shift, np.ascontiguousarray(warp.field[rows, columns])),
        box=inside,
        mesh=patch.mesh + shift,
    )


def _grown(box: FloatArray, unseen: float) -> FloatArray:
    """The box with a margin that grows with the seconds since anything was seen there."""
    share = _MARGIN + _GROWTH * unseen
    width, height = box[2] - box[0], box[3] - box[1]
    return box + np.array([-width, -height, width, height], np.float32) * np.float32(min(share, _MOST))


def _boxes(patches: list[Patch]) -> FloatArray:
    """Where the swaps are: float32 (n, 4)."""
    return np.array([bounds_xyxy(patch.mesh[None])[0] for patch in patches], np.float32).reshape(-1, 4)
