"""Pictures come out of packets with the last of their packets, whatever was lost or came late."""

from __future__ import annotations

import pytest
from aiortc.rtp import RtpPacket

from understudy.server.webrtc.prompt import PromptBuffer


def packet(number: int, picture: int, *, last: bool = False) -> RtpPacket:
    """The packet of a number, of a picture."""
    made = RtpPacket(sequence_number=number % 65536, timestamp=picture * 3000, marker=int(last))
    vars(made)["_data"] = bytes([number % 256])
    return made


def given(buffer: PromptBuffer, *packets: RtpPacket) -> list[tuple[int, bytes]]:
    """The pictures that came out, each with the bytes of its packets."""
    found = [buffer.add(one)[1] for one in packets]
    return [(one.timestamp // 3000, one.data) for one in found if one is not None]


@pytest.mark.parametrize("first", [0, 65534])
def test_a_picture_comes_with_its_last_packet(first):
    buffer = PromptBuffer()
    assert given(buffer, packet(first, 1), packet(first + 1, 1)) == []
    assert given(buffer, packet(first + 2, 1, last=True)) == [(1, bytes((first + n) % 256 for n in range(3)))]
    assert given(buffer, packet(first + 3, 2, last=True)) == [(2, bytes([(first + 3) % 256]))]


def test_one_whose_packets_come_in_another_order_comes_when_all_are_there():
    buffer = PromptBuffer()
    assert given(buffer, packet(0, 1, last=True)) == [(1, b"\0")]
    assert given(buffer, packet(2, 2, last=True)) == []
    assert given(buffer, packet(1, 2)) == [(2, b"\1\2")]


def test_one_that_waits_for_a_packet_holds_up_the_next_and_both_come_in_their_order():
    buffer = PromptBuffer()
    given(buffer, packet(0, 1, last=True))
    assert given(buffer, packet(2, 2, last=True), packet(3, 3, last=True)) == []
    assert given(buffer, packet(1, 2)) == [(2, b"\1\2")]
    # One comes with each packet: of the next, which has two, the first brings what was left, the second itself.
    assert given(buffer, packet(4, 4)) == [(3, b"\3")]
    assert given(buffer, packet(5, 4, last=True)) == [(4, b"\4\5")]


def test_one_without_a_mark_comes_with_the_next():
    buffer = PromptBuffer()
    assert given(buffer, packet(0, 1), packet(1, 1)) == []
    assert given(buffer, packet(2, 2)) == [(1, b"\0\1")]
