"""A source, microphone or sink that breaks in an odd way ends the session, or is told: nobody waits for it for ever."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from tests.sessions.stage import Screen, until
from understudy.errors import InputError, UnderstudyError
from understudy.media.live.base import Picture, Sound, SourceEnded
from understudy.sessions import intake
from understudy.sessions.intake import Intake
from understudy.sessions.statistics import LiveStatistics, Recorder
from understudy.testing import FakeCamera

ENDINGS = [
    SystemExit("over"),
    ValueError("odd"),
    *(pytest.param(fault, marks=pytest.mark.slow) for fault in (KeyboardInterrupt(), GeneratorExit(), MemoryError())),
]


class Breaking(FakeCamera):
    """A camera that, after a few pictures, does something else."""

    def __init__(self, pictures, then, until=None, info=None):
        super().__init__(pictures)
        self._then, self._until, self._changed = then, until or (lambda: self.shown >= 3), info or {}

    def open(self):
        return replace(super().open(), **self._changed)

    def read(self):
        if self._until():
            if isinstance(self._then, BaseException):
                raise self._then
            return self._then
        return super().read()


def ends(live, seconds=60):
    live.start()
    assert live.wait(seconds), "it still waits"
    with pytest.raises(UnderstudyError) as told:
        live.stop()
    return told.value


@pytest.mark.slow
@pytest.mark.parametrize("fault", ENDINGS, ids=lambda fault: type(fault).__name__)
def test_a_source_that_ends_by_whatever_error_ends_the_session(session, pictures, fault):
    screen = Screen()
    source = Breaking(pictures, fault, until=lambda: screen.seconds)  # all of it runs by then
    told = ends(session(screen, source=source))
    assert type(fault).__name__ in told.message
    assert source.closed


@pytest.mark.slow
@pytest.mark.parametrize("fault", [ENDINGS[0], ENDINGS[2]], ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize("where", ["open", "write", "close"])
def test_so_does_a_sink(session, pictures, where, fault):
    screen = Screen()

    def fail(*_):
        raise fault

    setattr(screen, where, fail)
    live = session(screen, source=Breaking(pictures, SourceEnded(), until=lambda: screen.seconds))
    live.start()
    assert live.wait(60), "it still waits"
    try:
        notes = live.stop().notes
    except UnderstudyError as told:
        notes = (told.message,)
    assert type(fault).__name__ in " ".join(notes)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [ENDINGS[0], ENDINGS[2]], ids=lambda fault: type(fault).__name__)
def test_and_a_microphone(session, pictures, fault):
    class Microphone:
        def open(self):
            pass

        def read(self):
            raise fault

        def close(self):
            pass

        def abandon(self):
            pass

    told = ends(session(Screen(), source=FakeCamera(pictures), microphone=Microphone()))
    assert type(fault).__name__ in told.message


@pytest.mark.parametrize("fault", [ENDINGS[0], ENDINGS[2]], ids=lambda fault: type(fault).__name__)
@pytest.mark.slow
def test_and_the_thread_of_the_statistics(session, pictures, tmp_path, monkeypatch, fault):
    def save(*_, **__):
        if threading.current_thread().name == "stats":
            raise fault

    monkeypatch.setattr(LiveStatistics, "save", save)
    told = ends(session(Screen(), source=FakeCamera(pictures), stats_file=tmp_path / "stats.json"))
    assert type(fault).__name__ in told.message


GOOD = np.zeros((240, 320, 3), np.uint8)
JUNK = {
    "floats": Picture(GOOD.astype(np.float32), 0.0),
    "grey": Picture(GOOD[:, :, 0], 0.0),
    "four colours": Picture(np.zeros((240, 320, 4), np.uint8), 0.0),
    "empty": Picture(GOOD[:0], 0.0),
    "empty across": Picture(GOOD[:, :0], 0.0),
    "no picture": Picture(None, 0.0),
    "a list": Picture([[1, 2, 3]], 0.0),
    "objects": Picture(np.full((2, 2, 3), None), 0.0),
    "no time": Picture(GOOD, None),
    "never": Picture(GOOD, float("nan")),
    "at the end of time": Picture(GOOD, float("inf")),
    "gigantic": Picture(np.broadcast_to(np.uint8(0), (30_000, 30_000, 3)), 0.0),
    "an array": GOOD,
    "a tuple": (GOOD, 0.0),
    "a number": 5,
}


def taken_in(source, hear=None):
    """What takes in a source's pictures, to be run; what it is told; and what stops it."""
    recorder, stop = Recorder(), threading.Event()
    taking = Intake(source, None, stop, threading.Event())
    taking.open()
    ((_, run),) = taking.work(recorder, hear or (lambda _: None))
    return run, recorder, stop


@pytest.mark.parametrize("what", JUNK)
def test_what_is_no_picture_is_told_by_what_it_is(pictures, what):
    source = Breaking(pictures, JUNK[what])
    run, _, _ = taken_in(source)
    with pytest.raises(InputError, match="the source gave"):
        run()
    assert source.closed


@pytest.mark.slow
def test_a_source_that_gives_no_pictures_ends_the_session(session, pictures):
    screen = Screen()
    told = ends(session(screen, source=Breaking(pictures, JUNK["floats"], until=lambda: screen.seconds)))
    assert "float32" in told.message


@pytest.mark.parametrize("info", [{"width": 0}, {"height": -1}, {"fps": 0}, {"width": 100_000, "height": 100_000}])
def test_a_source_that_says_what_can_not_be_is_refused(pictures, info):
    source = Breaking(pictures, None, info=info)
    with pytest.raises(InputError, match="that can't be"):
        taken_in(source)
    assert source.closed


def test_a_source_that_gives_nothing_is_told_once_and_takes_no_processor(pictures, monkeypatch):
    monkeypatch.setattr(intake, "SILENCE", 0.1)
    source, asked = Breaking(pictures, None), []
    read = source.read
    source.read = lambda: (asked.append(time.monotonic()), read())[1]
    run, recorder, stop = taken_in(source)
    taking = threading.Thread(target=run, daemon=True)
    taking.start()
    until(lambda: recorder.events_after(0))
    before = len(asked)
    until(lambda: len(asked) > before + 20)
    stop.set()
    taking.join(10)
    assert [event for event in recorder.events_after(0) if "no picture for" in event] == recorder.events_after(0)
    assert len(recorder.events_after(0)) == 1
    assert len(asked) < 300 * (asked[-1] - asked[0]) + 20


def test_sound_is_taken_in_where_there_is_no_microphone(pictures):
    heard = []
    run, _, stop = taken_in(Breaking(pictures, Sound(np.zeros((100, 2), np.int16), 0.0)), heard.append)
    taking = threading.Thread(target=run, daemon=True)
    taking.start()
    until(lambda: heard)
    stop.set()
    taking.join(10)
    assert not taking.is_alive()
