"""What a face does in a picture: its mesh, pose and expression, seen by the same eyes before and after a swap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.geometry import topology as topo
from understudy.geometry.pose import pose_degrees
from understudy.geometry.topology import IRIS_LEFT, IRIS_RIGHT
from understudy.landmarks import BlendshapeModel, Landmarker
from understudy.landmarks.blendshapes import GROUPS, NAMES

#: Vertices between brow and lid, above each eye's middle: brow, lid.
_BROWS: Final = ((105, 159), (334, 386))
#: Below this variance, summed over the scores, a face hardly moves: what a still one has by the noise of its picture.
_STILL: Final = 0.01


@dataclass(frozen=True, eq=False)
class Look:
    """One face in one picture.

    Attributes:
        mesh: float32 (478, 3) as the model gives it, not smoothed, in pixels.
        pose: Yaw, pitch and roll, in degrees.
        mouth: Gap between the lips over the mouth's width.
        lids: Gap between the lids over the eye's width, the mean of both eyes.
        brows: Distance of the brows from the lids over that of the eyes.
        gaze: float32 (2,): where the irises lie between the eyes' corners, right and down, in widths of an eye.
        blendshapes: float32 (52,), 0-1: what the face does, by ``landmarks.blendshapes.NAMES``.
    """

    mesh: FloatArray
    pose: tuple[float, float, float]
    mouth: float
    lids: float
    brows: float
    gaze: FloatArray
    blendshapes: FloatArray

    def score(self, name: str) -> float:
        """One of the blendshapes, by name."""
        return float(self.blendshapes[NAMES.index(name)])

    @property
    def eye_distance(self) -> float:
        """Pixels between the eyes' centres."""
        eyes = topo.keypoints5(self.mesh[None])[0, :2]
        return float(np.linalg.norm(eyes[1] - eyes[0]))


#: What of a look is plotted over time, by name.
CURVES: Final[dict[str, Callable[[Look], float]]] = {
    "mouth": lambda look: look.mouth,
    "lids": lambda look: look.lids,
    "jawOpen": lambda look: look.score("jawOpen"),
    "eyeBlink": lambda look: (look.score("eyeBlinkLeft") + look.score("eyeBlinkRight")) / 2,
    "mouthSmile": lambda look: (look.score("mouthSmileLeft") + look.score("mouthSmileRight")) / 2,
    "browInnerUp": lambda look: look.score("browInnerUp"),
}


class Onlooker:
    """Sees looks. Not for several threads at once."""

    def __init__(self, landmarker: Landmarker, blendshapes: BlendshapeModel) -> None:
        self._landmarker, self._blendshapes = landmarker, blendshapes

    def look(self, picture: UInt8Array, where: FloatArray) -> Look:
        """The face near a known mesh.

        Args:
            picture: uint8 BGR (H, W, 3).
            where: float32 (478, 3): a mesh of about the same face. Its region is searched, so that of the same
                frame before and after a swap is seen through the same window.
        """
        mesh = self._landmarker.fit(picture, self._landmarker.next_roi(where)).mesh
        return Look(
            mesh=mesh,
            pose=pose_degrees(mesh),
            mouth=topo.mouth_aperture(mesh),
            lids=sum(topo.eye_apertures(mesh)) / 2,
            brows=_brows(mesh),
            gaze=_gaze(mesh),
            blendshapes=self._blendshapes.scores(mesh[None])[0],
        )


def _gaze(mesh: FloatArray) -> FloatArray:
    eyes = (
        (IRIS_LEFT[0], topo.EYE_LEFT_OUTER, topo.EYE_LEFT_INNER),
        (IRIS_RIGHT[0], topo.EYE_RIGHT_INNER, topo.EYE_RIGHT_OUTER),
    )
    seen = []
    for center, left, right in eyes:
        along = mesh[right, :2] - mesh[left, :2]
        width = max(float(np.linalg.norm(along)), 1e-6)
        across = np.array([-along[1], along[0]]) / width
        offset = mesh[center, :2] - (mesh[left, :2] + mesh[right, :2]) / 2
        seen.append([float(offset @ along) / width**2, float(offset @ across) / width])
    return np.asarray(np.mean(seen, axis=0), np.float32)


def _brows(mesh: FloatArray) -> float:
    eyes = topo.keypoints5(mesh[None])[0, :2]
    distance = max(float(np.linalg.norm(eyes[1] - eyes[0])), 1e-6)
    return float(np.mean([np.linalg.norm(mesh[a] - mesh[b]) for a, b in _BROWS])) / distance


def fidelity(target: list[Look], swap: list[Look]) -> dict[str, float]:
    """How far the result's pose and expression are from the target's: means over the frames.

    Returns:
        ``pose_degrees`` (mean of the three angles' errors); ``mouth``, ``lids``, ``brows`` and ``gaze`` (in the
        units of ``Look``), and ``expression``, their sum; ``expression_motion``, the same of what is left when the mean
        over the frames is taken off each: how high somebody's brows sit is no expression, that they rise is one.
    """
    pairs = list(zip(target, swap, strict=True))
    pose = [np.abs(np.subtract(a.pose, b.pose)).mean() for a, b in pairs]
    parts = {
        "mouth": float(np.mean([abs(a.mouth - b.mouth) for a, b in pairs])),
        "lids": float(np.mean([abs(a.lids - b.lids) for a, b in pairs])),
        "brows": float(np.mean([abs(a.brows - b.brows) for a, b in pairs])),
        "gaze": float(np.mean([np.linalg.norm(a.gaze - b.gaze) for a, b in pairs])),
    }
    values = [np.array([[x.mouth, x.lids, x.brows, *x.gaze] for x in side]) for side in (target, swap)]
    moves = np.abs(np.diff([side - side.mean(axis=0) for side in values], axis=0)[0]).mean(axis=0)
    motion = float(moves[:3].sum() + np.hypot(moves[3], moves[4]))
    whole = sum(parts.values())
    return {"pose_degrees": float(np.mean(pose)), **parts, "expression": whole, "expression_motion": motion}


def expression_kept(target: list[Look], swap: list[Look]) -> dict[str, float | None]:
    """How far what the result does is from what the target does, by blendshapes: means over the frames.

    Returns:
        ``blendshapes_`` and a group's name (``brows``, ``lids``, ``gaze``, ``jaw``, ``lips``): the mean difference of
        its scores, 0-1; ``blendshapes``: the mean of the groups; ``blendshapes_motion``: the same of what is left when
        the mean over the frames is taken off each score; ``motion_kept``: how much of the target's changes the result
        shows, 1 for all (the slope of the result's changes over the target's, all scores together); None where the
        target hardly moves.
    """
    scores = [np.stack([look.blendshapes for look in side]).astype(np.float64) for side in (target, swap)]
    changes = [side - side.mean(axis=0) for side in scores]
    rows = {group: [NAMES.index(name) for name in names] for group, names in GROUPS.items()}
    off, moved_off = (np.abs(b - a).mean(axis=0) for a, b in (scores, changes))
    parts: dict[str, float | None] = {f"blendshapes_{group}": float(off[row].mean()) for group, row in rows.items()}
    chosen = [side[:, list(chain(*rows.values()))] for side in changes]
    power = float((chosen[0] ** 2).sum(axis=1).mean())
    return {
        "blendshapes": float(np.mean([off[row].mean() for row in rows.values()])),
        **parts,
        "blendshapes_motion": float(np.mean([moved_off[row].mean() for row in rows.values()])),
        "motion_kept": float((chosen[0] * chosen[1]).sum(axis=1).mean()) / power if power > _STILL else None,
    }
