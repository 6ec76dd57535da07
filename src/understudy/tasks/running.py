"""Takes the frames of a file through all stages: decoding, swapping and encoding run beside each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Final

from understudy import names
from understudy.errors import InputGoneError, InputNotFoundError, SigningError
from understudy.frames import Frame, LabelledFrame
from understudy.media.base import MediaInfo
from understudy.media.bounds import frames_waiting
from understudy.pipeline.clip import ClipPipeline
from understudy.pipeline.library_threads import one_library_thread
from understudy.pipeline.overlap import BackgroundWriter, beside, prefetched
from understudy.pipeline.photo import PhotoPipeline
from understudy.provenance import FrameSealer
from understudy.tasks.progress import Progress

#: Frames that must have room between two threads for a clip's stages to have threads of their own.
_ROOM: Final = 4


def run_frames(
    source: Iterable[Frame],
    info: MediaInfo,
    pipeline: PhotoPipeline | ClipPipeline,
    write: Callable[[LabelledFrame], None],
    progress: Progress | None,
) -> float:
    """Take all frames through the stages; the time at which the first was done (``perf_counter``).

    Args:
        source: The frames.
        info: What the output is like.
        pipeline: The stages.
        write: Takes what comes out.
        progress: Told about every frame.
    """
    first = 0.0
    depth = frames_waiting(info.width, info.height)
    process: Callable[[Iterable[Frame]], Generator[LabelledFrame, None, None]] = pipeline.processed
    alone: AbstractContextManager[None] = nullcontext()
    if isinstance(pipeline, ClipPipeline) and depth >= _ROOM:
        # Its own threads take the room that others would: of five, each holds a frame, and one waits between two.
        process, depth = partial(pipeline.processed, beside=1), 1
        alone = one_library_thread()
    with (
        alone,
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


def prepared(sealer: FrameSealer, shown: MediaInfo) -> AbstractContextManager[None]:
    """Make what the mark takes beside the first frame's swap; where there is room for two such frames at a time."""
    if not frames_waiting(shown.width, shown.height):
        return nullcontext()
    return beside(partial(sealer.prepare, shown.width, shown.height), "prepare")


@contextmanager
def needed(paths: Sequence[Path]) -> Iterator[None]:
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
