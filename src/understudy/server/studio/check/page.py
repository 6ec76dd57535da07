"""The Check room: drop a file, and be told whether it was made by this program, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from understudy.errors import UnderstudyError
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.check import words
from understudy.server.studio.check.desk import Look
from understudy.server.studio.controls import Button, Text, box, icon, shown
from understudy.server.studio.fields import Picker
from understudy.server.studio.notices import notice, original
from understudy.server.studio.rows import Rows
from understudy.server.studio.visitor import Visitor

if TYPE_CHECKING:
    from understudy.tasks.inspect import Inspection


def build(visitor: Visitor) -> None:
    """Put the room into the page."""
    texts, desk = visitor.texts, visitor.studio.checks
    with box("page check"):
        with box("lead"):
            Text(texts("check.title"), "h2", classes="title")
            Text(texts("check.about"), "p", classes="about")
        fault = box("faults")

        def failed(said: Fault) -> None:
            fault.clear()
            with fault:
                notice(texts, said, fault.clear)

        with _picker(visitor, failed) as picker:
            icon("inspect", "large")
            Text(texts("check.drop"), "p", classes="drop-title")
        _meanings(visitor)
        with box("list-head") as head:
            Text(texts("check.results"), "h2", classes="section")
            Button(texts("check.clear"), desk.clear, look="bare", picture="trash")
        results = box("looks", "ol", aria_label=texts("check.results"))
        spoken = box("spoken", role="status", aria_live="polite")
        with spoken:
            said = Text()
    rows = Rows[Look](
        results,
        key=lambda look: look.id,
        stamp=lambda look: look.state,
        build=lambda look: _card(visitor, look),
        classes="card look",
    )

    def follow() -> None:
        looks = desk.all()
        shown(head, bool(looks))
        picker.classes(**{"add" if looks else "remove": "small"})
        rows.show(looks)
        done = next((one for one in looks if one.found is not None), None)
        if done is not None and done.found is not None:
            said.text = f"{done.name}: {texts(words.CONCLUSIONS[done.found.verdict].title)}"

    visitor.watch(follow)


def _picker(visitor: Visitor, failed: Callable[[Fault], None]) -> Picker:
    texts = visitor.texts

    def done(number: str) -> None:
        try:
            visitor.studio.checks.add(number)
        except UnderstudyError as fault:
            failed(fault_of(fault))
        visitor.look()

    return Picker(
        kind="file",
        accept="",
        words={
            "button": texts("check.choose"),
            "beside": texts("check.drop_more"),
            "busy": texts("check.coming"),
            "cancel": texts("ask.cancel"),
        },
        done=done,
        failed=lambda _: None,
        refused=lambda fault, name: failed(Fault(fault, name)),
        several=True,
    ).classes("drop")


def _meanings(visitor: Visitor) -> None:
    """What a verdict says, and what it does not: folded away."""
    texts = visitor.texts
    with box("fold", "details"):
        Text(texts("check.what"), "summary")
        with box("meanings", "dl"):
            for one in words.CONCLUSIONS.values():
                Text(texts(one.title), "dt")
                Text(texts(one.meaning), "dd")
        Text(texts("check.limits"), "p", classes="hint")


def _card(visitor: Visitor, look: Look) -> None:
    texts = visitor.texts
    found = look.found
    with box("look-picture"):
        if look.picture is not None:
            box("", "img", src=look.address, alt=texts("check.picture", name=look.name))
        else:
            icon("film" if look.state in ("waiting", "looking") else "file", "large")
    with box("look-words"):
        with box("look-top"):
            Text(look.name, "h3", classes="file-name", attributes={"dir": "auto"})
            Button(
                "",
                lambda: visitor.studio.checks.remove(look.id),
                look="bare",
                picture="close",
                label=texts("check.forget", name=look.name),
            )
        if found is not None:
            _verdict(visitor, found)
        elif look.fault is not None:
            notice(texts, look.fault)
        elif look.state == "beside":
            Text(texts("check.beside"), "p", classes="hint")
        else:
            with box("busy"):
                if look.state == "looking":
                    box("spinner", "span", aria_hidden="true")
                Text(texts("check.looking" if look.state == "looking" else "check.waiting"))


def _verdict(visitor: Visitor, found: Inspection) -> None:
    texts = visitor.texts
    said = words.CONCLUSIONS[found.verdict]
    with box(f"verdict {said.look}"):
        icon({"made": "seal", "altered": "altered", "unknown": "unknown"}[said.look])
        Text(texts(said.title), "p", classes="verdict-title")
    Text(texts(said.meaning), "p")
    Text(texts("check.why"), "h4", classes="small-head")
    with box("reasons", "ul"):
        for reason in words.reasons(texts, found.reasons):
            Text(reason, "li")
        for note in found.notes:
            with box("", "li"):
                Text(texts("check.unopened" if found.kind is None else "check.damaged"))
                original(texts, note)
    with box("fold", "details"):
        Text(texts("check.evidence"), "summary")
        with box("evidence", "table"), box("", "tbody"):
            _line(texts("check.kind"), words.kind(texts, found))
            for line in words.evidence(texts, found):
                _line(line.name, line.said, supports=line.supports)
            if found.record is not None:
                _line(texts("check.digest"), found.record.output or "-", code=True)


def _line(name: str, said: str, *, supports: bool | None = None, code: bool = False) -> None:
    """One line of a table; what speaks for or against has a sign, too."""
    with box("", "tr"):
        Text(name, "th", attributes={"scope": "row"})
        with box("code" if code else "", "td"):
            if supports is not None:
                icon("check" if supports else "close", "for" if supports else "against")
            Text(said)
