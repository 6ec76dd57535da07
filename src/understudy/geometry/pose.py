"""Where a head is and where it points: the canonical face laid over a mesh, by points that expression hardly moves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from understudy.arrays import AnyArray, FloatArray
from understudy.geometry.topology import topology


class Posed(NamedTuple):
    """A mesh as a shape and its pose: ``mesh = scale * shape @ turn.T + shift``.

    Attributes:
        shape: float32 (478, 3) in units and frame of ``Topology.canonical``.
        turn: float32 (3, 3), a rotation.
        scale: Pixels a unit.
    """

    shape: FloatArray
    turn: FloatArray
    scale: float


def posed(mesh: FloatArray) -> Posed:
    """Take the pose off a mesh: the similarity that best lays the canonical face on it.

    Weighted orthogonal Procrustes analysis (Umeyama, 1991) over the points, and with the weights, that MediaPipe's face
    geometry module has for it: 33 of them, the most at nose, eyes and cheeks.

    Args:
        mesh: float32 (478, 3).
    """
    shape = topology()
    basis, weights = shape.procrustes, shape.procrustes_weights[:, None]
    a, b = shape.canonical[basis].astype(np.float64), mesh[basis].astype(np.float64)
    middle_a, middle_b = (weights * a).sum(0), (weights * b).sum(0)
    a, b = a - middle_a, b - middle_b
    u, sizes, vt = np.linalg.svd((weights * b).T @ a)
    flip = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    turn = (u * flip) @ vt
    scale = float((sizes * flip).sum() / (weights * a * a).sum())
    plain = (mesh - middle_b) @ turn / max(scale, 1e-6) + middle_a
    return Posed(np.asarray(plain, np.float32), np.asarray(turn, np.float32), scale)


def pose_degrees(mesh: FloatArray) -> tuple[float, float, float]:
    """Where a head points: yaw, pitch and roll in degrees.

    Args:
        mesh: float32 (478, 3).

    Returns:
        Yaw (positive: towards the picture's right), pitch (positive: down), roll (positive: clockwise as seen).
    """
    return turn_degrees(posed(mesh).turn)


def turn_degrees(turn: AnyArray) -> tuple[float, float, float]:
    """Yaw, pitch and roll (see ``pose_degrees``) of a rotation, (3, 3): about z by roll, after x, after y."""
    yaw = np.arctan2(turn[2, 0], turn[2, 2])
    pitch = np.arcsin(np.clip(turn[2, 1], -1, 1))
    roll = np.arctan2(-turn[0, 1], turn[1, 1])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))
