"""That what takes its time for one user holds up nobody else."""

import asyncio
import threading
import time

import pytest
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from understudy.server.api.bodies import EndingError
from understudy.server.api.desk import Desk, GoneError
from understudy.server.api.places import FullError


class Asker:
    """Whoever asks, and may go."""

    def __init__(self):
        self.gone = asyncio.Event()
        self.request = Request({"type": "http"}, self.receive)

    async def receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}


class Work:
    """What takes as long as it is let."""

    def __init__(self):
        self.over, self.most = threading.Event(), 0
        self._lock, self._now = threading.Lock(), 0

    def __call__(self, check):
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            while not self.over.wait(0.01):
                check()
        finally:
            with self._lock:
                self._now -= 1
        return "done"


@pytest.fixture
def ending():
    return threading.Event()


async def begun(desk, work, user, count):
    """So many tasks of a user that have begun, or wait for their turn."""
    tasks = [asyncio.ensure_future(desk.look(Asker().request, user, work)) for _ in range(count)]
    await asyncio.sleep(0.05)
    return tasks


def test_who_asks_for_much_holds_up_neither_others_nor_the_threads_that_answer(ending):
    async def run():
        desk, work = Desk(2, 1, ending), Work()
        tasks = await begun(desk, work, "anna", 60)
        since = time.monotonic()
        assert await desk.look(Asker().request, "ben", lambda _: "his") == "his"
        assert await run_in_threadpool(lambda: "answered") == "answered"
        assert time.monotonic() - since < 5
        for task in tasks[1:]:
            task.cancel()
        work.over.set()
        assert await tasks[0] == "done"
        assert work.most == 1

    asyncio.run(run())


def test_whose_turn_does_not_come_is_told_so_and_it_comes_when_another_one_has_ended(ending):
    async def run():
        desk, work = Desk(2, 2, ending, patience=0.2), Work()
        tasks = await begun(desk, work, "anna", 2)
        with pytest.raises(FullError) as told:
            await desk.look(Asker().request, "ben", lambda _: "his")
        assert told.value.seconds > 0
        work.over.set()
        assert await asyncio.gather(*tasks) == ["done", "done"]
        assert await desk.look(Asker().request, "ben", lambda _: "his") == "his"

    asyncio.run(run())


def test_when_the_server_ends_nobody_waits_and_nothing_goes_on(ending):
    async def run():
        desk, work = Desk(2, 1, ending), Work()
        tasks = await begun(desk, work, "anna", 3)
        ending.set()
        assert [type(one) for one in await asyncio.gather(*tasks, return_exceptions=True)] == [EndingError] * 3

    asyncio.run(run())


def test_for_whoever_has_gone_nothing_goes_on(ending):
    async def run():
        desk, work, asker = Desk(1, 1, ending), Work(), Asker()
        looking = asyncio.ensure_future(desk.look(asker.request, "anna", work))
        await asyncio.sleep(0.05)
        asker.gone.set()
        with pytest.raises(GoneError):
            await asyncio.wait_for(looking, 10)
        assert await desk.look(Asker().request, "anna", lambda _: "next") == "next"

    asyncio.run(run())
