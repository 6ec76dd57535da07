"""docs/security.md names tests that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:tests|clients)/[\w/.]+)(?:::(\w+))?`", PAGE)))


def test_every_line_names_a_test():
    lines = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| |")]
    assert len(lines) > 20
    assert [line for line in lines if not re.search(r"`(tests|clients)/", line)] == []


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_what_it_names_is_there(path, name):
    text = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"^def {name}\(" if name else r"\btest", text, re.M)
