"""Writes video files and animations."""

from __future__ import annotations

from understudy.frames import LabelledFrame
from understudy.media.files.last_delay import set_last_delay
from understudy.media.files.video_file import VideoFile, lasting
from understudy.release import identifier_of
from understudy.text import counted


class VideoSink(VideoFile):
    """Encodes frames and puts the source's sound, subtitles and metadata beside them. A context manager."""

    #: When the last frame ends, in seconds.
    _until = 0.0

    def __enter__(self) -> VideoSink:
        return self

    def write(self, labelled: LabelledFrame) -> None:
        """Encode one frame."""
        frame = LabelledFrame.opened(labelled, self._info.width, self._info.height, identifier_of(self._release))
        self._at(frame.seconds)
        self._until = max(self._until, float((frame.pts + frame.duration) * frame.time_base))
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
            left_out = counted(self._thinning.left_out, "frame")
            self.notes.append(f"{left_out} left out, {self._thinning.kept} written: as few a second as were asked for")
        if self._passthrough is not None:
            self._passthrough.copy_until(None)
        said = len(self._encoder.notes)
        packets = self._encoder.finish()
        self.notes += self._encoder.notes[said:]
        if packets and packets[-1].time_base == self._info.time_base:
            lasting(packets, self._encoder.first, self._encoder.end)
        self._container.mux(packets)

    def _close(self) -> None:
        super()._close()
        if (self._thinning.apart or self._encoder.name == "libwebp_anim") and self._until > self._thinning.last:
            # What was left out behind the last frame that stays is the time for which it stays; of WebP FFmpeg makes it
            # as long as the others are on average.
            set_last_delay(self._file.path, self._until - self._thinning.last)
