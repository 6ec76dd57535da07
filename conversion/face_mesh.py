"""The face mesh's network with its slopes written out, which makes it a sixth faster and changes no bit of its answers.

After nearly every convolution comes a PReLU, with a slope for each channel (8 to 128). XNNPACK takes as many values at
a time as there are slopes, which is a call for each pixel. Given the slopes of a whole row of pixels, it takes a row.
"""

from __future__ import annotations

from typing import Final

from conversion.dlib_format import WrongFileError
from conversion.tflite_file import TfliteFile

#: The schema's numbers of operators and of the type of the slopes.
_DEQUANTIZE, _PRELU, _FLOAT16 = 6, 54, 1
#: Bytes of one row's slopes, at most.
_MOST: Final = 1 << 16


def converted(data: bytes) -> bytes:
    """The network out of the one that MediaPipe's Face Landmarker carries.

    Args:
        data: Its file, a TensorFlow Lite model with 16-bit weights.

    Raises:
        WrongFileError: it is another file, or damaged.
    """
    file = TfliteFile(data)
    stored = {step.outputs: step.inputs for step in file.steps if step.operator == _DEQUANTIZE}
    slopes = [step.inputs for step in file.steps if step.operator == _PRELU]
    if not slopes:
        raise _wrong("no slopes")
    for inputs in slopes:
        if len(inputs) != 2 or len(stored.get(inputs[1:], ())) != 1:
            raise _wrong("slopes that are no constants of 16 bits")
        (kept,) = stored[inputs[1:]]
        _write_out(file, inputs[0], inputs[1], kept)
    return file.content


def _write_out(file: TfliteFile, values: int, slopes: int, kept: int) -> None:
    """Repeat slopes for each pixel of a row of ``values``: as they are computed with, and as they are ``kept``."""
    shape, channels = file.shape(values), file.constant(kept)
    if len(shape) != 4 or file.kind(kept) != _FLOAT16 or len(channels) != 2 * shape[3]:
        raise _wrong("slopes for other channels")
    wanted = (1, 1, shape[3])
    if file.shape(slopes) != wanted or file.shape(kept) != wanted or not 0 < shape[2] * len(channels) <= _MOST:
        raise _wrong("slopes of another shape")
    for tensor in (slopes, kept):
        file.reshape(tensor, (1, shape[2], shape[3]))
    file.exchange(kept, channels * shape[2])


def _wrong(found: str) -> WrongFileError:
    return WrongFileError(f"the file is damaged or another one: it has {found}")
