import threading
import time

import pytest

from understudy.pipeline.overlap import Behind, ahead


def test_items_come_in_order():
    assert list(ahead(range(100))) == list(range(100))
    done = []
    with Behind(done.append) as behind:
        for number in range(100):
            behind.put(number)
    assert done == list(range(100))


def test_the_producer_stays_only_a_little_ahead():
    made = []

    def produce():
        for number in range(1000):
            made.append(number)
            yield number

    items = ahead(produce())
    next(items)
    time.sleep(0.2)
    assert len(made) < 20
    items.close()
    assert not any(thread.name == "decode" for thread in threading.enumerate())


def test_an_error_in_the_producer_comes_after_the_items_before_it():
    def produce():
        yield 1
        yield 2
        raise ValueError("worn out")

    got = []
    with pytest.raises(ValueError, match="worn out"):
        for item in ahead(produce()):
            got.append(item)
    assert got == [1, 2]


def test_an_error_in_the_consumer_is_raised_and_no_thread_is_left():
    def consume(item):
        if item == 3:
            raise OSError("full")

    def feed():
        with Behind(consume) as behind:
            for number in range(1000):
                behind.put(number)

    with pytest.raises(OSError, match="full"):
        feed()
    assert not any(thread.name == "encode" for thread in threading.enumerate())


def test_leaving_by_an_error_drops_what_waits_and_leaves_no_thread():
    def feed():
        with Behind(lambda _: time.sleep(0.05)) as behind:
            for number in range(4):
                behind.put(number)
            raise KeyboardInterrupt

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        feed()
    assert time.monotonic() - start < 1
    assert not any(thread.name == "encode" for thread in threading.enumerate())
