"""OpenVINO, the second program that runs models: on the CPU, behind the same calls as ONNX Runtime's sessions.

It reports to its makers when it is imported, through another package, ``openvino_telemetry``, that comes with it. That
package is hidden while it is imported here; OpenVINO then takes a stub of its own that does nothing.
"""

from __future__ import annotations

import hashlib
import io
import platform
import sys
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, Final

import numpy as np

from understudy.arrays import AnyArray
from understudy.errors import ModelError, NoMemoryError, UsageError, out_of_memory
from understudy.installing import install_extra
from understudy.models.compiled import CompiledKey, CompiledModels
from understudy.models.ends import End, Ends
from understudy.models.entries import Entry
from understudy.models.providers import first_line

#: What brings it.
EXTRA: Final = install_extra("openvino")
_TELEMETRY: Final = "openvino_telemetry"
#: One at a time hides a module from the whole process.
_IMPORTING: Final = Lock()
CPUINFO: Final = Path("/proc/cpuinfo")


def import_silently() -> ModuleType:
    """OpenVINO, imported without the package by which it reports; that one can be imported as before afterwards.

    Raises:
        ImportError: it is not installed, or does not fit this system.
    """
    with _IMPORTING:
        modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
        hidden = modules.pop(_TELEMETRY, None)
        modules[_TELEMETRY] = None  # by which Python is told that there is no such package
        try:
            import openvino
        finally:
            del modules[_TELEMETRY]
            if hidden is not None:
                modules[_TELEMETRY] = hidden
    module: ModuleType = openvino
    return module


@cache
def _core_of(openvino: ModuleType) -> Any:  # noqa: ANN401
    """OpenVINO's core, one for the whole process, and never given back.

    For the processor's matrix unit it has signals handled on a stack of its own. Of two cores the one that goes last
    puts back the stack of the other, which is gone: the next Ctrl-C would end the process (seen with 2026.4).
    """
    return openvino.Core()


class OpenVino:
    """Opens models with OpenVINO, if it is installed.

    Args:
        module: What stands in its place; None for OpenVINO itself, which is imported when it is first asked for.
    """

    def __init__(self, module: Any = None) -> None:  # noqa: ANN401
        self._given, self._installed = module, True

    @cached_property
    def _module(self) -> Any:  # noqa: ANN401
        """It, or why it can't be used, as a string."""
        if self._given is not None:
            return self._given
        try:
            module = import_silently()
            # What is imported may still be of no use: a part of it may be missing, or what runs models on the CPU.
            module.get_version()
            _core_of(module).get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        except ModuleNotFoundError as fault:
            self._installed = fault.name != "openvino"
            return first_line(fault)
        except AttributeError as fault:
            return f"it is too old, or not all of it is there ({first_line(fault)})"
        except (ImportError, OSError, RuntimeError) as fault:  # its libraries may not fit this system
            return first_line(fault)
        return module

    @property
    def usable(self) -> bool:
        """Whether it is here, and opens."""
        return not isinstance(self._module, str)

    @property
    def fault(self) -> str:
        """Why it can't be used, though it is installed; empty where it can, or is not."""
        return self._module if isinstance(self._module, str) and self._installed else ""

    def require(self) -> None:
        """Make sure that it is usable.

        Raises:
            UsageError: it is not.
        """
        if isinstance(self._module, str):
            raise UsageError(f"OpenVINO can't be used here: {self._module}", f"It is an extra: {EXTRA}")

    @property
    def version(self) -> str:
        """Its full version."""
        return str(self._openvino.get_version())

    @cached_property
    def computes_half(self) -> bool:
        """Whether this CPU multiplies numbers of 16 bits (bfloat16) itself: elsewhere they are no quicker."""
        return "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")

    @cached_property
    def processor(self) -> str:
        """This CPU: its name and what it can do, so that what was compiled for another is not taken for its own."""
        named = str(self._core.get_property("CPU", "FULL_DEVICE_NAME"))
        can = sorted(self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
        return " ".join([platform.machine(), named, *can, hashlib.sha256(_instructions().encode()).hexdigest()[:16]])

    def key(self, entry: Entry, digest: str, *, half: bool) -> CompiledKey:
        """Under what a compiled model is kept; ``digest`` is the SHA-256 of its file."""
        return CompiledKey(entry.name, digest, "half" if half else "single", self.version, self.processor)

    def start(
        self,
        entry: Entry,
        data: bytes,
        ends: Ends,
        *,
        half: bool = False,
        threads: int | None = None,
        kept: tuple[CompiledModels, CompiledKey] | None = None,
    ) -> OpenVinoSession:
        """A model, opened on the CPU.

        Args:
            entry: Which model, for messages.
            data: Its file.
            ends: What goes in and comes out.
            half: Whether it is computed in numbers of 16 bits, where that is quicker.
            threads: None: as many as there are cores.
            kept: Where it may be kept compiled, and under what; None: it is compiled anew.

        Raises:
            NoMemoryError: there is not enough.
            ModelError: it does not open.
        """
        config: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": "bf16" if half else "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            # Tied to cores its threads would wait for the encoder's, which run there just then.
            "ENABLE_CPU_PINNING": False,
        }
        if threads is not None:
            config["INFERENCE_NUM_THREADS"] = threads
        taken = None if kept is None else self._taken(kept, config)
        if taken is not None:
            return OpenVinoSession(taken, ends, half=half)
        try:
            compiled = self._core.compile_model(self._core.read_model(model=data), "CPU", config)
        except Exception as fault:  # its errors have no class of their own
            if out_of_memory(fault):
                raise NoMemoryError(f"for {entry.name}: its file alone is {len(data) / 1e6:.0f} MB") from fault
            raise ModelError(f"{entry.name} does not open with OpenVINO: {first_line(fault)}", "") from fault
        return OpenVinoSession(compiled, ends, half=half, keep=kept)

    def _taken(self, kept: tuple[CompiledModels, CompiledKey], config: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """A model as it was kept compiled; None where it was not, or that is no use."""
        models, key = kept
        blob = models.read(key)
        if blob is None:
            return None
        try:
            return self._core.import_model(blob, "CPU", config)
        except Exception:  # noqa: BLE001 - its errors have no class of their own, and it is compiled anew
            models.remove(key)  # it reads as it was written, and yet is no use
            return None

    @property
    def _core(self) -> Any:  # noqa: ANN401
        return _core_of(self._openvino)

    @property
    def _openvino(self) -> Any:  # noqa: ANN401
        self.require()
        return self._module


class OpenVinoSession:
    """A model opened by OpenVINO, with the calls of an ``onnxruntime.InferenceSession``. For several threads at once.

    Attributes:
        half: Whether it computes in numbers of 16 bits.

    Args:
        compiled: OpenVINO's.
        ends: What goes in and comes out.
        half: See there.
        keep: Where it will be kept, and under what; None if it is kept already, or shall not be.
    """

    def __init__(
        self,
        compiled: Any,  # noqa: ANN401
        ends: Ends,
        *,
        half: bool,
        keep: tuple[CompiledModels, CompiledKey] | None = None,
    ) -> None:
        self.half = half
        self._compiled, self._ends, self._keep = compiled, ends, keep
        self._places = {end.name: number for number, end in enumerate(ends.inputs)}
        # One for each thread that ever ran at the same time. Taking and giving back are one step each: no lock.
        self._idle: deque[Any] = deque()

    def get_inputs(self) -> Sequence[End]:
        """As ONNX Runtime has it."""
        return self._ends.inputs

    def get_outputs(self) -> Sequence[End]:
        """As ONNX Runtime has it."""
        return self._ends.outputs

    def run(self, names: Iterable[str] | None, given: Mapping[str, AnyArray]) -> list[AnyArray]:
        """Run once.

        Args:
            names: None: all outputs.
            given: By input.

        Returns:
            All outputs in the graph's order, in memory of their own.
        """
        del names
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        try:
            request.infer({self._places[name]: value for name, value in given.items()}, share_inputs=True)
            return [np.array(request.get_output_tensor(number).data) for number in range(len(self._ends.outputs))]
        finally:
            self._idle.append(request)

    def keep(self) -> None:
        """Keep it compiled, for the next time that it is opened. What can't be kept is compiled anew then."""
        if self._keep is not None:
            (kept, key), self._keep = self._keep, None
            written = io.BytesIO()
            try:
                self._compiled.export_model(written)
            except (RuntimeError, MemoryError):  # it does not do that here, or there is no room for a second copy
                return
            kept.write(key, written.getvalue())


def _instructions() -> str:
    """Which instructions the CPU has, as the system says it; where it does not say so, what Python knows."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    wanted = ("flags", "features", "model name", "cpu family", "model\t", "stepping")
    return "\n".join(sorted({line for line in lines if line.lower().startswith(wanted)}))
