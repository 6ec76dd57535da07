"""The controls that pages are made of: the browser's own, named for those who can't see them, and styled by one sheet.

The browser's own controls have a keyboard, a role and a state without any work of ours.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal, ParamSpec

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement
from nicegui.events import GenericEventArguments

from understudy.text import printable

#: What an event hands to the server: a value, and nothing else of it.
_VALUE: Final = "(event) => emit(event.target.value)"
_CHECKED: Final = "(event) => emit(event.target.checked)"
#: What an event hands over for :func:`seconds_of`.
TIMED: Final = ["timeStamp"]
Handler = Callable[[], Any]
#: Told when something was pressed: in seconds of the page's own clock. A busy server hears of it later, and of two
#: presses further apart than they were.
TimedHandler = Callable[[float], Any]
#: Seconds within which a second press belongs to a double click.
DOUBLE: Final = 0.3
#: Most letters of a file's name that are shown.
_LONGEST: Final = 80
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


def switch(text: str, *, on: bool, change: Callable[[bool], Any], hint: str = "") -> ui.element:
    """A switch with its text; the element that is returned is the browser's check box.

    Args:
        text: What it says.
        on: How it stands.
        change: Told how it stands then.
        hint: A second line; it is read out with the first.
    """
    with box("switch", "label"):
        control = box("", "input", type="checkbox", role="switch", checked=on)
        control.on("change", lambda event: change(bool(event.args)), js_handler=_CHECKED)
        with box("words"):
            Text(text, classes="name")
            if hint:
                Text(hint, classes="hint")
    return control


class Entry(ui.element, component="assets/entry.js"):
    """The browser's input, which keeps what is being written while the server changes the page around it.

    Args:
        begin: What stands in it at first.
        attributes: Of the element, with _ for -.
    """

    def __init__(self, begin: str | float, **attributes: object) -> None:
        super().__init__()
        self.props["begin"] = begin
        for name, value in attributes.items():
            attribute(self, name.replace("_", "-"), value)


def slider(
    text: str,
    *,
    value: float,
    least: float,
    most: float,
    step: float,
    change: Callable[[float], Any],
    show: Callable[[float], str],
) -> ui.element:
    """A slider with its text and its value; the element that is returned is the browser's range.

    Args:
        text: What it says.
        value: Where it stands.
        least: From where it goes.
        most: To where.
        step: How far a key moves it.
        change: Told the value, a few times a second while it moves.
        show: The value in words.
    """
    with box("slider"):
        with box("top"):
            name = Text(text, "label")
            said = Text(show(value), "output", classes="value")
        control = Entry(value, type="range", min=least, max=most, step=step, aria_valuetext=show(value))
        attribute(name, "for", control.html_id)

        def moved(event: GenericEventArguments) -> None:
            found = number_of(event.args, least, most)
            if found is not None:
                said.text = show(found)
                attribute(control, "aria-valuetext", show(found))
                change(found)

        control.on("typed", moved, throttle=0.15)
    return control


def choice(
    text: str, *, options: Mapping[str, str], value: str, change: Callable[[str], Any], hidden: bool = False
) -> ui.element:
    """A list of which one is chosen; the element that is returned is the browser's.

    Args:
        text: What it says.
        options: What each value says.
        value: The one that is chosen.
        change: Told another. What is none of the options is not passed on.
        hidden: Whether the text is only read out.
    """
    with box("choice"):
        name = Text(text, "label", classes="spoken" if hidden else "")
        control = box("", "select")
        attribute(name, "for", control.html_id)
        with control:
            for key, said in options.items():
                Text(said, "option", attributes={"value": key, "selected": key == value})

    def chosen(event: GenericEventArguments) -> object:
        # What takes its time is waited for by NiceGUI.
        return change(event.args) if event.args in options else None

    control.on("change", chosen, js_handler=_VALUE)
    return control


def field(
    text: str,
    *,
    value: str = "",
    change: Callable[[str], Any],
    placeholder: str = "",
    secret: bool = False,
    longest: int = 500,
    hint: str = "",
) -> ui.element:
    """A line of text; the element that is returned is the browser's.

    Args:
        text: What it says.
        value: What stands in it.
        change: Told what stands in it when it is left.
        placeholder: An example.
        secret: Whether it is not shown.
        longest: Most letters.
        hint: A second line.
    """
    with box("field"):
        name = Text(text, "label")
        control = Entry(
            value,
            type="password" if secret else "text",
            placeholder=placeholder,
            maxlength=longest,
            autocomplete="off",
            spellcheck="false",
        )
        attribute(name, "for", control.html_id)
        if hint:
            said = Text(hint, classes="hint")
            attribute(control, "aria-describedby", said.html_id)

    control.on("left", lambda event: change(str(event.args or "")[:longest]))
    return control


def number_of(value: object, least: float, most: float) -> float | None:
    """A number that came from a browser, within limits; None if it is none."""
    try:
        found = float(str(value))
    except ValueError:
        return None
    return min(max(found, least), most) if found == found else None  # noqa: PLR0124 - it is no number otherwise


class Modal(ui.element, component="assets/modal.js"):
    """Questions before the page, to be answered or closed; the browser keeps the keyboard in them.

    One comes after the other: what is asked while another is shown waits until that is closed.

    Args:
        title: What it is about.
        close_label: What the button says that closes it.
        closed: Called when one was closed, in whatever way. If that takes its time, the next one does not wait for it.
    """

    def __init__(self, title: str, close_label: str, closed: Handler = lambda: None) -> None:
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


class Shortcuts(ui.element, component="assets/shortcuts.js"):
    """Keys that work wherever nothing is being written.

    Args:
        keys: What each does; it is told when it was pressed. Keys without Ctrl and the like can be switched off
            (WCAG 2.1.4).
        behind: What some of them do while a dialog is in front; the others do nothing then.
        on: Whether they work.
    """

    def __init__(
        self, keys: Mapping[str, TimedHandler], behind: Mapping[str, TimedHandler] | None = None, *, on: bool = True
    ) -> None:
        super().__init__()
        attribute(self, "keys", list(keys))
        attribute(self, "on", on)

        def pressed(event: GenericEventArguments) -> object:
            key, at, dialog = event.args
            handler = ((behind or {}) if dialog else keys).get(str(key))
            return None if handler is None else handler(float(at))  # which is waited for, if it takes its time

        self.on("shortcut", pressed)

    def switch(self, on: bool) -> None:
        """Have them work, or not."""
        attribute(self, "on", on)


class Picker(ui.element, component="assets/picker.js"):
    """A place to drop files on, with a button to choose them; they go to the server by themselves.

    Args:
        kind: What the files are taken for: ``photo`` or ``clip``.
        accept: Suffixes, separated by commas.
        words: What it says: on the ``button``, ``beside`` it, and ``busy``: while files come.
        done: Told the id of a file that has come.
        failed: Told the name of the text that says why one has not.
        refused: Told that, too, and what the user calls the file: where there may be several.
        begins: Told when files begin to come: one, or several at once.
        several: Whether more than one may be chosen.
    """

    def __init__(
        self,
        *,
        kind: str,
        accept: str,
        words: Mapping[str, str],
        done: Callable[[str], Any],
        failed: Callable[[str], Any],
        refused: Callable[[str, str], Any] | None = None,
        begins: Callable[[], Any] | None = None,
        several: bool = False,
    ) -> None:
        super().__init__()
        for name, value in {"kind": kind, "accept": accept, "several": several, **words}.items():
            attribute(self, name, value)
        self.on("done", lambda event: done(str(event.args)))
        self.on("failed", lambda event: failed(str(event.args)))
        if begins is not None:
            self.on("begins", lambda _: begins(), args=[])
        if refused is not None:
            self.on(
                "refused", lambda event: refused(str(event.args["fault"]), printable(event.args["name"])[:_LONGEST])
            )
