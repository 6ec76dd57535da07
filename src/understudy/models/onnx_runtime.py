"""ONNX Runtime, imported with its telemetry off. Nobody else imports it.

From 1.29 on its Linux and macOS wheels report to Microsoft by themselves, from the moment they are imported: threads, a
file ``.ses`` among the temporary files, an upload. Only an environment variable that is set before the import prevents
all of it (microsoft/onnxruntime#29843); on Windows, and where a program imported it before this one, its own switch
stops what comes after.
"""

from __future__ import annotations

import os
from types import ModuleType

#: What has it collect nothing; the second is the name of one release.
_OFF = ("ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED")


def _imported() -> ModuleType:
    before = {name: os.environ.get(name) for name in _OFF}
    os.environ.update(dict.fromkeys(_OFF, "1"))
    try:
        import onnxruntime
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
    runtime: ModuleType = onnxruntime
    runtime.disable_telemetry_events()
    return runtime


#: The module ``onnxruntime``.
ort = _imported()
