"""The controls that pages are made of: the browser's own, named for those who can't see them, and styled by one sheet.

The browser's own controls have a keyboard, a role and a state without any work of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal, ParamSpec

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement
from nicegui.events import GenericEventArguments

from understudy.text import printable

#: What an event hands over for :func:`seconds_of`.
TIMED: Final = ["timeStamp"]
Handler = Callable[[], Any]
#: Told when something was pressed: in seconds of the page's own clock. A busy server hears of it later, and of two
#: presses further apart than they were.
TimedHandler = Callable[[float], Any]
#: Seconds within which a second press belongs to a double click.
DOUBLE: Final = 0.3
_Given = ParamSpec("_Given")
#: How a button looks: ``primary`` is the one thing to do, ``danger`` what hides or removes, ``bare`` has no border.
Look = Literal["primary", "danger", "plain", "bare"]


class Text(TextElement):
    """An element with text in it, which is never read as HTML.

    Args:
        text: The text; may be set later.
        tag: Of the element.
        classes: Of the style sheet, separated by spaces.
        attributes: Of the element.
    """

    def __init__(
        self, text: str = "", tag: str = "span", classes: str = "", attributes: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(tag=tag, text=text)
        self.classes(classes)
        for name, value in (attributes or {}).items():
            attribute(self, name, value)


def once(handler: Handler, *, pause: float = DOUBLE) -> TimedHandler:
    """What a double click does once: a press is ignored while the one before is still being answered, or came just now.

    Args:
        handler: What a press does; it is waited for, if it takes its time.
        pause: Seconds from one press to the next that counts, by the page's clock.
    """
    busy, since = False, float("-inf")

    async def pressed(at: float) -> None:
        nonlocal busy, since
        if busy or at - since < pause:
            return
        busy, since = True, at
        try:
            found = handler()
            if isinstance(found, Awaitable):
                await found
        finally:
            busy = False

    return pressed


def in_turn(act: Callable[_Given, Awaitable[object]]) -> Callable[_Given, Awaitable[None]]:
    """Have what comes at once done one after the other, as it came: several photos were chosen in an order."""
    lock = asyncio.Lock()

    async def acted(*args: _Given.args, **named: _Given.kwargs) -> None:
        async with lock:
            await act(*args, **named)

    return acted


def seconds_of(event: GenericEventArguments) -> float:
    """When an event was, in seconds of the page's own clock; it is one that was asked for with :data:`TIMED`."""
    return float(event.args["timeStamp"]) / 1000


def attribute(element: ui.element, name: str, value: object) -> None:
    """Set an attribute of an element; None takes it away. Nothing is sent where it is so already."""
    if value is None or value is False:
        if name in element.props:
            del element.props[name]
    elif element.props.get(name) != value:
        element.props[name] = value


def shown(element: ui.element, visible: bool) -> None:
    """Show or hide an element, for everybody."""
    if element.visible != visible:
        element.set_visibility(visible)


def box(classes: str = "", tag: str = "div", **attributes: object) -> ui.element:
    """An element that others are put into, by ``with``.

    Args:
        classes: Of the style sheet, separated by spaces.
        tag: Of the element.
        attributes: Of the element, with _ for -.
    """
    element = ui.element(tag).classes(classes)
    for name, value in attributes.items():
        attribute(element, name.rstrip("_").replace("_", "-"), value)
    return element


def icon(name: str, classes: str = "") -> ui.element:
    """A picture of ``assets/icons``, in the colour of the text. It says nothing: what it stands for is written."""
    return box(f"icon icon-{name} {classes}", "span", aria_hidden="true")


class Button(ui.element):
    """A button.

    Args:
        text: What it says.
        click: What it does.
        pressed: What it does that has to know when it was pressed, such as :func:`once`.
        look: How it looks; may be changed later.
        picture: An icon before the text.
        label: What is read out, where the text does not say it.
        disabled: Whether it can't be pressed.
    """

    def __init__(
        self,
        text: str,
        click: Handler | None = None,
        *,
        pressed: TimedHandler | None = None,
        look: Look = "plain",
        picture: str = "",
        label: str = "",
        disabled: bool = False,
    ) -> None:
        super().__init__("button")
        self.classes(f"button {look}")
        self._look: Look = look
        attribute(self, "type", "button")
        if label:
            attribute(self, "aria-label", label)
            attribute(self, "title", label)
        attribute(self, "disabled", disabled)
        if click is not None:
            self.on("click", lambda _: click(), args=[])
        if pressed is not None:
            self.on("click", lambda event: pressed(seconds_of(event)), args=TIMED)
        with self:
            self.icon = icon(picture) if picture else None
            self.text = Text(text)
            shown(self.text, bool(text))

    def say(self, text: str) -> None:
        """Change the text."""
        self.text.text = text

    def dress(self, look: Look) -> None:
        """Change how it looks."""
        if look != self._look:
            self.classes(add=look, remove=self._look)
            self._look = look


class CopyButton(ui.element, component="assets/copying.js"):
    """A button that puts a text on the clipboard of whoever presses it, and says so.

    Args:
        copies: The text. Where no page can carry it as it is, or a terminal would obey it, there is no button.
        done: What is said then.
        words: What the button says; empty for a picture alone.
        label: What is read out, where the words do not say it.
    """

    def __init__(self, copies: str, done: str, *, words: str = "", label: str = "") -> None:
        super().__init__()
        safe = printable(copies) == copies
        for name, value in {"copies": copies if safe else "", "done": done, "words": words, "label": label}.items():
            attribute(self, name, value)
        shown(self, safe)


class Shortcuts(ui.element, component="assets/shortcuts.js"):
    """Letters that work wherever nothing is being written, nor chosen from a list.

    Args:
        keys: What each does; it is told when it was pressed. Keys without Ctrl and the like can be switched off
            (WCAG 2.1.4).
        urgent: What some of them do while a dialog is in front; the others do nothing then. These work in lists, too.
        on: Whether they work.
    """

    def __init__(
        self, keys: Mapping[str, TimedHandler], urgent: Mapping[str, TimedHandler] | None = None, *, on: bool = True
    ) -> None:
        super().__init__()
        attribute(self, "keys", list(keys))
        attribute(self, "urgent", list(urgent or ()))
        attribute(self, "on", on)

        def pressed(event: GenericEventArguments) -> object:
            key, at, dialog = event.args
            handler = ((urgent or {}) if dialog else keys).get(str(key))
            return None if handler is None else handler(float(at))  # which is waited for, if it takes its time

        self.on("shortcut", pressed)

    def switch(self, on: bool) -> None:
        """Have them work, or not."""
        attribute(self, "on", on)
