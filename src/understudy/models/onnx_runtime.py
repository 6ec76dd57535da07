"""ONNX Runtime, told to be silent. Whoever needs it takes it from here.

From some version on (1.32 was found to; its ``Privacy.md``) the packages on PyPI report to Microsoft: they write an
identifier of the device into the user's cache, and look up and call a server. The variable that keeps all of that from
beginning must be there before the library is.
"""

from __future__ import annotations

from understudy.models.silence import silence

silence()

import onnxruntime as ort  # noqa: E402 - after it was told

# For versions that know no variable, and where somebody else had imported it before.
ort.disable_telemetry_events()

__all__ = ["ort"]
