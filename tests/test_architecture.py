"""docs/architecture.md names what is there."""

import re
from pathlib import Path

import pytest

import understudy
from understudy import toml

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PLACES = sorted(
    {place for row in PAGE.splitlines() if row.startswith("| ") for place in re.findall(r"`([\w/.]+)`", row)}
)


@pytest.mark.parametrize("place", [place for place in PLACES if "/" in place or place.endswith(".py")])
def test_what_the_table_names_is_there(place):
    assert (ROOT / "src" / "understudy" / place).exists()


def test_every_folder_of_the_package_is_in_the_table():
    folders = {path.name for path in (ROOT / "src" / "understudy").iterdir() if (path / "__init__.py").exists()}
    named = {place.split("/")[0] for place in PLACES}
    assert folders - named <= {"cli", "geometry", "recognition"}


def test_the_layers_on_the_page_are_those_of_the_contract():
    contract = toml.parsed((ROOT / "pyproject.toml").read_bytes())["tool"]["importlinter"]["contracts"]
    layers = [layer.replace("understudy.", "").replace(" | ", ", ") for layer in contract[0]["layers"]]
    shown = re.search(r"cli ─▶ testing.*?settings", PAGE, re.S)[0]
    assert re.split(r"\s*─▶\s*", shown) == layers[: layers.index("settings") + 1]


def test_no_module_takes_the_place_of_a_public_function():
    """Importing a module puts it in the package under its name: over a function that has the same."""
    modules = {path.stem for path in (ROOT / "src" / "understudy").iterdir()}
    assert not modules & set(understudy.__all__)


def test_tests_lie_where_the_code_lies_that_they_test():
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    assert {folder for folder in folders if not (ROOT / "src" / "understudy" / folder).is_dir()} == set()
