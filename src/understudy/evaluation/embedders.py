"""Who a face looks like, judged by a network that no engine uses: distances between embeddings.

An engine that is made or steered with an embedder is flattered by it: inswapper takes arcface's w600k_r50 as its
input, so scoring it with that one would be asking the pupil to mark the exam.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.errors import ModelError, ModelFileError, UsageError
from understudy.geometry import topology as topo
from understudy.geometry.templates import TEMPLATES
from understudy.geometry.transforms import crop, similarity
from understudy.models.graphs import check_graph
from understudy.models.store import MOST_BYTES
from understudy.regular import read_regular

_EXTRA = "Install the extra: pip install 'understudy[evaluation]', or name an ONNX file, or --embedder none."


class Embedder(Protocol):
    """Turns faces into vectors that are near for the same person."""

    @property
    def name(self) -> str:
        """For the report."""
        ...

    def embed(self, picture: UInt8Array, mesh: FloatArray) -> FloatArray:
        """One face.

        Args:
            picture: uint8 BGR (H, W, 3).
            mesh: float32 (468, 3) in pixels of ``picture``.

        Returns:
            float32 (D,).
        """
        ...

    def distances(self, one: FloatArray, many: FloatArray) -> FloatArray:
        """From one vector to each row of ``many`` (N, D): float32 (N,)."""
        ...


class DlibEmbedder:
    """dlib's face recognition network (D. King, 2017): 128 numbers, Euclidean; below 0.6 is the same person.

    The weights are those that the package face_recognition_models carries (CC0).
    """

    name = "dlib"

    def __init__(self) -> None:
        try:
            self._dlib: Any = importlib.import_module("dlib")
        except ImportError as fault:
            raise ModelError("the embedder dlib is not installed", _EXTRA) from fault
        # Found without importing it: the package asks for setuptools when it is imported.
        spec = importlib.util.find_spec("face_recognition_models")
        if spec is None or not spec.submodule_search_locations:
            raise ModelError("dlib's weights (face_recognition_models) are not installed", _EXTRA)
        folder = Path(next(iter(spec.submodule_search_locations))) / "models"
        try:
            self._shape = self._dlib.shape_predictor(str(folder / "shape_predictor_5_face_landmarks.dat"))
            self._net = self._dlib.face_recognition_model_v1(str(folder / "dlib_face_recognition_resnet_model_v1.dat"))
        except RuntimeError as fault:
            raise ModelError(f"dlib's weights can't be read: {fault}", _EXTRA) from fault

    def embed(self, picture: UInt8Array, mesh: FloatArray) -> FloatArray:
        """See ``Embedder.embed``. dlib's own landmarks, in the box that its detector would give: brows to chin."""
        part, points = _cut_out(picture, mesh)
        low, high = points.min(0), points.max(0)
        middle, side = (low + high) / 2, float((high - low).max())
        middle[1] += side * 0.06
        left, top = (middle - side * 0.46).round().astype(int).tolist()
        right, bottom = (middle + side * 0.46).round().astype(int).tolist()
        rgb = np.ascontiguousarray(part[:, :, ::-1])
        shape = self._shape(rgb, self._dlib.rectangle(left, top, right, bottom))
        chip = self._dlib.get_face_chip(rgb, shape, 150)
        return np.asarray(self._net.compute_face_descriptor(chip), np.float32)

    def distances(self, one: FloatArray, many: FloatArray) -> FloatArray:
        """See ``Embedder.distances``."""
        return np.asarray(np.linalg.norm(many - one, axis=1), np.float32)


class OnnxEmbedder:
    """Any embedder as an ONNX file with the conventions of arcface, by 1 minus the cosine.

    One input, NCHW with 3 channels; RGB, x/127.5 - 1; the crop is arcface_112_v2 at the input's size.

    Raises:
        UsageError: the file is not there, is no ONNX model, or takes something else.
    """

    def __init__(self, path: Path) -> None:
        import onnxruntime as runtime

        try:
            data = read_regular(path, MOST_BYTES)
            check_graph(data, path.name)  # by its bytes, and never with parts that lie elsewhere
        except OSError as fault:
            raise UsageError(
                f"there is no such embedder: {path} ({fault.strerror})", "Name dlib, none, or an ONNX file."
            ) from fault
        except ModelFileError as fault:
            raise UsageError(f"{fault.message}: it is no embedder", "Name dlib, none, or an ONNX file.") from fault
        runtime.set_default_logger_severity(3)
        try:
            self._session = runtime.InferenceSession(data, providers=["CPUExecutionProvider"])
        except Exception as fault:
            raise UsageError(f"{path.name} is no ONNX model that opens: {fault}", "Name another file.") from fault
        inputs = self._session.get_inputs()
        shape = inputs[0].shape
        if len(inputs) != 1 or len(shape) != 4 or shape[1] != 3:
            raise UsageError(f"{path.name} is no embedder: it takes {shape}", "It must take one picture, NCHW.")
        self.name = path.name
        self._input = inputs[0].name
        self._size = shape[2] if isinstance(shape[2], int) else 112

    def embed(self, picture: UInt8Array, mesh: FloatArray) -> FloatArray:
        """See ``Embedder.embed``."""
        template = TEMPLATES["arcface_112_v2"] * self._size
        face = crop(picture, similarity(topo.keypoints5(mesh[None])[0], template), (self._size, self._size))
        blob = (face[:, :, ::-1].astype(np.float32) / np.float32(127.5) - 1).transpose(2, 0, 1)[None]
        vector = np.asarray(self._session.run(None, {self._input: np.ascontiguousarray(blob)})[0], np.float32).ravel()
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)

    def distances(self, one: FloatArray, many: FloatArray) -> FloatArray:
        """See ``Embedder.distances``."""
        lengths = np.linalg.norm(many, axis=1) * np.linalg.norm(one)
        return np.asarray(1 - many @ one / np.maximum(lengths, 1e-9), np.float32)


def open_embedder(name: str) -> Embedder | None:
    """The embedder by that name.

    Args:
        name: ``dlib``, ``none``, or an ONNX file.

    Raises:
        ModelError: it is not installed.
        UsageError: there is none.
    """
    if name == "none":
        return None
    return DlibEmbedder() if name == "dlib" else OnnxEmbedder(Path(name))


def _cut_out(picture: UInt8Array, mesh: FloatArray) -> tuple[UInt8Array, FloatArray]:
    """The face with room around it, at some 300 pixels, and the mesh's points in it."""
    points = mesh[:, :2]
    low, high = points.min(0), points.max(0)
    room = float((high - low).max()) * 0.6
    height, width = picture.shape[:2]
    x0, y0 = np.clip(np.floor(low - room), 0, [width - 1, height - 1]).astype(int)
    x1, y1 = np.clip(np.ceil(high + room), [x0 + 1, y0 + 1], [width, height]).astype(int)
    part = picture[y0:y1, x0:x1]
    scale = 300 / max(float((high - low).max()), 1.0)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=method), np.uint8)
    return small, np.asarray((points - [x0, y0]) * scale, np.float32)
