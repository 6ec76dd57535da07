"""What is kept of one face: the textures that are shown of it, and what is being made."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from understudy.arrays import UInt8Array
from understudy.frames import PixelBox
from understudy.patches import Patch
from understudy.swapping.base import Identity
from understudy.swapping.carried.layers import Layer, layer_of, mixed, placed
from understudy.swapping.carried.looks import Look

#: Frames in which what is new takes the place of what was shown.
FADE: Final = 3


@dataclass(eq=False)
class Asked:
    """A face as the slow engine was asked for it.

    Attributes:
        look: How it looks.
        corner: Where in the frame the part lies that the engine was given, in whole pixels: right and down.
        in_front: What is before it: uint8, 255 shows the face; and where in the frame that lies. None: nothing, or it
            is not known yet.
    """

    look: Look
    corner: tuple[int, int] = (0, 0)
    in_front: tuple[UInt8Array, PixelBox] | None = None

    def layer(self, patch: Patch, before: Layer) -> Layer:
        """What the engine gave as a layer, without what was before the face.

        Args:
            patch: In pixels of the part.
            before: What is known of the face.
        """
        if self.in_front is None:
            return layer_of(patch, before)
        box, (dx, dy) = patch.box, self.corner
        in_frame = PixelBox(box.x0 + dx, box.y0 + dy, box.x1 + dx, box.y1 + dy)
        return layer_of(patch, before, placed(*self.in_front, in_frame))


@dataclass(eq=False)
class Kept:
    """Of one face.

    Attributes:
        identity: Whose it is given.
        arrived: What was made beside and not yet taken: the layer, and the look it was made of.
        asked: What the engine was asked for last.
        fresh: What it gave in the same frame, and what was known before; None where it gave nothing.
        direct: What the engine drew of a whole frame by itself, while it was quick enough; None where it is not.
        known: The newest texture, also where it is too old to be shown; None where none was made yet.
        look: What it was made of.
        frames: Frames that were drawn since then.
        turning: Whether what was shown last is partly one engine's and partly the other's, or just became one's.
    """

    identity: Identity
    arrived: deque[tuple[Layer, Look]] = field(default_factory=lambda: deque(maxlen=1))
    asked: Asked | None = None
    fresh: tuple[Patch, Layer] | None = None
    direct: Patch | None = None
    known: Layer | None = None
    look: Look | None = None
    frames: int = 0
    turning: bool = False
    #: What is shown, and what it takes the place of; None: the mesh engine's own.
    _over: Layer | None = None
    _under: Layer | None = None
    _share: float = 1.0
    #: Whether some of what is below is the mesh engine's own.
    _from_own: bool = False

    @property
    def carried(self) -> bool:
        """Whether a texture is shown, and not the mesh engine's own."""
        return self._over is not None

    def take(self, layer: Layer, look: Look, own: Layer, *, at_once: bool = False) -> None:
        """Show another texture from now on.

        Args:
            layer: It.
            look: What it was made of.
            own: What the mesh engine would draw.
            at_once: Not little by little.
        """
        self.known, self.look, self.frames = layer, look, 0
        self._turn_to(layer, own, at_once=at_once)

    def settle(self, own: Callable[[], Layer]) -> None:
        """What the engine drew by itself until now is carried from now on."""
        if self.direct is not None and self.asked is not None:
            now = own()
            self.take(self.asked.layer(self.direct, self.known or now), self.asked.look, now, at_once=True)
            self.direct = None

    def correct(self, layer: Layer) -> None:
        """Put something better in the place of the texture that was taken last."""
        self._over = self.known = layer

    def let_go(self, own: Layer) -> None:
        """Show the mesh engine's own again."""
        self._turn_to(None, own, at_once=False)

    def _turn_to(self, layer: Layer | None, own: Layer, *, at_once: bool) -> None:
        if at_once:
            self._over, self._under, self._share = layer, None, 1.0
            return
        self._from_own = self._over is None or (self._share < 1 and self._from_own)
        over = own if self._over is None else self._over
        if self._share < 1:
            over = mixed(own if self._under is None else self._under, over, self._share)
        self._over, self._under, self._share = layer, over if over is not own else None, 0.0

    @property
    def needs_own(self) -> bool:
        """Whether what the mesh engine would draw is in what is shown next."""
        return self._over is None or (self._share + 1 / FADE < 1 and self._under is None)

    def shown(self, own: Layer | None, level: int) -> Layer:
        """What is drawn in the next frame, of one level alone.

        Args:
            own: What the mesh engine would draw; None where that is not needed (see ``needs_own``).
            level: Which.
        """
        self.turning = self._share < 1 and (self._over is None or self._from_own)
        self._share = min(self._share + 1 / FADE, 1.0)
        self.frames += 1
        over = own if self._over is None else self._over
        under = own if self._under is None else self._under
        assert over is not None
        if self._share >= 1:
            self._under = None
        return mixed(under or over, over, self._share, level)
