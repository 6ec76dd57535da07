"""A store of the test's own, and a server that it fetches from."""

import pytest

from tests.models.lying import lying_server
from tests.models.shelf import graph
from understudy.models.catalogue import OWN_FILE, Catalogue
from understudy.models.store import FOLDER, Store


@pytest.fixture
def server():
    with lying_server() as one:
        one.files["/good.onnx"] = graph(0)
        yield one


@pytest.fixture
def store(tmp_path):
    def make(*entries):
        home = tmp_path / "home"
        home.mkdir(mode=0o700, exist_ok=True)
        (home / OWN_FILE).write_text("\n".join(entries))
        return Store(home / FOLDER, Catalogue.load(home / OWN_FILE))

    return make
