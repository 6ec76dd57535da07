"""ONNX Runtime, imported with its telemetry off. Whoever needs it takes it from here.

From 1.29 on its Linux and macOS wheels report to Microsoft by themselves, from the moment they are imported: threads, a
file ``.ses`` among the temporary files, an upload. Only an environment variable that is set before the import prevents
all of it (microsoft/onnxruntime#29843); on Windows, and where a program imported it before this one, its own switch
stops what comes after.
"""

from __future__ import annotations

from types import ModuleType

from understudy.models.silence import silence


def _imported() -> ModuleType:
    silence()
    import onnxruntime

    runtime: ModuleType = onnxruntime
    runtime.disable_telemetry_events()
    return runtime


#: The module ``onnxruntime``.
ort = _imported()
