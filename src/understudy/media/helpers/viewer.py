"""A process with a window: started by ``media.live.window``.

Some systems let only a process's main thread have windows; here it has nothing else to do. Reads BGR pictures and
lines of text from its standard input. The picture is shown as it is, label and all; text stands below it. States:
``open``; ``lost``, with a reason; ``pressed``, with what the key means; ``closed``.
"""

from __future__ import annotations

import os
import threading
import time
import warnings
from typing import Any, Final, NoReturn

from understudy.media.helpers.messages import PICTURE, TEXT, Helper, leave, read_message

#: What the keys do, in the order in which help shows them.
KEYS: Final = {"q": "quit", "m": "mirror", "n": "next", "h": "hold", "c": "cover", "s": "statistics"}
_HELP: Final = "   ".join(f"{key}: {does}" for key, does in KEYS.items())
#: Height of a line of text below the picture, and what is left free above the first and below the last, in pixels.
_LINE, _SPACE = 16, 4
#: Height of the strip below the picture, in pixels: it has room for five lines, the most that statistics have.
_STRIP: Final = 5 * _LINE + 2 * _SPACE
#: What SDL draws with where it finds no screen, and nobody sees.
_UNSEEN: Final = ("offscreen", "dummy")
#: Seconds between two looks at keys and pictures.
_TURN: Final = 0.004


def main() -> NoReturn:
    """Show pictures until the input ends or the user closes the window."""
    helper = Helper()
    asked = helper.asked()
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    try:
        import pygame
    except ImportError:
        helper.say(state="lost", reason="missing")
        leave(1)
    try:
        viewer = Viewer(pygame, helper, int(asked["width"]), int(asked["height"]))
    except pygame.error as fault:
        helper.say(state="lost", reason=str(fault))
        leave(1)
    helper.say(state="open")
    threading.Thread(target=viewer.listen, name="pictures", daemon=True).start()
    while viewer.turn():
        time.sleep(_TURN)
    leave(0)


class Viewer:
    """The window.

    Args:
        pygame: The library.
        helper: Brings pictures, and is told what happens.
        width, height: Of the pictures.

    Raises:
        pygame.error: there is no screen.
    """

    def __init__(self, pygame: Any, helper: Helper, width: int, height: int) -> None:
        self._pygame, self._helper, self._size = pygame, helper, (width, height)
        self._newest: memoryview | None = None
        self._lines = [_HELP]
        self._held = self._statistics = self._ended = False
        pygame.display.init()
        if pygame.display.get_driver() in _UNSEEN and not os.environ.get("SDL_VIDEODRIVER"):
            raise pygame.error("there is no screen")
        pygame.font.init()
        self._font = pygame.font.Font(None, 20)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of machines whose screen is slow to scale
            self._surface = pygame.display.set_mode((width, height + _STRIP), pygame.RESIZABLE | pygame.SCALED)
        pygame.display.set_caption("Understudy")

    def listen(self) -> None:
        """Take what comes; runs in a thread of its own."""
        while (message := read_message(self._helper.input)) is not None:
            kind, _, content = message
            if kind == PICTURE:
                self._newest = content
            elif kind == TEXT and self._statistics:
                self._lines = str(bytes(content), "utf-8").splitlines()
        self._ended = True

    def turn(self) -> bool:
        """Look at the keys, show what came; whether to go on."""
        pygame = self._pygame
        changed = False
        for event in pygame.event.get():
            if event.type == pygame.QUIT or (event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE):
                self._helper.say(state="closed")
                return False
            if event.type == pygame.KEYDOWN:
                changed = True
                if not self._press(KEYS.get(event.unicode.lower())):
                    return False
        picture, self._newest = self._newest, None
        if (picture is not None and not self._held) or changed:
            self._draw(None if self._held else picture)
        return not self._ended

    def _press(self, does: str | None) -> bool:
        if does == "quit":
            self._helper.say(state="closed")
            return False
        if does == "hold":
            self._held = not self._held
        elif does == "cover":
            self._held = False  # a picture that is held would go on showing somebody
        elif does == "statistics":
            self._statistics = not self._statistics
            self._lines = [_HELP]
        if does is not None:
            self._helper.say(state="pressed", key=does)
        return True

    def _draw(self, picture: memoryview | None) -> None:
        pygame, (width, height) = self._pygame, self._size
        if picture is not None:
            self._surface.blit(pygame.image.frombuffer(bytes(picture), self._size, "BGR"), (0, 0))
        self._surface.fill((0, 0, 0), (0, height, width, _STRIP))
        for row, line in enumerate(self._lines):
            self._surface.blit(self._font.render(line, True, (200, 200, 200)), (8, height + _SPACE + _LINE * row))
        pygame.display.flip()


if __name__ == "__main__":
    main()
