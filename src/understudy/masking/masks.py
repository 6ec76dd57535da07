"""The masks of each patch of a frame: what is in front of the face, and which of it was chosen, all multiplied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from understudy.arrays import FloatArray
from understudy.each import Each
from understudy.errors import UsageError
from understudy.frames import Frame
from understudy.masking.base import Mask, MaskModel, View
from understudy.masking.box import BoxMask
from understudy.masking.crossings import Crossings, FacesBefore
from understudy.masking.learned import ModelMask
from understudy.masking.occlusion import Occlusion, OcclusionOptions
from understudy.masking.options import MaskOptions
from understudy.masking.regions import RegionMask
from understudy.masking.running import AtOnce, Runner
from understudy.patches import Light, Patch, PatchMask, product
from understudy.per_track import PerTrack

#: The share of a face that occluders leave at least: less only by mistake, for who is hidden wholly has no mesh, and a
#: face that is seen would be shown as it is.
_LEAST_LEFT: Final = 0.04
#: Where there are none.
NO_MODELS: Final[Mapping[str, MaskModel]] = MappingProxyType({})
NOBODY: Final[Mapping[int, FloatArray]] = MappingProxyType({})


class Masking:
    """Says where each patch is seen, and remembers what hides whom.

    Args:
        occlusion: What is left in front by what the frame itself tells.
        options: Which parts of a face are swapped, unless it is said for a track.
        models: Those that are open, by name.
        runner: When they run; in the frame at hand if None.

    Attributes:
        options: See above; may be set anew between two frames.
    """

    def __init__(
        self,
        occlusion: OcclusionOptions | None = None,
        options: MaskOptions | None = None,
        models: Mapping[str, MaskModel] = NO_MODELS,
        runner: Runner | None = None,
    ) -> None:
        self.options = options or MaskOptions()
        runner = runner or AtOnce()
        self._crossings = Crossings() if occlusion is None or occlusion.faces else None
        self._people = PerTrack(lambda: _Person(Occlusion(occlusion), models, runner))

    def masks(
        self,
        frame: Frame,
        patches: Sequence[Patch],
        lights: Sequence[Light],
        hands: Sequence[FloatArray] = (),
        each: Each = map,
        chosen: Mapping[int, MaskOptions | None] | None = None,
        everybody: Mapping[int, FloatArray] = NOBODY,
    ) -> list[PatchMask]:
        """The masks of some patches.

        Args:
            frame: The frame under them; it is only read.
            patches: Theirs.
            lights: What was measured of the light on each.
            hands: The joints of hands, float32 (21, 2) each, in pixels of the frame.
            each: Calls a function with each of several items.
            chosen: By track, which parts of it are swapped; None: as ``options`` say. What was said last holds for a
                track that is not there now.
            everybody: By track, the mesh of everybody in the frame, float32 (478, 3), also of those without a patch.

        Raises:
            UsageError: a model is named that is not open.
            ModelError: a model failed.
        """
        people = self._people.of([patch.track_id for patch in patches])
        for patch, person in zip(patches, people, strict=True):
            if chosen is None or patch.track_id in chosen or person.options is None:
                person.adopt((chosen or {}).get(patch.track_id) or self.options)
        models = [mask for person in people for mask in person.models]
        for mask in models:
            mask.others = len(models) - 1

        drawn = {patch.track_id: patch.mesh if patch.warp is None else patch.warp.mesh for patch in patches}
        meshes = {**everybody, **drawn}
        before = {} if self._crossings is None else self._crossings.before(frame, {**drawn, **everybody})

        def made(of: tuple[Patch, Light, _Person]) -> PatchMask:
            patch, light, person = of
            in_front = [meshes[track] for track in before.get(patch.track_id, [])]
            return person.mask(View(frame, patch, light, hands, each, in_front))

        return list(each(made, zip(patches, lights, people, strict=True)))

    def forget(self, tracks: Sequence[int] | None = None) -> None:
        """Forget what hides some tracks; all if None."""
        self._people.forget(tracks)
        if self._crossings is not None:
            self._crossings.forget(tracks)


class _Person:
    """The masks of one person: those of what is in front of the face, and those of what was chosen of it."""

    def __init__(self, occlusion: Occlusion, models: Mapping[str, MaskModel], runner: Runner) -> None:
        self._occlusion, self._open, self._runner = occlusion, models, runner
        self._in_front: list[Mask] = [occlusion, FacesBefore()]
        self._chosen: list[Mask] = []
        self.models: list[ModelMask] = []
        self.options: MaskOptions | None = None

    def adopt(self, options: MaskOptions) -> None:
        """Take over other options; what the frame itself tells goes on with what it knows."""
        if options == self.options:
            return
        self.options = options
        occluders = [self._asked(options.occluders, least=_LEAST_LEFT)] if options.occluders else []
        parsers = [self._asked(options.parsers)] if options.parsers else []
        self.models = occluders + parsers
        self._in_front = [self._occlusion, FacesBefore(), *occluders]
        self._chosen = [RegionMask(options)]
        if options.box is not None:
            self._chosen.append(BoxMask(options))
        self._chosen += parsers

    def mask(self, view: View) -> PatchMask:
        return PatchMask(*(product([mask(view) for mask in masks]) for masks in (self._in_front, self._chosen)))

    def _asked(self, names: Sequence[str], *, least: float = 0.0) -> ModelMask:
        assert self.options is not None
        missing = [name for name in names if name not in self._open]
        if missing:
            raise UsageError(
                f"the mask model {missing[0]} was not opened for this",
                f"Open ones: {', '.join(self._open) or 'none'}. Name it in the settings that this begins with.",
            )
        return ModelMask([self._open[name] for name in names], self.options, self._runner, least=least)
