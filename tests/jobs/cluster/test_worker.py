"""What a worker of a cluster does with what comes, without Ray: lays it down, works it, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.jobs.cluster.fakes import FakeCluster, node
from tests.tasks.segments.conftest import SHORT
from tests.twins import linked
from understudy import Settings, Understudy
from understudy.errors import ModelError, RunError
from understudy.jobs.cluster import head
from understudy.jobs.cluster.board import Board
from understudy.jobs.cluster.crew import ClusterOptions, Crew
from understudy.jobs.cluster.fitness import models_there, needs
from understudy.jobs.cluster.head import WorkedByCluster
from understudy.jobs.cluster.parcels import parcel_of
from understudy.jobs.cluster.worker import ClusterWorker, Place
from understudy.jobs.job import Order
from understudy.jobs.jobs import Jobs, cast_of
from understudy.jobs.workshop import WorkedHere
from understudy.media.files import open_source
from understudy.provenance import ConsentClaim
from understudy.provenance.records.home import Home

NEURAL = "hyperswap_1a_256"
PLACE, SAMPLE = Place(1, 4 << 30, 0), ConsentClaim("sample")


class WithPieces(ClusterWorker):
    """A worker whose references are the bytes themselves."""

    def __init__(self, place, folder, own):
        super().__init__(place, lambda piece: piece, own, folder)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "there").mkdir()
    return tmp_path / "there"


class Watching:
    """Does jobs by a cluster without Ray, and looks at what travels."""

    def __init__(self, app, place, own, nodes=2):
        self.said, self.parcels, self.app = [], [], app
        self.board = Board(self.said.append)
        self.cluster = FakeCluster([node(str(n)) for n in range(nodes)], lambda _, at: WithPieces(at, place, own))
        options = ClusterOptions(stalled=60, patience=0.5, every=0.05)
        self.crew = Crew(self.cluster, self.board, options)
        self.workshop = WorkedByCluster(self.board, app.resources.home, bytes, lambda: self.crew.coming, 0.5)

    def run(self, jobs):
        with self.crew:
            return jobs.run_with(self.workshop)


class JobsWith(Jobs):
    """Jobs whose segments are worked by whom is named."""

    def run_with(self, workshop):
        make, self._make = self._make, lambda claim, progress: make(claim, progress, workshop, self.segments)
        try:
            return self.run()
        finally:
            self._make = make


@pytest.fixture
def jobs(app):
    return JobsWith(app.resources, app.known, app.settings, replace(SHORT, whole=True))


@pytest.fixture
def order(tmp_path, scenes, hopper_path):
    return Order(scenes, tmp_path / "out.mp4", (hopper_path,))


@pytest.mark.slow
def test_a_job_is_done_by_others_and_signed_here(app, jobs, order, place, tmp_path):
    (number,) = jobs.add(order, SAMPLE)
    watching = Watching(app, place, tmp_path / "own")
    assert watching.run(jobs) == 1
    job = jobs.show(number)
    assert (job.report["frames"], job.report["frames_swapped"]) == (48, 48)
    assert app.inspect(order.output).verdict == "made by this tool"
    assert watching.said == []
    assert list(place.rglob("*.*")) == []  # nothing is left of any worker
    assert not (tmp_path / "own").exists()  # and the folders of whoever owns their machines were not touched


@pytest.mark.slow
def test_what_travels_holds_no_key_no_record_and_no_path(app, jobs, order, place, tmp_path, hopper_path):
    """All that is sent to a worker, and all that lies in its folder."""
    jobs.add(order, SAMPLE)
    sent = []

    class Spying:
        def work(self, clip, done):
            sent.append(parcel_of("12", clip, bytes))
            WorkedHere(app.resources, app.known).work(clip, done)

    jobs.run_with(Spying())
    (parcel,) = sent
    settings = json.loads(parcel.settings)
    assert (settings["home"], settings["signing"]) == (None, {"certificate": None, "key": None})
    said = repr((parcel.settings, parcel.cast, parcel.plan, list(parcel.files), parcel.name))
    assert str(tmp_path) not in said
    assert str(hopper_path.parent) not in said
    assert list(parcel.files.values()) == [hopper_path.read_bytes()]
    assert parcel.cast.consent is None
    worker = WithPieces(PLACE, place, tmp_path / "own")
    try:
        assert worker.receive(parcel) is None
        there = [path for path in place.rglob("*") if path.is_file()]
        assert not [path for path in there if path.name in ("ledger.db", "consents.db") or "keys" in path.parts]
        for path in [place, *place.rglob("*")]:
            if not path.is_symlink() and path != place:
                assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        answer = worker.work("12", 0)
        assert answer["pieces"] == 1
        worker.forget("12")
        left = {path.name for path in place.rglob("*") if path.is_file()}
        assert not [name for name in left if name not in (".lock",) and not name.startswith(".worker")]
    finally:
        worker.close()
    assert list(place.rglob(".*")) == []


def test_what_a_killed_worker_left_goes_when_the_next_begins(place, tmp_path):
    # It ends as when it is killed: nothing is tidied up.
    begin = (
        "import os, sys; from pathlib import Path; from tests.jobs.cluster.test_worker import PLACE, WithPieces; "
        "killed = WithPieces(PLACE, *map(Path, sys.argv[1:])); os._exit(0)"
    )
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", begin, place, tmp_path / "own"], check=True, cwd=root, timeout=60)
    (folder,) = place.iterdir()
    before = {path.name for path in folder.iterdir()}
    assert len(before) == 3
    worker = WithPieces(PLACE, place, tmp_path / "own")
    assert not before & {path.name for path in folder.iterdir()}
    worker.close()


@pytest.mark.slow
def test_a_clip_that_did_not_come_whole_is_not_used(app, jobs, order, place, tmp_path):
    (number,) = jobs.add(order, SAMPLE)
    watching = Watching(app, place, tmp_path / "own")
    watching.workshop.put = lambda piece: piece[:-1] + b"x"
    assert watching.run(jobs) == 0
    failure = jobs.show(number).failure
    assert (failure.exit_code, "is another file" in failure.message) == (3, True)


@pytest.mark.slow
def test_a_model_that_no_worker_has_fails_the_job_and_names_it(order, place, tmp_path, shelf):
    """The head has the model; the workers do not: see ``why_not`` for the other ways of not fitting."""
    shutil.copytree(shelf, tmp_path / "home", copy_function=linked)
    with Understudy(Settings(home=tmp_path / "home")) as app:
        jobs = JobsWith(app.resources, app.known, app.settings, replace(SHORT, whole=True))
        (number,) = jobs.add(replace(order, settings={"engine": NEURAL}), SAMPLE)
        watching = Watching(app, place, tmp_path / "own")
        assert watching.run(jobs) == 0
        failure = jobs.show(number).failure
    assert failure.exit_code == ModelError.exit_code
    assert "no worker of the cluster can do this" in failure.message
    assert NEURAL in failure.message
    assert len(watching.said) == 2  # each worker's, once
    assert all(worker.clips == {} for worker in watching.cluster.workers)


def test_a_worker_says_what_models_it_has(tmp_path, app, order):
    with open_source(order.target, 10**9) as source:
        info = source.info
    needed = needs(cast_of(order), info, app.settings, app.resources.home, 1000)
    assert (needed.models, needed.gpu, needed.disk) == ({}, False, 2000)
    assert 5e8 < needed.memory < 2e9
    assert models_there(Home(tmp_path / "none")) == {}


@pytest.fixture
def on(monkeypatch, place, tmp_path):
    """Has ``jobs run --cluster`` find machines without Ray."""

    def found(*nodes):
        cluster = FakeCluster(nodes, lambda _, at: WithPieces(at, place, tmp_path / "own"))
        monkeypatch.setattr(head, "joined", lambda _: nullcontext(SimpleNamespace(put=bytes)))
        monkeypatch.setattr(head, "RayCluster", lambda _: cluster)
        monkeypatch.setattr(head, "ClusterOptions", partial(ClusterOptions, patience=0.5, every=0.05))
        return cluster

    return found


@pytest.mark.slow
def test_ctrl_c_leaves_the_jobs_waiting_and_nothing_on_the_machines(jobs, order, on, place, tmp_path):
    on(node("a"), node("b"))
    numbers = jobs.add([order, replace(order, output=tmp_path / "b.mp4")], SAMPLE)
    pressed = []

    def press(frames, _):
        if frames > 20 and not pressed:
            pressed.append(frames)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        jobs.run(cluster="there", progress=press)
    assert {jobs.show(number).state for number in numbers} == {"waiting"}
    assert list(place.rglob("*.*")) == []
    seen = []
    assert jobs.run(cluster="there", progress=lambda *frames: seen.append(frames)) == 2
    assert seen[-1] == (96, 96)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.slow
def test_a_cluster_without_a_worker_is_not_waited_for_for_long(jobs, order, on):
    on(node("head", cores=0))
    (number,) = jobs.add(order, SAMPLE)
    with pytest.raises(RunError, match="the cluster has no worker"):
        jobs.run(cluster="there")
    assert jobs.show(number).state == "waiting"


@pytest.mark.slow
def test_the_most_urgent_job_goes_first_and_the_head_does_what_needs_no_worker(
    jobs, order, on, tmp_path, astronaut_path
):
    cluster = on(node("a"))
    later, picture, urgent = jobs.add(
        [
            order,
            replace(order, target=astronaut_path, output=tmp_path / "out.png"),
            replace(order, output=tmp_path / "urgent.mp4", priority=1),
        ],
        SAMPLE,
    )
    ended = []
    told = lambda job: ended.append(job.number) if job.state == "done" else None  # noqa: E731
    assert jobs.run(cluster="there", told=told) == 3
    assert ended.index(urgent) < ended.index(later)
    assert picture in ended
    assert len(cluster.hands) == 1
