"""Peer connections: one browser or program that sends a picture, or watches one.

Nothing is asked of a STUN server unless one is named (aiortc would ask Google's), and no address of an offer is used:
whoever asked comes to the addresses that the answer names, which are this machine's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from aiortc import (
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import RTCRtpCodecCapability
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)
from av.video.frame import VideoFrame

from understudy.errors import InputError
from understudy.server.webrtc.encoding import Codec
from understudy.server.webrtc.incoming import TakesPictures
from understudy.server.webrtc.offers import Offer
from understudy.server.webrtc.outgoing import Watched
from understudy.server.webrtc.prompt import PromptBuffer
from understudy.server.webrtc.reach import LOCAL, Reach

#: Seconds within which a connection must be there once it was answered.
_PATIENCE: Final = 20.0
#: Pictures that may wait to be decoded. If there are more, the connection is given up: whoever sends begins anew, with
#: a picture of now.
_BEHIND: Final = 150
#: Kilobits a second with which a browser is asked to begin. By itself it begins with a small picture and little of it.
_FIRST_KBITS: Final = 2_500
#: What stands for all packets in a report of how many were lost (RFC 3550, 6.4.1).
_WHOLE: Final = 256


class Peer:
    """One connection. Made and used in the server's loop.

    Args:
        reach: How this machine is reached.
        over: Called once, in the loop, when it has ended by itself.
    """

    def __init__(self, reach: Reach, over: Callable[[Peer], None]) -> None:
        servers = [RTCIceServer(one) for one in reach.servers]
        # An empty list, not None: that would stand for a server of aiortc's own choosing.
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self._reach, self._over = reach, over
        self._late = asyncio.get_running_loop().call_later(_PATIENCE, self._give_up)
        self._pump: asyncio.Task[None] | None = None
        self._ended, self._answering = False, False
        #: Why it was given up; empty if it was not.
        self.why = ""
        self._connection.on("connectionstatechange", self._look)

    @property
    def connected(self) -> bool:
        """Whether it is there."""
        return str(self._connection.connectionState) == "connected"

    async def take(self, offer: Offer, pictures: TakesPictures) -> str:
        """Take somebody's pictures.

        Args:
            offer: What they offer.
            pictures: Where the pictures go.

        Returns:
            The answer.

        Raises:
            InputError: the offer can't be answered.
        """
        self._connection.addTransceiver("video", direction="recvonly").setCodecPreferences(_preferred(("h264", "vp8")))
        answer = await self._answered(offer)
        (video,) = [one for one in self._connection.getTransceivers() if one.kind == "video"]
        _give_at_once(video.receiver)
        self._pump = asyncio.ensure_future(self._read(video.receiver, pictures))
        return answer

    async def show(self, offer: Offer, track: Watched) -> str:
        """Show a track to somebody.

        Args:
            offer: What they offer.
            track: What they are shown.

        Returns:
            The answer.

        Raises:
            InputError: the offer can't be answered.
        """
        video = self._connection.addTransceiver(track, direction="sendonly")
        video.setCodecPreferences(_preferred((track.codec,)))
        _pass_on(video.sender, track)
        return await self._answered(offer)

    async def close(self) -> None:
        """End it. ``over`` is not called."""
        self._ended = True
        self._late.cancel()
        if self._pump is not None:
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump
        if not self._answering:  # sockets that are still being opened would stay open: it is closed when they are
            await self._connection.close()

    async def _answered(self, offer: Offer) -> str:
        try:
            await self._agreed(offer)
        except BaseException as fault:
            await self.close()
            if not isinstance(fault, Exception):
                raise
            # aiortc's reader fails in any way at what it does not expect, even with StopIteration.
            raise InputError(
                "this offer can't be answered", "Send what RTCPeerConnection.createOffer gives."
            ) from fault
        return _with_first_rate(str(self._connection.localDescription.sdp))

    async def _agreed(self, offer: Offer) -> None:
        """Take an offer, and open what it can be answered with.

        Raises:
            ConnectionAbortedError: it was closed meanwhile.
        """
        connection, self._answering = self._connection, True
        try:
            await connection.setRemoteDescription(RTCSessionDescription(offer.text, "offer"))
            for one in connection.getTransceivers():
                if one.kind != "video":
                    one.direction = "inactive"  # sound is neither taken nor sent
                _use_addresses(one.receiver.transport.transport, self._reach.addresses)
            await connection.setLocalDescription(await connection.createAnswer())
        finally:
            self._answering = False
        if self._ended:
            raise ConnectionAbortedError

    async def _read(self, receiver: RTCRtpReceiver, pictures: TakesPictures) -> None:
        """Hand pictures over as they come. aiortc keeps all that were not read: what comes is always read at once."""
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await receiver.track.recv()
                at = time.monotonic()
                if not isinstance(frame, VideoFrame):
                    continue
                if _undecoded(receiver) > _BEHIND:
                    self.why = "its pictures came faster than they could be decoded"
                    break
                try:
                    pictures.hand_over(frame, at)
                except InputError as fault:
                    self.why = f"{fault.message}. {fault.hint}"
                    break
        self._give_up()

    def _look(self) -> None:
        """The connection's state has changed."""
        state = self._connection.connectionState
        if state == "connected":
            self._late.cancel()
        elif state in ("failed", "closed"):
            self._give_up()

    def _give_up(self) -> None:
        if not self._ended:
            self._ended = True
            self._late.cancel()
            self._over(self)


def _preferred(codecs: Sequence[Codec]) -> list[RTCRtpCodecCapability]:
    """Capabilities for codecs as aiortc names them, in that order, and for what sends again what was lost."""
    known = RTCRtpSender.getCapabilities("video").codecs
    named = [one for codec in codecs for one in known if one.mimeType.lower() == f"video/{codec}"]
    return [*named, *(one for one in known if one.mimeType.lower() == "video/rtx")]


def _give_at_once(receiver: RTCRtpReceiver) -> None:
    """Have pictures taken out of a receiver's packets without waiting for the next one's."""
    vars(receiver)["_RTCRtpReceiver__jitter_buffer"] = PromptBuffer()


def _undecoded(receiver: RTCRtpReceiver) -> int:
    """How many pictures wait to be decoded: a queue inside aiortc that has no end."""
    waiting: queue.Queue[object] = vars(receiver)["_RTCRtpReceiver__decoder_queue"]
    return waiting.qsize()


def _use_addresses(transport: Any, only: Sequence[str]) -> None:  # noqa: ANN401 - aiortc's and aioice's own
    """Have a connection taken at certain addresses; at all of the machine's if there are none.

    By itself aioice leaves out the one by which a browser on the same machine comes.
    """
    connection = transport.iceGatherer._connection
    gather = connection.get_component_candidates

    async def gather_here(component: int, addresses: Sequence[str], **more: Any) -> Any:  # noqa: ANN401
        return await gather(component=component, addresses=list(only) or [LOCAL, *addresses], **more)

    connection.get_component_candidates = gather_here


def _pass_on(sender: Any, track: Watched) -> None:  # noqa: ANN401 - aiortc's own
    """Have the track know what whoever watches says of what arrives: aiortc tells its own encoders only.

    And have no more sent again of what was lost than the track is allowed.
    """
    handle, send_again = sender._handle_rtcp_packet, sender._retransmit

    async def heard(packet: object) -> None:
        now = time.monotonic()
        if isinstance(packet, RtcpPsfbPacket) and packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
            track.lost = True
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            with contextlib.suppress(ValueError, struct.error):  # it is something else, or cut off
                bits, sources = unpack_remb_fci(packet.fci)
                if sender._ssrc in sources:
                    track.allowance.can_arrive(bits, now)
        elif isinstance(packet, (RtcpRrPacket, RtcpSrPacket)):
            for report in packet.reports:
                if report.ssrc == sender._ssrc:
                    track.allowance.lost(report.fraction_lost / _WHOLE, now)
        await handle(packet)

    async def repeated(number: int) -> None:
        if track.allowance.repeat(time.monotonic()):
            await send_again(number)

    sender._handle_rtcp_packet, sender._retransmit = heard, repeated


def _with_first_rate(answer: str) -> str:
    """An answer that has a browser begin with a picture of its full size (Chromium's own words; others pass it by)."""
    lines = answer.split("\r\n")
    numbers = [line.split(":")[1].split(" ")[0] for line in lines if line.startswith("a=rtpmap:") and "/90000" in line]
    numbers = [number for number in numbers if f"a=rtpmap:{number} rtx/90000" not in lines]
    for number in numbers:
        hint = f"x-google-start-bitrate={_FIRST_KBITS}"
        at = next((at for at, line in enumerate(lines) if line.startswith(f"a=fmtp:{number} ")), None)
        if at is not None:
            lines[at] += f";{hint}"
        else:
            at = next(at for at, line in enumerate(lines) if line.startswith(f"a=rtpmap:{number} "))
            lines.insert(at + 1, f"a=fmtp:{number} {hint}")
    return "\r\n".join(lines)
