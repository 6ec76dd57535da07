"""The identity network that the package carries: dlib's, a face as 128 numbers (D. King, 2017; weights CC0).

It tells who is who, and it is the ruler of ``understudy.evaluation``. So no engine is made, steered or tuned with it:
a pupil must not know the examiner's answers. Nothing that draws may import this module (an import contract).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.face import Faces
from understudy.geometry import topology as topo
from understudy.models.embedded_onnx import OnnxModel
from understudy.recognition.base import face_crop

#: File name under ``understudy/models/embedded``.
FILE: Final = "face_recognition_resnet.onnx"
#: Euclidean distance below which two faces are the same person's. Of 65 faces (nine artworks, two portraits, six clips
#: of one person each) the 216 pairs of one person are 0.544 apart at most, the 1,864 of two people 0.566 at least.
#: dlib's own limit is 0.6: there 39 of the latter would be mistaken (docs/lab-book.md).
SAME_PERSON: Final = 0.55
#: Side of its picture in pixels, and length of its embeddings.
_SIDE, _LENGTH = 150, 128
#: Vertices of the mesh by which a face is cropped: the corners of the eyes, and where the nose meets the lip. They are
#: the five places that dlib's own landmarker marks.
_VERTICES: Final = (
    topo.EYE_LEFT_OUTER,
    topo.EYE_LEFT_INNER,
    topo.EYE_RIGHT_INNER,
    topo.EYE_RIGHT_OUTER,
    topo.NOSE_BASE,
)
#: Where they lie in a crop, in pixels by their centres: the mean over 54 frames of six clips of where they lie in
#: dlib's own crops (``get_face_chip`` by its five points, padding 0.25). Of the sets of points that were tried these
#: give the embeddings that are nearest to dlib's (docs/lab-book.md).
_PLACES = ((37.55, 46.20), (60.57, 48.37), (88.12, 48.13), (110.95, 45.37), (74.01, 86.00))
_TEMPLATE: Final[FloatArray] = np.array(_PLACES, np.float32) / np.float32(_SIDE)
_TEMPLATE.flags.writeable = False


class IdentityNetwork:
    """Tells who somebody is. An ``Embedder``; faces must have a mesh.

    Raises:
        ModelError: the package was installed without it, or it is damaged.
    """

    name = "dlib"
    same_person = SAME_PERSON

    def __init__(self) -> None:
        self._model = OnnxModel(FILE)

    def embed(self, picture: UInt8Array, faces: Faces) -> FloatArray:
        """See ``Embedder.embed``: float32 (N, 128).

        One face after the other: several at once take no less time on one thread, and more memory.
        """
        found = np.full((len(faces), _LENGTH), np.nan, np.float32)
        if not len(faces):
            return found
        if faces.mesh is None:
            raise ValueError("the identity network crops faces by their mesh, and these have none")
        for row, mesh in enumerate(faces.mesh):
            crop = face_crop(picture, mesh[list(_VERTICES), :2], _TEMPLATE, _SIDE)
            if crop is not None:
                planes = np.ascontiguousarray(crop[:, :, ::-1].transpose(2, 0, 1)[None], np.float32)
                found[row] = self._model.run(planes)[0]
        return found

    def distances(self, one: FloatArray, many: FloatArray) -> FloatArray:
        """See ``Embedder.distances``: Euclidean."""
        return np.asarray(np.linalg.norm(many - one, axis=1), np.float32)
