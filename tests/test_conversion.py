"""Networks rebuilt as ONNX files: they answer the same, and what is damaged is refused in one line."""

import hashlib

import numpy as np
import onnx
import pytest
from conversion import face_geometry as geometry
from conversion.content_network import converted as content_converted
from conversion.dlib_format import DlibReader, WrongFileError
from conversion.identity_network import converted
from hypothesis import given
from hypothesis import strategies as st

from tests.dlib_file import SMALL, SmallNetwork, integer, number, tensor
from understudy.models.onnx_runtime import ort as onnxruntime


@pytest.fixture(scope="module")
def small():
    return SmallNetwork()


def answers(data, chips):
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return session.run(None, {"chips": chips})[0]


def test_the_onnx_file_answers_as_the_network_does(small):
    chips = np.random.default_rng(1).uniform(0, 255, (3, 3, SMALL.side, SMALL.side)).astype(np.float32)
    expected = np.stack([small.run(chip) for chip in chips])
    found = answers(converted(small.written(), SMALL), chips)
    print(f"answers up to {np.abs(expected).max():.3f} differ by {np.abs(found - expected).max():.4f} at most")
    assert np.abs(found - expected).max() < 0.02 * np.abs(expected).max()  # eight bits


def test_the_file_is_the_same_each_time_and_whole(small):
    first, again = (converted(small.written(), SMALL) for _ in range(2))
    assert first == again
    # As long as these bytes stay, so do those that embedded.toml has the digest of.
    assert hashlib.sha256(first).hexdigest() == "87f5983441dfdf1cbd737d79062bcc6c512423aa4d64ccf3a14b46d7bed38200"
    model = onnx.load_model_from_string(first)
    onnx.checker.check_model(model, full_check=True)
    kinds = {one.name: one.data_type for one in model.graph.initializer}
    assert all(
        kinds[node.input[0]] == onnx.TensorProto.INT8 for node in model.graph.node if node.op_type == "DequantizeLinear"
    )


def test_a_channel_without_weights_gives_what_is_added(small):
    silent = SmallNetwork()
    silent.stem.filters[0] = 0
    chips = np.full((1, 3, SMALL.side, SMALL.side), 128, np.float32)
    found = answers(converted(silent.written(), SMALL), chips)
    assert np.abs(found - silent.run(chips[0])).max() < 0.02 * np.abs(found).max()


@pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.7, 0.999])
def test_a_file_that_ends_too_early_is_refused(small, share):
    data = small.written()
    with pytest.raises(WrongFileError, match="the end of the file"):
        converted(data[: int(len(data) * share)], SMALL)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"loss_metric_2", b"loss_metric_3", "'loss_metric_2'"),
        (b"con_4", b"con_5", "'con_4'"),
        (b"110", b"1x0", "no flag"),
        (integer(SMALL.side) * 2, integer(SMALL.side) + integer(200), "size of the picture"),
        (tensor([], 0, 0, 0, 0), tensor([], 9, 9, 9, 9), "shape of a tensor"),
        (number(120, 0), number(120, 32000), "no finite number"),
        (integer(120), b"\x78", "no whole number"),
    ],
)
def test_another_network_is_refused(small, old, new, said):
    data = small.written()
    assert old in data
    with pytest.raises(WrongFileError, match=said) as told:
        converted(data.replace(old, new, 1), SMALL)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
def test_weights_that_are_no_numbers_are_refused(value):
    network = SmallNetwork()
    network.blocks[1][1].filters[0, 0, 0, 0] = value
    network.blocks[1][1].gains[0] = 1e3
    with pytest.raises(WrongFileError, match=r"no number|beyond all measure"), np.errstate(all="ignore"):
        converted(network.written(), SMALL)


def test_what_follows_the_end_is_refused(small):
    with pytest.raises(WrongFileError, match="1 bytes more"):
        converted(small.written() + b"\0", SMALL)


def test_a_shape_says_nothing_about_memory():
    """The reader takes what it expects, not what a file says: a tensor of the whole address space is one line."""
    with pytest.raises(WrongFileError, match="shape of a tensor"):
        DlibReader(tensor([], 2**62, 1, 1, 1)).tensor((4, 1, 1, 1))
    with pytest.raises(WrongFileError, match="the end of the file"):
        DlibReader(tensor([], 4, 1, 1, 1)).tensor((4, 1, 1, 1))


@pytest.mark.slow
@given(st.data())
def test_damage_anywhere_ends_in_one_line_or_in_other_weights(small, data):
    whole = bytearray(small.written())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        onnx.checker.check_model(onnx.load_model_from_string(converted(bytes(whole), SMALL)))
    except WrongFileError as told:
        assert "damaged" in str(told)


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_whole_numbers_are_read_as_dlib_writes_them(value):
    assert DlibReader(integer(value)).integer() == value


def geometry_file():
    """A metric face of three vertices, as a protocol buffer."""
    import struct

    def field(number, data):
        return bytes([number << 3 | 2, len(data)]) + data

    mesh = b"".join(b"\x1d" + struct.pack("<f", x) for x in range(15)) + b"\x20\x00"
    return field(1, mesh) + field(2, b"\x08\x02\x15" + struct.pack("<f", 0.25)) + b"\x18\x01"


def test_the_metric_face_is_read():
    import json

    found = json.loads(geometry.converted(geometry_file()))
    assert found == {"vertices": [[0, 1, 2], [5, 6, 7], [10, 11, 12]], "procrustes": [[2, 0.25]]}


def test_a_metric_face_that_is_cut_off_or_something_else_is_told():
    whole = geometry_file()
    for damaged in (
        *(whole[:size] for size in range(len(whole) - 2)),
        b"\xff" * 40,
        whole + b"\x12\x02\x08\x01",
        whole[:-11] + b"\x09" * 11,
    ):
        with pytest.raises(WrongFileError, match="damaged or another one"):
            geometry.converted(damaged)


def small_content_network(weights=1.0, **changes):
    """A network as the carrier has it, of 32 pixels, with layers that are large enough for 8 bits and others."""
    random, helper = np.random.default_rng(2), onnx.helper

    def floats(name, *shape):
        values = random.normal(0, weights / np.sqrt(max(np.prod(shape[1:]), 1)), shape).astype(np.float32)
        return onnx.numpy_helper.from_array(values, name)

    constants = [
        floats("w1", 16, 3, 7, 7), floats("b1", 16), floats("w2", 80, 16, 3, 3), floats("b2", 80),
        floats("w3", 80, 16, 1, 1), floats("b3", 80), floats("w4", 80, 2), floats("b4", 2),
        onnx.numpy_helper.from_array(np.array([-1, 80]), "flat"),
    ]  # fmt: skip
    conv = {"dilations": [1, 1], "strides": [1, 1]}
    nodes = [
        helper.make_node("Transpose", ["input"], ["n0"], perm=changes.get("perm", [0, 3, 1, 2])),
        helper.make_node(
            "Conv", ["n0", "w1", "b1"], ["n1"], kernel_shape=[7, 7], pads=[3, 3, 3, 3], strides=[2, 2],
            dilations=changes.get("dilations", [1, 1]), auto_pad="NOTSET",
        ),
        helper.make_node(changes.get("step", "Relu"), ["n1"], ["n2"]),
        helper.make_node("MaxPool", ["n2"], ["n3"], kernel_shape=[3, 3], pads=[0, 0, 1, 1], strides=[2, 2]),
        helper.make_node("Conv", ["n3", "w2", "b2"], ["n4"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], **conv),
        helper.make_node("Conv", ["n3", "w3", "b3"], ["n5"], kernel_shape=[1, 1], **conv),
        helper.make_node("Add", ["n4", changes.get("other", "n5")], ["n6"]),
        helper.make_node("Relu", ["n6"], ["n7"]),
        helper.make_node("AveragePool", ["n7"], ["n8"], kernel_shape=[8, 8], strides=[1, 1]),
        helper.make_node("Reshape", ["n8", "flat"], ["n9"]),
        helper.make_node("MatMul", ["n9", "w4"], ["n10"]),
        helper.make_node("Add", ["n10", "b4"], ["n11"]),
        helper.make_node("Softmax", ["n11"], ["output"], axis=1),
    ]  # fmt: skip
    ends = [
        helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, ["N", 32, 32, 3]),
        helper.make_tensor_value_info("output", onnx.TensorProto.FLOAT, ["N", 2]),
    ]
    graph = helper.make_graph(nodes, "small", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)])
    model.ir_version, model.producer_version = 4, ""
    return model.SerializeToString()


def test_the_content_network_answers_as_the_original_does():
    original, ours = small_content_network(3.0), content_converted(small_content_network(3.0), 32)
    pictures = np.random.default_rng(1).uniform(-120, 130, (6, 32, 32, 3)).astype(np.float32) / 60
    options = {"providers": ["CPUExecutionProvider"]}
    expected = onnxruntime.InferenceSession(original, **options).run(None, {"input": pictures})[0]
    planes = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))
    found = onnxruntime.InferenceSession(ours, **options).run(["probabilities"], {"pictures": planes})[0]
    print(np.round(expected[:, 1], 3), np.abs(found - expected).max())
    assert np.ptp(expected) > 0.2
    assert np.abs(found - expected).max() < 0.02


def test_only_large_layers_of_it_are_stored_in_8_bits_and_the_file_is_the_same_each_time():
    first, again = (content_converted(small_content_network(), 32) for _ in range(2))
    assert first == again
    # As long as these bytes stay, so do those that embedded.toml has the digest of.
    assert hashlib.sha256(first).hexdigest() == "a4b5e9815f0ee010da6cf7c342010922c5d38859b8b7c9f9a5cc233b6a3ca69e"
    model = onnx.load_model_from_string(first)
    onnx.checker.check_model(model, full_check=True)
    shapes = {tuple(one.dims): one.data_type for one in model.graph.initializer}
    assert shapes[80, 16, 3, 3] == onnx.TensorProto.INT8
    assert shapes[16, 3, 7, 7] == shapes[80, 16, 1, 1] == onnx.TensorProto.FLOAT


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"perm": [0, 1, 2, 3]}, "other ends"),
        ({"step": "Sigmoid"}, "a step Sigmoid"),
        ({"dilations": [2, 2]}, "Conv with dilations"),
        ({"other": "nothing"}, "before what it needs"),
        ({"weights": np.nan}, "no number"),
        ({"weights": 1e-42}, "beyond all measure"),
    ],
)
def test_another_content_network_is_refused(changes, said):
    with pytest.raises(WrongFileError, match=said) as told:
        content_converted(small_content_network(**changes), 32)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.7, 0.999])
def test_a_content_network_that_ends_too_early_is_refused(share):
    data = small_content_network()
    with pytest.raises(WrongFileError, match="damaged or another one"):
        content_converted(data[: int(len(data) * share)], 32)


@pytest.mark.slow
@given(st.data())
def test_damage_to_the_content_network_ends_in_one_line_or_in_other_weights(data):
    whole = bytearray(small_content_network())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        onnx.load_model_from_string(content_converted(bytes(whole), 32))
    except WrongFileError as told:
        assert "damaged" in str(told)
