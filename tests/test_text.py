"""Text and names from outside."""

from pathlib import Path

import pytest

from understudy import names
from understudy.text import decoded, listed


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_text_is_read_in_what_its_mark_says(encoding):
    assert decoded("[licence] # Łódź 生成".encode(encoding)) == "[licence] # Łódź 生成"


@pytest.mark.parametrize(("words", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), ("abc", "a, b and c")])
def test_words_are_listed_as_one_says_them(words, said):
    assert listed(words) == said


@pytest.mark.parametrize("mark", [b"\xfe\xff", b"\x00\x00\xfe\xff"])
def test_big_endian_marks_too(mark):
    encoding = "utf-16-be" if len(mark) == 2 else "utf-32-be"
    assert decoded(mark + "name".encode(encoding)) == "name"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a\nb\n\xff", "no text in UTF-8, from line 3"),
        (b"\xff\xfea\0b", "no text in UTF-16"),
        (b"\xef\xbb\xbf\xff", "no text in UTF-8, from line 1"),
    ],
)
def test_what_is_no_text_is_told_where(data, words):
    with pytest.raises(ValueError, match=words):
        decoded(data)


@pytest.mark.parametrize("name", ["n" * 300, "a/" * 3000, "nul\0", "none"])
def test_a_name_that_can_not_be_is_that_of_nothing(tmp_path, name):
    path = Path(f"{tmp_path}/{name}")
    assert (names.exists(path), names.is_file(path), names.is_folder(path)) == (False, False, False)
