"""Masks that models see: run on an aligned crop of the frame, kept on the flattened face, shown where the face is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.geometry.topology import keypoints5
from understudy.geometry.transforms import aligned, scale_of
from understudy.masking.base import FLAT, MaskModel, View
from understudy.masking.carried import Carried, Reading, flattened
from understudy.masking.options import MaskOptions
from understudy.masking.running import Asking, Runner

#: Of a feather that is asked for, the spread of the blur that makes it.
_SPREAD = 1 / 3


class ModelMask:
    """What some models see of one person's face; of several the least is shown.

    Args:
        models: At least one.
        options: What of it is asked for.
        runner: When they run.
        least: The share of a face of which less is shown by mistake only.
    """

    def __init__(
        self, models: Sequence[MaskModel], options: MaskOptions, runner: Runner, *, least: float = 0.0
    ) -> None:
        self._models, self._options, self._least = models, options, least
        self._carried = [Carried() for _ in models]
        self._asking: Asking[list[Reading | None]] = Asking(runner)
        #: How many more masks of models there are in the frame.
        self.others = 0

    def __call__(self, view: View) -> UInt8Array | None:
        """See ``Mask``.

        Raises:
            ModelError: a model failed.
        """
        seconds = view.frame.seconds
        answer = self._asking(lambda: self._job(view), seconds, self.others)
        if answer is not None:
            for carried, reading in zip(self._carried, answer.found, strict=True):
                carried.take(reading, answer.seconds)
        known = [visible for carried in self._carried if (visible := carried.now(seconds)) is not None]
        if not known:
            return None
        return view.in_full(view.where_it_was(view.where_drawn(self._map(np.minimum.reduce(known)))))

    def _map(self, visible: FloatArray) -> UInt8Array:
        """What is shown on the flattened face: uint8 (FLAT, FLAT), 0-255."""
        if self._options.feather:
            visible = np.asarray(cv2.GaussianBlur(visible, (0, 0), self._options.feather * FLAT * _SPREAD), np.float32)
        return np.asarray(np.rint(255 * (1 - self._options.strength * (1 - visible))), np.uint8)

    def _job(self, view: View) -> Callable[[], list[Reading | None]]:
        """What is to be done of a frame, which may be written into meanwhile."""
        mesh = view.patch.mesh
        keypoints, size = keypoints5(mesh[None])[0], float(np.ptp(mesh[:, :2], axis=0).max())
        frame_size = (view.frame.width, view.frame.height)
        crops = [aligned(view.frame.picture, keypoints, model.template, model.size) for model in self._models]

        def run() -> list[Reading | None]:
            readings: list[Reading | None] = []
            for model, (crop, transform) in zip(self._models, crops, strict=True):
                visible = model.visible(crop, size * scale_of(transform), self._options)
                readings.append(
                    None if visible is None else flattened(visible, transform, mesh, frame_size, self._least)
                )
            return readings

        return run
