"""The people of the clip as cards, and the faces that can be put onto them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from nicegui import ui

from understudy.casting.clip_person import ClipPerson
from understudy.casting.roles import BLUR, LEAVE
from understudy.server.faults import Fault, of_several
from understudy.server.studio.clips.clip import Clip
from understudy.server.studio.clips.desk import PLACE
from understudy.server.studio.clips.edits import OTHERS
from understudy.server.studio.consent_question import Question, nothing
from understudy.server.studio.controls import Text, attribute, box, in_turn, shown
from understudy.server.studio.face_card import added, added_to, bin_for, face_entry, keep_up
from understudy.server.studio.fields import Picker, choice
from understudy.server.studio.live.card import SAMPLE, Card
from understudy.server.studio.visitor import Visitor
from understudy.server.uploads import SUFFIXES

#: What a face card that is dragged says that it is (see ``assets/person.js``).
_FACE = "application/x-understudy-face"


class PersonView(ui.element, component="../assets/person.js"):
    """Somebody on whom faces and photos can be dropped."""

    def __init__(
        self,
        busy: str,
        cancel: str,
        put: Callable[[str], Any],
        begins: Callable[[], Any],
        came: Callable[[str], Any],
        failed: Callable[[str], Any],
    ) -> None:
        super().__init__()
        attribute(self, "busy", busy)
        attribute(self, "cancel", cancel)
        self.on("begins", lambda _: begins(), args=[])
        self.on("put", lambda event: put(str(event.args)))
        self.on("done", lambda event: came(str(event.args)))
        self.on("failed", lambda event: failed(str(event.args)))


class PeoplePanel:
    """Puts people and faces into a page.

    Args:
        visitor: Who looks at them.
    """

    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self._desk, self._texts = visitor, visitor.studio.clips, visitor.texts
        self._chosen = 1
        self._people: tuple[object, ...] = ()
        self._faces: tuple[object, ...] = ()
        self._selects: dict[int, ui.element] = {}
        self._buttons: dict[int, ui.element] = {}
        self._pictures: dict[int, ui.element] = {}
        self._entries: dict[str, ui.element] = {}
        self._counts: dict[str, Text] = {}
        self._came, self._more_came = in_turn(self._photo_came), in_turn(self._another_came)
        texts = self._texts
        with box("panel", "section", aria_label=texts("clips.people")):
            Text(texts("clips.people"), "h2")
            self._hint = Text(texts("clips.people_more"), "p", classes="hint")
            self._nobody = Text(texts("clips.nobody"), "p")
            self._list = box("people", "ul")
        with box("panel", "section", aria_label=texts("clips.faces")):
            Text(texts("clips.faces"), "h2")
            self._tray = box("tray", "ul")
            Picker(
                kind="photo",
                accept=",".join(SUFFIXES["photo"]),
                words={
                    "button": texts("clips.add_face"),
                    "beside": texts("clips.drop_face"),
                    "busy": texts("clips.busy_face"),
                    "cancel": texts("ask.cancel"),
                },
                done=lambda number: self._came(number, None),
                failed=lambda _: None,
                refused=lambda text, name: self._say(Fault(text, name)),
                begins=self._begins,
                several=True,
            )
        self._question = Question(visitor, self._desk.cards, self._tell, self._redraw)
        visitor.watch(self._look)
        keep_up(self._desk.cards)

    def _look(self) -> None:
        clip, cards = self._desk.clip, tuple(self._desk.cards.all())
        if clip is None:
            return
        report = clip.report
        shown(self._hint, bool(report))
        shown(self._nobody, report is not None and not len(report))
        faces = (clip.id, tuple(card.id for card in cards))
        if faces != self._faces:
            self._faces = faces
            self._draw_faces(cards)
        people = (*faces, report is not None)
        if people != self._people:
            self._people = people
            self._draw_people(clip, cards)
        self._show_given(clip, {card.id: card for card in cards})

    def _redraw(self) -> None:
        """Show what holds, where a list shows what was chosen in vain."""
        self._people = ()
        self._look()

    def _draw_people(self, clip: Clip, cards: tuple[Card, ...]) -> None:
        self._list.clear()
        self._selects, self._buttons, self._pictures = {}, {}, {}
        if clip.report is None:
            return
        self._chosen = min(self._chosen, max(len(clip.report), 1))
        with self._list:
            for one in clip.report:
                self._draw(clip, one, cards)
            if len(clip.report):
                self._draw(clip, None, cards)

    def _draw(self, clip: Clip, one: ClipPerson | None, cards: tuple[Card, ...]) -> None:
        """Draw somebody; None is everybody else."""
        texts, number = self._texts, OTHERS if one is None else one.number
        name = texts("seats.others") if one is None else texts("clips.person", number=number)
        view = PersonView(
            texts("clips.busy_face"),
            texts("ask.cancel"),
            partial(self._put, number),
            self._begins,
            lambda upload: self._came(upload, number),
            self._failed,
        )
        view.classes("everybody-else" if one is None else "")
        with view:
            button = box("person-button", "button", type="button").on("click", lambda _: self._choose(number), args=[])
            self._buttons[number] = button
            with button:
                if one is None:
                    attribute(button, "title", texts("clips.others_more"))
                else:
                    address = f"{PLACE}/{clip.id}/person/{number}.jpg"
                    box(f"person-picture tone-{(number - 1) % 6}", "img", src=address, alt="")
                    self._pictures[number] = box("person-gets", "img", alt="")
                with box("words"):
                    Text(name, classes="person-name")
                    if one is not None:
                        Text(self._when(clip, one), classes="hint")
            if one is None or one.known:
                options: dict[str, str] = {LEAVE: texts("clips.leave"), BLUR: texts("clips.blur")}
                options |= {card.id: texts("clips.gets", name=card.name) for card in cards}
                self._selects[number] = choice(
                    texts("clips.what", name=name),
                    options=options,
                    value=clip.edits.of(number),
                    change=partial(self._put, number),
                    hidden=True,
                )
            else:
                Text(texts("clips.too_small"), classes="hint")

    def _when(self, clip: Clip, one: ClipPerson) -> str:
        if one.first_seconds is None or not clip.moves:
            return ""
        return self._texts("clips.share", percent=round(100 * one.share))

    def _draw_faces(self, cards: tuple[Card, ...]) -> None:
        """Show the faces: those that are there already stay, for photos may be on their way to them."""
        here = {card.id: card for card in cards}
        for number in self._entries.keys() - here.keys():
            self._entries.pop(number).delete()
            self._counts.pop(number, None)
        with self._tray:
            for card in cards:
                if card.id not in self._entries:
                    self._entries[card.id] = self._face(card)

    def _face(self, card: Card) -> ui.element:
        entry = face_entry(self._visitor, card, "tray-face", partial(self._more_came, card.id), self._failed)
        with entry:
            button = box("tray-button", "button", type="button", draggable="true", title=card.name)
            button.on("click", partial(self._pressed, card.id), args=[])
            said = json.dumps(card.id)
            button.on("dragstart", js_handler=f"(event) => event.dataTransfer.setData({json.dumps(_FACE)}, {said})")
            with button:
                box("", "img", src=card.address, alt="", draggable="false")
                Text(card.name, classes="face-name")
                self._counts[card.id] = Text("", classes="hint")
            if card.id != SAMPLE:
                bin_for(self._visitor, card, partial(self._away, card.id))
        return entry

    def _show_given(self, clip: Clip, cards: dict[str, Card]) -> None:
        for card, count in self._counts.items():
            many = len(cards[card].usable(self._desk.use)) if card in cards else 1
            shown(count, many > 1)
            count.text = self._texts("faces.photos", count=many)
        for number, button in self._buttons.items():
            attribute(button, "aria-pressed", str(number == self._chosen).lower())
            gets = clip.edits.of(number)
            picture = self._pictures.get(number)  # everybody else has none
            if picture is not None:
                shown(picture, gets in cards)
                if gets in cards:
                    attribute(picture, "src", cards[gets].address)
            if number in self._selects:
                attribute(self._selects[number], "value", gets)

    def _choose(self, number: int) -> None:
        self._chosen = number
        self._visitor.look()

    async def _pressed(self, card: str, _: object = None) -> None:
        """A face was pressed: whoever is chosen gets it."""
        clip = self._desk.clip
        if (
            clip is not None
            and clip.report is not None
            and (self._chosen == OTHERS or any(one.number == self._chosen and one.known for one in clip.report))
        ):
            await self._put(self._chosen, card)

    async def _put(self, number: int, gets: str) -> None:
        """Give somebody, or everybody else, a face, once it may be used, or something else."""
        clip = self._desk.clip
        cards = {card.id: card for card in self._desk.cards.all()}
        card = cards.get(gets)
        if card is None and gets not in (LEAVE, BLUR):
            return
        give = partial(self._give, clip, number, gets)
        await (give() if card is None else self._question.may_be_used(card.id, self._desk.use, give))

    async def _give(self, clip: Clip | None, number: int, gets: str) -> None:
        if clip is self._desk.clip:  # not one that another page opened meanwhile
            self._desk.give(number, gets)
        self._visitor.look()

    async def _another_came(self, card: str, upload: str) -> None:
        """Another photo of a card's person came."""
        self._desk.fault = None
        fault = await added_to(self._desk.cards, card, upload)
        if fault is not None:
            self._desk.fault = fault
        self._visitor.look()
        if upload in {photo.id for known in self._desk.cards.all() for photo in known.photos}:
            await self._question.may_be_used(card, self._desk.use, nothing)

    def _begins(self) -> None:
        self._desk.fault = None

    async def _photo_came(self, upload: str, number: int | None) -> None:
        """A photo came; perhaps it was dropped on somebody."""
        card = await added(self._visitor, upload)
        if isinstance(card, Fault):
            self._say(card)
            return
        self._visitor.look()
        if number is not None:
            await self._put(number, card.id)

    def _say(self, fault: Fault) -> None:
        """Tell what is wrong with one photo of those that come."""
        self._tell(of_several(self._desk.fault, fault))

    def _failed(self, text: str) -> None:
        self._tell(Fault(text))

    def _tell(self, fault: Fault) -> None:
        self._desk.fault = fault
        self._visitor.look()

    def _away(self, number: str) -> None:
        self._desk.cards.remove(number)
        self._visitor.look()
