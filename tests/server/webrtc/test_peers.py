"""Connections: where they go, and what is seen of them."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from fractions import Fraction

import numpy as np
import pytest
from aiortc import RTCIceGatherer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.webrtc.programs import Program, until
from tests.server.webrtc.test_offers import SENDS
from understudy.errors import InputError, UsageError
from understudy.face import Faces
from understudy.frames import Frame
from understudy.media.live.base import LiveInfo
from understudy.provenance.sealing import FrameSealer
from understudy.server.webrtc.incoming import IncomingPictures
from understudy.server.webrtc.offers import read_offer
from understudy.server.webrtc.outgoing import Watched, Watchers
from understudy.server.webrtc.peers import Peer
from understudy.server.webrtc.reach import Reach

pytestmark = [pytest.mark.slow, pytest.mark.loopback]
PICTURES = [np.full((180, 320, 3), value, np.uint8) for value in (40, 200)]
HERE = Reach(("127.0.0.1",))


@contextlib.asynccontextmanager
async def sending(pictures=PICTURES, reach=HERE, change=lambda offer: offer):
    """A program that sends, the source that it sends to, and the server's peer."""
    program, source, ended = Program(), IncomingPictures(), []
    peer = Peer(reach, ended.append)
    answer = await peer.take(read_offer(change(await program.sends(pictures)).encode(), "send"), source)
    await program.answered(answer)
    try:
        yield program, source, peer, answer, ended
    finally:
        source.end()
        await program.close()
        await peer.close()


def test_pictures_come_in_and_the_newest_counts():
    async def run():
        async with sending() as (program, source, peer, _, _):
            await until(lambda: source.last_at)
            info = await asyncio.to_thread(source.open)
            assert (info.width, info.height) == (320, 180)
            await until(lambda: program.connection.getSenders()[0].track.count > 30)
            picture = await until(lambda: asyncio.to_thread(source.read))
            assert min(abs(float(picture.picture.mean()) - value) for value in (40, 200)) < 6
            assert await asyncio.to_thread(source.read) is None or source.last_at > picture.at
            assert peer.connected

    asyncio.run(run())


def test_no_server_is_asked_and_only_addresses_of_this_machine_are_told(monkeypatch):
    monkeypatch.setattr(RTCIceGatherer, "getDefaultIceServers", lambda: pytest.fail("a STUN server is asked"))

    async def run():
        async with sending() as (_, _, _, answer, _):
            assert set(re.findall(r"a=candidate:\S+ \d udp \d+ (\S+) \d+ typ (\w+)", answer)) == {("127.0.0.1", "host")}
        async with sending(reach=Reach()) as (_, _, _, answer, _):
            found = re.findall(r"a=candidate:\S+ \d udp \d+ (\S+) \d+ typ (\w+)", answer)
            assert ("127.0.0.1", "host") in found
            assert {kind for _, kind in found} == {"host"}

    asyncio.run(run())


def test_nothing_is_sent_to_an_address_that_an_offer_names():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bystander:
        bystander.bind(("127.0.0.1", 0))
        bystander.setblocking(False)
        line = f"a=candidate:1 1 udp 2130706431 127.0.0.1 {bystander.getsockname()[1]} typ host\r\n"

        async def run():
            async with sending(change=lambda offer: offer + line) as (_, source, _, _, _):
                await until(lambda: source.last_at)
                await asyncio.sleep(1)

        asyncio.run(run())
        with pytest.raises(BlockingIOError):
            bystander.recv(1)


@pytest.mark.parametrize("pictures", [[np.zeros((48, 48, 3), np.uint8)], [np.zeros((1200, 1920, 3), np.uint8)]])
def test_pictures_of_a_size_that_is_not_taken_end_the_connection_with_a_reason(pictures):
    async def run():
        async with sending(pictures) as (_, _, peer, _, ended):
            await until(lambda: ended == [peer])
            assert "is not taken" in peer.why

    asyncio.run(run())


def test_who_hangs_up_is_noticed():
    async def run():
        async with sending() as (program, source, peer, _, ended):
            await until(lambda: source.last_at)
            await program.close()
            await until(lambda: ended == [peer], 60)

    asyncio.run(run())


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_labelled_frames_are_seen_in_their_colours_by_all_who_watch(codec):
    sealer, watchers = FrameSealer(7), Watchers()
    watchers.open(LiveInfo("test", 320, 180, Fraction(30)))
    colour = np.array([60, 110, 190], np.uint8)
    picture = np.broadcast_to(colour, (180, 320, 3)).copy()

    async def run():
        programs = [Program(), Program()]
        peers = [Peer(HERE, lambda _: None) for _ in programs]
        for program, peer in zip(programs, peers, strict=True):
            track = Watched(codec)
            await program.answered(await peer.show(read_offer((await program.watches()).encode(), "watch"), track))
            watchers.add(track)
        number = 0
        while min(len(program.pictures) for program in programs) < 5:
            frame = sealer.seal(Frame(picture.copy(), number * 3000, Fraction(1, 90_000)), Faces.empty())
            await asyncio.to_thread(watchers.write, frame, number / 30)
            await asyncio.sleep(0.03)
            number += 1
            assert number < 1500
        for program, peer in zip(programs, peers, strict=True):
            # VP8 does not say that its colours are BT.601's, and this program takes them for BT.709's.
            near = 6 if codec == "h264" else 25
            seen = program.pictures[-1][20:100, 100:300].reshape(-1, 3).mean(axis=0)
            assert np.abs(seen - colour).max() < near, seen
            await program.close()
            await peer.close()

    asyncio.run(run())


def test_a_frame_without_a_label_is_not_taken():
    watchers = Watchers()
    watchers.open(LiveInfo("test", 320, 180, Fraction(30)))
    with pytest.raises(TypeError):
        watchers.write(Frame(PICTURES[0]), 0.0)


@given(st.lists(st.tuples(st.integers(0, 200), st.sampled_from(["drop", "twice", "cut", "zero"])), max_size=4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_offer_that_can_be_read_is_answered_or_refused(changes):
    lines = SENDS.split("\r\n")
    for place, change in changes:
        at = place % len(lines)
        new = {"drop": [], "twice": [lines[at]] * 2, "cut": [lines[at][: len(lines[at]) // 2]]}
        lines[at : at + 1] = new.get(change, [re.sub(r"\d+", "0", lines[at])])

    async def run():
        try:
            offer = read_offer("\r\n".join(lines).encode(), "send")
        except InputError:
            return
        peer, source = Peer(HERE, lambda _: None), IncomingPictures()
        with contextlib.suppress(InputError):
            assert (await peer.take(offer, source)).startswith("v=0")
        source.end()
        await peer.close()

    asyncio.run(run())


@pytest.mark.parametrize("stun", ["http://evil.example", "a b", "stun:host:0", "host:99999", "turn:host"])
def test_a_stun_server_is_named_as_such(stun):
    with pytest.raises(UsageError):
        Reach(stun=stun)


def test_a_stun_server_that_is_named_is_used():
    assert Reach(stun="stun.example.org:3478").servers == ["stun:stun.example.org:3478"]
    assert Reach().servers == []
