"""Names for the array types that signatures use. Shapes and ranges are said in each docstring."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: A picture or mask with values 0-255. Colour pictures are BGR unless their name says otherwise.
UInt8Array = NDArray[np.uint8]
#: Points, boxes, maps and pictures in floating point.
FloatArray = NDArray[np.float32]
#: Spectra.
ComplexArray = NDArray[np.complex64]
#: Samples of sound.
Int16Array = NDArray[np.int16]
#: Signed textures.
Int8Array = NDArray[np.int8]
#: Indices and ids.
IntArray = NDArray[np.int32]
#: Row masks.
BoolArray = NDArray[np.bool_]
#: Anything else that NumPy holds.
AnyArray = NDArray[Any]
