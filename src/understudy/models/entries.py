"""What is known of a model: one entry of the catalogue, checked as it is read.

Entries come from data files, the package's and the user's own, so everything in them is checked here and nowhere else.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal, TypeVar, Union, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

Kind = Literal[
    "swapper",
    "detector",
    "embedder",
    "landmarker",
    "attributes",
    "converter",
    "conditioner",
    "enhancer",
    "upscaler",
    "mask",
    "content",
]
#: In the order in which they are listed.
KINDS: tuple[Kind, ...] = get_args(Kind)
#: Families of detectors: which code decodes them.
DETECTORS = ("scrfd", "yunet", "yoloface", "centerface")
#: Families that take pictures of any size, though the ends of their files name one.
ANY_SIZE = ("centerface",)
#: Families of masks: what hides a face, and what its parts are.
MASKS = ("xseg", "bisenet")
Template = Literal["arcface_112_v1", "arcface_112_v2", "arcface_128", "ffhq_512", "mtcnn_512", "dfl_whole_face"]
#: A name as it stands in commands, files and links.
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.+-]{0,63}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,127}\.onnx$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Triple = tuple[float, float, float]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Level = Annotated[int, Field(ge=0, le=255)]
#: One for all channels, or three.
Numbers = Union[Finite, Annotated[tuple[Finite, Finite, Finite], Field(strict=False)]]  # noqa: UP007 - for Python 3.10


class Strict(BaseModel):
    """Nothing unknown, nothing converted, nothing changed afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Licence(Strict):
    """Under what terms a model may be used.

    Attributes:
        name: As its authors call it.
        commercial: Whether commercial use is allowed; None where nobody said.
        terms: In one line, what it asks.
        url: Where it stands.
        collective: Whether it is no text, but stands for what several authors say, each of their own models.
    """

    name: str
    collective: bool = False
    commercial: bool | None = None
    terms: str
    url: Annotated[str, Field(pattern=r"^https://\S+$")] | None = None

    @property
    def commercial_use(self) -> str:
        """In one word."""
        return "unknown" if self.commercial is None else "yes" if self.commercial else "no"


class Download(Strict):
    """A place that a file comes from.

    Attributes:
        url: Where.
        member: Where the place is an archive: the file's path in it.
        size, sha256: Of the archive, where they are known.
    """

    url: Annotated[str, Field(pattern=r"^https?://[^\s#]+$")]
    member: str | None = None
    size: Annotated[int, Field(gt=0)] | None = None
    sha256: Sha256 | None = None

    @model_validator(mode="after")
    def _inside(self) -> Download:
        parts = PurePosixPath(self.member or "x")
        if parts.is_absolute() or ".." in parts.parts or "\\" in (self.member or ""):
            raise ValueError("member must be a path inside the archive")
        try:
            place = urlsplit(self.url)
            there = bool(place.hostname) and place.port != 0
        except ValueError as fault:
            raise ValueError(f"url is no address: {fault}") from fault
        if not there:
            raise ValueError("url is no address: it names no host")
        return self


class ModelFile(Strict):
    """The file of a model.

    Attributes:
        name: Its name in the store.
        size: Bytes, where known.
        sha256: Digest, where known; where not, it is recorded when the file is first fetched.
        sources: Where it comes from, tried in turn.
    """

    name: FileName
    size: Annotated[int, Field(gt=0)] | None = None
    sha256: Sha256 | None = None
    sources: Annotated[tuple[Download, ...], Field(strict=False)] = ()


class Picture(Strict):
    """How a picture goes into a model: ``(value / 255 - mean) / std`` in each channel.

    Attributes:
        name: The input's name in the graph; None: its only picture.
        size: Side of the crop, or of the square that a frame is fitted into, in pixels.
        template: Where the five keypoints lie in the crop; None where it is not a crop of a face by keypoints.
        channels: Their order.
        layout: ``nchw`` or ``nhwc``.
        mean, std: One for all channels, or three.
        border: What lies beyond the picture where a crop of an enhancer leaves it: red, green and blue, 0-255.
    """

    name: str | None = None
    size: Annotated[int, Field(gt=0)]
    template: Template | None = None
    channels: Literal["rgb", "bgr"] = "rgb"
    layout: Literal["nchw", "nhwc"] = "nchw"
    mean: Numbers = 0.0
    std: Numbers = 1.0
    border: Annotated[tuple[Level, Level, Level], Field(strict=False)] = (0, 0, 0)

    @model_validator(mode="after")
    def _can_divide(self) -> Picture:
        return _dividing(self)


class Source(Strict):
    """How a swapper is told whose face to put in.

    Attributes:
        kind: ``emap``: the embedding times the last initialiser of the graph, then of length 1. ``unit``: the embedding
            of length 1. ``converter``: the embedding through another model. ``frame``: a crop of the photo itself.
            ``conditioned``: kernels, which two other models make of the photo; each is an input, after the picture's.
        name: The input's name in the graph; None: the one that is no picture, or the second.
        converter: Name of that other model.
        unit: With a converter: whether what comes out of it is brought to length 1.
        picture: With ``frame``: how the crop goes in.
        identity: With ``conditioned``: name of the model that looks at the photo.
        conditioner: With ``conditioned``: name of the one that makes kernels of all that the first gives.
    """

    kind: Literal["emap", "unit", "converter", "frame", "conditioned"]
    name: str | None = None
    converter: Name | None = None
    unit: bool = True
    picture: Picture | None = None
    identity: Name | None = None
    conditioner: Name | None = None

    @property
    def others(self) -> dict[str, Kind]:
        """The models that it takes besides the swapper, by name, and what kind each must be of."""
        named: tuple[tuple[str | None, Kind], ...] = (
            (self.converter, "converter"),
            (self.identity, "embedder"),
            (self.conditioner, "conditioner"),
        )
        return {name: kind for name, kind in named if name is not None}

    @model_validator(mode="after")
    def _complete(self) -> Source:
        if (self.kind == "converter") != (self.converter is not None):
            raise ValueError("a converter is named where kind is converter, and only there")
        if (self.kind == "frame") != (self.picture is not None):
            raise ValueError("a picture is described where kind is frame, and only there")
        for named in (self.identity, self.conditioner):
            if (self.kind == "conditioned") != (named is not None):
                raise ValueError("identity and conditioner are named where kind is conditioned, and only there")
        return self


#: Side of a square that a picture is worked on with, in pixels.
Side = Annotated[int, Field(gt=0, le=255)]


class OwnMask(Strict):
    """How an opacity is made of the mask that a swapper gives as its second output, 0-1, as its authors do.

    What is above a threshold is closed, shrunk and blurred, and falls to nothing towards the crop's edge. All lengths
    are pixels of the crop.

    Attributes:
        above: The threshold.
        closed: Side of the square by which gaps are closed.
        shrunk: Side of the square by which the rest is then shrunk.
        blurred: Side of the box that it is then blurred with.
        border: How far from the crop's edge nothing is shown.
        border_blurred: Side of the box that this border is blurred with.
    """

    above: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
    closed: Side
    shrunk: Side
    blurred: Side
    border: Annotated[int, Field(ge=0, le=255)]
    border_blurred: Side

    @model_validator(mode="after")
    def _with_a_middle(self) -> OwnMask:
        if any(side % 2 == 0 for side in (self.closed, self.shrunk, self.blurred, self.border_blurred)):
            raise ValueError("the sides of squares and boxes are odd: they have a middle")
        return self


class Output(Strict):
    """What comes out of a swapper or an enhancer: ``(value * std + mean)``, cut to 0-1, is a picture in RGB.

    Attributes:
        mean, std: Of the formula.
        mask: For swappers: what is done with the mask that comes out, too; None where there is none.
    """

    mean: Numbers = 0.0
    std: Numbers = 1.0
    mask: OwnMask | None = None

    @model_validator(mode="after")
    def _can_divide(self) -> Output:
        return _dividing(self)


class Entry(Strict):
    """A model.

    Attributes:
        name: What it is called in commands.
        kind: What it does.
        title: In one line, what it is good for.
        licence: Key of its licence.
        file: Its file.
        needs: Names of models that it does not work without.
        family: Which code runs it, where one kind has several (``scrfd``, ``yunet``, ``xseg`` …).
        input: How pictures go in.
        source: For swappers: how the identity goes in.
        output: For swappers and enhancers: what comes out.
        scale: For upscalers: how many times as large the result is.
        notes: What one should know.
    """

    name: Name
    kind: Kind
    title: Annotated[str, Field(min_length=3, max_length=120)]
    licence: Name
    file: ModelFile
    needs: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    family: Name | None = None
    input: Picture
    source: Source | None = None
    output: Output | None = None
    scale: Annotated[int, Field(ge=2, le=8)] | None = None
    notes: str = ""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Entry:
        if (self.kind == "swapper") != (self.source is not None):
            raise ValueError("a swapper, and nothing else, has a source")
        if self.kind == "detector" and self.family not in DETECTORS:
            raise ValueError(f"the family of a detector is one of {', '.join(DETECTORS)}")
        if self.kind == "mask" and self.family not in MASKS:
            raise ValueError(f"the family of a mask is one of {', '.join(MASKS)}")
        if self.kind in ("swapper", "enhancer") and self.output is None:
            raise ValueError(f"a {self.kind} has an output")
        if self.kind == "upscaler" and self.scale is None:
            raise ValueError("an upscaler has a scale")
        if self.kind in ("swapper", "embedder", "enhancer") and self.input.template is None:
            raise ValueError(f"the input of a {self.kind} has a template")
        if self.kind != "enhancer" and any(self.input.border):
            raise ValueError("an enhancer, and nothing else, has a border")
        if self.source is not None and self.source.picture is not None and self.source.picture.template is None:
            raise ValueError("a source's picture has a template")
        for name, kind in self.source.others.items() if self.source is not None else ():
            if name not in self.needs:
                raise ValueError(f"needs must name the {kind} {name}")
        if self.kind != "swapper" and self.output is not None and self.output.mask is not None:
            raise ValueError("only a swapper gives a mask")
        return self


Scaled = TypeVar("Scaled", Picture, Output)


def _dividing(convention: Scaled) -> Scaled:
    std = convention.std if isinstance(convention.std, tuple) else (convention.std,)
    if any(value <= 0 for value in std):
        raise ValueError("std must be above 0")
    return convention


class Bundle(Strict):
    """Several models under one name.

    Attributes:
        name: What it is called in commands.
        title: In one line, what it is good for.
        models: Their names.
    """

    name: Name
    title: str
    models: Annotated[tuple[Name, ...], Field(strict=False, min_length=1)]
