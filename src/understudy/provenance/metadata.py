"""Plain metadata that says what a picture is: IPTC's digital source type and China's AIGC label.

- ``Iptc4xmpExt:DigitalSourceType`` in XMP (IPTC Photo Metadata 2023.1; NewsCodes "digitalsourcetype").
- ``AIGC``, a JSON object with seven fields (GB 45438-2025, annex E), as a field of its own where the format has
  fields, and in XMP in TC260's namespace where it has not.

Both can be removed by anyone; that is what the signature and the mark are for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape, unescape

from understudy.release import Tags
from understudy.text import printable
from understudy.version import __version__

SOURCE_TYPE_ROOT = "http://cv.iptc.org/newscodes/digitalsourcetype/"
#: By what an engine is: drawn from the photo itself, or by a trained network.
COMPOSITE, TRAINED_COMPOSITE = "compositeSynthetic", "compositeWithTrainedAlgorithmicMedia"
AIGC_FIELD, SOURCE_TYPE_FIELD = "AIGC", "DIGITAL_SOURCE_TYPE"
PRODUCER = "Understudy"
#: Of an earlier label.
_KEPT = ("Label", "ContentProducer", "ProduceID")
#: Packets and fields are read up to here, in bytes.
_LONGEST = 1 << 16


@dataclass(frozen=True)
class Claims:
    """What a file's plain metadata says.

    Attributes:
        source_type: The last part of IPTC's digital source type, such as ``compositeSynthetic``; None if absent.
        aigc: The fields of the AIGC label; None if absent or unreadable.
    """

    source_type: str | None
    aigc: dict[str, str] | None


def tags(identifier: int, source_type: str, earlier: Mapping[str, str] | None = None) -> Tags:
    """What an output says of itself.

    Args:
        identifier: The output's id, 48 bits.
        source_type: ``COMPOSITE`` or ``TRAINED_COMPOSITE``.
        earlier: The AIGC label that the target carried. It is kept in the producer's reserved field: marks that are
            there are never stripped.
    """
    aigc = json.dumps(
        {
            "Label": "1",  # made by AI, in the standard's words; 2 and 3 are "possibly" and "suspected"
            "ContentProducer": PRODUCER,
            "ProduceID": f"{identifier:012x}",
            "ReservedCode1": ""
            if earlier is None
            else json.dumps({name: earlier.get(name, "")[:80] for name in _KEPT}),
            "ContentPropagator": "",
            "PropagateID": "",
            "ReservedCode2": "",
        },
        separators=(",", ":"),
    )
    url = SOURCE_TYPE_ROOT + source_type
    return Tags(_packet(url, aigc).encode(), {AIGC_FIELD: aigc, SOURCE_TYPE_FIELD: url})


def _packet(source_type: str, aigc: str) -> str:
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        'xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/">'
        f"<xmp:CreatorTool>Understudy {__version__}</xmp:CreatorTool>"
        f"<Iptc4xmpExt:DigitalSourceType>{source_type}</Iptc4xmpExt:DigitalSourceType>"
        f"<TC260:AIGC>{escape(aigc)}</TC260:AIGC>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )


def claims(found: Tags) -> Claims:
    """What a file's tags say, whoever wrote them: read leniently, trusted in nothing."""
    packet = found.xmp[:_LONGEST].decode("utf-8", "replace")
    fields = {name.upper(): value for name, value in found.fields.items()}
    source_type = fields.get(SOURCE_TYPE_FIELD, "") or packet
    named = re.search(rf"{re.escape(SOURCE_TYPE_ROOT)}(\w+)", source_type)
    aigc = fields.get(AIGC_FIELD) or _element(packet, "AIGC")
    return Claims(named.group(1) if named else None, _fields_of(aigc))


def _element(packet: str, name: str) -> str:
    """The text of an element or attribute of that local name."""
    found = re.search(rf":{name}>([^<]*)<", packet) or re.search(rf""":{name}=(?:"([^"]*)"|'([^']*)')""", packet)
    return unescape(next((part for part in found.groups() if part), ""), {"&quot;": '"'}) if found else ""


def _fields_of(text: str) -> dict[str, str] | None:
    try:
        fields = json.loads(text) if len(text) < _LONGEST else None
    except (ValueError, RecursionError):
        return None
    if isinstance(fields, dict) and isinstance(fields.get("AIGC"), dict):
        fields = fields["AIGC"]  # some write the name once more
    if not isinstance(fields, dict):
        return None
    # For people's eyes, too: nothing in it may steer a terminal.
    return {printable(name): printable(value) for name, value in fields.items()}
