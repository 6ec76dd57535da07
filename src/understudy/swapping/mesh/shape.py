"""The shape of a face: how a target's mesh is moved towards the source's, with its contour left where it is.

A texture alone does not make a likeness: how far the eyes are apart and the brows are high, how long and wide the nose
is, tell people apart as much. So the mesh that the texture is drawn on is moved, in the head's own frame, by a share of
the difference between the two neutral faces:

    mesh' = mesh + scale · turn · strength · W trust (source - neutral)

W smooths over neighbouring vertices (what differs only there is expression or noise), fades to nothing at the oval,
where the target's jaw, hair and ears begin, and moves both sides of a gap alike: lids and lips that are shut stay shut.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from understudy.arrays import AnyArray, FloatArray, IntArray
from understudy.compiled import compiled
from understudy.geometry import topology as topo
from understudy.geometry.pose import Posed, posed
from understudy.swapping.mesh.expression import at_rest
from understudy.tones import smoothstep

#: Rounds of averaging over neighbours.
SMOOTHING = 3
#: Steps from the oval over which W rises to one.
RISE = 4
#: How much less what the jaw carries is moved: how far it hangs is speech, how long it is the contour's affair.
JAW = 0.5
#: Gap between the lips, over the mouth's width, from which a view says little of the mouth at rest: so far goes what is
#: known of how mouths open.
SPEAKING = 0.5
#: What a shape is trusted by half for: one frontal frame of a mouth at rest weighs 1.
ENOUGH = 0.02
#: Seconds without a look after which somebody's shape is learned anew.
FORGOTTEN = 10.0
#: Frames a second of which one weighs 1; and how many of them one stands for at most, after a gap.
USUAL_RATE, MOST_FRAMES = 30.0, 15.0
#: How much lips move as a whole.
LIPS = 0.3
#: No vertex moves further than this (in distances of the eyes).
LONGEST = 0.15


def neutral(mesh: FloatArray) -> FloatArray:
    """A photographed face's own shape (float32 (478, 3)): without its pose, the mouth at rest, the same on both sides.

    A face seen from the side has one half that is mostly guessed, and a crooked smile is no trait.
    """
    return at_rest(symmetric(posed(mesh).shape))


def symmetric(shape: FloatArray) -> FloatArray:
    """The mean of a shape and its mirror image."""
    mirrored = shape[topo.topology().mirror] * np.array([-1, 1, 1], np.float32)
    return np.asarray((shape + mirrored) / 2, np.float32)


def moved(mesh: FloatArray, pose: Posed, difference: FloatArray, strength: float) -> FloatArray:
    """The mesh with the source's shape.

    Args:
        mesh: float32 (478, 3): the target's.
        pose: Its pose.
        difference: float32 (478, 3): the source's neutral shape minus the target's, as far as both are known.
        strength: 0-1.
    """
    step = np.empty((len(mesh), 3), np.float32)
    _smooth(weights(), np.ascontiguousarray(difference.T), step)
    step *= np.float32(strength)
    length = np.linalg.norm(step, axis=1, keepdims=True)
    step *= np.minimum(1, LONGEST / np.maximum(length, 1e-6))
    return np.asarray(mesh + step @ pose.turn.T * np.float32(pose.scale), np.float32)


@compiled
def _smooth(weights: FloatArray, difference: FloatArray, result: FloatArray) -> None:
    """Write ``weights @ difference.T``, in this thread.

    The library that numpy asks for such a product starts threads, which then wait in a busy loop: on two cores they
    took more from the encoder than the product is worth.
    """
    count = weights.shape[0]
    for v in range(count):
        for k in range(3):
            total = np.float32(0)
            for other in range(count):
                total += weights[v, other] * difference[k, other]
            result[v, k] = total


@lru_cache(maxsize=1)
def weights() -> FloatArray:
    """W, float32 (478, 478): how far each vertex goes with each other one's difference. The same for every face."""
    shape = topo.topology()
    count = len(shape.canonical)
    mean = _neighbours()
    near = mean > 0
    steps = np.full(count, np.inf)
    steps[shape.oval] = 0
    for _ in range(RISE):
        steps = np.minimum(steps, np.where(near, steps[None, :], np.inf).min(axis=1) + 1)
    fade = np.clip(steps / RISE, 0, 1)
    fade = fade * fade * (3 - 2 * fade)
    lips = shape.canonical[[topo.LIP_UPPER_INNER, topo.CHIN], 1]
    fade *= 1 - JAW * np.clip((shape.canonical[:, 1] - lips[0]) / (lips[1] - lips[0]) * 3, 0, 1)
    result = _gaps_kept() @ (fade[:, None] * (mean @ _together() @ np.linalg.matrix_power(mean, SMOOTHING)))
    # An iris goes with its lids; where it looks is no shape.
    for iris, ring in ((topo.IRIS_LEFT, shape.eye_left), (topo.IRIS_RIGHT, shape.eye_right)):
        result[list(iris)] = result[ring].mean(0)
    return np.asarray(result, np.float32)


def _neighbours() -> AnyArray:
    """The mean of each vertex and its neighbours, float64 (478, 478)."""
    shape = topo.topology()
    near = np.eye(len(shape.canonical))
    for a, b, c in shape.triangles.tolist():
        near[[a, b, b, c, c, a], [b, a, c, b, a, c]] = 1
    return np.asarray(near / near.sum(axis=1, keepdims=True))


def _together() -> FloatArray:
    """Lips move as a whole, for the most part: an open mouth in the photo is no trait."""
    shape = topo.topology()
    share = np.eye(len(shape.canonical))
    group = np.array(sorted({*shape.lips_outer, *shape.lips_inner}))
    share[group] *= 1 - LIPS
    share[np.ix_(group, group)] += LIPS / len(group)
    return np.asarray(share, np.float32)


def _gaps_kept() -> FloatArray:
    """What faces each other across a gap, lids and lips, moves by the same: how far it is open is the target's."""
    shape = topo.topology()
    share = np.eye(len(shape.canonical))
    for ring in (shape.eye_left, shape.eye_right, shape.lips_inner):
        for one, other in across(ring):
            share[[[one], [other]], [one, other]] = 0.5
    return np.asarray(share, np.float32)


def across(ring: IntArray) -> list[tuple[int, int]]:
    """The vertices of a contour that meet when it shuts: all but its two corners, in pairs from corner to corner."""
    start = int(np.argmin(topo.topology().canonical[ring, 0]))
    turned, half = np.roll(ring, -start).tolist(), len(ring) // 2
    return list(zip(turned[1:half], turned[:half:-1], strict=True))


@lru_cache(maxsize=1)
def _speaking() -> FloatArray:
    """How far each vertex goes with an opening mouth, float32 (478,): from 0 at the nose's tip to 1 at the lips."""
    height = topo.topology().canonical[:, 1]
    nose, lips = height[[topo.NOSE_TIP, topo.LIP_UPPER_INNER]]
    return smoothstep(height, nose, lips)


@dataclass
class NeutralShape:
    """A target's neutral shape, learned as it is seen: the mean of what it showed.

    Frontal views have the most say, and of the mouth those that show it nearly shut. A frame counts for the time since
    the one before, so that it does not matter how many there are in a second.

    A step back in time, or a long gap, forgets what was.

    Attributes:
        seconds: Time constant with which the past fades.
        shape: float32 (478, 3): the shape as far as it is known.
    """

    seconds: float = 5.0
    shape: FloatArray = field(default_factory=lambda: topo.topology().canonical)
    _weight: FloatArray = field(default_factory=lambda: np.zeros(len(topo.topology().canonical), np.float32))
    _last: float = -math.inf

    @property
    def trust(self) -> FloatArray:
        """How well ``shape`` is known, float32 (478,), 0-1.

        A mouth that was seen wide open only, as in one photo of a laugh, is the expression as much as the face.
        """
        return np.asarray(self._weight / (self._weight + ENOUGH), np.float32)

    def update(self, pose: Posed, now: float) -> None:
        """See one more frame, at ``now`` seconds."""
        resting = np.exp(-((topo.mouth_aperture(pose.shape) / SPEAKING) ** 2))
        front = max(float(pose.turn[2, 2]), 0.0) ** 4
        says = np.asarray(front * (1 - _speaking() * (1 - resting)) + 1e-3, np.float32)
        passed = now - self._last
        if 0 <= passed < FORGOTTEN:
            says = np.asarray(says * min(max(passed * USUAL_RATE, 1e-3), MOST_FRAMES), np.float32)
            faded = math.exp(-passed / self.seconds)
        else:
            faded = 0.0
        self._weight = says + self._weight * np.float32(faded)
        self.shape = self.shape + (at_rest(symmetric(pose.shape)) - self.shape) * (says / self._weight)[:, None]
        self._last = now
