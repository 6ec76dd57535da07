"""Where a download may lead: not from a public address to one inside this machine or its network.

Whoever answers at a public address could send us on to a router, a printer, or a service that listens on this machine
only, and have us ask it something. An address that the user gave may be anywhere; only what it leads to is held to
this. A name is looked up once, and what was looked at is what is connected to: another answer a moment later changes
nothing.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import urllib.request
from collections.abc import Iterable
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from understudy.errors import FetchError

#: Names that never mean anything outside (RFC 6761 and 6762, and what local networks use).
_INSIDE: Final = ("localhost", "local", "internal", "lan", "home.arpa", "localdomain")
#: Addresses of the old network that are written as ones of the new (RFC 6052).
_TRANSLATED: Final = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Trail:
    """The way of one download, from the address that was asked for through all that it is sent on to.

    Attributes:
        outside: Whether it has been at a public address: from then on it stays with those.
    """

    def __init__(self, *, outside: bool = False) -> None:
        self.outside = outside

    def allowed(self, host: str, found: Iterable[str]) -> list[str]:
        """Those of a host's addresses that it may go on to: the public ones, or, where it begins, inner ones only.

        Raises:
            FetchError: there is none.
        """
        every = list(found)
        public = [one for one in every if is_public(one)]
        if public or not self.outside:
            self.outside = self.outside or bool(public)
            return public or every
        raise FetchError(f"it redirects to an address inside this network: {host}", "")


def is_public(address: str) -> bool:
    """Whether a numeric address is one of the public network, however it is written."""
    try:
        one: Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(one, ipaddress.IPv6Address):
        inner = one.ipv4_mapped or one.sixtofour or (one.teredo[1] if one.teredo else None)
        if one in _TRANSLATED or int(one) >> 32 == 0:
            inner = ipaddress.IPv4Address(int(one) & 0xFFFFFFFF)
        one = inner or one
    return one.is_global and not one.is_multicast and not one.is_reserved


def handlers(trail: Trail) -> list[urllib.request.BaseHandler]:
    """What opens addresses for one download."""
    return [_Http(trail), _Https(trail), _Proxied(trail)]


class _Proxied(urllib.request.ProxyHandler):
    """The system's proxies. What one is asked for is looked at as well: it reaches what we can't, and may be inside."""

    def __init__(self, trail: Trail) -> None:
        super().__init__()
        self._trail = trail

    def proxy_open(self, req: urllib.request.Request, proxy: str, type: str) -> http.client.HTTPResponse | None:  # noqa: A002
        if not (req.host and urllib.request.proxy_bypass(req.host)):
            self._look(urlsplit(req.full_url).hostname or "")
        return super().proxy_open(req, proxy, type)

    def _look(self, host: str) -> None:
        name = host.rstrip(".").lower()
        if name in _INSIDE or name.endswith(tuple(f".{inside}" for inside in _INSIDE)):
            self._trail.allowed(host, ["127.0.0.1"])
            return
        try:
            found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
        except OSError:
            self._trail.outside = True  # a name that only the proxy knows
            return
        self._trail.allowed(host, found)


class _Http(urllib.request.HTTPHandler):
    def __init__(self, trail: Trail) -> None:
        super().__init__()
        self._trail = trail

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_Connection, trail=_of(req, self._trail)), req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, trail: Trail) -> None:
        super().__init__()
        self._trail, self._ssl = trail, ssl.create_default_context()

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        made = partial(_SecureConnection, trail=_of(req, self._trail), context=self._ssl)
        return self.do_open(made, req)


def _of(req: urllib.request.Request, trail: Trail) -> Trail:
    """The trail that a connection is held to: that to a proxy of the user's own may be anywhere."""
    proxied = req.has_proxy() or bool(getattr(req, "_tunnel_host", None))
    return Trail() if proxied else trail


class _Connection(http.client.HTTPConnection):
    def __init__(self, host: str, *, timeout: float, trail: Trail) -> None:
        super().__init__(host, timeout=timeout)
        self._create_connection = partial(_connected, trail)


class _SecureConnection(http.client.HTTPSConnection):
    def __init__(self, host: str, *, timeout: float, trail: Trail, context: ssl.SSLContext) -> None:
        super().__init__(host, timeout=timeout, context=context)
        self._create_connection = partial(_connected, trail)


def _connected(trail: Trail, place: tuple[str, int], timeout: float, _: object = None) -> socket.socket:
    """A connection to a host, by one of the addresses that were looked at."""
    host, port = place
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    allowed = trail.allowed(host, dict.fromkeys(str(entry[4][0]) for entry in found))
    fault: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _name, address in found:
        if str(address[0]) not in allowed:
            continue
        try:
            connection = socket.socket(family, kind, protocol)
        except OSError as problem:
            fault = problem
            continue
        try:
            connection.settimeout(timeout)
            connection.connect(address)
        except OSError as problem:
            connection.close()
            fault = problem
            continue
        return connection
    raise fault
