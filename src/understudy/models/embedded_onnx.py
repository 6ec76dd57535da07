"""Opens and runs the embedded ONNX models."""

from __future__ import annotations

import numpy as np

from understudy.arrays import FloatArray
from understudy.errors import ModelError, NoMemoryError, out_of_memory
from understudy.models.leftover_memory import give_back_memory
from understudy.models.onnx_runtime import ort
from understudy.models.providers import first_line
from understudy.models.runtime import embedded_file


class OnnxModel:
    """One embedded model with one input and one output, on the CPU. For several threads at once.

    Args:
        name: File name under ``understudy/models/embedded``.
        threads: Threads inside the model.

    Raises:
        ModelError: the file is not in the installed package, or is damaged.
    """

    def __init__(self, name: str, threads: int = 1) -> None:
        options = ort.SessionOptions()
        options.log_severity_level = 4  # what it has to say comes as an error
        options.intra_op_num_threads = threads
        # Weights stay in 8 bits, and are multiplied by their scales in every run: 5 to 8 ms more of it, once or so a
        # second; but both models take 45 MB less, and open in 35 ms instead of 130. What a run took is given back.
        options.enable_cpu_mem_arena = False
        with embedded_file(name) as path:  # of its content ONNX Runtime would keep a copy
            try:
                self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            except Exception as fault:  # ONNX Runtime's errors have no common class but this
                reason = f"the embedded model {name} does not open: {first_line(fault)}"
                raise ModelError(reason, "Install the package again with pip.") from fault
        give_back_memory()
        (end,) = self._session.get_inputs()
        self.name, self._input, self._shape = name, str(end.name), list(end.shape)

    @property
    def input_size(self) -> tuple[int, int]:
        """Width and height of the picture it takes."""
        height, width = self._shape[2:]
        return int(width), int(height)

    def run(self, pictures: FloatArray) -> FloatArray:
        """Run once.

        Args:
            pictures: float32 (N, 3, H, W) of ``input_size``, in the model's own colour order and range.

        Returns:
            Its output, float32 (N, D).

        Raises:
            NoMemoryError: there is not enough.
            ModelError: it failed.
        """
        try:
            (answer,) = self._session.run(None, {self._input: pictures})
        except Exception as fault:
            if out_of_memory(fault):
                raise NoMemoryError(f"for {self.name}", "Close other programs.") from fault
            raise ModelError(f"the embedded model {self.name} failed: {first_line(fault)}", "") from fault
        return np.asarray(answer, np.float32)
