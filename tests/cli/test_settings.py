"""Settings on the command line: options over a file, the file over the defaults, and all of them printed."""

from __future__ import annotations

import json
import re
import sys

import pytest

from understudy.cli.main import main
from understudy.cli.options import PANELS
from understudy.cli.setting_options import OPTIONS
from understudy.settings import Settings, read_settings


@pytest.fixture
def run(tmp_path, monkeypatch, capfd, hopper_path, small_clip):
    """Runs a command line in a folder of its own; gives its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNDERSTUDY_HOME", raising=False)
    for name, path in (("photo.jpg", hopper_path), ("clip.mp4", small_clip)):
        (tmp_path / name).write_bytes(path.read_bytes())

    def call(*words):
        code = main([str(word) for word in words])
        return code, *capfd.readouterr()

    return call


class Taken(Exception):
    """In place of the work: the settings have come this far."""


@pytest.fixture
def taken(run, monkeypatch):
    """Runs a command line up to where the settings are used, and gives them."""
    from understudy import app

    found = []

    def take(*args, **_):
        found.extend(one for one in args if isinstance(one, Settings))
        raise Taken

    monkeypatch.setattr(app, "Understudy", take)

    def call(*words):
        found.clear()
        code, _, err = run(*words)
        assert code == 6, err
        assert "Taken" in err, err
        return found[-1]

    return call


SWAP = ["swap", "-s", "photo.jpg", "-t", "clip.mp4", "-o", "out.mp4", "--consent", "sample"]
LIVE = ["live", "-s", "photo.jpg", "--from", "clip.mp4", "--to", "out.mp4", "--consent", "sample"]
EVAL = ["eval", "--sources", "photo.jpg", "--clips", "clip.mp4", "-d", "report", "--embedder", "none"]
EVAL += ["--consent", "sample"]
STUDIO = ["studio", "--no-browser"]
COMMANDS = pytest.mark.parametrize("command", [SWAP, LIVE, EVAL], ids=lambda command: command[0])


@COMMANDS
def test_options_win_over_the_file_and_the_file_over_the_defaults(taken, command, tmp_path):
    (tmp_path / "s.toml").write_text('blend.strength = 0.75\nmesh.shape = 0.5\nguard.on_lost = "blur"\n')
    (tmp_path / "s.json").write_text('{"blend": {"strength": 0.75}, "mesh": {"shape": 0.5}, "guard.on_lost": "blur"}')
    assert taken(*command) == Settings()
    for file in ("s.toml", "s.json"):
        got = taken(*command, "--settings", file, "--strength", "0.6")
        assert (got.blend.strength, got.mesh.shape, got.guard.on_lost) == (0.6, 0.5, "blur")
        assert got.neural == Settings().neural


def test_an_option_given_its_default_wins_as_well(taken, tmp_path):
    (tmp_path / "s.toml").write_text('blend.strength = 0.75\nfaces = "all"\nencode.quality = 50')
    got = taken(*SWAP, "--settings", "s.toml", "--strength", "1", "--faces", "largest", "--quality", "90")
    assert got == Settings()


def test_devices_replace_those_of_the_file(taken, tmp_path):
    (tmp_path / "s.toml").write_text('runtime.device = "cuda"\nruntime.placed.detector = "cpu"')
    runtime = taken(*SWAP, "--settings", "s.toml", "--device", "cpu").runtime
    assert (runtime.device, runtime.placed) == ("cpu", (("detector", "cpu"),))
    runtime = taken(*SWAP, "--settings", "s.toml", "--device", "mask=cpu", "--device", "swapper=cuda").runtime
    assert (runtime.device, runtime.placed) == ("cuda", (("mask", "cpu"), ("swapper", "cuda")))


def test_the_private_folder_is_the_option_s_then_the_environment_s_then_the_file_s(taken, tmp_path, monkeypatch):
    (tmp_path / "s.toml").write_text('home = "theirs"')
    assert taken(*SWAP, "--settings", "s.toml").home == tmp_path / "theirs"
    monkeypatch.setenv("UNDERSTUDY_HOME", "environment")
    assert str(taken(*SWAP, "--settings", "s.toml").home) == "environment"
    assert str(taken(*SWAP, "--settings", "s.toml", "--home", "given").home) == "given"


def test_every_option_sets_what_it_is_for(run):
    words = {
        "faces": "all", "source_face": 2, "detector": "d", "recogniser": "r", "guard.on_lost": "blur", "engine": "e",
        "blend.strength": 0.5, "mesh.shape": 0.5, "blend.mask.regions": ["eyes", "mouth"], "blend.mask.keep": ["eyes"],
        "blend.mask.strength": 0.5, "blend.mask.feather": 0.1, "blend.mask.occluders": ["xseg_2"], "blend.show": "mask",
        "label.text": "KI-Bild", "label.corner": "top-left",
        "label.size": 0.06, "label.later_size": 0.03, "label.font": None, "signing.certificate": "/a",
        "signing.key": "/b",
        "runtime.device": "cpu", "runtime.backend": "onnxruntime", "runtime.precision": "single",
        "runtime.threads": 2, "neural.boost": 2, "neural.weight": 0.2,
        "neural.refresh": 7, "encode.encoder": "x",
        "encode.quality": 10, "frame.shape": "9:16", "frame.fit": "pad", "frame.caption": "two words",
        "encode.effort": "high", "encode.animation_fps": 12.5,
        "max_pixels": 5, "home": "/h", "enhance.steps": ["sharpen:0.5", "clahe"],
        "enhance.weight": 0.7, "trim.start": 1.5, "trim.end": 62.25, "lanes": None,
    }  # fmt: skip
    assert set(words) == {option.setting for option in OPTIONS}
    flags = {option.setting: option.flag for option in OPTIONS}
    lists = {name for name, value in words.items() if isinstance(value, list) and flags[name] == "--enhance"}
    said = {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in words.items()}
    line = [
        part
        for name, value in words.items()
        if value is not None
        for word in (value if name in lists else [said[name]])
        for part in (flags[name], word)
    ]
    code, out, err = run("settings", "--json", *line)
    assert code == 0, err
    found = json.loads(out)
    for name, value in words.items():
        table = found
        for part in name.split("."):
            table = table[part]
        assert table == (value if name != "lanes" else []), name


def test_times_and_lanes_are_said_as_people_write_them(run, tmp_path):
    (tmp_path / "lanes.toml").write_text('[[lanes]]\nstart = "0:01"\nend = 2\nblend.strength = 0.5\n')
    code, out, err = run("settings", "--json", "--start", "1:02.5", "--end", "2:00", "--lanes", "lanes.toml")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["trim"] == {"start": 62.5, "end": 120.0}
    assert found["lanes"] == [{"start": 1.0, "end": 2.0, "blend.strength": 0.5}]
    for words, said in (
        (["--start", "soon"], "--start can't be 'soon': a time is seconds"),
        (["--start", "2", "--end", "1"], "--start and --end do not go together: it would end (1 s) before it begins"),
        (["--start", "1", "--end", "0:01"], "it would end when it begins (1 s): there is nothing in between"),
        (["--lanes", "none.toml"], "none.toml"),
        (["--lanes", "s.txt"], "no lanes can be read from s.txt"),
    ):
        code, out, err = run("settings", *words)
        assert code in (2, 3)
        assert err.startswith("error: ")
        assert said in err
        assert err.count("\n") == 2


@pytest.mark.slow
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["toml", "json"])
def test_what_is_printed_is_read_as_the_same(run, tmp_path, form):
    words = ["--strength", "0.3", "--device", "cuda", "--device", "detector=cpu", "--label-text", "人工智能生成"]
    words += ["--signing-cert", "a.pem", "--signing-key", "b.pem", "--home", 'it\'s "so"\u202e\x7f']
    code, out, err = run("settings", *words, *form)
    assert (code, err) == (0, "")
    file = tmp_path / ("s.json" if form else "s.toml")
    file.write_text(out, encoding="utf-8")
    assert run("settings", "--settings", file, *form)[1] == out
    read = read_settings(file)
    assert read.home == tmp_path / 'it\'s "so"\u202e\x7f'
    assert read.signing.key == tmp_path / "b.pem"
    assert read.runtime.placed == (("detector", "cpu"),)


def test_stdout_without_the_letters_gets_them_escaped(run, tmp_path):
    usual = sys.stdout.encoding
    sys.stdout.reconfigure(encoding="ascii")
    try:
        code, out, _ = run("settings", "--label-text", "人工智能生成")
    finally:
        sys.stdout.reconfigure(encoding=usual)
    assert code == 0
    assert out.isascii()
    (tmp_path / "s.toml").write_text(out)
    assert read_settings(tmp_path / "s.toml").label.text == "人工智能生成"


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        ("blend.strenght = 1", 2, "unknown setting 'blend.strenght'"),
        ("blend.strength = 'x'", 2, "'blend.strength' can't be 'x'"),
        ("label.font = 'none.ttf'", 2, "'label.font'"),
        ("blend.strength =", 3, "not valid TOML"),
        (None, 3, "does not exist"),
    ],
)
@pytest.mark.parametrize("command", [SWAP, LIVE, EVAL, STUDIO, ["settings"]], ids=lambda command: command[0])
def test_a_bad_file_is_one_error_and_one_hint(run, tmp_path, command, content, code, words):
    if content is not None:
        (tmp_path / "s.toml").write_text(content)
    before = sorted(tmp_path.iterdir())
    found, out, err = run(*command, "--settings", "s.toml")
    assert found == code
    assert out == ""
    lines = err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["error", "hint"]
    assert words in lines[0]
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--strength", "7"], "--strength can't be 7.0"),
        (["--faces", "some"], "--faces can't be 'some'"),
        (["--label-size", "0.01"], "--label-size can't be 0.01"),
        (["--on-lost", "show"], "--on-lost can't be 'show'"),
        (["--signing-cert", "a.pem"], "--signing-cert can't be 'a.pem'"),
        (["--device", "gpu"], "--device can't be 'gpu'"),
        (["--device", "cpu", "--device", "cuda"], "two devices"),
        (["--max-pixels", "0"], "--max-pixels can't be 0"),
    ],
    ids=str,
)
def test_a_wrong_option_is_told_by_its_own_name(run, words, said):
    code, _, err = run("settings", *words)
    assert code == 2
    assert said in err.splitlines()[0]


@pytest.mark.parametrize("command", ["swap", "live", "studio", "settings"])
def test_the_help_has_its_panels_in_order(run, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    code, out, _ = run(command, "--help")
    assert code == 0
    found = [panel for panel in re.findall(r"^╭─ (.+?) ─+╮", out, re.M) if panel in PANELS]
    assert found == list(PANELS)
    assert "--settings" in out


@pytest.mark.slow
def test_how_often_a_face_is_drawn_is_a_number_or_auto(taken, run):
    assert taken(*SWAP).neural.refresh is None
    assert taken(*SWAP, "--refresh", "auto").neural.refresh == "auto"
    assert taken(*SWAP, "--refresh", "12").neural.refresh == 12
    for wrong in ("0", "-1", "often", "1.5", "1001"):
        code, _, err = run("settings", "--refresh", wrong)
        assert code == 2, wrong
        assert "--refresh can't be" in err
