"""Writes video files and animations."""

from __future__ import annotations

from understudy.frames import LabelledFrame
from understudy.media.files.video_file import VideoFile, lasting
from understudy.release import identifier_of
from understudy.text import counted


class VideoSink(VideoFile):
    """Encodes frames and puts the source's sound, subtitles and metadata beside them. A context manager."""

    def __enter__(self) -> VideoSink:
        return self

    def write(self, labelled: LabelledFrame) -> None:
        """Encode one frame."""
        frame = LabelledFrame.opened(labelled, self._info.width, self._info.height, identifier_of(self._release))
        self._at(frame.seconds)
        if not self._thinning.keeps(frame.seconds):
            return
        with self._writing():
            self._container.mux(self._encoder.encode(frame))

    @property
    def _pictures(self) -> int | None:
        # The WebP encoder puts all frames into one packet.
        return self._encoder.packets if self._encoder.name != "libwebp_anim" else None

    def _finish(self) -> None:
        if self._thinning.left_out:
            self.notes.append(
                f"{counted(self._thinning.left_out, 'frame')} left out: as few a second as were asked for"
            )
        if self._passthrough is not None:
            self._passthrough.copy_until(None)
        said = len(self._encoder.notes)
        packets = self._encoder.finish()
        self.notes += self._encoder.notes[said:]
        if packets and packets[-1].time_base == self._info.time_base:
            lasting(packets, self._encoder.first, self._encoder.end)
        self._container.mux(packets)
