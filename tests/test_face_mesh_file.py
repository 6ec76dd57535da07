"""The face mesh's file with its slopes written out: the same answers; what is damaged is refused in one line."""

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from conversion.dlib_format import WrongFileError
from conversion.face_mesh import converted
from conversion.tflite_file import TfliteFile
from hypothesis import given
from hypothesis import strategies as st

HEIGHT, WIDTH, CHANNELS = 4, 6, 3
SLOPES = np.array([0.25, -0.5, 1.5], np.float16)
HALF, SINGLE = schema.TensorType.FLOAT16, schema.TensorType.FLOAT32


def made(table, **values):
    for name, value in values.items():
        setattr(table, name, value)
    return table


def small_network(*, slopes=SLOPES, shape=(1, 1, CHANNELS), kept=HALF, prelu=schema.BuiltinOperator.PRELU, graphs=1):
    """A network of one PReLU, its slopes in 16 bits, as MediaPipe's is made of."""

    def tensor(name, axes, kind, buffer=0):
        return made(schema.TensorT(), name=name, shape=list(axes), type=kind, buffer=buffer)

    def step(code, inputs, outputs):
        return made(schema.OperatorT(), opcodeIndex=code, inputs=inputs, outputs=outputs)

    def operator(code):
        return made(schema.OperatorCodeT(), deprecatedBuiltinCode=code, builtinCode=code, version=1)

    picture = (1, HEIGHT, WIDTH, CHANNELS)
    graph = made(
        schema.SubGraphT(),
        tensors=[
            tensor("in", picture, SINGLE),
            tensor("kept", shape, kept, 1),
            tensor("slopes", shape, SINGLE),
            tensor("out", picture, SINGLE),
        ],
        inputs=[0],
        outputs=[3],
        operators=[step(0, [1], [2]), step(1, [0, 2], [3])],
    )
    model = made(
        schema.ModelT(),
        version=3,
        operatorCodes=[operator(schema.BuiltinOperator.DEQUANTIZE), operator(prelu)],
        subgraphs=[graph] * graphs,
        buffers=[
            schema.BufferT(),
            made(schema.BufferT(), data=np.frombuffer(slopes.tobytes(), np.uint8)),
        ],
    )
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def answers(data, pictures):
    network = Interpreter(model_content=data, num_threads=1)
    network.allocate_tensors()
    network.set_tensor(network.get_input_details()[0]["index"], pictures)
    network.invoke()
    return network.get_tensor(network.get_output_details()[0]["index"])


def test_the_answers_are_the_same_to_the_bit():
    pictures = np.random.default_rng(1).normal(size=(1, HEIGHT, WIDTH, CHANNELS)).astype(np.float32)
    found = answers(converted(small_network()), pictures)
    assert (found == answers(small_network(), pictures)).all()
    assert np.allclose(found, np.where(pictures > 0, pictures, pictures * SLOPES.astype(np.float32)))


def test_each_pixel_of_a_row_has_its_slopes():
    file = TfliteFile(converted(small_network()))
    assert file.shape(1) == file.shape(2) == (1, WIDTH, CHANNELS)
    assert (np.frombuffer(file.constant(1), np.float16).reshape(WIDTH, CHANNELS) == SLOPES).all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prelu": schema.BuiltinOperator.RELU}, "no slopes"),
        ({"kept": SINGLE}, "other channels"),
        ({"slopes": np.ones(2, np.float16)}, "other channels"),
        ({"shape": (CHANNELS,)}, "another shape"),
        ({"graphs": 2}, "2 graphs"),
    ],
)
def test_another_network_is_refused(changes, said):
    with pytest.raises(WrongFileError, match=said) as told:
        converted(small_network(**changes))
    assert "\n" not in str(told.value)


def test_what_was_converted_is_not_converted_again():
    with pytest.raises(WrongFileError, match="other channels"):
        converted(converted(small_network()))


def test_a_file_that_ends_too_early_or_is_no_such_file_is_refused():
    whole = small_network()
    with pytest.raises(WrongFileError, match="no TensorFlow Lite file"):
        converted(b"\0" * 64)
    for size in range(8, len(whole) // 2, 7):
        with pytest.raises(WrongFileError, match="damaged or another one"):
            converted(whole[:size])


@given(st.data())
def test_damage_anywhere_ends_in_one_line_or_in_a_file_of_a_like_size(data):
    whole = bytearray(small_network())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert len(converted(bytes(whole))) < len(whole) + 2 * (1 << 16)
    except WrongFileError as told:
        assert "damaged" in str(told)
