"""What a browser or a program offers to send or to watch: SDP (RFC 8866). It is data from outside.

Addresses in it are not used: whoever asked reaches this server from wherever they are, and is answered there (ICE calls
that a peer-reflexive candidate, RFC 8445, 7.3.1.3). So no offer can have this machine send anything to an address of
its own choosing, and no name of the local network (mDNS) is looked up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from understudy.errors import InputError
from understudy.server.receiving import TooLargeError

#: Most bytes of an offer, and most of its lines and their letters. Browsers send 3 to 9 kB.
MOST_BYTES: Final = 65_536
_MOST_LINES, _LONGEST_LINE, _MOST_SECTIONS = 1500, 1000, 4
#: Attributes that are left out: addresses, and that there are no more of them; several sizes of one picture.
_LEFT_OUT: Final = re.compile(r"a=(candidate|end-of-candidates|remote-candidates|rid|simulcast)\b")
_MEDIA: Final = re.compile(r"m=(audio|video) (\d{1,5}) UDP/TLS/RTP/SAVPF((?: \d{1,3}){1,100})")
_FORMAT: Final = re.compile(r"a=rtpmap:(\d{1,3}) (VP8|H264)/90000", re.IGNORECASE)
_NEEDED: Final = {
    "ice-ufrag": r"[\w+/-]{4,256}",
    "ice-pwd": r"[\w+/-]{22,256}",
    "fingerprint": r"sha-\d{3} [0-9A-Fa-f:]+",
}
_HINT: Final = "Send what RTCPeerConnection.createOffer gives, as application/sdp."

Purpose = Literal["send", "watch"]


@dataclass(frozen=True)
class Offer:
    """An offer that can be answered.

    Attributes:
        text: The SDP, without addresses.
        codecs: Video codecs of it that are known here, the one that is preferred first: ``vp8``, ``h264``.
    """

    text: str
    codecs: tuple[str, ...]


def read_offer(data: bytes, purpose: Purpose) -> Offer:
    """Read an offer.

    Args:
        data: As it came.
        purpose: Whether whoever asks wants to send a picture or to watch one.

    Raises:
        TooLargeError: it is larger than any offer.
        InputError: it is none, or one without a video that goes the right way.
    """
    if len(data) > MOST_BYTES:
        raise TooLargeError(f"an offer has {MOST_BYTES // 1024} kB at most", _HINT)
    try:
        lines = data.decode("utf-8").replace("\r\n", "\n").rstrip("\n").split("\n")
    except UnicodeDecodeError as fault:
        raise InputError("this is no SDP", _HINT) from fault
    fits = len(lines) <= _MOST_LINES and all(
        len(line) <= _LONGEST_LINE and line.isprintable() and line[1:2] == "=" for line in lines
    )
    if not fits or lines[0] != "v=0":
        raise InputError("this is no SDP", _HINT)
    lines = [line for line in lines if not _LEFT_OUT.match(line)]
    starts = [at for at, line in enumerate(lines) if line.startswith("m=")]
    head = lines[: starts[0]] if starts else lines
    ends = [*starts[1:], len(lines)]
    sections = [lines[at:end] for at, end in zip(starts, ends, strict=False)]
    _check_sections(head, sections)
    (video,) = [section for section in sections if section[0].startswith("m=video")]
    _check_direction(head, video, purpose)
    codecs = _codecs(video)
    if not codecs:
        raise InputError("the offer has neither VP8 nor H.264", "Offer a video in one of the two.")
    return Offer("\r\n".join(lines) + "\r\n", codecs)


def _check_sections(head: list[str], sections: list[list[str]]) -> None:
    """Make sure that there is one video, perhaps with sound, each with its name and what a connection needs.

    Raises:
        InputError: there is not.
    """
    kinds = [media[1] for section in sections if (media := _MEDIA.fullmatch(section[0])) is not None]
    if len(kinds) != len(sections) or len(sections) > _MOST_SECTIONS or kinds.count("video") != 1:
        raise InputError("an offer has one video, and perhaps sound: nothing else", "Offer a single video.")
    names = [line for section in sections for line in section if line.startswith("a=mid:")]
    known = all(re.fullmatch(r"a=mid:[\w.-]{1,32}", name) for name in names)
    if not known or len(set(names)) != len(sections) or len(names) != len(sections):
        raise InputError("each part of an offer has a name of its own (a=mid)", _HINT)
    for section in sections:
        for name, form in _NEEDED.items():
            said = [line for line in [*head, *section] if line.startswith(f"a={name}:")]
            if not said or not all(re.fullmatch(f"a={name}:{form}", line) for line in said):
                raise InputError(f"the offer has no {name} that can be used", _HINT)


def _check_direction(head: list[str], video: list[str], purpose: Purpose) -> None:
    """Make sure that the video goes the way it is to go.

    Raises:
        InputError: it does not.
    """
    found = [line for line in [*head, *video] if line in ("a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive")]
    direction = found[-1] if found else "a=sendrecv"
    wanted = "sendonly" if purpose == "send" else "recvonly"
    if direction not in ("a=sendrecv", f"a={wanted}"):
        raise InputError(
            f"the video of this offer is {direction[2:]}",
            f"Offer {wanted} here: {'pictures are sent to this address' if purpose == 'send' else 'this only shows'}.",
        )


def _codecs(video: list[str]) -> tuple[str, ...]:
    """The known codecs of a section, in its order of preference."""
    media = _MEDIA.fullmatch(video[0])
    assert media is not None
    named = {found[1]: found[2].lower() for line in video if (found := _FORMAT.fullmatch(line)) is not None}
    return tuple(dict.fromkeys(named[number] for number in media[3].split() if number in named))
