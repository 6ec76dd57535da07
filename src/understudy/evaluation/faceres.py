"""FaceRes as a judge of likeness: a face as 1024 numbers (A. Savchenko, HSE_FaceRec_tf), from files that a user brings.

It is of another family than the network that the package carries, and was trained on other pictures: where both say the
same of a change, it is more than the taste of one of them. It is a ruler only: no engine is made, steered or tuned with
it, and nothing that swaps can import it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.evaluation.faceres_network import Layout, faceres_onnx
from understudy.face import Faces
from understudy.geometry.topology import keypoints5
from understudy.geometry.transforms import RotatedSquare
from understudy.recognition.base import cosine_distances, face_crop

#: What is taken off blue, green and red (0-255): the mean colours of ImageNet, as its authors have them.
_MEANS: Final = np.array([103.939, 116.779, 123.68], np.float32)
#: How large the square that it sees is, against the face's longer side.
_AROUND: Final = 1.1
#: 1 minus the cosine below which two faces are the same person's. Of 65 faces (nine artworks, two portraits, six clips
#: of one person each) those of one person are 0.293 apart at most, those of two people 0.434 at least.
SAME_PERSON: Final = 0.36


class FaceRes:
    """Tells who somebody is. An ``Embedder``; faces must have a mesh.

    Args:
        path: ``faceres.json``, with ``faceres.bin`` beside it.
        layout: See ``faceres_onnx``.

    Raises:
        UsageError: a file is not there, is damaged, or holds another model.
    """

    name = "faceres"
    same_person = SAME_PERSON

    def __init__(self, path: Path, layout: Layout | None = None) -> None:
        from understudy.models.onnx_runtime import ort

        options = ort.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        data, self._layout = faceres_onnx(path, layout), layout or Layout()
        self._session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def embed(self, picture: UInt8Array, faces: Faces) -> FloatArray:
        """See ``Embedder.embed``: float32 (N, 1024)."""
        found = np.full((len(faces), self._layout.blocks[-1][0]), np.nan, np.float32)
        if not len(faces):
            return found
        if faces.mesh is None:
            raise ValueError("FaceRes crops faces by their mesh, and these have none")
        for row, mesh in enumerate(faces.mesh):
            crop = _crop(picture, mesh, self._layout.side)
            if crop is not None:
                planes = np.ascontiguousarray((crop - _MEANS).transpose(2, 0, 1)[None], np.float32)
                found[row] = self._session.run(None, {"face": planes})[0][0]
        return found

    def distances(self, one: FloatArray, many: FloatArray) -> FloatArray:
        """See ``Embedder.distances``: 1 minus the cosine."""
        return cosine_distances(one, many)


def _crop(picture: UInt8Array, mesh: FloatArray, side: int) -> UInt8Array | None:
    """The square around a mesh in which its eyes are level: uint8 BGR (side, side, 3); None where nothing is seen."""
    points = mesh[:, :2].astype(np.float64)
    if not np.isfinite(points).all() or np.ptp(points, axis=0).max() < 1e-3:
        return None
    eyes = keypoints5(mesh[None])[0, :2]
    angle = float(np.arctan2(*(eyes[1] - eyes[0])[::-1]))
    level = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    low, high = (points @ level).min(0), (points @ level).max(0)
    x, y = level @ ((low + high) / 2)
    square = RotatedSquare((float(x), float(y)), float((high - low).max()) * _AROUND, angle)
    # Templates count by pixels' centres.
    template = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) - np.float32(0.5 / side)
    return face_crop(picture, square.corners, template, side)
