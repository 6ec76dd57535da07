"""Nothing opens a network socket: not by Python, not by a library underneath."""

import os
import shutil
import subprocess
import sys

import pytest

COMMANDS = {
    "swap": ["swap", "-s", "{photo}", "-t", "{clip}", "-o", "{out}/o.mp4", "--settings", "{settings}"],
    "faces": ["faces", "{clip}"],
    "doctor": ["doctor"],
    "models": ["models", "list"],
    "settings": ["settings", "--settings", "{settings}", "--json"],
    "eval": ["eval", "--sources", "{photo}", "--clips", "{clip}", "-d", "{out}/report", "--frames", "3"],
    "live": ["live", "-s", "{photo}", "--from", "{clip}", "--to", "{out}/o.mp4", "--consent", "sample"],
    # A still, too.
    "demo": ["demo", "-d", "{out}/demo", "--seconds", "0.3"],
}


watched = pytest.mark.skipif(sys.platform != "linux" or not shutil.which("strace"), reason="needs strace")


def network_calls(words, log):
    """The calls by which a program makes a network socket, or connects one; the program must end well."""
    # The kernel stops the program at these calls only (seccomp), not at every one.
    command = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=socket,connect", "-o", str(log), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if "ptrace" in done.stderr and done.returncode:
        pytest.skip("tracing is not allowed here")
    assert done.returncode == 0, done.stderr
    return [line for line in log.read_text().splitlines() if "AF_INET" in line or "AF_NETLINK" in line]


@watched
def test_a_network_socket_is_seen_in_a_process_that_is_started_by_another(tmp_path):
    inner = "import socket; socket.socket()"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}], check=True)"
    assert len(network_calls([sys.executable, "-c", outer], tmp_path / "log")) == 1


@watched
@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_opens_a_network_socket(name, hopper_path, small_clip, tmp_path):
    (tmp_path / "settings.toml").write_text('faces = "all"\nlabel.text = "KI-Bild"\n')
    places = {"photo": hopper_path, "clip": small_clip, "out": tmp_path, "settings": tmp_path / "settings.toml"}
    words = [word.format(**places) for word in COMMANDS[name]]
    assert network_calls([sys.executable, "-m", "understudy", *words], tmp_path / "sockets.log") == []


@pytest.mark.slow
def test_onnx_runtime_collects_nothing_and_starts_nothing(tmp_path):
    """From 1.29 on it reports to its makers as soon as it is imported, unless it is told not to before."""
    program = (
        "import os, numpy, cv2\n"
        "before = len(os.listdir('/proc/self/task')) if os.path.exists('/proc/self/task') else 0\n"
        "from understudy.models.onnx_runtime import ort\n"
        "after = len(os.listdir('/proc/self/task')) if os.path.exists('/proc/self/task') else 0\n"
        "print(after - before, [name for name in os.environ if name.startswith('ORT_')])\n"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ORT_") and name != "CI"}
    environment = kept | {"TMPDIR": str(tmp_path), "TEMP": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "0 ['ORT_DISABLE_TELEMETRY']"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.slow
def test_a_playlist_that_names_an_address_is_not_followed(hopper_path, tmp_path, capfd):
    from understudy.cli.main import main

    for name, text in (
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n"),
        ("list.mp4", "#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile 'http://127.0.0.1:9/x.mp4'\n"),
        ("list.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"),
    ):
        path = tmp_path / name
        path.write_text(text)
        code = main(["swap", "-s", str(hopper_path), "-t", str(path), "-o", str(tmp_path / "o.mp4")])
        assert code == 3, name
        assert capfd.readouterr().err.startswith("error: ")


def test_importing_has_no_side_effects():
    code = (
        "import sys, threading\n"
        "import understudy, understudy.errors, understudy.cli.main\n"
        "assert 'numba' not in sys.modules and 'av' not in sys.modules and 'cv2' not in sys.modules\n"
        "assert threading.active_count() == 1\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
