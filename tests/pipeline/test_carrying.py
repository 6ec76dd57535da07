"""An engine that is run beside a live session: who comes first, whether it keeps up, and what is done when it fails."""

from __future__ import annotations

import itertools
import random
import threading
import time
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tests.swapping.carried.standins import StandIn, flat
from understudy import Settings
from understudy.casting.assignment import OnePerson
from understudy.casting.portraits import portrait_in
from understudy.detection import BlazeFace
from understudy.frames import Frame
from understudy.guard import Guard
from understudy.pipeline.carrying import Carrying
from understudy.pipeline.haste import Haste
from understudy.pipeline.live import LivePipeline
from understudy.pipeline.parts import Parts
from understudy.swapping import Identity, MeshEngine
from understudy.swapping.carried.engine import Carried
from understudy.testing import Puppet, talking
from understudy.testing.opened import parts_of

PATCH = object()


class Clock:
    """Goes on when it is told to."""

    def __init__(self):
        self.seconds = 100.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def carrying(clock):
    made = Carrying("slow", clock=clock)
    yield made
    made.close()


def beside(carrying, run, face=1, need=1.0, take=lambda patch: None):
    """Offer something, and wait until it was done."""
    done = threading.Event()

    def watched():
        try:
            return run()
        finally:
            done.set()

    carrying.offer(face, need, watched, take)
    return done.wait(5)


def live(carrying, clock, seconds, model, rest):
    """Frames of a session: what the model and everything else take are functions of the time so far. The switches."""
    switches, until, before = 0, clock.seconds + seconds, carrying.keeps_up
    while clock.seconds < until:
        begin = clock.seconds

        def run(begin=begin):
            clock.seconds += model(begin)
            return PATCH

        if carrying.keeps_up:
            carrying.now(run)
            spent = clock.seconds - begin + rest(begin)
        else:
            assert beside(carrying, run)
            spent = rest(begin)
        carrying.frame(spent)
        clock.seconds = max(clock.seconds, begin + max(spent, carrying.period))
        switches += carrying.keeps_up != before
        before = carrying.keeps_up
    return switches


@pytest.mark.slow
@pytest.mark.parametrize(("spent", "least", "most"), [((0.7, 0.5), 2, 10), ((0.7, 0.4), 12, 500), ((0.5,), 12, 500)])
def test_a_quick_engine_leaves_time_to_stages_that_take_long_until_they_do_not(spent, least, most):
    """Half a second of runs of 1 ms, after frames of which all stages took some share of the time between two."""
    carrying, runs = Carrying("quick", may_keep_up=False), []

    def run():
        threading.Event().wait(0.001)
        runs.append(1)
        return PATCH

    for _ in range(3):
        assert beside(carrying, run)
    for share in spent:
        for _ in range(20):
            carrying.offer(1, 1.0, lambda: None, lambda patch: None)
            carrying.frame(share * carrying.period)
    runs.clear()
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        assert beside(carrying, run)
    carrying.close()
    assert least <= len(runs) <= most


def test_of_several_faces_the_neediest_comes_first_and_of_each_its_newest_frame(carrying):
    begun, go_on, order = threading.Event(), threading.Event(), []

    def first():
        begun.set()
        go_on.wait(5)
        return PATCH

    carrying.offer("a", 1.0, first, order.append)
    assert begun.wait(5)
    carrying.offer("a", 0.5, lambda: "a, old", order.append)
    carrying.offer("b", 3.0, lambda: "b", order.append)
    carrying.offer("c", float("inf"), lambda: "c, never drawn", order.append)
    carrying.offer("a", 2.0, lambda: "a, new", order.append)
    ended = threading.Event()
    carrying.offer("last", 0.0, lambda: ended.set() or "last", order.append)
    go_on.set()
    assert ended.wait(5)
    carrying.close()
    assert order == [PATCH, "c, never drawn", "b", "a, new", "last"]


def test_a_slow_engine_is_carried_and_that_is_said_once(carrying, clock):
    assert live(carrying, clock, 20, model=lambda _: 0.8, rest=lambda _: 0.015) == 0
    assert not carrying.keeps_up
    (said,) = carrying.news()
    assert said == "slow takes 800 ms a face: the mesh carries its faces to the frames between"
    assert carrying.news() == []
    assert carrying.rate == pytest.approx(1.25, rel=0.2)
    assert carrying.kept == pytest.approx(2 + 3 * 0.8)


def test_a_quick_engine_draws_every_frame_by_itself(carrying, clock):
    assert live(carrying, clock, 5, model=lambda _: 0.006, rest=lambda _: 0.012) == 1
    assert carrying.keeps_up
    assert carrying.news() == []


def test_one_that_is_to_be_asked_now_and_then_never_does(clock):
    carrying = Carrying("slow", may_keep_up=False, clock=clock)
    assert live(carrying, clock, 5, model=lambda _: 0.006, rest=lambda _: 0.012) == 0
    carrying.close()


@pytest.mark.slow
def test_one_that_gets_slower_under_load_does_not_swing(carrying, clock):
    """Three seconds out of six something else takes the processor; or it is slow whenever every frame waits for it."""

    def model(now):
        return 0.006 if now % 6 < 3 else 0.06

    switches = live(carrying, clock, 120, model, rest=lambda _: 0.012)
    print(switches, "switches in two minutes")
    assert switches <= 14
    again = Carrying("slow", clock=clock)
    switches = live(again, clock, 120, lambda _: 0.03 if again.keeps_up else 0.006, rest=lambda _: 0.012)
    again.close()
    print(switches, "switches in two minutes")
    assert switches <= 14


@pytest.mark.parametrize("slow", [0.3, 3.0])
def test_one_that_suddenly_takes_long_holds_up_two_frames_and_is_not_waited_for_while_it_does(carrying, clock, slow):
    """Eight frames waited for it once: 24 seconds of a picture that stands still."""
    live(carrying, clock, 2, lambda _: 0.004, rest=lambda _: 0.01)
    assert carrying.keeps_up
    held_up = []

    def model(now):
        held_up.append(carrying.keeps_up)
        return slow

    assert live(carrying, clock, 10 * slow, model, rest=lambda _: 0.01) == 1
    assert held_up.count(True) == 2
    assert live(carrying, clock, 8, lambda _: 0.004, rest=lambda _: 0.01) == 1  # it is quick again


def test_one_slow_run_changes_nothing(carrying, clock):
    live(carrying, clock, 2, lambda _: 0.004, rest=lambda _: 0.01)
    until = clock.seconds + 0.02
    assert live(carrying, clock, 2, lambda now: 0.5 if now < until else 0.004, rest=lambda _: 0.01) == 0


@pytest.mark.parametrize("noise", [0.0, 0.2, 0.4])
@pytest.mark.parametrize(
    ("model", "fit", "rest"), [(0.3, 0.1, 0.5), (0.6, 0.1, 0.4), (0.2, 0.5, 0.5), (0.05, 0.3, 0.7), (0.1, 0.2, 0.3)]
)
def test_it_and_the_spared_meshes_do_not_push_each_other_to_and_fro(carrying, clock, model, fit, rest, noise):
    """Both look at what frames take: with less work for the one there is room for the other, and then none again.

    Two minutes; times over the time between two frames, each off by ``noise`` as a rule.
    """
    wander, haste, found, rested = random.Random(1), Haste(), [(0, False)], 0
    haste.period = carrying.period

    def run():
        clock.seconds += model * about()
        return PATCH

    def about():
        return carrying.period * max(wander.gauss(1, noise), 0.2)

    for number in range(3600):
        begin, fitted = clock.seconds, rested >= found[-1][0]
        rested = 0 if fitted else rested + 1
        if carrying.keeps_up:
            carrying.now(run)
            spent = clock.seconds - begin
        else:
            # Seldom: a thread that spares the frames rests, and for real.
            assert (number > 3 and number % 600) or beside(carrying, run)
            clock.seconds, spent = begin, 0.0
        spent += (rest + fit * fitted) * about()
        grade = haste(spent, fitted=fitted)
        carrying.frame(haste.lately)
        clock.seconds = begin + max(spent, carrying.period)
        found.append((grade, carrying.keeps_up))
    turns, switches = (sum(a != b for a, b in itertools.pairwise(kind)) for kind in zip(*found, strict=True))
    print(turns, "turns and", switches, "switches in two minutes")
    assert turns <= 22
    assert switches <= 14


@pytest.mark.slow
def test_one_that_hangs_while_frames_wait_for_it_holds_up_one_and_is_waited_for_again_once_it_is_back(carrying, clock):
    """A driver that hangs: the picture stood still for ever."""
    live(carrying, clock, 2, lambda _: 0.004, rest=lambda _: 0.01)
    assert carrying.keeps_up
    back, ended, asked = threading.Event(), threading.Event(), []

    def hangs():
        back.wait(20)
        ended.set()
        return PATCH

    begin = time.monotonic()
    assert carrying.now(hangs) is None
    assert carrying.now(lambda: asked.append(1)) is None  # of another face of the frame
    assert time.monotonic() - begin < 5
    for _ in range(300):
        carrying.offer(1, 1.0, lambda: asked.append(1), lambda patch: None)
        carrying.frame(0.01)
        assert not carrying.keeps_up
        clock.seconds += carrying.period
    assert not asked
    back.set()
    assert ended.wait(5)
    assert live(carrying, clock, 8, lambda _: 0.004, rest=lambda _: 0.01) == 1
    assert carrying.keeps_up


def test_one_that_hangs_beside_is_not_waited_for(carrying, clock):
    back, begun = threading.Event(), threading.Event()
    for _ in range(3):
        assert beside(carrying, lambda: PATCH)
    carrying.offer(1, 1.0, lambda: begun.set() or back.wait(20), lambda patch: None)
    assert begun.wait(5)
    clock.seconds += 2
    for _ in range(60):
        carrying.offer(1, 1.0, lambda: PATCH, lambda patch: None)
        carrying.frame(0.005)
        clock.seconds += carrying.period
    kept_up = carrying.keeps_up
    back.set()
    assert not kept_up


def test_one_that_dies_ends_no_session_and_is_not_asked_any_more(carrying, clock):
    runs = []

    def fails():
        runs.append(1)
        raise RuntimeError("out of memory")

    for _ in range(3):
        beside(carrying, fails)
    carrying.offer(1, 1.0, fails, print)
    carrying.close()
    assert len(runs) == 3
    (said,) = carrying.news()
    assert "slow fails (out of memory) and is not asked any more" in said
    assert "carried for 2.0 s, then the mesh engine draws" in said


def test_no_numbers_are_told(carrying):
    for _ in range(4):
        assert beside(carrying, lambda: None)
    carrying.close()
    (said,) = carrying.news()
    assert "gives no face" in said


# ---- in a live pipeline


@pytest.fixture(scope="module")
def pictures(astronaut):
    puppet = Puppet(astronaut, (320, 240), face_share=0.55)
    return [puppet.render(talking(number / 30)).picture for number in range(30)]


@pytest.fixture
def session(perception, hopper):
    """Makes a live pipeline over a stand-in."""
    made = []

    def make(slow):
        parts = parts_of(Settings(), perception)
        engine = Carried(slow, MeshEngine(), "slow")
        parts = Parts(engine, perception, parts.settings, parts.content, parts.sealer, parts.embedder)
        identity = engine.identity([portrait_in(hopper, "hopper", perception, None)[0]])
        made.append(LivePipeline(parts, OnePerson(identity), Guard(BlazeFace())))
        next(iter(made[-1].carrying.values())).may_keep_up = False  # however quick a stand-in is here
        return made[-1]

    yield make
    for pipeline in made:
        pipeline.close()


def shown(pipeline, pictures, step=1, before=lambda number: None):
    """What each frame shows, and how many patches it has."""
    results = []
    for number, picture in enumerate(pictures):
        before(number)
        frame = Frame(picture.copy(), number * step, Fraction(1, 30))
        results.append((pipeline.swap(frame), frame.picture))
        next(iter(pipeline.carrying.values())).frame(0.02)
    return results


@pytest.mark.slow
def test_no_frame_waits_and_none_is_unswapped_while_the_engine_is_at_work(session, pictures):
    begun, go_on = threading.Event(), threading.Event()

    def waits(frame, mesh):
        begun.set()
        go_on.wait(10)
        return np.full_like(frame.picture, (0, 0, 255))

    pipeline = session(StandIn(waits))

    def before(number):
        if number == 12:
            assert begun.is_set()
            go_on.set()
        if number > 12 and not pipeline.tally.carried.runs:
            threading.Event().wait(0.1)

    results = shown(pipeline, pictures, before=before)
    assert all(done.patches for done, _ in results)
    red = [int(done.patches[0].picture[done.patches[0].alpha > 200].mean(0).argmax()) for done, _ in results]
    assert pipeline.tally.carried.runs >= 1
    assert pipeline.tally.carried.own >= 12  # until then the mesh engine drew
    assert pipeline.tally.carried.summary().age[0] > 0
    assert red[-1] == 2


@pytest.mark.slow
def test_what_comes_in_another_light_is_lit_as_the_frame_at_once(session, pictures):
    """The mesh engine's face is skin, the engine's white: in no frame does the one show in the light of the other."""
    pipeline = session(StandIn(flat(250)))

    def before(number):
        if number > 6 and not pipeline.tally.carried.runs:
            threading.Event().wait(0.2)

    still = [pictures[0]] * 24
    results = shown(pipeline, still, before=before)
    patch = results[-1][0].patches[0]
    cheek = (patch.mesh[50, :2]).astype(int)
    around = [float(picture[cheek[1] - 3 : cheek[1] + 4, cheek[0] - 3 : cheek[0] + 4].mean()) for _, picture in results]
    print([round(one) for one in around])
    assert pipeline.tally.carried.summary().age is not None
    assert np.ptp(around) < 25


@pytest.mark.slow
def test_when_the_engine_dies_its_last_face_is_carried_for_a_while_then_the_mesh_engine_draws(session, pictures):
    slow = StandIn(flat((0, 0, 255)))
    pipeline = session(slow)

    def dies(frame, mesh):
        raise RuntimeError("gone")

    def before(number):
        threading.Event().wait(0.02)
        if number == 10:
            slow.draw = dies

    # Ten frames a second: the last twenty are two seconds.
    results = shown(pipeline, [*pictures, *pictures[::-1]], step=3, before=before)
    reds = [np.ptp(done.patches[0].picture[done.patches[0].alpha > 200].mean(0)) for done, _ in results]
    assert all(done.patches for done, _ in results)
    assert reds[12] > 200  # the engine's red, carried
    assert reds[-1] < 150  # skin
    assert pipeline.tally.carried.own > 10
    said = pipeline.news()
    assert any("not asked any more" in one for one in said)
    assert any("the mesh engine draws" in one for one in said)


@pytest.mark.slow
def test_when_the_engine_hangs_in_a_frame_its_last_face_is_carried_for_a_while_then_the_mesh_engine_draws(
    session, pictures
):
    slow, back = StandIn(flat((0, 0, 255))), threading.Event()
    pipeline = session(slow)
    carrying = next(iter(pipeline.carrying.values()))
    carrying.may_keep_up = True

    def hangs(frame, mesh):
        back.wait(60)
        return frame.picture

    def before(number):
        threading.Event().wait(0.02)
        if carrying.keeps_up and number > 15:
            slow.draw = hangs

    pipeline.expect(5)
    results = shown(pipeline, [*pictures, *pictures[::-1]] * 2, step=3, before=before)
    back.set()
    assert slow.draw is hangs
    reds = [np.ptp(done.patches[0].picture[done.patches[0].alpha > 200].mean(0)) for done, _ in results]
    assert all(done.patches for done, _ in results)
    assert reds[15] > 200  # the engine's red
    assert reds[-1] < 150  # skin
    assert any("has given nothing for" in one and "the mesh engine draws" in one for one in pipeline.news())


def test_an_engine_that_fails_stops_no_other(perception):
    """Each has failures, times and a thread of its own; what they did is counted together."""
    parts = parts_of(Settings(), perception)
    bad, good = (Carried(StandIn(lambda frame, mesh: frame.picture), MeshEngine(), name) for name in ("bad", "good"))
    parts = replace(parts, engine=bad, others=(good,))
    pipeline = LivePipeline(parts, OnePerson(Identity()), Guard(BlazeFace()))
    first, second = pipeline.carrying[bad], pipeline.carrying[good]

    def fail():
        raise RuntimeError("no kernels")

    taken = []
    for _ in range(3):
        first.now(fail)
    second.now(lambda: taken.append(1))
    assert taken
    assert [what.split()[0] for what in pipeline.news()] == ["bad"]
    assert first.counts is second.counts is pipeline.tally.carried
    pipeline.close()
