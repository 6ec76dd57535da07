"""What an ONNX file holds, looked at before anything runs it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto

from understudy.arrays import FloatArray
from understudy.errors import ModelFileError

#: How deep graphs may lie in each other.
_DEEPEST = 16
#: What other files begin with that are taken for models: said by name.
_OTHERS = {
    b"\x80": "a pickle, which could run anything",
    b"PK": "an archive: import it as one, with the suffix .zip",
    b"<": "a web page",
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself",
}


def check_graph(data: bytes, name: str) -> ModelProto:
    """Make sure that a file is an ONNX graph and all of it.

    Args:
        data: The file.
        name: What it is called in messages.

    Raises:
        ModelFileError: it is something else, or has parts in other files: those could be any file of this machine.
    """
    for start, what in _OTHERS.items():
        if data.startswith(start):
            raise _wrong(name, f"is {what}")
    try:
        model = onnx.load_model_from_string(data)
    except (DecodeError, ValueError, RuntimeError) as fault:
        raise _wrong(name, "is no ONNX file, or not a whole one") from fault
    if not model.ir_version or not model.opset_import or not model.graph.node:
        raise _wrong(name, "holds no graph")
    for tensor in _tensors(model, name):
        if tensor.external_data or tensor.data_location == TensorProto.EXTERNAL:
            raise _wrong(name, "has parts outside of itself, which is not allowed")
    return model


def last_constant(model: ModelProto) -> FloatArray:
    """The last initialiser, float32: where inswapper's graph keeps ``emap``, which it does not use itself."""
    return np.asarray(onnx.numpy_helper.to_array(model.graph.initializer[-1]), np.float32)


def _tensors(model: ModelProto, name: str) -> Iterator[TensorProto]:
    """Every tensor, wherever a graph may hide one."""
    yield from _of_graph(model.graph, name, 0)
    for function in model.functions:
        yield from _of_nodes(function.node, name, 0)
        for attribute in function.attribute_proto:
            yield from _of_attribute(attribute, name, 0)
    for training in model.training_info:
        yield from _of_graph(training.initialization, name, 0)
        yield from _of_graph(training.algorithm, name, 0)


def _of_graph(graph: GraphProto, name: str, depth: int) -> Iterator[TensorProto]:
    if depth > _DEEPEST:
        raise _wrong(name, "has graphs too deep in each other")
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _of_nodes(graph.node, name, depth)


def _of_nodes(nodes: list[NodeProto], name: str, depth: int) -> Iterator[TensorProto]:
    for node in nodes:
        for attribute in node.attribute:
            yield from _of_attribute(attribute, name, depth)


def _of_attribute(attribute: AttributeProto, name: str, depth: int) -> Iterator[TensorProto]:
    yield attribute.t
    yield from attribute.tensors
    for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
        yield from (sparse.values, sparse.indices)
    for graph in (attribute.g, *attribute.graphs):
        if graph.node or graph.initializer or graph.sparse_initializer:
            yield from _of_graph(graph, name, depth + 1)


def _wrong(name: str, what: str) -> ModelFileError:
    return ModelFileError(f"{name} {what}", "Fetch it again, from its authors' own place.")
