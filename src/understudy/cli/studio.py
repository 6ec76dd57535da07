"""``understudy studio``."""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.chosen import Chosen, takes_settings
from understudy.cli.options import OUTPUT, Json
from understudy.cli.rehearsal import Rehearsal
from understudy.cli.setting_options import EVERY, OF_A_CLIP
from understudy.cli.terminal import answer, answer_json, say
from understudy.errors import UsageError
from understudy.imports import not_collecting
from understudy.installing import pip

if TYPE_CHECKING:
    from understudy.server.security import Keys

Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port on 127.0.0.1; 0 for any that is free.")]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Only print the address.")]
Native = Annotated[
    bool, typer.Option("--native", help="Open a window of its own (needs pywebview), and end when it is closed.")
]
Recordings = Annotated[
    Path | None,
    typer.Option(
        "--recordings",
        help="Folder that recordings are written to. Default: Understudy in the user's videos.",
        rich_help_panel=OUTPUT,
    ),
]


@takes_settings(EVERY - OF_A_CLIP - {"--label-later-size", "--encoder", "--quality", "--show"})
def command(
    port: Port = 0,
    no_browser: NoBrowser = False,
    native: Native = False,
    recordings: Recordings = None,
    json: Json = False,
    *,
    chosen: Chosen,
) -> None:
    """Open a page on this machine: pick a photo, pick a camera, press a button. Ctrl-C ends it."""
    for package, extra in (
        ("nicegui", "understudy[studio]"),
        ("aiortc", "understudy[studio]"),
        ("webview", "pywebview"),
    ):
        if (package != "webview" or native) and importlib.util.find_spec(package) is None:
            raise UsageError(f"this needs the package {extra}", f"Install it: {pip('install', extra)}")
    from understudy.server.running import listening, serve
    from understudy.server.security import Keys

    settings = chosen.settings()
    keys, stop = Keys(), threading.Event()
    with closing(Rehearsal()) as rehearsal, listening(port) as listener:
        place = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        address = f"{place}?token={keys.token}"
        if json:
            answer_json({"address": address})
        else:
            answer(f"studio: {address}")
        sys.stdout.flush()  # whoever waits for it reads a pipe, perhaps
        say("Ctrl-C ends it")

        def run() -> None:
            with not_collecting():
                from understudy.cli.demo import samples
                from understudy.server.application import studio_application
                from understudy.server.studio.studio import Studio

                rehearse = partial(rehearsal.begin, politely=True)
                studio = Studio(settings, samples(), recordings or _videos(), rehearse)
                page = studio_application(studio, keys, listener.getsockname()[1])
            serve(page, listener, stop)

        if native:
            _window(run, place, keys, stop)
            return
        if not no_browser:
            # It waits until it is answered: what takes its time here and there is done at the same time.
            threading.Thread(target=_browse, args=(place, keys), name="browser", daemon=True).start()
        run()


def _videos() -> Path:
    import platformdirs

    return platformdirs.user_videos_path() / "Understudy"


def _browse(place: str, keys: Keys) -> None:
    import webbrowser

    if not webbrowser.open(f"{place}?token={keys.once()}"):
        say("note: no browser could be opened; open the address by hand")


def _window(run: Callable[[], None], place: str, keys: Keys, stop: threading.Event) -> None:
    """Run the server beside a window, which the system wants in the main thread."""
    import webview

    failed: list[BaseException] = []

    def watched() -> None:
        try:
            run()
        except BaseException as fault:  # noqa: BLE001 - raised below, where somebody sees it
            failed.append(fault)
        for window in webview.windows:
            window.destroy()

    server = threading.Thread(target=watched, name="server")
    server.start()
    try:
        webview.create_window("Understudy", f"{place}?token={keys.once()}", width=1320, height=840)
        webview.start()
    finally:
        stop.set()
        server.join()
    if failed:
        raise failed[0]
