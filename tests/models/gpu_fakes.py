"""Stand-ins for what is not where the tests run: NVIDIA's GPUs, their program ``nvidia-smi``, ONNX Runtime's sessions
on them.

The lists have the form that NVIDIA prints; the sessions do what ONNX Runtime's and NVIDIA's pages say, and run on the
CPU. None of this was held against a GPU.
"""

import hashlib
from pathlib import Path

import numpy as np
import onnx

from understudy.models.nvidia_smi import GpuList, parsed
from understudy.models.onnx_runtime import ort
from understudy.models.providers import PROVIDERS

FIRST, SECOND = "GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77", "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"
SMALL, LARGE = "MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f", "MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb"
ONE = f"GPU 0: NVIDIA GeForce RTX 3080 (UUID: {FIRST})\n"
TWO = f"GPU 0: NVIDIA GeForce RTX 4090 (UUID: {FIRST})\nGPU 1: NVIDIA GeForce RTX 3060 (UUID: {SECOND})\n"
MIG = (
    f"GPU 0: NVIDIA A100-SXM4-40GB (UUID: {FIRST})\n"
    f"  MIG 1g.5gb      Device  0: (UUID: {SMALL})\n"
    f"  MIG 3g.20gb     Device  1: (UUID: {LARGE})\n"
)
QUERY = f"{FIRST}, 40960, 550.54.15\n{SECOND}, 12288, 550.54.15\n"
BROKEN = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA "
    "driver is installed and running.\n\n"
)


def fake_nvidia_smi(folder, listed, query=QUERY, code=0):
    """A program of that name in a folder that prints what it is given."""
    folder.mkdir(exist_ok=True)
    (folder / "list").write_text(listed)
    (folder / "query").write_text(query)
    program = folder / "nvidia-smi"
    program.write_text(f'#!/bin/sh\ncase "$1" in -L) f=list;; *) f=query;; esac\ncat "{folder}/$f"\nexit {code}\n')
    program.chmod(0o755)
    return program


class FakeGpus:
    """ONNX Runtime on two GPUs: what is opened there is noted, and runs on the CPU.

    TensorRT's engines are files named after the graph's shape, not its weights (microsoft/onnxruntime#6455): one that
    is there is run, whatever it is of.

    Attributes:
        opened: Of each session its providers, with their options.
        memory: The device's number of each buffer that stays.
        fault: What every run from now on fails with.
        half: What half precision makes of what comes out.
    """

    def __init__(self, monkeypatch):
        self.opened, self.memory, self.fault = [], [], None
        self.half = lambda values: values.astype(np.float16).astype(values.dtype)
        self.start, self.value = ort.InferenceSession, ort.OrtValue.ortvalue_from_numpy
        monkeypatch.setattr(ort, "InferenceSession", self.session)
        monkeypatch.setattr(ort.OrtValue, "ortvalue_from_numpy", staticmethod(self.kept))
        there = [PROVIDERS[device] for device in ("tensorrt", "cuda", "cpu")]
        monkeypatch.setattr(ort, "get_available_providers", lambda: there)

    def session(self, data, options=None, providers=(), **how):
        first = providers[0] if providers else "CPUExecutionProvider"
        name, given = (first, {}) if isinstance(first, str) else first
        if name == PROVIDERS["cpu"]:
            return self.start(data, options, providers=[name])
        self.opened.append(providers)
        if int(given["device_id"]) > 1:
            raise RuntimeError("CUDA failure 101: invalid device ordinal ; GPU=0 ; expr=cudaSetDevice(info_.device_id)")
        if given.get("trt_engine_cache_enable") == "True":
            data = built(Path(given["trt_engine_cache_path"]), data, given["trt_fp16_enable"] == "True")
        session = self.start(data, options, providers=[PROVIDERS["cpu"]])
        return FakeSession(self, session, name, given.get("trt_fp16_enable") == "True")

    def kept(self, values, memory="cpu", number=0):
        if memory == "cuda":
            self.memory.append(number)
        return self.value(values, "cpu", 0)


def built(folder, data, half):
    """The engine that is in a folder for graphs of this shape; a new one if there is none."""
    model = onnx.load_model_from_string(data)
    shape = repr([(node.op_type, node.input) for node in model.graph.node])
    name = hashlib.sha256(shape.encode()).hexdigest()[:20]
    path = folder / f"TensorrtExecutionProvider_TRTKernel_graph_{name}_0_0{'_fp16' if half else ''}_sm80.engine"
    if not path.exists():
        path.write_bytes(data)
    if path.read_bytes() == b"another version's":
        raise RuntimeError("TensorRT EP could not deserialize engine from cache: " + str(path))
    return path.read_bytes()


class FakeSession:
    """A session on a GPU."""

    def __init__(self, gpus, real, name, half):
        self.gpus, self.real, self.name, self.half = gpus, real, name, half

    def __getattr__(self, name):
        return getattr(self.real, name)

    def get_providers(self):
        return [self.name]

    def run(self, names, given):
        if self.gpus.fault:
            raise RuntimeError(self.gpus.fault)
        found = self.real.run(names, given)
        return [self.gpus.half(one) for one in found] if self.half else found

    def run_with_iobinding(self, binding):
        if self.gpus.fault:
            raise RuntimeError(self.gpus.fault)
        self.real.run_with_iobinding(binding)
        if self.half:
            for value in binding.get_outputs():
                value.update_inplace(self.gpus.half(value.numpy()))


def listed(text):
    """What is known where ``nvidia-smi -L`` prints this."""
    return GpuList(parsed(text))
