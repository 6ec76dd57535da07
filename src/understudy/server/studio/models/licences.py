"""What somebody is told before models are fetched or taken in: what comes, and under what terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from understudy.server.studio.controls import Text, box
from understudy.server.studio.models import words
from understudy.server.studio.notices import original
from understudy.server.texts import Texts

if TYPE_CHECKING:
    from understudy.models.entries import Entry, Licence


def tell(texts: Texts, entries: Sequence[Entry], licences: Mapping[str, Licence]) -> None:
    """Put it into the dialog that is open.

    Args:
        texts: In whose language.
        entries: What comes.
        licences: Those of them that nobody accepted here yet, by key.
    """
    with box("comes", "ul"):
        for entry in entries:
            with box("", "li"):
                Text(entry.name, classes="model-name")
                Text(words.size(texts, entry.file.size), classes="hint")
    known = [entry.file.size for entry in entries if entry.file.size is not None]
    if len(entries) > 1:
        total = words.size(texts, sum(known))
        whole = len(known) == len(entries)
        Text(texts("models.together" if whole else "models.at_least", size=total), "p")
    for key, licence in licences.items():
        with box("licence"):
            with box("licence-top"):
                Text(licence.name, "h3", classes="licence-name", attributes={"lang": "en"})
                Text(words.commercial(texts, licence), classes="licence-use")
            original(texts, licence.terms)
            Text(", ".join(entry.name for entry in entries if entry.licence == key), classes="hint")
            if licence.url:
                away = {"href": licence.url, "target": "_blank", "rel": "noopener noreferrer"}
                Text(texts("models.read_licence"), "a", attributes=away)
    Text(texts("models.accept_means" if licences else "models.accepted_before"), "p", classes="hint")
    if any(entry.file.sha256 is None for entry in entries):
        Text(texts("models.unpinned"), "p", classes="hint")
