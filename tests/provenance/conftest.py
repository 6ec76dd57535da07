import pytest

import understudy
from understudy import Settings
from understudy.provenance import Home


@pytest.fixture
def own(tmp_path):
    """A private folder of this test's own."""
    return Home(tmp_path / "home")


@pytest.fixture
def make(own, hopper_path, astronaut_path, tmp_path):
    """Makes a swapped picture with that folder."""

    def call(name="out.png", target=astronaut_path, consent="sample", **more):
        settings = Settings(home=own.root, **more)
        understudy.swap(hopper_path, target, tmp_path / name, consent=consent, settings=settings, overwrite=True)
        return tmp_path / name

    return call
