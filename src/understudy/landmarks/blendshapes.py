"""What a face does, as 52 scores (MediaPipe's Blendshape V2, 2022; the names are those of Apple's ARKit)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from understudy.arrays import FloatArray
from understudy.errors import ModelError
from understudy.face import BLENDSHAPES, MESH_POINTS, Faces
from understudy.models.runtime import LiteModel

#: The scores by name, in the model's order. Left and right are the person's own. The first stands for a face at rest.
NAMES: Final = (
    "_neutral",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "eyeBlinkLeft",
    "eyeBlinkRight",
    "eyeLookDownLeft",
    "eyeLookDownRight",
    "eyeLookInLeft",
    "eyeLookInRight",
    "eyeLookOutLeft",
    "eyeLookOutRight",
    "eyeLookUpLeft",
    "eyeLookUpRight",
    "eyeSquintLeft",
    "eyeSquintRight",
    "eyeWideLeft",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthClose",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthFunnel",
    "mouthLeft",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "noseSneerLeft",
    "noseSneerRight",
)
#: The scores by the part of the face that moves. Cheeks, nose and the face at rest are in none.
GROUPS: Final = {
    "brows": tuple(name for name in NAMES if name.startswith("brow")),
    "lids": tuple(name for name in NAMES if name.startswith(("eyeBlink", "eyeSquint", "eyeWide"))),
    "gaze": tuple(name for name in NAMES if name.startswith("eyeLook")),
    "jaw": tuple(name for name in NAMES if name.startswith("jaw")),
    "lips": tuple(name for name in NAMES if name.startswith("mouth")),
}
#: The points of the mesh that the model takes, in its order (``face_blendshapes_graph.cc`` of MediaPipe).
_POINTS: Final = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80,
    81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153,
    154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249,
    251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314,
    317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382,
    384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473,
    474, 475, 476, 477,
)  # fmt: skip


class BlendshapeModel:
    """The embedded model: 146 points, x and y, in; 52 scores, 0-1, out. For several threads at once.

    Where a face lies and how large it is makes no difference; how it is turned does a little.
    """

    def __init__(self) -> None:
        self._model = LiteModel("face_blendshapes.tflite")

    def scores(self, mesh: FloatArray) -> FloatArray:
        """What faces do.

        Args:
            mesh: float32 (N, 478, 3), in pixels.

        Returns:
            float32 (N, 52), 0-1, by ``NAMES``; a row of NaN where a mesh is not finite.

        Raises:
            ValueError: the meshes have another shape.
            ModelError: the model's answer is not what it should be.
        """
        if mesh.shape[1:] != (MESH_POINTS, 3):
            raise ValueError(f"meshes have the shape (N, {MESH_POINTS}, 3), not {mesh.shape}")
        found = np.full((len(mesh), BLENDSHAPES), np.nan, np.float32)
        for row, points in enumerate(mesh):
            if np.isfinite(points).all():
                (scores,) = self._model.run(np.ascontiguousarray(points[list(_POINTS), :2])).values()
                if scores.shape != (BLENDSHAPES,):
                    raise ModelError("the embedded blendshape model is damaged", "Install the package again with pip.")
                found[row] = np.clip(scores, 0, 1)
        return found


def with_blendshapes(faces: Faces, model: BlendshapeModel) -> Faces:
    """The same faces with their blendshapes. Nothing else fills them in: who asks for them pays for them.

    Args:
        faces: With meshes.
        model: Whose scores.

    Raises:
        ValueError: the faces have no meshes.
    """
    if faces.mesh is None:
        raise ValueError("blendshapes are told by meshes, and these faces have none")
    return replace(faces, blendshapes=model.scores(faces.mesh))
