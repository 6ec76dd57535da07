"""What a worker is, what a job needs, and why the one may not do for the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, Final

import av

from understudy.casting.cast import PartList, made_with, masks_of
from understudy.casting.person import Person
from understudy.errors import ModelMissingError, RunError, UnderstudyError
from understudy.media.base import MediaInfo
from understudy.models.catalogue import OWN_FILE, Catalogue
from understudy.models.store import FOLDER, VARIANTS, Store
from understudy.provenance import Home
from understudy.resources.made_with import MESH
from understudy.resources.models import CLASSIFIER
from understudy.resources.named_models import EMBEDDED
from understudy.settings import Settings
from understudy.version import __version__

#: What pixels depend on, besides this package.
_LIBRARIES: Final = ("av", "numpy", "opencv-python-headless", "ai-edge-litert", "onnxruntime", "numba", "openvino")
#: Bytes that a worker takes with the package's own models (measured: docs/scale.md), and for each pixel of a frame (a
#: guess on the safe side: frames between threads, and the encoder's).
MEMORY: Final = 700_000_000
_A_PIXEL: Final = 250
#: Bytes that a model takes when it is open, for each byte of its file.
_A_BYTE: Final = 2.5
#: Devices of which a worker has one to itself.
_GPUS: Final = ("cuda", "tensorrt")


@dataclass(frozen=True)
class Description:
    """What a worker says of itself when it begins. Plain data.

    Attributes:
        versions: Of this package and of what pixels depend on, by name.
        models: Of each model in its own store by name: see ``models_there``.
        cores: Cores that it has to itself.
        memory: Bytes that it may take.
        disk: Bytes that are free where its files are.
        gpus: GPUs that it has to itself.
    """

    versions: Mapping[str, str]
    models: Mapping[str, str] = field(default_factory=dict)
    cores: float = 1.0
    memory: int = 0
    disk: int = 0
    gpus: int = 0


@dataclass(frozen=True)
class Needs:
    """What a worker must have for a clip. Plain data.

    Attributes:
        models: Of each model of the catalogue by name: see ``models_there``.
        memory: Bytes, estimated.
        disk: Bytes: the clip's, and those of a segment.
        gpu: Whether settings name a GPU.
    """

    models: Mapping[str, str]
    memory: int
    disk: int
    gpu: bool


def versions() -> dict[str, str]:
    """Versions of all that pixels depend on, in this process."""
    found = {"understudy": __version__}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found | {name: ".".join(map(str, one)) for name, one in av.library_versions.items()}


def models_there(home: Home) -> dict[str, str]:
    """What models are in a private folder's store, by name: SHA-256 as recorded when it came, and variants made of it.

    Whether a file still is that is seen when it is opened.
    """
    store = store_of(home)
    found = {}
    for name, entry in store.catalogue.entries.items():
        record = store.record(entry) if store.state(entry) == "there" else None
        if record is not None:
            variants = sorted(path.name for path in (store.root / VARIANTS).glob(f"{store.path(entry).stem}.*.onnx"))
            found[name] = " ".join([record.sha256, *variants])
    return found


def needs(cast: Person | PartList, info: MediaInfo, settings: Settings, home: Home, bytes_of_clip: int) -> Needs:
    """What a clip needs.

    Args:
        cast: Whose face; or who gets whose.
        info: What the clip is.
        settings: How.
        home: With the head's own store of models.
        bytes_of_clip: The clip's length.
    """
    named = _models(cast, settings)
    store, there = store_of(home), models_there(home)
    entries = store.catalogue.resolved([name for name in named if name in store.catalogue.entries])
    # What is missing was told before; the classifier of contents may be.
    digests = {entry.name: there[entry.name] for entry in entries if entry.name in there}
    size = sum(store.path(entry).stat().st_size for entry in entries if entry.name in digests)
    pixels = info.width * info.height
    return Needs(
        models=digests,
        memory=int(MEMORY + _A_PIXEL * pixels + _A_BYTE * size),
        disk=2 * bytes_of_clip,
        gpu=any(one.device in _GPUS for one in settings.runtime.asked),
    )


def why_not(worker: Description, job: Needs) -> UnderstudyError | None:
    """Why a worker gets nothing of a job; None if it may."""
    missing = [name for name in job.models if name not in worker.models]
    if missing:
        return ModelMissingError(*missing)
    other = [name for name, digest in job.models.items() if worker.models[name] != digest]
    if other:
        return RunError(
            f"the model {other[0]} is another file than here, or other variants were made of it",
            f"Fetch it anew there: understudy models remove {other[0]}, then understudy models pull {other[0]}",
        )
    if job.gpu and not worker.gpus:
        return RunError("it has no GPU", "Start Ray there with --num-gpus, or choose another --device.")
    if job.memory > worker.memory:
        return RunError(
            f"{job.memory / 1e9:.1f} GB of memory are needed, and it has {worker.memory / 1e9:.1f}",
            "Start Ray there with fewer --num-cpus, which share the memory, or with more --memory.",
        )
    if job.disk > worker.disk:
        return RunError(
            f"{job.disk / 1e9:.1f} GB of disk are needed, and {worker.disk / 1e9:.1f} are free",
            "Free some space there: files lie in the system's folder for temporary ones (TMPDIR).",
        )
    return None


def other_versions(worker: Description, here: Mapping[str, str]) -> str:
    """What is of another version than here, in words; empty if nothing is."""
    names = [name for name in {**here, **worker.versions} if worker.versions.get(name) != here.get(name)]
    return ", ".join(f"{name} {worker.versions.get(name, 'missing')} (here {here.get(name, 'none')})" for name in names)


def store_of(home: Home) -> Store:
    """The store of models in a private folder."""
    return Store(home.root / FOLDER, Catalogue.load(home.root / OWN_FILE))


def plain(worker: Description) -> dict[str, Any]:
    """A description as plain values."""
    return dict(vars(worker))


def _models(cast: Person | PartList, settings: Settings) -> Sequence[str]:
    """The models of the catalogue that are opened for a clip, as ``Models`` opens them."""
    by = made_with(cast, settings)
    names = [engine for engine in by.engines if engine != MESH]
    names += [CLASSIFIER] if by.neural else []
    names += [name for name in (settings.detector, settings.recogniser) if name != EMBEDDED]
    names += [name for options in masks_of(cast, settings) for name in options.models]
    return [*names, *by.enhancers]
