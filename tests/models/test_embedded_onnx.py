"""Networks that numpy computes: they answer what ONNX Runtime does, and what they can't compute does not open."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from importlib.resources import files
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from understudy.errors import ModelError, NoMemoryError
from understudy.models import layers, runtime
from understudy.models.embedded_onnx import OnnxModel
from understudy.models.onnx_graph import read_graph
from understudy.models.onnx_runtime import ort

EMBEDDED = ["face_recognition_resnet.onnx", "open_nsfw.onnx"]
CHANNELS = 4


def pictures(shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def reference(content, given_pictures):
    """ONNX Runtime's answer."""
    session = ort.InferenceSession(content, providers=["CPUExecutionProvider"])
    (answer,) = session.run(None, {session.get_inputs()[0].name: given_pictures})
    return answer


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Opens a network as if the package carried it."""

    def open_one(content):
        path = tmp_path / "made.onnx"
        path.write_bytes(content)
        with monkeypatch.context() as patched:
            patched.setattr(runtime, "embedded_file", lambda name: nullcontext(path))
            return OnnxModel("made.onnx")

    return open_one


def network(nodes, side=9, constants=(), output=("N", "D"), channels=CHANNELS):
    """The file of a network from ``in`` to ``out``."""
    ends = [
        helper.make_tensor_value_info("in", TensorProto.FLOAT, ["N", channels, side, side]),
        helper.make_tensor_value_info("out", TensorProto.FLOAT, list(output)),
    ]
    kept = [numpy_helper.from_array(values, name) for name, values in dict(constants).items()]
    model = helper.make_model(
        helper.make_graph(nodes, "made", ends[:1], ends[1:], kept), opset_imports=[helper.make_opsetid("", 17)]
    )
    model.ir_version = 8
    return model.SerializeToString()


def convolved(kernel=(3, 3), outputs=5, **attributes):
    """A network of one convolution in 8 bits, and what follows it in a residual block."""
    values = np.random.default_rng(1)
    constants = {
        "bytes": values.integers(-127, 128, (outputs, CHANNELS, *kernel), np.int8),
        "scales": values.uniform(0.001, 0.01, outputs).astype(np.float32),
        "biases": values.normal(0, 1, outputs).astype(np.float32),
    }
    nodes = [
        helper.make_node("DequantizeLinear", ["bytes", "scales"], ["weights"], axis=0),
        helper.make_node("Conv", ["in", "weights", "biases"], ["sum"], kernel_shape=kernel, **attributes),
        helper.make_node("Relu", ["sum"], ["positive"]),
        helper.make_node("Add", ["sum", "positive"], ["out"]),
    ]
    return network(nodes, constants=constants, output=("N", outputs, "h", "w"))


@pytest.mark.parametrize("name", EMBEDDED)
def test_the_packages_own_answer_what_onnx_runtime_does(name):
    model = OnnxModel(name)
    width, height = model.input_size
    given_pictures = pictures((2, 3, height, width)) * 120
    expected = reference(files("understudy.models").joinpath("embedded", name).read_bytes(), given_pictures)
    found = model.run(given_pictures)
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    assert np.ptp(expected) > 0.1
    assert np.abs(found - expected).max() < 1e-5


@pytest.mark.slow
@given(
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    pads=st.tuples(*[st.integers(0, 3)] * 4),
)
def test_a_convolution_does_with_windows_steps_and_edges_what_onnx_runtime_does(kernel, strides, pads):
    content, given_pictures = convolved(kernel, strides=strides, pads=pads), pictures((2, CHANNELS, 9, 9))
    graph = read_graph(content)
    constants = SimpleNamespace(**graph.constants)
    weights = layers.ScaledWeights(constants.bytes, constants.scales)
    attributes = {"kernel_shape": kernel, "strides": strides, "pads": pads}
    alone = [layers.convolution(one[None], weights, constants.biases, attributes) for one in given_pictures]
    found = np.concatenate(alone)
    assert np.allclose(found + np.maximum(found, 0), reference(content, given_pictures), atol=1e-5)


@pytest.mark.slow
@given(window=st.integers(1, 4), stride=st.integers(1, 4), pads=st.tuples(*[st.integers(0, 3)] * 4))
def test_the_largest_and_the_mean_of_windows_are_those_of_onnx_runtime(window, stride, pads):
    shape = {"kernel_shape": [window] * 2, "strides": [stride] * 2}
    given_pictures, attributes = pictures((1, CHANNELS, 9, 9)), {name: tuple(value) for name, value in shape.items()}
    output = ("N", CHANNELS, "h", "w")
    inside = [min(pad, window - 1) for pad in pads]  # ONNX Runtime takes no more
    content = network([helper.make_node("MaxPool", ["in"], ["out"], **shape, pads=inside)], output=output)
    found = layers.largest(given_pictures, attributes | {"pads": tuple(inside)})
    assert np.array_equal(found, reference(content, given_pictures))
    content = network([helper.make_node("AveragePool", ["in"], ["out"], **shape)], output=output)
    assert np.allclose(layers.mean(given_pictures, attributes), reference(content, given_pictures), atol=1e-6)


def test_all_its_other_layers_are_those_of_onnx_runtime(opened):
    values = np.random.default_rng(2)
    constants = {
        "means": values.uniform(0, 1, (1, CHANNELS, 1, 1)).astype(np.float32),
        "half": np.array(0.5, np.float32),
        "pads": np.array([0, 0, 0, 0, 0, 2, 1, 3], np.int64),
        "bytes": values.integers(-127, 128, (6, CHANNELS + 2), np.int8),
        "scales": values.uniform(0.01, 0.02, 6).astype(np.float32),
        "matrix": values.normal(0, 1, (6, 3)).astype(np.float32),
        "floats": values.normal(0, 1, (3, 3)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Sub", ["in", "means"], ["n1"]),
        helper.make_node("Mul", ["n1", "half"], ["n2"]),
        helper.make_node("Pad", ["n2", "pads"], ["n3"]),
        helper.make_node("GlobalAveragePool", ["n3"], ["n4"]),
        helper.make_node("Flatten", ["n4"], ["n5"]),
        helper.make_node("DequantizeLinear", ["bytes", "scales"], ["weights"], axis=0),
        helper.make_node("Gemm", ["n5", "weights"], ["n6"], transB=1),
        helper.make_node("MatMul", ["n6", "matrix"], ["n7"]),
        helper.make_node("Gemm", ["n7", "floats"], ["n8"], transB=1),
        helper.make_node("Softmax", ["n8"], ["out"], axis=1),
    ]
    content, given_pictures = network(nodes, constants=constants), pictures((3, CHANNELS, 9, 9))
    model = opened(content)
    assert model.input_size == (9, 9)
    assert np.allclose(model.run(given_pictures), reference(content, given_pictures), atol=1e-6)


def test_what_later_steps_need_stays_and_what_was_given_is_not_written_to(opened):
    content, given_pictures = convolved(), pictures((2, CHANNELS, 9, 9))
    before = given_pictures.copy()
    model = opened(content)
    first, again = model.run(given_pictures), model.run(given_pictures)
    assert np.allclose(first, reference(content, given_pictures), atol=1e-5)
    assert np.array_equal(first, again)
    assert np.array_equal(given_pictures, before)


def test_it_gives_each_thread_its_own_answer():
    model = OnnxModel("face_recognition_resnet.onnx")
    given_pictures = [pictures((1, 3, 150, 150), seed) * 120 for seed in range(4)]
    alone = [model.run(one) for one in given_pictures]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            assert all(map(np.array_equal, pool.map(model.run, given_pictures), alone))


@pytest.mark.parametrize("name", EMBEDDED)
@pytest.mark.parametrize("shape", [(1, 3, 64, 64), (3, 150, 150), (1, 4, 150, 150)])
def test_a_picture_of_the_wrong_size_is_told(name, shape):
    with pytest.raises(ValueError, match=f"for {name}, which takes"):
        OnnxModel(name).run(np.zeros(shape, np.float32))


def test_too_little_memory_is_told(monkeypatch, opened):
    def none_left(*_, **__):
        raise MemoryError

    model, one = opened(convolved()), pictures((1, CHANNELS, 9, 9))
    with monkeypatch.context() as patched, pytest.raises(NoMemoryError, match=r"for made\.onnx"):
        patched.setattr(np, "empty", none_left)
        model.run(one)


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([helper.make_node("Sigmoid", ["in"], ["out"])], "a step Sigmoid"),
        ([helper.make_node("MaxPool", ["in"], ["out"], kernel_shape=[3, 3], ceil_mode=1)], "a step MaxPool"),
        ([helper.make_node("AveragePool", ["in"], ["out"], kernel_shape=[3, 3], pads=[1] * 4)], "a step AveragePool"),
        ([helper.make_node("Conv", ["in", "in"], ["out"])], "a step Conv"),
        ([helper.make_node("Softmax", ["in"], ["out"], axis=2)], "a step Softmax"),
        ([helper.make_node("DequantizeLinear", ["in", "in"], ["out"], axis=0)], "rows of weights"),
        ([helper.make_node("Relu", ["later"], ["out"])], "before what it needs"),
        ([helper.make_node("Relu", ["in"], ["other"])], "no end"),
    ],
)
def test_what_is_not_computed_here_does_not_open(opened, nodes, said):
    with pytest.raises(ModelError, match=said):
        opened(network(nodes))


def test_weights_of_another_type_do_not_open(opened):
    with pytest.raises(ModelError, match="weights w of another type"):
        opened(network([helper.make_node("Relu", ["in"], ["out"])], constants={"w": np.zeros(2, np.float64)}))


def test_too_few_weights_do_not_open(opened):
    model = onnx.load_model_from_string(convolved())
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:-1]
    with pytest.raises(ModelError, match="bytes of weights where"):
        opened(model.SerializeToString())


@pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.7, 0.999])
def test_a_file_that_ends_too_early_does_not_open(opened, share):
    content = convolved()
    with pytest.raises(ModelError, match=r"made\.onnx does not open"):
        opened(content[: int(len(content) * share)])


@given(st.data())
def test_damage_anywhere_is_a_value_error_or_another_graph(data):
    whole = bytearray(convolved())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_graph(bytes(whole))
    except ValueError as told:
        assert str(told)
