"""Segments: parts of a video that are encoded one by one, kept as files, and joined later without encoding again.

A segment's file holds the packets of its pictures, and behind them, as JSON, when each is shown and decoded. It is no
format of anybody else's: those round times, or work out anew when a picture is decoded. What is in it was labelled and
marked as in any other output: its sink, too, takes labelled frames only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple

import av

from understudy.errors import InputError
from understudy.frames import LabelledFrame
from understudy.interruptions import deferred
from understudy.media.base import MediaInfo
from understudy.media.files.encoders import CONTAINERS, EncodeOptions
from understudy.media.files.encoding import VideoEncoder
from understudy.media.files.video_file import check_aspect
from understudy.outputs import output_errors
from understudy.regular import open_regular
from understudy.temporaries import Temporary

#: What such a file begins and ends with, and the most bytes of what stands behind its packets.
_MAGIC: Final = b"understudy segment 1\n"
_MOST_TABLE: Final = 64_000_000
#: Most bytes of a segment.
_MOST: Final = 1 << 40


class Timed(NamedTuple):
    """One packet of a segment, in the order of decoding.

    Attributes:
        pts: When its picture is shown, in units of the segment's ``time_base``.
        dts: When it is decoded, as the encoder said it.
        duration: How long it is shown.
        key: Whether decoding can begin with it.
        size: In bytes.
    """

    pts: int
    dts: int
    duration: int
    key: bool
    size: int


class SegmentSink:
    """Encodes labelled frames into a segment's file, for its owner only (0600). A context manager.

    The file appears under its own name, and is on the disk, only when the block ends without an error.

    Args:
        path: The file to write; another of that name is replaced.
        suffix: Of the video that it will be a part of: it chooses the encoder, and how that is set up.
        info: What the frames' source says of itself.
        options: Encoder, quality and effort.
        identifier: Of the output: frames of another are refused.
        threads: Of the encoder; see ``VideoEncoder``.

    Raises:
        EncoderError: the encoder does not fit or open.
        InputError: the source's pixels are stretched so much that no label can be read.
        OutputError, NoSpaceError: it can't be written.
    """

    def __init__(
        self,
        path: Path,
        suffix: str,
        info: MediaInfo,
        options: EncodeOptions,
        *,
        identifier: int,
        threads: int = 0,
    ) -> None:
        check_aspect(info)
        options = EncodeOptions(options.encoder, options.quality, options.effort)
        self._path, self._info, self._identifier = path, info, identifier
        # Nothing is written into it: it is there for the encoder to be set up as for the whole file.
        self._form = av.open(BytesIO(), "w", format=CONTAINERS[suffix].format)
        self._encoder = VideoEncoder(self._form, suffix, info, options, threads)
        self._timed: list[Timed] = []
        with output_errors(path):
            self._part = Temporary(path, 0o600)
            self._file = self._part.path.open("r+b")
        self._write(_MAGIC)

    def __enter__(self) -> SegmentSink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            with deferred():
                with suppress(OSError):  # of a full disk, once more: the first error is the one told
                    self._file.close()
                self._part.remove()
                self._form.close()

    def write(self, labelled: LabelledFrame) -> None:
        """Encode one frame.

        Raises:
            TypeError: it is no labelled frame, or one of another output.
            EncodingError, OutputError, NoSpaceError: it can't be encoded or written.
        """
        frame = LabelledFrame.opened(labelled, self._info.width, self._info.height, self._identifier)
        self._keep(self._encoder.encode(frame))

    def _keep(self, packets: list[Any]) -> None:
        for packet in packets:
            if not packet.size:
                continue
            pts, dts = (round(time * packet.time_base / self._info.time_base) for time in (packet.pts, packet.dts))
            self._timed.append(Timed(pts, dts, packet.duration or 0, bool(packet.is_keyframe), packet.size))
            self._write(bytes(packet))

    def _finish(self) -> None:
        self._keep(self._encoder.finish())
        table = {
            "identifier": f"{self._identifier:012x}",
            "encoder": self._encoder.name,
            "setup": (self._encoder.stream.codec_context.extradata or b"").hex(),
            "time_base": str(self._info.time_base),
            "packets": self._timed,
        }
        said = json.dumps(table, separators=(",", ":")).encode()
        self._write(said + len(said).to_bytes(8, "big") + _MAGIC)
        with output_errors(self._path), deferred():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.path.replace(self._path)
            _settle(self._path.parent)

    def _write(self, data: bytes) -> None:
        with output_errors(self._path):
            self._file.write(data)


@dataclass(frozen=True)
class SegmentFile:
    """A segment that was written.

    Attributes:
        path: Its file.
        identifier: Of the output that it is a part of.
        encoder: FFmpeg's name of what made it.
        setup: What a decoder is set up with.
        time_base: Unit of its times.
        packets: When each is shown and decoded.
    """

    path: Path
    identifier: int
    encoder: str
    setup: bytes
    time_base: Fraction
    packets: tuple[Timed, ...]

    @classmethod
    def opened(cls, path: Path) -> SegmentFile:
        """Read what stands behind the packets.

        Raises:
            InputError: it is not there, damaged, or no segment.
        """
        try:
            with open_regular(path, _MOST) as file:
                length = file.seek(0, os.SEEK_END)
                file.seek(max(length - len(_MAGIC) - 8, 0))
                size, end = int.from_bytes(file.read(8), "big"), file.read()
                rest = length - 2 * len(_MAGIC) - 8 - size
                if end != _MAGIC or rest < 0 or size > _MOST_TABLE:
                    raise ValueError("it has no end")
                file.seek(-len(_MAGIC) - 8 - size, os.SEEK_END)
                table = json.loads(file.read(size))
            packets = tuple(
                Timed(int(pts), int(dts), int(duration), bool(key), int(bytes_))
                for pts, dts, duration, key, bytes_ in table["packets"]
            )
            if sum(packet.size for packet in packets) != rest or not packets:
                raise ValueError("packets are missing")
            return cls(
                path,
                int(table["identifier"], 16),
                str(table["encoder"]),
                bytes.fromhex(table["setup"]),
                Fraction(table["time_base"]),
                packets,
            )
        except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError) as fault:
            raise InputError(f"can't use the segment {path.name}: {fault}", "It has to be made anew.") from fault

    def data(self) -> Iterator[bytes]:
        """What is in each packet, in order.

        Raises:
            OSError: it can't be read.
        """
        with open_regular(self.path, _MOST) as file:
            file.seek(len(_MAGIC))
            for packet in self.packets:
                yield file.read(packet.size)


def _settle(folder: Path) -> None:
    """See a file's name onto the disk, too, where the system lets a folder be opened."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
