"""A stand-in for the module ``openvino``: its calls, and ONNX Runtime underneath. It notes what is asked of it."""

from types import SimpleNamespace

import numpy as np

from understudy.models.onnx_runtime import ort


class Compiled:
    def __init__(self, data, config, half):
        options = ort.SessionOptions()
        options.log_severity_level = 4
        self.data, self.half = data, half if config["INFERENCE_PRECISION_HINT"] == "bf16" else None
        self.session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def create_infer_request(self):
        return Request(self)

    def export_model(self, stream):
        stream.write(self.data)


class Request:
    def __init__(self, compiled):
        self.compiled, self.tensors = compiled, []

    def infer(self, given, *, share_inputs):
        session = self.compiled.session
        found = session.run(None, {session.get_inputs()[number].name: value for number, value in given.items()})
        if self.compiled.half is not None:
            found = [self.compiled.half(one) for one in found]
        if not self.tensors:
            self.tensors = [SimpleNamespace(data=one) for one in found]
        for tensor, one in zip(self.tensors, found, strict=True):
            tensor.data[:] = one  # the same memory in every run, as OpenVINO has it

    def get_output_tensor(self, number):
        return self.tensors[number]


class FakeOpenVino:
    """The module.

    Args:
        half: What its half precision makes of what comes out.
        can: What the processor can do.
        version: Its own.
    """

    def __init__(self, half=lambda values: values, can=("FP32", "BF16"), version="2026.4.1-fake"):
        self.half, self.can, self.version = half, list(can), version
        self.compiled, self.imported = [], []

    def get_version(self):
        return self.version

    def Core(self):
        return self

    def get_property(self, device, name):
        return {"OPTIMIZATION_CAPABILITIES": self.can, "FULL_DEVICE_NAME": "A Processor"}[name]

    def read_model(self, *, model):
        return model

    def compile_model(self, data, device, config):
        self.compiled.append(config)
        return Compiled(data, config, self.half)

    def import_model(self, data, device, config):
        self.imported.append(config)
        return Compiled(data, config, self.half)


def rounded(values):
    """What bfloat16 makes of numbers, nearly: 8 bits of each."""
    whole, power = np.frexp(values)
    return np.ldexp(np.round(whole * 256) / 256, power).astype(np.float32)
