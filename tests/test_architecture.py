"""docs/architecture.md names what is there."""

import re
from pathlib import Path

import pytest

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
    assert folders - named <= {"cli", "geometry", "recognition", "streaming"}


def test_the_layers_on_the_page_are_those_of_the_contract():
    contract = toml.parsed((ROOT / "pyproject.toml").read_bytes())["tool"]["importlinter"]["contracts"]
    layers = [re.split(r"\W+", layer.replace("understudy.", ""))[0] for layer in contract[0]["layers"]]
    shown = re.search(r"cli ─▶ testing.*?guard", PAGE, re.S)[0].replace("testing, evaluation", "testing")
    assert re.split(r"\s*─▶\s*", shown) == layers[: layers.index("guard") + 1]
