"""What pages see: labelled frames only, the newest only, and no more than they draw."""

from __future__ import annotations

import asyncio
import struct
import time
from fractions import Fraction
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from starlette.websockets import WebSocketDisconnect

from understudy.errors import EncodingError
from understudy.face import Faces
from understudy.frames import Frame, LabelledFrame
from understudy.media.live.base import LiveInfo
from understudy.provenance import FrameSealer
from understudy.server.studio.live.preview import Preview, PreviewSink


def sealed(width=160, height=90, shade=127):
    return FrameSealer(1).seal(Frame(np.full((height, width, 3), shade, np.uint8)), Faces.empty())


def sink(preview, width=160, height=90):
    found = PreviewSink(preview, time.monotonic())
    found.open(LiveInfo("x", width, height, Fraction(30)))
    return found


class Page:
    """A page's end of the WebSocket."""

    def __init__(self):
        self.got, self.said = [], asyncio.Queue()

    async def accept(self):
        pass

    async def send_bytes(self, data):
        self.got.append(data)

    async def send_text(self, text):
        self.got.append(text)

    async def receive_text(self):
        said = await self.said.get()
        if said is None:
            raise WebSocketDisconnect
        return said

    async def close(self):
        pass

    @property
    def numbers(self):
        return [struct.unpack(">I", one[:4])[0] for one in self.got if isinstance(one, bytes)]

    def draw(self, number):
        self.said.put_nowait(str(number))


def with_page(work, preview=None):
    """Run ``work(preview, page)`` beside a page that looks."""

    async def run():
        page, shown = Page(), preview or Preview()
        serving = asyncio.create_task(shown.route.endpoint(page))
        await asyncio.sleep(0)
        await work(shown, page)
        page.said.put_nowait(None)
        await serving
        assert {task for task in asyncio.all_tasks() if task is not asyncio.current_task()} == set()

    asyncio.run(run())


async def settled():
    for _ in range(20):
        await asyncio.sleep(0)


async def showing(preview, count):
    """A screen on which so many pictures were shown."""
    screen = sink(preview)
    for number in range(count):
        screen.write(sealed(shade=20 * number), number / 30)
        await settled()
    return screen


@pytest.mark.parametrize(
    "impostor",
    [
        Frame(np.zeros((90, 160, 3), np.uint8)),
        np.zeros((90, 160, 3), np.uint8),
        SimpleNamespace(frame=Frame(np.zeros((90, 160, 3), np.uint8))),
        object.__new__(LabelledFrame),
    ],
    ids=["frame", "array", "lookalike", "forged"],
)
def test_only_labelled_frames_are_shown(impostor):
    preview = Preview()
    with pytest.raises((TypeError, AttributeError)):
        sink(preview).write(impostor, 0.0)

    async def work(preview, page):
        await settled()
        assert page.got == []

    with_page(work, preview)


def test_a_frame_of_another_size_is_refused_as_by_every_sink():
    with pytest.raises(EncodingError):
        sink(Preview(), 100, 100).write(sealed(), 0.0)


def test_a_page_gets_the_newest_picture_and_the_next_when_it_has_drawn():
    async def work(preview, page):
        screen = await showing(preview, 10)
        assert page.numbers == [1, 2]  # two on their way, and no more until they are drawn
        page.draw(2)
        await settled()
        screen.write(sealed(), 0.5)
        await settled()
        assert page.numbers == [1, 2, 3]
        picture = cv2.imdecode(np.frombuffer(page.got[-1][4:], np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape == (90, 160, 3)

    with_page(work)


def test_nothing_is_coded_while_nobody_looks(monkeypatch):
    preview = Preview()
    monkeypatch.setattr(cv2, "imencode", lambda *_: pytest.fail("for nobody"))
    sink(preview).write(sealed(), 0.0)


def test_a_page_that_comes_later_gets_the_last_picture_until_it_is_cleared():
    preview = Preview()
    sink(preview).write(sealed(), 0.0)

    async def there(preview, page):
        await settled()
        assert len(page.numbers) == 1
        preview.clear()
        await settled()
        assert page.got[-1] == "clear"

    with_page(there, preview)

    async def gone(preview, page):
        await settled()
        assert page.numbers == []

    with_page(gone, preview)


def test_a_large_picture_is_sent_smaller_label_and_all():
    async def work(preview, page):
        sink(preview, 2560, 1440).write(sealed(2560, 1440), 0.0)
        await settled()
        picture = cv2.imdecode(np.frombuffer(page.got[-1][4:], np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape == (720, 1280, 3)
        assert picture[-60:, :300].std() > 10  # the label

    with_page(work)


@pytest.mark.parametrize("said", ["x", "", "1" * 5000, "-1", "99"])
def test_nonsense_from_a_page_harms_nobody(said):
    async def work(preview, page):
        page.said.put_nowait(said)
        await settled()
        sink(preview).write(sealed(), 0.0)
        await settled()

    with_page(work)


def test_how_the_page_keeps_up_is_measured_from_capture_to_drawn():
    async def work(preview, page):
        screen = sink(preview)
        for number in range(1, 11):
            screen.write(sealed(), time.monotonic() - screen_begun(screen) - 0.2)
            await settled()
            page.draw(number)
            await settled()
        found = preview.shown()
        assert 150 < found.p50 < 1000  # the screen may have begun a little before ``begun``
        assert found.p95 >= found.p50

    begun = time.monotonic()

    def screen_begun(_):
        return begun

    assert Preview().shown() == (0.0, None, None)
    with_page(work)


def test_a_page_that_did_not_draw_the_last_session_sees_the_next():
    async def work(preview, page):
        screen = await showing(preview, 3)
        preview.clear()  # it draws none of the two that it has, for instance because it is not in front
        await settled()
        assert page.got[-1] == "clear"
        screen.write(sealed(), 1.0)
        await settled()
        assert page.numbers[-1] > 2

    with_page(work)
