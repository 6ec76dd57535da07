"""Reads dlib's face recognition network (D. King, 2017): a residual network of 29 convolutions (He et al., 2016).

Its layers are those of ``anet_type`` in dlib's example ``dnn_face_recognition_ex.cpp``. Nothing in the file decides
what is read: each layer must be there, with the very shape that is expected.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from conversion.dlib_format import DlibReader

#: Side of its picture in pixels, and the length of its embeddings.
SIDE: Final = 150
EMBEDDING: Final = 128
#: Channels of each residual block, and whether it halves the picture.
BLOCKS: Final = (
    *((32, False),) * 3,
    *((64, True), *((64, False),) * 3),
    *((128, True), *((128, False),) * 2),
    *((256, True), *((256, False),) * 2),
    (256, True),
)


@dataclass(frozen=True)
class Shape:
    """The shape of a network of this family. Tests make small ones.

    Attributes:
        side: Of its picture, in pixels.
        stem: Channels of the first convolution.
        blocks: See ``BLOCKS``.
        embedding: Numbers of an embedding.
    """

    side: int = SIDE
    stem: int = 32
    blocks: Sequence[tuple[int, bool]] = BLOCKS
    embedding: int = EMBEDDING


@dataclass(frozen=True)
class Convolution:
    """A convolution, and what is done to each of its channels afterwards.

    Attributes:
        inputs, outputs: Channels.
        size, stride, pad: Of the window, in pixels.
        filters: (outputs, inputs, size, size), the last axis fastest.
        biases, gains, shifts: (outputs,): the result is ``gain * (convolved + bias) + shift``.
    """

    inputs: int
    outputs: int
    size: int
    stride: int
    pad: int
    filters: array[float]
    biases: array[float]
    gains: array[float]
    shifts: array[float]


@dataclass(frozen=True)
class Block:
    """A residual block: two convolutions, added to its own input (halved, where it halves the picture).

    Attributes:
        halves: Whether it does.
        first, second: The convolutions; after the first, and after the sum, negative values become 0.
    """

    halves: bool
    first: Convolution
    second: Convolution


@dataclass(frozen=True)
class Network:
    """What the file holds.

    Attributes:
        shape: As it was asked for.
        means: What is taken off red, green and blue (0-255) before all is divided by 256.
        stem: The first convolution; the largest of 3 x 3 with stride 2 follows.
        blocks: The residual blocks.
        weights: (channels, embedding), the last axis fastest: what the mean over the picture is multiplied by.
    """

    shape: Shape
    means: tuple[float, float, float]
    stem: Convolution
    blocks: list[Block] = field(repr=False)
    weights: array[float] = field(repr=False)


def read_network(data: bytes, shape: Shape | None = None) -> Network:
    """The network out of a file.

    Args:
        data: The file.
        shape: What it must have; dlib's own if None.

    Raises:
        WrongFileError: it is another file, or damaged.
    """
    shape = shape or Shape()
    file = DlibReader(data)
    file.expect("version of the loss", 1)
    file.expect_word("loss_metric_2")
    file.number()  # the loss' margin and threshold: for training
    file.number()
    file.expect("versions of the layers", *_versions(shape))
    file.expect_word("input_rgb_image_sized")
    means = (file.number(), file.number(), file.number())
    file.expect("size of the picture", shape.side, shape.side)
    stem = _convolution(file, 3, shape.stem, size=7, stride=2, innermost=True)
    _plain(file, "relu_")
    _plain(file, "max_pool_2", 3, 3, 2, 2, 0, 0)
    channels, blocks = shape.stem, []
    for outputs, halves in shape.blocks:
        blocks.append(_block(file, channels, outputs, halves=halves))
        channels = outputs
    _plain(file, "avg_pool_2", 0, 0, 1, 1, 0, 0)
    weights = _weights(file, channels, shape.embedding)
    file.finish()
    return Network(shape, means, stem, blocks, weights)


def _versions(shape: Shape) -> Iterator[int]:
    """The version of every layer from the last to the first, as they stand before the first layer's content."""
    layer, tag, innermost = 2, 1, 3
    yield from (layer, layer)  # weights, mean
    for _, halves in reversed(shape.blocks):
        yield from (layer, layer)  # relu, sum
        yield from (layer, tag, tag) if halves else ()  # the halved input, where it comes from, where it is added
        yield from (layer, layer, layer, layer, layer, tag)  # affine, con, relu, affine, con, the input's place
    yield from (layer, layer, layer, innermost)  # largest, relu, affine, con


def _block(file: DlibReader, inputs: int, outputs: int, *, halves: bool) -> Block:
    first = _convolution(file, inputs, outputs, size=3, stride=2 if halves else 1)
    _plain(file, "relu_")
    second = _convolution(file, outputs, outputs, size=3, stride=1)
    if halves:
        _plain(file, "avg_pool_2", 2, 2, 2, 2, 0, 0)
    _plain(file, "add_prev_")
    _plain(file, "relu_")
    return Block(halves, first, second)


def _convolution(
    file: DlibReader, inputs: int, outputs: int, *, size: int, stride: int, innermost: bool = False
) -> Convolution:
    """A ``con`` layer and the ``affine`` one that follows. dlib pads where the stride is 1."""
    pad = size // 2 if stride == 1 else 0
    count = outputs * inputs * size * size
    file.expect_word("con_4")
    values = file.tensor((count + outputs, 1, 1, 1))
    file.expect("a convolution", outputs, size, size, stride, stride, pad, pad)
    file.alias((outputs, inputs, size, size))
    file.alias((1, outputs, 1, 1))
    _rates(file)
    _rest(file, innermost=innermost)
    file.expect_word("affine_")
    affine = file.tensor((2 * outputs, 1, 1, 1))
    file.alias((1, outputs, 1, 1))
    file.alias((1, outputs, 1, 1))
    file.expect("kind of an affine layer", 0)
    _rest(file)
    return Convolution(
        *(inputs, outputs, size, stride, pad), values[:count], values[count:], affine[:outputs], affine[outputs:]
    )


def _weights(file: DlibReader, inputs: int, outputs: int) -> array[float]:
    """The ``fc`` layer at the end, without biases."""
    file.expect_word("fc_2")
    file.expect("numbers of a layer", outputs, inputs)
    values = file.tensor((inputs, outputs, 1, 1))
    file.alias((inputs, outputs, 1, 1))
    file.alias((0, 0, 0, 0))
    file.expect("kind of a layer", 1)
    _rates(file)
    _rest(file)
    return values


def _plain(file: DlibReader, word: str, *values: int) -> None:
    """A layer without weights."""
    file.expect_word(word)
    file.expect(word, *values)
    _rest(file)


def _rates(file: DlibReader) -> None:
    """How quickly weights and biases are to learn, and be held small: for training."""
    for _ in range(4):
        file.number()


def _rest(file: DlibReader, *, innermost: bool = False) -> None:
    """What every layer ends with: its state while training. A finished network has none."""
    for _ in range(3):
        file.flag()
    for _ in range(3):
        file.tensor((0, 0, 0, 0))
    if innermost:
        file.expect("samples of a picture", 1)
