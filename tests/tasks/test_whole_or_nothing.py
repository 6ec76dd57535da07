"""Nothing of the user's is lost, and nothing gets a name that is not whole: through everything that writes outputs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import c2pa
import pytest

import understudy
from tests.evidence import is_released_honestly
from tests.sessions.stage import until
from understudy import Settings, Understudy
from understudy.cli.main import main
from understudy.errors import ConsentError, OutputError, OutputExistsError, SigningError
from understudy.provenance import Consents
from understudy.provenance.credentials import read_credentials
from understudy.sessions import LiveStatistics
from understudy.sessions.statistics import StatisticsFile

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX modes, pipes and signals")
KINDS = ("png", "jpg", "webp", "mp4", "gif", "mkv")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def target(astronaut_path, brief_clip):
    return lambda suffix: astronaut_path if suffix in ("png", "jpg", "webp") else brief_clip


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["png", "mp4"])
def test_a_consent_that_is_revoked_while_frames_are_swapped_leaves_no_output(suffix, hopper_path, target, tmp_path):
    with Understudy(Settings(home=tmp_path / "home")) as app:
        consents = Consents(app.resources.home)

        def revoked(*_):
            for record in consents.all():
                consents.revoke(record.id)

        output, host = tmp_path / f"out.{suffix}", app.person(hopper_path, consent="self")
        with pytest.raises(ConsentError, match="revoked"):
            app.swap(target(suffix), output, host, progress=revoked)
    assert names(tmp_path) == ["home"]


@posix
@pytest.mark.parametrize("suffix", KINDS)
@pytest.mark.slow
def test_an_output_that_is_replaced_keeps_its_mode(suffix, hopper_path, target, tmp_path):
    output = tmp_path / f"out.{suffix}"
    understudy.swap(hopper_path, target(suffix), output)
    written = names(tmp_path)
    for path in tmp_path.iterdir():
        path.chmod(0o600)
    before = output.read_bytes()
    understudy.swap(hopper_path, target(suffix), output, overwrite=True)
    assert output.read_bytes() != before
    assert {name: mode(tmp_path / name) for name in names(tmp_path)} == dict.fromkeys(written, 0o600)
    assert read_credentials(output, None).state == "valid"


@posix
@pytest.mark.parametrize("suffix", ["png", "mp4", "gif", "mkv"])
def test_an_output_that_is_a_pipe_is_refused_before_the_work(suffix, hopper_path, target, tmp_path, capfd):
    output = tmp_path / f"out.{suffix}"
    os.mkfifo(output)
    for path in (output, tmp_path / f"link.{suffix}"):
        if path != output:
            path.symlink_to(output)
        words = ["swap", "-s", str(hopper_path), "-t", str(target(suffix)), "-o", str(path), "--overwrite"]
        assert main(words) == 2
        assert "not a file but a pipe" in capfd.readouterr().err
    assert stat.S_ISFIFO(output.stat().st_mode)


@posix
def test_an_input_under_another_name_is_no_output(hopper_path, small_clip, tmp_path, capfd):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(small_clip.read_bytes())
    os.link(clip, tmp_path / "hard.mp4")
    (tmp_path / "soft.mp4").symlink_to(clip)
    (tmp_path / "folder").symlink_to(tmp_path)
    for name in ("hard.mp4", "soft.mp4", "folder/clip.mp4", "../" + tmp_path.name + "/clip.mp4"):
        words = ["swap", "-s", str(hopper_path), "-t", str(clip), "-o", str(tmp_path / name), "--overwrite"]
        assert main(words) == 2
        assert "is an input" in capfd.readouterr().err
    assert clip.read_bytes() == small_clip.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["png", "mp4"])
def test_what_does_not_hold_when_it_is_read_back_gets_no_name(suffix, hopper_path, target, tmp_path, monkeypatch):
    """As where an interruption was lost in the signer's own code: it ends without an error, with bytes missing."""
    sign = c2pa.Builder.sign

    def forgetful(self, signer, kind, source, signed):
        made = sign(self, signer, kind, source, signed)
        signed.seek(source.seek(0, os.SEEK_END) // 2)
        signed.write(bytes(200))
        return made

    monkeypatch.setattr(c2pa.Builder, "sign", forgetful)
    with pytest.raises(SigningError):
        understudy.swap(hopper_path, target(suffix), tmp_path / f"out.{suffix}")
    assert names(tmp_path) == []


@pytest.mark.parametrize("suffix", ["png", "gif", "mp4", "mkv"])
@pytest.mark.slow
def test_what_is_signed_and_is_not_whole_gets_no_name(suffix, hopper_path, target, tmp_path, monkeypatch):
    from understudy.media.files.atomic import AtomicFile

    release = AtomicFile.release

    def cut(self, made, check):
        with self.path.open("r+b") as file:
            file.truncate(self.path.stat().st_size * 2 // 3)
        release(self, made, check)

    monkeypatch.setattr(AtomicFile, "release", cut)
    with pytest.raises((OutputError, SigningError)):
        understudy.swap(hopper_path, target(suffix), tmp_path / f"out.{suffix}")
    assert names(tmp_path) == []


def spawn(words, **more):
    return subprocess.Popen(
        [sys.executable, "-m", "understudy", *map(str, words)], stderr=subprocess.PIPE, text=True, **more
    )


@posix
@pytest.mark.slow
def test_what_a_killed_run_left_goes(hopper_path, long_clip, small_clip, tmp_path, capfd):
    """With the next run, with ``doctor`` there, and with ``doctor`` elsewhere."""
    folder, home = tmp_path / "out", ["--home", str(tmp_path / "home")]
    folder.mkdir()
    usual = ["swap", "-s", str(hopper_path), "--consent", "sample", *home]
    with spawn([*usual, "-t", long_clip, "-o", folder / "out.mp4"]) as killed:
        until(lambda: any(path.stat().st_size for path in folder.iterdir()), 150)
        killed.kill()
    left = {place: shutil.copytree(place, tmp_path / f"left-{place.name}") for place in (folder, tmp_path / "home")}
    assert names(folder) != []
    for where in (None, [str(folder)], []):
        for place, copy in left.items():
            shutil.rmtree(place)
            shutil.copytree(copy, place)
        if where is None:
            assert main([*usual, "-t", str(small_clip), "-o", str(folder / "next.mp4")]) == 0
            assert names(folder) == ["next.mp4"]
        else:
            capfd.readouterr()
            assert main(["doctor", "--clean", "--json", *where, *home]) == 0
            assert len(json.loads(capfd.readouterr().out)["removed"]) >= 2
            assert names(folder) == []
        assert names(tmp_path / "home" / "working") == []


@posix
@pytest.mark.slow
def test_signals_while_signing_leave_nothing_or_a_whole_file(tmp_path):
    """A few of them; all of them: python tools/attack_signals.py --count 300."""
    tool = Path(__file__).parents[2] / "tools" / "attack_signals.py"
    done = subprocess.run(
        [sys.executable, str(tool), "--count", "5", "--seed", "7"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 runs, 0 violations" in done.stdout


@posix
@pytest.mark.slow
def test_a_second_signal_cuts_a_recording_short_and_says_where_it_is(hopper_path, small_clip, tmp_path):
    """While the recording is signed; a function that takes its time signs here, as a key in hardware may."""
    code = (
        "import sys, time\n"
        "from understudy.provenance import signing\n"
        "sign = signing.sign_file\n"
        "def slow(*words):\n"
        "    print('signing', file=sys.stderr, flush=True)\n"
        "    until = time.monotonic() + 60\n"
        "    while time.monotonic() < until:\n"
        "        time.sleep(0.01); signing.give_up_if_interrupted()\n"
        "    return sign(*words)\n"
        "from understudy.provenance import releasing\n"
        "releasing.sign_file = slow\n"
        "from understudy.cli.entry import run\n"
        "sys.argv[0] = 'understudy'; run()\n"
    )
    words = ["live", "-s", hopper_path, "--from", small_clip, "--loop", "--to", tmp_path / "out.mp4"]
    words += ["--consent", "sample", "--home", tmp_path / "home"]
    growing = tmp_path / "out.recording.mp4"
    command = [sys.executable, "-c", code, *map(str, words)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: growing.exists() and growing.stat().st_size > 5000, 60)
        process.send_signal(signal.SIGINT)
        while "signing" not in process.stderr.readline():
            pass
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)[1]
    assert time.monotonic() - begin < 30
    assert process.returncode == 130, said
    assert f"what was recorded is in {growing}" in said
    assert "Traceback" not in said
    assert names(tmp_path) == ["home", "out.recording.mp4"]


def statistics():
    return LiveStatistics(1.0, 1, 1, 0, 1.0, 1.0, {}, {}, {}, (), {})


def test_statistics_replace_nothing_unasked(tmp_path):
    path = tmp_path / "stats.json"
    path.write_text("precious")
    path.chmod(0o640)
    with pytest.raises(OutputExistsError):
        StatisticsFile(path)
    with pytest.raises(OutputExistsError):
        statistics().save(path)
    assert path.read_text() == "precious"
    file = StatisticsFile(path, overwrite=True)
    for _ in range(3):
        file.save(statistics())
    assert json.loads(path.read_text())["frames_in"] == 1
    if os.name == "posix":
        assert mode(path) == 0o640


def test_statistics_replace_their_own_file_and_no_other_that_took_its_place(tmp_path):
    path = tmp_path / "stats.json"
    file = StatisticsFile(path)
    for _ in range(3):
        file.save(statistics())
    path.unlink()
    path.write_text("precious")
    with pytest.raises(OutputExistsError):
        file.save(statistics())
    assert path.read_text() == "precious"
    assert names(tmp_path) == ["stats.json"]


@posix
@pytest.mark.parametrize("kind", ["file", "pipe"])
def test_live_refuses_a_statistics_file_before_anything_is_opened(kind, hopper_path, small_clip, tmp_path, capfd):
    stats = tmp_path / "stats.json"
    stats.write_text("precious") if kind == "file" else os.mkfifo(stats)
    words = ["live", "-s", str(hopper_path), "--from", str(small_clip), "--to", str(tmp_path / "out.mp4")]
    words += ["--consent", "sample", "--stats", str(stats)]
    assert main(words if kind == "file" else [*words, "--overwrite"]) == 2
    assert ("the output exists" if kind == "file" else "a pipe") in capfd.readouterr().err
    assert names(tmp_path) == ["stats.json"]


@posix
@pytest.mark.slow
def test_a_recording_that_is_replaced_keeps_its_mode(hopper_path, small_clip, tmp_path):
    output = tmp_path / "out.mp4"
    output.write_text("old")
    output.chmod(0o600)
    words = ["live", "-s", str(hopper_path), "--from", str(small_clip), "--loop", "--seconds", "4"]
    assert main([*words, "--to", str(output), "--consent", "sample", "--overwrite"]) == 0
    assert mode(output) == 0o600
    assert is_released_honestly(output)
    assert names(tmp_path) == ["out.mp4"]


def test_the_demo_replaces_no_file_that_is_not_a_demos(tmp_path, capfd):
    (tmp_path / "sample.mp4").write_text("precious")
    assert main(["demo", "--output-dir", str(tmp_path), "--seconds", "0.2"]) == 2
    assert "--output-dir" in capfd.readouterr().err
    assert names(tmp_path) == ["sample.mp4"]
    assert (tmp_path / "sample.mp4").read_text() == "precious"


def test_exports_replace_nothing(tmp_path, capfd):
    for words in (["ledger", "export"], ["models", "export", "inswapper_128", "-o"]):
        for name, kind in (("there", "file"), ("pipe", "pipe")):
            path = tmp_path / name
            if not path.exists():
                path.write_text("precious") if kind == "file" or os.name == "nt" else os.mkfifo(path)
            assert main([*words, str(path)]) == 2, words
            assert "the output" in capfd.readouterr().err
    assert (tmp_path / "there").read_text() == "precious"
