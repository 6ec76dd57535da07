"""Works the segments of a clip. It needs the clip, the photos, the models and the plan; nobody's keys or records."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import takewhile
from pathlib import Path
from types import TracebackType

from understudy.casting.cast import PartList
from understudy.casting.person import People, Person
from understudy.casting.roles import BLUR, Roles
from understudy.errors import InputError
from understudy.frames import Frame
from understudy.media.files.segments import SegmentSink
from understudy.media.files.video_source import VideoSource
from understudy.pipeline.clip import ClipPipeline, Stretch
from understudy.pipeline.handover import Handover
from understudy.pipeline.perceiving import Acquainted
from understudy.provenance import FrameSealer
from understudy.provenance.content import ContentCheck
from understudy.release import file_digest
from understudy.resources import Resources
from understudy.resources.trust import Vouched
from understudy.settings import Settings
from understudy.tasks.casting import settle
from understudy.tasks.opened import ModelsOfFaces, Opened
from understudy.tasks.progress import Progress
from understudy.tasks.running import prepared, run_frames
from understudy.tasks.segments.edges import SegmentOptions, warmed_by
from understudy.tasks.segments.plan import ClipPlan, Segment
from understudy.tasks.segments.report import SegmentReport


class SegmentWorker:
    """Works segments of one clip, one at a time, in any order. A context manager.

    The consent records are not asked: whoever made the plan has asked them, and only photos of which the plan says so
    are used.

    Args:
        cast: Whose face; or who gets whose.
        target: The clip.
        suffix: Of the output, such as ``.mp4``.
        settings: How.
        plan: Of the clip, made with these settings.
        resources: With the models; its private folder is where what is learned of photos is kept.
        people: Whose faces are known.
        options: How segments are warmed.

    Raises:
        UsageError, InputError, RefusedError, ModelError: when it is entered: it can't be worked here.
    """

    def __init__(
        self,
        cast: Person | PartList,
        target: Path,
        suffix: str,
        settings: Settings,
        plan: ClipPlan,
        *,
        resources: Resources,
        people: People,
        options: SegmentOptions | None = None,
    ) -> None:
        self._target, self._suffix, self._plan = target, suffix.lower(), plan
        self._options = options or SegmentOptions()
        of_faces = ModelsOfFaces(cast, settings, resources.models)
        with VideoSource(target, settings.max_pixels) as source:
            info = plan.shown_of(source.info, settings.trim)
        self._opened = Opened.of(cast, info, settings, resources.models, of_faces)
        known = partial(
            settle,
            cast,
            target,
            resources=resources,
            people=people,
            content=self._opened.content(),
            trust=Vouched(plan.permissions),
            there=plan.people,
        )
        self._assignment = self._opened.settle(known).assignment
        people_there = {one.number: one.views for one in plan.people if one.known}
        self._acquainted = Acquainted(people_there)
        #: Each segment's is made from it: it has made what the mark takes.
        self._sealer = FrameSealer(plan.identifier, self._opened.settings.label, self._opened.settings.watermark)
        self._sealer.check(self._opened.shown.width, self._opened.shown.height)

    def __enter__(self) -> SegmentWorker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is open between two segments."""

    def work(self, index: int, path: Path, progress: Progress | None = None) -> SegmentReport:
        """Work one segment into a file, for its owner only. The same segment gives the same file wherever it is worked.

        Args:
            index: Which one of the plan.
            path: The file; it appears whole, or not at all.
            progress: Told about every frame: how many of the segment's are done, and how many it has.

        Raises:
            InputError, RefusedError, RunError: see ``errors``; there is no file then.
        """
        segment, opened = self._plan.segments[index], self._opened
        started = time.perf_counter()
        sealer = self._sealer.for_part(self._plan.opened, segment.corner)
        content = opened.content()
        pipeline = ClipPipeline(
            opened.parts(self._assignment, content, sealer),
            self._assignment,
            Stretch(segment.first, segment.last),
            self._acquainted._replace(order=segment.order),
            self._handover(index),
        )
        shown = replace(opened.shown, frames=segment.frames)
        with VideoSource(self._target, opened.settings.max_pixels) as source:
            if segment.begins is not None:
                source.begin_at(segment.begins)
            with (
                prepared(sealer, shown),
                SegmentSink(
                    path,
                    self._suffix,
                    shown,
                    opened.settings.encode,
                    identifier=self._plan.identifier,
                    threads=self._plan.threads,
                ) as sink,
            ):
                run_frames(self._frames(source, segment), shown, pipeline, sink.write, progress)
                self._look_on(content, segment)
                if not pipeline.tally.frames:
                    raise InputError(f"{self._target.name} has no frame from {segment.first} on", "Copy it anew.")
            damage, remarks = source.damage, source.remarks
        tally = pipeline.tally
        return SegmentReport(
            index=index,
            sha256=file_digest(path),
            frames=tally.frames,
            frames_swapped=tally.frames_swapped,
            known=tuple(sorted(number for number in tally.known if number in self._acquainted.people)),
            unknown=tally.people - len([number for number in tally.known if number in self._acquainted.people]),
            looks=content.looks,
            hashes=sealer.hashed,
            carried=tally.carried.summary(),
            stages_ms=tally.timings.summary(),
            seconds=round(time.perf_counter() - started, 3),
            damage=None if damage is None else (damage.at_seconds, damage.reason),
            remarks=tuple(remarks),
        )

    def _handover(self, index: int) -> Handover:
        """The last frames of a segment as the next one draws them, where that does not begin a scene.

        Somebody who is blurred is not blended with what may show them.
        """
        blurs = isinstance(self._assignment, Roles) and self._assignment.blurs
        blurs = blurs or any(lane.do == BLUR for lane in self._opened.settings.lanes)
        if blurs or index + 1 == len(self._plan.segments):
            return Handover()
        coming = self._plan.segments[index + 1]
        if coming.begins is None or coming.begins == coming.first:
            return Handover()
        with VideoSource(self._target, self._opened.settings.max_pixels) as source:
            first = coming.first - int(self._options.closely / source.info.time_base)
            pipeline = ClipPipeline(
                self._opened.parts(self._assignment, self._opened.content(), self._sealer),
                self._assignment,
                Stretch(first, self._plan.segments[index].last),
                self._acquainted._replace(order=coming.order),
            )
            source.begin_at(coming.begins)
            return Handover(pipeline.swapped(self._frames(source, coming)))

    def _frames(self, source: VideoSource, segment: Segment) -> Iterator[Frame]:
        """The segment's frames, those that warm it, and those behind it, up to where the plan ends."""
        time_base, end = source.info.time_base, self._plan.segments[-1].last
        first, taken = float(segment.first * time_base), None

        def wanted(pts: int) -> bool:
            nonlocal taken
            seconds = float(pts * time_base)
            warms = segment.index > 0 and warmed_by(seconds, first, taken, self._options)
            take = pts >= segment.first or warms
            taken = seconds if take else taken
            return take

        return takewhile(lambda frame: end is None or frame.pts <= end, source.frames(wanted))

    def _look_on(self, content: ContentCheck, segment: Segment) -> None:
        """What a closer look at the content has begun is decided by the frames that come after the segment.

        Raises:
            ContentRefusedError: they are intimate.
        """
        if content.closely and segment.last is not None:
            last, end = segment.last, self._plan.segments[-1].last
            with VideoSource(self._target, self._opened.settings.max_pixels) as source:
                if segment.begins is not None:
                    source.begin_at(segment.begins)
                with closing(source.frames(lambda pts: pts > last)) as frames:
                    of_plan = takewhile(lambda frame: end is None or frame.pts <= end, frames)
                    deque(takewhile(lambda frame: self._looked_at(content, frame), of_plan), maxlen=0)
        content.end()

    @staticmethod
    def _looked_at(content: ContentCheck, frame: Frame) -> bool:
        """Have a frame looked at; whether the next is to be, too."""
        content.frame(frame.picture, frame.seconds)
        return content.closely
