"""Settings under names, in the private folder."""

import json
import stat
import sys

import pytest

from understudy.errors import RecordsError, UsageError
from understudy.server.studio.presets import LONGEST_NAME, Presets
from understudy.settings import Settings
from understudy.settings.schema import values_of


@pytest.fixture
def path(tmp_path):
    return tmp_path / "presets.json"


def test_what_is_kept_is_there_the_next_time(path):
    values = values_of(Settings()) | {"blend.strength": 0.5}
    assert Presets(path).keep("  Soft,\n for  interviews ", values) == "Soft, for interviews"
    found = Presets(path).all()["Soft, for interviews"]
    assert found["blend.strength"] == 0.5
    assert "home" not in found
    assert not any(name.startswith("content") for name in found)
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_they_are_in_alphabetical_order_replaced_and_removed(path):
    presets = Presets(path)
    for name in ("b", "C", "a", "b"):
        presets.keep(name, {"blend.strength": 0.25})
    assert [*presets.all()] == ["a", "b", "C"]
    presets.remove("b")
    presets.remove("b")
    assert [*Presets(path).all()] == ["a", "C"]


@pytest.mark.parametrize("name", ["", "   ", "\n"])
def test_a_preset_needs_a_name(path, name):
    with pytest.raises(UsageError):
        Presets(path).keep(name, {})


def test_a_name_has_its_bounds_and_nothing_that_a_terminal_obeys(path):
    name = Presets(path).keep("\x1b[31m<b>" + "x" * 500, {})
    assert len(name) == LONGEST_NAME
    assert "\x1b" not in name


@pytest.mark.slow
def test_there_are_so_many_at_most(path):
    path.write_text(json.dumps({str(number): {} for number in range(100)}))
    presets = Presets(path)
    with pytest.raises(UsageError):
        presets.keep("one more", {})
    presets.keep("7", {"blend.strength": 1.0})


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"a": 1}', '{"a": {"home": "/"}}', '{"a": {"blend.strength": 7}}', json.dumps("x")]
)
def test_a_damaged_file_is_said_so_and_stays(path, content):
    path.write_text(content)
    with pytest.raises(RecordsError):
        Presets(path).all()
    with pytest.raises(RecordsError):
        Presets(path).keep("a", {})
    assert path.read_text() == content
