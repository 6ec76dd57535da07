"""Who a face looks like, judged by a network that no engine uses: distances between embeddings.

An engine that is made or steered with an embedder is flattered by it: inswapper takes arcface's w600k_r50 as its
input, so scoring it with that one would be asking the pupil to mark the exam. By default it is the identity network
that the package carries; ``FaceRes`` is a second one. No engine is ever tuned with either.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.errors import ModelFileError, UsageError
from understudy.evaluation.faceres import FaceRes
from understudy.face import Faces
from understudy.geometry.templates import TEMPLATES
from understudy.models.graphs import check_graph
from understudy.models.store import MOST_BYTES
from understudy.recognition.arcface import SOMEBODY_ELSE
from understudy.recognition.base import Embedder, cosine_distances, face_crop
from understudy.recognition.identity import IdentityNetwork
from understudy.regular import read_regular

#: What to name in the place of what is no embedder.
_HINT: Final = "Name dlib, none, faceres.json, or an ONNX file."


class OnnxEmbedder:
    """Any embedder as an ONNX file with the conventions of arcface, by 1 minus the cosine.

    One input, NCHW with 3 channels; RGB, x/127.5 - 1; the crop is arcface_112_v2 at the input's size. An ``Embedder``;
    faces must have ``keypoints5``.

    Raises:
        UsageError: the file is not there, is no ONNX model, or takes something else.
    """

    #: That of arcface, whose conventions these are.
    same_person = 1 - SOMEBODY_ELSE

    def __init__(self, path: Path) -> None:
        from understudy.models.onnx_runtime import ort

        try:
            data = read_regular(path, MOST_BYTES)
            check_graph(data, path.name)  # by its bytes, and never with parts that lie elsewhere
        except OSError as fault:
            raise UsageError(f"there is no such embedder: {path} ({fault.strerror})", _HINT) from fault
        except ModelFileError as fault:
            raise UsageError(f"{fault.message}: it is no embedder", _HINT) from fault
        ort.set_default_logger_severity(3)
        try:
            self._session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])
        except Exception as fault:
            raise UsageError(f"{path.name} is no ONNX model that opens: {fault}", "Name another file.") from fault
        inputs = self._session.get_inputs()
        shape = inputs[0].shape
        if len(inputs) != 1 or len(shape) != 4 or shape[1] != 3:
            raise UsageError(f"{path.name} is no embedder: it takes {shape}", "It must take one picture, NCHW.")
        self.name = path.name
        self._input = inputs[0].name
        self._size = shape[2] if isinstance(shape[2], int) else 112
        try:
            self._length = len(self._vector(np.zeros((self._size, self._size, 3), np.uint8)))
        except Exception as fault:
            raise UsageError(f"{path.name} does not run: {fault}", "Name another file.") from fault

    def embed(self, picture: UInt8Array, faces: Faces) -> FloatArray:
        """See ``Embedder.embed``, but each of length 1."""
        found = np.full((len(faces), self._length), np.nan, np.float32)
        if not len(faces):
            return found
        if faces.keypoints5 is None:
            raise ValueError("faces are cropped by their five keypoints, and these have none")
        for row, keypoints in enumerate(faces.keypoints5):
            crop = face_crop(picture, keypoints, TEMPLATES["arcface_112_v2"], self._size)
            if crop is not None:
                found[row] = self._vector(crop)
        return found

    def distances(self, one: FloatArray, many: FloatArray) -> FloatArray:
        """See ``Embedder.distances``: 1 minus the cosine."""
        return cosine_distances(one, many)

    def _vector(self, crop: UInt8Array) -> FloatArray:
        blob = (crop[:, :, ::-1].astype(np.float32) / np.float32(127.5) - 1).transpose(2, 0, 1)[None]
        vector = np.asarray(self._session.run(None, {self._input: np.ascontiguousarray(blob)})[0], np.float32).ravel()
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)


def open_embedder(name: str) -> Embedder | None:
    """The embedder by that name.

    Args:
        name: ``dlib``, ``none``, the ``.json`` of FaceRes, or an ONNX file.

    Raises:
        ModelError: the package was installed without it.
        UsageError: there is none.
    """
    if name == "none":
        return None
    if name == "dlib":
        return IdentityNetwork()
    path = Path(name)
    return FaceRes(path) if path.suffix.lower() == ".json" else OnnxEmbedder(path)
