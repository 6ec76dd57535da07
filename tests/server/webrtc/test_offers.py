"""Offers: data from outside."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server.webrtc.programs import Program
from understudy.errors import InputError
from understudy.server.receiving import TooLargeError
from understudy.server.webrtc.offers import MOST_BYTES, read_offer


def offer_of(direction):
    async def made():
        program = Program()
        program.connection.addTransceiver("video", direction=direction)
        await program.connection.setLocalDescription(await program.connection.createOffer())
        found = program.connection.localDescription.sdp
        await program.close()
        return found

    return asyncio.run(made())


SENDS, WATCHES = offer_of("sendonly"), offer_of("recvonly")


def test_an_offer_is_read_and_holds_no_address_any_more():
    assert "a=candidate:" in SENDS
    found = read_offer(SENDS.encode(), "send")
    assert set(found.codecs) == {"vp8", "h264"}
    assert "candidate" not in found.text
    assert "a=ice-ufrag:" in found.text
    assert read_offer(WATCHES.replace("\r\n", "\n").encode(), "watch").text.endswith("\r\n")


@pytest.mark.parametrize(("offer", "purpose"), [(SENDS, "watch"), (WATCHES, "send")])
def test_a_video_that_goes_the_wrong_way_is_refused(offer, purpose):
    with pytest.raises(InputError, match="the video of this offer is") as told:
        read_offer(offer.encode(), purpose)
    assert "Offer" in told.value.hint


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: "", "no SDP"),
        (lambda text: text.replace("v=0", "v=1"), "no SDP"),
        (lambda text: text + "\0", "no SDP"),
        (lambda text: text + "a=x:" + "x" * 2000, "no SDP"),
        (lambda text: text + "a=x\r\n" * 2000, "no SDP"),
        (lambda text: text.replace("m=video", "m=audio"), "one video"),
        (lambda text: text.replace("m=video", "m=application"), "one video"),
        (lambda text: text + text[text.index("m=video") :].replace("a=mid:0", "a=mid:1"), "one video"),
        (lambda text: text.replace("a=mid:0", "a=mid:../x"), "name of its own"),
        (lambda text: text.replace("a=ice-ufrag", "a=nothing"), "ice-ufrag"),
        (lambda text: text.replace("a=ice-pwd:", "a=ice-pwd:x "), "ice-pwd"),
        (lambda text: text.replace("a=fingerprint:sha", "a=fingerprint:md5"), "fingerprint"),
        (lambda text: text.replace("VP8/90000", "AV1/90000").replace("H264/90000", "H265/90000"), "neither VP8"),
    ],
)
def test_what_is_no_offer_is_told(change, said):
    with pytest.raises(InputError, match=said):
        read_offer(change(SENDS).encode(), "send")


def test_an_offer_without_end_is_not_read():
    with pytest.raises(TooLargeError):
        read_offer(b"v" * (MOST_BYTES + 1), "send")


@pytest.mark.slow
@given(st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(SENDS.split("\r\n")), max_size=60)))
@settings(max_examples=300, deadline=None)
def test_nothing_makes_reading_fail_otherwise(said):
    data = said if isinstance(said, bytes) else "\r\n".join(said).encode()
    try:
        assert read_offer(data, "send").codecs
    except InputError as fault:
        assert fault.hint
