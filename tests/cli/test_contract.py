"""The command line's contract: exit codes, one error and one hint line, one JSON object, nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib import metadata

import numpy as np
import pytest
from PIL import Image

from tests.unprivileged import unreadable
from understudy.cli.main import main
from understudy.testing import ClipSpec, write_clip, write_puppet_clip


@pytest.fixture
def run(capfd):
    """Runs a command line; gives its exit code, stdout and stderr."""

    def call(*words):
        code = main([str(word) for word in words])
        out, err = capfd.readouterr()
        return code, out, err

    return call


def is_one_error(err, *parts):
    lines = err.strip().splitlines()
    assert [line.split(":")[0] for line in lines] == ["error", "hint"], err
    assert len(lines[1]) > len("hint: ")
    for part in parts:
        assert part in lines[0], err


def listing(folder):
    return sorted((path.name, path.stat().st_mtime_ns) for path in folder.rglob("*"))


@pytest.fixture(scope="module")
def good_and_bad(tmp_path_factory, small_clip, hopper_path, blank):
    """A folder of good and bad files."""
    made = tmp_path_factory.mktemp("good-and-bad")
    (made / "clip.mp4").write_bytes(small_clip.read_bytes())
    (made / "photo.jpg").write_bytes(hopper_path.read_bytes())
    (made / "empty.mp4").touch()
    (made / "text.mp4").write_text("not a video " * 100)
    (made / "noise.jpg").write_bytes(np.random.default_rng(0).bytes(5000))
    (made / "cut.jpg").write_bytes(hopper_path.read_bytes()[:9000])
    (made / "cut.mp4").write_bytes(small_clip.read_bytes()[:700])
    Image.fromarray(blank).save(made / "nobody.png")
    write_clip(made / "nobody.mp4", [blank] * 5, ClipSpec(audio=()))
    with_sound = ClipSpec(rate=25, audio=(("aac", 440.0),))
    write_clip(made / "sound-and-picture.mp4", [blank] * 25, with_sound)
    import av

    with av.open(str(made / "sound-and-picture.mp4")) as source, av.open(str(made / "sound.m4a"), "w") as copy:
        stream = copy.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.size:
                packet.stream = stream
                copy.mux(packet)
    (made / "sound-and-picture.mp4").unlink()
    return made


@pytest.fixture
def folder(good_and_bad, tmp_path):
    """A copy of it, to be written to."""
    return shutil.copytree(good_and_bad, tmp_path, dirs_exist_ok=True)


BAD = [
    # what is wrong; source; target; output; more; exit code; words of the error
    ("missing target", "photo.jpg", "none.mp4", "out.mp4", [], 3, ["does not exist", "none.mp4"]),
    ("missing photo", "none.jpg", "clip.mp4", "out.mp4", [], 3, ["does not exist", "none.jpg"]),
    ("empty file", "photo.jpg", "empty.mp4", "out.mp4", [], 3, ["empty"]),
    ("text", "photo.jpg", "text.mp4", "out.mp4", [], 3, ["text.mp4", "not a picture or video"]),
    ("noise", "noise.jpg", "clip.mp4", "out.mp4", [], 3, ["noise.jpg"]),
    ("truncated photo", "cut.jpg", "clip.mp4", "out.mp4", [], 3, ["cut.jpg", "damaged"]),
    ("truncated video", "photo.jpg", "cut.mp4", "out.mp4", [], 3, ["cut.mp4"]),
    ("sound only", "photo.jpg", "sound.m4a", "out.mp4", [], 3, ["holds no video"]),
    ("a folder", "photo.jpg", ".", "out.mp4", [], 3, ["not a file"]),
    ("nobody in the photo", "nobody.png", "clip.mp4", "out.mp4", [], 3, ["no face", "nobody.png"]),
    ("nobody in the picture", "photo.jpg", "nobody.png", "out.png", [], 3, ["no face", "nobody.png"]),
    ("nobody in the clip", "photo.jpg", "nobody.mp4", "out.mp4", [], 3, ["no face", "nobody.mp4"]),
    ("a clip as photo", "clip.mp4", "clip.mp4", "out.mp4", [], 3, ["not a photo"]),
    ("too large", "photo.jpg", "clip.mp4", "out.mp4", ["--max-pixels", "76799"], 3, ["320x240"]),
    ("photo too large", "photo.jpg", "clip.mp4", "out.mp4", ["--max-pixels", "100000"], 3, ["photo.jpg"]),
    ("unknown suffix", "photo.jpg", "clip.mp4", "out.xyz", [], 2, ["suffix", ".xyz"]),
    ("no suffix", "photo.jpg", "clip.mp4", "out", [], 2, ["suffix"]),
    ("a still as video", "photo.jpg", "photo.jpg", "out.mp4", [], 2, ["still"]),
    ("a video as still", "photo.jpg", "clip.mp4", "out.png", [], 2, ["moving"]),
    ("output is input", "photo.jpg", "clip.mp4", "clip.mp4", ["--overwrite"], 2, ["is an input"]),
    ("output is the photo", "photo.jpg", "nobody.png", "photo.jpg", ["--overwrite"], 2, ["is an input"]),
    ("output is there", "photo.jpg", "clip.mp4", "nobody.mp4", [], 2, ["exists"]),
    ("no such folder", "photo.jpg", "clip.mp4", "none/out.mp4", [], 6, ["folder does not exist"]),
    ("unknown encoder", "photo.jpg", "clip.mp4", "out.mp4", ["--encoder", "magic"], 2, ["magic"]),
    ("encoder for another container", "photo.jpg", "clip.mp4", "out.webm", ["--encoder", "libx264"], 2, ["h264"]),
    ("unknown engine", "photo.jpg", "clip.mp4", "out.mp4", ["--engine", "magic"], 2, ["magic"]),
    ("unknown faces", "photo.jpg", "clip.mp4", "out.mp4", ["--faces", "some"], 2, ["some"]),
    ("no such face", "photo.jpg", "clip.mp4", "out.mp4", ["--source-face", "2"], 2, ["has 1 face"]),
    ("quality", "photo.jpg", "clip.mp4", "out.mp4", ["--quality", "101"], 2, ["quality"]),
]


@pytest.mark.parametrize(
    ("source", "target", "output", "more", "code", "words"), [b[1:] for b in BAD], ids=[b[0] for b in BAD]
)
def test_bad_input_gets_one_error_one_hint_and_nothing_written(run, folder, source, target, output, more, code, words):
    before = listing(folder)
    result = run("swap", "-s", folder / source, "-t", folder / target, "-o", folder / output, *more)
    assert result[0] == code, result
    is_one_error(result[2], *words)
    assert result[1] == ""
    assert listing(folder) == before


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="POSIX permissions")
def test_an_unreadable_file(folder):
    from understudy.errors import InputUnreadableError
    from understudy.media.files import open_source

    with unreadable(folder / "photo.jpg"), pytest.raises(InputUnreadableError, match="can't be read"):
        open_source(folder / "photo.jpg")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["swap"],
        ["nonsense"],
        ["swap", "--bogus"],
        ["faces"],
        ["swap", "-s", "a", "-t", "b", "-o", "c.mp4", "--quality", "x"],
        ["swap", "-s", "a", "-t", "b", "-t", "b2", "-o", "c.mp4"],
        ["swap", "-s", "a", "-t", "b", "-o", "c.mp4", "-o", "d.mp4"],
        ["jobs", "add", "b", "-s", "a", "-o", "c.mp4", "--faces", "like:a"],
    ],
)
def test_a_wrong_command_line_is_exit_2(run, words):
    code, out, err = run(*words)
    assert code == 2
    assert "Traceback" not in out + err


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["faces", "a.png", "b.png"], "understudy faces"),
        (["swap", "--bogus"], "understudy swap"),
        (["jobs", "add", "--bogus"], "understudy jobs add"),
        (["jobs", "bogus"], "understudy jobs"),
        (["--bogus"], "understudy"),
        (["bogus"], "understudy"),
    ],
)
def test_a_wrong_command_line_names_the_help_of_its_own_command(run, words, command):
    code, _, err = run(*words)
    assert code == 2
    is_one_error(err)
    assert err.endswith(f"hint: See `{command} --help`.\n")


def test_faces_that_are_not_known_are_told_all_that_are(run, folder):
    put, swap = (
        ["swap", "-t", folder / "clip.mp4", "-o", folder / "out.mp4", *words]
        for words in (["--put", f"{folder / 'photo.jpg'}=middle"], ["-s", folder / "photo.jpg", "--faces", "middle"])
    )
    assert "a number, like:PHOTO, or not:PHOTO." in run(*swap)[2]
    assert "a number, or like:PHOTO." in run(*put)[2]


def test_an_error_with_json_is_one_json_object(run, folder):
    code, out, err = run("swap", "-s", folder / "none.jpg", "-t", folder / "clip.mp4", "-o", folder / "o.mp4", "--json")
    assert code == 3
    is_one_error(err)
    assert json.loads(out)["error"]["exit_code"] == 3


def test_debug_shows_the_traceback(run, folder):
    _, _, err = run("swap", "-s", folder / "none.jpg", "-t", folder / "clip.mp4", "-o", folder / "o.mp4", "--debug")
    assert "Traceback" in err


@pytest.mark.slow
def test_swap_reports_in_json(run, folder):
    code, out, _ = run("swap", "-s", folder / "photo.jpg", "-t", folder / "clip.mp4", "-o", folder / "o.mp4", "--json")
    assert code == 0
    report = json.loads(out)
    assert report["frames"] == report["frames_swapped"] == 25
    assert report["kind"] == "video"
    assert set(report["stages_ms"]) == {"perceive", "swap", "blend", "seal"}
    assert all(times["p50"] <= times["p95"] for times in report["stages_ms"].values())


@pytest.mark.slow
def test_swap_says_what_it_wrote_on_stderr_only(run, folder):
    code, out, err = run("swap", "-s", folder / "photo.jpg", "-t", folder / "clip.mp4", "-o", folder / "o.mp4")
    assert code == 0
    assert out == ""
    assert "25 of 25 frames swapped, all labelled" in err


@pytest.mark.slow
def test_several_photos_make_one_identity(run, folder, astronaut_path):
    words = ["swap", "-s", folder / "photo.jpg", "-s", astronaut_path, "-t", folder / "clip.mp4"]
    code, out, _ = run(*words, "-o", folder / "two.mp4", "--json")
    assert code == 0
    assert len(json.loads(out)["sources"]) == 2


@pytest.mark.slow
def test_a_photo_with_several_faces_says_which_was_taken(run, folder, hopper, astronaut):
    both = np.hstack([hopper[:512], astronaut])
    Image.fromarray(both[:, :, ::-1].copy()).save(folder / "both.png")
    words = ["swap", "-s", folder / "both.png", "-t", folder / "clip.mp4", "--overwrite", "-o", folder / "o.mp4"]
    words += ["--consent", "self"]
    code, _, err = run(*words)
    assert code == 0
    assert "has 2 faces: the largest was taken (number 1 of 2 from the left)" in err
    assert run(*words, "--source-face", 2)[0] == 0
    assert run(*words, "--source-face", 3)[0] == 2


@pytest.mark.slow
def test_overwrite_replaces(run, folder):
    (folder / "o.mp4").write_text("old")
    words = ["swap", "-s", folder / "photo.jpg", "-t", folder / "clip.mp4", "-o", folder / "o.mp4"]
    assert run(*words)[0] == 2
    assert (folder / "o.mp4").read_text() == "old"
    assert run(*words, "--overwrite")[0] == 0
    assert (folder / "o.mp4").stat().st_size > 1000


SIDES = np.s_[:512], np.s_[512:]


@pytest.mark.slow
def test_all_faces_left_and_right(run, folder, hopper, astronaut):
    both = np.hstack([hopper[:512], astronaut])
    Image.fromarray(both[:, :, ::-1].copy()).save(folder / "both.png")
    people = {}
    for choice in ("all", "left", "right", "largest"):
        words = ["swap", "-s", folder / "photo.jpg", "-t", folder / "both.png", "-o", folder / f"{choice}.png"]
        code, out, _ = run(*words, "--faces", choice, "--json")
        assert code == 0
        people[choice] = json.loads(out)["people"]
    assert people == {"all": 2, "left": 1, "right": 1, "largest": 1}
    before = both[:, :, ::-1].astype(np.float32)
    # The mark changes all three colours alike; a face does not.
    steps = {choice: np.asarray(Image.open(folder / f"{choice}.png")) - before for choice in people}
    hues = {choice: np.abs(step - step.mean(2, keepdims=True))[:400] for choice, step in steps.items()}
    changed = {choice: [bool(hue[:, part].mean() > 0.05) for part in SIDES] for choice, hue in hues.items()}
    assert changed == {"all": [True, True], "left": [True, False], "right": [False, True], "largest": [True, False]}


@pytest.mark.slow
def test_faces_says_who_is_there(run, folder):
    code, out, _ = run("faces", folder / "clip.mp4", "--json")
    assert code == 0
    report = json.loads(out)
    assert report["frames"] == 25
    (face,) = report["faces"]
    assert face["frames"] == 25
    assert face["first_seconds"] == 0
    assert run("faces", folder / "nobody.png")[1].strip().endswith("nobody")
    assert run("faces", folder / "text.mp4")[0] == 3


@pytest.mark.slow
def test_doctor_finds_this_installation_healthy(run):
    code, out, _ = run("doctor", "--json")
    assert code == 0
    report = json.loads(out)
    assert report["healthy"] is True
    names = {finding["name"] for findings in report["sections"].values() for finding in findings}
    assert {
        "private folder",
        "libx264",
        "h264_nvenc",
        "CPU",
        "face_landmarks_detector.tflite",
        "face_recognition_resnet.onnx",
        "numba",
    } <= names


@pytest.mark.parametrize(("version", "wanted"), [((3, 10), True), ((3, 11), False), ((3, 13), False)])
def test_doctor_asks_only_for_what_this_python_needs(version, wanted):
    from understudy.tasks.checkup import needed

    lines = ["numpy<3,>=2.0", 'tomli<3,>=2.2; python_version < "3.11"', 'pygame-ce; extra == "window"']
    assert needed(lines, version) == ["numpy", *["tomli"] * wanted]


@pytest.mark.parametrize(
    ("builds", "states"),
    [
        (["onnxruntime"], {"onnxruntime": "ok"}),
        (["onnxruntime-gpu"], {"onnxruntime-gpu": "ok"}),
        (["onnxruntime", "onnxruntime-gpu"], {"onnxruntime-gpu": "ok", "onnxruntime": "broken"}),
        ([], {"onnxruntime": "broken"}),
    ],
)
def test_a_build_of_onnx_runtime_for_gpus_stands_in_for_the_plain_one(builds, states, monkeypatch):
    from understudy.tasks.checkup import libraries

    version = metadata.version

    def installed(name):
        if not name.startswith("onnxruntime"):
            return version(name)
        if name not in builds:
            raise metadata.PackageNotFoundError(name)
        return "1.32.0"

    monkeypatch.setattr(metadata, "version", installed)
    found = [one for one in libraries() if one.name.startswith("onnxruntime")]
    assert {one.name: one.state for one in found} == states
    assert all(one.mend for one in found if one.state == "broken")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("came", "place"),
    [
        ('{"url": "file:///home/me/a%20b", "dir_info": {"editable": true}}', "file:///home/me/a%20b"),
        ('{"url": "https://h/x.git", "vcs_info": {"vcs": "git", "commit_id": "ab1"}}', "git+https://h/x.git@ab1"),
        (None, "understudy"),
    ],
)
def test_doctor_says_what_is_broken_and_how_to_mend_it(run, monkeypatch, came, place):
    from understudy.errors import ModelError
    from understudy.tasks import costs

    def broken(name):
        raise ModelError(f"{name} is gone", "install again")

    read = metadata.PathDistribution.read_text

    def said(installed, name):
        return came if name == "direct_url.json" else read(installed, name)

    monkeypatch.setattr(metadata.PathDistribution, "read_text", said)
    monkeypatch.setattr(costs, "LiteModel", broken)
    code, out, _ = run("doctor")
    assert code == 6
    assert "BROKEN  face_landmarks_detector.tflite" in out
    assert "mend: " in out
    assert f"pip install --force-reinstall {place}" in " ".join(out.split())


def test_a_hint_names_the_private_folder_that_the_command_was_about(run, tmp_path, hopper_path):
    home = tmp_path / "a home"
    words = ("swap", "-s", hopper_path, "-t", hopper_path, "-o", tmp_path / "out.png", "--engine", "inswapper_128")
    for given in (("--home", home), (f"--home={home}",)):
        code, _, err = run(*words, "--consent", "sample", *given)
        assert code == 5
        assert f"hint: To fetch: understudy models pull --home '{home}' inswapper_128" in err
    code, _, err = run(*words, "--consent", "sample")
    assert "hint: To fetch: understudy models pull inswapper_128" in err


@pytest.mark.slow
def test_version_and_help(run):
    assert run("--version")[1].startswith("understudy 0.")
    for words in (["--help"], ["swap", "--help"], ["faces", "-h"], ["demo", "-h"], ["doctor", "-h"]):
        code, out, _ = run(*words)
        assert code == 0
        assert "Usage" in out


def _corrupted(clip, start, end):
    data = bytearray(clip.read_bytes())
    low, high = int(len(data) * start), int(len(data) * end)
    data[low:high] = np.random.default_rng(2).bytes(high - low)
    return bytes(data)


@pytest.mark.slow
def test_a_clip_whose_later_part_is_damaged_is_finished_as_far_as_it_reads(run, folder, small_puppet):
    long = folder / "long.mkv"
    write_puppet_clip(
        long, small_puppet, 3.0, ClipSpec(rate=25, options=(("crf", "18"), ("g", "10"), ("preset", "veryfast")))
    )
    for name, data in (
        ("short.mkv", long.read_bytes()[: int(long.stat().st_size * 0.6)]),
        ("noisy.mkv", _corrupted(long, 0.55, 0.9)),
    ):
        (folder / name).write_bytes(data)
        output = folder / f"out-{name}"
        code, _, err = run("swap", "-s", folder / "photo.jpg", "-t", folder / name, "-o", output)
        assert code == 6, (name, err)
        is_one_error(err, name, "damaged after")
        seconds = float(err.split("damaged after ")[1].split(" s")[0])
        assert 0.8 < seconds < 2.9
        import av

        with av.open(str(output)) as container:
            assert 25 < sum(1 for _ in container.decode(video=0)) < 75
        code, out, err = run("people", folder / name, "--json")
        assert (code, len(json.loads(out)["people"])) == (0, 1), (name, err)
        assert json.loads(out)["damage"]["at_seconds"] == pytest.approx(seconds, abs=0.01)
        assert f"note: {name} is damaged after " in err


def _spawn(words, **more):
    return subprocess.Popen(
        [sys.executable, "-m", "understudy", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.slow
def test_an_interruption_leaves_nothing_behind(folder, long_clip, how):
    before = {path.name for path in folder.iterdir()}
    process = _spawn(["swap", "-s", folder / "photo.jpg", "-t", long_clip, "-o", folder / "out.mp4"])
    deadline = time.monotonic() + 60
    while not any(path.name.startswith(".out.") for path in folder.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    process.send_signal(how)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    is_one_error(err, "interrupted")
    assert {path.name for path in folder.iterdir()} == before


@pytest.mark.skipif(os.name == "nt", reason="POSIX limits")
@pytest.mark.slow
def test_a_full_disk_is_said_and_leaves_nothing_behind(folder):
    import resource

    def small_files_only():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    before = {path.name for path in folder.iterdir()}
    for target, output in (("clip.mp4", "out.mp4"), ("clip.mp4", "out.mkv"), ("photo.jpg", "out.png")):
        process = _spawn(
            ["swap", "-s", folder / "photo.jpg", "-t", folder / target, "-o", folder / output],
            preexec_fn=small_files_only,
        )
        out, err = process.communicate(timeout=120)
        assert process.returncode == 6, (output, out, err)
        is_one_error(err, "no space left")
        assert {path.name for path in folder.iterdir()} == before


@pytest.mark.slow
def test_two_at_once_do_not_meet(folder):
    words = ["swap", "-s", folder / "photo.jpg", "-t", folder / "clip.mp4", "--overwrite", "-o", folder / "same.mp4"]
    first, second = _spawn(words), _spawn(words)
    assert [p.communicate(timeout=120) and p.returncode for p in (first, second)] == [0, 0]
    assert sum(path.name.startswith(".same") for path in folder.iterdir()) == 0
    assert (folder / "same.mp4").stat().st_size > 1000


@pytest.mark.slow
def test_an_output_that_appears_meanwhile_is_not_replaced(folder, monkeypatch, run):
    from understudy.pipeline import clip

    sealed, output = clip.sealed, folder / "race.mp4"

    def meanwhile(*what):
        output.write_text("precious")
        return sealed(*what)

    monkeypatch.setattr(clip, "sealed", meanwhile)
    code, _, err = run("swap", "-s", folder / "photo.jpg", "-t", folder / "clip.mp4", "-o", output)
    assert code == 2
    is_one_error(err, "exist")
    assert output.read_text() == "precious"
    assert not [path for path in folder.iterdir() if path.name.startswith(".race")]


@pytest.mark.slow
def test_an_output_that_is_a_link_is_followed(folder, run):
    (folder / "real.mp4").write_text("old")
    (folder / "link.mp4").symlink_to(folder / "real.mp4")
    words = ["swap", "-s", folder / "photo.jpg", "-t", folder / "clip.mp4", "-o", folder / "link.mp4"]
    assert run(*words)[0] == 2
    assert run(*words, "--overwrite")[0] == 0
    assert (folder / "link.mp4").is_symlink()
    assert (folder / "real.mp4").stat().st_size > 1000


@pytest.mark.parametrize(
    "name", ["x" * 300 + ".mp4", "12:30.mp4", "-o.mp4", "a%03d.mp4", "new\nline.mp4", 'it\'s "so".mp4']
)
@pytest.mark.slow
def test_odd_names(folder, run, name, monkeypatch):
    monkeypatch.chdir(folder)
    code, _, err = run("swap", "-s", "photo.jpg", "-t", "clip.mp4", "-o", name)
    if len(name) > 255:
        assert code == 6
        assert err.startswith("error: can't write")
        assert run("faces", name)[0] == 3
    else:
        assert code == 0, err
        assert (folder / name).stat().st_size > 1000


@pytest.mark.skipif(os.name == "nt", reason="POSIX shell")
@pytest.mark.parametrize("redirect", [">&-", "2>&-"])
@pytest.mark.slow
def test_closed_streams_are_no_trouble(folder, redirect):
    line = f"exec 3>&1; {sys.executable} -m understudy faces {folder / 'photo.jpg'} --json {redirect}"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.returncode == 0


@pytest.mark.slow
def test_an_interruption_while_starting_is_clean(folder):
    for delay in (0.05, 0.2, 0.35, 0.5, 0.7, 0.9, 1.2):
        process = _spawn(["faces", folder / "clip.mp4"])
        time.sleep(delay)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        assert "Traceback" not in err
        assert process.returncode in (130, -signal.SIGTERM, 0)  # before the first line runs, or after the last


@pytest.mark.slow
def test_nothing_that_can_be_written_is_needed(folder, tmp_path):
    """No home, no cache: compiled code is made anew."""
    code = (
        "import numba.core.caching as c, sys\n"
        "c.CacheImpl._locator_classes = []\n"
        "from understudy.compiled import kept\n"
        "kept.folders = lambda source: ()\n"
        "from understudy.cli.main import main\n"
        "sys.exit(main(['faces', sys.argv[1]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder / "photo.jpg")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_terminal_gets_a_progress_bar_with_fps_and_time_left(folder):
    pty = pytest.importorskip("pty")
    leader, follower = pty.openpty()
    words = ["swap", "-s", str(folder / "photo.jpg"), "-t", str(folder / "clip.mp4"), "-o", str(folder / "o.mp4")]
    code = f"import sys; from understudy.cli.main import main; sys.exit(main({words!r}))"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stderr=follower, stdout=subprocess.PIPE, env={**os.environ, "TERM": "xterm"}
    )
    os.close(follower)
    seen = b""
    try:
        while chunk := os.read(leader, 4096):
            seen += chunk
    except OSError:
        pass
    os.close(leader)
    assert process.wait(timeout=60) == 0
    assert process.stdout.read() == b""
    process.stdout.close()
    assert b"fps" in seen
    assert b"/25" in seen


@pytest.mark.parametrize("faces", ["like", "not"])
def test_who_somebody_is_to_look_like_is_not_written_over(run, folder, faces):
    before, photo = listing(folder), folder / "photo.jpg"
    likes, target = ("--faces", f"{faces}:{photo}"), folder / "nobody.png"
    code, _, err = run("swap", "-s", folder / "cut.jpg", "-t", target, "-o", photo, "--overwrite", *likes)
    assert code == 2
    is_one_error(err, "is an input")
    assert listing(folder) == before


def test_a_sheet_a_cast_or_statistics_are_not_written_over_what_is_read(run, folder):
    photo, link, settings = folder / "photo.jpg", folder / "link.jpg", folder / "settings.json"
    link.symlink_to(photo)
    settings.write_text("{}")
    before = listing(folder)
    for words in (
        ("people", photo, "--sheet", photo),
        ("people", link, "--sheet", photo),
        ("people", photo, "--cast", settings, "--settings", settings),
        ("live", "-s", photo, "--from", folder / "clip.mp4", "--settings", settings, "--stats", settings),
    ):
        code, _, err = run(*words, "--overwrite")
        assert code == 2
        is_one_error(err, "is an input")
    assert listing(folder) == before


def test_commands_in_messages_can_be_pasted(run, folder):
    code, _, err = run("swap", "-s", folder / "photo.jpg", "-t", folder / "clip.mp4", "-o", folder / "no dir" / "o.mp4")
    assert code == 6
    assert f"mkdir -p '{folder}/no dir'" in err
