"""What is opened for one target, and what its output will be like, before anybody is asked whose face may be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from understudy.casting.assignment import Assignment
from understudy.casting.cast import PartList, enhancements_of, lanes_of, made_with, masks_of
from understudy.casting.person import Person
from understudy.casting.roles import BLUR, Roles
from understudy.enhancement import Enhancers
from understudy.errors import InputError, ModelError, UsageError
from understudy.masking.base import MaskModel
from understudy.media.bounds import Moving, check_size
from understudy.media.files import MediaInfo, MediaKind
from understudy.models.leftover_memory import give_back_memory
from understudy.pipeline.comparing import compared
from understudy.pipeline.framing import framed
from understudy.pipeline.overlap import beside
from understudy.pipeline.parts import Parts
from understudy.pipeline.tally import Tally
from understudy.provenance import FrameSealer
from understudy.provenance.content import ContentCheck
from understudy.resources import Models
from understudy.resources.made_with import MESH, MadeWith
from understudy.settings import Settings
from understudy.settings.lanes import Lane
from understudy.swapping import MeshEngine
from understudy.swapping.carried.running import Summary
from understudy.tasks.casting import Settle, Settled
from understudy.text import counted, listed
from understudy.times import NEAR, clock


def check_cast(cast: Person | PartList) -> None:
    """Make sure that there is a swap to be made.

    Raises:
        UsageError: nobody gets a face.
    """
    if isinstance(cast, PartList) and not cast.persons:
        raise UsageError(
            "nobody gets a face: where people are only blurred or left no swap is made",
            "Say who gets whose: {1: person}; for a command, --put PHOTO=1, or `put` in the cast file.",
        )


def check_compare(cast: Person | PartList, settings: Settings) -> None:
    """Make sure that the original may stand beside the result, if it is to.

    Raises:
        UsageError: somebody in it is to be blurred, or it is to be in another shape.
    """
    if settings.compare == "no":
        return
    if settings.frame.shape != "as-is":
        raise UsageError("a compare shows whole frames, and no other shape of them", "Leave out one of the two.")
    if (isinstance(cast, PartList) and cast.blurs) or any(lane.do == BLUR for lane in settings.lanes):
        raise UsageError(
            "a compare shows the original, and in it those who are to be blurred", "Leave out one of the two."
        )


class ModelsOfFaces:
    """The models of everybody's masks and enhancement. Those that are missing are told before anything is read.

    Args:
        cast: Whose face, or who gets whose.
        settings: How.
        models: What is opened.

    Attributes:
        masks: Models of masks, by name.
        enhancers: Restorers and upscalers.

    Raises:
        UsageError: the original is to be shown, and somebody in it to be blurred, or in another shape; or a stretch of
            the clip would be of another size.
        UsageError, ModelError: a model, or an engine, is not known, not there, or does not work.
    """

    def __init__(self, cast: Person | PartList, settings: Settings, models: Models) -> None:
        check_compare(cast, settings)
        models.engines(settings, made_with(cast, settings).engines)
        self.masks: Mapping[str, MaskModel] = models.masks(masks_of(cast, settings), settings.runtime)
        self.enhancers: Enhancers = models.enhancers(settings, enhancements_of(cast))
        for lane in lanes_of(settings):
            self._add(models.enhancers(lane, enhancements_of(cast)), lane, settings)

    def _add(self, more: Enhancers, lane: Settings, settings: Settings) -> None:
        """Take in what a stretch of a clip is enhanced with.

        Raises:
            UsageError: its frames would have another size.
        """
        if more.scale(lane.enhance) != self.enhancers.scale(settings.enhance):
            raise UsageError(
                "a lane can't enlarge pictures, or leave them as they are, where the others do otherwise",
                "Name the same upscaler in its `enhance.steps` as for all of the clip.",
            )
        self.enhancers = Enhancers(
            {**self.enhancers.restorers, **more.restorers}, {**self.enhancers.upscalers, **more.upscalers}
        )


@dataclass(frozen=True, eq=False)
class Opened:
    """Of one target.

    Attributes:
        settings: How, as far as that depends on the target.
        info: What the target is.
        result: What the results are like: the target, or larger.
        shown: What the output is like: the result, or a compare.
        by: What it is made with.
        of_faces: The models of masks and enhancement.
        models: All others.
    """

    settings: Settings
    info: MediaInfo
    result: MediaInfo
    shown: MediaInfo
    by: MadeWith
    of_faces: ModelsOfFaces
    models: Models

    @classmethod
    def of(
        cls, cast: Person | PartList, info: MediaInfo, settings: Settings, models: Models, of_faces: ModelsOfFaces
    ) -> Opened:
        """What a target asks for.

        Raises:
            UsageError, InputError: the output would be too large; or lanes were asked for, and it is a picture, or ends
                before one begins.
        """
        check_lanes(info, settings)
        result = _enlarged(info, of_faces.enhancers.scale(settings.enhance), settings.max_pixels)
        shown = compared(result, settings.compare, settings.max_pixels)
        shown = framed(shown, settings.frame, settings.max_pixels)
        if info.kind is MediaKind.IMAGE and settings.neural.carried:
            # Of a photo the engine itself draws everything, eyes and mouth, too.
            settings = replace(settings, neural=replace(settings.neural, refresh=1))
        return cls(
            settings, info, result, shown, made_with(cast, settings, of_faces.enhancers.upscalers), of_faces, models
        )

    @property
    def still(self) -> bool:
        """Whether it is a picture."""
        return self.info.kind is MediaKind.IMAGE

    def content(self) -> ContentCheck:
        """Looks at the target, and at the photos that are put into it."""
        return self.models.content(self.settings, self.info.path.name, self.by)

    def settle(self, settle: Settle) -> Settled:
        """Have it settled who gets whose face, while what is wanted later is opened beside: that leaves a core idle.

        Raises:
            UsageError, InputError, ConsentError, ContentRefusedError, ModelError: it can't be.
        """
        meshed = MESH in self.by.engines or self.settings.neural.carried
        with beside(partial(_open_ahead, self.models, self.settings, meshed=meshed, still=self.still), "ahead"):
            settled = settle(self.info, self.settings)
        if not self.still:
            self.models.perception(self.settings).detector.rest()
        give_back_memory()  # what the photos took
        return settled

    def parts(self, assignment: Assignment, content: ContentCheck, sealer: FrameSealer) -> Parts:
        """What a pipeline is made of."""
        models, settings = self.models, self.settings
        nobody_asks = self.still and not isinstance(assignment, Roles)
        return Parts(
            models.engines(settings, self.by.engines)[0],
            models.perception(settings),
            settings,
            content,
            sealer,
            None if nobody_asks else models.embedder(settings),
            self.of_faces.masks,
            self.of_faces.enhancers,
            pixel_aspect=self.info.pixel_aspect,
        )

    def check_done(self, tally: Tally, settled: Settled) -> None:
        """After the last frame: whether anything was done.

        Raises:
            NoFaceError: nobody was swapped.
            ModelError: an engine gave nothing.
        """
        check_swapped(self, tally.frames_swapped, tally.carried.summary(), settled)

    def notes(self, carried: Summary) -> tuple[str, ...]:
        """What the user should know of what it was made with."""
        made = self.models.notes(self.settings, self.by)
        small = FrameSealer.notes(self.shown.width, self.shown.height, still=self.still)
        return (*made, *_carried(carried, self.by), *_missed(carried, self.by), *_grown(self), *small)


def check_swapped(opened: Opened, frames_swapped: int, carried: Summary, settled: Settled) -> None:
    """See ``Opened.check_done``."""
    path, networks = opened.info.path, opened.by.networks
    if not frames_swapped and not carried.missed:
        raise settled.nobody(path)
    if not frames_swapped or carried.shown == carried.own > 0:
        raise ModelError(
            f"{listed(networks)} gave no face of {path.name}: what comes out of it is none",
            f"Fetch it again with `understudy models pull {' '.join(networks)}`, or choose another engine.",
        )


def _open_ahead(models: Models, settings: Settings, *, meshed: bool, still: bool) -> None:
    """Open and compute what is wanted later.

    Raises:
        ModelError: the recogniser is not here, altered, or does not work.
    """
    if meshed:
        MeshEngine.prepare()
    if not still:
        models.embedder(settings)


def check_lanes(info: MediaInfo, settings: Settings) -> None:
    """Make sure that every lane begins in the clip, as far as its file says how long it is, and that faces are swapped.

    Raises:
        UsageError: one does not, or it is a picture: whoever was to be blurred then would be seen. Or nobody gets a
            face in what is written.
    """
    if info.kind is MediaKind.IMAGE and settings.lanes:
        raise UsageError(f"{info.path.name} is a picture: it has no stretches", "Leave the lanes out.")
    length = info.duration if info.excerpt is None else info.excerpt.of
    for lane in settings.lanes:
        if length is not None and lane.since >= length > 0:
            raise UsageError(
                f"a lane begins at {clock(lane.since)}, when {info.path.name} has ended: it is {clock(length)} long",
                "Its times are seconds, or minutes:seconds, of the whole clip.",
            )
    if info.duration and _swapped_nowhere(info, settings.lanes):
        raise UsageError(
            f"nobody gets a face in what is written of {info.path.name}: lanes leave or blur everybody in all of it",
            "Shorten them, or write another part of the clip.",
        )


def _swapped_nowhere(info: MediaInfo, lanes: Sequence[Lane]) -> bool:
    """Whether all that is written lies in lanes that put nobody's face on anybody. They come one after the other."""
    at = float(info.begins * info.time_base)
    ends = at + (info.duration or 0.0)
    for lane in lanes:
        if lane.do is not None and lane.since <= at + NEAR:
            at = ends if lane.until is None else max(at, lane.until)
    return at >= ends - NEAR


def _enlarged(info: MediaInfo, scale: int, max_pixels: int) -> MediaInfo:
    """What the output shows of a target whose frames are made so many times as large.

    Raises:
        UsageError: more pixels than are allowed.
    """
    if scale == 1:
        return info
    width, height = info.width * scale, info.height * scale
    try:
        check_size(info.path, width, height, max_pixels, Moving.of(info.kind))
    except InputError as fault:
        raise UsageError(
            f"made {scale} times as large, {info.path.name} would be {width}x{height}: {fault.message}",
            "Enlarge it less, or leave the upscaler out.",
        ) from fault
    return replace(info, width=width, height=height, composed=True)


def _carried(counts: Summary, by: MadeWith) -> tuple[str, ...]:
    """How often a face was drawn by an engine whose faces are carried, if any was."""
    if counts.age is None:
        return ()
    drawn = f"{listed(by.networks)} drew {counts.runs} of {counted(counts.shown, 'face')}"
    carried = f"{drawn}; the mesh carried them to the other frames, 95% of them over {counts.age[1]:.2f} s or less"
    if not counts.own:
        return (carried,)
    return (
        carried,
        f"where {listed(by.networks)} gave nothing for long, the {MESH} engine drew: {counted(counts.own, 'face')}",
    )


def _missed(counts: Summary, by: MadeWith) -> tuple[str, ...]:
    """That some faces were not drawn, if so."""
    if not counts.missed:
        return ()
    those = "that one is" if counts.missed == 1 else "those are"
    missed = counted(counts.missed, "face")
    return (f"{listed(by.networks)} gave no face for {missed}: {those} as in the target",)


def _grown(opened: Opened) -> tuple[str, ...]:
    info, result = opened.info, opened.result
    if result is info:
        return ()
    return (f"enlarged from {info.width}x{info.height} to {result.width}x{result.height}",)
