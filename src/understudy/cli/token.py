"""``understudy token``: add, list, revoke."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.options import HomeOption, Json
from understudy.cli.terminal import answer, answer_json, say

if TYPE_CHECKING:
    from understudy.server.access.tokens import Tokens

#: What ``Quotas`` has by itself.
_CLIPS, _MINUTES, _LIVE, _REQUESTS, _GIGABYTES = 100, 120, 3600, 600, 20

app = typer.Typer(help="Tokens of the API: who may use `understudy serve`, for what, how much, and until when.")


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What to call it: letters, digits and . @ + - _")],
    user: Annotated[
        str, typer.Option("--user", help="Whose things it reaches. Default: the token's own name.", show_default=False)
    ] = "",
    scopes: Annotated[
        str, typer.Option("--for", help="What it is for, separated by commas: people, media, swaps, live, inspect.")
    ] = "people,media,swaps,live,inspect",
    days: Annotated[float, typer.Option("--days", help="For how many days.")] = 90,
    clips: Annotated[float, typer.Option("--clips", help="Pictures and clips a day.")] = _CLIPS,
    minutes: Annotated[float, typer.Option("--minutes", help="Minutes of clips a day.")] = _MINUTES,
    live: Annotated[float, typer.Option("--live-seconds", help="Seconds of live swapping a day.")] = _LIVE,
    requests: Annotated[float, typer.Option("--requests", help="Requests a minute.")] = _REQUESTS,
    gigabytes: Annotated[
        float, typer.Option("--gigabytes", help="Of uploads and results that are kept at a time.")
    ] = _GIGABYTES,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Make a token. Its secret is printed once, on stdout, and can't be shown again."""
    from understudy.server.access.quotas import Quotas

    quotas = Quotas(clips, minutes, live, requests, gigabytes * 1e9)
    wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    token, secret = _tokens(home).add(name, user or name, wanted, days, quotas)  # type: ignore[arg-type] # checked there
    if json:
        answer_json({"token": token.as_json(), "secret": secret})
        return
    answer(secret)
    say(f"{token.name}: for {', '.join(token.scopes)}, for {days:g} days. Keep it: it is shown this once.")


@app.command("list")
def show(home: HomeOption = None, json: Json = False) -> None:
    """List the tokens, the oldest first."""
    tokens = [token.as_json() for token in _tokens(home).all()]
    if json:
        answer_json({"tokens": tokens})
        return
    for token in tokens:
        scopes = ", ".join(str(scope) for scope in token["scopes"])  # type: ignore[attr-defined] # a list, see there
        used = f"used {str(token['used'])[:16]}" if token["used"] else "never used"
        answer(f"{token['id']}  {token['state']:8s} {token['name']}  {token['user']}  {scopes}  {used}")
    if not tokens:
        say("there is no token yet: understudy token add NAME")


@app.command("revoke")
def revoke(
    which: Annotated[str, typer.Argument(help="A token's name or id.")],
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """End a token. A server that runs knows it within a second."""
    token = _tokens(home).revoke(which)
    if json:
        answer_json({"revoked": token.id, "name": token.name})
        return
    say(f"{token.name}: revoked")


def _tokens(home: Path | None) -> Tokens:
    from understudy.provenance.records.home import Home
    from understudy.server.access.tokens import Tokens

    return Tokens(Home.default() if home is None else Home(home))
