"""The Records room: who consented to what, and what was made."""

from __future__ import annotations

import asyncio
import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Final

from understudy.errors import UnderstudyError
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.controls import Button, Text, box, icon, shown
from understudy.server.studio.fields import Picker
from understudy.server.studio.notices import notice
from understudy.server.studio.questions import Question
from understudy.server.studio.records.desk import PLACE, Page
from understudy.server.studio.records.granting import GROUNDS, USES, Granting
from understudy.server.studio.rows import Rows
from understudy.server.studio.visitor import Visitor
from understudy.server.uploads import SUFFIXES

if TYPE_CHECKING:
    from understudy.provenance.records.chain import Check
    from understudy.provenance.records.consent import Consent
    from understudy.provenance.records.ledger import Record

_STATES: Final = {"valid": "records.valid", "expired": "records.expired", "revoked": "records.revoked"}
_KINDS: Final = {
    "image": "records.made_image",
    "animation": "records.made_animation",
    "video": "records.made_video",
    "live": "records.made_live",
}
#: Records of the ledger that are shown at first, and more at a time.
_STEP: Final = 20


def build(visitor: Visitor) -> None:
    """Put the room into the page."""
    _Room(visitor).build()


class _Room:
    """One visitor's view of the records."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self._texts, self._desk = visitor, visitor.texts, visitor.studio.records
        self._most, self._reading = _STEP, False
        self._seen: tuple[object, ...] = ()

    def build(self) -> None:
        """Put it into the page."""
        texts = self._texts
        with box("page records"):
            with box("lead"):
                Text(texts("records.title"), "h2", classes="title")
                Text(texts("records.about"), "p", classes="about")
            self._faults = box("faults")
            with box("done", role="status") as self._told:
                icon("check")
                self._said = Text()
            shown(self._told, False)
            self._question = Question(texts)
            self._granting = Granting(self._visitor, self._granted, self._fail)
            with box("two"):
                self._consents()
                self._ledger()
        self._visitor.watch(self._follow)

    def _consents(self) -> None:
        texts = self._texts
        with box("column", "section"):
            with box("list-head"):
                Text(texts("records.consents"), "h2", classes="section")
                form = f"{PLACE}/form?language={texts.language}"
                with box("button bare", "a", href=form, target="_blank", rel="noopener"):
                    icon("print")
                    Text(texts("records.form_open"))
            Text(texts("records.consents_about"), "p", classes="hint")
            Picker(
                kind="photo",
                accept=",".join(SUFFIXES["photo"]),
                words={
                    "button": texts("records.add"),
                    "beside": texts("records.add_how"),
                    "busy": texts("records.coming"),
                    "cancel": texts("ask.cancel"),
                },
                done=lambda number: self._visitor.do(partial(self._ask, number)),
                failed=lambda name: self._fail(Fault(name)),
            ).classes("drop-small")
            self._no_consents = Text(texts("records.no_consents"), "p", classes="nothing")
            self._consent_rows = Rows["Consent"](
                box("listed", "ul", aria_label=texts("records.consents")),
                key=lambda record: record.id,
                stamp=lambda record: record.state,
                build=self._consent,
                classes="record",
            )

    def _ledger(self) -> None:
        texts = self._texts
        with box("column", "section"):
            with box("list-head"):
                Text(texts("records.ledger"), "h2", classes="section")
                with box("button bare", "a", href=f"{PLACE}/ledger.jsonl", download=True) as self._export:
                    icon("download")
                    Text(texts("records.export"))
            Text(texts("records.ledger_about"), "p", classes="hint")
            with box("verified") as self._verified:
                self._verdict = box("chain")
                Button(texts("records.verify"), partial(self._visitor.do, self._verify), picture="shield")
            self._no_records = Text(texts("records.no_records"), "p", classes="nothing")
            self._record_rows = Rows["Record"](
                box("listed", "ul", aria_label=texts("records.ledger")),
                key=lambda record: record.identifier + record.time,
                stamp=lambda _: 0,
                build=self._record,
                classes="record",
            )
            self._more = Button(texts("records.more"), self._show_more)
            shown(self._more, False)

    # What changes.

    def _follow(self) -> None:
        if self._seen != (seen := self._desk.seen()) and not self._reading:
            self._seen = seen
            self._reading = True
            asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        try:
            consents = await asyncio.to_thread(self._desk.consents)
            page = await asyncio.to_thread(self._desk.ledger, self._most)
        except UnderstudyError as fault:
            self._fail(fault_of(fault))
            return
        finally:
            self._reading = False
        if self._told.is_deleted:
            return  # the page was closed meanwhile
        self._consent_rows.show(consents)
        shown(self._no_consents, not consents)
        self._show(page)

    def _show(self, page: Page) -> None:
        self._record_rows.show(page.records)
        shown(self._no_records, not page.count)
        there = bool(page.count or page.check.dropped or not page.check.intact)
        shown(self._export, there)
        shown(self._verified, there)
        shown(self._more, page.count > len(page.records))
        self._verdict.clear()
        with self._verdict:
            self._chain(page.check)

    def _chain(self, check: Check) -> None:
        """Whether the ledger holds."""
        texts = self._texts
        if not check.intact:
            notice(texts, Fault("records.tampered", "; ".join(check.problems)))
            return
        if check.records or check.dropped:
            with box("tag there"):
                icon("check")
                Text(texts("records.intact", count=check.records))
        if check.dropped:
            Text(texts("records.dropped", count=check.dropped), classes="hint")

    # Rows.

    def _consent(self, record: Consent) -> None:
        texts = self._texts
        with box("record-words"):
            with box("model-top"):
                Text(record.name, "h3", classes="file-name", attributes={"dir": "auto"})
                with box(f"tag {record.state}"):
                    icon({"valid": "check", "expired": "clock", "revoked": "close"}[record.state])
                    Text(texts(_STATES[record.state]))
            Text(texts(GROUNDS[record.ground]))
            if record.note:
                Text(record.note, "q", classes="note-said", attributes={"dir": "auto"})
            with box("facts"):
                Text(" · ".join(texts(USES[use]) for use in record.uses))
                if record.revoked:
                    Text(texts("records.revoked_on", date=_date(record.revoked)))
                else:
                    Text(texts("records.holds", given=_date(record.given), until=_date(record.expires)))
        if record.state != "revoked":
            Button(
                texts("records.revoke"),
                partial(self._ask_revoke, record),
                look="bare",
                picture="close",
                label=texts("records.revoke_named", name=record.name),
            )

    def _record(self, record: Record) -> None:
        texts = self._texts
        with box("record-words"):
            with box("model-top"):
                Text(texts(_KINDS.get(record.kind, "records.made_other")), "h3", classes="file-name")
                Text(_time(record.time), "time", classes="hint", attributes={"datetime": record.time})
            with box("facts"):
                Text(record.engine)
                Text(texts("records.people", count=len(record.sources)))
                Text(texts("records.label", label=record.label), attributes={"dir": "auto"})
            with box("facts code"):
                Text(texts("records.mark", mark=record.identifier))
                if record.output:
                    Text(f"SHA-256 {record.output[:16]}…", attributes={"title": record.output})

    # What is done.

    def _fail(self, fault: Fault) -> None:
        shown(self._told, False)
        self._faults.clear()
        with self._faults:
            notice(self._texts, fault, self._faults.clear)

    def _tell(self, said: str) -> None:
        self._faults.clear()
        self._said.text = said
        shown(self._told, True)

    def _granted(self, record: Consent) -> None:
        self._tell(self._texts("records.recorded", name=record.name))

    async def _ask(self, number: str) -> None:
        try:
            asked = await asyncio.to_thread(self._desk.ask, number)
        except UnderstudyError as fault:
            self._fail(fault_of(fault, "photo"))
        else:
            self._faults.clear()
            self._granting.ask(asked)

    def _ask_revoke(self, record: Consent) -> None:
        texts = self._texts

        def say() -> None:
            Text(texts("records.revoke_means"), "p")
            Text(texts("records.revoke_keeps"), "p", classes="hint")

        self._question.ask(
            texts("records.revoke_question", name=record.name),
            say,
            texts("records.revoke"),
            partial(self._visitor.do, partial(self._revoke, record)),
            look="danger",
        )

    async def _revoke(self, record: Consent) -> None:
        try:
            await asyncio.to_thread(self._desk.revoke, record.id)
        except UnderstudyError as fault:
            self._fail(fault_of(fault))
        else:
            self._tell(self._texts("records.was_revoked", name=record.name))

    async def _verify(self) -> None:
        try:
            page = await asyncio.to_thread(self._desk.ledger, self._most)
        except UnderstudyError as fault:
            self._fail(fault_of(fault))
            return
        self._show(page)
        if page.check.intact:
            self._tell(self._texts("records.intact", count=page.check.records))
        else:
            self._fail(Fault("records.tampered", "; ".join(page.check.problems)))

    def _show_more(self) -> None:
        self._most += 5 * _STEP
        self._seen = ()
        self._visitor.look()


def _time(said: str) -> str:
    """When, by the clock of this machine."""
    try:
        return dt.datetime.fromisoformat(said).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return said


def _date(said: str) -> str:
    return _time(said)[:10]
