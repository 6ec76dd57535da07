"""How many live sessions there may be."""

from __future__ import annotations

import time

import pytest

from understudy.server.api import places as module
from understudy.server.api.places import FullError, Places


class Clock:
    """A clock, and how much this process has worked."""

    now = worked = 0.0

    def monotonic(self):
        return self.now

    def process_time(self):
        return self.worked


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(time, "monotonic", found.monotonic)
    monkeypatch.setattr(time, "process_time", found.process_time)
    return found


def run(places, clock, cost, sessions=1, seconds=30, frames=0):
    """Have sessions run that cost so many processors each."""
    for _ in range(seconds):
        places.look(frames)
        clock.now, clock.worked, frames = clock.now + 1, clock.worked + cost * sessions, frames + 30 * sessions
    return frames


def test_what_was_said_counts():
    places = Places(2)
    places.take()
    places.take()
    with pytest.raises(FullError, match="2 live sessions") as told:
        places.take()
    assert told.value.seconds > 0
    places.give_back()
    places.take()
    assert places.as_json()["by"] == "--live"
    with pytest.raises(FullError):
        Places(0).take()


@pytest.mark.parametrize(
    ("cores", "cost", "most"), [(2, 0.8, 2), (2, 1.2, 1), (16, 0.8, 17), (1, 5.0, 1), (64, 0.01, 64)]
)
def test_as_many_as_the_machine_carries(clock, cores, cost, most):
    places = Places(cores=cores)
    assert places.as_json()["by"] == "a guess"
    run(places, clock, cost)
    assert places.most == most
    assert places.as_json()["by"] == "measured"
    assert places.as_json()["cores_a_session"] == pytest.approx(cost)


def test_several_at_a_time_and_some_that_end_count_each_for_itself(clock):
    places = Places(cores=16)
    places.take()
    places.take()
    run(places, clock, 0.5, sessions=2)
    places.give_back()
    run(places, clock, 0.5, frames=40)
    assert places.as_json()["cores_a_session"] == pytest.approx(0.5)


def test_a_moment_is_not_believed(clock):
    places = Places(cores=4)
    run(places, clock, 9.0, seconds=2)
    assert places.as_json()["by"] == "a guess"


def test_processors_of_this_process_are_counted():
    assert Places().cores == module.cores_of_this_process() >= 1


def test_a_machine_that_does_not_carry_a_session_of_usual_pictures_is_sent_small_ones():
    assert Places(cores=2).picture == (640, 360)
    assert Places(cores=8).picture == (1280, 720)
