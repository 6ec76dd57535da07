"""Where the private folder is."""

from understudy import Settings, Understudy
from understudy.provenance import Home
from understudy.provenance.records.home import VARIABLE


def test_the_variable_names_the_private_folder_in_python_too(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "named"))
    assert Home.default().root == tmp_path / "named"
    with Understudy() as app:
        assert app.resources.home.root == tmp_path / "named"
    with Understudy(Settings(home=tmp_path / "own")) as app:
        assert app.resources.home.root == tmp_path / "own"
    monkeypatch.setenv(VARIABLE, "")
    assert Home.default().root.name == "understudy"
