"""A live sink to look at: a window of its own, by SDL."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from understudy.arrays import UInt8Array
from understudy.errors import UsageError
from understudy.frames import LabelledFrame
from understudy.media.live import LiveInfo, SinkClosed, Sound

#: What the keys do, in the order in which help shows them.
KEYS = {"q": "quit", "m": "mirror", "n": "next", "h": "hold", "s": "statistics"}
_HELP = "   ".join(f"{key}: {does}" for key, does in KEYS.items())
#: Height of the strip below the picture, in pixels.
_STRIP = 56


class WindowSink:
    """Shows frames in a window. The frame's pixels, label and all, are never drawn over: text goes below them.

    Args:
        press: Called with ``mirror`` or ``next`` when such a key was pressed.
        text: Gives the lines that the statistics key shows.
    """

    #: Steady: its keys work while no frames come, too.
    depth, steady, keeps, name = 1, True, False, "window"

    def __init__(self, press: Callable[[str], None] | None = None, text: Callable[[], list[str]] | None = None) -> None:
        self._press, self._text = press, text
        self._pygame: Any = None
        self._surface: Any = None
        self._size = (0, 0)
        self._held = False
        self._lines = False

    def open(self, info: LiveInfo) -> None:
        """See ``LiveSink``."""
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        try:
            import pygame
        except ImportError as fault:
            raise UsageError(
                "a window needs the package pygame-ce", "Install it: pip install 'understudy[window]'."
            ) from fault
        try:
            pygame.display.init()
            pygame.font.init()
            self._size = info.width, info.height + _STRIP
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of machines whose screen is slow to scale
                self._surface = pygame.display.set_mode(self._size, pygame.RESIZABLE | pygame.SCALED)
        except pygame.error as fault:
            raise UsageError(f"no window can be opened here: {fault}", "Is there a screen (DISPLAY)?") from fault
        pygame.display.set_caption("Understudy")
        self._pygame = pygame

    def write(self, labelled: LabelledFrame, seconds: float) -> None:  # noqa: ARG002 - shown at once
        """See ``LiveSink``."""
        picture = LabelledFrame.opened(labelled).picture
        self._keys()
        if self._held:
            return
        rgb = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
        self._surface.fill((0, 0, 0))
        self._surface.blit(self._image(rgb), (0, 0))
        lines = self._text() if self._lines and self._text is not None else [_HELP]
        font = self._pygame.font.Font(None, 20)
        for row, line in enumerate(lines):
            drawn = font.render(line, True, (200, 200, 200), (0, 0, 0))
            self._surface.blit(drawn, (8, picture.shape[0] + 4 + 16 * row))
        self._pygame.display.flip()

    def _image(self, rgb: UInt8Array) -> Any:
        return self._pygame.image.frombuffer(rgb.tobytes(), (rgb.shape[1], rgb.shape[0]), "RGB")

    def _keys(self) -> None:
        for event in self._pygame.event.get():
            if event.type == self._pygame.QUIT:
                raise SinkClosed
            if event.type != self._pygame.KEYDOWN:
                continue
            does = KEYS.get(event.unicode.lower())
            if does == "quit" or event.key == self._pygame.K_ESCAPE:
                raise SinkClosed
            if does == "hold":
                self._held = not self._held
            elif does == "statistics":
                self._lines = not self._lines
            elif does is not None and self._press is not None:
                self._press(does)

    def hear(self, sound: Sound, seconds: float) -> None:
        """See ``LiveSink``: a window has no sound."""

    def abandon(self) -> None:
        """See ``LiveSink``: it waits for nobody."""

    def close(self) -> list[str]:
        """See ``LiveSink``."""
        if self._pygame is not None:
            self._pygame.display.quit()
            self._pygame = None
        return []
