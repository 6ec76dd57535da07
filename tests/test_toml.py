"""TOML: what is written is read as the same, whatever letters are in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy import toml

LETTERS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = LETTERS | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
TABLES = st.dictionaries(LETTERS, st.recursive(VALUES, lambda inner: st.dictionaries(LETTERS, inner), max_leaves=8))


@pytest.mark.slow
@given(TABLES, st.booleans())
def test_what_is_written_is_read_as_the_same(tables, ascii_only):
    text = toml.written(tables, ascii_only=ascii_only)
    assert toml.parsed(text.encode()) == tables
    assert all(letter.isprintable() for letter in text.replace("\n", ""))  # a terminal has nothing to obey
    assert text.isascii() or not ascii_only


def test_half_a_surrogate_pair_has_no_place_in_toml():
    with pytest.raises(ValueError, match=r"U\+DCFF"):
        toml.written({"path": "\udcff"})


@pytest.mark.parametrize(
    "data", [b"a = ", b"a = 1\na = 2", b"\xff", b"a" + b".a" * 200 + b" = 1", b"a=" + b"[" * 50_000]
)
def test_what_is_no_toml_is_a_value_error(data):
    with pytest.raises(ValueError, match=r"not valid TOML|too many parts"):
        toml.parsed(data)
