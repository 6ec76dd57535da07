"""Questions that are asked before something is done that can't be undone, or that has terms."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from understudy.server.studio.controls import Button, Handler, box, once
from understudy.server.studio.modal import Modal
from understudy.server.texts import Texts


class Question:
    """A dialog with a text and two buttons; one for any number of questions, one after the other.

    Args:
        texts: In whose language.
    """

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._modal = Modal("", texts("ask.close"), self._closed)
        self._otherwise: Callable[[], Any] | None = None
        #: What is asked, or will be.
        self._titles: list[str] = []
        with self._modal:
            self._words, self._buttons = box("asked"), box("answers")

    def ask(
        self,
        title: str,
        say: Callable[[], object],
        answer: str,
        do: Callable[[], Any],
        *,
        look: Literal["primary", "danger"] = "primary",
        otherwise: Callable[[], Any] | None = None,
    ) -> None:
        """Ask.

        Args:
            title: The question.
            say: Puts what is to be known into the dialog.
            answer: What the button says that does it.
            do: Done then.
            look: Of that button.
            otherwise: Done if the dialog is closed in any other way. Without it, what is asked already is not asked
                again.
        """
        if otherwise is None and title in self._titles:
            return
        self._titles.append(title)

        def fill() -> None:
            self._otherwise = otherwise
            self._modal.title.text = title
            self._words.clear()
            with self._words:
                say()
            self._buttons.clear()
            with self._buttons:
                Button(self._texts("ask.no"), self._modal.close)
                Button(answer, pressed=once(partial(self._answered, do)), look=look)

        self._modal.ask(fill)

    def _answered(self, do: Handler) -> object:
        self._otherwise = None
        self._modal.close()
        return do()

    def _closed(self) -> object:
        del self._titles[0]
        otherwise, self._otherwise = self._otherwise, None
        return None if otherwise is None else otherwise()
