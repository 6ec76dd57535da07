"""Fields that pages are made of: what is switched, chosen, moved, written and handed over.

The browser's own, as in :mod:`understudy.server.studio.controls`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from nicegui import ui
from nicegui.events import GenericEventArguments

from understudy.server.studio.controls import Text, attribute, box
from understudy.text import printable

#: What an event hands to the server: a value, and nothing else of it.
_VALUE: Final = "(event) => emit(event.target.value)"
_CHECKED: Final = "(event) => emit(event.target.checked)"
#: Most letters of a file's name that are shown.
_LONGEST: Final = 80


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


class Picker(ui.element, component="assets/picker.js"):
    """A place to drop files on, with a button to choose them; they go to the server by themselves.

    Args:
        kind: What the files are taken for: ``photo`` or ``clip``.
        accept: Suffixes, separated by commas.
        words: What it says: on the ``button``, ``beside`` it; ``busy``: while files come, and ``cancel``: to end that.
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
