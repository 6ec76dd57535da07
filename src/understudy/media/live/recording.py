"""Recordings of live output: they survive a kill, and are signed at the end."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import av
import av.error

from understudy import names
from understudy.errors import (
    ClockError,
    EncodingError,
    OutputError,
    UnderstudyError,
    UnknownSuffixError,
    UsageError,
)
from understudy.frames import LabelledFrame
from understudy.media.base import MediaKind
from understudy.media.files.atomic import AtomicFile, output_errors
from understudy.media.files.opening import check_output
from understudy.media.files.readback import check_video
from understudy.media.helpers.encoder import NO_WAITING, Encoder
from understudy.media.live.base import LiveInfo, Sound
from understudy.media.live.broadcast import BroadcastOptions, stream_format
from understudy.media.live.planar import i420
from understudy.media.reading import open_container
from understudy.media.tags import add_xmp
from understudy.outputs import real, status_of
from understudy.release import Release, identifier_of

#: What is added to a recording's name, before its suffix, while it grows.
_GROWING: Final = ".recording"


class RecordingSink:
    """A file. While it grows it is ``NAME.recording.mp4``, in fragments: what was written survives a kill.

    At the end it is put into the order that players like, signed, and takes its name.

    Args:
        path: What it shall be called: mp4 or mov.
        release: Signs it.
        overwrite: Whether a file of that name may be replaced.
    """

    depth, steady, keeps = 8, True, True

    def __init__(
        self, path: Path, release: Release, options: BroadcastOptions | None = None, *, overwrite: bool = False
    ) -> None:
        self._path, self._release, self._options = path, release, options or BroadcastOptions()
        self._overwrite = overwrite
        self.name = path.name
        self.growing = growing_name(path)
        self._size: tuple[int | None, int | None] = (None, None)
        self._container: Any = None
        self._encoder: Encoder | None = None
        self._failed, self._pictures = False, 0
        self._file: AtomicFile | None = None
        #: The file that grows, as it was made: its name may lead to another by and by.
        self._made: os.stat_result | None = None
        self._given_up, self._discarded = threading.Event(), threading.Event()

    def open(self, info: LiveInfo) -> None:
        """See ``LiveSink``."""
        self._size = (info.width, info.height)
        _check_growing(self._path)
        with output_errors(self._path):
            self._made = _begin(self.growing, self._path if self._overwrite else None)
            try:
                self._grow(info)
            except BaseException:
                self._remove()
                raise

    def _grow(self, info: LiveInfo) -> None:
        self._container = av.open(
            str(self.growing.absolute()),
            "w",
            format="mp4",
            options={
                # Can be played however far it got.
                "movflags": "frag_keyframe+empty_moov+default_base_moof+use_metadata_tags",
                "flush_packets": "1",
                "max_interleave_delta": NO_WAITING,
            },
        )
        self._container.metadata.update(self._release.tags.fields)
        self._encoder = Encoder(self._container, stream_format(info, self._options))

    def write(self, labelled: LabelledFrame, seconds: float) -> None:
        """See ``LiveSink``."""
        assert self._encoder is not None
        with self._guarded():
            self._encoder.write(
                i420(LabelledFrame.opened(labelled, *self._size, identifier_of(self._release)).picture).data, seconds
            )
            self._pictures += 1

    def hear(self, sound: Sound, seconds: float) -> None:
        """See ``LiveSink``."""
        assert self._encoder is not None
        with self._guarded():
            self._encoder.hear(sound.samples.data.cast("B"), seconds)

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            with output_errors(self._path):
                yield
        except UnderstudyError:
            self._failed = True
            raise
        except ValueError as fault:
            self._failed = True
            raise EncodingError(f"{self.name} can't be encoded: {fault}", "Try another size.") from fault

    def abandon(self) -> None:
        """See ``LiveSink``: the signing is given up; what was recorded stays."""
        self._given_up.set()
        if self._file is not None:
            self._file.give_up()

    def discard(self) -> None:
        """See ``LiveSink``."""
        self._discarded.set()
        self.abandon()

    def close(self) -> list[str]:
        """Finish, sign, name; or leave nothing, if it was discarded before it had its name."""
        if self._container is None or self._encoder is None:
            return []
        with contextlib.suppress(av.error.FFmpegError, OSError):
            if not self._failed:
                self._encoder.finish()
        with contextlib.suppress(av.error.FFmpegError, OSError):
            self._container.close()
        self._container = None
        if self._discarded.is_set():
            self._remove()
            return [f"nothing of {self.name} was kept"]
        if not self._has_its_name():
            raise OutputError(
                f"{self.name} was not released: {self.growing} was replaced or removed while it was recorded",
                "Let nothing else use that name meanwhile. What was recorded is gone, unless it was moved elsewhere.",
            )
        if self._failed and not _cut_to_whole_fragments(self.growing):
            self._remove()
            raise OutputError(f"nothing of {self.name} was kept", "Nothing was left of it that can be played.")
        if not self._pictures:
            self._remove()
            raise OutputError(
                f"nothing was recorded to {self.name}: it ended before the first picture", "Let it run for longer."
            )
        try:
            self._finish()
        except UnderstudyError as fault:
            if self._discarded.is_set():
                self._remove()
                return [f"nothing of {self.name} was kept"]
            kept = f"What was recorded is in {self.growing}: labelled and marked, not signed."
            if not self._has_its_name():
                kept = "What was recorded is gone with it."
            raise OutputError(
                f"{self.name} was not released: {fault.message}",
                f"{fault.hint} {kept}" if isinstance(fault, ClockError) else kept,
            ) from fault
        self._remove()
        return [f"recorded {self._path}", *self._release.notes]

    def _has_its_name(self) -> bool:
        """Whether the growing name is still that of the file that was recorded to."""
        there = status_of(self.growing)
        return there is not None and self._made is not None and os.path.samestat(there, self._made)

    def _remove(self) -> None:
        """Remove what grew, and nothing that others put in its place."""
        if self._has_its_name():
            self.growing.unlink(missing_ok=True)

    def _finish(self) -> None:
        """Put it in order, sign it, give it its name."""
        file = self._file = AtomicFile(self._path, overwrite=self._overwrite)
        try:
            with output_errors(self._path):
                pictures = _in_order(self.growing, file.path, self._release, self._given_up)
                add_xmp(file.path, self._path.suffix.lower(), self._release.tags.xmp)
            file.release(self._release, lambda path: check_video(path, pictures))
        finally:
            file.discard()


def check_recording(path: Path, inputs: Iterable[Path], *, overwrite: bool) -> None:
    """Refuse a recording's name before anything is opened.

    Raises:
        UsageError, OutputError: it can't be written, or is the name of a recording that grows.
    """
    if path.suffix.lower() not in (".mp4", ".mov"):
        raise UnknownSuffixError(
            f"can't record to {names.said(path)}", "Name a file that ends in .mp4 or .mov, or an address."
        )
    if any(name.stem.lower().endswith(_GROWING) for name in (path, real(path))):
        raise UsageError(f"can't record to {path}: recordings are called so while they grow", "Name another output.")
    check_output(path, MediaKind.VIDEO, inputs, overwrite=overwrite)
    _check_growing(path)


def growing_name(path: Path) -> Path:
    """What a recording is called while it grows."""
    return path.with_name(f"{path.stem}{_GROWING}{path.suffix}")


def _check_growing(path: Path) -> None:
    if os.path.lexists(growing_name(path)):
        raise OutputError(
            f"an earlier recording was not finished: {growing_name(path)}", "Move it away; it can be played as it is."
        )


def _begin(growing: Path, replaced: Path | None) -> os.stat_result:
    """Make the file that grows, if there is none, as private as the one that it is to replace; its status.

    Raises:
        OSError: there is one, of another run that began just now, or it can't be made.
    """
    private = replaced is not None and status_of(Path(os.path.realpath(replaced))) is not None
    made = os.open(growing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
    try:
        return os.fstat(made)
    finally:
        os.close(made)


def _cut_to_whole_fragments(path: Path) -> bool:
    """Take off what was written of a fragment that the disk had no room for: some players stop at half a picture.

    An mp4 is a row of boxes, each with its size and type (ISO/IEC 14496-12, 4.2); ``moof`` and ``mdat`` make a
    fragment.

    Returns:
        Whether there is a whole one.
    """
    some = True  # where that can't be looked at, all stays
    with contextlib.suppress(OSError), path.open("r+b") as file:
        end, start, whole, some = path.stat().st_size, 0, 0, False
        while start + 8 <= end:
            file.seek(start)
            head = file.read(16)
            size = int.from_bytes(head[:4], "big")
            if size == 1:  # a long one: its size follows
                size = int.from_bytes(head[8:16], "big")
            if size < 8 or start + size > end:
                break
            start += size
            some = some or head[4:8] == b"mdat"
            if head[4:8] != b"moof":
                whole = start
        if whole:
            file.truncate(whole)
    return some


def _in_order(fragments: Path, path: Path, release: Release, given_up: threading.Event) -> int:
    """The same pictures and sound as one plain mp4, its index first; how many pictures.

    Raises:
        InterruptedError: it was given up meanwhile.
    """
    pictures = 0
    with (
        open_container(fragments) as source,
        av.open(
            str(path.absolute()), "w", format="mp4", options={"movflags": "+faststart+use_metadata_tags"}
        ) as output,
    ):
        output.metadata.update(release.tags.fields)
        streams = {stream.index: output.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if given_up.is_set():
                raise InterruptedError(errno.EINTR, "interrupted")
            if packet.dts is not None:
                pictures += packet.stream.type == "video"
                packet.stream = streams[packet.stream.index]
                output.mux(packet)
    return pictures
