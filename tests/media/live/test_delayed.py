"""A source that is late on purpose."""

import time
from fractions import Fraction

import numpy as np
import pytest

from understudy.media.live import delayed as module
from understudy.media.live.base import LiveInfo, Picture, Remark, Sound, SourceEnded
from understudy.media.live.delayed import DelayedSource


class Clock:
    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Script:
    """A source that gives a picture every tenth of a second, in one memory, with sound between."""

    def __init__(self, clock, count):
        self.clock, self.count, self.given, self.closed = clock, count, 0, 0
        self.memory = np.zeros((2, 2, 3), np.uint8)

    def open(self):
        return LiveInfo("script", 2, 2, Fraction(10))

    def read(self):
        if self.given >= self.count:
            raise SourceEnded
        self.given += 1
        self.clock.now += 0.05
        if self.given % 2:
            return Sound(np.full((1, 2), self.given, np.int16), self.clock.now)
        self.memory[:] = self.given
        return Picture(self.memory, self.clock.now)

    def abandon(self):
        self.closed += 10

    def close(self):
        self.closed += 1


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(module, "time", found)
    return found


def everything(source):
    found = []
    while True:
        try:
            item = source.read()
        except SourceEnded:
            return found
        if item is not None:
            number = item.picture[0, 0, 0] if isinstance(item, Picture) else item.samples[0, 0]
            found.append((int(number), item.at))


def test_without_a_delay_everything_passes(clock):
    found = everything(DelayedSource(Script(clock, 20)))
    assert [number for number, _ in found] == list(range(1, 21))
    assert found[0][1] == pytest.approx(100.05)


def test_pictures_and_sound_come_later_in_step_and_all_of_them(clock):
    inner = Script(clock, 60)
    delayed = DelayedSource(inner, 1.0)
    assert delayed.open().name == "script"
    found = everything(delayed)
    assert [number for number, _ in found] == list(range(1, 61))
    assert all(at == pytest.approx(100 + 0.05 * number + 1.0) for number, at in found)


def test_a_shorter_delay_leaves_out_what_lies_between_and_time_goes_on(clock):
    source, found = DelayedSource(Script(clock, 100), 1.0), []
    while len(found) < 20:
        item = source.read()
        found += [] if item is None else [item.at]
    source.seconds = 0.2
    item = None
    while item is None:
        item = source.read()
    assert item.at >= found[-1]
    assert clock.now - item.at <= 0.21


def test_what_is_told_of_a_source_is_told_at_once(clock):
    class Damaged(Script):
        def read(self):
            return Remark("damaged")

    assert DelayedSource(Damaged(clock, 1), 5.0).read() == Remark("damaged")


def test_no_more_waits_than_there_is_memory_for(clock, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 12 * 5)
    source, waited = DelayedSource(Script(clock, 100), 5.0), []
    while len(waited) < 10:
        begun, item = clock.now, source.read()
        if item is not None:
            waited.append(begun - item.at)
    assert max(waited) < 0.7


def test_what_waits_is_let_go_at_the_end(clock):
    inner = Script(clock, 100)
    source = DelayedSource(inner, 5.0)
    for _ in range(10):
        assert source.read() is None
    source.close()
    source.seconds = 0
    assert inner.closed == 1
    item = source.read()
    assert item.at == clock.now
    source.abandon()
    assert inner.closed == 11


def test_the_clock_of_the_system_is_the_one_that_sources_use():
    assert module.time is time
