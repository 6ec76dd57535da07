"""Jobs in tables, as scripts and people write them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from understudy.errors import InputError, UsageError
from understudy.jobs.tables import LONGEST, read_orders


def table(tmp_path, text, suffix=".csv"):
    path = tmp_path / f"jobs{suffix}"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_each_row_is_a_job(tmp_path):
    text = (
        "target,output,photos,blend.strength,priority,overwrite,when_done\n"
        "a.mp4,out/a.webm,me.jpg; other.jpg,0.5,3,yes,notify 'a b'\n"
        "/clips/b.mp4,,/me.jpg,,,,\n"
    )
    (first, second), bad = read_orders(table(tmp_path, text))
    assert bad == []
    assert first.target == tmp_path / "a.mp4"
    assert first.output == tmp_path / "out/a.webm"
    assert first.photos == (tmp_path / "me.jpg", tmp_path / "other.jpg")
    assert first.settings == {"blend.strength": 0.5}
    assert (first.priority, first.overwrite, first.when_done) == (3, True, ("notify", "a b"))
    assert second.output == Path("/clips/b-swapped.mp4")
    assert (second.settings, second.priority, second.overwrite) == ({}, 0, False)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_every_form_says_the_same(tmp_path, suffix):
    values = {"target": "ä b.mp4", "photos": "me.jpg", "label.text": "Fälschung", "mask.regions": '["eyes"]'}
    if suffix == ".jsonl":
        text = json.dumps(values | {"mask.regions": ["eyes"]}) + "\n\n"
    else:
        separator = "," if suffix == ".csv" else "\t"
        text = (
            separator.join(values)
            + "\n"
            + separator.join(f'"{v}"' for v in values.values()).replace('["eyes"]', '[""eyes""]')
        )
    (only,), bad = read_orders(table(tmp_path, text, suffix))
    assert bad == []
    assert only.target == tmp_path / "ä b.mp4"
    assert only.settings == {"label.text": "Fälschung", "mask.regions": ["eyes"]}


def test_a_bad_row_is_named_and_the_others_go_on(tmp_path):
    text = (
        "target,photos,priority,overwrite,when_done,cast\n"
        "a.mp4,me.jpg,,,,\n"
        ",me.jpg,,,,\n"  # no target
        "c.mp4,,,,,\n"  # nobody
        "d.mp4,me.jpg,much,,,\n"
        "e.mp4,me.jpg,,perhaps,,\n"
        "f.mp4,me.jpg,,,'open,\n"
        "g.mp4,me.jpg,,,,who.toml\n"  # both
        "h.mp4,me.jpg,9999999999,,,\n"
        "i.mp4,me.jpg,,,,\n"
    )
    orders, bad = read_orders(table(tmp_path, text))
    assert [order.target.name for order in orders] == ["a.mp4", "i.mp4"]
    assert [row.line for row in bad] == [3, 4, 5, 6, 7, 8, 9]
    for row, word in zip(
        bad, ["target", "photos", "much", "perhaps", "command", "one of the two", "priority"], strict=True
    ):
        assert word in row.message


def test_bad_lines_of_json_are_named(tmp_path):
    lines = ['{"target": "a.mp4", "photos": ["me.jpg"]}', "{", "[1]", '{"target": 3, "photos": "x"}', "[" * 100_000]
    orders, bad = read_orders(table(tmp_path, "\n".join(lines), ".jsonl"))
    assert len(orders) == 1
    assert [row.line for row in bad] == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("photos\nme.jpg\n", UsageError),
        ("", UsageError),
        (b"target,photos\n\xff\xfe,b\n", InputError),
        ('target,photos\n"a,b\n', InputError),
    ],
)
def test_what_is_no_table_is_one_error(tmp_path, text, error):
    with pytest.raises(error):
        read_orders(table(tmp_path, text))


def test_other_files_are_not_read(tmp_path):
    with pytest.raises(UsageError, match="can't be read"):
        read_orders(table(tmp_path, "target\n", ".xlsx"))
    with pytest.raises(InputError, match="does not exist"):
        read_orders(tmp_path / "none.csv")
    with pytest.raises(InputError):
        read_orders(tmp_path / "jobs.csv")
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(LONGEST + 1)
    with pytest.raises(InputError):
        read_orders(large)
