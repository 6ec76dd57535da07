"""Sound in one form, whatever it was: broadcasts change between stereo and 5.1, and from rate to rate, on the way."""

from __future__ import annotations

from typing import Any

import av


class Resampler:
    """Turns frames of sound into one form.

    Args:
        format: FFmpeg's name of how samples are stored.
        layout: FFmpeg's name of the channels.
        rate: Samples a second.
    """

    def __init__(self, format: str, layout: str, rate: int) -> None:  # noqa: A002 - FFmpeg's own word
        self._form = (format, layout, rate)
        self._heard: tuple[str, str, int] | None = None
        self._resampler: Any = None

    def resample(self, frame: Any | None) -> list[Any]:
        """The frames that are ready once another has come.

        Args:
            frame: As it was decoded, in any form; None if no more comes.
        """
        if frame is None:
            return self._rest()
        heard = (frame.format.name, frame.layout.name, frame.sample_rate)
        before = []
        if heard != self._heard:  # PyAV's takes frames of one form only
            before = self._rest()
            self._heard, self._resampler = heard, av.AudioResampler(*self._form)
        return [*before, *self._resampler.resample(frame)]

    def _rest(self) -> list[Any]:
        """What was kept of the frames of one form."""
        kept = [] if self._resampler is None else self._resampler.resample(None)
        return [frame for frame in kept if frame is not None]
