"""Nothing opens a network socket: not by Python, not by a library underneath."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = {
    "swap": ["swap", "-s", "{photo}", "-t", "{clip}", "-o", "{out}/o.mp4"],
    "faces": ["faces", "{clip}"],
    "doctor": ["doctor"],
    "models": ["models", "list"],
    "settings": ["settings", "--settings", "{settings}", "--json"],
    "swap with settings": ["swap", "-s", "{photo}", "-t", "{photo}", "-o", "{out}/o.png", "--settings", "{settings}"],
    "eval": ["eval", "--sources", "{photo}", "--clips", "{clip}", "-d", "{out}/report", "--frames", "3"],
    "live": ["live", "-s", "{photo}", "--from", "{clip}", "--to", "{out}/o.mp4", "--consent", "sample"],
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


def test_the_library_that_runs_models_reports_nothing_to_its_makers(tmp_path):
    """It looks for a server now and then, but writes an identifier of the device in every run that is let to."""
    code = (
        "import time\n"
        "{imported}\n"
        "from importlib.resources import files\n"
        "content = files('understudy.models').joinpath('embedded', 'open_nsfw.onnx').read_bytes()\n"
        "ort.InferenceSession(content, providers=['CPUExecutionProvider'])\n"
        "time.sleep(0.5)\n"
    )
    said = {}
    for imported in ("import onnxruntime as ort", "from understudy.models.onnx_runtime import ort"):
        home = tmp_path / str(len(said))
        home.mkdir()
        where = {name: str(home) for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
        environment = {**os.environ, **where, "ORT_DISABLE_TELEMETRY": "0"}
        words = [sys.executable, "-c", code.format(imported=imported)]
        subprocess.run(words, env=environment, check=True, capture_output=True)
        said[imported] = [path for path in home.rglob("*") if path.is_file()]
    print({imported: len(files) for imported, files in said.items()})
    assert said["from understudy.models.onnx_runtime import ort"] == []


def test_only_one_module_imports_the_library_that_runs_models():
    found = {
        path.name
        for path in (Path(__file__).parents[1] / "src").rglob("*.py")
        if re.search(r"^\s*(import|from) onnxruntime\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert found == {"onnx_runtime.py"}


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
