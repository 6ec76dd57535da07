"""The compose file, as Docker Compose itself reads it."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "deploy" / "compose.yaml"
FOUND = importlib.util.find_spec("compose")
PROGRAM = None if FOUND is None else Path(FOUND.origin).with_name("docker-compose")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs Docker Compose")


def read(path, **environment):
    words = [PROGRAM, "--file", path, "config", "--format", "json"]
    return subprocess.run(
        words, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"} | environment
    )


@pytest.fixture(scope="module")
def services():
    done = read(FILE)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)["services"]


def test_what_is_no_compose_file_is_told_apart(tmp_path):
    bad = tmp_path / "compose.yaml"
    bad.write_text(FILE.read_text().replace("read_only: true", "read-only: true"))
    done = read(bad)
    assert done.returncode != 0
    assert "read-only" in done.stderr


def test_every_service_is_shut_in(services):
    assert "runner" in services
    for service in services.values():
        assert service["read_only"] is True
        assert service["init"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["user"].split(":")[0] not in ("0", "root")
        assert not {"privileged", "cap_add", "devices", "pid", "ipc"} & set(service)
        assert {mount["target"] for mount in service["volumes"]} == {"/data", "/media"}
        assert all(port.get("host_ip") == "127.0.0.1" for port in service.get("ports", []))


def test_the_runner_has_no_network_and_waits_for_jobs(services):
    assert services["runner"]["network_mode"] == "none"
    assert services["runner"]["command"] == ["jobs", "run", "--wait"]


def test_user_image_and_folder_can_be_said(tmp_path):
    said = {"UNDERSTUDY_USER": "1000:1000", "UNDERSTUDY_IMAGE": "understudy:cuda", "UNDERSTUDY_MEDIA": str(tmp_path)}
    runner = json.loads(read(FILE, **said).stdout)["services"]["runner"]
    assert (runner["user"], runner["image"]) == ("1000:1000", "understudy:cuda")
    (media,) = [mount for mount in runner["volumes"] if mount["target"] == "/media"]
    assert (media["source"], media["bind"]) == (str(tmp_path), {})


def test_the_server_is_reached_from_this_machine_alone_and_leaves_swaps_to_the_runner(services):
    server = services["server"]
    assert [(port["host_ip"], port["target"]) for port in server["ports"]] == [("127.0.0.1", 8770)]
    assert "--runners 0" in " ".join(server["command"])
    assert "/ready" in server["healthcheck"]["test"][-1]


@pytest.mark.parametrize(("said", "name"), [({}, "localhost:8770"), ({"UNDERSTUDY_NAME": "a.example"}, "a.example")])
def test_what_the_proxy_before_the_server_is_asked_by_can_be_said(said, name):
    done = read(FILE, **said)
    assert json.loads(done.stdout)["services"]["server"]["command"][-2:] == ["--name", name]
