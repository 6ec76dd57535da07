import pytest

from understudy.provenance import Home


@pytest.fixture
def own(tmp_path):
    """A private folder of this test's own."""
    return Home(tmp_path / "home")
