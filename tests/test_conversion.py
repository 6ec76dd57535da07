"""dlib's network rebuilt as an ONNX file: it answers the same, and what is damaged is refused in one line."""

import hashlib

import numpy as np
import onnx
import onnxruntime
import pytest
from conversion import face_geometry as geometry
from conversion.dlib_format import DlibReader, WrongFileError
from conversion.identity_network import converted
from hypothesis import given
from hypothesis import strategies as st

from tests.dlib_file import SMALL, SmallNetwork, integer, number, tensor


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
    for damaged in (*(whole[:size] for size in range(len(whole) - 2)), b"\xff" * 40, whole + b"\x12\x02\x08\x01", whole[:-11] + b"\x09" * 11):
        with pytest.raises(ValueError, match="it "):
            geometry.converted(damaged)
