import pytest

import understudy
from understudy.pipeline import Settings
from understudy.provenance import Home, WatermarkOptions

STRONG = WatermarkOptions(least=1.5, most=8.0, slope=1.5)


@pytest.fixture
def own(tmp_path):
    """A private folder of this test's own."""
    return Home(tmp_path / "home")


@pytest.fixture
def make(own, hopper_path, astronaut_path, tmp_path):
    """Makes a swapped picture with that folder."""

    def call(name="out.png", target=astronaut_path, consent="sample", **more):
        # Ids are random, and one in some dozens is not read from a single textured picture at the usual strength,
        # which `benchmarks.watermark` measures; these tests are about what follows from a mark.
        settings = Settings(home=own.root, watermark=STRONG, **more)
        understudy.swap(hopper_path, target, tmp_path / name, consent=consent, settings=settings, overwrite=True)
        return tmp_path / name

    return call
