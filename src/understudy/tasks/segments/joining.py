"""Joins the segments of a plan to the signed output: the work of whoever has the key, the ledger and the records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from understudy.casting.cast import PartList, read_of
from understudy.casting.person import Person
from understudy.errors import CorruptMediaError, InputError, RunError
from understudy.media.files import check_output
from understudy.media.files.joined_video import JoinedVideo
from understudy.media.files.segments import SegmentFile
from understudy.provenance.fingerprint import hashes_of
from understudy.release import check_same_input, file_digest
from understudy.resources import Resources
from understudy.tasks.casting import Settled
from understudy.tasks.opened import Opened, check_swapped
from understudy.tasks.report import SwapReport, report_of
from understudy.tasks.running import needed
from understudy.tasks.segments.plan import ClipPlan
from understudy.tasks.segments.report import SegmentReport, Together


def join_segments(
    cast: Person | PartList,
    output: Path,
    opened: Opened,
    plan: ClipPlan,
    settled: Settled,
    segments: Sequence[tuple[Path, SegmentReport]],
    *,
    clip: str,
    resources: Resources,
    overwrite: bool = False,
    joined: Callable[[], None] = lambda: None,
    written: Callable[[str], None] = lambda _: None,
) -> SwapReport:
    """Write the output: what was sealed in segments, with the clip's sound and metadata, signed.

    Args:
        cast: Whose face; or who gets whose.
        output: The file to write.
        opened: What the clip asks for.
        plan: Of the clip.
        settled: Who gets whose face, asked for the consent of everybody anew.
        segments: Of each its file, and what came of it; in the plan's order.
        clip: SHA-256 of the clip that they were made of.
        resources: What is opened.
        overwrite: Whether an output that is there may be replaced.
        joined: Called now and then; what it raises ends the work.
        written: As of ``swap_file``.

    Raises:
        UsageError, InputError, RunError: see ``errors``; nothing is written then, but for CorruptMediaError, when what
            could be read has been.
    """
    target, settings, info = opened.info.path, opened.settings, opened.info
    together, inputs = Together([report for _, report in segments]), [target, *read_of(cast)]
    check_output(output, info.kind, inputs, overwrite=overwrite)
    swapped, carried = together.count(lambda one: one.frames_swapped), together.carried
    check_swapped(opened, swapped, carried, settled)
    files = [_opened(path, report) for path, report in segments]
    content = opened.content()
    content.count(together.count(lambda one: one.looks))
    identifier, trust = f"{plan.identifier:012x}", resources.trust(settings)
    with needed(inputs):
        made = trust.output(
            settings,
            target,
            info.kind,
            settled.consents,
            settled.digests,
            opened.by,
            plan.identifier,
            lambda: hashes_of(together.hashes),
        )
        with (
            resources.home.working_in(output.parent),
            JoinedVideo(
                output,
                opened.shown,
                settings.encode,
                made.release,
                info.path,
                files,
                overwrite=overwrite,
                threads=plan.threads,
            ) as sink,
        ):
            sink.join(joined)
            check_same_input(target, clip)
            trust.check_consents(settled.consents)  # which may have been revoked meanwhile
            written(identifier)
    if together.damage is not None:
        raise CorruptMediaError(target, together.damage.at_seconds, together.damage.reason)
    return report_of(
        cast,
        output,
        opened,
        settled,
        identifier=identifier,
        frames=together.count(lambda one: one.frames),
        frames_swapped=swapped,
        people=together.people,
        seconds=together.seconds,
        first_frame_seconds=0.0,
        stages_ms=together.stages_ms,
        notes=(*settled.notes, *opened.notes(carried), *together.remarks, *sink.notes, content.note),
    )


def _opened(path: Path, report: SegmentReport) -> SegmentFile:
    """A segment's file, if it is the one that was reported.

    Raises:
        RunError: it is another, or damaged.
    """
    try:
        if file_digest(path) == report.sha256:
            return SegmentFile.opened(path)
    except (OSError, InputError) as fault:
        raise _altered(report) from fault
    raise _altered(report)


def _altered(report: SegmentReport) -> RunError:
    return RunError(f"what was kept of segment {report.index} is damaged", "Try again: it is made anew.")
