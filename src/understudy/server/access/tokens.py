"""Tokens of the API: named, for certain things only, until a certain day; of their secrets only a digest is kept."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Literal

from understudy.errors import RefusedError, UsageError
from understudy.provenance.records.home import Home
from understudy.provenance.records.kept_open import Opened, opened_anew
from understudy.server.access.quotas import Quotas
from understudy.text import printable

Scope = Literal["people", "media", "swaps", "live", "inspect"]
#: What a token may be for, and what that allows.
SCOPES: Final[dict[Scope, str]] = {
    "people": "hand over photos, say who consented, remove them",
    "media": "hand over pictures and clips, and fetch them again",
    "swaps": "order swaps, look at them, fetch what they made",
    "live": "swap frames and streams while they come",
    "inspect": "have files looked at",
}
#: Before each secret: whoever finds one in a file knows what it is of.
_PREFIX: Final = "understudy"
_SECRET: Final = re.compile(rf"{_PREFIX}_([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})")
_NAME: Final = re.compile(r"[\w.@+-]{1,64}")
#: Seconds for which a token that was found good counts as good: a revoked one goes on for no longer.
_BELIEVED: Final = 1.0
#: Seconds between two notes of when a token was used.
_NOTED: Final = 60.0
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS tokens (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, user TEXT NOT NULL, scopes TEXT NOT NULL, quotas TEXT NOT NULL,
    digest TEXT NOT NULL, made REAL NOT NULL, expires REAL NOT NULL, revoked REAL NOT NULL, used REAL NOT NULL
)
"""


class TokenError(RefusedError):
    """There is no token, or it is not, no more, or not for this."""


class ScopeError(RefusedError):
    """A token is for other things."""


@dataclass(frozen=True)
class Token:
    """A token, without its secret.

    Attributes:
        id: 12 hexadecimal digits; they stand in the secret, too.
        name: What its owner calls it.
        user: Whose things it reaches. Several tokens of one user reach the same.
        scopes: What it is for.
        quotas: How much its user may do.
        made, expires: Unix times in seconds.
        revoked: When it was revoked; 0 if it was not.
        used: When it was used last, to the minute; 0 for never.
    """

    id: str
    name: str
    user: str
    scopes: tuple[Scope, ...]
    quotas: Quotas
    made: float
    expires: float
    revoked: float = 0.0
    used: float = 0.0

    def state(self, now: float) -> Literal["valid", "expired", "revoked"]:
        """What it is worth.

        Args:
            now: Unix time in seconds.
        """
        if self.revoked:
            return "revoked"
        return "valid" if now < self.expires else "expired"

    def require(self, scope: Scope) -> None:
        """Make sure that it is for something.

        Raises:
            ScopeError: it is not.
        """
        if scope not in self.scopes:
            raise ScopeError(
                f"the token {self.name} is not for this: {scope} ({SCOPES[scope]})",
                "Whoever runs the server can make one that is: understudy token add.",
            )

    def as_json(self) -> dict[str, object]:
        """The token as plain values; times as ISO 8601, UTC, or null."""
        return {
            "id": self.id,
            "name": self.name,
            "user": self.user,
            "scopes": list(self.scopes),
            "quotas": self.quotas.as_json(),
            "state": self.state(time.time()),
            "made": _iso(self.made),
            "expires": _iso(self.expires),
            "revoked": _iso(self.revoked),
            "used": _iso(self.used),
        }


@dataclass
class Tokens:
    """The tokens of one private folder. For several threads and processes.

    Args:
        home: The private folder.
        clock: Tells the Unix time.
        opened: Begins a transaction on their file.
    """

    home: Home
    clock: Callable[[], float] = time.time
    opened: Opened = opened_anew
    _good: dict[str, tuple[float, Token]] = field(default_factory=dict, init=False, repr=False)

    def add(
        self, name: str, user: str, scopes: Sequence[Scope], days: float, quotas: Quotas | None = None
    ) -> tuple[Token, str]:
        """A new token, and its secret, which is told only now.

        Args:
            name: What its owner calls it: letters, digits and ``. @ + - _``, no other valid token has it.
            user: Whose things it reaches, of the same letters.
            scopes: What it is for.
            days: For how long, up to ten years.
            quotas: How much its user may do; the usual if None.

        Raises:
            UsageError: one of them is no such thing.
        """
        for said in (name, user):
            if not _NAME.fullmatch(said):
                raise UsageError(
                    f"no name for a token or a user: {printable(said)[:80]}",
                    "Use up to 64 letters, digits and . @ + - _",
                )
        for scope in scopes:
            if scope not in SCOPES:
                raise UsageError(
                    f"a token can't be for {printable(scope)[:80]}", f"It can be for: {', '.join(SCOPES)}."
                )
        if not scopes:
            raise UsageError("a token must be for something", f"It can be for: {', '.join(SCOPES)}.")
        if not 0 < days <= 3660:
            raise UsageError(f"a token can't last for {days:g} days", "Choose up to 3660.")
        now, number, secret = self.clock(), secrets.token_hex(6), secrets.token_urlsafe(32)
        said_scopes = tuple(scope for scope in SCOPES if scope in scopes)
        token = Token(number, name, user, said_scopes, quotas or Quotas(), now, now + days * 86400)
        with self._open() as connection:
            for other in _read(connection):
                if other.name == name and other.state(now) == "valid":
                    raise UsageError(f"there is a token {name} already", f"First: understudy token revoke {name}")
            words = (" ".join(said_scopes), token.quotas.as_text(), _digest(secret))
            values = (number, name, user, *words, now, token.expires)
            connection.execute("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0)", values)
        return token, f"{_PREFIX}_{number}_{secret}"

    def all(self) -> list[Token]:
        """Every token that there ever was, the oldest first."""
        with self._open() as connection:
            return list(_read(connection))

    def revoke(self, which: str) -> Token:
        """End a token, by its name or id. Servers that run know it within a second.

        Raises:
            UsageError: there is none that is valid.
        """
        now = self.clock()
        with self._open() as connection:
            for token in _read(connection):
                if which in (token.id, token.name) and not token.revoked:
                    connection.execute("UPDATE tokens SET revoked = ? WHERE id = ?", (now, token.id))
                    self._good.clear()
                    return token
        raise UsageError(f"there is no token {printable(which)[:80]}", "`understudy token list` shows them.")

    def known(self, secret: str) -> Token:
        """The token that a secret is of.

        Raises:
            TokenError: of none, or of one that ended.
        """
        hint = "Whoever runs the server can make one: understudy token add."
        found = _SECRET.fullmatch(secret)
        if found is None:
            raise TokenError("this is no token", hint)
        number, digest, now = found[1], _digest(found[2]), self.clock()
        token = self._believed(digest, now) or self._looked_up(number, digest, now)
        state = "unknown" if token is None else token.state(now)
        if token is None or state != "valid":
            self._good.pop(digest, None)
            raise TokenError(f"this token is {state}", hint)
        return token

    def at_hand(self, secret: str) -> Token | None:
        """The token that a secret is of, if it was found good a moment ago; else None, and ``known`` tells more.

        It waits for nothing: no file is opened.
        """
        found, now = _SECRET.fullmatch(secret), self.clock()
        token = None if found is None else self._believed(_digest(found[2]), now)
        return token if token is not None and token.state(now) == "valid" else None

    def check(self, token: Token) -> None:
        """Make sure that a token that was good still is.

        Raises:
            TokenError: it ended.
        """
        now = self.clock()
        with self._open() as connection:
            found = list(_read(connection, token.id))
        state = found[0].state(now) if found else "unknown"
        if state != "valid":
            raise TokenError(f"this token is {state}", "Whoever runs the server can make one: understudy token add.")

    def _believed(self, digest: str, now: float) -> Token | None:
        since, token = self._good.get(digest, (0.0, None))
        return token if 0 <= now - since < _BELIEVED else None

    def _looked_up(self, number: str, digest: str, now: float) -> Token | None:
        with self._open() as connection:
            rows = connection.execute("SELECT digest FROM tokens WHERE id = ?", (number,)).fetchall()
            if not rows or not secrets.compare_digest(str(rows[0][0]).encode(), digest.encode()):
                return None
            (token,) = _read(connection, number)
            if abs(now - token.used) >= _NOTED:
                connection.execute("UPDATE tokens SET used = ? WHERE id = ?", (now, number))
        if len(self._good) > 1000:  # of tokens that are used no more
            self._good.clear()
        self._good[digest] = (now, token)
        return token

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self.opened(self.home, "server/tokens.sqlite", _SCHEMA) as connection:
            yield connection


def _read(connection: sqlite3.Connection, number: str | None = None) -> Iterator[Token]:
    columns = "id, name, user, scopes, quotas, made, expires, revoked, used"
    where, values = ("", ()) if number is None else (" WHERE id = ?", (number,))
    for row in connection.execute(f"SELECT {columns} FROM tokens{where} ORDER BY made, id", values).fetchall():
        scopes = tuple(scope for scope in SCOPES if scope in str(row[3]).split())
        yield Token(row[0], row[1], row[2], scopes, Quotas.parse(str(row[4])), *(float(value) for value in row[5:]))


def _digest(secret: str) -> str:
    """SHA-256 in hexadecimal digits: 256 random bits can't be guessed, so a slow hash has nothing to slow down."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _iso(seconds: float) -> str | None:
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc).isoformat(timespec="seconds") if seconds else None
