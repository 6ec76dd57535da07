"""What may be said of a file after all evidence is in. Never that it is real."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from understudy.provenance.credentials import Credentials
from understudy.provenance.fingerprint import SAME
from understudy.provenance.metadata import Claims
from understudy.provenance.records.ledger import Record
from understudy.provenance.watermark import Mark

#: What an inspection comes to.
Verdict = Literal["made by this tool", "made by this tool, altered since", "unknown"]


#: What an AIGC label says, by its field ``Label`` (GB 45438-2025, annex E): the name of the reason, and in words.
_LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "1": ("aigc", "made by AI"),
    "2": ("aigc_possible", "possibly made by AI"),
    "3": ("aigc_suspected", "suspected to be made by AI"),
}


class Reason(str):
    """A sentence in English that also knows which one it is: whoever speaks another language says it in that.

    Args:
        text: The sentence.
        name: Which one it is, such as ``same_file``.
        values: What stands in it, by names.

    Attributes:
        name, values: See above.
    """

    __slots__ = ("name", "values")

    name: str
    values: Mapping[str, str]

    def __new__(cls, text: str, name: str = "", values: Mapping[str, str] | None = None) -> Reason:
        """Make one."""
        made = super().__new__(cls, text)
        made.name, made.values = name, dict(values or {})
        return made


@dataclass(frozen=True)
class Evidence:
    """What was found in a file and in the ledger.

    Attributes:
        credentials: Content Credentials.
        mark: The invisible mark; None if none was found.
        claims: Plain metadata.
        record: The ledger's record of the file, of the mark's id or of the credentials' id; None if there is none.
        same_file: Whether the record is of this very file, byte for byte; None if it is too large to be compared.
        distance: Bits of 256 by which the picture differs from the record's; None if nothing could be compared.
        opened: Whether there was a picture to look at.
        searched: Seconds of a clip that were searched for the mark; None if all of it was, or it was found.
    """

    credentials: Credentials
    mark: Mark | None
    claims: Claims
    record: Record | None
    same_file: bool | None
    distance: int | None
    opened: bool = True
    searched: float | None = None

    @property
    def looks_alike(self) -> bool | None:
        """Whether the picture is the record's; None if nothing could be compared."""
        return None if self.distance is None else self.distance <= SAME


def judge(evidence: Evidence) -> tuple[Verdict, tuple[Reason, ...]]:
    """The verdict and its reasons, in words, the strongest first."""
    same = [Reason("the ledger here has a record of this very file", "same_file")] if evidence.same_file else []
    reasons = [*same, *_of_credentials(evidence), *_of_bytes(evidence), *_of_mark(evidence), *_of_claims(evidence)]
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
        reasons.append(_nothing(evidence))
    if mark is None and evidence.searched is not None:
        seconds = f"{evidence.searched:.0f}"
        text = f"only {seconds} seconds of it were searched for the mark: it may be in the rest"
        reasons.append(Reason(text, "searched_in_part", {"seconds": seconds}))
    return "unknown", tuple(reasons)


def _nothing(evidence: Evidence) -> Reason:
    """That nothing was found, and what that means."""
    if evidence.opened:
        return Reason("no mark, no credentials and no metadata: that says nothing of where it comes from", "nothing")
    text = "no credentials, no metadata, and no picture to look for a mark in: that says nothing of where it comes from"
    return Reason(text, "nothing_unopened")


def _contradicted(evidence: Evidence) -> bool:
    """Whether valid credentials of somebody else's key name another id than the mark that is in the picture."""
    mark, said = evidence.mark, evidence.credentials
    return not said.own and mark is not None and said.identifier is not None and mark.identifier != said.identifier


def _of_credentials(evidence: Evidence) -> list[Reason]:
    said = evidence.credentials
    if said.state == "absent":
        lost = "it carries no Content Credentials, or has lost them"
        return [Reason(lost, "no_credentials")] if evidence.mark else []
    who, problems = said.tool or "an unnamed program", ", ".join(said.problems)
    values = {"who": said.tool or "?", "problems": problems, "signer": said.signer or "?"}
    if said.state == "unreadable":
        return [Reason(f"its Content Credentials can't be read ({problems})", "credentials_unreadable", values)]
    if said.state == "altered" and said.sidecar:
        text = (
            f"the Content Credentials beside it ({who}) do not hold: the file was changed after it was signed, or they "
            "were, or they are those of another file"
        )
        return [Reason(text, "credentials_beside_broken", values)]
    if said.state == "altered":
        text = f"its Content Credentials ({who}) do not hold: the file was changed after it was signed, or they were"
        return [Reason(text, "credentials_broken", values)]
    if said.state == "lapsed":
        text = (
            f"it is as it was when its Content Credentials ({who}) were made, but their certificate does not hold "
            f"({problems}): who signed it can't be told from them"
        )
        return [Reason(text, "credentials_lapsed", values), *_of_earlier(evidence)]
    if said.own:
        text = f"its Content Credentials hold, and were signed with this installation's key ({who})"
        return [Reason(text, "credentials_own", values)]
    text = f"its Content Credentials hold ({who}); the signer ({said.signer}) is not on a trust list known here"
    reasons = [Reason(text, "credentials_foreign", values)]
    if _contradicted(evidence):
        text = "they name another output than the mark in the picture: one of the two was transplanted"
        reasons.append(Reason(text, "credentials_contradict"))
    return [*reasons, *_of_earlier(evidence)]


def _of_earlier(evidence: Evidence) -> list[Reason]:
    """That outputs of this program went into what another one made."""
    said = evidence.credentials
    if said.ours or not said.earlier:
        return []
    outputs = ", ".join(said.earlier)
    text = f"they say that it was made from what this tool had made ({outputs}), and edited since"
    return [Reason(text, "credentials_earlier", {"outputs": outputs})]


def _of_bytes(evidence: Evidence) -> list[Reason]:
    """Whether a file whose credentials hold differs from its record: C2PA leaves out free space, and other boxes."""
    said, record = evidence.credentials, evidence.record
    if evidence.same_file is not False or record is None or said.state != "valid" or not said.own:
        return []
    if said.identifier is None or record.identifier != f"{said.identifier:012x}":
        return []
    text = (
        "its bytes are not the ones that the ledger has on record: something was added or changed where credentials "
        "don't look, such as free space; what they cover is as it was signed"
    )
    return [Reason(text, "other_bytes")]


def _of_mark(evidence: Evidence) -> list[Reason]:
    mark, record = evidence.mark, evidence.record
    if mark is None:
        lost = record is not None and not evidence.same_file and evidence.opened
        return [Reason("the mark was not found in the picture", "mark_missing")] if lost else []
    found = f"the invisible mark {mark.identifier:012x} was found (agreement {mark.agreement:.0%})"
    values = {"mark": f"{mark.identifier:012x}", "agreement": f"{mark.agreement:.0%}"}
    if record is None and evidence.credentials.state == "valid" and mark.identifier == evidence.credentials.identifier:
        return [Reason(f"{found}: the one that its credentials name", "mark_named", values)]
    if record is None:
        text = f"{found}; the ledger here has no record of it, so whether it belongs to this picture can't be checked"
        return [Reason(text, "mark_unrecorded", values)]
    values |= {"other": record.identifier, "date": record.time[:10], "bits": str(evidence.distance)}
    if record.identifier != f"{mark.identifier:012x}":
        other = "the file is that of" if evidence.same_file else "its credentials name"
        name = "mark_of_another_file" if evidence.same_file else "mark_of_another_name"
        return [Reason(f"{found}, but {other} output {record.identifier}", name, values)]
    if evidence.looks_alike is None:
        text = f"{found}, which the ledger here has a record of; there was nothing to compare the picture with"
        return [Reason(text, "mark_uncompared", values)]
    if evidence.looks_alike:
        text = f"{found}; the ledger's record of {values['date']} is of this picture ({evidence.distance} of 256 bits)"
        return [Reason(text, "mark_alike", values)]
    cropped = abs(mark.scale_x - 1) + abs(mark.scale_y - 1) > 0.02
    text = (
        f"{found}, but the picture differs from the one that was marked ({evidence.distance} of 256 bits): "
        f"it was changed a lot{' or cropped' if cropped else ''}, or the mark was transplanted"
    )
    return [Reason(text, "mark_unlike_cropped" if cropped else "mark_unlike", values)]


def _of_claims(evidence: Evidence) -> list[Reason]:
    said, reasons = evidence.claims, []
    if said.aigc is not None:
        producer = said.aigc.get("ContentProducer") or ""
        name, words = _LABELS.get(said.aigc.get("Label", ""), ("aigc_unclear", "nothing that can be understood"))
        text = f"its AIGC label says: {words}, producer {producer or 'unnamed'} (anyone can write or remove that)"
        reasons.append(Reason(text, name, {"producer": producer or "?"}))
    if said.source_type is not None:
        text = f"its metadata says: {said.source_type} (IPTC; anyone can write or remove that)"
        reasons.append(Reason(text, "source_type", {"type": said.source_type}))
    return reasons
