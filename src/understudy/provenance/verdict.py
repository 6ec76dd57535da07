"""What may be said of a file after all evidence is in. Never that it is real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from understudy.provenance.credentials import Credentials
from understudy.provenance.fingerprint import SAME
from understudy.provenance.metadata import Claims
from understudy.provenance.records.ledger import Record
from understudy.provenance.watermark import Mark

#: What an inspection comes to.
Verdict = Literal["made by this tool", "made by this tool, altered since", "unknown"]


@dataclass(frozen=True)
class Evidence:
    """What was found in a file and in the ledger.

    Attributes:
        credentials: Content Credentials.
        mark: The invisible mark; None if none was found.
        claims: Plain metadata.
        record: The ledger's record of the file, of the mark's id or of the credentials' id; None if there is none.
        same_file: Whether the record is of this very file, byte for byte.
        distance: Bits of 256 by which the picture differs from the record's; None if nothing could be compared.
    """

    credentials: Credentials
    mark: Mark | None
    claims: Claims
    record: Record | None
    same_file: bool
    distance: int | None

    @property
    def looks_alike(self) -> bool | None:
        """Whether the picture is the record's; None if nothing could be compared."""
        return None if self.distance is None else self.distance <= SAME


def judge(evidence: Evidence) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict and its reasons, in words, the strongest first."""
    same = ["the ledger here has a record of this very file"] if evidence.same_file else []
    reasons = [*same, *_of_credentials(evidence), *_of_mark(evidence), *_of_claims(evidence)]
    credentials = evidence.credentials
    # Anyone can sign as anyone: somebody else's signature counts only with the mark that it names.
    mark = evidence.mark
    named = mark is not None and mark.identifier == credentials.identifier and evidence.looks_alike is not False
    backed = credentials.own or named
    signed = credentials.state == "valid" and credentials.ours and backed
    if signed or evidence.same_file:
        return "made by this tool", tuple(reasons)
    record = evidence.record
    of_mark = mark is not None and record is not None and record.identifier == f"{mark.identifier:012x}"
    confirmed = of_mark and evidence.looks_alike is True
    # A broken signature says nothing, even beside a picture that looks alike: the target itself looks like its swap.
    if confirmed:
        return "made by this tool, altered since", tuple(reasons)
    if not reasons:
        reasons.append("no mark, no credentials and no metadata: that says nothing of where it comes from")
    return "unknown", tuple(reasons)


def _contradicted(evidence: Evidence) -> bool:
    """Whether valid credentials of somebody else's key name another id than the mark that is in the picture."""
    mark, said = evidence.mark, evidence.credentials
    return not said.own and mark is not None and said.identifier is not None and mark.identifier != said.identifier


def _of_credentials(evidence: Evidence) -> list[str]:
    said = evidence.credentials
    who = said.tool or "an unnamed program"
    if said.state == "absent":
        return (
            ["it carries no Content Credentials" + (", or has lost them" if evidence.mark else "")]
            if evidence.mark
            else []
        )
    if said.state == "unreadable":
        return [f"its Content Credentials can't be read ({', '.join(said.problems)})"]
    if said.state == "altered":
        return [f"its Content Credentials ({who}) do not hold: the file was changed after it was signed, or they were"]
    if said.state == "lapsed":
        return [
            f"it is as it was when its Content Credentials ({who}) were made, but their certificate does not hold "
            f"({', '.join(said.problems)}): who signed it can't be told from them"
        ]
    if said.own:
        return [f"its Content Credentials hold, and were signed with this installation's key ({who})"]
    reasons = [f"its Content Credentials hold ({who}); the signer ({said.signer}) is not on a trust list known here"]
    if _contradicted(evidence):
        reasons.append("they name another output than the mark in the picture: one of the two was transplanted")
    return reasons


def _of_mark(evidence: Evidence) -> list[str]:
    mark, record = evidence.mark, evidence.record
    if mark is None:
        return ["the mark was not found in the picture"] if record is not None and not evidence.same_file else []
    found = f"the invisible mark {mark.identifier:012x} was found (agreement {mark.agreement:.0%})"
    if record is None and evidence.credentials.state == "valid" and mark.identifier == evidence.credentials.identifier:
        return [f"{found}: the one that its credentials name"]
    if record is None:
        return [f"{found}; the ledger here has no record of it, so whether it belongs to this picture can't be checked"]
    if record.identifier != f"{mark.identifier:012x}":
        other = "the file is that of" if evidence.same_file else "its credentials name"
        return [f"{found}, but {other} output {record.identifier}"]
    if evidence.looks_alike is None:
        return [f"{found}, which the ledger here has a record of; there was nothing to compare the picture with"]
    if evidence.looks_alike:
        return [
            f"{found}; the ledger's record of {record.time[:10]} is of this picture ({evidence.distance} of 256 bits)"
        ]
    cropped = " or cropped" if abs(mark.scale_x - 1) + abs(mark.scale_y - 1) > 0.02 else ""
    return [
        f"{found}, but the picture differs from the one that was marked ({evidence.distance} of 256 bits): "
        f"it was changed a lot{cropped}, or the mark was transplanted"
    ]


def _of_claims(evidence: Evidence) -> list[str]:
    said, reasons = evidence.claims, []
    if said.aigc is not None:
        producer = said.aigc.get("ContentProducer") or "unnamed"
        reasons.append(f"its AIGC label says: made by AI, producer {producer} (anyone can write or remove that)")
    if said.source_type is not None:
        reasons.append(f"its metadata says: {said.source_type} (IPTC; anyone can write or remove that)")
    return reasons
