"""How much is sent to one who watches: over links that are made up, and to a program that says what arrives."""

from __future__ import annotations

import asyncio
import contextlib
import time
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from aiortc.rtp import pack_remb_fci

from tests.server.webrtc.programs import Program
from understudy.face import Faces
from understudy.frames import Frame
from understudy.media.live.base import LiveInfo
from understudy.provenance import FrameSealer
from understudy.server.webrtc.allowance import LEAST, Allowance
from understudy.server.webrtc.encoding import PictureEncoder
from understudy.server.webrtc.offers import read_offer
from understudy.server.webrtc.outgoing import Watched, Watchers
from understudy.server.webrtc.peers import Peer
from understudy.server.webrtc.reach import Reach

USUAL, FPS = 2_000_000, 30
HERE = Reach(("127.0.0.1",))


class Link:
    """A link, and a browser behind it that tells what arrives, as Chromium does: each second, and at once if less does.

    It takes so many bits a second, keeps 0.4 s of them waiting, and drops what is more.
    """

    def __init__(self, allowance, width):
        self.allowance, self.width = allowance, width
        self.now, self.waiting, self.sent, self.dropped, self.arrived = 100.0, 0.0, [], 0.0, 0.0
        self.tells = self.now

    def run(self, seconds, uses=1.0):
        """What was sent in each second, as a share of ``USUAL``, and which share of all was dropped."""
        rates, dropped = [], 0.0
        for _ in range(seconds):
            sent = dropped_now = 0.0
            for _ in range(FPS):
                self.now += 1 / FPS
                bits = self.allowance.bits(USUAL, self.now) * uses / FPS
                self.allowance.sent(round(bits), self.now)
                self.waiting += bits
                drop = max(self.waiting - 0.4 * self.width, 0)
                self.waiting -= drop
                arrives = min(self.waiting, self.width / FPS)
                self.waiting -= arrives
                sent, dropped_now, self.arrived = sent + bits, dropped_now + drop, self.arrived + arrives
                if self.waiting > 0.05 * self.width:  # what arrives comes later and later
                    self.allowance.can_arrive(0.85 * self.width, self.now)
            self.allowance.can_arrive(1.5 * sent, self.now) if self.waiting < 0.05 * self.width else None
            self.allowance.lost(dropped_now / sent, self.now)
            rates.append(sent / USUAL)
            dropped += dropped_now
        return rates, dropped / sum(rate * USUAL for rate in rates)


def test_on_a_wide_link_nothing_is_held_back():
    rates, dropped = Link(Allowance(), 50_000_000).run(20)
    assert rates == pytest.approx([1.0] * 20)
    assert dropped == 0


@pytest.mark.parametrize("width", [400_000, 900_000, 1_500_000])
def test_a_link_that_gets_narrow_is_followed_and_used(width):
    link = Link(Allowance(), 50_000_000)
    link.run(5)
    link.width = width
    link.run(3)
    rates, dropped = link.run(40)
    assert max(rates) * USUAL < 1.15 * width
    assert sum(rates) / 40 * USUAL > 0.75 * width
    assert dropped < 0.02
    link.width = 50_000_000
    rates, _ = link.run(20)
    assert rates[-1] == pytest.approx(1.0)
    assert rates == sorted(rates)


def test_what_is_not_sent_says_nothing_about_the_link():
    """A still picture takes few bits: half more than these can arrive, the browser thinks."""
    link = Link(Allowance(), 50_000_000)
    link.run(20, uses=0.05)
    rates, _ = link.run(2)
    assert rates == pytest.approx([1.0] * 2)


def test_it_never_falls_below_what_can_be_looked_at_nor_believes_nonsense():
    allowance = Allowance()
    allowance.can_arrive(1, 0.0)  # before anything was sent
    allowance.lost(1.0, 0.0)
    assert allowance.bits(USUAL, 0.0) == USUAL
    for number in range(300):
        allowance.sent(USUAL // FPS, number / FPS)
        allowance.can_arrive(-5, number / FPS)
        allowance.lost(1.0, number / FPS)
    assert allowance.bits(USUAL, 10.0) == LEAST
    assert allowance.bits(100_000, 10.0) == 100_000  # of a picture that is so small that it takes less


def test_losses_alone_make_it_less():
    link = Link(Allowance(), 50_000_000)
    link.run(2)
    link.allowance.lost(0.05, link.now)  # as on any radio
    assert link.allowance.bits(USUAL, link.now) == USUAL
    link.allowance.lost(0.4, link.now)
    assert link.allowance.bits(USUAL, link.now) == pytest.approx(0.8 * USUAL, rel=0.05)
    link.allowance.lost(0.4, link.now + 0.1)  # of what was sent before it was less
    assert link.allowance.bits(USUAL, link.now + 0.1) == pytest.approx(0.8 * USUAL, rel=0.05)


@pytest.mark.slow
def test_a_still_picture_or_none_at_all_makes_no_little_of_it():
    allowance, now = Allowance(), 100.0
    for number in range(60):
        now = 100 + number / FPS
        allowance.bits(USUAL, now)
        allowance.sent(3000, now)
    allowance.lost(0.2, now)
    assert allowance.bits(USUAL, now) == pytest.approx(0.9 * USUAL)
    now += 1.5
    allowance.lost(0.2, now)  # of what was sent long ago
    assert allowance.bits(USUAL, now) == pytest.approx(0.9 * USUAL)
    assert allowance.bits(USUAL, now + 1e6) == pytest.approx(0.9 * USUAL)  # nothing says that more can arrive
    for _ in range(100_000):
        allowance.repeat(now)
        now += 0.1
    assert len(vars(allowance)["_sent"]) < 1000


def test_some_losses_keep_it_from_growing():
    link = Link(Allowance(), 50_000_000)
    link.run(2)
    link.allowance.lost(0.4, link.now)
    before = link.allowance.bits(USUAL, link.now)
    for _ in range(5):
        link.allowance.lost(0.05, link.now)
        link.now += 0.4
        link.allowance.sent(USUAL // 3, link.now)
        assert link.allowance.bits(USUAL, link.now) <= before
    assert link.run(10)[0][-1] == pytest.approx(1.0)


def test_what_was_lost_does_not_fill_the_link_again():
    allowance, again = Allowance(), 0
    for number in range(60):
        allowance.sent(USUAL // FPS, number / FPS)
        again += sum(allowance.repeat(number / FPS) for _ in range(50))
    assert 0.1 * 2 * USUAL < again * 9600 < 0.3 * 2 * USUAL


class Clock:
    """What Watchers take for the time."""

    now = 50.0

    def monotonic(self):
        return self.now


async def shown(tracks, says, seconds, clock):
    """Show soft noise; bits a second that each of the tracks got at last, and how often one began anew by itself.

    Args:
        tracks: Who watches.
        says: Of some of them, what can arrive.
        seconds: For how long.
        clock: The time.
    """
    sealer, watchers, noise = FrameSealer(7), Watchers(), np.random.default_rng(1)
    watchers.open(LiveInfo("test", 320, 180, Fraction(FPS)))
    got = {track: [] for track in tracks}

    async def read(track):
        while True:
            got[track].append((clock.now, 8 * (await track.recv()).size))

    reading = [asyncio.ensure_future(read(track)) for track in tracks]
    for track in tracks:
        watchers.add(track)
    for number in range(seconds * FPS):
        clock.now = 50 + number / FPS
        picture = cv2.GaussianBlur(noise.integers(0, 255, (180, 320, 3), np.uint8), None, 2)
        watchers.write(sealer.seal(Frame(picture, number * 3000, Fraction(1, 90_000)), Faces.empty()), number / FPS)
        await asyncio.sleep(0.001)
        for track, bits in says.items():
            track.allowance.can_arrive(bits, clock.now)
    for task in reading:
        task.cancel()
    return [sum(bits for at, bits in got[track] if at > clock.now - 2) / 2 for track in tracks]


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_who_has_a_narrow_link_takes_nothing_from_the_others(codec, monkeypatch):
    clock = Clock()
    monkeypatch.setattr("understudy.server.webrtc.outgoing.time", clock)

    async def run():
        quick, slow, other = (Watched(one) for one in (codec, codec, "h264" if codec == "vp8" else "vp8"))
        rates = await shown([quick, slow, other], {slow: 350_000}, 8, clock)
        assert rates[0] > 800_000  # of 1,200,000
        assert rates[2] > 800_000
        assert 200_000 < rates[1] < 450_000

    asyncio.run(run())


@pytest.mark.slow
def test_three_kinds_of_links_take_no_more_than_half_from_each_other(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("understudy.server.webrtc.outgoing.time", clock)

    async def run():
        tracks = [Watched("h264") for _ in range(4)]
        quick, half, slow, liar = tracks
        rates = await shown(tracks, {half: 620_000, slow: 300_000, liar: 1}, 10, clock)
        assert rates[0] > 900_000  # of 1,200,000
        assert rates[1] > 400_000
        assert rates[2] == rates[3] > 150_000
        assert [track.step for track in (quick, half, liar)] == [0, 1, 2]

    asyncio.run(run())


def test_what_refers_to_pictures_of_another_coding_is_left_out():
    async def run():
        track, packets = Watched("h264"), [av.Packet(bytes([number]) * 9) for number in range(5)]
        coded = ((0, True), (1, False), (1, True), (1, False), (0, False))
        for packet, (step, key) in zip(packets, coded, strict=True):
            track.offer(packet, step, key=key)
        await asyncio.sleep(0.01)
        got = []
        with contextlib.suppress(asyncio.TimeoutError):
            while True:
                got.append(await asyncio.wait_for(track.recv(), 0.2))
        assert got == [packets[0], packets[2], packets[3]]
        assert track.lost

    asyncio.run(run())


@pytest.mark.slow
def test_those_whose_links_are_nearly_alike_share_one_coding(monkeypatch):
    clock, made = Clock(), []
    monkeypatch.setattr("understudy.server.webrtc.outgoing.time", clock)
    monkeypatch.setattr(
        "understudy.server.webrtc.outgoing.PictureEncoder",
        lambda *words: made.append((clock.now, words[3])) or PictureEncoder(*words),
    )

    async def run():
        wide, narrower = Watched("h264"), Watched("h264")
        rates = await shown([wide, narrower], {narrower: 800_000}, 8, clock)
        assert rates[0] == rates[1]
        assert 500_000 < rates[0] < 950_000

    asyncio.run(run())
    assert 2 <= len(made) < 8  # not for each little change
    assert made[0][1] == 1_200_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "follows"),
    [
        (lambda _, sources: pack_remb_fci(300_000, sources), True),
        (lambda _, sources: pack_remb_fci(300_000, [one + 1 for one in sources]), False),  # of something else
        (lambda _, __: b"what", False),
    ],
)
def test_what_a_program_says_of_what_arrives_is_followed(said, follows, monkeypatch):
    monkeypatch.setattr("aiortc.rtcrtpreceiver.pack_remb_fci", said)
    sealer, watchers, noise = FrameSealer(7), Watchers(), np.random.default_rng(1)
    watchers.open(LiveInfo("test", 320, 180, Fraction(FPS)))
    pictures = [cv2.GaussianBlur(noise.integers(0, 255, (180, 320, 3), np.uint8), None, 2) for _ in range(20)]

    async def run():
        program, track = Program(), Watched("h264")
        peer = Peer(HERE, lambda _: None)
        await program.answered(await peer.show(read_offer((await program.watches()).encode(), "watch"), track))
        watchers.add(track)
        for number in range(1500):
            frame = Frame(pictures[number % len(pictures)].copy(), number * 3000, Fraction(1, 90_000))
            await asyncio.to_thread(watchers.write, sealer.seal(frame, Faces.empty()), number / FPS)
            await asyncio.sleep(0.03)
            bits = track.allowance.bits(1_200_000, time.monotonic())
            if bits < 400_000 or (not follows and len(program.pictures) > 90):
                break
        assert (bits < 400_000) == follows
        assert len(program.pictures) > 5
        await program.close()
        await peer.close()

    asyncio.run(run())
