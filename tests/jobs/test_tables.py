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
    (first, second), _, _, bad = read_orders(table(tmp_path, text))
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
    (only,), _, _, bad = read_orders(table(tmp_path, text, suffix))
    assert bad == []
    assert only.target == tmp_path / "ä b.mp4"
    assert only.settings == {"label.text": "Fälschung", "mask.regions": ["eyes"]}


@pytest.mark.parametrize("text", ["2026", "true", "null", "1e3", "[1]", '"said"'])
@pytest.mark.parametrize("name", ["frame.caption", "label.text"])
def test_a_text_is_what_is_written(tmp_path, name, text):
    cell = text.replace('"', '""')
    (only,), _, _, bad = read_orders(table(tmp_path, f'target,photos,{name}\na.mp4,me.jpg,"{cell}"\n'))
    assert (only.settings, bad) == ({name: text}, [])


def test_what_is_not_only_a_text_is_as_json_writes_it(tmp_path):
    rows = "target,photos,blend.strength,neural.refresh,trim.start,label.font\na.mp4,me.jpg,0.5,3,1.5,7\n"
    (only,), _, _, _ = read_orders(table(tmp_path, rows))
    found = {"blend.strength": 0.5, "neural.refresh": 3, "trim.start": 1.5, "label.font": str(tmp_path / "7")}
    assert only.settings == found


@pytest.mark.parametrize("end", ["\u2028", "\u0085", "\u2029"])
def test_lines_of_json_end_where_json_ends_them(tmp_path, end):
    rows = [{"target": f"{name}.mp4", "photos": "me.jpg", "frame.caption": f"one{end}two"} for name in "ab"]
    text = "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    orders, lines, _, bad = read_orders(table(tmp_path, text, ".jsonl"))
    assert (lines, bad) == ([1, 2], [])
    assert [order.settings["frame.caption"] for order in orders] == [f"one{end}two"] * 2


def test_a_table_as_spreadsheets_save_it_where_a_comma_is_a_decimal_point(tmp_path):
    text = 'Target;PHOTOS;Priority;label.text\na, b.mp4;"me.jpg;side.jpg";5;A, B\n'
    (only,), _, _, bad = read_orders(table(tmp_path, text))
    assert bad == []
    assert (only.target.name, [photo.name for photo in only.photos]) == ("a, b.mp4", ["me.jpg", "side.jpg"])
    assert (only.priority, only.settings) == (5, {"label.text": "A, B"})


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
    orders, _, _, bad = read_orders(table(tmp_path, text))
    assert [order.target.name for order in orders] == ["a.mp4", "i.mp4"]
    assert [row.line for row in bad] == [3, 4, 5, 6, 7, 8, 9]
    for row, word in zip(
        bad, ["target", "photos", "much", "perhaps", "command", "one of the two", "priority"], strict=True
    ):
        assert word in row.message


def test_bad_lines_of_json_are_named(tmp_path):
    lines = ['{"target": "a.mp4", "photos": ["me.jpg"]}', "{", "[1]", '{"target": 3, "photos": "x"}', "[" * 100_000]
    orders, _, _, bad = read_orders(table(tmp_path, "\n".join(lines), ".jsonl"))
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


def test_rows_may_come_after_each_other_by_name_whichever_comes_first(tmp_path):
    text = "name,target,photos,after\nb,b.mp4,me.jpg,a; 7 ;c\na,a.mp4,me.jpg,\nc,c.mp4,me.jpg,a\n,d.mp4,me.jpg,9\n"
    found = read_orders(table(tmp_path, text))
    assert found.bad == []
    assert found.lines == [2, 3, 4, 5]
    assert found.among == [(1, 2), (), (1,), ()]
    assert [order.after for order in found.orders] == [(7,), (), (), (9,)]


def test_in_lines_of_json_as_well(tmp_path):
    rows = [
        {"name": "a", "target": "a.mp4", "photos": "me.jpg"},
        {"target": "b.mp4", "photos": "me.jpg", "after": ["a", 3]},
        {"target": "c.mp4", "photos": "me.jpg", "after": "a"},
        {"target": "d.mp4", "photos": "me.jpg", "after": 4},
    ]
    found = read_orders(table(tmp_path, "\n".join(map(json.dumps, rows)), ".jsonl"))
    assert (found.bad, found.among) == ([], [(), (0,), (0,), ()])
    assert [order.after for order in found.orders] == [(), (3,), (), (4,)]


def test_names_that_lead_nowhere_are_their_own_rows_error(tmp_path):
    text = (
        "name,target,photos,after\n"
        "a,a.mp4,me.jpg,\n"
        "a,b.mp4,me.jpg,\n"  # twice
        "c,c.mp4,me.jpg,nobody\n"
        "d,d.mp4,me.jpg,c\n"  # of one that is left out
        "e,,me.jpg,\n"  # no job
        "f,f.mp4,me.jpg,e\n"
        "g,g.mp4,me.jpg,h\n"  # a circle
        "h,h.mp4,me.jpg,g\n"
        "i,i.mp4,me.jpg,i\n"
        "12,j.mp4,me.jpg,\n"
        "k,k.mp4,me.jpg,a\n"
    )
    found = read_orders(table(tmp_path, text))
    assert found.lines == [2, 12]
    assert found.among == [(), (0,)]
    assert [row.line for row in found.bad] == [3, 4, 5, 6, 7, 8, 9, 10, 11]
    words = ["line 2", "'nobody'", "'c'", "target", "'e'", "itself, by way of 'h'", "itself", "'i'", "number"]
    for row, word in zip(found.bad, words, strict=True):
        assert word in row.message


def test_a_file_that_a_setting_names_lies_where_the_table_lies(tmp_path):
    rows = [{"target": "a.png", "photos": "me.jpg", "label.font": font} for font in ("own.ttf", "/fonts/other.ttf")]
    path = tmp_path / "table.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    found = [order.settings["label.font"] for order in read_orders(path).orders]
    assert found == [str(tmp_path / "own.ttf"), "/fonts/other.ttf"]


@pytest.mark.slow
def test_a_long_chain_is_quick(tmp_path):
    rows = [f"n{number},{number}.mp4,me.jpg,{f'n{number + 1}' if number < 4999 else ''}" for number in range(5000)]
    found = read_orders(table(tmp_path, "name,target,photos,after\n" + "\n".join(rows)))
    assert found.bad == []
    assert found.among[:2] == [(1,), (2,)]


@pytest.mark.parametrize(
    "wrong", ['"photos": 5', '"photos": [null]', '"photos": {"a": 1}', '"photos": "x", "output": ["q"]']
)
def test_what_is_no_path_is_named_and_the_other_rows_go_on(tmp_path, wrong):
    lines = ['{"target": "a.mp4", "photos": "me.jpg"}', f'{{"target": "b.mp4", {wrong}}}']
    orders, _, _, bad = read_orders(table(tmp_path, "\n".join(lines), ".jsonl"))
    assert [order.target.name for order in orders] == ["a.mp4"]
    assert [row.line for row in bad] == [2]
    assert "is a path" in bad[0].message
