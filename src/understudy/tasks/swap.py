"""Swaps a file: photos and a target in, a labelled file out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from understudy.casting.cast import PartList, read_of
from understudy.casting.person import People, Person
from understudy.errors import CorruptMediaError
from understudy.interruptions import once
from understudy.media.files import check_output, open_sink
from understudy.media.files.opening import check_suffix
from understudy.media.files.trimming import open_part
from understudy.pipeline.clip import ClipPipeline
from understudy.pipeline.library_threads import one_blas_thread
from understudy.pipeline.photo import PhotoPipeline
from understudy.resources import Resources
from understudy.settings import Settings
from understudy.tasks.casting import settle
from understudy.tasks.opened import ModelsOfFaces, Opened, check_cast
from understudy.tasks.progress import Progress
from understudy.tasks.report import SwapReport, report_of
from understudy.tasks.running import needed, prepared, run_frames


def swap_file(
    cast: Person | PartList,
    target: Path,
    output: Path,
    settings: Settings,
    *,
    resources: Resources,
    people: People,
    overwrite: bool = False,
    progress: Progress | None = None,
    written: Callable[[str], None] = lambda _: None,
) -> SwapReport:
    """Put somebody's face onto the chosen faces of ``target``, or each of its people's what they are to get.

    Args:
        cast: Whose face; or who gets whose.
        target: A picture, animation or video.
        output: The file to write; its suffix says the format.
        settings: How.
        resources: What is opened.
        people: Whose faces are known.
        overwrite: Whether an existing output may be replaced.
        progress: Told about every frame.
        written: Told the output's id when all its frames are written, before it is signed and gets its name; what it
            raises ends the work.

    Raises:
        UsageError, InputError, RefusedError, RunError: see ``errors``; nothing is written then, but for
            CorruptMediaError, when what could be read has been.
    """
    with once(), one_blas_thread():  # a second signal does not keep the first one from tidying up
        return _swapped(cast, target, output, settings, resources, people, progress, written, overwrite=overwrite)


def _swapped(
    cast: Person | PartList,
    target: Path,
    output: Path,
    settings: Settings,
    resources: Resources,
    people: People,
    progress: Progress | None,
    written: Callable[[str], None],
    *,
    overwrite: bool,
) -> SwapReport:
    started = time.perf_counter()
    output = real_output(output)
    models, inputs = resources.models, [target, *read_of(cast)]
    check_cast(cast)
    of_faces = ModelsOfFaces(cast, settings, models)
    with open_part(target, settings.max_pixels, *settings.trim.edges) as source, needed(inputs):
        opened = Opened.of(cast, source.info, settings, models, of_faces)
        info, shown, settings = opened.info, opened.shown, opened.settings
        check_output(output, info.kind, inputs, overwrite=overwrite)
        # All that is settled before the first frame: whose face, whether it may be used, how the output is signed.
        content = opened.content()
        settled = opened.settle(
            partial(settle, cast, target, resources=resources, people=people, content=content),
        )
        trust = resources.trust(settings)
        made = trust.output(settings, target, info.kind, settled.consents, settled.digests, opened.by)
        identifier = f"{made.sealer.identifier:012x}"
        made.sealer.check(shown.width, shown.height)
        parts = opened.parts(settled.assignment, content, made.sealer)
        pipeline = (PhotoPipeline if opened.still else ClipPipeline)(parts, settled.assignment)
        tally = pipeline.tally
        ready = time.perf_counter()
        with (
            prepared(made.sealer, shown),
            resources.home.working_in(output.parent),
            open_sink(output, shown, settings.encode, made.release, overwrite=overwrite) as sink,
        ):
            first = run_frames(source, shown, pipeline, sink.write, progress)
            content.end()
            opened.check_done(tally, settled)
            trust.check_consents(settled.consents)  # which may have been revoked meanwhile
            written(identifier)
        finished = time.perf_counter()
        if source.damage is not None:
            raise CorruptMediaError(target, source.damage.at_seconds, source.damage.reason)
    return report_of(
        cast,
        output,
        opened,
        settled,
        identifier=identifier,
        frames=tally.frames,
        frames_swapped=tally.frames_swapped,
        people=tally.people,
        seconds=finished - ready,
        first_frame_seconds=first - started,
        stages_ms=tally.timings.summary(),
        notes=(*settled.notes, *opened.notes(tally.carried.summary()), *source.remarks, *sink.notes, content.note),
    )


def real_output(output: Path) -> Path:
    """What a link leads to: its suffix says the format.

    Raises:
        UnknownSuffixError: there is no such format.
    """
    with suppress(OSError):  # a name that the system refuses is told later
        if output.is_symlink():
            output = Path(os.path.realpath(output))
    check_suffix(output, None)
    return output
