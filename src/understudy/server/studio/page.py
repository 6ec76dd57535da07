"""The frame around every room: its name, the way to the others, language and light."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Sequence
from functools import partial
from importlib.resources import files
from typing import Final

from fastapi import FastAPI, Request
from nicegui import Client, ui

from understudy.server.studio.controls import Text, box, icon
from understudy.server.studio.fields import choice
from understudy.server.studio.rooms import ROOMS, Room
from understudy.server.studio.studio import Studio
from understudy.server.studio.visitor import Visitor
from understudy.server.texts import LANGUAGES, Texts, preferred

#: Cookies in which a browser keeps what was chosen. They say nothing of anybody.
_LANGUAGE, _THEME = "understudy-language", "understudy-theme"
#: What the browser is told of the light: by itself, or as it was chosen.
_THEMES: Final = {"auto": "light dark", "light": "light", "dark": "dark"}
_ICON: Final = files("understudy.server.studio").joinpath("assets", "icons", "mark.svg")


def add_pages(api: FastAPI, studio: Studio) -> None:
    """Add the page of every room to an application.

    Args:
        api: The application.
        studio: What all visitors share.
    """
    for room in ROOMS:
        ui.page(room.path)(_page(room, studio))
    ui.run_with(
        api,
        title="Understudy",
        favicon=_ICON.read_text(encoding="utf-8"),
        tailwind=False,
        dark=None,
        reconnect_timeout=8,
        gzip_middleware_factory=None,  # nothing leaves this machine
        show_welcome_message=False,
    )


def _page(room: Room, studio: Studio) -> Callable[[Request], None]:
    """What NiceGUI calls for each visit."""

    def show(request: Request) -> None:
        texts = Texts(preferred(request.cookies.get(_LANGUAGE), request.headers.get("accept-language", "")))
        theme = request.cookies.get(_THEME, "auto")
        visitor = Visitor(studio, texts, theme if theme in _THEMES else "auto")
        _frame(visitor, room, ROOMS)
        visitor.begin()
        ui.timer(0.1, studio.prepare, once=True)  # once the page is there

    return show


def _frame(visitor: Visitor, room: Room, rooms: Sequence[Room]) -> None:
    """All of a page."""
    texts = visitor.texts
    _plain(ui.context.client)
    ui.page_title(f"{texts(room.title)} · Understudy")
    said = {"language": texts.html_code, "lost": texts("around.lost"), "again": texts("around.again")}
    said |= {"anew": texts("around.anew"), "open": texts("around.open"), "old": texts("around.old")}
    ui.add_head_html(
        f"<style>:root {{ color-scheme: {_THEMES[visitor.theme]} }}</style>"
        '<link rel="stylesheet" href="/assets/studio.css"><link rel="stylesheet" href="/assets/rooms.css">'
        f'<script src="/assets/frame.js" data-said="{html.escape(json.dumps(said), quote=True)}"></script>'
        '<script type="module" src="/assets/focus.js"></script>'
    )
    with box("frame"):
        Text(texts("around.skip"), "a", classes="skip", attributes={"href": "#room"})
        with box("head", "header"):
            with box("brand"):
                icon("mark")
                Text("Understudy")
            if len(rooms) > 1:
                _ways(visitor, room, rooms)
            with box("tools"):
                choice(
                    texts("around.language"),
                    options=LANGUAGES,
                    value=texts.language,
                    change=partial(_keep, _LANGUAGE),
                    hidden=True,
                )
                choice(
                    texts("around.light"),
                    options={
                        "auto": texts("around.auto"),
                        "light": texts("around.bright"),
                        "dark": texts("around.dark"),
                    },
                    value=visitor.theme,
                    change=partial(_keep, _THEME),
                    hidden=True,
                )
        with box("room", "main", id="room", tabindex="-1"):
            Text(texts(room.title), "h1", classes="spoken")
            room.build(visitor)


def _plain(client: Client) -> None:
    """Take Quasar's layout away, which has a ``main`` of its own around everything."""
    for wrapper in (client.layout, client.page_container, *client.page_container.default_slot.children):
        wrapper.tag = "div"
        wrapper.props.clear()


def _ways(visitor: Visitor, room: Room, rooms: Sequence[Room]) -> None:
    """Links to all rooms."""
    with box("ways", "nav", aria_label=visitor.texts("around.rooms")):
        for other in rooms:
            here = {"aria-current": "page"} if other is room else {}
            Text(visitor.texts(other.title), "a", attributes={"href": other.path, **here})


def _keep(cookie: str, value: str) -> None:
    """Have the browser keep a choice, and show the page anew: all that matters is kept by the server."""
    said = json.dumps(f"{cookie}={value}; Path=/; SameSite=Strict; Max-Age=31536000")
    ui.run_javascript(f"document.cookie = {said}; location.reload()")
