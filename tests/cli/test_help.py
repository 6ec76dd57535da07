"""What ``--help`` shows is all that is said of an option."""

from __future__ import annotations

import re

import pytest
import typer

from understudy.cli.main import application, main


def commands(command, words=()):
    """Every command with the words that call it."""
    parts = getattr(command, "commands", {})
    for name, part in parts.items():
        yield from commands(part, (*words, name))
    if not parts:
        yield words, command


@pytest.mark.slow
def test_nothing_that_is_said_of_an_option_is_taken_for_mark_up(capfd, monkeypatch):
    monkeypatch.setenv("COLUMNS", "2000")  # so that each stands on a line of its own
    lost = []
    for words, command in commands(typer.main.get_command(application())):
        assert main([*words, "--help"]) == 0
        shown = re.sub(r"\s+", " ", capfd.readouterr().out)
        lost += [
            (words, one.name) for one in command.params if (help_ := getattr(one, "help", None)) and help_ not in shown
        ]
    assert lost == []
