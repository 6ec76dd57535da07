"""Does a job in segments, where its clip can be cut: what earlier attempts have finished is not done again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from understudy.casting.cast import PartList, read_of
from understudy.casting.person import People, Person
from understudy.interruptions import once
from understudy.jobs.job import Order
from understudy.jobs.kept import KeptSegments
from understudy.jobs.workshop import ClipWork, WorkedHere, Workshop
from understudy.media.files import check_output
from understudy.media.files.keyframes import Keyframes
from understudy.media.files.trimming import open_part
from understudy.release import check_same_input
from understudy.resources import Resources
from understudy.settings import Settings
from understudy.tasks.casting import Settled, settle
from understudy.tasks.opened import ModelsOfFaces, Opened
from understudy.tasks.progress import Progress
from understudy.tasks.report import SwapReport
from understudy.tasks.running import needed
from understudy.tasks.segments.edges import SegmentOptions
from understudy.tasks.segments.joining import join_segments
from understudy.tasks.segments.plan import ClipPlan
from understudy.tasks.segments.planning import can_be_cut, made_of, make_plan
from understudy.tasks.segments.report import SegmentReport
from understudy.tasks.swap import real_output


class SegmentedSwap:
    """One job's.

    Args:
        cast: Whose face; or who gets whose.
        order: What is to be done.
        settings: How.
        digests: SHA-256 of the inputs, by path.
        kept: What earlier attempts have finished.
        resources: What is opened.
        people: Whose faces are known.
        options: How a clip is cut.
        workshop: Who works the segments; None for this process.
        written: As of ``swap_file``.
    """

    def __init__(
        self,
        cast: Person | PartList,
        order: Order,
        settings: Settings,
        digests: Mapping[str, str],
        kept: KeptSegments,
        *,
        resources: Resources,
        people: People,
        options: SegmentOptions | None = None,
        workshop: Workshop | None = None,
        written: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._cast, self._order, self._settings, self._digests = cast, order, settings, digests
        self._digest = digests[str(order.target)]
        self._kept, self._resources, self._people = kept, resources, people
        self._options = options or SegmentOptions()
        self._workshop = workshop or WorkedHere(resources, people)
        self._written = written

    def __call__(self, progress: Progress) -> SwapReport | None:
        """Do it, or go on with it; None if the clip is one that is done in one go.

        Args:
            progress: Told about every frame; what it raises ends the work.

        Raises:
            UsageError, InputError, RefusedError, RunError: see ``errors``. What was finished by then stays.
            StoppedError: another runner has the job.
        """
        with once():  # a second signal does not keep the first one from tidying up
            return self._swapped(progress)

    def _swapped(self, progress: Progress) -> SwapReport | None:
        order, output = self._order, real_output(self._order.output)
        depends = made_of(self._settings, output, self._digests)
        plan = self._kept.plan(depends)
        known = None if plan is not None else can_be_cut(order.target, output, self._settings, self._options)
        if plan is None and known is None:
            return None
        inputs, models = [order.target, *read_of(self._cast)], self._resources.models
        of_faces = ModelsOfFaces(self._cast, self._settings, models)
        with open_part(order.target, self._settings.max_pixels, *self._settings.trim.edges) as source:
            opened = Opened.of(self._cast, source.info, self._settings, models, of_faces)
        check_output(output, opened.info.kind, inputs, overwrite=order.overwrite)
        with needed(inputs):
            settled = self._settled(opened, plan)
            if plan is None or dict(plan.permissions) != dict(settled.records):
                known = known or can_be_cut(order.target, output, self._settings, self._options)
                plan = None if known is None else self._planned(known, settled, depends)
                if plan is None:
                    return None
            segments = self._worked(plan, settled, output, progress)
            return join_segments(
                self._cast,
                output,
                opened,
                plan,
                settled,
                segments,
                clip=self._digest,
                resources=self._resources,
                overwrite=order.overwrite,
                joined=partial(progress, plan.frames, plan.frames),
                written=self._written,
            )

    def _settled(self, opened: Opened, plan: ClipPlan | None) -> Settled:
        """Who gets whose face. Whether it may be used is asked in every attempt."""
        return opened.settle(
            partial(
                settle,
                self._cast,
                self._order.target,
                resources=self._resources,
                people=self._people,
                content=opened.content(),
                there=None if plan is None else plan.people,
            )
        )

    def _planned(self, known: Keyframes, settled: Settled, depends: str) -> ClipPlan | None:
        plan = make_plan(
            self._cast,
            self._order.target,
            known,
            self._settings,
            settled,
            self._resources.models,
            made_of=depends,
            clip=self._digest,
            options=self._options,
        )
        if plan is not None:
            self._kept.begin(plan)
        return plan

    def _worked(
        self, plan: ClipPlan, settled: Settled, output: Path, progress: Progress
    ) -> list[tuple[Path, SegmentReport]]:
        """All segments: those that are finished, and those that are missing."""
        trust, seen = self._resources.trust(self._settings), _state_of(self._order.target)
        found = self._kept.finished()
        missing = [one.index for one in plan.segments if one.index not in found]
        done = sum(report.frames for _, report in found.values())
        progress(done, plan.frames)

        def finished(path: Path, report: SegmentReport) -> None:
            nonlocal seen
            # A night is long: consent may be revoked in it, and the clip replaced by another.
            trust.check_consents(settled.consents)
            if (now := _state_of(self._order.target)) != seen:
                check_same_input(self._order.target, self._digest)
                seen = now
            self._kept.keep(path, report)
            found[report.index] = (path, report)

        if missing:
            clip = ClipWork(
                self._cast,
                self._order.target,
                self._digest,
                output.suffix,
                self._settings,
                plan,
                self._options,
                self._order.priority,
                missing,
                self._kept.path,
                finished,
            )
            self._workshop.work(clip, lambda frames: progress(done + frames, plan.frames))
        return [found[index] for index in range(len(plan.segments))]


def _state_of(path: Path) -> tuple[int, ...]:
    """What differs where a file was changed or replaced; also where it was only touched."""
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
