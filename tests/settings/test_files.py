"""Settings in files: what is written is read as the same, and what can't be used is told."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.errors import InputError, InputNotFoundError, UnfitFileError, UsageError
from understudy.guard import GuardOptions
from understudy.settings import Settings, as_json, as_tables, as_toml, changed, read_settings, schema

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
DEVICE_WORDS = st.sampled_from(["auto", "cpu", "cuda", "tensorrt:1", "cuda:GPU-5d5ba0d6", "cuda:MIG-c6d4f1ef-42e4"])
#: What keeps to ranges that no type tells, or names a file that must be there.
OWN: dict[str, st.SearchStrategy[Any]] = {
    "max_pixels": st.integers(1, 2**63 - 1),
    "source_face": st.none() | st.integers(1, 2**63 - 1),
    "keep_days": st.integers(184, 36_525),
    "tracker.max_faces": st.integers(1, 99),
    "tracker.max_fits": st.integers(0, 99),
    "neural.boost": st.integers(1, 4),
    "neural.refresh": st.none() | st.just("auto") | st.integers(1, 1000),
    "mesh.fade_facing": st.tuples(st.floats(0, 0.5), st.floats(0.51, 1)),
    "mesh.shape": st.floats(0, 1.5),
    "label.text": st.sampled_from(["AI face swap", "KI-Bild", "人工智能生成", 'AI: "made"', "AI \\ swap"]),
    "label.size": st.floats(0.05, 0.25),
    "label.later_size": st.none() | st.floats(0.025, 0.05),
    "label.font": st.none(),
    "encode.quality": st.integers(0, 100),
    "encode.animation_fps": st.none() | st.floats(1, 100),
    "frame.shape": st.sampled_from(["as-is", "9:16", "1080x1920"]),
    "frame.caption": st.none() | st.sampled_from(["two words", "人工智能"]),
    "trim.start": st.none() | st.floats(0, 10) | st.just("0:05.5"),
    "trim.end": st.none() | st.floats(11, 1e6) | st.just("1:01:02"),
    "lanes": st.just(()) | st.just(({"start": 1, "end": 2, "mesh.shape": 0.5}, {"start": "0:03", "do": "leave"})),
    "watermark.least": st.floats(0.5, 2),
    "watermark.most": st.floats(2, 16),
    "watermark.slope": st.floats(0.3, 4),
    "watermark.psnr": st.floats(25, 44),
    "blend.detail.least": st.floats(0, 1),
    "blend.detail.most": st.floats(1, 9),
    "blend.mask.feather": st.floats(0, 0.5),
    "blend.mask.grow": st.floats(-0.25, 0.25),
    "blend.mask.box": st.none() | st.tuples(*[st.floats(0, 0.4)] * 4),
    "enhance.steps": st.sampled_from(
        [(), ("sharpen",), ("gfpgan_1.4:0.8", "clahe@frame", "real_esrgan_x2@background")]
    ),
    "runtime.threads": st.none() | st.integers(1, 1024),
    "runtime.device": DEVICE_WORDS,
    "runtime.placed": st.dictionaries(WORDS, DEVICE_WORDS, max_size=3),
}


def strategy(name: str, hint: Any) -> st.SearchStrategy[Any]:
    """Values that a setting may be, by its type where ``OWN`` does not say it."""
    if name in OWN:
        return OWN[name]
    if name.startswith(("blend.light.max", "blend.light.jump")) or name.endswith(("seconds", "cutoff")):
        return st.floats(1, 1e9)
    inner = get_args(hint)
    if get_origin(hint) is Literal:
        return st.sampled_from(inner)
    if get_origin(hint) is dict:
        return st.dictionaries(WORDS, st.sampled_from(get_args(inner[1])), max_size=3)
    if Path in inner:
        return st.none() | WORDS.map(lambda word: Path("/somewhere") / word)
    if get_origin(hint) is tuple and inner[-1] is ...:
        return st.lists(strategy(name, inner[0]), min_size=1, max_size=3)
    if type(None) in inner:
        return st.none() | strategy(name, inner[0])
    return {str: WORDS, bool: st.booleans(), float: st.floats(0, 1)}[hint]


@st.composite
def some_settings(draw):
    names = draw(st.sets(st.sampled_from([name for name in schema() if not name.startswith("signing.")])))
    values = {name: draw(strategy(name, schema()[name].type)) for name in sorted(names)}
    if draw(st.booleans()):
        values |= {"signing.certificate": Path("/a.pem"), "signing.key": Path("/b.pem")}
    return changed(Settings(), values)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(some_settings())
@pytest.mark.slow
def test_what_is_written_is_read_as_the_same(tmp_path, some):
    for name, text in (
        ("s.toml", as_toml(some)),
        ("plain.toml", as_toml(some, ascii_only=True)),
        ("s.json", as_json(some)),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8", newline="\n")
        assert read_settings(tmp_path / name) == some


def test_the_defaults_are_what_an_empty_file_says(put):
    assert put("s.toml", "") == put("s.json", "{}") == Settings()
    assert json.loads(as_json(Settings())) == as_tables(Settings())


def test_relative_paths_are_written_in_full(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert as_tables(replace(Settings(), home=Path("home")))["home"] == str(tmp_path / "home")


def test_what_no_file_can_say_is_not_written():
    with pytest.raises(UsageError, match=r"'guard\.hold_seconds' can't be Infinity"):
        as_toml(replace(Settings(), guard=GuardOptions(hold_seconds=float("inf"))))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux: names that are no Unicode")
def test_a_path_that_is_no_unicode_is_written_as_json_only(tmp_path):
    some = replace(Settings(), home=Path(os.fsdecode(b"/home/\xff")))
    (tmp_path / "s.json").write_text(as_json(some), encoding="utf-8")
    assert read_settings(tmp_path / "s.json") == some
    with pytest.raises(UsageError, match="can't be written"):
        as_toml(some)


@pytest.fixture
def put(tmp_path):
    """Writes a file and reads the settings in it."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_settings(path)

    return write


def test_toml_may_be_written_in_every_way(put):
    ways = [
        "blend.light.max_gain = 2\nblend.strength = 0.5",
        "[blend]\nstrength = 0.5\nlight.max_gain = 2.0",
        "[blend]\nstrength = 0.5\n[blend.light]\nmax_gain = 2.0",
        "blend = { strength = 0.5, light = { max_gain = 2.0 } }",
        '\ufeff"blend.strength" = 0.5\r\n"blend.light.max_gain" = 2',
    ]
    for way in ways:
        blend = put("s.toml", way).blend
        assert (blend.strength, blend.light.max_gain) == (0.5, 2.0)
    assert put("s.json", '{"blend.strength": 0.5}').blend.strength == 0.5
    assert put("S.TOML", "[runtime.placed]\ndetector = 'cpu'").runtime.placed == (("detector", "cpu"),)


def test_null_unsets(put):
    assert put("s.json", '{"source_face": null, "label": {"font": null}}') == Settings()


def test_paths_are_relative_to_the_file_s_folder(put, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    assert put("s.toml", 'home = "private"').home == tmp_path / "private"
    assert put("s.toml", 'signing = { certificate = "a.pem", key = "/b.pem" }').signing.key == Path("/b.pem")


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        ("strenght = 1", "unknown setting 'strenght'", "'blend.strength'"),
        ("blend.strenght = 1", "unknown setting 'blend.strenght'", "'blend.strength'"),
        ("[blend.light]\nsecond = 1", "unknown setting 'blend.light.second'", "'blend.light.seconds'"),
        ("[blnd]\nstrength = 1", "unknown setting 'blnd.strength'", "'blend.strength'"),
        ("[blend.strength]\nx = 1", "'blend.strength' can't be", ""),
        ("[nothing]", "unknown setting 'nothing'", ""),
        ("blend = 1", "'blend' is a group of settings", "[blend]"),
        ("[[blend]]\nstrength = 1", "'blend' is a group of settings", "[blend]"),
        ("blend.strength = nan", "'blend.strength' can't be NaN", ""),
        ("blend.light.seconds = inf", "'blend.light.seconds' can't be Infinity", ""),
        ("max_pixels = 1979-05-27", "'max_pixels' can't be", ""),
        ('"blend.strength" = 1\nblend.strength = 1', "'blend.strength' is there twice", ""),
        ("max_pixels = 0x" + "f" * 9000, "'max_pixels' can't be a number without end", ""),
        ('"\\u202e" = 1', "unknown setting '\\u202e'", ""),
        ("x" * 9000 + " = 1", "unknown setting 'xxx", ""),
        ("signing.certificate = 'a.pem'", "'signing.certificate' can't be", ""),
    ],
    ids=lambda value: value[:30],
)
def test_what_can_not_be_set_is_told_with_the_file(put, text, words, hint):
    with pytest.raises(UsageError) as told:
        put("mine.toml", text)
    assert words in told.value.message
    assert "mine.toml)" in told.value.message
    assert hint in told.value.hint
    assert len(told.value.message) < 400


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("s.toml", b"engine = 'a\xff'", "no text in UTF-8"),
        ("s.json", b'{"engine": "\xff"}', "no text in UTF-8"),
        ("s.toml", "engine =", "not valid TOML"),
        ("s.toml", "engine = 'a'\nengine = 'b'", "not valid TOML"),
        ("s.toml", 'engine = "\\ud800"', "not valid TOML"),
        ("s.toml", "x = " + "[" * 50_000, "not valid TOML"),
        ("s.json", "", "not valid JSON"),
        ("s.json", "[]", "something other than a JSON object"),
        ("s.json", '{"faces": "all", "faces": "all"}', "'faces' is there twice"),
        ("s.json", '{"blend": {"strength": 1, "strength": 1}}', "'strength' is there twice"),
        ("s.json", '{"blend": {"strength": NaN}}', "NaN is no number"),
        ("s.json", '{"max_pixels": ' + "9" * 5000 + "}", "not valid JSON"),
        ("s.json", "[" * 100_000, "nested too deeply"),
    ],
    ids=lambda value: str(value[:20]),
)
def test_what_is_no_file_of_settings_is_told(put, name, content, words):
    with pytest.raises(InputError, match=words) as told:
        put(name, content)
    assert not isinstance(told.value, UsageError)


def test_files_that_can_not_be_read_are_told(tmp_path, put):
    with pytest.raises(InputNotFoundError, match="settings file does not exist"):
        read_settings(tmp_path / "none.toml")
    with pytest.raises(UsageError, match=r"s\.ini"):
        put("s.ini", "")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(UnfitFileError, match="a folder"):
        read_settings(tmp_path / "folder.toml")
    with (tmp_path / "huge.toml").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(UnfitFileError, match="longer"):
        read_settings(tmp_path / "huge.toml")


@pytest.mark.skipif(os.name != "posix", reason="pipes have names on Unix only")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(UnfitFileError, match="a pipe"):
        read_settings(tmp_path / "pipe.json")
