"""Workers of a cluster: begun, watched and replaced; who gets which segment, and what becomes of one that failed."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.jobs.cluster.fakes import FakeCluster, FakeWorker, node
from tests.waiting import until
from understudy.errors import ConsentError, InputError, ModelMissingError, NoFaceError, RunError, UnderstudyError
from understudy.jobs.cluster.board import MOST_LOST, Board
from understudy.jobs.cluster.crew import ClusterOptions, Crew, places
from understudy.jobs.cluster.fitness import Needs, versions
from understudy.jobs.cluster.worker import Place

QUICK = ClusterOptions(stalled=0.5, starting=2.0, patience=0.3, every=0.05)
NOTHING = Needs({}, 1000, 1000, gpu=False)


class Scene:
    """A board, a crew and what was said."""

    def __init__(self, folder, cluster, options=QUICK):
        self.said, self.folder, self.cluster = [], folder, cluster
        self.board = Board(self.said.append)
        self.crew = Crew(cluster, self.board, options)

    def open(self, key="k", segments=6, needs=NOTHING, priority=0):
        target = SimpleNamespace(name=f"{key}.mp4")
        clip = SimpleNamespace(
            missing=range(segments), priority=priority, target=target, path=lambda n: self.folder / f"{key}-{n}"
        )
        return self.board.open(key, clip, needs, f"parcel of {key}")

    def all_of(self, clip, seconds=10.0):
        """The segments that come back, by place, as soon as all are there."""
        found, until = [], time.monotonic() + seconds
        while len(found) < len(clip.clip.missing):
            assert time.monotonic() < until, (found, self.said)
            one = self.board.next(clip, 0.05)
            if one is not None:
                path, report = one
                assert path.read_bytes() == f"{clip.key} {report.index}".encode() * 1000
                assert path.stat().st_mode & 0o777 == 0o600
                found.append(report.index)
        self.board.close(clip)
        return sorted(found)


@pytest.fixture
def scene(tmp_path):
    def made(*nodes, make=lambda _, place: FakeWorker(place), options=QUICK):
        return Scene(tmp_path, FakeCluster(nodes or [node("a"), node("b")], make), options)

    return made


def test_segments_are_shared_by_workers_and_a_clip_is_sent_to_each_once(scene):
    on = scene()
    with on.crew:
        assert on.all_of(on.open()) == list(range(6))
        assert on.all_of(on.open("second")) == list(range(6))
        until(lambda: not on.board.keys)
    for worker in on.cluster.workers:
        assert worker.received == ["parcel of k", "parcel of second"]
        assert worker.closed
    worked = [one for worker in on.cluster.workers for one in worker.worked]
    assert len(worked) == len(set(worked)) == 12
    assert on.cluster.workers[0].forgotten == ["k"]
    assert on.said == []


def test_what_is_urgent_goes_first_and_a_worker_stays_with_its_clip(scene):
    on = scene(node("a"))
    first, second = on.open("first", 3), on.open("second", 2)
    urgent = on.open("urgent", 2, priority=1)
    with on.crew:
        for clip in (urgent, first, second):
            on.all_of(clip)
    assert [key for key, _ in on.cluster.workers[0].worked] == ["urgent"] * 2 + ["first"] * 3 + ["second"] * 2


@pytest.mark.slow
@pytest.mark.parametrize("how", ["dies", "stands still", "its machine goes"])
def test_a_worker_that_is_lost_is_replaced_and_its_segment_goes_to_another(scene, how):
    on = scene(options=ClusterOptions(stalled=0.3, every=0.05))
    with on.crew:
        until(lambda: on.board.workers == 2)
        hand = on.cluster.hands[0]
        for worker in on.cluster.workers:
            worker.seconds = 0.3
        clip = on.open(segments=8)
        until(lambda: hand.worker.worked)
        if how == "dies":
            hand.kill()
        elif how == "stands still":
            hand.worker.stands = True
        else:
            on.cluster.there = [one for one in on.cluster.there if one is not hand.node] + [node("c")]
        assert on.all_of(clip) == list(range(8))
        until(lambda: on.board.workers == 2 and len(on.cluster.hands) == 3)
    assert any("is lost" in said for said in on.said)


def test_a_machine_that_is_about_to_leave_finishes_its_segment_and_gets_no_other(scene):
    on = scene()
    for worker in on.cluster.workers:
        worker.seconds = 0.2
    clip = on.open(segments=8)
    with on.crew:
        until(lambda: on.board.workers == 2 and all(worker.worked for worker in on.cluster.workers))
        on.cluster.there[0] = node("a", leaving=True)
        leaving = next(hand.worker for hand in on.cluster.hands if hand.node.id == "a")
        until(lambda: leaving.closed)
        begun = len(leaving.worked)
        assert on.all_of(clip) == list(range(8))
    assert len(leaving.worked) == begun
    assert len(on.cluster.hands) == 2  # nothing new is begun there
    assert not clip.lost
    assert on.said == []


def test_a_machine_that_joins_gets_work(scene):
    on = scene(node("a"))
    with on.crew:
        on.all_of(on.open("one", 1))
        on.cluster.there.append(node("b"))
        until(lambda: on.board.workers == 2)
        assert on.all_of(on.open("more", 8)) == list(range(8))
    assert all(worker.worked for worker in on.cluster.workers)


def test_an_error_that_two_workers_have_is_the_jobs_own(scene):
    def broken(_, place):
        worker = FakeWorker(place)
        worker.fault = NoFaceError("no face is in it", "Use another.")
        return worker

    on = scene(make=broken)
    with on.crew:
        until(lambda: on.board.workers == 2)
        with pytest.raises(NoFaceError, match="no face is in it") as caught:
            on.all_of(on.open(segments=1))
    assert (caught.value.hint, caught.value.exit_code) == ("Use another.", 3)
    assert sum(len(worker.worked) for worker in on.cluster.workers) == 2
    assert all(worker.worked for worker in on.cluster.workers)  # not the same one twice


def test_a_worker_that_alone_fails_does_not_fail_the_job(scene):
    def one_broken(where, place):
        worker = FakeWorker(place)
        worker.fault = RunError("its disk is full", "") if where.id == "a" else None
        return worker

    on = scene(make=one_broken)
    with on.crew:
        until(lambda: on.board.workers == 2)
        assert on.all_of(on.open()) == list(range(6))


def test_what_is_refused_is_not_tried_twice(scene):
    def refusing(_, place):
        worker = FakeWorker(place)
        worker.fault = ConsentError("not hers", "Ask.")
        return worker

    on = scene(make=refusing)
    clip = on.open(segments=1)
    with on.crew, pytest.raises(ConsentError):
        on.all_of(clip)
    assert sum(len(worker.worked) for worker in on.cluster.workers) == 1


def test_a_segment_that_ends_each_worker_fails_its_job_and_no_other(scene):
    class Dying(FakeWorker):
        def work(self, key, index):
            if (key, index) == ("bad", 1):
                next(hand for hand in on.cluster.hands if hand.worker is self).dead = True
            return super().work(key, index)

    on = scene(make=lambda _, place: Dying(place))
    bad, good = on.open("bad", 3), on.open("good", 12)
    with on.crew:
        with pytest.raises(RunError, match=f"has ended its worker {MOST_LOST} times"):
            on.all_of(bad)
        on.board.close(bad)
        assert on.all_of(good) == list(range(12))


@pytest.mark.slow
def test_a_machine_with_another_version_gets_nothing_and_that_is_said_once(scene):
    def old(where, place):
        other = versions() | {"understudy": "0.0.1"} if where.id == "a" else versions()
        return FakeWorker(place, versions=other)

    on = scene(make=old)
    with on.crew:
        assert on.all_of(on.open()) == list(range(6))
        time.sleep(0.2)
    assert len(on.said) == 1
    assert "a gets no work, for there is another version: understudy 0.0.1" in on.said[0]
    assert len(on.cluster.hands) == 2


@pytest.mark.parametrize(
    ("about", "needs", "why"),
    [
        ({}, Needs({"m": "1"}, 0, 0, gpu=False), "the model m is not here"),
        ({"models": {"m": "2"}}, Needs({"m": "1"}, 0, 0, gpu=False), "the model m is another file than here"),
        ({"memory": 10**9}, Needs({}, 2 * 10**9, 0, gpu=False), "2.0 GB of memory are needed, and it has 1.0"),
        ({"disk": 10**9}, Needs({}, 0, 2 * 10**9, gpu=False), "2.0 GB of disk are needed, and 1.0 are free"),
        ({}, Needs({}, 0, 0, gpu=True), "it has no GPU"),
    ],
)
def test_a_worker_that_will_not_do_gets_no_segment_of_that_job_and_is_told_why_once(scene, about, needs, why):
    fitting = {"models": {"m": "1"}, "memory": 1 << 40, "disk": 1 << 40, "gpus": 1}
    on = scene(make=lambda where, place: FakeWorker(place, **(about if where.id == "a" else fitting)))
    clip = on.open("picky", needs=needs)
    easy = on.open("easy", 20)
    with on.crew:
        until(lambda: on.board.workers == 2)
        assert on.all_of(clip) == list(range(6))
        on.all_of(easy)
    unfit = next(hand.worker for hand in on.cluster.hands if hand.node.id == "a")
    assert unfit.worked
    assert all(key == "easy" for key, _ in unfit.worked)
    assert len(on.said) == 1
    assert why in on.said[0]


def test_it_is_known_that_nobody_can_do_a_job(scene):
    on = scene()
    clip = on.open(needs=Needs({"m": "1"}, 0, 0, gpu=False))
    assert on.board.refusal(clip) is None  # nobody is there
    with on.crew:
        until(lambda: on.board.workers == 2)
        assert isinstance(on.board.refusal(clip), ModelMissingError)


def test_workers_with_a_gpu_take_the_place_of_others_where_a_job_wants_one(scene):
    on = scene(node("a", cores=3, gpus=1, memory=12e9))
    with on.crew:
        until(lambda: on.board.workers == 3)
        assert all(hand.place.gpus == 0 for hand in on.cluster.hands)
        assert on.all_of(on.open(needs=Needs({}, 0, 0, gpu=True))) == list(range(6))
        until(lambda: on.board.workers == 3)
    assert sum(hand.place.gpus for hand in on.cluster.hands) == 1
    assert [hand.worker for hand in on.cluster.hands if hand.worker.worked] == [on.cluster.workers[-1]]


def test_how_many_workers_a_machine_has_room_for():
    assert places(node(cores=0), 1, gpu=False) == []
    assert places(node(cores=4, memory=8e9), 1, gpu=False) == [Place(1, int(2e9), 0)] * 4
    assert places(node(cores=4, memory=8e9), 2, gpu=False) == [Place(2, int(4e9), 0)] * 2
    assert places(node(cores=8, memory=3e9), 1, gpu=False) == [Place(1, int(1e9), 0)] * 3
    assert places(node(cores=1, memory=5e8), 1, gpu=False) == [Place(1, int(5e8), 0)]
    assert places(node(cores=2, memory=4e9, gpus=1), 1, gpu=True) == [Place(1, int(2e9), 1), Place(1, int(2e9), 0)]


def test_a_job_that_is_stopped_frees_its_workers(scene):
    on = scene(node("a"))
    with on.crew:
        until(lambda: on.board.workers == 1)
        worker = on.cluster.workers[0]
        worker.seconds = 3
        clip = on.open()
        until(lambda: worker.worked)
        on.board.close(clip)
        worker.seconds = 0.01
        assert on.all_of(on.open("next", 2)) == [0, 1]
    assert [key for key, _ in worker.worked] == ["k", "next", "next"]
    assert list(Path(on.folder).glob("k-*")) == []


@pytest.mark.slow
def test_a_machine_on_which_none_begins_is_let_alone(scene, monkeypatch):
    from understudy.jobs.cluster import crew

    monkeypatch.setattr(crew, "AGAIN", 0.01)

    class Absent(FakeWorker):
        def describe(self):
            raise ModuleNotFoundError("No module named 'understudy'")

    on = scene(make=lambda where, place: (Absent if where.id == "a" else FakeWorker)(place))
    with on.crew:
        assert on.all_of(on.open()) == list(range(6))
        until(lambda: sum(hand.node.id == "a" for hand in on.cluster.hands) == 3)
        time.sleep(0.3)
    assert sum(hand.node.id == "a" for hand in on.cluster.hands) == 3
    assert any("a gets no work: no worker begins there" in said for said in on.said)


def test_errors_cross_with_message_hint_and_exit_code(tmp_path):
    from understudy.errors import CorruptMediaError, InputGoneError
    from understudy.jobs.cluster.crossing import packed, unpacked

    for fault in (
        InputError("a", "b"),
        CorruptMediaError(Path("clip.mp4"), 2.5, "bad"),
        ModelMissingError("m"),
        InputGoneError(Path("x")),
    ):
        back = unpacked(packed(fault))
        assert (type(back), back.message, back.hint) == (type(fault), fault.message, fault.hint)
        assert back.exit_code == fault.exit_code
        assert isinstance(back, type(fault).__mro__[1])
    assert unpacked(packed(CorruptMediaError(Path("c"), 2.5, "bad"))).at_seconds == 2.5
    assert (
        unpacked(packed(InputError(f"can't read {tmp_path}/me.jpg", ""), str(tmp_path))).message == "can't read me.jpg"
    )
    assert "unexpected ZeroDivisionError" in unpacked(packed(ZeroDivisionError("x"))).message
    assert "No such file" in unpacked(packed(FileNotFoundError(2, "No such file", "x"))).message
    strange = unpacked({"kind": "Sequence", "message": "m", "hint": "h"})
    assert isinstance(strange, UnderstudyError)
