"""Who gets whose face: each track of a clip the identity of a person, with that person's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from understudy.enhancement.options import EnhanceOptions
from understudy.face import Faces
from understudy.masking import MaskOptions
from understudy.swapping import Identity, Swapper


class Assigned(NamedTuple):
    """What one track gets.

    Attributes:
        identity: What the engine learned of the person whose face it is.
        strength: 0-1: 0 leaves the target's face as it is, 1 shows the other in full.
        mask: Which parts of it are swapped; None: as the settings say.
        enhance: What is done to that face afterwards; None: what the settings say.
        engine: Whose identity that is, and what renders it; None: the engine that the settings name.
        shape: How far the target's face takes the person's shape (see ``MeshOptions.shape``); None: as the identity has
            it.
        own_strength, own_shape: Whether that is said for them alone, whatever the settings say.
    """

    identity: Identity
    strength: float = 1.0
    mask: MaskOptions | None = None
    enhance: EnhanceOptions | None = None
    engine: Swapper[Any] | None = None
    shape: float | None = None
    own_strength: bool = False
    own_shape: bool = False


class Assignment(Protocol):
    """Says who gets whose face. What it says of a track may change between two frames."""

    def assign(self, faces: Faces) -> Mapping[int, Assigned]:
        """What the tracks of one frame get.

        Args:
            faces: Those who were chosen to be swapped, with ``track_ids``.

        Returns:
            By track id; a track without anything is left as it is.
        """
        ...


class OnePerson:
    """Everybody who was chosen gets the same face.

    Args:
        identity: Whose. May be set anew between two frames, from any thread.
        strength: See ``Assigned``; likewise.
    """

    def __init__(self, identity: Identity, strength: float = 1.0) -> None:
        self.identity = identity
        self.strength = strength

    def assign(self, faces: Faces) -> Mapping[int, Assigned]:
        """See ``Assignment.assign``."""
        numbers = [] if faces.track_ids is None else faces.track_ids.tolist()
        return dict.fromkeys(numbers, Assigned(self.identity, self.strength))
