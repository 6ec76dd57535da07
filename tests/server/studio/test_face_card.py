import asyncio

from understudy.server.studio.face_card import in_turn


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
