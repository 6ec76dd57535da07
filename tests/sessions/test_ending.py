"""How a session on the command line ends: by signals, and when the disk is full."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import time

import av
import pytest

from tests.evidence import has_label, is_released_honestly
from tests.sessions.stage import until


def started(words, tmp_path, **more):
    command = [sys.executable, "-m", "understudy", "live", *words, "--consent", "sample", "--home", str(tmp_path / "h")]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **more)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=str)
def test_a_signal_ends_it_in_order(number, hopper_path, small_clip, tmp_path):
    output, stats = tmp_path / "out.mp4", tmp_path / "stats.json"
    words = [
        "-s",
        str(hopper_path),
        "--from",
        str(small_clip),
        "--loop",
        "--to",
        str(output),
        "--to",
        "udp://127.0.0.1:9",
    ]
    with started([*words, "--stats", str(stats)], tmp_path) as process:
        until(lambda: stats.exists() and json.loads(stats.read_text())["frames_swapped"] > 10, 60)
        begin = time.monotonic()
        process.send_signal(number)
        said = process.communicate(timeout=30)[1]
        took = time.monotonic() - begin
    assert process.returncode == 0, said
    assert "latency from capture to hand-over" in said
    assert "Traceback" not in said
    assert took < 10  # the recording is signed meanwhile
    assert is_released_honestly(output)
    assert sorted(path.name for path in tmp_path.glob("*.mp4")) == ["out.mp4"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_signal_before_it_began_is_an_interruption(hopper_path, tmp_path):
    """While it waits for somebody who does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        words = ["-s", str(hopper_path), "--from", f"http://127.0.0.1:{silent.getsockname()[1]}/x", "--to", "out.mp4"]
        with started(words, tmp_path, cwd=tmp_path) as process:
            silent.settimeout(60)
            accepted, _ = silent.accept()
            begin = time.monotonic()
            process.send_signal(signal.SIGTERM)
            said = process.communicate(timeout=30)[1]
            accepted.close()
    assert time.monotonic() - begin < 5  # an address is given up after ten
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert not list(tmp_path.glob("*.mp4"))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs a file system of its own")
def test_a_full_disk_stops_the_recording_and_nothing_else(hopper_path, small_clip, tmp_path):
    """A real one. What was recorded stays, and can be played; the other output goes on."""
    disk, stats, kept = tmp_path / "disk", tmp_path / "stats.json", tmp_path / "kept.mp4"
    disk.mkdir()
    live = (
        f"{sys.executable} -m understudy live -s {hopper_path} --consent sample --home {tmp_path / 'h'} "
        f"--from {small_clip} --loop --to {disk / 'out.mp4'} --to udp://127.0.0.1:9 --to {tmp_path / 'whole.mp4'} "
        f"--stats {stats} --seconds 16"
    )
    script = (
        f"mount -t tmpfs -o size=350k tmpfs {disk} || exit 77; {live}; code=$?; "
        f"ls -A {disk}; cp {disk}/out.recording.mp4 {kept}; exit $code"
    )
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no file system of its own here")
    assert done.returncode == 6, done.stderr
    assert "no space left on the disk" in done.stderr
    assert f"hint: What was recorded is in {disk}/out.recording.mp4" in done.stderr
    assert f"note: recorded {tmp_path / 'whole.mp4'}" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.split() == ["out.recording.mp4"]
    told = json.loads(stats.read_text())
    full = next(event for event in told["events"] if "no space left" in event)
    assert told["sinks"]["udp://127.0.0.1:9"]["written"] > told["sinks"]["out.mp4"]["written"] + 20, full
    with av.open(str(kept)) as container:
        pictures = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert len(pictures) > 20
    assert all(has_label(picture) for picture in pictures)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs a file system of its own")
def test_of_a_recording_that_had_no_room_at_all_nothing_is_said_to_be_kept(hopper_path, small_clip, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    live = (
        f"{sys.executable} -m understudy live -s {hopper_path} --consent sample --home {tmp_path / 'h'} "
        f"--from {small_clip} --loop --to {disk / 'out.mp4'} --seconds 16"
    )
    script = f"mount -t tmpfs -o size=16k tmpfs {disk} || exit 77; {live}; code=$?; ls -A {disk}; exit $code"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no file system of its own here")
    assert (done.returncode, done.stdout) == (6, ""), done.stderr
    assert "no space left on the disk" in done.stderr
    assert "hint: Nothing was left of it that can be played." in done.stderr
