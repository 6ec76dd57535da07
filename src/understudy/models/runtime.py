"""Opens and runs the embedded TensorFlow Lite models."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from threading import Lock

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from understudy.arrays import AnyArray, FloatArray
from understudy.errors import ModelError


def read_embedded(name: str) -> bytes:
    """The content of an embedded model.

    Args:
        name: File name under ``understudy/models/embedded``.

    Raises:
        ModelError: it is not in the installed package.
    """
    with embedded_file(name) as path:
        return path.read_bytes()


@contextmanager
def embedded_file(name: str) -> Iterator[Path]:
    """The file of an embedded model, for as long as it is opened.

    Args:
        name: File name under ``understudy/models/embedded``.

    Raises:
        ModelError: it is not in the installed package.
    """
    with as_file(files("understudy.models").joinpath("embedded", name)) as path:
        if not path.is_file():
            raise ModelError(
                f"the package was installed without its embedded model {name}",
                "Install it again with pip: the build fetches and checks the models.",
            )
        yield path


class LiteModel:
    """One embedded model, open and ready. For several threads at once.

    Each run has an interpreter to itself: there are as many as ever ran at the same time. Inside there is one thread:
    alone, the face mesh would take 60% of the time with two, but they wait for each other by asking over and over, and
    beside the other stages a clip then takes 4 to 10% longer and a live frame comes later (measured on two cores).

    Args:
        name: File name under ``understudy/models/embedded``.

    Raises:
        ModelError: the file is not in the installed package, or is damaged.
    """

    def __init__(self, name: str) -> None:
        self._content = read_embedded(name)
        self.name = name
        first = self._interpreter()
        self._input = first.get_input_details()[0]
        self._outputs = {entry["name"]: entry["index"] for entry in first.get_output_details()}
        # Taking from a deque and giving back are one step each: no lock is needed.
        self._idle: deque[Interpreter] = deque([first])

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of what it takes, without the leading batch axis."""
        return tuple(self._input["shape"].tolist()[1:])

    @property
    def input_size(self) -> tuple[int, int]:
        """Width and height of the picture it takes, if it takes one."""
        height, width, _ = self.input_shape
        return width, height

    def run(self, values: FloatArray) -> dict[str, FloatArray]:
        """Run once.

        Args:
            values: float32: a picture, (H, W, 3) RGB of ``input_size`` in the model's own range, or what else it takes;
                without the leading batch axis.

        Returns:
            The outputs by name, float32, without the leading batch axis.
        """
        try:
            interpreter = self._idle.pop()
        except IndexError:
            interpreter = self._interpreter()
        try:
            interpreter.set_tensor(self._input["index"], values[None])
            interpreter.invoke()
            get = interpreter.get_tensor
            return {name: _single(get(index)) for name, index in self._outputs.items()}
        finally:
            self._idle.append(interpreter)

    def _interpreter(self) -> Interpreter:
        try:
            with _native_stderr_to_null():
                interpreter = Interpreter(model_content=self._content, num_threads=1)
                interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as fault:
            raise ModelError(
                f"the embedded model {self.name} does not open: {fault}", "Install the package again with pip."
            ) from fault
        return interpreter


def _single(values: AnyArray) -> FloatArray:
    """An output without its batch axis; some models have none."""
    return np.asarray(values[0] if values.shape[0] == 1 else values, np.float32)


#: Standard error is the whole process': one at a time sends it elsewhere.
_STDERR_LOCK = Lock()


@contextmanager
def _native_stderr_to_null() -> Iterator[None]:
    """Silence the INFO line that LiteRT's C++ writes straight to file descriptor 2 for every model.

    There is no switch for it. Python's own ``sys.stderr`` goes quiet too for these few milliseconds.
    """
    with _STDERR_LOCK:
        try:
            kept = os.dup(2)
        except OSError:  # no stderr at all (a windowed program)
            yield
            return
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 2)
            os.close(null)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
