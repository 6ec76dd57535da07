"""Faces that jump: whose detection may be theirs."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.boxes import bounds_xyxy
from understudy.testing import REST, Puppet, portrait
from understudy.tracking.crowd import close_together
from understudy.tracking.jumps import settled


@pytest.mark.parametrize(("away", "own"), [(0.4, True), (0.95, False)])
def test_of_one_who_is_hardly_seen_a_detection_beside_is_somebody_elses(away, own):
    """Of a face half as large, as far away as one may stand without being close."""
    shot = Puppet(portrait("astronaut"), (480, 360), face_share=0.5).render(REST)
    x0, y0, x1, y1 = bounds_xyxy(shot.mesh[None])[0]
    size = max(x1 - x0, y1 - y0)
    middle = np.array([(x0 + x1) / 2 + away * size, (y0 + y1) / 2], np.float32)
    half = np.array([x1 - x0, y1 - y0], np.float32) / 4
    box = np.concatenate([middle - half, middle + half])
    assert close_together(np.stack([[x0, y0, x1, y1], box]))[0] == own  # one that is close is another module's affair
    there = np.full((478, 3), 7, np.float32)
    landmarker = SimpleNamespace(first_roi=lambda *_: None, next_roi=lambda _: None, fit=lambda *_: (there, 0.999))
    seen = Faces(box[None], np.ones(1, np.float32), np.tile(middle, (1, 5, 1)))
    before = SimpleNamespace(raw=shot.mesh, presence=1.0)
    mesh, _ = settled(landmarker, Frame(shot.picture), before, (shot.mesh, 0.6), 0.5, lambda _: seen)
    assert (mesh is there) == own
