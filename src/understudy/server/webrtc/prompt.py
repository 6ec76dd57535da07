"""Pictures out of packets, each as soon as its last packet is there."""

from __future__ import annotations

from typing import Final

from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket

#: Packets that are kept: a power of two.
_CAPACITY: Final = 512


class PromptBuffer(JitterBuffer):
    """A buffer of a video's packets that gives a picture with the packet that says it is the last.

    The one that it comes from takes a picture for whole when the first packet of the next is there: each is a picture
    late. That the last one of a picture is marked is part of RTP for H.264 (RFC 6184, 5.1) and VP8 (RFC 7741, 4.1).
    """

    def __init__(self) -> None:
        super().__init__(_CAPACITY, is_video=True)

    def _remove_frame(self, sequence_number: int) -> JitterFrame | None:
        return super()._remove_frame(sequence_number) or self._marked()

    def _marked(self) -> JitterFrame | None:
        """The oldest picture, if all its packets are there up to the marked one."""
        packets: list[RtpPacket] = []
        for place in range(self.capacity):
            packet = self._packets[((self._origin or 0) + place) % self.capacity]
            if packet is None or (packets and packet.timestamp != packets[0].timestamp):
                return None
            packets.append(packet)
            if packet.marker:
                self.remove(len(packets))
                return JitterFrame(b"".join(vars(one)["_data"] for one in packets), packet.timestamp)
        return None
