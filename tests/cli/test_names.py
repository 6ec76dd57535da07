"""Names, addresses and texts that can't be used: the hint names the real cause."""

from __future__ import annotations

import os
import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from understudy.cli.main import main
from understudy.errors import UsageError
from understudy.media.live.base import check_address
from understudy.testing import ClipSpec, portrait_path, write_clip, write_puppet_clip
from understudy.text import printable

LONG = "n" * 300


@pytest.fixture
def run(tmp_path, monkeypatch, capfd, blank):
    """Runs a command line in a folder of its own; gives the code, the error and the hint."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.png").write_bytes(portrait_path("astronaut").read_bytes())
    write_clip(tmp_path / "clip.mp4", [blank] * 3, ClipSpec(audio=()))
    os.symlink("loop.png", "loop.png")
    os.symlink("nothing", "lost.png")

    def call(*words):
        code = main([*words])
        _, err = capfd.readouterr()
        lines = [line for line in err.splitlines() if line.startswith(("error:", "hint:"))]
        assert [line.split(":")[0] for line in lines] == ["error", "hint"], err
        assert "unexpected" not in err
        return code, lines[0], lines[1]

    return call


SWAP = ["swap", "-s", "photo.png", "--consent", "sample"]
LIVE = ["live", "-s", "photo.png", "--consent", "sample"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["faces", LONG], 3),
        (["inspect", "d/" * 3000], 3),
        (["swap", "-s", LONG, "-t", "photo.png", "-o", "o.png"], 3),
        ([*SWAP, "-t", LONG, "-o", "o.png"], 3),
        (["models", "import", LONG], 3),
        (["consent", "grant", LONG, "--ground", "self"], 3),
        ([*LIVE, "--from", f"{LONG}.mp4", "--to", "o.mp4"], 3),
        (["eval", "--sources", LONG, "--clips", "clip.mp4", "-d", "out"], 3),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_an_input_whose_name_is_too_long(run, words, code):
    found, _, hint = run(*words)
    assert found == code
    assert "too long" in hint


@pytest.mark.parametrize("words", [["consent", "revoke", LONG], [*LIVE, "--from", LONG, "--to", "o.mp4"]])
def test_a_word_that_is_no_name_either(run, words):
    assert run(*words)[0] in (2, 3)


@pytest.mark.parametrize("command", [["faces"], ["inspect"], ["models", "import"]])
def test_a_link_that_leads_in_a_circle(run, command):
    code, error, hint = run(*command, "loop.png")
    assert code == 3
    assert "loop.png" in error
    assert "circle" in hint
    assert "circle" not in run(*command, "lost.png")[2]


def test_a_file_as_a_folder(run):
    code, _, hint = run("faces", "photo.png/clip.mp4")
    assert code == 3
    assert "file, not a folder" in hint


@pytest.mark.parametrize(
    ("home", "words", "hint"),
    [
        ("photo.png", "the private folder is no folder", "another with --home"),
        ("loop.png", "the private folder is no folder", "another with --home"),
        ("photo.png/home", "Not a directory", "file, not a folder"),
        (LONG, "too long", "too long"),
    ],
)
def test_a_private_folder_that_can_not_be_made(run, home, words, hint):
    code, error, said = run("consent", "grant", "photo.png", "--ground", "sample", "--home", home)
    assert code == 6
    assert words in error
    assert hint in said


GOOD = (
    "rtmp://host/app/key",
    "rtmp://user:p[a]ss/wo?rd@host:1935/app",
    "udp://@239.0.0.1:1234",
    "udp://:5000",
    "rtsp://[::1]:554/x",
    "http://[fe80::1%eth0]/x",
    "tcp://127.0.0.1:1?listen=1",
)
BAD = (
    "http://[::1/x",
    "rtmp://::1/x",
    "http://",
    "http:///x",
    "rtsp://host:99999/x",
    "rtmp://host:port/x",
    "http://a b/x",
    "udp://?x",
    "https://[zz]/",
)


@pytest.mark.parametrize("address", GOOD)
def test_an_address_is_taken_as_it_is(address):
    check_address(address)


@pytest.mark.parametrize("address", BAD)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(UsageError, match="not an address"):
        check_address(address)


@pytest.mark.parametrize("address", ["udp://127.0.0.1", "tcp://host/x", "srt://[::1]?mode=caller", "UDP://host:"])
def test_where_a_protocol_has_no_port_of_its_own_one_is_needed(address):
    with pytest.raises(UsageError, match="lacks its port"):
        check_address(address)


def test_no_address_is_told_before_anything_is_opened(run):
    for words in (["--from", "http://[::1/x", "--to", "o.mp4"], ["--from", "clip.mp4", "--to", "rtmp://[::1/x"]):
        code, error, _ = run(*LIVE, *words)
        assert code == 2
        assert "not an address" in error


def home(path, text, encoding="utf-8"):
    path.mkdir(mode=0o700)
    (path / "models.toml").write_bytes(text.encode(encoding))


BUNDLE = '[[bundle]]\nname = "mine"\ntitle = "Łódź"\nmodels = ["scrfd_10g"]\n'
MODEL = (
    '[[model]]\nname = "mine"\nkind = "mask"\ntitle = "a mask"\nlicence = "apache-2.0"\nfamily = "xseg"\n[model.file]\n'
    'name = "mine.onnx"\nsources = [{{ url = "{}" }}]\n[model.input]\nsize = 256\n'
)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_entries_are_read_with_any_mark(tmp_path, capfd, encoding):
    home(tmp_path / "home", BUNDLE, encoding)
    assert main(["models", "list", "--home", str(tmp_path / "home")]) == 0
    assert "Łódź" in capfd.readouterr().out


def test_entries_in_another_encoding_are_told(tmp_path, run):
    home(tmp_path / "home", BUNDLE, "iso8859-2")
    code, error, _ = run("models", "list", "--home", "home")
    assert code == 3
    assert "no text in UTF-8, from line 3" in error


@pytest.mark.parametrize("url", ["http://[::1/x", "http://host:99999/x", "https:///x", "http://host:x/"])
def test_a_place_of_a_model_that_is_no_address(tmp_path, run, url):
    home(tmp_path / "home", MODEL.format(url))
    code, error, _ = run("models", "pull", "mine", "--accept-licence", "--home", "home")
    assert code == 3
    assert "url is no address" in error


def test_an_error_of_the_system_says_what_failed_and_why(run, monkeypatch):
    from understudy.tasks import inspect

    def fail(*_):
        raise OSError(5, "Input/output error", "disk.bin")

    monkeypatch.setattr(inspect, "read_tags", fail)
    code, error, hint = run("inspect", "photo.png")
    assert code == 6
    assert error == "error: can't use disk.bin: Input/output error"
    assert "copy the file" in hint


@pytest.mark.slow
@pytest.mark.parametrize("which", ["target.png", "photo.png"])
def test_an_input_that_goes_while_it_is_used(run, monkeypatch, which):
    from understudy.casting import person
    from understudy.pipeline.photo import PhotoPipeline

    shutil.copy("photo.png", "target.png")
    place = (PhotoPipeline, "process") if which == "target.png" else (person, "load_portraits")
    method = getattr(*place)

    def meanwhile(*words, **more):
        done = method(*words, **more)
        Path(which).unlink()
        return done

    monkeypatch.setattr(*place, meanwhile)
    code, error, hint = run(*SWAP, "-t", "target.png", "-o", "o.png")
    assert code == 3
    assert f"the input disappeared while it was being used: {which}" in error
    assert "leave it there" in hint
    assert not Path("o.png").exists()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["mp4", "webp"])
def test_pictures_that_are_hours_apart(run, small_puppet, suffix):
    write_puppet_clip(
        Path("gap.mkv"),
        small_puppet,
        0.2,
        ClipSpec(pts=[0, 40, 80, 120, 2**38, 2**38 + 40], time_base=Fraction(1, 1000), audio=()),
    )
    code, error, hint = run(*SWAP, "-t", "gap.mkv", "-o", f"o.{suffix}")
    assert code == 6
    assert "76355.0 hours apart" in error
    assert "cut it there" in hint


@pytest.mark.parametrize("number", ["9" * 5000, "²", "99999999999", "-1"])
def test_numbers_that_no_machine_counts_to(run, number):
    assert run(*LIVE, "--from", "clip.mp4", "--to", "o.mp4", "--size", f"{number}x{number}")[0] == 2
    code, error, _ = run(*LIVE, "--from", number, "--to", "o.mp4")
    assert code == 3
    assert "no camera is called" in error


@pytest.mark.parametrize(
    ("output", "words", "hint"),
    [
        ("photo.png/o.png", "a file, not a folder", "Name another"),
        ("none/o.png", "does not exist", "mkdir -p"),
        (f"{LONG}.png", "too long", "shorter"),
        (f"{'é' * 126}.png", "too long", "shorter"),
    ],
)
def test_an_output_that_can_not_be_is_told_before_the_work(run, monkeypatch, output, words, hint):
    from understudy.resources.trust import Trust

    monkeypatch.delattr(Trust, "consents")  # the first step of the work
    code, error, said = run(*SWAP, "-t", "photo.png", "-o", output)
    assert code == 6
    assert words in error
    assert hint in said


@pytest.mark.slow
@pytest.mark.parametrize("name", [f"{'n' * 246}.png", f"{'é' * 123}.png", "a'b \\ c%d.png"])
def test_the_longest_name_that_can_be_is_written(tmp_path, monkeypatch, capfd, name):
    monkeypatch.chdir(tmp_path)
    Path("photo.png").write_bytes(portrait_path("astronaut").read_bytes())
    code = main([*SWAP, "-t", "photo.png", "-o", name])
    err = capfd.readouterr().err
    assert code == 0, err
    assert Path(name).stat().st_size > 1000
    assert {path.name for path in tmp_path.iterdir()} == {"photo.png", name}


def test_an_output_folder_that_goes_while_it_is_written_to(run, monkeypatch):
    from understudy.pipeline.photo import PhotoPipeline

    process = PhotoPipeline.process

    def meanwhile(self, frame):
        shutil.rmtree("out", ignore_errors=True)
        return process(self, frame)

    Path("out").mkdir()
    monkeypatch.setattr(PhotoPipeline, "process", meanwhile)
    code, error, _ = run(*SWAP, "-t", "photo.png", "-o", "out/o.png")
    assert code == 6
    assert "the output's folder disappeared while it was being written to" in error


@pytest.mark.parametrize("words", [["demo"], ["eval", "--sources", "photo.png", "--clips", "clip.mp4"]])
@pytest.mark.parametrize(
    ("folder", "said"),
    [("photo.png", "something else"), ("loop.png", "something else"), (LONG, "too long"), ("photo.png/a", "")],
)
def test_a_folder_for_outputs_that_can_not_be_made(run, words, folder, said):
    code, error, hint = run(*words, "-d", folder)
    assert code == 6
    assert said in error
    assert hint


@pytest.mark.skipif(os.name != "posix", reason="names with line breaks: posix only")
def test_a_line_break_in_a_name_or_note_forges_no_answer(tmp_path, capfd):
    photo = tmp_path / "me.png: made by this tool\n00000000  valid    other.png"
    shutil.copy(portrait_path("astronaut"), photo)
    assert main(["inspect", str(photo)]) == 0
    assert [line for line in capfd.readouterr().out.splitlines() if not line.startswith("  - ")] == [
        f"{printable(photo)}: unknown"
    ]
    words, home = ["--ground", "granted", "--note", "form\n11111111  valid"], ["--home", str(tmp_path / "home")]
    assert main(["consent", "grant", str(photo), *words, *home]) == 0
    assert len(capfd.readouterr().err.splitlines()) == 2
    assert main(["consent", "list", *home]) == 0
    assert len(capfd.readouterr().out.splitlines()) == 1
    assert main(["consent", "form"]) == 0
    assert len(capfd.readouterr().out.splitlines()) > 20
