"""``understudy settings``."""

from __future__ import annotations

from understudy.cli.chosen import Chosen, takes_settings
from understudy.cli.options import Json
from understudy.cli.terminal import answer_json, answer_text, shown_as_it_is


@takes_settings()
def command(*, chosen: Chosen, json: Json = False) -> None:
    """Print all settings, in the form that --settings reads: the defaults, with what a file and options here change."""
    from understudy.settings import as_tables, as_toml

    settings = chosen.settings()
    if json:
        answer_json(as_tables(settings))
        return
    text = as_toml(settings)
    answer_text((text if shown_as_it_is(text) else as_toml(settings, ascii_only=True)).rstrip("\n"))
