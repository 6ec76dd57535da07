"""One z-buffered rasteriser for everything that is drawn on a face mesh."""

from __future__ import annotations

import numpy as np

from understudy.arrays import FloatArray, IntArray
from understudy.compiled import compiled
from understudy.each import Each, by_rows

#: Depth of a pixel that no triangle covers.
EMPTY = np.float32(np.inf)


def rasterise(
    points: FloatArray, triangles: IntArray, attributes: FloatArray, size: tuple[int, int], each: Each = map
) -> tuple[FloatArray, FloatArray]:
    """Interpolate per-vertex values over the triangles, nearest surface first.

    Triangles that face away (clockwise on the screen, y down, is towards the camera for
    ``topology().triangles``) are not drawn. Interpolation is linear on the screen, which is exact for the
    orthographic projection that the mesh is in. Of two equally near surfaces the earlier triangle wins.

    Args:
        points: float32 (V, 3): x, y in pixels of the output ((0, 0) its outer corner), z smaller is nearer.
        triangles: int32 (T, 3): vertex indices.
        attributes: float32 (V, K): what to interpolate.
        size: Width and height of the output.
        each: Calls a function with each of several items: with the halves of a large output.

    Returns:
        Values, float32 (height, width, K), 0 where nothing is drawn; depth, float32 (height, width),
        ``EMPTY`` where nothing is drawn.
    """
    width, height = size
    values = np.zeros((height, width, attributes.shape[1]), np.float32)
    depth = np.full((height, width), EMPTY, np.float32)
    drawn = (
        np.ascontiguousarray(points, np.float32),
        np.ascontiguousarray(triangles, np.int32),
        np.ascontiguousarray(attributes, np.float32),
    )

    def fill(rows: tuple[int, int]) -> None:
        _fill(*drawn, values, depth, np.empty((3, attributes.shape[1]), np.float32), *rows)

    by_rows(each, depth.shape, fill)
    return values, depth


@compiled
def _fill(
    points: FloatArray,
    triangles: IntArray,
    attributes: FloatArray,
    values: FloatArray,
    depth: FloatArray,
    plane: FloatArray,
    first: int,
    end: int,
) -> None:
    """Draw all triangles, in the rows from ``first`` to before ``end``.

    ``plane``, float32 (3, K), is room for one's attributes: at a, and the steps to b and c.
    """
    width = depth.shape[1]
    half, one = np.float32(0.5), np.float32(1)
    above, below, beyond = np.float32(first), np.float32(end), np.float32(width)
    channels = attributes.shape[1]
    base, towards_b, towards_c = plane[0], plane[1], plane[2]
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay = points[a, 0], points[a, 1]
        bx, by = points[b, 0], points[b, 1]
        cx, cy = points[c, 0], points[c, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if not np.float32(1e-9) < area < EMPTY:  # also false for NaN
            continue
        inverse = np.float32(1) / area
        az = points[a, 2]
        bz, cz = points[b, 2] - az, points[c, 2] - az
        # Pixel centres lie at +0.5; a pixel belongs to the box if its centre does.
        # Cut to what is drawn before they become whole numbers: of some that is not possible.
        top = int(np.ceil(min(max(min(ay, by, cy) - half, above), below)))
        bottom = int(np.floor(max(min(max(ay, by, cy) - half, below - one), above - one)))
        if top > bottom:
            continue
        for k in range(channels):
            base[k] = attributes[a, k]
            towards_b[k] = attributes[b, k] - base[k]
            towards_c[k] = attributes[c, k] - base[k]
        left = int(np.ceil(min(max(min(ax, bx, cx) - half, np.float32(0)), beyond)))
        right = int(np.floor(max(min(max(ax, bx, cx) - half, beyond - one), -one)))
        # Barycentric weights are linear in x: a row's pixels inside are one run.
        step_b = (cy - ay) * inverse
        step_c = -(by - ay) * inverse
        for y in range(top, bottom + 1):
            py = np.float32(y) + np.float32(0.5)
            px = np.float32(left) + np.float32(0.5)
            weight_b = ((px - ax) * (cy - ay) - (py - ay) * (cx - ax)) * inverse
            weight_c = ((bx - ax) * (py - ay) - (by - ay) * (px - ax)) * inverse
            inside = False
            for x in range(left, right + 1):
                weight_a = np.float32(1) - weight_b - weight_c
                # A hair of slack closes the seams between neighbours in float arithmetic.
                if min(weight_a, weight_b, weight_c) >= np.float32(-1e-5):
                    inside = True
                    z = az + weight_b * bz + weight_c * cz
                    if z < depth[y, x]:
                        depth[y, x] = z
                        for k in range(channels):
                            values[y, x, k] = base[k] + weight_b * towards_b[k] + weight_c * towards_c[k]
                elif inside:
                    break
                weight_b += step_b
                weight_c += step_c
