"""A model's inputs and outputs at fixed places of a device's memory.

Without it every run makes new buffers on the device and copies through them; and a recorded graph of kernels, which is
replayed in one go, reads and writes at the same places each time (ONNX Runtime's "I/O binding" and "CUDA graphs").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import numpy as np

from understudy.arrays import AnyArray
from understudy.models.onnx_runtime import ort


class Binding:
    """Runs a session on buffers that stay. Safe for several threads: they take turns.

    Attributes:
        recorded: See there.

    Args:
        session: ONNX Runtime's. One that records has not been run yet: it would record that run's own buffers.
        memory: The device's name there: ``cuda``, ``cpu``.
        values: What goes in, by input: of the shapes and types that will come.
        outputs: Of the shapes and types that will come out, in the graph's order.
        gpu: The device's number there, of several.
        recorded: Whether it records: ONNX Runtime keeps a recording for each thread, so all runs are done by one.
    """

    def __init__(
        self,
        session: Any,  # noqa: ANN401
        memory: str,
        values: Mapping[str, AnyArray],
        outputs: Sequence[AnyArray],
        *,
        gpu: int = 0,
        recorded: bool = False,
    ) -> None:
        self.recorded = recorded
        self._session, self._lock = session, Lock()
        self._thread = ThreadPoolExecutor(1, "recorded model") if recorded else None
        self._shapes = {name: value.shape for name, value in values.items()}
        # Copies: on the CPU the value would be the array itself.
        self._inputs = {
            name: ort.OrtValue.ortvalue_from_numpy(value.copy(), memory, gpu) for name, value in values.items()
        }
        # What is never written to shall not look like an answer.
        blank = [np.full_like(one, np.nan if np.issubdtype(one.dtype, np.floating) else -1) for one in outputs]
        self._outputs = [ort.OrtValue.ortvalue_from_numpy(value, memory, gpu) for value in blank]
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
        if self._thread is not None:
            return self._thread.submit(self._run, values).result()
        return self._run(values)

    def _run(self, values: Mapping[str, AnyArray]) -> list[AnyArray]:
        with self._lock:
            for name, value in values.items():
                self._inputs[name].update_inplace(value)
            self._session.run_with_iobinding(self._binding)
            return [value.numpy().copy() for value in self._outputs]
