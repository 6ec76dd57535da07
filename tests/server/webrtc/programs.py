"""Programs that send to a session and watch it, as a browser would: aiortc on the other side."""

from __future__ import annotations

import asyncio
import contextlib

import av
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack

#: Seconds that anything may take: many, for the machine may do a lot besides.
PATIENCE = 90
SDP = {"Content-Type": "application/sdp"}


class Shown(VideoStreamTrack):
    """A camera that shows pictures over and over."""

    def __init__(self, pictures):
        super().__init__()
        self.pictures, self.count = pictures, 0

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        frame = av.VideoFrame.from_ndarray(self.pictures[self.count % len(self.pictures)], format="bgr24")
        frame.pts, frame.time_base = pts, time_base
        self.count += 1
        return frame


class Program:
    """One connection from the other side. It asks no STUN server."""

    def __init__(self):
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.pictures, self._reading = [], None

    async def sends(self, pictures):
        """An offer to send."""
        self.connection.addTransceiver(Shown(pictures), direction="sendonly")
        return await self.described()

    async def watches(self):
        """An offer to watch."""
        self.connection.addTransceiver("video", direction="recvonly")
        return await self.described()

    async def described(self):
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def answered(self, answer):
        """What the other side says."""
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        receiver = self.connection.getReceivers()[0]
        if self.connection.getTransceivers()[0].direction == "recvonly":
            self._reading = asyncio.ensure_future(self.read(receiver.track))

    async def read(self, track):
        with contextlib.suppress(Exception):  # it ended
            while True:
                self.pictures.append((await track.recv()).to_ndarray(format="bgr24", src_colorspace=1))

    async def close(self):
        if self._reading is not None:
            self._reading.cancel()
        await self.connection.close()


async def until(what, seconds=PATIENCE):
    """Wait for something; what it is."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        found = what()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert asyncio.get_running_loop().time() < deadline, "it did not happen"
        await asyncio.sleep(0.1)
