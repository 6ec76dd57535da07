"""The dialog that asks whose face is in a photo, in plain words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from understudy.errors import UnderstudyError
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.controls import Button, Text, box, once, shown
from understudy.server.studio.fields import choice, field, switch
from understudy.server.studio.modal import Modal
from understudy.server.studio.notices import notice
from understudy.server.studio.records.desk import Asked
from understudy.server.studio.visitor import Visitor

if TYPE_CHECKING:
    from understudy.provenance.records.consent import Consent, Ground, Use

#: What each ground says.
GROUNDS: Final[Mapping[Ground, str]] = {
    "self": "records.self",
    "granted": "records.granted",
    "fictional": "records.fictional",
    "sample": "records.sample",
}
#: Those that may be chosen here: samples are known by themselves.
_CHOSEN: Final[tuple[Ground, ...]] = ("self", "granted", "fictional")
USES: Final[Mapping[Use, str]] = {"image": "records.image", "video": "records.video", "live": "records.live"}
_BEFORE: Final = {
    "valid": "records.before_valid",
    "expired": "records.before_expired",
    "revoked": "records.before_revoked",
}
#: For how many days.
_DAYS: Final = {"30": "records.month", "183": "records.half_year", "365": "records.year", "1095": "records.three_years"}


class Granting:
    """The dialog, for one photo after the other.

    Args:
        visitor: Who is asked.
        done: Told what was recorded.
        failed: Told of an answer that could not be recorded, if the question was closed meanwhile.
    """

    def __init__(self, visitor: Visitor, done: Callable[[Consent], Any], failed: Callable[[Fault], Any]) -> None:
        self._visitor, self._texts, self._done, self._failed = visitor, visitor.texts, done, failed
        self._asked: Asked | None = None
        self._ground: Ground | None = None
        self._note, self._days, self._uses = "", "365", set(USES)
        self._modal = Modal(self._texts("records.whose"), self._texts("ask.close"), self._closed)
        self._modal.classes("wide")
        with self._modal:
            self._content = box("granting")

    def ask(self, asked: Asked) -> None:
        """Ask about a photo, when those before it are answered."""
        self._modal.ask(partial(self._show, asked))

    def _show(self, asked: Asked) -> None:
        self._asked, self._ground, self._note, self._days, self._uses = asked, None, "", "365", set(USES)
        self._content.clear()
        with self._content:
            self._photo(asked)
            self._grounds()
            with box("note") as self._note_box:
                field(
                    self._texts("records.note"),
                    change=self._set_note,
                    placeholder=self._texts("records.note_example"),
                    hint=self._texts("records.note_hint"),
                )
            shown(self._note_box, False)
            self._terms()
            Text(self._texts("records.adults"), "p", classes="hint")
            self._faults = box("faults")
            with box("answers"):
                Button(self._texts("ask.no"), self._modal.close)
                Button(
                    self._texts("records.grant"),
                    pressed=once(partial(self._visitor.do, partial(self._grant, asked)), pause=0),
                    look="primary",
                )

    def _photo(self, asked: Asked) -> None:
        texts = self._texts
        with box("asked-photo"):
            box("", "img", src=asked.address, alt=texts("records.photo", name=asked.photo.name))
            with box("words"):
                Text(asked.photo.name, classes="file-name", attributes={"dir": "auto"})
                Text(texts("records.photo_kept"), classes="hint")
                if asked.before:
                    Text(texts(_BEFORE[asked.before[-1].state]), classes="hint")

    def _grounds(self) -> None:
        with box("grounds", "fieldset"):
            Text(self._texts("records.ground"), "legend")
            for ground in _CHOSEN:
                with box("ground", "label"):
                    control = box("", "input", type="radio", name="ground", value=ground)
                    control.on("change", lambda _, ground=ground: self._choose(ground), args=[])
                    Text(self._texts(GROUNDS[ground]))

    def _terms(self) -> None:
        texts = self._texts
        with box("terms"):
            with box("uses", "fieldset"):
                Text(texts("records.uses"), "legend")
                for use, name in USES.items():
                    switch(texts(name), on=True, change=partial(self._use, use))
            choice(
                texts("records.days"),
                options={days: texts(name) for days, name in _DAYS.items()},
                value="365",
                change=self._set_days,
            )

    def _choose(self, ground: Ground) -> None:
        self._ground = ground
        shown(self._note_box, ground == "granted")

    def _use(self, use: Use, on: bool) -> None:
        (self._uses.add if on else self._uses.discard)(use)

    def _set_note(self, note: str) -> None:
        self._note = note

    def _set_days(self, days: str) -> None:
        self._days = days

    def _closed(self) -> None:
        if self._asked is not None:
            self._visitor.studio.records.forget(self._asked)
            self._asked = None

    def _fail(self, fault: Fault) -> None:
        self._faults.clear()
        with self._faults:
            notice(self._texts, fault)

    async def _grant(self, asked: Asked) -> None:
        from understudy.provenance.records.consent import ConsentClaim, says_how

        if self._asked is not asked:
            return
        if self._ground is None:
            self._fail(Fault("records.no_ground"))
        elif self._ground == "granted" and not says_how(self._note):
            self._fail(Fault("records.no_note"))
        elif not self._uses:
            self._fail(Fault("records.no_use"))
        else:
            uses = tuple(use for use in USES if use in self._uses)
            claim = ConsentClaim(self._ground, self._note.strip(), uses, int(self._days))
            try:
                record = await asyncio.to_thread(self._visitor.studio.records.grant, asked, claim)
            except UnderstudyError as fault:
                tell = self._fail if self._asked is asked else self._failed  # it was closed meanwhile
                tell(fault_of(fault))
                return
            if self._asked is asked:
                self._asked = None
                self._modal.close()
            self._done(record)
