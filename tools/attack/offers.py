"""Has schemathesis send SDP, of which it knows nothing: what it makes up as it is, or in an offer."""

from __future__ import annotations

import schemathesis

#: An offer to send a video, as browsers make them, without what is not looked at.
OFFER = """v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=sendrecv
a=mid:0
a=rtcp-mux
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF
a=setup:actpass
a=rtpmap:96 VP8/90000
"""


@schemathesis.serializer("application/sdp")
def sdp(_: object, value: object) -> bytes:
    """A body: every third is what was made up, the others an offer with it in place of a line, or after its last."""
    said = str(value).encode("utf-8", "replace")
    kind, lines = len(said) % 3, OFFER.encode().splitlines()
    if kind == 1:
        lines[len(said) % len(lines)] = said
    elif kind == 2:
        lines.append(b"a=" + said)
    return said if kind == 0 else b"\r\n".join([*lines, b""])
