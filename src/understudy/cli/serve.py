"""``understudy serve``."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.chosen import Chosen, takes_settings
from understudy.cli.ledger import say_tampered
from understudy.cli.options import Json
from understudy.cli.rehearsal import Rehearsal
from understudy.cli.setting_options import EVERY, OF_A_CLIP
from understudy.cli.terminal import answer, answer_json, say
from understudy.errors import UsageError
from understudy.installing import install_extra
from understudy.text import printable

Host = Annotated[
    str, typer.Option("--host", help="Address to listen on. Anything but 127.0.0.1 needs --cert and --key.")
]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 for any that is free.")]
Names = Annotated[
    list[str] | None,
    typer.Option("--name", help="A name by which the server is asked, such as swaps.example.org or localhost:8443."),
]
Cert = Annotated[Path | None, typer.Option("--cert", help="File with the certificate chain, for TLS.")]
Key = Annotated[Path | None, typer.Option("--key", help="File with its private key.")]
Insecure = Annotated[
    bool,
    typer.Option("--insecure", help="Listen elsewhere than on 127.0.0.1 without TLS: tokens and faces can be read."),
]
Retention = Annotated[float, typer.Option("--retention", help="Days for which photos, clips and results are kept.")]
RunnerCount = Annotated[
    int, typer.Option("--runners", help="Processes that do the swaps; 0 if `understudy jobs run` does them elsewhere.")
]
LiveCount = Annotated[
    int | None,
    typer.Option("--live", min=0, max=64, help="Live sessions at a time; by itself as many as this machine carries."),
]
Stun = Annotated[
    str,
    typer.Option("--stun", help="HOST:PORT of a STUN server, for live sessions with those elsewhere. None by itself."),
]
#: Seconds that live sessions by WebSocket have to say that the server ends: each looks twice a second.
_PARTING = 2.0
_HERE = ("127.0.0.1", "::1", "localhost")


@takes_settings(EVERY - OF_A_CLIP - {"--show"})
def command(
    host: Host = "127.0.0.1",
    port: Port = 8770,
    name: Names = None,
    cert: Cert = None,
    key: Key = None,
    insecure: Insecure = False,
    retention: Retention = 7,
    runners: RunnerCount = 1,
    live: LiveCount = None,
    stun: Stun = "",
    json: Json = False,
    *,
    chosen: Chosen,
) -> None:
    """Serve the API, for programs that have a token. Ctrl-C ends it; what is not done goes on at the next start."""
    for package in ("fastapi", "uvicorn", "aiortc"):
        if importlib.util.find_spec(package) is None:
            raise UsageError("this needs the package understudy[serve]", f"Install it: {install_extra('serve')}")
    if (cert is None) != (key is None):
        raise UsageError("TLS needs a certificate and its key", "Name both: --cert and --key.")
    if host not in _HERE and cert is None and not insecure:
        raise UsageError(
            f"{host} can be reached from elsewhere, and there is no TLS",
            "Name --cert and --key; or --insecure, and everybody on the way can read tokens and faces.",
        )
    names = [_checked_name(one) for one in name or ()]
    from understudy.server.api.application import api_application
    from understudy.server.api.service import ServeOptions, Service
    from understudy.server.running import check_certificate, listening, serve
    from understudy.server.webrtc.reach import Reach

    if cert is not None and key is not None:
        check_certificate(cert, key)
    # Who listens here or everywhere is reached at all of the machine's addresses, else at the one that was named.
    addresses = () if host in (*_HERE, "0.0.0.0", "::") else (host,)
    service = Service(chosen.settings(), ServeOptions(retention, runners, live, Reach(addresses, stun)))
    with closing(Rehearsal()) as rehearsal, listening(port, host) as listener:
        own = listener.getsockname()[1]
        scheme = "http" if cert is None else "https"
        shown = f"[{host}]" if ":" in host else host
        hosts = names_of(["127.0.0.1", "localhost", shown], own, scheme) + names
        # Who ends TLS in front of this server has pages of an origin that this server does not see.
        origins = [f"{scheme}://{one}" for one in hosts] + [f"https://{one}" for one in names if scheme == "http"]
        if not any(token.state(service.tokens.clock()) == "valid" for token in service.tokens.all()):
            say("note: there is no token yet: understudy token add NAME")
        say_tampered(service.audit.verify(), "audit log")
        address = f"{scheme}://{shown}:{own}"
        if json:
            answer_json({"address": address})
        else:
            answer(f"API: {address}/api/v1, described at {address}/docs")
        sys.stdout.flush()  # whoever waits for it reads a pipe, perhaps
        say("Ctrl-C ends it")
        rehearsal.begin(politely=True)
        serve(api_application(service, hosts, origins), listener, service.ending, parting=_PARTING, cert=cert, key=key)


def names_of(hosts: Sequence[str], port: int, scheme: str) -> list[str]:
    """What requests name a server by: with its port, and without it where that is the scheme's own."""
    usual = {"http": 80, "https": 443}[scheme]
    return [f"{one}:{port}".lower() for one in hosts] + [one.lower() for one in hosts if port == usual]


def _checked_name(name: str) -> str:
    """A name that requests may have in their header ``Host``.

    Raises:
        UsageError: none has such a name.
    """
    if not re.fullmatch(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?", name):
        raise UsageError(
            f"no request names a server {printable(name)[:80]!r}",
            "Write the host as it stands in addresses, with its port if it has one: --name swaps.example.org.",
        )
    return name.lower()
