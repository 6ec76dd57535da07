"""The end of every pipeline: what was swapped is sealed, and given up."""

from __future__ import annotations

from understudy.frames import Frame, LabelledFrame
from understudy.pipeline.tally import Swapped
from understudy.provenance import FrameSealer


def sealed(sealer: FrameSealer, frame: Frame, done: Swapped) -> LabelledFrame:
    """The frame, labelled, marked and sealed.

    What was sealed is a copy. Of a large photo one more would be too much, so ``frame`` now holds what was sealed, to
    be read only.

    Args:
        sealer: Of the output.
        frame: All done but for that.
        done: What was done to it: where its faces are the label must not stand, if there is room elsewhere.

    Raises:
        InputError: the picture is too small to carry a label that can be read.
    """
    labelled = sealer.seal(frame, done.placed, done.result)
    frame.picture, frame.alpha = labelled.frame.picture, labelled.frame.alpha
    frame.changes.clear()
    return labelled
