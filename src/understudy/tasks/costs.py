"""What each model costs on this machine: those that the package carries, and those that were fetched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from understudy.errors import ModelMissingError, UnderstudyError
from understudy.models.devices import Precision, RuntimeOptions
from understudy.models.embedded_onnx import OnnxModel
from understudy.models.runtime import LiteModel, read_embedded
from understudy.models.trial import noise
from understudy.provenance.open_nsfw import FILE as CONTENT
from understudy.recognition.identity import FILE as IDENTITY
from understudy.resources import Models
from understudy.tasks.budget import Cost, measured, memory

if TYPE_CHECKING:
    from understudy.models.session import Session

#: The models that the package carries.
EMBEDDED: Final = (
    "face_detection_short_range.tflite",
    "face_detection_full_range_sparse.tflite",
    "face_landmarks_detector.tflite",
    "face_blendshapes.tflite",
    "palm_detection_lite.tflite",
    "hand_landmark_lite.tflite",
    "selfie_segmentation.tflite",
    "selfie_segmentation_landscape.tflite",
    IDENTITY,
    CONTENT,
)


@dataclass(frozen=True)
class ModelCost:
    """What a model costs where it runs.

    Attributes:
        name: Its name.
        place: Where it really runs, such as ``cpu``.
        program: What runs it: ``litert``, ``onnxruntime`` or ``openvino``.
        precision: In which numbers most of it is computed.
        cost: What that takes.
        notes: What should be said of it.
    """

    name: str
    place: str
    program: str
    precision: Precision
    cost: Cost
    notes: tuple[str, ...] = ()


def embedded_costs() -> tuple[ModelCost, ...]:
    """What the package's own models cost. Takes a second or two.

    Raises:
        ModelError: one of them does not open.
    """
    return tuple(embedded_cost(name) for name in EMBEDDED)


def embedded_cost(name: str) -> ModelCost:
    """What one of the package's own models costs.

    Raises:
        ModelError: it does not open.
    """
    before = memory()
    run, length = _blank_run(name), len(read_embedded(name))
    program = "litert" if name.endswith(".tflite") else "onnxruntime"
    return ModelCost(name, "cpu", program, "single", measured(run, length, before))


def fetched_cost(models: Models, name: str, runtime: RuntimeOptions) -> ModelCost:
    """What a model of the store costs: it is opened anew, and given back.

    Args:
        models: With the store.
        name: Its name.
        runtime: Where it is to run.

    Raises:
        UnderstudyError: it is not here, or does not work.
    """
    before = memory()
    for _, session in models.fetched(runtime, (name,)):
        if isinstance(session, UnderstudyError):
            raise session
        return session_cost(session, before)
    raise ModelMissingError(name)


def session_cost(session: Session, before: int | None) -> ModelCost:
    """What an open model costs.

    Args:
        session: The model.
        before: ``memory()`` before it was opened.
    """
    given = noise(session)[0]
    cost = measured(partial(session.run, given), session.size, before)
    return ModelCost(
        session.entry.name, str(session.place), session.program, session.precision, cost, tuple(session.notes)
    )


def _blank_run(name: str) -> Callable[[], object]:
    """What runs an embedded model on a black picture, or on points in one place.

    Raises:
        ModelError: it does not open.
    """
    if name in (IDENTITY, CONTENT):
        network = OnnxModel(name)
        width, height = network.input_size
        return partial(network.run, np.zeros((1, 3, height, width), np.float32))
    model = LiteModel(name)
    return partial(model.run, np.zeros(model.input_shape, np.float32))
