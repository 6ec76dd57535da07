"""What an ONNX file holds, looked at before anything runs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto

from understudy.arrays import AnyArray, FloatArray
from understudy.errors import ModelFileError
from understudy.models.pieces import too_many_pieces

#: Numbers of an embedding.
EMBEDDING = 512
#: How deep graphs may lie in each other.
_DEEPEST = 16
#: What inswapper_128 adds to a variance.
_EPSILON = 1e-8
#: Version of the format from which on constants need not be listed among the inputs.
_NOT_AMONG_INPUTS = 4
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
    if too_many_pieces(data):
        raise _wrong(name, "is made of too many pieces")
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


def emap_of(model: ModelProto, name: str) -> FloatArray:
    """The projection of embeddings, float32 (512, 512): the last initialiser of inswapper's graph, unused by it.

    Raises:
        ModelFileError: there is none.
    """
    constants = model.graph.initializer
    if not constants or tuple(constants[-1].dims) != (EMBEDDING, EMBEDDING):
        raise _wrong(name, "has no projection of embeddings as its last constant")
    return np.asarray(onnx.numpy_helper.to_array(constants[-1]), np.float32)


def with_constants(model: ModelProto, values: Mapping[str, AnyArray], name: str) -> ModelProto:
    """A copy of a graph some of whose inputs are constants from now on: a runtime can prepare for those.

    Args:
        model: The graph.
        values: By the inputs' names, in the inputs' shapes.
        name: What the file is called in messages.

    Raises:
        ModelFileError: an input is not there, or of another shape.
    """
    copy = ModelProto()
    copy.CopyFrom(model)
    inputs = {one.name: one.type.tensor_type for one in copy.graph.input}
    for end, given in values.items():
        shape = [size.dim_value or None for size in inputs[end].shape.dim] if end in inputs else []
        fits = len(shape) == given.ndim and all(one in (None, other) for one, other in zip(shape, given.shape))  # noqa: B905 - of one length
        if not fits:
            raise _wrong(name, f"takes no {end} in the shape {given.shape}")
        kind = onnx.helper.tensor_dtype_to_np_dtype(inputs[end].elem_type)
        copy.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(given, kind, order="C"), end))
    # Older files list constants among the inputs; in newer ones that would mean that they may be replaced.
    constants = {tensor.name for tensor in copy.graph.initializer}
    left = [one for one in copy.graph.input if one.name not in constants]
    del copy.graph.input[:]
    copy.graph.input.extend(left)
    copy.ir_version = max(copy.ir_version, _NOT_AMONG_INPUTS)
    return copy


def names_read(node: NodeProto) -> Iterator[str]:
    """Names of the values that a node reads, also in graphs within it."""
    yield from node.input
    for attribute in node.attribute:
        graphs = [attribute.g] if attribute.type == AttributeProto.GRAPH else attribute.graphs
        for graph in graphs:
            for inner in graph.node:
                yield from names_read(inner)
            yield from (one.name for one in graph.output)


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
        if node.op_type == "EPContext":  # compiled for one device: it may name any file, and runs what is in it
            raise _wrong(name, "holds parts compiled for one device, which is not allowed")
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


def of_any_size(model: ModelProto) -> ModelProto:
    """A copy of a graph of one size that works on any: its ends say so, and what was noted of shapes between is gone.

    CenterFace's file names ten pictures of 32x32 pixels, which its authors' reader does not look at; ONNX Runtime does.
    """
    copy = ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    constants = {tensor.name for tensor in graph.initializer}  # older files list these among the inputs
    for end in (*(one for one in graph.input if one.name not in constants), *graph.output):
        for axis, size in enumerate(end.type.tensor_type.shape.dim):
            if axis != 1:
                size.dim_param = f"{end.name}_{axis}"
    del graph.value_info[:]
    return copy


def is_half(model: ModelProto) -> bool:
    """Whether it has weights in half precision."""
    return any(tensor.data_type == TensorProto.FLOAT16 for _, tensor in _constants(model.graph))


def in_single(model: ModelProto) -> ModelProto:
    """A copy of a graph in half precision, in single: the same numbers, computed with more digits.

    What is added before a root so that nothing is divided by zero is often too small for half precision and became
    zero itself: there it is put back, as inswapper_128 has it.
    """
    copy = ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    for tensor in graph.initializer:
        _widen(tensor)
    roots = {node.input[0] for node in graph.node if node.op_type == "Sqrt"}
    added = {name for node in graph.node if node.op_type == "Add" and node.output[0] in roots for name in node.input}
    for name, tensor in _constants(graph):
        if name in added and not onnx.numpy_helper.to_array(tensor).any():
            values = np.full(tuple(tensor.dims), _EPSILON, np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT16:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.TENSOR:
                _widen(attribute.t)
            elif node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT16:
                attribute.i = TensorProto.FLOAT
    return copy


def _constants(graph: GraphProto) -> Iterator[tuple[str, TensorProto]]:
    """The constants of a graph by name, as exporters write them: in its list of them, or as steps of their own."""
    for tensor in graph.initializer:
        yield tensor.name, tensor
    for node in graph.node:
        if node.op_type == "Constant":
            yield from ((node.output[0], attribute.t) for attribute in node.attribute if attribute.name == "value")


def _widen(tensor: TensorProto) -> None:
    if tensor.data_type == TensorProto.FLOAT16:
        values = onnx.numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
