"""A private folder whose store holds twins under the names of the field's models."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from importlib.resources import files
from pathlib import Path

from understudy.models.catalogue import OWN_FILE, Catalogue
from understudy.models.store import FOLDER, Store


def unpinned_catalogue(place: Callable[[str], str] | None = None, names: Collection[str] | None = None) -> str:
    """The package's own entries with no size and no digest: a twin is not the file itself. TOML, for ``models.toml``.

    Args:
        place: The address of a file, given its name. None: the models come from nowhere.
        names: Only these models; None: all, and the bundles.
    """
    folder = files("understudy.models").joinpath("data")
    parts = [part for part in folder.iterdir() if part.is_file() and part.name != "licences.toml"]
    text = "\n".join(part.read_text(encoding="utf-8") for part in sorted(parts, key=lambda part: part.name))
    if names is not None:
        models = [f"[[model]]{part}" for part in re.split(r"^\[\[model\]\]", text, flags=re.M)[1:]]
        text = "\n".join(part.split("[[bundle]]")[0] for part in models if part.split('"', 2)[1] in names)
    text = re.sub(r"^(size = \d+_[\d_]+|sha256 = .*)\n", "", text, flags=re.M)
    text = re.sub(r"sources = \[.*?\n\]", "", text, flags=re.S)
    if place is None:
        return text
    return re.sub(
        r'^name = "(\S+\.onnx)"$',
        lambda found: f'{found[0]}\nsources = [{{ url = "{place(found[1])}" }}]',
        text,
        flags=re.M,
    )


def stock(home: Path, graphs: Mapping[str, bytes]) -> Store:
    """Put graphs into the store of a private folder, which is made if it is not there.

    Args:
        home: The private folder.
        graphs: Files by the names of entries.
    """
    home.mkdir(mode=0o700, exist_ok=True)
    if not (home / OWN_FILE).exists():
        (home / OWN_FILE).write_text(unpinned_catalogue(names=graphs), encoding="utf-8")
    store = Store(home / FOLDER, Catalogue.load(home / OWN_FILE))
    for name, data in graphs.items():
        part = store.folder("partial") / "made"
        part.write_bytes(data)
        store.add(store.catalogue.entries[name], part, "made here")
    return store
