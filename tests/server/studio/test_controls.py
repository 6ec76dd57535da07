"""What controls do without a browser."""

import asyncio
import time

from understudy.server.studio.controls import DOUBLE, in_turn, once


def test_a_double_click_counts_once_by_the_page_s_clock_however_late_the_server_hears_of_it():
    counted = []
    pressed = once(lambda: counted.append(True))

    async def press(*times, apart=0.0):
        counted.clear()
        for at in times:
            await pressed(at)
            time.sleep(apart)  # the server does something else
        return len(counted)

    assert asyncio.run(press(10.0, 10.0 + 0.9 * DOUBLE, apart=1.2 * DOUBLE)) == 1
    assert asyncio.run(press(20.0, 20.0 + 1.1 * DOUBLE)) == 2  # heard of at the same moment


def test_what_is_pressed_while_the_press_before_is_answered_is_not_done_again():
    counted, answered = [], asyncio.Event()

    async def answer():
        counted.append(True)
        await answered.wait()

    async def press():
        pressed = once(answer, pause=0)
        first = asyncio.create_task(pressed(1.0))
        await asyncio.sleep(0)
        await pressed(2.0)
        answered.set()
        await first
        assert len(counted) == 1
        await pressed(3.0)

    asyncio.run(press())
    assert len(counted) == 2


def test_what_comes_at_once_is_done_as_it_came():
    done = []

    async def act(name, *, waits):
        await asyncio.sleep(waits)
        done.append(name)

    async def all_at_once():
        turn = in_turn(act)
        await asyncio.gather(turn("first", waits=0.05), turn("second", waits=0), turn("third", waits=0.01))

    asyncio.run(all_at_once())
    assert done == ["first", "second", "third"]
    done.clear()

    async def one_fails():
        turn = in_turn(act)
        await asyncio.gather(turn("first"), turn("second", waits=0), return_exceptions=True)

    asyncio.run(one_fails())
    assert done == ["second"]
