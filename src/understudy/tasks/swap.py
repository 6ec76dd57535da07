"""Swaps a file: photos and a target in, a labelled file out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from understudy import names
from understudy.casting.cast import PartList, enhancements_of, made_with, masks_of, photos_of
from understudy.casting.person import People, Person
from understudy.casting.roles import Roles
from understudy.enhancement import Enhancers
from understudy.errors import (
    CorruptMediaError,
    InputError,
    InputGoneError,
    InputNotFoundError,
    ModelError,
    SigningError,
    UsageError,
)
from understudy.frames import Frame, LabelledFrame
from understudy.interruptions import once
from understudy.masking.base import MaskModel
from understudy.media.base import Source
from understudy.media.bounds import Moving, check_size, frames_waiting
from understudy.media.files import MediaInfo, MediaKind, check_output, open_sink, open_source
from understudy.media.files.opening import check_suffix
from understudy.models.leftover_memory import give_back_memory
from understudy.pipeline.clip import ClipPipeline
from understudy.pipeline.comparing import compared
from understudy.pipeline.framing import framed
from understudy.pipeline.overlap import BackgroundWriter, beside, prefetched
from understudy.pipeline.parts import Parts
from understudy.pipeline.photo import PhotoPipeline
from understudy.provenance import FrameSealer
from understudy.resources import Models, Resources
from understudy.resources.made_with import MESH, MadeWith
from understudy.settings import Settings
from understudy.swapping import MeshEngine
from understudy.swapping.carried.running import Summary
from understudy.tasks.casting import settle
from understudy.tasks.progress import Progress
from understudy.text import counted

#: Frames that must have room between two threads for a clip's stages to have threads of their own.
_ROOM: Final = 4


@dataclass(frozen=True)
class SwapReport:
    """What was done.

    Attributes:
        output: The file that was written.
        identifier: Its id, 12 hexadecimal digits: the mark's, the manifest's and the ledger's.
        consents: Ids of the consent records that were relied on.
        target: The file that was swapped.
        sources: The photos.
        engine: Names of the engines.
        kind: ``image``, ``animation`` or ``video``.
        width, height: Of the target, in pixels.
        frames: Frames written; every one of them is labelled.
        frames_swapped: Frames in which a face was swapped.
        people: How many different people were swapped, as far as it is known who is who.
        seconds: Wall time from the first frame to the finished file.
        fps: Frames a second over that time.
        first_frame_seconds: From the start of the call to the first finished frame.
        stages_ms: Median and 95th percentile of each stage's milliseconds a frame.
        notes: What the user should know.
    """

    output: Path
    identifier: str
    consents: tuple[str, ...]
    target: Path
    sources: tuple[Path, ...]
    engine: str
    kind: str
    width: int
    height: int
    frames: int
    frames_swapped: int
    people: int
    seconds: float
    fps: float
    first_frame_seconds: float
    stages_ms: dict[str, dict[str, float]]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """The report as plain values."""
        values = asdict(self)
        values |= {
            "output": str(self.output),
            "target": str(self.target),
            "sources": [str(p) for p in self.sources],
        }
        return values


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

    Raises:
        UsageError, InputError, RefusedError, RunError: see ``errors``; nothing is written then, but for
            CorruptMediaError, when what could be read has been.
    """
    with once():  # a second signal does not keep the first one from tidying up
        return _swapped(cast, target, output, settings, resources, people, progress, overwrite=overwrite)


def _swapped(
    cast: Person | PartList,
    target: Path,
    output: Path,
    settings: Settings,
    resources: Resources,
    people: People,
    progress: Progress | None,
    *,
    overwrite: bool,
) -> SwapReport:
    started = time.perf_counter()
    with suppress(OSError):  # a name that the system refuses is told below
        if output.is_symlink():
            output = Path(os.path.realpath(output))  # its suffix says the format
    check_suffix(output, None)
    _check_compare(cast, settings)
    models, inputs = resources.models, [target, *photos_of(cast)]
    masks, enhancers = _opened(cast, settings, models)
    with open_source(target, settings.max_pixels) as source, _needed(inputs):
        info = source.info
        result = _enlarged(info, enhancers.scale(settings.enhance), settings.max_pixels)
        shown = compared(result, settings.compare, settings.max_pixels)
        shown = framed(shown, settings.frame, settings.max_pixels)
        check_output(output, info.kind, inputs, overwrite=overwrite)
        still = info.kind is MediaKind.IMAGE
        if still and settings.neural.carried:  # of a photo the engine itself draws everything, eyes and mouth, too
            settings = replace(settings, neural=replace(settings.neural, refresh=1))
        by = made_with(cast, settings, enhancers.upscalers)
        # All that is settled before the first frame: whose face, whether it may be used, how the output is signed.
        content = models.content(settings, target.name, by)
        meshed = MESH in by.engines or settings.neural.carried
        with beside(partial(_open_ahead, models, settings, meshed=meshed, still=still), "ahead"):
            settled = settle(cast, target, info, settings, resources=resources, people=people, content=content)
        made = resources.trust(settings).output(settings, target, info.kind, settled.consents, settled.digests, by)
        made.sealer.check(shown.width, shown.height)
        give_back_memory()  # what the photos took
        embedder = None if still and not isinstance(settled.assignment, Roles) else models.embedder(settings)
        engine, perception = models.engines(settings, by.engines)[0], models.perception(settings)
        parts = Parts(
            engine, perception, settings, content, made.sealer, embedder, masks, enhancers, (), info.pixel_aspect
        )
        pipeline = (PhotoPipeline if still else ClipPipeline)(parts, settled.assignment)
        tally = pipeline.tally
        ready = time.perf_counter()
        with (
            _prepared(made.sealer, shown),
            resources.home.working_in(output.parent),
            open_sink(output, shown, settings.encode, made.release, overwrite=overwrite) as sink,
        ):
            first = _run(source, shown, pipeline, sink.write, progress)
            content.end()
            if not tally.frames_swapped:
                raise settled.nobody(target)
            carried = tally.carried.summary()
            if carried.shown == carried.own > 0:
                raise ModelError(
                    f"{by.networks} gave no face of {target.name}: what comes out of it are no numbers",
                    f"Fetch it again with `understudy models pull {by.networks}`, or choose another engine.",
                )
        finished = time.perf_counter()
        if source.damage is not None:
            raise CorruptMediaError(target, source.damage.at_seconds, source.damage.reason)
    return SwapReport(
        output=output,
        identifier=f"{made.sealer.identifier:012x}",
        consents=settled.consents,
        target=target,
        sources=photos_of(cast),
        engine=", ".join(by.engines),
        kind=info.kind.value,
        width=info.width,
        height=info.height,
        frames=tally.frames,
        frames_swapped=tally.frames_swapped,
        people=tally.people,
        seconds=round(finished - ready, 3),
        fps=round(tally.frames / (finished - ready), 2),
        first_frame_seconds=round(first - started, 3),
        stages_ms=tally.timings.summary(),
        notes=(
            *settled.notes,
            *models.notes(settings, by),
            *_carried(carried, by),
            *_grown(info, result),
            *source.remarks,
            *sink.notes,
            content.note,
        ),
    )


def _check_compare(cast: Person | PartList, settings: Settings) -> None:
    """Whether the original may be shown, if it is to be.

    Raises:
        UsageError: somebody in it is to be blurred, or another shape is asked for.
    """
    if settings.compare != "no" and settings.frame.shape != "as-is":
        raise UsageError("a compare shows whole frames, and no other shape of them", "Leave out one of the two.")
    if settings.compare != "no" and isinstance(cast, PartList) and cast.blurs:
        raise UsageError(
            "a compare shows the original, and in it those who are to be blurred", "Leave out one of the two."
        )


def _opened(cast: Person | PartList, settings: Settings, models: Models) -> tuple[Mapping[str, MaskModel], Enhancers]:
    """The models of everybody's masks and enhancement. Those that are missing are told before anything is read.

    Raises:
        UsageError, ModelError: one of them, or an engine, is not known, not there, or does not work.
    """
    models.engines(settings, made_with(cast, settings).engines)
    masks = models.masks(masks_of(cast, settings), settings.runtime)
    return masks, models.enhancers(settings, enhancements_of(cast))


def _enlarged(info: MediaInfo, scale: int, max_pixels: int) -> MediaInfo:
    """What the output shows of a target whose frames are made so many times as large.

    Raises:
        UsageError: more pixels than are allowed.
    """
    if scale == 1:
        return info
    width, height = info.width * scale, info.height * scale
    try:
        check_size(info.path, width, height, max_pixels, Moving.of(info.kind))
    except InputError as fault:
        raise UsageError(
            f"made {scale} times as large, {info.path.name} would be {width}x{height}: {fault.message}",
            "Enlarge it less, or leave the upscaler out.",
        ) from fault
    return replace(info, width=width, height=height)


def _carried(counts: Summary, by: MadeWith) -> tuple[str, ...]:
    """How often a face was drawn by an engine whose faces are carried, if any was."""
    if counts.age is None:
        return ()
    drawn = f"{by.networks} drew {counts.runs} of {counted(counts.shown, 'face')}"
    carried = f"{drawn}; the mesh carried them to the other frames, 95% of them over {counts.age[1]:.2f} s or less"
    if not counts.own:
        return (carried,)
    return (
        carried,
        f"where {by.networks} gave nothing for long, the {MESH} engine drew: {counted(counts.own, 'face')}",
    )


def _grown(info: MediaInfo, shown: MediaInfo) -> tuple[str, ...]:
    return () if info is shown else (f"enlarged from {info.width}x{info.height} to {shown.width}x{shown.height}",)


def _open_ahead(models: Models, settings: Settings, *, meshed: bool, still: bool) -> None:
    """Open and compute what is wanted later, while the photos are looked at: that leaves a core idle.

    Raises:
        ModelError: the recogniser is not here, altered, or does not work.
    """
    if meshed:
        MeshEngine.prepare()
    if not still:
        models.embedder(settings)


def _prepared(sealer: FrameSealer, shown: MediaInfo) -> AbstractContextManager[None]:
    """Make what the mark takes beside the first frame's swap; where there is room for two such frames at a time."""
    if not frames_waiting(shown.width, shown.height):
        return nullcontext()
    return beside(partial(sealer.prepare, shown.width, shown.height), "prepare")


@contextmanager
def _needed(paths: Sequence[Path]) -> Iterator[None]:
    """Inputs are read again, to be signed for: where that fails and one of them is gone, that is why.

    Raises:
        InputGoneError: one went while it was used.
    """
    try:
        yield
    except (SigningError, FileNotFoundError) as fault:
        gone = [path for path in paths if not names.exists(path)]
        if not gone or isinstance(fault, InputNotFoundError):
            raise
        raise InputGoneError(gone[0]) from fault


def _run(
    source: Source,
    info: MediaInfo,
    pipeline: PhotoPipeline | ClipPipeline,
    write: Callable[[LabelledFrame], None],
    progress: Progress | None,
) -> float:
    """All frames through the stages; the time at which the first was done (``perf_counter``)."""
    first = 0.0
    depth = frames_waiting(info.width, info.height)
    process: Callable[[Iterable[Frame]], Generator[LabelledFrame, None, None]] = pipeline.processed
    if isinstance(pipeline, ClipPipeline) and depth >= _ROOM:
        # Its own threads take the room that others would: of five, each holds a frame, and one waits between two.
        process, depth = partial(pipeline.processed, beside=1), 1
    with (
        closing(prefetched(source, depth)) as frames,
        BackgroundWriter(write, depth) as behind,
        closing(process(frames)) as made,
    ):
        for done, labelled in enumerate(made, 1):
            first = first or time.perf_counter()
            behind.put(labelled)
            del labelled
            if progress is not None:
                progress(done, info.frames)
    return first
