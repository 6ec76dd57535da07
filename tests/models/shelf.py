"""A catalogue whose places are a server of the tests' own, and small graphs to put there."""

import hashlib
import json

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from understudy.models.catalogue import OWN_FILE, Catalogue
from understudy.models.download import FetchOptions
from understudy.models.fetching import Fetcher
from understudy.models.store import FOLDER, Store
from understudy.testing.shelf import unpinned_catalogue


def graph(seed=0, numbers=40_000, **outside):
    """A small graph with so many weights."""
    weights = numpy_helper.from_array(np.random.default_rng(seed).normal(size=numbers).astype(np.float32), "w")
    if outside:
        weights.ClearField("raw_data")
        weights.data_location = TensorProto.EXTERNAL
        for key, value in outside.items():
            entry = weights.external_data.add()
            entry.key, entry.value = key, value
    nodes = [helper.make_node("Add", ["x", "w"], ["y"])]
    shape = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [numbers]) for name in "xy"]
    made = helper.make_graph(nodes, "g", shape[:1], shape[1:], [weights])
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


def entry(name, *sources, data=None, licence="mit", needs=()):
    lines = [
        "[[model]]",
        f'name = "{name}"',
        'kind = "upscaler"',
        'title = "for tests"',
        f'licence = "{licence}"',
        "scale = 2",
        f"needs = {json.dumps(list(needs))}",
        "[model.file]",
        f'name = "{name}.onnx"',
    ]
    if data is not None:
        lines += [f"size = {len(data)}", f'sha256 = "{hashlib.sha256(data).hexdigest()}"']
    places = ", ".join("{ " + ", ".join(f"{k} = {json.dumps(v)}" for k, v in s.items()) + " }" for s in sources)
    return "\n".join([*lines, f"sources = [{places}]", "[model.input]", "size = 64", ""])


def local_catalogue(server):
    """The package's own entries; each file comes from ``server``, and nothing is known of it beforehand."""
    return unpinned_catalogue(lambda name: server.url(f"/{name}"))


def stocked(server, home, graphs=None):
    """A store in a private folder that fetches from ``server``; models without a graph of their own get a small one."""
    home.mkdir(mode=0o700, exist_ok=True)
    (home / OWN_FILE).write_text(local_catalogue(server))
    store = Store(home / FOLDER, Catalogue.load(home / OWN_FILE))
    for number, entry in enumerate(store.catalogue.entries.values()):
        server.files[f"/{entry.file.name}"] = (graphs or {}).get(entry.name) or graph(number, 100)
    return store


QUICK = FetchOptions(stall_seconds=0.5, window_seconds=0.4, least_rate=5000, pause_seconds=0.01, most_bytes=2_000_000)
GOOD, OTHER = graph(0), graph(1)


def fetch(store, *names, options=QUICK):
    notes = []
    with Fetcher(store, options, note=notes.append) as fetcher:
        done = [fetcher.fetch(one) for one in store.catalogue.resolved(names)]
    return done, notes


def is_clean(store):
    """Nothing of a model that could be taken for one, or that will not be needed."""
    return not [path for path in store.root.rglob("*") if path.is_file() and path.suffix != ".lock"]
