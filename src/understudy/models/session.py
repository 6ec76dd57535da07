"""A model that is open, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from typing import Any

import numpy as np

from understudy.arrays import AnyArray, FloatArray
from understudy.errors import DeviceLostError, ModelError, device_lost, out_of_memory
from understudy.models.binding import Binding
from understudy.models.devices import Device, Precision, Program
from understudy.models.entries import Entry
from understudy.models.openvino_runtime import OpenVinoSession
from understudy.models.places import Place
from understudy.models.providers import first_line, too_large
from understudy.models.tensorrt import TensorRtSession
from understudy.models.trial import PICTURE_AXES


class Session:
    """An open model that works.

    Attributes:
        entry: Which.
        device: Where it really runs.
        gpu: CUDA's number of it, of several GPUs.
        int8: Whether this is the variant of 8 bits.
        half: Whether its layers have half precision, though what goes in may have single.
        notes: What should be said of it.
        emap: float32 (512, 512): the projection of embeddings, where a swapper's file carries one.
        inputs, outputs: Names in the graph's order.
        size: Bytes of the model: what it takes of the device's memory at least.
        binding: The buffers that stay on the device; None where every run makes new ones.
    """

    def __init__(self, entry: Entry, session: Any, device: Device, size: int, *, gpu: int = 0) -> None:  # noqa: ANN401
        self.entry, self.device, self.size, self.int8 = entry, device, size, False
        self.gpu, self.half = gpu, False
        self.notes: tuple[str, ...] = ()
        self.emap: FloatArray | None = None
        self._session = session
        self.binding: Binding | None = None
        # A session on DirectML runs for one thread at a time, all others for any number.
        self._turns: AbstractContextManager[object] = Lock() if device == "directml" else nullcontext()
        self._types = {one.name: _numpy_type(one.type) for one in session.get_inputs()}
        self.inputs = [one.name for one in session.get_inputs()]
        self.outputs = [one.name for one in session.get_outputs()]

    @property
    def program(self) -> Program:
        """What runs it."""
        return "openvino" if isinstance(self._session, OpenVinoSession) else "onnxruntime"

    @property
    def place(self) -> Place:
        """Where and by what it runs."""
        return Place(self.device, self.program, self.gpu)

    @property
    def precision(self) -> Precision:
        """In which numbers most of it is computed."""
        if self.int8:
            return "int8"
        half = self.half or (isinstance(self._session, (OpenVinoSession, TensorRtSession)) and self._session.half)
        return "half" if half or self._types[self.target] is np.float16 else "single"

    @property
    def target(self) -> str:
        """The input that takes a picture."""
        named, others = self.entry.input.name, [self.entry.source.name if self.entry.source else None]
        return named or next(
            (n for n in self.inputs if n not in others and len(self.shape(n)) == PICTURE_AXES), self.inputs[0]
        )

    @property
    def source(self) -> str:
        """The input that takes an identity, where there are two."""
        named = self.entry.source.name if self.entry.source else None
        return named or next(name for name in self.inputs if name != self.target)

    @property
    def fixed(self) -> bool:
        """Whether whatever goes in and comes out is always of one shape."""
        ends = [*self._session.get_inputs(), *self._session.get_outputs()]
        return all(isinstance(size, int) and size > 0 for end in ends for size in end.shape)

    def shape(self, name: str) -> list[int | str | None]:
        """The shape of an input: numbers, and names or None for open axes."""
        return next(list(one.shape) for one in self._session.get_inputs() if one.name == name)

    def run(self, values: Mapping[str, AnyArray]) -> list[FloatArray]:
        """Run once.

        Args:
            values: By input.

        Returns:
            All outputs in the graph's order, float32.

        Raises:
            NoMemoryError: the device has not enough.
            DeviceLostError: the device failed.
            ModelError: it failed.
        """
        return [np.asarray(one, np.float32) for one in self.answers(values)]

    def answers(self, values: Mapping[str, AnyArray]) -> list[AnyArray]:
        """What ``run`` gives, as the graph gives it.

        Raises:
            NoMemoryError, DeviceLostError, ModelError: see ``run``.
        """
        given = self._given(values)
        try:
            if self.binding is not None and self.binding.takes(given):
                return self.binding.run(given)
            with self._turns:
                return list(self._session.run(None, given))
        except Exception as fault:  # ONNX Runtime's errors have no common class but this
            if out_of_memory(fault):
                raise too_large(self.entry, self.size, str(self.place)) from fault
            if device_lost(fault):
                raise DeviceLostError(str(self.place), self.entry.name, first_line(fault)) from fault
            raise ModelError(
                f"{self.entry.name} failed on {self.place}: {first_line(fault)}",
                "Choose another model." if self.device == "cpu" else "Try it on another device: --device cpu",
            ) from fault

    def bind(
        self, memory: str, values: Mapping[str, AnyArray], outputs: Sequence[AnyArray], *, recorded: bool = False
    ) -> None:
        """Keep buffers on the device from now on.

        Args:
            memory: See ``MEMORIES``.
            values: By input: of the shapes that will come.
            outputs: What comes out of them.
            recorded: See ``Binding``.

        Raises:
            ModelError: it does not do that.
        """
        try:
            self.binding = Binding(self._session, memory, self._given(values), outputs, gpu=self.gpu, recorded=recorded)
        except Exception as fault:
            what = f"{self.entry.name} keeps no buffers on {self.place}"
            raise ModelError(f"{what}: {first_line(fault)}", "") from fault

    def _given(self, values: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        return {name: np.asarray(value, self._types[name], order="C") for name, value in values.items()}

    def keep(self) -> None:
        """Keep what OpenVINO or TensorRT made of it, for the next time."""
        if isinstance(self._session, (OpenVinoSession, TensorRtSession)):
            self._session.keep()

    def unbind(self) -> None:
        """New buffers for every run."""
        self.binding = None


def _numpy_type(name: str) -> Any:  # noqa: ANN401
    """ONNX Runtime's name of a type, as numpy's."""
    types = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}
    return types.get(name, np.int64)
