"""Chooses the right source and sink for a path, and refuses what can't or must not be done."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from understudy import names
from understudy.errors import (
    InputError,
    InputNotFoundError,
    InputUnreadableError,
    NotMediaError,
    OutputError,
    OutputExistsError,
    OutputIsInputError,
    UnknownSuffixError,
    remedy,
)
from understudy.media.base import MAX_PIXELS, MediaInfo, MediaKind, Sink, Source
from understudy.media.files.encoders import CONTAINERS, STILL_FORMATS, EncodeOptions
from understudy.media.files.still_sink import StillSink
from understudy.media.files.still_source import StillSource
from understudy.media.files.video_sink import VideoSink
from understudy.media.files.video_source import VideoSource
from understudy.media.reading import open_picture
from understudy.outputs import is_among, real, refuse_inputs, settled, status_of
from understudy.release import SIDECAR_SUFFIX, Release, is_sidecar

#: Suffixes of pictures that can be read (``reading.FORMATS``) and are not written.
_ONLY_READ: Final = re.compile(r"\.(tiff?|bmp|dib|p[pgbn]m|avif|jfif|jpe|jp2|j2[kc]|jp[cfx])")
#: Suffixes that are written of whatever has them: videos, WebP, which may be either, and JPEG, which does not move.
_SURE: Final = frozenset({*CONTAINERS, ".jpg", ".jpeg"} - {".gif"})


def check_input(path: Path, role: str = "input") -> None:
    """Make sure that a path is a file with something in it.

    Raises:
        InputNotFoundError, InputUnreadableError, NotMediaError: it is not.
    """
    if not names.exists(path):
        raise InputNotFoundError(path, role)
    if not names.is_file(path):
        what = names.said(path) if names.is_folder(path) else path
        raise NotMediaError(f"the {role} is not a file: {what}", "Name a picture or a video.")
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise InputUnreadableError(
            f"the {role} can't be read: {path} ({reason})", remedy(fault, "Check its permissions.")
        ) from fault
    if size == 0:
        raise NotMediaError(f"the {role} is empty: {path}", "Fetch or export it again.")


def open_source(path: Path, max_pixels: int = MAX_PIXELS) -> Source:
    """Open a picture, animation or video. What a file is, its content says, not its name.

    Raises:
        InputError: the file is missing, unreadable, no media, damaged or too large.
    """
    check_input(path, "target")
    picture = open_picture(path, max_pixels)
    if picture is None:
        return VideoSource(path, max_pixels)
    try:
        return StillSource(path, picture)
    except BaseException:
        picture.close()
        raise


def open_sink(
    target: Path, info: MediaInfo, options: EncodeOptions, release: Release, *, overwrite: bool = False
) -> Sink:
    """Open the output for what ``info`` describes; ``check_output`` comes first.

    Args:
        target: The file to write.
        info: Of the source.
        options: Encoder and quality.
        release: Signs the finished file.
        overwrite: Whether a file that appears there meanwhile may be replaced.
    """
    if info.kind is MediaKind.IMAGE:
        return StillSink(target, info, options, release, overwrite=overwrite)
    copy_from = info.path if info.kind is MediaKind.VIDEO else None
    return VideoSink(target, info, options, release, copy_from, overwrite=overwrite)


def check_output(target: Path, kind: MediaKind, inputs: Iterable[Path], *, overwrite: bool) -> None:
    """Refuse an output before any work is done.

    Raises:
        UnknownSuffixError: no format by that suffix can hold ``kind``.
        OutputIsInputError: it is one of ``inputs``.
        OutputExistsError: it exists and ``overwrite`` is false.
        OutputError: its folder does not exist or can't be written to.
    """
    check_suffix(target, kind)
    if not _working_directory():
        raise OutputError("the working directory is gone", "Change to a folder that exists.")
    inputs, beside = list(inputs), _credentials_of(target)
    refuse_inputs(target, inputs)
    if is_among(beside, inputs):
        raise OutputIsInputError(f"the output's credentials would replace an input: {beside}", "Name another output.")
    check_names(target, overwrite=overwrite)


def check_names(target: Path, *, overwrite: bool) -> None:
    """Refuse an output whose name, or that of the credentials beside it, can't be had.

    Raises:
        OutputExistsError: one is taken, and may not be replaced.
        OutputError: there can be no such file.
    """
    settled(target, overwrite=overwrite)
    beside = _credentials_of(target)
    if status_of(beside) is not None:
        if not is_sidecar(beside):
            raise OutputExistsError(
                f"another file has the name that the output's credentials need: {beside}", "Name another output."
            )
        settled(beside, overwrite=overwrite)


def _credentials_of(target: Path) -> Path:
    """What lies beside an output whose format carries no credentials."""
    written = real(target)
    return written.with_name(written.name + SIDECAR_SUFFIX)


def _working_directory() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def written_suffix(target: Path) -> str:
    """The suffix of an output beside a target: its own, if that can be written; else ``.png`` or ``.mp4``.

    A file whose name may stand for a picture as well as for moving ones, or for neither, is looked into.
    """
    suffix = target.suffix.lower()
    if suffix in _SURE:
        return target.suffix
    moves = not (suffix in STILL_FORMATS or _ONLY_READ.fullmatch(suffix))
    with suppress(InputError), open_source(target) as source:  # what is wrong with it is told elsewhere
        moves = source.info.kind is not MediaKind.IMAGE
    if suffix in (CONTAINERS if moves else STILL_FORMATS):
        return target.suffix
    return ".mp4" if moves else ".png"


def check_suffix(target: Path, kind: MediaKind | None) -> None:
    """Refuse a suffix that is unknown, or that can't hold ``kind`` (None: not known yet)."""
    suffix = target.suffix.lower()
    videos = [name for name in CONTAINERS if name != ".m4v"]
    if suffix not in CONTAINERS and suffix not in STILL_FORMATS:
        raise UnknownSuffixError(
            f"unknown output suffix {suffix!r}" if suffix else f"the output has no suffix: {names.said(target)}",
            f"Videos: {' '.join(videos)}; pictures: {' '.join(STILL_FORMATS)}",
        )
    if kind is MediaKind.IMAGE and suffix not in STILL_FORMATS:
        raise UnknownSuffixError(
            f"a still picture can't be written as {suffix}", f"Use one of {' '.join(STILL_FORMATS)}"
        )
    if kind in (MediaKind.VIDEO, MediaKind.ANIMATION) and suffix not in CONTAINERS:
        raise UnknownSuffixError(f"moving pictures can't be written as {suffix}", f"Use one of {' '.join(videos)}")
