"""docs/architecture.md names what is there, and the tests ask for what is public."""

import re
from pathlib import Path

import pytest

import understudy
from tests.private_names import private_names
from understudy import toml

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PLACES = sorted(
    {place for row in PAGE.splitlines() if row.startswith("| ") for place in re.findall(r"`([\w/.]+)`", row)}
)

_ATTACK = "an attacker forges seals: that the private way leads nowhere is what is tested"
_TRACKS = "a cut that is none, and when a track was fitted, show nowhere else"
#: Private names that tests take all the same, by module, each with its reason.
EXCEPTIONS = {
    ("media/test_labelled_only.py", "_seal"): _ATTACK,
    ("provenance/test_sealing.py", "_seal"): _ATTACK,
    ("tracking/test_tracking.py", "_cuts"): _TRACKS,
}


@pytest.mark.parametrize("place", [place for place in PLACES if "/" in place or place.endswith(".py")])
def test_what_the_table_names_is_there(place):
    assert (ROOT / "src" / "understudy" / place).exists()


def test_every_folder_of_the_package_is_in_the_table():
    folders = {path.name for path in (ROOT / "src" / "understudy").iterdir() if (path / "__init__.py").exists()}
    named = {place.split("/")[0] for place in PLACES}
    assert folders - named <= {"cli", "geometry"}


def test_the_layers_on_the_page_are_those_of_the_contract():
    contract = toml.parsed((ROOT / "pyproject.toml").read_bytes())["tool"]["importlinter"]["contracts"]
    layers = [layer.replace("understudy.", "").replace(" | ", ", ") for layer in contract[0]["layers"]]
    shown = re.search(r"cli ─▶ server.*?settings", PAGE, re.S)[0]
    assert re.split(r"\s*─▶\s*", shown) == layers[: layers.index("settings") + 1]


def test_no_module_takes_the_place_of_a_public_function():
    """Importing a module puts it in the package under its name: over a function that has the same."""
    modules = {path.stem for path in (ROOT / "src" / "understudy").iterdir()}
    assert not modules & set(understudy.__all__)


def test_tests_lie_where_the_code_lies_that_they_test():
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    beside = [ROOT / "src" / "understudy", ROOT]  # what is no part of the package lies beside it
    assert {folder for folder in folders if not any((place / folder).is_dir() for place in beside)} == set()


def test_onnx_runtime_is_imported_in_one_place_where_its_telemetry_is_turned_off():
    found = {
        path.name
        for path in (ROOT / "src" / "understudy").rglob("*.py")
        if re.search(r"^\s*(import|from) onnxruntime", path.read_text(encoding="utf-8"), re.M)
    }
    assert found == {"onnx_runtime.py"}


def test_openvino_is_imported_in_one_place_which_hides_its_telemetry():
    found = {
        path.name
        for path in (ROOT / "src" / "understudy").rglob("*.py")
        if re.search(r"^\s*(import|from) openvino", path.read_text(encoding="utf-8"), re.M)
    }
    assert found == {"openvino_runtime.py"}


@pytest.mark.slow
def test_tests_ask_for_what_is_public():
    """What is private may change, and no test should stand in the way."""
    tests = ROOT / "tests"
    found = {
        (path.relative_to(tests).as_posix(), name): line
        for path in tests.rglob("*.py")
        for line, name in private_names(path)
    }
    assert {f"{path}:{found[path, name]} {name}" for path, name in found.keys() - EXCEPTIONS.keys()} == set()
    assert EXCEPTIONS.keys() - found.keys() == set()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("engine._encoder", ["_encoder"]),
        ("from understudy.blending.light import _grid", ["_grid"]),
        ("patch.setattr(keys, '_now', None)", ["_now"]),
        ("patch.setattr('understudy.keys._now', None)", ["_now"]),
        ("class Mine:\n    def f(self): self._a, self._b = 1, self._c", ["_c"]),
        ("shot._replace(mesh=1); self.__dict__; patch.setattr(keys, 'NOW', None)", []),
    ],
)
def test_private_names_are_found(line, found, tmp_path):
    (tmp_path / "it.py").write_text(line)
    assert [name for _, name in private_names(tmp_path / "it.py")] == found
