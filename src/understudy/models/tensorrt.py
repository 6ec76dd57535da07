"""TensorRT, by ONNX Runtime: its engines are kept between runs, and computed in half precision where that holds.

The options are those of ONNX Runtime's page "TensorRT Execution Provider" (docs/execution-providers in its
repository, branch gh-pages). Never run on a GPU so far: see docs/gpu.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from shutil import rmtree
from typing import Any, Final
from weakref import finalize

from understudy.arrays import AnyArray
from understudy.models.compiled import CompiledKey
from understudy.models.cuda_devices import CudaDevices
from understudy.models.engines import Engines
from understudy.models.entries import Entry
from understudy.models.onnx_runtime import ort
from understudy.models.providers import OnnxRuntime

#: Under which names its libraries are published.
_PACKAGES: Final = (
    "tensorrt-libs",
    "tensorrt-cu13-libs",
    "tensorrt-cu12-libs",
    "tensorrt",
    "tensorrt-cu13",
    "tensorrt-cu12",
)


class TensorRt:
    """Opens models with TensorRT.

    Args:
        onnx: ONNX Runtime.
        cuda: Tells GPUs apart.
    """

    def __init__(self, onnx: OnnxRuntime, cuda: CudaDevices) -> None:
        self._onnx, self._cuda = onnx, cuda

    def key(self, entry: Entry, digest: str, gpu: int, *, half: bool) -> CompiledKey | None:
        """Under what an engine is kept; None where the GPU is not known: it might be another the next time.

        Args:
            entry: Which model.
            digest: SHA-256 of its file.
            gpu: CUDA's number of the GPU.
            half: Whether it is computed in half precision.
        """
        name = self._cuda.name(gpu)
        if name is None:
            return None
        program = f"ONNX Runtime {ort.__version__}, TensorRT {version()}"
        return CompiledKey(entry.name, digest, "half" if half else "single", program, name)

    def start(
        self,
        entry: Entry,
        data: bytes,
        gpu: int = 0,
        *,
        half: bool = False,
        kept: tuple[Engines, CompiledKey] | None = None,
    ) -> TensorRtSession:
        """A model, opened with TensorRT. Where no engine is kept of it that takes minutes.

        Args:
            entry: Which model, for messages.
            data: Its file.
            gpu: CUDA's number of the GPU.
            half: Whether TensorRT may compute in half precision.
            kept: Where its engine may be kept, and under what; None: it is built anew.

        Raises:
            NoMemoryError: the device has not enough.
            ModelError: it does not open there.
        """
        options, keep = {"trt_fp16_enable": "True" if half else "False"}, None
        if kept is not None:
            engines, key = kept
            folder = engines.kept(key)
            if folder is None and (folder := engines.begin(key)) is not None:
                keep = (engines, key, folder)
            if folder is not None:
                options |= {"trt_engine_cache_enable": "True", "trt_engine_cache_path": str(folder)}
            if (timings := engines.timings(key)) is not None:
                options |= {"trt_timing_cache_enable": "True", "trt_timing_cache_path": str(timings)}
        try:
            session = self._onnx.start(entry, data, "tensorrt", gpu=gpu, own=options)
        except BaseException:
            if keep is not None:
                rmtree(keep[2], ignore_errors=True)
            raise
        return TensorRtSession(session, half=half, keep=keep)


class TensorRtSession:
    """A model opened by TensorRT, with the calls of an ``onnxruntime.InferenceSession``.

    Attributes:
        half: Whether it may compute in half precision.

    Args:
        session: ONNX Runtime's.
        half: See there.
        keep: Where its engine was built: removed with the session, unless it is kept; None if it is kept already, or
            shall not be.
    """

    def __init__(self, session: Any, *, half: bool, keep: tuple[Engines, CompiledKey, Path] | None = None) -> None:  # noqa: ANN401
        self.half = half
        self._session, self._keep = session, keep
        self._leave = None if keep is None else finalize(self, rmtree, keep[2], ignore_errors=True)

    def get_inputs(self) -> Sequence[Any]:
        """As ONNX Runtime has it."""
        inputs: Sequence[Any] = self._session.get_inputs()
        return inputs

    def get_outputs(self) -> Sequence[Any]:
        """As ONNX Runtime has it."""
        outputs: Sequence[Any] = self._session.get_outputs()
        return outputs

    def run(self, names: Iterable[str] | None, given: Mapping[str, AnyArray]) -> list[AnyArray]:
        """As ONNX Runtime has it."""
        return list(self._session.run(names, given))

    def io_binding(self) -> Any:  # noqa: ANN401
        """As ONNX Runtime has it."""
        return self._session.io_binding()

    def run_with_iobinding(self, binding: Any) -> None:  # noqa: ANN401
        """As ONNX Runtime has it."""
        self._session.run_with_iobinding(binding)

    def keep(self) -> None:
        """Note that its engine works, for the next time that it is opened."""
        if self._keep is not None and self._leave is not None:
            engines, key, folder = self._keep
            self._leave.detach()
            engines.finish(key, folder)
            self._keep = None


def version() -> str:
    """TensorRT's version, where it was installed as a package; its files say it themselves, too."""
    for name in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
    return "not known"
