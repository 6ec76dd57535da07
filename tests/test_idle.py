"""A thread that gives way: what is called in it gives what it gives, and all others come before it."""

import os
import sys
import threading
import time

import pytest

from understudy.idle import IdleThread, directly


@pytest.fixture
def idle():
    thread = IdleThread("a test")
    yield thread
    thread.close()


@pytest.mark.parametrize("how", ["at once", "idle"])
def test_what_is_called_gives_and_raises_what_it_does(how, idle):
    call = idle if how == "idle" else directly
    assert call(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        call(divmod, 7, 0)
    assert (call(threading.get_ident) == threading.get_ident()) == (how == "at once")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has idle threads")
def test_it_alone_is_idle(idle):
    assert idle(os.sched_getscheduler, 0) == os.SCHED_IDLE
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_closing_waits_for_nothing():
    thread, begun, go_on = IdleThread("a test"), threading.Event(), threading.Event()

    def work():
        begun.set()
        go_on.wait(10)

    calling = threading.Thread(target=thread, args=(work,))
    calling.start()
    assert begun.wait(10)
    began = time.monotonic()
    thread.close()
    assert time.monotonic() - began < 5
    go_on.set()
    calling.join(10)
    assert not calling.is_alive()
