"""Slow engines whose answer can be seen."""

from __future__ import annotations

import numpy as np

from understudy.face import Faces
from understudy.geometry.boxes import bounds_xyxy, pixel_box
from understudy.geometry.raster import rasterise
from understudy.geometry.topology import closed, closed_triangles, topology
from understudy.patches import Patch
from understudy.swapping import Identity


class StandIn:
    """Draws a face with a function: from the frame and the mesh to a picture of the frame's size.

    Where that gives None it has nothing to give.
    """

    def __init__(self, draw):
        self.draw, self.runs = draw, 0

    def identity(self, portraits):
        return Identity()

    def renderer(self, each=map):
        return self

    def render(self, frame, faces, identities):
        self.runs += 1
        mesh = faces.mesh[0]
        drawn = self.draw(frame, mesh)
        if drawn is None:
            return []
        box = pixel_box(bounds_xyxy(mesh[None])[0], frame.width, frame.height, margin=1)
        size = (box.x1 - box.x0, box.y1 - box.y0)
        place = mesh - np.array([box.x0, box.y0, 0], np.float32)
        uv, depth = rasterise(closed(place), closed_triangles(), closed(topology().uv), size)
        alpha = np.isfinite(depth).astype(np.uint8) * np.uint8(255)
        picture = np.ascontiguousarray(drawn[box.y0 : box.y1, box.x0 : box.x1])
        return [Patch(picture, alpha, uv, box, mesh, next(iter(identities)))]


def flat(color):
    """A picture of one colour for every frame."""
    return lambda frame, mesh: np.full_like(frame.picture, color)


def faces_of(mesh, track=1):
    """One face, as if it was followed."""
    low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
    return Faces(boxes_xyxy=np.array([[*low, *high]]), mesh=mesh[None], track_ids=np.array([track]))
