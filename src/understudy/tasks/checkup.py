"""What is installed here, and what of it really opens."""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from understudy.errors import ModelError, PrivacyError, UnderstudyError, UsageError
from understudy.geometry import raster
from understudy.geometry.topology import topology
from understudy.installing import pip
from understudy.media.files.encoders import ENCODERS, opens
from understudy.models.devices import Precision
from understudy.models.nvidia_smi import GpuList, list_gpus
from understudy.provenance import Home
from understudy.resources import Models
from understudy.settings import Settings
from understudy.tasks.budget import memory
from understudy.tasks.costs import EMBEDDED, embedded_cost, session_cost
from understudy.temporaries import Temporary
from understudy.version import __version__

if TYPE_CHECKING:
    from understudy.models.session import Session

#: Every name under which OpenCV is published: two of them overwrite each other's files.
OPENCV_WHEELS = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
#: Builds of ONNX Runtime for other devices: each stands in for the plain one, and two overwrite each other's files.
ONNX_BUILDS = ("onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino")
#: Encoders that the usual outputs need.
NEEDED_ENCODERS = ("libx264", "libx265", "libvpx-vp9", "gif", "libwebp_anim")
#: What a person is told of each precision.
PRECISIONS: Final[dict[Precision, str]] = {"int8": "8 bits", "half": "16 bits", "single": "32 bits"}
#: Two builds of ONNX Runtime overwrite each other's files.
_FOR_GPUS = f"{pip('uninstall', '-y', 'onnxruntime')} && {pip('install', 'onnxruntime-gpu[cuda,cudnn]')}"


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        name: What was looked at.
        state: ``ok``, ``missing`` (works without it) or ``broken`` (does not).
        detail: What was found.
        mend: The command that mends it; empty if there is nothing to mend, or no command that would.
    """

    name: str
    state: str
    detail: str
    mend: str = ""


@dataclass(frozen=True)
class Checkup:
    """The report.

    Attributes:
        sections: Findings by heading.
    """

    sections: dict[str, tuple[Finding, ...]]

    @property
    def healthy(self) -> bool:
        """Whether nothing that is needed is broken."""
        return all(finding.state != "broken" for findings in self.sections.values() for finding in findings)

    def as_json(self) -> dict[str, object]:
        """The report as plain values."""
        parts = {name: [asdict(finding) for finding in findings] for name, findings in self.sections.items()}
        return {"healthy": self.healthy, "sections": parts}


def checkup(settings: Settings, models: Models) -> Checkup:
    """Look at everything. Opens every model and every known encoder once.

    Takes a second or two, and as much for each large model in the store.

    Args:
        settings: On which device fetched models are to run, and where the private folder is.
        models: With the store.
    """
    return Checkup(
        {
            "program": (*_program(), private_folder(Home.default() if settings.home is None else Home(settings.home))),
            "libraries": tuple(libraries()),
            "embedded models": tuple(_models()),
            "fetched models": tuple(_fetched(settings, models)),
            "devices": tuple(_devices()),
            "video encoders": tuple(_encoders()),
        }
    )


def _program() -> Iterable[Finding]:
    yield Finding("understudy", "ok", __version__)
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def private_folder(home: Home) -> Finding:
    """Whether what every run has to write can be written, by writing; one that is not there yet is not made for it."""
    name, root = "private folder", home.root
    if not os.path.lexists(root):
        above = next(folder for folder in root.absolute().parents if folder.exists())
        if os.access(above, os.W_OK | os.X_OK):
            return Finding(name, "ok", f"{root}: it is made when it is needed")
        return Finding(name, "broken", f"{root} can't be made: {above} can't be written")
    mend = f"chmod 700 {shlex.quote(str(root))}"
    try:
        Temporary(home.folder() / "written", 0o600).remove()
    except PrivacyError as fault:
        return Finding(name, "broken", fault.message, mend if root.is_dir() else "")
    except OSError as fault:
        denied = isinstance(fault, PermissionError)
        return Finding(name, "broken", f"{root} can't be written: {fault.strerror}", mend if denied else "")
    return Finding(name, "ok", str(root))


def libraries() -> Iterable[Finding]:
    """The packages that must be installed, and those of which only one may be."""
    for name in needed(metadata.requires("understudy") or [], sys.version_info[:2]):
        builds = [build for build in ONNX_BUILDS if name == "onnxruntime" and _installed(build)]
        there = [one for one in (name, *builds) if _installed(one)]
        if there:
            yield Finding(there[-1], "ok", metadata.version(there[-1]))
        else:
            yield Finding(name, "broken", "not installed", pip("install", name))
        if len(there) > 1:
            mend = f"{pip('uninstall', '-y', *there)} && {pip('install', there[-1])}"
            yield Finding(name, "broken", f"more than one build is installed ({', '.join(there)})", mend)
    wheels = [name for name in OPENCV_WHEELS if _installed(name)]
    if len(wheels) > 1:
        surplus = [name for name in wheels if name != "opencv-python-headless"]
        mend = f"{pip('uninstall', '-y', *wheels)} && {pip('install', 'opencv-python-headless')}"
        yield Finding("opencv", "broken", f"more than one wheel is installed ({', '.join(surplus)} too)", mend)


def needed(requirements: Sequence[str], python: tuple[int, int]) -> list[str]:
    """Names of the packages that must be installed, without those of extras.

    Args:
        requirements: As a package's metadata lists them.
        python: Python's version, major and minor.
    """
    return [
        re.split(r"[^A-Za-z0-9_.-]", line)[0]
        for line in requirements
        if "extra ==" not in line and not _only_before(line, python)
    ]


def _only_before(line: str, version: tuple[int, int]) -> bool:
    """Whether a requirement is only one of Pythons older than ``version``."""
    limit = re.search(r"python_version < [\"'](\d+)\.(\d+)[\"']", line)
    return limit is not None and version >= (int(limit[1]), int(limit[2]))


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _again() -> str:
    """The command that installs this program again from where it came: on an index its name may be another program's.

    Where that was stands in ``direct_url.json`` (PEP 610); there is none of what came from an index.
    """
    try:
        text = metadata.distribution("understudy").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return ""
    origin: dict[str, Any] = json.loads(text) if text else {"url": "understudy"}
    place = str(origin["url"])
    if (control := origin.get("vcs_info")) is not None:
        place = f"{control['vcs']}+{place}@{control['commit_id']}"
    return pip("install", "--force-reinstall", place)


def _models() -> Iterable[Finding]:
    size = 0.0
    for name in EMBEDDED:
        try:
            cost = embedded_cost(name).cost
        except ModelError as fault:
            yield Finding(name, "broken", fault.message, _again())
            continue
        size += cost.size_mb
        yield Finding(name, "ok", f"on the CPU: {cost}")
    yield Finding("together", "ok", f"{size:.1f} MB: all that runs where nothing was fetched")


def _fetched(settings: Settings, models: Models) -> Iterable[Finding]:
    """The models in the store: on which device each really runs, and what it costs there."""
    try:
        before = memory()
        for name, session in models.fetched(settings.runtime):
            if isinstance(session, UnderstudyError):
                yield Finding(name, "broken", session.message, f"understudy models remove {name}")
            else:
                yield Finding(name, "ok", "; ".join([_running(session, before), *session.notes]))
            del session
            before = memory()
    except UsageError:
        raise  # what was asked for is wrong, not what is here
    except UnderstudyError as fault:
        yield Finding("catalogue", "broken", fault.message)


def _running(session: Session, before: int | None) -> str:
    """Where a model runs, in which numbers, and what it costs."""
    how = " with OpenVINO" if session.program == "openvino" else ""
    how += f" in {PRECISIONS[session.precision]}" if how or session.device == "tensorrt" else ""
    return f"runs on {session.place}{how}: {session_cost(session, before).cost}"


def _devices() -> Iterable[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("CPU", "ok", f"{cores} cores; the mesh engine and the embedded models run here")
    from understudy.models.openvino_runtime import EXTRA, OpenVino
    from understudy.models.providers import OnnxRuntime

    devices = OnnxRuntime().devices()
    yield Finding("neural models", "ok", f"ONNX Runtime here knows {', '.join(devices)}")
    yield from gpu_findings(list_gpus(), usable="cuda" in devices)
    openvino = OpenVino()
    if openvino.usable:
        can = "computes in 16 bits, too" if openvino.computes_half else "computes in 32 and 8 bits"
        yield Finding("OpenVINO", "ok", f"{openvino.version}; this CPU {can}")
    else:
        why = f"it can't be used here: {openvino.fault}" if openvino.fault else "an extra"
        yield Finding("OpenVINO", "missing", f"{why}; by it neural models are quicker on the CPU", EXTRA)
    start = time.perf_counter()
    shape = topology()
    raster.rasterise(
        np.column_stack([shape.uv * 64, shape.uv[:, :1]]).astype(np.float32),
        shape.triangles,
        shape.uv,
        (64, 64),
    )
    seconds = time.perf_counter() - start
    state = "is cached" if seconds < 1 else f"was compiled just now ({seconds:.1f} s), and is cached from now on"
    yield Finding("compiled code", "ok", state)


def gpu_findings(listed: GpuList, *, usable: bool) -> Iterable[Finding]:
    """The GPUs and MIG slices of this machine, each with the word of ``--device`` for it.

    Args:
        listed: What is known of them.
        usable: Whether ONNX Runtime is built for them.
    """
    if listed.fault and listed.installed:
        yield Finding("NVIDIA GPUs", "missing", listed.fault)
    if listed.gpus and not usable:
        yield Finding("NVIDIA GPUs", "missing", "ONNX Runtime here is not built for them", _FOR_GPUS)
    for gpu in listed.gpus:
        capacity = "memory not told" if gpu.memory_mib is None else f"{gpu.memory_mib} MiB of memory"
        word = "cut into MIG slices" if gpu.slices else f"--device cuda:{gpu.number}"
        driver = f", driver {gpu.driver}" if gpu.driver else ""
        yield Finding(f"GPU {gpu.number}", "ok", f"{gpu.name}, {capacity}{driver}; {word}, {gpu.uuid}")
        for one in gpu.slices:
            yield Finding(f"GPU {gpu.number}, MIG {one.profile}", "ok", f"--device cuda:{one.uuid}")


def _encoders() -> Iterable[Finding]:
    for name in ENCODERS:
        reason = opens(name)
        if reason is None:
            yield Finding(name, "ok", "opens")
        elif name in NEEDED_ENCODERS:
            yield Finding(name, "broken", f"does not open: {reason}", pip("install", "av"))
        else:
            yield Finding(name, "missing", f"does not open: {reason}")
