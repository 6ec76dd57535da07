"""What a swapped file would show, without one being written: its frames are labelled and marked as there.

A single frame is looked at by itself, as a photo is. In the finished file people are followed from frame to frame, so
somebody who is turned far away may be swapped there and not here. Played, they are followed as well; but nobody looks
ahead, so who turns up is known a little later than in the file. The label stands on the right, on a face if there is no
room beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from understudy.casting.cast import PartList, made_with
from understudy.casting.course import Course
from understudy.casting.person import People
from understudy.frames import Frame, LabelledFrame
from understudy.media.files import MediaInfo
from understudy.pipeline.clip import ClipPipeline
from understudy.pipeline.parts import Parts
from understudy.pipeline.photo import PhotoPipeline
from understudy.provenance.label import Corner
from understudy.resources import Resources
from understudy.settings import Settings
from understudy.tasks.casting import Settled, settle
from understudy.tasks.opened import ModelsOfFaces

#: Where the label stands in place of each corner: the original is shown left of a line that is moved, and on that side
#: the label would be seen last.
_RIGHT: Final[Mapping[Corner, Corner]] = {
    "bottom-left": "bottom-right",
    "bottom-right": "bottom-right",
    "top-left": "top-right",
    "top-right": "top-right",
}


class Preview:
    """What a cast does to single frames of one target. For one thread at a time.

    Args:
        cast: Who gets whose face.
        target: What the file is.
        settings: How.
        resources: What is opened.
        people: Whose faces are known.

    Raises:
        UsageError, InputError, ModelError: something can't be used.
        ConsentError, ContentRefusedError: a face may not be used.
    """

    def __init__(
        self, cast: PartList, target: MediaInfo, settings: Settings, *, resources: Resources, people: People
    ) -> None:
        settings = replace(settings, neural=replace(settings.neural, refresh=1))
        self._parts, settled = _opened(cast, target, settings, resources, people)
        self._assignment = settled.assignment
        self._course = Course(self._parts.settings)

    def __call__(self, frame: Frame) -> LabelledFrame:
        """The frame as the file would show it. What is given is written into.

        Raises:
            ContentRefusedError: it is intimate.
        """
        now, parts = self._course.at(frame.seconds), self._parts
        parts = parts if now is None else replace(parts, settings=now.settings)
        return PhotoPipeline(parts, self._assignment, now).process(frame)


class Playback:
    """What a cast does to a clip that is played. Frames come in order, not all of them. For one thread at a time.

    Arguments and errors are those of ``Preview``.
    """

    def __init__(
        self, cast: PartList, target: MediaInfo, settings: Settings, *, resources: Resources, people: People
    ) -> None:
        parts, settled = _opened(cast, target, settings, resources, people)
        self._pipeline = ClipPipeline(parts, settled.assignment)

    def __call__(self, frame: Frame) -> LabelledFrame:
        """The next frame as the file would show it. What is given is written into.

        Raises:
            ContentRefusedError: it is intimate.
        """
        return self._pipeline.process(frame)


def _opened(
    cast: PartList, target: MediaInfo, settings: Settings, resources: Resources, people: People
) -> tuple[Parts, Settled]:
    models = resources.models
    right = _RIGHT[settings.label.corner]
    # A crop follows faces through the clip; a frame is shown as large as the original that it is compared with.
    frame = replace(settings.frame, shape="as-is")
    settings = replace(settings, compare="no", frame=frame, label=replace(settings.label, corner=right))
    by = made_with(cast, settings)
    engine = models.engines(settings, by.engines)[0]
    of_faces = ModelsOfFaces(cast, settings, models)
    content = models.content(settings, target.path.name, by)
    settled = settle(cast, target.path, target, settings, resources=resources, people=people, content=content)
    made = resources.trust(settings).output(settings, target.path, target.kind, settled.consents, settled.digests, by)
    made.sealer.check(target.width, target.height)
    parts = Parts(
        engine,
        models.perception(settings),
        settings,
        content,
        made.sealer.for_preview(tuple(_RIGHT.values())),
        models.embedder(settings),
        of_faces.masks,
        of_faces.enhancers,
    )
    return parts, settled
