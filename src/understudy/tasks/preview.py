"""Single frames as a swapped file would show them: labelled and marked as there, and nothing is written.

Each is looked at by itself, as a photo is. In the finished file people are followed from frame to frame, so somebody
who is turned far away may be swapped there and not here. The label stands on the right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from understudy.casting.cast import PartList, enhancements_of, made_with, masks_of
from understudy.casting.person import People
from understudy.frames import Frame, LabelledFrame
from understudy.media.files import MediaInfo
from understudy.pipeline.parts import Parts
from understudy.pipeline.photo import PhotoPipeline
from understudy.provenance.label import Corner
from understudy.resources import Resources
from understudy.settings import Settings
from understudy.tasks.casting import settle

#: Where the label stands in place of a corner on the left.
_RIGHT: Final[Mapping[Corner, Corner]] = {"bottom-left": "bottom-right", "top-left": "top-right"}


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
        models = resources.models
        # The original is shown left of a line that is moved: on that side the label would be seen last.
        right = _RIGHT.get(settings.label.corner, settings.label.corner)
        settings = replace(
            settings,
            compare="no",
            neural=replace(settings.neural, refresh=1),
            label=replace(settings.label, corner=right),
        )
        by = made_with(cast, settings)
        engine = models.engines(settings, by.engines)[0]
        masks = models.masks(masks_of(cast, settings), settings.runtime)
        enhancers = models.enhancers(settings, enhancements_of(cast))
        content = models.content(settings, target.path.name, by)
        settled = settle(cast, target.path, target, settings, resources=resources, people=people, content=content)
        made = resources.trust(settings).output(
            settings, target.path, target.kind, settled.consents, settled.digests, by
        )
        made.sealer.check(target.width, target.height)
        self._parts = Parts(
            engine,
            models.perception(settings),
            settings,
            content,
            made.sealer,
            models.embedder(settings),
            masks,
            enhancers,
        )
        self._assignment = settled.assignment

    def __call__(self, frame: Frame) -> LabelledFrame:
        """The frame as the file would show it. What is given is written into.

        Raises:
            ContentRefusedError: it is intimate.
        """
        return PhotoPipeline(self._parts, self._assignment).process(frame)
