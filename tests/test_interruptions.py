"""Where interruptions come out, and where they do not."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time

import pytest

from understudy import interruptions
from understudy.interruptions import deferred, interrupted, once, undisturbed

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Told(BaseException):
    """What the handlers of these tests raise."""


@pytest.fixture(autouse=True)
def handlers():
    """Every signal raises; afterwards all handlers are what they were."""

    def tell(number, frame):
        raise Told(number)

    before = {number: signal.signal(number, tell) for number in NUMBERS}
    yield tell
    after = {number: signal.getsignal(number) for number in NUMBERS}
    for number, handler in before.items():
        signal.signal(number, handler)
    assert after == dict.fromkeys(NUMBERS, tell)


def send(*numbers):
    for number in numbers:
        os.kill(os.getpid(), number)
    time.sleep(0.01)  # the handlers run now at the latest


def test_an_interruption_comes_out_behind_the_steps_that_belong_together():
    done = []
    with pytest.raises(Told) as raised, deferred():
        send(signal.SIGTERM)
        done.append(1)
        send(*NUMBERS)
        done.append(2)
    assert done == [1, 2]
    assert raised.value.args == (signal.SIGTERM,)


def test_an_interruption_comes_out_in_place_of_the_error_that_it_made():
    with pytest.raises(Told), deferred():
        send(signal.SIGINT)
        raise ValueError


def test_handlers_that_only_take_a_note_are_called_at_once_and_disturb_nothing():
    noted = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: noted.append(number))
    with deferred():
        send(signal.SIGTERM)
        assert noted == [signal.SIGTERM]
    signal.signal(signal.SIGTERM, before)


def test_what_was_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with deferred():
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert signal.signal(signal.SIGHUP, before) is signal.SIG_IGN


@pytest.mark.parametrize("second", NUMBERS)
def test_only_the_first_of_several_interruptions_is_raised(second):
    tidied = []
    with pytest.raises(Told), once():
        try:
            send(signal.SIGINT, second)
            pytest.fail("it went on")
        finally:
            send(*NUMBERS)
            tidied.append(True)
    assert tidied == [True]


def test_several_interruptions_at_once_end_a_task_once():
    """They are waiting already when the first is raised: the next comes at the next step, whatever that is."""
    ends = []
    kill = ctypes.CDLL(None).kill  # os.kill has the handlers run at once
    for _ in range(20):
        try:
            with once():
                try:
                    list(map(kill, [os.getpid()] * len(NUMBERS), map(int, NUMBERS)))
                    for _ in range(1000):
                        len(ends)
                    ends.append("went on")
                finally:
                    ends.append("tidied")
        except Told:
            ends.append("raised")
    assert ends == ["tidied", "raised"] * 20


@pytest.mark.parametrize("at_once", [False, True])
def test_an_interruption_that_python_forgets_comes_again(at_once, monkeypatch, capfd):
    """Python prints what is raised in ``__del__``, and goes on; again if it comes while that is looked at."""
    if at_once:
        monkeypatch.setattr(interruptions, "AGAIN", 0.0)

    class Closing:
        def __del__(self):
            send(signal.SIGTERM)

    with pytest.raises(Told), once(), once():
        Closing()
        until = time.monotonic() + 20
        while time.monotonic() < until:
            time.sleep(0.001)
    assert capfd.readouterr().err == ""


def test_no_interruption_enters_what_compiled_code_calls():
    """As the signer does: what is raised in such a function can't be passed on."""
    seen = []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    def compare(_a, _b):
        seen.append(threading.current_thread() is threading.main_thread())
        time.sleep(0.001)
        return 0

    numbers = (ctypes.c_int * 64)()
    sort = ctypes.CDLL(None).qsort
    sort.restype = None
    stop = threading.Event()

    def shoot():
        while not stop.wait(0.002):
            os.kill(os.getpid(), signal.SIGINT)

    shooter = threading.Thread(target=shoot)
    with pytest.raises(Told), deferred():  # around all of it: none comes when the shooting is over
        shooter.start()
        undisturbed(lambda: sort(numbers, 64, ctypes.sizeof(ctypes.c_int), compare))
        stop.set()
        shooter.join()
    assert len(seen) > 64
    assert not any(seen)


def test_undisturbed_work_is_told_and_waited_for():
    given_up = []

    def work():
        until = time.monotonic() + 20
        while not interrupted() and time.monotonic() < until:
            time.sleep(0.001)
        given_up.append(interrupted())
        raise OSError("interrupted")

    threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
    with pytest.raises(Told):
        undisturbed(work)
    assert given_up == [True]


def test_undisturbed_work_gives_its_result_or_its_error():
    assert undisturbed(lambda: undisturbed(lambda: 5)) == 5
    assert not interrupted()
    with pytest.raises(KeyError, match="x"):
        undisturbed(lambda: {}["x"])


def test_threads_but_the_main_one_have_no_handlers_to_change():
    results = []
    thread = threading.Thread(target=lambda: results.append(undisturbed(lambda: 7)))
    thread.start()
    thread.join()
    assert results == [7]
