"""What one who watches by WebRTC sees when the link gets narrow, and when it is wide again.

    python -m benchmarks.narrow [KILOBITS]

A Chromium watches labelled frames (640x360, 30 fps) over a link that lets so many kilobits a second through (500) from
the 10th to the 50th second. Once the bits a second are what the picture's size makes usual, whatever arrives; once they
follow what the watcher says of that. Linux and root only: the link is one of a network namespace.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from fractions import Fraction
from itertools import cycle

import numpy as np
from playwright.async_api import async_playwright

from understudy.face import Faces
from understudy.frames import Frame, LabelledFrame
from understudy.media.live.base import LiveInfo
from understudy.provenance import FrameSealer
from understudy.server.webrtc.allowance import Allowance
from understudy.server.webrtc.offers import read_offer
from understudy.server.webrtc.outgoing import Watched, Watchers
from understudy.server.webrtc.peers import Peer
from understudy.server.webrtc.reach import Reach
from understudy.testing import Puppet, portrait, talking

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SIZE, FPS = (640, 360), 30
#: Seconds: of all, and from and to which the link is narrow.
WHOLE, NARROW, WIDE = 80, 10, 50
#: An address of the namespace's own; what goes to it goes over ``lo``.
ADDRESS = "10.83.0.1"
LINK = f"""
ip link set lo up && ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up &&
ip addr add {ADDRESS}/24 dev v0 && ip route add default via 10.83.0.2 && exec "$@"
"""
OFFER = """async () => {
  const connection = window.connection = new RTCPeerConnection();
  const video = document.body.appendChild(Object.assign(document.createElement("video"), { muted: true }));
  connection.ontrack = (event) => { video.srcObject = new MediaStream([event.track]); video.play(); };
  connection.addTransceiver("video", { direction: "recvonly" });
  await connection.setLocalDescription(await connection.createOffer());
  return connection.localDescription.sdp;
}"""
STATS = """async () => [...(await window.connection.getStats()).values()].find((one) => one.type === "inbound-rtp")"""


class Deaf(Allowance):
    """As if nobody said anything of what arrives."""

    def can_arrive(self, bits: float, now: float) -> None:
        """Not heard."""

    def lost(self, share: float, now: float) -> None:
        """Not heard."""


def shape(words: str) -> None:
    """Set the link's width."""
    subprocess.run(["tc", "qdisc", *words.split()], check=True)


def frames(watchers: Watchers, over: threading.Event) -> None:
    """Somebody who talks, labelled, thirty times a second."""
    puppet, sealer = Puppet(portrait("astronaut"), SIZE, face_share=0.45), FrameSealer(7)
    pictures = [puppet.render(talking(number / FPS)).picture for number in range(150)]
    watchers.open(LiveInfo("narrow", *SIZE, Fraction(FPS)))
    sealed: list[LabelledFrame] = [
        sealer.seal(Frame(picture, number * 3000, Fraction(1, 90_000)), Faces.empty())
        for number, picture in enumerate(pictures + pictures[::-1])
    ]
    begun = time.monotonic()
    for number, one in enumerate(cycle(sealed)):
        if over.wait(max(begun + number / FPS - time.monotonic(), 0)):
            return
        watchers.write(one, number / FPS)


async def watched(kilobits: int, *, deaf: bool) -> dict[str, object]:
    """What one who watches sees, once."""
    watchers, over, track = Watchers(), threading.Event(), Watched("h264")
    if deaf:
        track.allowance = Deaf()
    working = threading.Thread(target=frames, args=(watchers, over))
    stats = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page()
        peer = Peer(Reach((ADDRESS,)), lambda _: None)
        offer = await page.evaluate(OFFER)
        answer = await peer.show(read_offer(offer.encode(), "watch"), track)
        await page.evaluate("(sdp) => window.connection.setRemoteDescription({ type: 'answer', sdp })", answer)
        watchers.add(track)
        working.start()
        while not ((await page.evaluate(STATS)) or {}).get("framesDecoded"):
            await asyncio.sleep(0.2)
        for second in range(WHOLE):
            if second == NARROW:
                shape(f"add dev lo root tbf rate {kilobits}kbit burst 8k latency 400ms")
            if second == WIDE:
                shape("del dev lo root")
            await asyncio.sleep(1)
            stats.append(await page.evaluate(STATS))
        over.set()
        await asyncio.to_thread(working.join)
        await peer.close()
        await browser.close()
    return {
        "follows": not deaf,
        "wide": figures(stats[2:NARROW]),
        "narrow": figures(stats[NARROW : WIDE - 1]),
        "wide_again": figures(stats[WIDE - 1 :]),
        "wide_again_last_20_s": figures(stats[-20:]),
    }


def figures(stats: list[dict[str, float]]) -> dict[str, float]:
    """What happened between the first and the last of these."""
    first, last = stats[0], stats[-1]

    def more(name: str) -> float:
        return float(last.get(name, 0) - first.get(name, 0))

    seconds = len(stats) - 1
    rates = np.diff([one.get("framesDecoded", 0) for one in stats])
    return {
        "kilobits": round(more("bytesReceived") * 8 / 1000 / seconds),
        "fps": round(more("framesDecoded") / seconds, 1),
        "seconds_below_10_fps": int(np.sum(rates < 10)),
        "frozen_share": round(more("totalFreezesDuration") / seconds, 2),
        "lost_packets": round(more("packetsLost")),
        "buffered_ms": round(1000 * more("jitterBufferDelay") / max(more("jitterBufferEmittedCount"), 1)),
        "quantiser": round(more("qpSum") / max(more("framesDecoded"), 1), 1),
    }


def main() -> None:
    """Measure, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kilobits", type=int, nargs="?", default=500)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if not asked.inside:
        words = [sys.executable, "-m", "benchmarks.narrow", str(asked.kilobits), "--inside"]
        os.execvp("unshare", ["unshare", "--net", "sh", "-c", LINK, "-", *words])
    for deaf in (True, False):
        print(json.dumps(asyncio.run(watched(asked.kilobits, deaf=deaf)), indent=2), flush=True)


if __name__ == "__main__":
    main()
