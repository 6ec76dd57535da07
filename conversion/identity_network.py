"""dlib's face recognition network as an ONNX file of a quarter of its size: weights in 8 bits, a scale a channel.

In: ``chips``, float32 (N, 3, 150, 150), red first, 0-255. Out: ``embeddings``, float32 (N, 128). What is stored in
8 bits is multiplied by its scales before it is used (DequantizeLinear), so all is computed in single precision. Only
sums, products and roundings of single numbers are made here, so every machine writes the same bytes.
"""

from __future__ import annotations

from conversion.dlib_format import WrongFileError
from conversion.dlib_network import Block, Convolution, Network, Shape, read_network
from conversion.onnx_file import OnnxFile

_NOTE = "dlib_face_recognition_resnet_model_v1 (Davis King, CC0 1.0), its weights in 8 bits"


def converted(data: bytes, shape: Shape | None = None) -> bytes:
    """The ONNX file out of dlib's.

    Args:
        data: dlib's file.
        shape: The network that it holds; dlib's own if None.

    Raises:
        WrongFileError: it is another file, or damaged.
    """
    network = read_network(data, shape)
    try:
        return _Writer(network).written()
    except OverflowError as fault:
        raise WrongFileError("the file is damaged or another one: weights beyond all measure") from fault


class _Writer:
    """Writes one network, and keeps count of how large its pictures are.

    dlib adds pictures of different sizes by filling up the smaller one with zeros at its right, its bottom and its last
    channels; ONNX must be told by how much.
    """

    def __init__(self, network: Network) -> None:
        self._network, self._file = network, OnnxFile("identity", _NOTE)
        self._side = network.shape.side

    def written(self) -> bytes:
        file, network = self._file, self._network
        centred = file.node("Sub", "chips", file.floats(network.means, (1, 3, 1, 1)))
        flow = file.node("Mul", centred, file.floats([1 / 256], ()))
        flow, self._side = self._convolved(flow, self._side, network.stem)
        flow = file.node("MaxPool", file.node("Relu", flow), kernel_shape=(3, 3), strides=(2, 2))
        self._side = (self._side - 3) // 2 + 1
        for block in network.blocks:
            flow = self._block(flow, block)
        channels, numbers = network.blocks[-1].second.outputs, network.shape.embedding
        mean = file.node("Flatten", file.node("GlobalAveragePool", flow))
        columns = [list(network.weights[number::numbers]) for number in range(numbers)]
        file.node("Gemm", mean, file.in_bytes(columns, (numbers, channels)), transB=1, name="embeddings")
        side = network.shape.side
        return file.finished({"chips": ("N", 3, side, side)}, {"embeddings": ("N", numbers)})

    def _block(self, flow: str, block: Block) -> str:
        file = self._file
        inner, side = self._convolved(flow, self._side, block.first)
        inner, side = self._convolved(file.node("Relu", inner), side, block.second)
        if block.halves:
            flow = file.node("AveragePool", flow, kernel_shape=(2, 2), strides=(2, 2))
            self._side //= 2
        largest = max(side, self._side)
        flow = self._filled(flow, block.second.outputs - block.first.inputs, largest - self._side)
        inner = self._filled(inner, 0, largest - side)
        self._side = largest
        return file.node("Relu", file.node("Add", inner, flow))

    def _filled(self, flow: str, channels: int, pixels: int) -> str:
        """With zeros in so many more channels, columns and rows."""
        if not channels and not pixels:
            return flow
        return self._file.node("Pad", flow, self._file.integers(0, 0, 0, 0, 0, channels, pixels, pixels))

    def _convolved(self, flow: str, side: int, layer: Convolution) -> tuple[str, int]:
        """A convolution with its gains and shifts in it; and the side of what comes out."""
        length = layer.inputs * layer.size**2
        rows = [
            [gain * value for value in layer.filters[number * length : (number + 1) * length]]
            for number, gain in enumerate(layer.gains)
        ]
        parts = zip(layer.gains, layer.biases, layer.shifts, strict=True)
        window = (layer.size, layer.size)
        flow = self._file.node(
            "Conv",
            flow,
            self._file.in_bytes(rows, (layer.outputs, layer.inputs, *window)),
            self._file.floats([gain * bias + shift for gain, bias, shift in parts]),
            kernel_shape=window,
            strides=(layer.stride,) * 2,
            pads=(layer.pad,) * 4,
        )
        return flow, (side + 2 * layer.pad - layer.size) // layer.stride + 1
