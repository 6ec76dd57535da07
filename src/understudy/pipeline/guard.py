"""Fails closed: a face that should be swapped and is not, for the moment, is covered and never shown as it is.

A person who was swapped and is lost (turned away, behind a hand, too fast) is first covered by the last swap, moved
along with the picture, then blurred. After a cut, and at the beginning, the whole picture is blurred until somebody
is swapped or a thorough look has found nobody. Faces that are there beside the swapped one and were not chosen are
left alone: that is what choosing means.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Literal, Protocol, get_args

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.faces import Faces
from understudy.frames import Frame, PixelBox
from understudy.geometry.boxes import bounds_xyxy, shared_xyxy
from understudy.patches import Patch

OnLost = Literal["hold", "blur", "freeze", "pass"]
ON_LOST: Final[tuple[OnLost, ...]] = get_args(OnLost)
#: Longer side of the small picture in which motion is followed.
_FOLLOWED: Final = 320
#: Points that motion is taken from; fewer that agree are no motion to rely on.
_POINTS, _AGREEING = 60, 10
#: A region is blurred so much larger than the box it is known by, and so much more with every second of not knowing.
_MARGIN, _GROWTH = 0.35, 0.8
#: Cells that are left of a blurred region's shorter side.
_CELLS: Final = 5
#: Seconds between two frames after which nothing is known any more of who is where.
_GAP: Final = 0.5
#: Boxes that share more than this of the smaller are one face.
_SAME: Final = 0.3


class FindsFaces(Protocol):
    """A detector (see ``detection.Detector``)."""

    def detect(self, picture: UInt8Array, *, thorough: bool = False) -> Faces: ...  # noqa: D102


@dataclass(frozen=True)
class GuardOptions:
    """What is done about a face that is lost.

    Attributes:
        on_lost: ``hold`` the last swap, then blur; ``blur`` at once; ``freeze`` the whole picture; ``pass``: show
            the face as it is.
        hold_seconds: How long the last swap is held.
        cover_seconds: How long the place is covered where nothing is seen of the face any more.
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
    """

    patch: Patch | None
    box: FloatArray
    swapped: float
    seen: float
    followed: bool = True
    moved: FloatArray = field(default_factory=lambda: np.zeros(2, np.float32))


@dataclass(frozen=True, eq=False)
class Cover:
    """What is to be done to a frame.

    Attributes:
        held: Swaps of earlier frames, moved to where the faces are now.
        blurred: Regions to blur.
        whole: Blur all of it.
    """

    held: tuple[Patch, ...] = ()
    blurred: tuple[PixelBox, ...] = ()
    whole: bool = False

    @property
    def any(self) -> bool:
        """Whether anything is covered."""
        return bool(self.held or self.blurred or self.whole)


class Guard:
    """Watches over one clip. Frames come in order.

    Args:
        detector: Looks for faces that the tracker does not know.
        options: What is done.
    """

    def __init__(self, detector: FindsFaces, options: GuardOptions | None = None) -> None:
        self.options = options or GuardOptions()
        self._detector = detector
        self._people: dict[int, _Person] = {}
        self._bystanders: set[int] = set()
        self._suspects = 0
        self._looked = -np.inf
        self._settling: float | None = None
        self._settled = False
        self._searched = -np.inf
        self._now: float | None = None
        self._last: UInt8Array | None = None

    def cover(
        self, frame: Frame, faces: Faces, chosen: Faces, patches: list[Patch], *, cut: bool, looked: bool = False
    ) -> Cover:
        """What has to be covered in ``frame``, which holds no swap yet.

        Args:
            frame: As it came.
            faces: Everybody who is tracked.
            chosen: Those who should be swapped.
            patches: The swaps that there are.
            cut: Whether a new shot begins.
            looked: Whether the tracker looked for new faces in this frame: no need to look again at once.
        """
        if self.options.on_lost == "pass":
            return Cover()
        now, scale = frame.seconds, _FOLLOWED / max(frame.width, frame.height, _FOLLOWED)
        before, self._last = self._last, _small(frame.picture, scale)
        gap = self._now is not None and not 0 <= now - self._now <= _GAP
        self._now = now
        if cut or gap or self._settling is None:
            self._people, self._bystanders, self._settling, self._settled = {}, set(), now, False
            self._searched = -np.inf
        if looked:
            self._looked = now
        self._know(faces, chosen, patches, now)
        self._follow(patches, before, scale, now, cut=cut)
        self._suspect(frame, faces, chosen, patches, now)
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
        return Cover(tuple(p for p in held if p is not None), boxes, whole)

    def _know(self, faces: Faces, chosen: Faces, patches: list[Patch], now: float) -> None:
        """Note who is swapped, and who stands beside."""
        for patch in patches:
            box = bounds_xyxy(patch.mesh[None])[0]
            self._people[patch.track_id] = _Person(patch, box, now, now)
        if patches and faces.track_ids is not None and chosen.track_ids is not None:
            self._bystanders |= set(faces.track_ids.tolist()) - set(chosen.track_ids.tolist())
            self._bystanders -= set(chosen.track_ids.tolist())

    def _unswapped(self, patches: list[Patch]) -> list[_Person]:
        swapped = {patch.track_id for patch in patches}
        return [person for number, person in self._people.items() if number not in swapped]

    def _follow(self, patches: list[Patch], before: UInt8Array | None, scale: float, now: float, *, cut: bool) -> None:
        """Move those who are not swapped to where they are; forget who is gone or swapped under another number."""
        present = _boxes(patches)
        swapped = {patch.track_id for patch in patches}
        for number in [key for key in self._people if key not in swapped]:
            person = self._people[number]
            if before is not None and self._last is not None and not cut and before.shape == self._last.shape:
                step = _motion(before, self._last, person.box * scale)
                person.followed = person.followed and step is not None
                if step is not None:
                    person.moved = person.moved + step / scale
                    person.box = person.box + np.tile(step / scale, 2).astype(np.float32)
            if now - person.seen > self.options.cover_seconds or _shared(person.box, present) > _SAME:
                del self._people[number]

    def _suspect(self, frame: Frame, faces: Faces, chosen: Faces, patches: list[Patch], now: float) -> None:
        """Note faces that are seen and neither swapped nor known to stand beside: they stay covered until they are."""
        unswapped = self._unswapped(patches)
        everybody = len(chosen) == len(faces) and not self._bystanders
        if patches and not unswapped and not (everybody and now - self._looked >= self.options.search_seconds):
            return
        self._looked = now
        numbers = [] if faces.track_ids is None else faces.track_ids.tolist()
        swapped = {patch.track_id for patch in patches}
        beside = [box for box, number in zip(faces.boxes_xyxy, numbers, strict=False) if number in self._bystanders]
        tracked = [
            box
            for box, number in zip(faces.boxes_xyxy, numbers, strict=False)
            if number not in self._bystanders and number not in swapped
        ]
        # A thorough look takes the time of several frames: one at once after a cut, then now and then.
        thorough = not patches and not 0 <= now - self._searched < self.options.search_seconds
        if thorough:
            self._searched = now
        found = self._detector.detect(frame.picture, thorough=thorough)
        explained = np.concatenate([_boxes(patches), np.array(beside, np.float32).reshape(-1, 4)])
        for box in [*tracked, *found.boxes_xyxy]:
            if _shared(box, explained) > _SAME:
                continue
            known = next((one for one in unswapped if _shared(box, one.box[None]) > _SAME), None)
            if known is not None:
                known.seen = now
                known.box = np.concatenate([np.minimum(known.box, box)[:2], np.maximum(known.box, box)[2:]])
                if known.patch is None:
                    known.box = box
                continue
            self._suspects -= 1
            self._people[self._suspects] = _Person(None, box, -np.inf, now)
            unswapped.append(self._people[self._suspects])


def obscure(frame: Frame, whole: PixelBox) -> None:
    """Blur a region beyond recognition, in place: an ellipse that fills the box, which may reach beyond the frame."""
    box = whole.clipped(frame.width, frame.height)
    if box.empty:
        return
    region = frame.change(box)
    height, width = region.shape[:2]
    cell = max(min(width, height) / _CELLS, 1.0)
    cells = (max(round(width / cell), 1), max(round(height / cell), 1))
    coarse = cv2.resize(region, cells, interpolation=cv2.INTER_AREA)
    blurred = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    y, x = np.ogrid[box.y0 : box.y1, box.x0 : box.x1]
    across, down = whole.x1 - whole.x0, whole.y1 - whole.y0
    distance = ((x - whole.x0 + 0.5) / across * 2 - 1) ** 2 + ((y - whole.y0 + 0.5) / down * 2 - 1) ** 2
    share = np.clip((1.0 - distance) * 6, 0, 1).astype(np.float32)[:, :, None]
    region[:] = (region + (np.asarray(blurred, np.float32) - region) * share + 0.5).astype(np.uint8)


def obscure_all(frame: Frame) -> None:
    """Blur the whole frame, in place."""
    picture = frame.change(PixelBox(0, 0, frame.width, frame.height))
    cell = max(min(frame.width, frame.height) / 12, 1.0)
    cells = (max(round(frame.width / cell), 1), max(round(frame.height / cell), 1))
    coarse = cv2.resize(picture, cells, interpolation=cv2.INTER_AREA)
    picture[:] = cv2.resize(coarse, (frame.width, frame.height), interpolation=cv2.INTER_LINEAR)


def _small(picture: UInt8Array, scale: float) -> UInt8Array:
    size = (max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1))
    # Every second sample of a large picture is enough, and half the time.
    nearest = (2 * size[0], 2 * size[1])
    sampled = cv2.resize(picture, nearest, interpolation=cv2.INTER_NEAREST) if scale < 0.5 else picture
    small = cv2.resize(sampled, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)


def _motion(before: UInt8Array, after: UInt8Array, box: FloatArray) -> FloatArray | None:
    """How far what is in ``box`` moved between two small pictures, float32 (2,); None if that can't be told."""
    inside = PixelBox(*np.rint(box).astype(int)).clipped(before.shape[1], before.shape[0])
    if inside.x1 - inside.x0 < 8 or inside.y1 - inside.y0 < 8:
        return None
    part = before[inside.y0 : inside.y1, inside.x0 : inside.x1]
    points = cv2.goodFeaturesToTrack(part, _POINTS, 0.01, 3)
    if points is None or len(points) < _AGREEING:
        return None
    start = np.asarray(points, np.float32) + np.array([inside.x0, inside.y0], np.float32)
    end, ahead, _ = cv2.calcOpticalFlowPyrLK(before, after, start, None, winSize=(15, 15))  # type: ignore[call-overload]
    back, behind, _ = cv2.calcOpticalFlowPyrLK(after, before, end, None, winSize=(15, 15))  # type: ignore[call-overload]
    sound = (ahead[:, 0] == 1) & (behind[:, 0] == 1) & (np.abs(back - start).reshape(-1, 2).max(1) < 1.0)
    steps = (np.asarray(end) - start).reshape(-1, 2)[sound]
    if len(steps) < _AGREEING:
        return None
    middle = np.median(steps, axis=0)
    agreeing = np.abs(steps - middle).max(1) < max(1.5, 0.1 * (inside.x1 - inside.x0))
    return middle.astype(np.float32) if int(agreeing.sum()) >= _AGREEING else None


def _moved(patch: Patch, by: FloatArray, frame: Frame) -> Patch | None:
    """A patch at another place, cut to the frame; None if nothing is left of it."""
    dx, dy = (round(float(step)) for step in by)
    box = PixelBox(patch.box.x0 + dx, patch.box.y0 + dy, patch.box.x1 + dx, patch.box.y1 + dy)
    inside = box.clipped(frame.width, frame.height)
    if inside.empty:
        return None
    rows = slice(inside.y0 - box.y0, inside.y1 - box.y0)
    columns = slice(inside.x0 - box.x0, inside.x1 - box.x0)
    mesh = patch.mesh + np.array([dx, dy, 0], np.float32)
    return replace(
        patch,
        picture=np.ascontiguousarray(patch.picture[rows, columns]),
        alpha=np.ascontiguousarray(patch.alpha[rows, columns]),
        uv=np.ascontiguousarray(patch.uv[rows, columns]),
        box=inside,
        mesh=mesh,
    )


def _grown(box: FloatArray, unseen: float) -> FloatArray:
    """The box with a margin that grows with the seconds since anything was seen there."""
    share = _MARGIN + _GROWTH * unseen
    width, height = box[2] - box[0], box[3] - box[1]
    return box + np.array([-width, -height, width, height], np.float32) * np.float32(share)


def _boxes(patches: list[Patch]) -> FloatArray:
    """Where the swaps are: float32 (n, 4)."""
    return np.array([bounds_xyxy(patch.mesh[None])[0] for patch in patches], np.float32).reshape(-1, 4)


def _shared(box: FloatArray, others: FloatArray) -> float:
    return float(shared_xyxy(box, others).max()) if len(others) else 0.0
