"""The frames of a live session through all stages, guarded."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from understudy.arrays import FloatArray
from understudy.casting.assignment import Assignment
from understudy.casting.live_roles import LiveRoles
from understudy.face import FaceChoice, Faces
from understudy.frames import Frame, LabelledFrame
from understudy.guard import Cover, Guard, hide_all
from understudy.guard.blurring import Blurring
from understudy.guard.freezing import Freezing
from understudy.guard.obscuring import obscure_all
from understudy.masking.running import Beside
from understudy.pipeline.carrying import Carrying
from understudy.pipeline.compositing import Compositing
from understudy.pipeline.enhancing import Enhancing
from understudy.pipeline.fading import Fading
from understudy.pipeline.haste import Haste
from understudy.pipeline.overlap import ParallelMap
from understudy.pipeline.parts import Parts
from understudy.pipeline.perceiving import Perceiving, Seen
from understudy.pipeline.rendering import Rendering
from understudy.pipeline.sealing import sealed
from understudy.pipeline.sparing import Sparing
from understudy.pipeline.tally import Swapped, Tally
from understudy.pipeline.watching import Watching
from understudy.settings import Settings
from understudy.swapping.carried.engine import Carried
from understudy.swapping.carried.running import Counts
from understudy.tracking import Tracker
from understudy.tracking.hands import BESIDE, NEAR


class LivePipeline:
    """Swaps faces as they come. Frames come in order; what should be swapped and is not is covered.

    Latency counts, so what can be done at the same time is: several faces, the guard's look at the frame, and the hands
    before a face. (A file's decoder and encoder keep the other cores busy anyway.)

    Args:
        parts: What the stages are made of.
        assignment: Who gets whose face.
        guard: Covers faces that should be swapped and are not. It is closed with the pipeline.

    Attributes:
        tally: What was done so far.
        carrying: What runs the engines beside that may be too slow, each in a thread of its own.
        covered: Whether all of every frame is blurred, whoever is swapped in it. May be set from any thread; the frame
            that is being worked on is blurred, too.
    """

    def __init__(self, parts: Parts, assignment: Assignment, guard: Guard) -> None:
        settings, perception = parts.settings, parts.perception
        self._sparing = Sparing()
        parts = self._sparing.parts(parts)
        self._parts, self._assignment, self._guard = parts, assignment, guard
        self._settings = settings
        self._parallel = ParallelMap()
        self._roles = assignment if isinstance(assignment, LiveRoles) else None
        self._perceiving = Perceiving(parts, live=True, roles=self._roles, sweep=guard.sweep)
        self._hands = perception.hands(live=True)
        self._hands.margin = _margin(settings)
        self._before = Faces.empty()
        self.carrying = _carrying(parts)
        self._rendering = Rendering(parts.engine, self._parallel, self.carrying)
        self._fading = Fading()
        self._compositing = Compositing(settings.blend, self._parallel, parts.masks, Beside())
        self._enhancing = Enhancing(parts, live=True)
        self._blurring = Blurring()
        self._freezing = Freezing()
        self._watching = Watching(parts.content)
        self._haste = Haste()
        self.tally = Tally(self._rendering.counts)
        self.covered = False
        #: The last frame, unless all of it is blurred.
        self._last: LabelledFrame | None = None

    @property
    def tracker(self) -> Tracker:
        """What follows the faces."""
        return self._perceiving.tracker

    @property
    def neural_rate(self) -> float | None:
        """Faces a second that a slow engine drew lately; None where there is none."""
        return sum(one.rate for one in self.carrying.values()) if self.carrying else None

    def news(self) -> list[str]:
        """What happened since the last time, to be told to the user."""
        return self._sparing.news() + [what for one in self.carrying.values() for what in one.news()]

    def expect(self, fps: float) -> None:
        """Say how many frames a second are to come: an engine that is too slow for that is carried.

        Where all stages are, the meshes of one or two people follow the picture in some frames (see ``Haste``).
        """
        self._haste.period = 1 / fps
        for one in self.carrying.values():
            one.period = 1 / fps

    def adopt(self, settings: Settings) -> None:
        """Take over ``blend``, ``faces`` and ``guard`` of other settings, between two frames.

        The strength of ``blend`` is the assignment's to say.
        """
        if settings.faces != self._settings.faces:
            self._perceiving.choose(settings.faces)
        self._compositing.adopt(settings.blend)
        self._guard.options, self._guard.choice = settings.guard, settings.faces
        self._guard.everybody = settings.faces == "all"
        self._hands.margin = _margin(settings)
        self._settings = settings

    def process(self, frame: Frame) -> LabelledFrame:
        """Swap, label and mark ``frame``, in place.

        Raises:
            ContentRefusedError: it is intimate.
        """
        begin = time.perf_counter()
        done = self.swap(frame)
        with self.tally.timings.measure("seal"):
            labelled = sealed(self._parts.sealer, frame, done)
        self._last = None if done.cover.whole and not done.cover.held else labelled
        self.tracker.rests = self._haste(time.perf_counter() - begin, fitted=not self.tracker.rested)
        for one in self.carrying.values():
            one.frame(self._haste.lately)
        return labelled

    def cover_last(self, pts: int, time_base: Fraction) -> LabelledFrame | None:
        """The last frame once more, all of it blurred, if ``covered`` was set since; None if not.

        For a while in which no frame comes: outputs show the last one again and again.

        Args:
            pts: Its time now.
            time_base: Seconds a unit of that.
        """
        if self._last is None or not self.covered:
            return None
        frame = Frame(self._last.frame.picture.copy(), pts, time_base)
        self._last = None
        hide_all(frame)
        return sealed(self._parts.sealer, frame, Swapped(Faces.empty(), [], Cover(whole=True)))

    def forget_shown(self) -> None:
        """Another face comes next: the picture that is kept for when somebody is lost shows the one before."""
        self._freezing.forget()

    def swap(self, frame: Frame) -> Swapped:
        """All but the last of ``process``: what comes out is no labelled frame, so no sink takes it.

        Raises:
            ContentRefusedError: it is intimate.
        """
        measure, on_lost = self.tally.timings.measure, self._guard.options.on_lost
        self._guard.begin(frame)
        with measure("perceive"):
            seen, hands = self._perceive(frame)
            faces, chosen = seen.faces, self._swapped(seen)
            self.tally.rename(seen.renamed)
        self._watching(frame, cut=seen.cut)
        with measure("swap"):
            assigned = self._assignment.assign(chosen)
            patches = self._rendering.render(frame, chosen, assigned)
            patches = self._fading(patches, chosen, frame.seconds, whole=on_lost != "pass")
        self._guard.choice = self._choice(seen)
        with measure("guard"):
            # Another detector may see whom the guard's does not.
            detected = seen.detected if self._guard.detector is self._parts.perception.detector else None
            cover, canvas = self._guard.cover(
                frame, faces, chosen, patches, cut=seen.cut, hands=hands, detected=detected
            )
            # Where all is blurred, swaps would be faces without heads.
            patches = [patch for patch in patches if patch.track_id not in cover.misfits and not cover.whole]
            drawn = {patch.track_id for patch in patches}
            patches += cover.held
            self._correct(cover)
            if self._roles is not None:
                blurred = self._roles.blurred(seen.chosen)
                cover = replace(cover, others=self._blurring(canvas, blurred, seen.faces, cut=seen.cut))
        with measure("blend"):
            # A swap of before that is held is still somebody else's face, if its track was given another.
            now = {track: one for track, one in assigned.items() if track in drawn}
            self._compositing.relight(self._rendering.turning(patches))
            masks = self._compositing.compose(canvas, patches, now, hands, faces)
            self._rendering.hidden(frame, patches, self._compositing.in_front)
            self._enhancing.forget(self._compositing.reassigned)
        if self._enhancing.asked(now):
            with measure("enhance"):
                self._enhancing(canvas, patches, masks, now)
            self.tally.enhanced_every = self._enhancing.every
        if on_lost == "freeze":
            self._freezing(canvas, covered=cover.any)
        if self.covered:  # last, over all that was drawn
            obscure_all(canvas)
            cover = replace(cover, whole=True)
        return self.tally.add(Swapped(faces, patches, cover))

    def settle(self) -> None:
        """After the last frame: wait for what is still being looked at, and decide what is not decided yet.

        Raises:
            ContentRefusedError: it is intimate.
            RunError: it does not end.
        """
        self._watching.end()

    def close(self) -> None:
        """End what runs beside."""
        self._watching.close()
        self._guard.close()
        self._perceiving.close()
        self._enhancing.close()
        for one in self.carrying.values():
            one.close()
        self._parallel.close()
        self._compositing.close()
        self._hands.close()

    def _perceive(self, frame: Frame) -> tuple[Seen, list[FloatArray]]:
        """Who is there, and which hands are before those who are swapped.

        Hands that are known are followed at the same time, by where the faces were in the frame before.
        """
        before, self._before = self._before, Faces.empty()
        if not self._settings.blend.occlusion.hands:
            return self._see(frame), []
        if len(before) and self._hands.following:
            jobs: list[Callable[[], Any]] = [
                partial(self._see, frame),
                partial(self._hands.update, frame, before.boxes_xyxy),
            ]
            seen, hands = self._parallel(lambda job: job(), jobs)
            if seen.cut:
                self._hands.forget()
                hands = []
        else:
            seen = self._see(frame)
            if seen.cut:
                self._hands.forget()
            hands = self._hands.update(frame, seen.chosen.boxes_xyxy)
        self._before = seen.chosen
        return seen, hands

    def _swapped(self, seen: Seen) -> Faces:
        """Those who are to be swapped: the guard sees to it that they are. Who is blurred is not its affair."""
        if self._roles is None:
            return seen.chosen
        assigned = self._roles.assign(seen.chosen)
        tracks = [] if seen.chosen.track_ids is None else seen.chosen.track_ids.tolist()
        return seen.chosen[np.array([track in assigned for track in tracks], bool)]

    def _choice(self, seen: Seen) -> FaceChoice:
        """Whose faces the guard takes for ones that are to be swapped."""
        if self._roles is not None:
            return "all" if self._roles.may_come(seen.faces) else "largest"
        # Whoever comes may be the one for whom another stands in.
        return "all" if seen.stand_in else self._settings.faces

    def _see(self, frame: Frame) -> Seen:
        seen = self._perceiving(frame)
        if seen.cut or seen.mistaken:  # what was learned of faces is of another shot, or of other people
            self._rendering.forget()
            self._compositing.forget()
            self._enhancing.forget()
            for one in self.carrying.values():
                one.forget()
        return seen

    def _correct(self, cover: Cover) -> None:
        """Tell the tracker whom the guard saw and it does not know, and whose mesh does not lie on their face."""
        if cover.newcomers is not None:
            self.tracker.offer(cover.newcomers)
        self.tracker.let_go(cover.astray)


def _carrying(parts: Parts) -> dict[Carried, Carrying]:
    """What runs engines beside that may be too slow; what they did is counted together."""
    counts = Counts()
    slow = [engine for engine in (parts.engine, *parts.others) if isinstance(engine, Carried)]
    return {one: Carrying(one.name, may_keep_up=not one.chosen, counts=counts) for one in slow}


def _margin(settings: Settings) -> float:
    """How far from a face hands are followed: where everybody is swapped, one must not be taken for somebody else."""
    return BESIDE if settings.faces == "all" else NEAR
