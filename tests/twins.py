"""A store full of twins."""

import os
import shutil
from functools import cache

import pytest

from tests.models.lying import Server
from tests.models.shelf import stocked
from understudy.models.catalogue import OWN_FILE, Catalogue
from understudy.models.store import FOLDER, Store
from understudy.testing import twins

#: Small twins of inswapper, the embedder and the classifier; swappers and enhancers with a known answer.
SMALL = {"channels": (8, 16, 32, 64), "blocks": 1}


@cache
def graphs():
    """The graphs by their models' names; to be looked at only: everybody gets the same ones."""
    made = {
        "arcface_w600k_r50": twins.arcface_twin(),
        "nsfw_384": twins.classifier_twin(),
        "inswapper_128": twins.inswapper_twin(**SMALL),
        "mobilefaceswap_224": twins.generator_twin(planted=True),
        "mobilefaceswap_identity": twins.identity_twin(blocks=(1, 1, 1, 1), narrower=8),
        "mobilefaceswap_conditioner": twins.conditioner_twin(narrower=8),
    }
    for entry in Catalogue.load().entries.values():
        if entry.kind == "converter":
            made[entry.name] = twins.converter_twin()
        if entry.kind == "mask":
            made[entry.name] = twins.occluder_twin() if entry.family == "xseg" else twins.parser_twin()
        if entry.kind == "enhancer":
            made[entry.name] = twins.restorer_twin(entry.input.size, weighed=entry.name == "codeformer")
        if entry.kind == "upscaler":
            made[entry.name] = twins.upscaler_twin(entry.scale, entry.input.size)
        if entry.kind == "swapper" and entry.name not in made:
            photo = entry.source.picture
            shape = (1, 512) if photo is None else (1, 3, photo.size, photo.size)
            made[entry.name] = twins.swapper_twin(entry.input.size, shape, emap=entry.source.kind == "emap")
    return made


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    """The private folder, with every model in its store."""
    home = tmp_path_factory.mktemp("neural") / "home"
    server = Server()
    store = stocked(server, home, graphs())
    server.close()
    for entry in store.catalogue.entries.values():
        part = store.folder("partial") / "x"
        part.write_bytes(server.files[f"/{entry.file.name}"])
        store.add(entry, part, "a test")
    return home


def linked(source, target):
    """A copy of a file; of a model, which nobody writes to, another name for the same one."""
    return os.link(source, target) if source.endswith(".onnx") else shutil.copy2(source, target)


@pytest.fixture
def put(shelf, tmp_path):
    """Makes a private folder with one model replaced by another graph, in which nobody was learned yet."""

    def make(name, data):
        home = tmp_path / f"home-{len(list(tmp_path.iterdir()))}"
        shutil.copytree(shelf, home, copy_function=linked, ignore=shutil.ignore_patterns("cache"))
        store = Store(home / FOLDER, Catalogue.load(home / OWN_FILE))
        entry = store.catalogue.entries[name]
        store.remove(entry)
        part = store.folder("partial") / "x"
        part.write_bytes(data)
        store.add(entry, part, "a test")
        return home, store, entry

    return make
