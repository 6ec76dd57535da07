"""A model's inputs and outputs at fixed places of a device's memory.

Without it every run makes new buffers on the device and copies through them; and a recorded graph of kernels, which is
replayed in one go, reads and writes at the same places each time (ONNX Runtime's "I/O binding" and "CUDA graphs").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

import onnxruntime as ort

from understudy.arrays import AnyArray


class Binding:
    """Runs a session on buffers that stay. Safe for several threads: they take turns.

    Args:
        session: ONNX Runtime's.
        memory: The device's name there: ``cuda``, ``cpu``.
        values: What goes in, by input: of the shapes and types that will come.
        outputs: What came out of a run on them, in the graph's order.
    """

    def __init__(
        self,
        session: Any,  # noqa: ANN401
        memory: str,
        values: Mapping[str, AnyArray],
        outputs: Sequence[AnyArray],
    ) -> None:
        self._session, self._lock = session, Lock()
        self._inputs = {name: ort.OrtValue.ortvalue_from_numpy(value, memory, 0) for name, value in values.items()}
        self._shapes = {name: value.shape for name, value in values.items()}
        self._outputs = [ort.OrtValue.ortvalue_from_numpy(value, memory, 0) for value in outputs]
        self._binding = session.io_binding()
        for name, value in self._inputs.items():
            self._binding.bind_ortvalue_input(name, value)
        for one, value in zip(session.get_outputs(), self._outputs, strict=True):
            self._binding.bind_ortvalue_output(one.name, value)

    def takes(self, values: Mapping[str, AnyArray]) -> bool:
        """Whether values are of the shapes that it was made for."""
        return {name: value.shape for name, value in values.items()} == self._shapes

    def run(self, values: Mapping[str, AnyArray]) -> list[AnyArray]:
        """Run once: all outputs in the graph's order, in memory of their own."""
        with self._lock:
            for name, value in values.items():
                self._inputs[name].update_inplace(value)
            self._session.run_with_iobinding(self._binding)
            return [value.numpy().copy() for value in self._outputs]
