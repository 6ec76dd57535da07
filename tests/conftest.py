"""Fixtures: small clips that are made once a session, and a guard against the network."""

from __future__ import annotations

import os
import signal
import socket
from copy import deepcopy
from hashlib import sha256
from pathlib import Path

# Tests run in several processes: where each computes in several threads besides, they wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import settings

from tests.library_threads import three_library_threads  # noqa: F401 - a fixture
from tests.skipped import pytest_terminal_summary  # noqa: F401 - a hook
from tests.twins import put, shelf  # noqa: F401 - fixtures
from understudy import Perception
from understudy.cli.consent import photo_of
from understudy.detection import BlazeFace
from understudy.detection.blazeface import BlazeFaceOptions
from understudy.landmarks import FaceMesh
from understudy.models.embedded_onnx import OnnxModel
from understudy.models.runtime import LiteModel
from understudy.provenance import ConsentClaim, Consents, Home
from understudy.provenance.records import sqlite_file
from understudy.swapping.mesh import engine, texture
from understudy.testing import ClipSpec, Puppet, portrait, portrait_path, write_puppet_clip

SIZE = (320, 240)
# How long an example takes says more about what else the machine does than about the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


class NetworkUsed(AssertionError):
    pass


def pytest_configure():
    """A hook of pytest: signals that a run in the background ignores end what the tests start all the same.

    What is ignored stays so in other programs, what is handled does not.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


@pytest.fixture(autouse=True, scope="session")
def home(tmp_path_factory):
    """A private folder for the whole session, with consent for the two portraits; never the user's own."""
    data = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(data))
        patch.delenv("UNDERSTUDY_HOME", raising=False)
        folder = Home.default()
        assert folder.root.is_relative_to(data)
        for name in ("hopper", "astronaut"):
            Consents(folder).grant(photo_of(portrait_path(name)), ConsentClaim("sample"))
        yield folder


@pytest.fixture(autouse=True, scope="session")
def no_power_cut():
    """No test waits until the disk has what was written: that matters where the power may fail, and none looks at it.

    Programs that tests start do wait.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        patch.setattr(sqlite_file, "SYNCHRONOUS", "OFF")
        yield


@pytest.fixture(autouse=True, scope="session")
def textures_kept():
    """The texture of a photo is made once and not in every test: it takes half the time of a small swap.

    It depends on nothing but pictures and meshes; what checks how it is made calls ``build_texture`` itself.
    """
    kept = {}

    def build(portraits):
        seen = sha256()
        for one in portraits:
            for part in (one.picture, one.face.mesh):
                seen.update(f"{part.shape} {part.dtype}".encode())
                seen.update(np.ascontiguousarray(part))
        if seen.digest() not in kept:
            kept[seen.digest()] = texture.build_texture(portraits)
            for part in (kept[seen.digest()].color, kept[seen.digest()].opacity):
                part.flags.writeable = False
        return kept[seen.digest()]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "build_texture", build)
        yield


@pytest.fixture(autouse=True, scope="session")
def stills_kept():
    """Who is in a photo is looked for once and not in every test: it takes most of the time of a swapped picture.

    That depends on nothing but the picture, as long as the package's own models look, with their usual options, and
    no test has put anything in the way. Large pictures are looked at every time.
    """
    kept, still, whole = {}, Perception.still, (BlazeFace.detect, FaceMesh.fit, LiteModel.run)

    def look(self, picture):
        own = (type(self.detector), type(self.landmarker)) == (BlazeFace, FaceMesh)
        usual = own and self.detector.options == BlazeFaceOptions()
        if not usual or whole != (BlazeFace.detect, FaceMesh.fit, LiteModel.run) or picture.size > 3_000_000:
            return still(self, picture)
        seen = sha256(f"{picture.shape} {picture.dtype}".encode())
        seen.update(np.ascontiguousarray(picture))
        if seen.digest() not in kept:
            kept[seen.digest()] = still(self, picture)
        return deepcopy(kept[seen.digest()])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Perception, "still", look)
        yield


@pytest.fixture(scope="session")
def answers_of_networks():
    """What the two embedded ONNX models said, by their name and what went in: some floats each."""
    return {}


@pytest.fixture(autouse=True)
def networks_kept(answers_of_networks, monkeypatch, request):
    """What the embedded ONNX models say of a picture is computed once and not in every test.

    They tell whose face it is and whether it is intimate, of the same photos and clips in most tests, and each answer
    takes a tenth of a second of a processor. It depends on nothing but the picture. Tests of the models themselves have
    every answer computed, and so has what measures how long one takes, with a black picture.
    """
    if request.path.parent.name in ("models", "recognition"):
        return
    run = OnnxModel.run

    def answer(self, pictures):
        if pictures.dtype != np.float32 or not pictures.any():
            return run(self, pictures)
        key = self.name, pictures.shape, sha256(np.ascontiguousarray(pictures)).digest()
        if key not in answers_of_networks:
            answers_of_networks[key] = run(self, pictures)
        return answers_of_networks[key].copy()

    monkeypatch.setattr(OnnxModel, "run", answer)


@pytest.fixture(autouse=True)
def no_network(monkeypatch, request):
    """No test opens a connection: not by Python's sockets, at least (FFmpeg's are tested apart).

    Marked ``loopback``, a test may reach the server that it runs itself.
    """
    connect = socket.socket.connect

    def refuse(self, address, *args):
        if request.node.get_closest_marker("loopback") and address[0] in ("127.0.0.1", "::1"):
            return connect(self, address)
        raise NetworkUsed(f"a test tried to reach {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)


@pytest.fixture(scope="session")
def perception():
    return Perception.embedded()


@pytest.fixture(scope="session")
def astronaut():
    return portrait("astronaut")


@pytest.fixture(scope="session")
def hopper():
    return portrait("hopper")


@pytest.fixture(scope="session")
def hopper_path() -> Path:
    return portrait_path("hopper")


@pytest.fixture(scope="session")
def astronaut_path() -> Path:
    return portrait_path("astronaut")


@pytest.fixture(scope="session")
def small_puppet(astronaut) -> Puppet:
    return Puppet(astronaut, SIZE, face_share=0.55)


@pytest.fixture(scope="session")
def small_clip(small_puppet, tmp_path_factory) -> Path:
    """One second, 320x240, 25 fps, two sound tracks, chapters and a title."""
    path = tmp_path_factory.mktemp("clips") / "small.mp4"
    spec = ClipSpec(rate=25, audio=(("aac", 440.0), ("aac", 660.0)), chapters=("one", "two"))
    write_puppet_clip(path, small_puppet, 1.0, spec)
    return path


@pytest.fixture(scope="session")
def brief_clip(small_puppet, tmp_path_factory) -> Path:
    """A third of a second, 320x240, 25 fps, with sound: for what does not depend on how long a clip is."""
    path = tmp_path_factory.mktemp("clips") / "brief.mp4"
    write_puppet_clip(path, small_puppet, 0.32, ClipSpec(rate=25))
    return path


@pytest.fixture(scope="session")
def long_clip(small_puppet, tmp_path_factory) -> Path:
    """Twelve seconds, 320x240, 25 fps: a swap of it is still at work when it is interrupted."""
    path = tmp_path_factory.mktemp("clips") / "long.mp4"
    write_puppet_clip(path, small_puppet, 12.0, ClipSpec(rate=25, options=(("crf", "30"), ("preset", "ultrafast"))))
    return path


@pytest.fixture(scope="session")
def blank() -> np.ndarray:
    return np.full((240, 320, 3), 127, np.uint8)
