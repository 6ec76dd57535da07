"""What every engine does: an identity once, then, by a renderer for each clip, patches for every frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from understudy.arrays import UInt8Array
from understudy.each import Each
from understudy.face import Faces
from understudy.frames import Frame
from understudy.patches import Patch


@dataclass(frozen=True, eq=False)
class Portrait:
    """A photo of the person whose face is used, with the face found in it.

    Attributes:
        picture: uint8 BGR (H, W, 3).
        face: One row, with a mesh, in pixels of ``picture``.
        digest: SHA-256 of the photo under which what is learned of it may be kept on disk; empty where none of it may.
    """

    picture: UInt8Array
    face: Faces
    digest: str = ""


class Identity:
    """What an engine keeps of one person. Each engine has a class of its own.

    Attributes:
        dropped: The photos that it left out: the number of each, from 0, and why.
    """

    dropped: tuple[tuple[int, str], ...] = ()

    def shaped(self, amount: float) -> Identity:
        """The same person, whose shape a target's face takes so far, whatever the engine's options say.

        Args:
            amount: As ``MeshOptions.shape``. An engine whose networks know no shape leaves it out of account.
        """
        del amount
        return self


Own = TypeVar("Own", bound=Identity)
Own_contra = TypeVar("Own_contra", bound=Identity, contravariant=True)


class Renderer(Protocol, Generic[Own_contra]):
    """Draws for one clip, and remembers its people. A new shot has a new one."""

    def render(self, frame: Frame, faces: Faces, identities: Mapping[int, Own_contra]) -> list[Patch]:
        """Draw identities for one frame. The frame is only read; faces may be drawn by several threads at once.

        Args:
            frame: The frame the faces were found in.
            faces: With meshes and track ids.
            identities: By track id; a face without one is left as it is.
        """
        ...


class Swapper(Protocol, Generic[Own]):
    """An engine: models and options, for any number of clips at a time."""

    def identity(self, portraits: Sequence[Portrait]) -> Own:
        """Learn one person.

        Args:
            portraits: At least one; all of the same person.
        """
        ...

    def renderer(self, each: Each = map) -> Renderer[Own]:
        """What draws one shot of a clip.

        Args:
            each: Calls a function with each of several items. A large face may be drawn by parts with it, which then
                are drawn at once.
        """
        ...
