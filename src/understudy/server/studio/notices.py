"""What went wrong, shown in its place: in the reader's language, and where that matters as the program says it."""

from __future__ import annotations

from nicegui import ui

from understudy.server.faults import Fault
from understudy.server.studio.controls import Button, Handler, Text, box, icon
from understudy.server.texts import Texts


def notice(texts: Texts, fault: Fault, close: Handler | None = None) -> ui.element:
    """An error, read out at once.

    Args:
        texts: In whose language.
        fault: What to say.
        close: Takes it away; None where it goes by itself.
    """
    with box("notice", role="alert") as element:
        icon("warning")
        with box("words"):
            Text(texts(fault.text))
            if fault.detail:
                original(texts, fault.detail)
        if close is not None:
            Button("", close, look="bare", picture="close", label=texts("fault.close"))
    return element


def original(texts: Texts, said: str) -> ui.element:
    """What the program, or whoever made something, says in English; told to be so where the page is not."""
    attributes = {"lang": "en"} if texts.language != "en" else {}
    return Text(said, classes="detail", attributes=attributes)
