"""Clips on which somebody was at work when a studio ended, listed where a file is opened."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from understudy.server.studio.clips.kept_edits import KeptEdit
from understudy.server.studio.controls import Button, Text, box, once, shown
from understudy.server.studio.questions import Question
from understudy.server.studio.rows import Rows
from understudy.server.studio.visitor import Visitor


class EarlierPanel:
    """Puts the list into a page.

    Args:
        visitor: Who looks at it.
    """

    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self._desk, self._texts = visitor, visitor.studio.clips, visitor.texts
        texts = self._texts
        self._panel = box("earlier", "section", aria_label=texts("clips.earlier"))
        with self._panel:
            Text(texts("clips.earlier"), "h3")
            self._rows: Rows[KeptEdit] = Rows(
                box("earlier-list", "ul"),
                key=lambda one: one.id,
                stamp=lambda one: one,
                build=self._row,
                classes="earlier-row",
            )
            self._question = Question(texts)
        visitor.watch(self._look)

    def _look(self) -> None:
        others = self._desk.keeper.others
        shown(self._panel, bool(others))
        self._rows.show(others)

    def _row(self, one: KeptEdit) -> None:
        texts, name = self._texts, one.name or self._texts("clips.earlier_unreadable")
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.when))
        with box("words"):
            Text(name, classes="earlier-name", attributes={"title": name})
            if one.name:
                Text(texts("clips.earlier_more", people=one.given, stretches=one.stretches), classes="hint")
            Text(when, classes="hint")
        if one.name:
            go_on = partial(self._visitor.do, partial(self._go_on, one.id))
            Button(
                texts("clips.go_on"), pressed=once(go_on), picture="arrow", label=texts("clips.go_on_with", name=name)
            )
        forget = texts("clips.forget_named", name=name)
        Button("", partial(self._ask, one, name), look="bare", picture="trash", label=forget)

    def _ask(self, one: KeptEdit, name: str) -> None:
        texts = self._texts
        self._question.ask(
            texts("clips.forget_question", name=name),
            lambda: Text(texts("clips.forget_means"), "p"),
            texts("clips.forget"),
            partial(self._visitor.do, partial(self._forget, one.id)),
            look="danger",
        )

    async def _go_on(self, number: str) -> None:
        await asyncio.to_thread(self._desk.go_on, number)

    async def _forget(self, number: str) -> None:
        await asyncio.to_thread(self._desk.forget, number)
