"""Tokens: what they are for, how they end, and that their secrets are nowhere."""

from __future__ import annotations

import pytest

from understudy.cli.main import main
from understudy.errors import UsageError
from understudy.server.access.quotas import Quotas
from understudy.server.access.tokens import SCOPES, ScopeError, TokenError, Tokens


class Clock:
    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tokens(own, clock):
    return Tokens(own, clock)


def test_a_secret_is_known_by_its_token_and_kept_nowhere(own, tokens):
    token, secret = tokens.add("editor", "anna", ["swaps", "media"], 1, Quotas(clips=3))
    assert tokens.known(secret).id == token.id
    assert Tokens(own, tokens.clock).known(secret).quotas.clips == 3
    kept = b"".join(path.read_bytes() for path in own.root.rglob("*") if path.is_file())
    assert token.id.encode() in kept
    assert secret.split("_", 2)[2].encode() not in kept


@pytest.mark.parametrize(
    "wrong", ["", "x" * 5000, "understudy_", "understudy_{id}_" + "A" * 43, "{secret}A", " {secret}", "\0"]
)
def test_what_is_no_token_is_refused(tokens, wrong):
    token, secret = tokens.add("editor", "anna", ["swaps"], 1)
    with pytest.raises(TokenError):
        tokens.known(wrong.format(id=token.id, secret=secret))


def test_a_secret_of_another_tokens_id_is_refused(tokens):
    (first, secret), (second, _) = tokens.add("one", "anna", ["swaps"], 1), tokens.add("two", "ben", ["swaps"], 1)
    with pytest.raises(TokenError):
        tokens.known(secret.replace(first.id, second.id))


def test_a_token_ends_by_its_day(tokens, clock):
    _, secret = tokens.add("editor", "anna", ["swaps"], 2)
    clock.now += 2 * 86400 - 1
    assert tokens.known(secret).name == "editor"
    clock.now += 1
    with pytest.raises(TokenError, match="expired"):
        tokens.known(secret)


def test_another_process_revokes_and_it_is_known_within_a_second(own, tokens, clock):
    token, secret = tokens.add("editor", "anna", ["swaps"], 2)
    assert tokens.known(secret).id == token.id
    Tokens(own, clock).revoke("editor")
    clock.now += 1
    with pytest.raises(TokenError, match="revoked"):
        tokens.known(secret)
    with pytest.raises(UsageError, match="no token"):
        tokens.revoke("editor")
    assert tokens.add("editor", "anna", ["swaps"], 2)[1] != secret  # the name is free again


def test_a_token_is_for_what_it_is_for(tokens):
    token, _ = tokens.add("editor", "anna", ["media", "swaps"], 2)
    token.require("swaps")
    with pytest.raises(ScopeError, match="people"):
        token.require("people")


@pytest.mark.parametrize(
    ("name", "user", "scopes", "days"),
    [
        ("", "anna", ["swaps"], 1),
        ("a b", "anna", ["swaps"], 1),
        ("a", "../anna", ["swaps"], 1),
        ("a", "anna", ["everything"], 1),
        ("a", "anna", [], 1),
        ("a", "anna", ["swaps"], 0),
        ("a", "anna", ["swaps"], float("nan")),
        ("a", "anna", ["swaps"], 1e9),
        ("a" * 65, "anna", ["swaps"], 1),
    ],
)
def test_what_can_be_no_token_is_told(tokens, name, user, scopes, days):
    with pytest.raises(UsageError):
        tokens.add(name, user, scopes, days)
    assert tokens.all() == []


def test_two_tokens_of_one_name_are_refused(tokens):
    tokens.add("editor", "anna", ["swaps"], 1)
    with pytest.raises(UsageError, match="already"):
        tokens.add("editor", "ben", ["swaps"], 1)


@pytest.mark.slow
def test_the_command_line_makes_lists_and_revokes(own, capsys):
    home = ["--home", str(own.root)]
    assert main(["token", "add", "editor", "--for", "swaps,media", "--clips", "7", *home]) == 0
    secret = capsys.readouterr().out.strip()
    assert Tokens(own).known(secret).scopes == ("media", "swaps")
    assert main(["token", "list", *home]) == 0
    listed = capsys.readouterr().out
    assert "editor" in listed
    assert secret not in listed
    assert main(["token", "revoke", "editor", *home, "--json"]) == 0
    with pytest.raises(TokenError):
        Tokens(own).known(secret)
    assert main(["token", "revoke", "editor", *home]) == 2
    assert main(["token", "add", "more", "--clips", "-1", *home]) == 2
    assert main(["token", "add", "more", "--for", "nothing", *home]) == 2


def test_every_scope_says_what_it_is_for():
    assert all(SCOPES.values())
