"""What is said of a file that was looked at, by the names of the texts that say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from understudy.provenance.fingerprint import SAME
from understudy.provenance.verdict import Reason, Verdict
from understudy.server.texts import Texts

if TYPE_CHECKING:
    from understudy.tasks.inspect import Inspection


class Conclusion(NamedTuple):
    """A verdict, as a page shows it.

    Attributes:
        title: The name of the text that says it.
        meaning: The name of the text that says what it means, and what not.
        look: How it looks: never as if something were real.
    """

    title: str
    meaning: str
    look: Literal["made", "altered", "unknown"]


CONCLUSIONS: Final[Mapping[Verdict, Conclusion]] = {
    "made by this tool": Conclusion("check.made", "check.made_means", "made"),
    "made by this tool, altered since": Conclusion("check.altered", "check.altered_means", "altered"),
    "unknown": Conclusion("check.unknown", "check.unknown_means", "unknown"),
}
#: The text of each reason, by the name that it has.
REASONS: Final[Mapping[str, str]] = {
    "same_file": "reason.same_file",
    "nothing": "reason.nothing",
    "nothing_unopened": "reason.nothing_unopened",
    "searched_in_part": "reason.searched_in_part",
    "no_credentials": "reason.no_credentials",
    "credentials_unreadable": "reason.credentials_unreadable",
    "credentials_broken": "reason.credentials_broken",
    "credentials_beside_broken": "reason.credentials_beside_broken",
    "credentials_lapsed": "reason.credentials_lapsed",
    "credentials_own": "reason.credentials_own",
    "other_bytes": "reason.other_bytes",
    "credentials_foreign": "reason.credentials_foreign",
    "credentials_earlier": "reason.credentials_earlier",
    "credentials_contradict": "reason.credentials_contradict",
    "mark_missing": "reason.mark_missing",
    "mark_named": "reason.mark_named",
    "mark_unrecorded": "reason.mark_unrecorded",
    "mark_of_another_file": "reason.mark_of_another_file",
    "mark_of_another_name": "reason.mark_of_another_name",
    "mark_uncompared": "reason.mark_uncompared",
    "mark_alike": "reason.mark_alike",
    "mark_unlike": "reason.mark_unlike",
    "mark_unlike_cropped": "reason.mark_unlike_cropped",
    "aigc": "reason.aigc",
    "aigc_possible": "reason.aigc_possible",
    "aigc_suspected": "reason.aigc_suspected",
    "aigc_unclear": "reason.aigc_unclear",
    "source_type": "reason.source_type",
}
_SIGNATURES: Final = {
    "valid": "check.signature_foreign",
    "lapsed": "check.signature_lapsed",
    "altered": "check.signature_broken",
    "absent": "check.signature_none",
    "unreadable": "check.signature_unreadable",
}
_KINDS: Final = {"image": "check.image", "animation": "check.animation", "video": "check.video"}


class Evidence(NamedTuple):
    """One line of what was looked at.

    Attributes:
        name: What.
        said: What was found.
        supports: Whether it speaks for the verdict that this program made the file; None if it says nothing either way.
    """

    name: str
    said: str
    supports: bool | None


def reasons(texts: Texts, given: Iterable[Reason]) -> list[str]:
    """Why, in the reader's language."""
    return [texts(REASONS[reason.name], **reason.values) for reason in given]


def kind(texts: Texts, found: Inspection) -> str:
    """What kind of file it is."""
    return texts("check.no_medium" if found.kind is None else _KINDS[found.kind])


def evidence(texts: Texts, found: Inspection) -> list[Evidence]:
    """All that was looked at, whether it was found or not."""
    return [
        Evidence(texts("check.signature"), *_signature(texts, found)),
        Evidence(texts("check.mark"), *_mark(texts, found)),
        Evidence(texts("check.metadata"), *_metadata(texts, found)),
        Evidence(texts("check.ledger"), *_ledger(texts, found)),
        Evidence(texts("check.likeness"), *_likeness(texts, found)),
    ]


def _signature(texts: Texts, found: Inspection) -> tuple[str, bool | None]:
    said = found.credentials
    if said.state == "valid" and said.own:
        return texts("check.signature_own"), True
    # A valid signature of somebody else's is evidence of nothing by itself.
    return texts(_SIGNATURES[said.state]), False if said.state == "altered" else None


def _mark(texts: Texts, found: Inspection) -> tuple[str, bool | None]:
    if found.kind is None:
        return texts("check.not_looked"), None
    if found.mark is None:
        return texts("check.mark_none"), None
    known = found.record is not None and found.record.identifier == f"{found.mark.identifier:012x}"
    said = texts("check.mark_found", mark=f"{found.mark.identifier:012x}", agreement=f"{found.mark.agreement:.0%}")
    return said, _if_made(found, holds=known)


def _metadata(texts: Texts, found: Inspection) -> tuple[str, bool | None]:
    said = []
    if found.claims.aigc is not None:
        said.append(f"AIGC: {found.claims.aigc.get('ContentProducer') or '?'}")
    if found.claims.source_type is not None:
        said.append(f"IPTC: {found.claims.source_type}")
    return " · ".join(said) or texts("check.metadata_none"), None


def _ledger(texts: Texts, found: Inspection) -> tuple[str, bool | None]:
    if found.record is None:
        return texts("check.ledger_none"), None
    said = texts("check.ledger_found", date=found.record.time[:10], label=found.record.label or "?")
    return said, _if_made(found, holds=True)


def _likeness(texts: Texts, found: Inspection) -> tuple[str, bool | None]:
    if found.distance is None:
        return texts("check.likeness_none"), None
    if found.distance > SAME:
        return texts("check.unlike", bits=found.distance), False
    return texts("check.alike", bits=found.distance), _if_made(found, holds=True)


def _if_made(found: Inspection, *, holds: bool) -> bool | None:
    """What is found in a file of which nothing can be said supports nothing: it may have been put there."""
    return True if holds and found.verdict != "unknown" else None
