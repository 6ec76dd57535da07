"""Writes docs/models.md from the catalogue: ``python tools/models_page.py [--check]``."""

from __future__ import annotations

import sys
from pathlib import Path

from understudy.models.catalogue import Catalogue
from understudy.models.entries import KINDS, Entry, Picture, Source

PAGE = Path(__file__).parents[1] / "docs" / "models.md"
HEAD = """# Models

Written by `tools/models_page.py` from the catalogue (`src/understudy/models/data`). None of these models is part of
the package; `understudy models list` shows them on the command line, `understudy models pull` fetches them
([commands](commands.md)). Swappers are run by [the neural engine](neural-engine.md), enhancers and upscalers by
[enhancement](enhancement.md); that one of another kind is listed says how it is fed, not that something runs it
already.

What a package that has fetched nothing runs is embedded: detection, the face mesh, hands, people, who is who, and
whether a picture is intimate (open_nsfw). `nsfw_384` is a second opinion on the last: once it is fetched, neural
engines ask both, and either can refuse. The mesh engine asks the embedded one only: a look of the larger one takes
longer than many of its frames.

A picture goes in as `(value / 255 - mean) / std` in each channel; what a swapper or an enhancer gives is
`value * std + mean`, cut to 0-1, in RGB. A template says where the five keypoints lie in the crop. Beyond the picture's
edge a crop is black; for GFPGAN, RestoreFormer++ and CodeFormer it has the grey of the helper that their authors share
(`border` in their entries). Hashes that are not known are recorded when a file is first fetched.

![What `understudy models list` says: names, what is here, sizes, licences, uses](pictures/models-list.svg)
"""
OWN = """
## Your own

Entries in `models.toml` in the private folder are read after the package's; one of the same name takes its place. A bad
entry is an error that names it and says what is wrong.

```toml
[licence.mine]
name = "my own"
commercial = true
terms = "I trained it"

[[model]]
name = "my_swapper_256"
kind = "swapper"
title = "256 pixels, trained at home"
licence = "mine"
needs = ["arcface_w600k_r50"]
[model.file]
name = "my_swapper_256.onnx"
[model.input]
name = "target"
size = 256
template = "arcface_128"
mean = 0.5
std = 0.5
[model.source]
kind = "unit"
name = "source"
[model.output]
mean = 0.5
std = 0.5
```
"""


def number(value: object) -> str:
    """A mean or a standard deviation, short."""
    if isinstance(value, tuple):
        return ", ".join(f"{each:g}" for each in value)
    return f"{value:.4g}"


def short(size: int | None) -> str:
    """A file's size."""
    if size is None:
        return "?"
    return f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


def crop(picture: Picture) -> str:
    """How a picture goes in."""
    template = picture.template or "-"
    layout = "" if picture.layout == "nchw" else f" {picture.layout}"
    return f"{picture.size}{layout} | {template} | {picture.channels} | {number(picture.mean)} | {number(picture.std)}"


def identity(source: Source | None) -> str:
    """How a swapper is told whose face to put in."""
    if source is None:
        return "-"
    if source.picture is not None:
        return f"the photo, {source.picture.size}, {source.picture.template}"
    if source.kind == "conditioned":
        return f"kernels, by {source.identity} and {source.conditioner}"
    said = {"emap": "embedding · emap, length 1", "unit": "embedding, length 1"}
    return said.get(source.kind) or f"{source.converter}{', length 1' if source.unit else ''}"


def row(catalogue: Catalogue, entry: Entry) -> str:
    """One model."""
    licence, use = catalogue.licence_of(entry), catalogue.strictest(entry).commercial_use
    size = short(entry.file.size)
    digest = "known" if entry.file.sha256 else "unknown"
    told = f"| {entry.name} | {entry.title} | {size} | {digest} | {licence.name} | {use} "
    return f"{told}| {crop(entry.input)} | {identity(entry.source)} | {entry.notes or '-'} |"


def page() -> str:
    """The whole page."""
    catalogue, parts = Catalogue.load(), [HEAD]
    for kind in KINDS:
        parts.append(f"\n## {kind.capitalize() if kind.endswith('s') else kind.capitalize() + 's'}\n")
        parts.append(
            "| name | good for | size | SHA-256 | licence | commercial use | crop | template | channels | mean | std "
            "| identity | notes |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|"
        )
        parts += [row(catalogue, entry) for entry in catalogue.of_kind(kind)]
    parts.append("\n## Bundles\n")
    parts += [f"- `{one.name}`: {one.title}: {', '.join(one.models)}" for one in catalogue.bundles.values()]
    return "\n".join(parts) + "\n" + OWN


def main() -> None:
    """Write it, or with ``--check`` see whether it is as it would be written."""
    if "--check" in sys.argv[1:]:
        sys.exit(0 if PAGE.read_text() == page() else "docs/models.md is old: python tools/models_page.py")
    PAGE.write_text(page())
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
