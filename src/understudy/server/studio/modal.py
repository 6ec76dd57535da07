"""Questions before the page, one after the other."""

from __future__ import annotations

from collections import deque

from nicegui import ui

from understudy.server.studio.controls import Handler, Text, attribute


class Modal(ui.element, component="assets/modal.js"):
    """Questions before the page, to be answered or closed; the browser keeps the keyboard in them.

    One comes after the other: what is asked while another is shown waits until that is closed. The part of
    the page that makes it may be hidden, by what another page does: the question is seen nevertheless.

    Args:
        title: What it is about.
        close_label: What the button says that closes it.
        closed: Called when one was closed, in whatever way. If that takes its time, the next one does not wait for it.
    """

    def __init__(self, title: str, close_label: str, closed: Handler = lambda: None) -> None:
        with ui.context.client.content:
            super().__init__()
        self._closed = closed
        self._waiting: deque[Handler] = deque()
        self._open, self._number = False, 0
        attribute(self, "close-label", close_label)
        self.on("closed", lambda event: self._over(event.args))
        with self:
            self.title = Text(title, "h2", classes="modal-title")
        attribute(self, "labelled-by", self.title.html_id)

    def ask(self, fill: Handler) -> None:
        """Show a question when its turn has come.

        Args:
            fill: Puts it into the modal.
        """
        self._waiting.append(fill)
        if not self._open:
            self._next()

    def close(self) -> None:
        """Close the one that is shown. That the browser has done so is told later."""
        self.run_method("close")

    def _next(self) -> None:
        self._waiting.popleft()()
        self._open, self._number = True, self._number + 1
        self.run_method("open", self._number)

    def _over(self, number: object) -> object:
        self.run_method("heard", number)
        if not self._open or number != self._number:
            return None  # of one before
        self._open = False
        try:
            return self._closed()
        finally:
            if self._waiting:
                self._next()
