"""Lanes: what they may say, how files say it, and what is refused when it is said."""

from __future__ import annotations

import pytest

from understudy import Lane, Settings, as_toml, read_lanes, read_settings
from understudy.errors import InputError, InputNotFoundError, UsageError
from understudy.settings import as_json, changed
from understudy.settings.schema import unusual

FILE = """
[[lanes]]
start = "0:03"
end = 5.5
blend.strength = 0.4
blend.mask.keep = ["mouth"]

[[lanes]]
start = 8
do = "blur"

[[lanes]]
start = 1
end = 2
[lanes.mesh]
shape = 0.5
"""
LANES = (
    Lane(1, 2, {"mesh.shape": 0.5}),
    Lane(3, 5.5, {"blend.strength": 0.4, "blend.mask.keep": ("mouth",)}),
    Lane(8, do="blur"),
)


def test_a_file_says_them_with_settings_in_any_form(tmp_path):
    path = tmp_path / "lanes.toml"
    path.write_text(FILE)
    assert read_lanes(path) == LANES
    assert read_settings(path) == Settings(lanes=LANES)


def test_what_is_written_is_read_as_the_same(tmp_path):
    some = Settings(lanes=LANES)
    for name, text in (("s.toml", as_toml(some)), ("s.json", as_json(some))):
        (tmp_path / name).write_text(text)
        assert read_settings(tmp_path / name) == some
    assert changed(Settings(), unusual(some)) == some
    assert hash(some.lanes) == hash(LANES)


def test_each_takes_no_part_in_what_its_maker_still_holds():
    values = {"blend.mask.keep": ["mouth"]}
    lane = Lane(0, 1, values)
    values["blend.mask.keep"].append("eyes")
    values["blend.strength"] = 0.1
    assert lane.settings == (("blend.mask.keep", ("mouth",)),)


@pytest.mark.parametrize(
    ("lanes", "said"),
    [
        ([{"start": 0, "end": 2}, {"start": 1, "end": 3}], r"two lanes overlap: the one from 0:00 goes up to 0:02"),
        ([{"start": 0}, {"start": 9, "end": 10}], "never ends, and one begins at 0:09"),
        ([{"end": 2}], "number 1: a lane needs a start"),
        ([{"start": 0, "end": 1}, {"start": 3, "end": 2}], r"number 2: a lane ends \(0:02\) before it begins"),
        ([{"start": 0, "end": 1, "do": "vanish"}], "a lane does leave or blur, or swaps; not 'vanish'"),
        ([{"start": 0, "do": "blur", "blend.strength": 0.5}], "there is no swap in it"),
        ([{"start": 0, "label.text": "x"}], "a lane can't have 'label.text'"),
        ([{"start": 0, "content": {"threshold": 0.9}}], "unknown setting 'content.threshold'"),
        ([{"start": 0, "engine": "inswapper_128"}], "a lane can't have 'engine'"),
        ([{"start": 0, "encode.quality": 5}], "a lane can't have 'encode.quality'"),
        ([{"start": 0, "blend.show": "mask"}], "a lane can't have 'blend.show'"),
        ([{"start": 0, "blend.strength": 7}], "'blend.strength' can't be 7"),
        ([{"start": 0, "blend.strenght": 0.7}], "unknown setting 'blend.strenght'"),
        ([{"start": "soon"}], "a time is seconds"),
        ([{"start": [0]}], "a lane's time is seconds"),
        ([{"start": True}], "a lane's time is seconds"),
        (["x"], "can't be"),
        ({"start": 0}, "can't be"),
        ("x", "can't be"),
        ([{"start": n, "end": n + 1} for n in range(1001)], "1001 lanes are more than 1000"),
    ],
)
def test_what_is_no_lane_is_refused_when_it_is_said(lanes, said):
    with pytest.raises(UsageError, match=said):
        changed(Settings(), {"lanes": lanes})


@pytest.mark.parametrize("lanes", [[{}], [None], "x", (Lane(0, 1), 3)])
def test_what_is_no_lane_is_refused_in_python_too(lanes):
    with pytest.raises(UsageError, match="a lane is a Lane, not "):
        Settings(lanes=lanes)


def test_lanes_that_touch_do_not_overlap():
    assert len(Settings(lanes=(Lane(1, 2), Lane(0, 1))).lanes) == 2


def test_a_file_of_lanes_says_nothing_else(tmp_path):
    path = tmp_path / "lanes.toml"
    path.write_text("blend.strength = 0.5\n" + FILE)
    with pytest.raises(UsageError, match="has lanes, and nothing else"):
        read_lanes(path)
    with pytest.raises(InputNotFoundError):
        read_lanes(tmp_path / "none.toml")
    path.write_text("lanes = 5")
    with pytest.raises(UsageError, match=r"can't be 5.*lanes\.toml"):
        read_lanes(path)
    path.write_bytes(b"\xff\x00")
    with pytest.raises(InputError):
        read_lanes(path)
