"""What is said of models: of each kind, of sizes, of licences and of what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from understudy import toml
from understudy.server.texts import Texts

if TYPE_CHECKING:
    from understudy.models.entries import Kind, Licence
    from understudy.tasks.costs import ModelCost

#: What each kind is called, and what it is for.
KINDS: Final[Mapping[Kind, tuple[str, str]]] = {
    "swapper": ("models.swapper", "models.swapper_for"),
    "enhancer": ("models.enhancer", "models.enhancer_for"),
    "upscaler": ("models.upscaler", "models.upscaler_for"),
    "mask": ("models.masks", "models.masks_for"),
    "detector": ("models.detector", "models.detector_for"),
    "embedder": ("models.embedder", "models.embedder_for"),
    "landmarker": ("models.landmarker", "models.landmarker_for"),
    "attributes": ("models.attributes", "models.attributes_for"),
    "converter": ("models.converter", "models.converter_for"),
    "conditioner": ("models.conditioner", "models.conditioner_for"),
    "content": ("models.content", "models.content_for"),
}
#: What each of the package's own models does, by the beginning of its file's name.
EMBEDDED: Final[Mapping[str, str]] = {
    "face_detection_short": "models.own_near",
    "face_detection_full": "models.own_far",
    "face_landmarks": "models.own_mesh",
    "face_blendshapes": "models.own_blendshapes",
    "palm": "models.own_palms",
    "hand": "models.own_hands",
    "selfie_segmentation.": "models.own_people",
    "selfie_segmentation_landscape": "models.own_people_wide",
    "open_nsfw": "models.own_content",
    "": "models.own_identity",
}
_COMMERCIAL: Final = {True: "models.commercial_yes", False: "models.commercial_no", None: "models.commercial_unknown"}
_BITS: Final = {"int8": 8, "half": 16, "single": 32}
_PROGRAMS: Final = {"litert": "LiteRT", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}


@cache
def titles(language: str) -> Mapping[str, str]:
    """What each model and bundle of the package's catalogue is good for, by what that says; empty for English."""
    place = files("understudy.server").joinpath("locales", "titles", f"{language}.toml")
    return {str(name): str(said) for name, said in toml.parsed(place.read_bytes()).items()} if place.is_file() else {}


def title(texts: Texts, said: str) -> tuple[str, bool]:
    """What a model or a bundle is good for, and whether that is as it stands there: the user's own entries are.

    Args:
        texts: In whose language.
        said: What the catalogue says.
    """
    own = titles(texts.language).get(said)
    return (said, True) if own is None else (own, False)


def size(texts: Texts, count: int | None) -> str:
    """Bytes, in words."""
    if count is None:
        return texts("models.size_unknown")
    if count >= 1_000_000_000:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB" if count >= 1_000_000 else f"{count / 1e3:.0f} kB"


def commercial(texts: Texts, licence: Licence) -> str:
    """Whether it may be used commercially."""
    return texts(_COMMERCIAL[licence.commercial])


def cost(texts: Texts, found: ModelCost | None) -> str:
    """Where a model runs and what it takes there; or that this was not measured."""
    if found is None:
        return texts("models.not_measured")
    place = f"{found.place.upper()} · {_PROGRAMS[found.program]} · {texts('models.bits', bits=_BITS[found.precision])}"
    memory = found.cost.memory_mb
    took = texts("models.took", ms=f"{found.cost.milliseconds:.1f}")
    return f"{took} · {texts('models.memory', mb=f'{memory:.0f}')} · {place}" if memory else f"{took} · {place}"


def own(texts: Texts, name: str) -> str:
    """What one of the package's own models does."""
    return texts(next(said for begins, said in EMBEDDED.items() if name.startswith(begins)))
