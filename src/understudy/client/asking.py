"""What both clients ask and how they take what is answered: requests as data, without any network."""

from __future__ import annotations

import json
import os
import re
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import IO, Any, Final, Literal

import httpx

from understudy.errors import InputError, RunError, UsageError, unreadable_input
from understudy.installing import install_extra
from understudy.outputs import Draft, output_errors, settled

Ground = Literal["self", "granted", "fictional", "sample"]
#: Seconds between two looks at a swap that is waited for.
EVERY: Final = 1.0
#: States that a swap does not leave by itself.
ENDED: Final = ("done", "failed", "cancelled", "gone")
#: Bytes that are read and sent at a time.
PIECE: Final = 1 << 20
_PLACE: Final = "/api/v1"
_WRONG_SERVER: Final = "Is this the address of an Understudy server?"


class ApiError(RunError):
    """The server did not do what was asked.

    Attributes:
        status: The answer's HTTP status.
        retry_after: Seconds after which to come back, where it said so; else None.
    """

    def __init__(self, error: str, hint: str, status: int, retry_after: int | None = None) -> None:
        super().__init__(error, hint)
        self.status, self.retry_after = status, retry_after


@dataclass(frozen=True)
class Ask:
    """A request.

    Attributes:
        method: Of HTTP.
        path: Below the API's address.
        query: Behind it.
        json: The body, as plain values; None for none.
        file: A file that is the body; None for none.
        bytes: How many the file has.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    file: Path | None = None
    bytes: int = 0

    @property
    def headers(self) -> dict[str, str]:
        """What goes with it besides: how large a file is, so that one that is too large is refused before it comes."""
        return {} if self.file is None else {"Content-Length": str(self.bytes)}


def base(address: str) -> str:
    """The API's address on a server.

    Raises:
        UsageError: it is no address of a server.
    """
    # A name and a password in it would be sent in place of the token.
    if not re.fullmatch(r"https?://[^\s/?#@]+/?", address):
        raise UsageError(f"this is no address of a server: {address[:200]}", "It is like https://HOST:PORT.")
    return address.rstrip("/") + _PLACE


def headers(token: str) -> dict[str, str]:
    """What goes with every request.

    Raises:
        UsageError: that is no token.
    """
    if not re.fullmatch(r"[!-~]+", token):
        raise UsageError("this is no token: it has letters that none has", "It is what `understudy token add` printed.")
    return {"Authorization": f"Bearer {token}"}


def trusted(verify: bool | str) -> bool | ssl.SSLContext:
    """Which certificates a server's is checked against.

    Args:
        verify: Whether it is; or a file, or a folder, with those that are trusted.

    Raises:
        UsageError: it holds none that can be read.
    """
    if isinstance(verify, bool):
        return verify
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(**{"capath" if Path(verify).is_dir() else "cafile": verify})
    except OSError as fault:  # of the ssl module, too
        raise UsageError(
            f"{verify} holds no certificates that can be read: {fault.strerror or fault}",
            "Give a file of certificates in PEM form, or True for those of public authorities.",
        ) from fault
    return context


@contextmanager
def fetched(path: str | PathLike[str]) -> Iterator[IO[bytes]]:
    """Takes what is fetched; when the block ends without an error, all of it is the file at ``path``.

    Raises:
        OutputExistsError: there is one.
        OutputError, NoSpaceError: it can't be written.
    """
    draft = Draft(settled(Path(path), overwrite=False, hint="Name another file."))
    try:
        with output_errors(draft.target):
            with draft.path.open("wb") as file:
                yield file
            draft.name()
    finally:
        draft.discard()


def hand_over(path: str | PathLike[str], kind: Literal["photos", "media"]) -> Ask:
    """Hand a file over.

    Raises:
        UsageError: it is not there.
        InputUnreadableError: it can't be read.
    """
    file = Path(path)
    if not file.is_file():
        raise UsageError(f"there is no file {file}", "Check the path and its spelling.")
    try:
        file.open("rb").close()
    except OSError as fault:
        raise unreadable_input(file, fault) from fault
    # The name may be no text in UTF-8, which all that goes over the line is.
    name = os.fsencode(file.name).decode("utf-8", "replace")
    return Ask("POST", f"/{kind}", {"name": name}, file=file, bytes=file.stat().st_size)


def inspect(path: str | PathLike[str]) -> Ask:
    """Have a file looked at.

    Raises:
        UsageError: it is not there.
    """
    return replace(hand_over(path, "media"), path="/inspect")


def became_shorter(path: Path) -> InputError:
    """The error of a file that has fewer bytes than it had when it was announced."""
    return InputError(f"{path} became shorter while it was read", "Hand it over again.")


def add_person(photos: Sequence[str], name: str, ground: Ground, note: str, uses: Sequence[str], days: int) -> Ask:
    """Say whose face is on photos, by their ids, and who said that it may be used."""
    consent = {"ground": ground, "note": note, "uses": list(uses), "days": days}
    return Ask("POST", "/people", json={"name": name, "photos": list(photos), "consent": consent})


def swap(
    target: str,
    person: str | None,
    cast: Sequence[Mapping[str, Any]] | None,
    others: Literal["blur", "leave"],
    format: str | None,  # noqa: A002 - as the API calls it
    settings: Mapping[str, Any] | None,
) -> Ask:
    """Order a swap."""
    said: dict[str, Any] = {"target": target, "settings": dict(settings or {})}
    if person is not None:
        said["person"] = person
    if cast is not None:
        said |= {"cast": [dict(part) for part in cast], "others": others}
    if format is not None:
        said["format"] = format
    return Ask("POST", "/swaps", json=said)


def answered(status: int, headers: Mapping[str, str], body: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """What was answered, as plain values; None where there is nothing.

    Args:
        status: The answer's.
        headers: Their names in small letters.
        body: The answer's.

    Raises:
        ApiError: it was a refusal or a failure, or nothing that an Understudy server says.
    """
    try:
        said = json.loads(body) if body else None
    except ValueError as fault:
        if 200 <= status < 300:
            raise ApiError("what was answered is no JSON", _WRONG_SERVER, status) from fault
        said = None
    if 200 <= status < 300:
        return said
    after = headers.get("retry-after", "")
    found = said if isinstance(said, dict) else {}
    raise ApiError(
        str(found.get("error") or f"the server answered with {status}"),
        str(found.get("hint") or _WRONG_SERVER),
        status,
        int(after) if after.isdecimal() else None,
    )


@contextmanager
def reached() -> Iterator[None]:
    """Around requests.

    Raises:
        ApiError: the server can't be reached, or does not answer to the end.
    """
    try:
        yield
    except httpx.HTTPError as fault:
        raise ApiError(f"the server can't be reached: {fault}", "Is it running, and its address right?", 0) from fault


def is_away(fault: ApiError) -> bool:
    """Whether a server could not be reached, or could not answer just then."""
    return fault.status in (0, 429) or fault.status >= 500


def is_forgotten(fault: ApiError) -> bool:
    """Whether nobody looks who is in a clip, where somebody was asked to: the server was started anew."""
    return fault.status == 422


def is_stopping(fault: ApiError) -> bool:
    """Whether what is to be removed is being stopped, or the server wants to be asked later."""
    return fault.status in (409, 429)


class Patience:
    """How long a question is asked again that got no answer, or one that may be another soon.

    Args:
        seconds: For how long, from the first such answer on.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: float | None = None

    def pause(self, fault: ApiError) -> float:
        """Seconds after which to ask again: as many as the server said, or few.

        Args:
            fault: What came of the question.

        Raises:
            ApiError: that fault: it has been asked for long enough.
        """
        pause, now = max(EVERY, fault.retry_after or 0), time.monotonic()
        self._until = now + self._seconds if self._until is None else self._until
        if now + pause > self._until:
            raise fault
        return pause


def ended(said: Mapping[str, Any]) -> bool:
    """Whether a swap has ended.

    Raises:
        ApiError: it failed, or somebody gave it up.
    """
    if said["state"] not in ENDED:
        return False
    if said["state"] != "done":
        raise ApiError(said["error"] or f"the swap is {said['state']}", said["hint"] or "Order it anew.", 200)
    return True


@contextmanager
def needs_websockets() -> Iterator[None]:
    """Around imports that need the package.

    Raises:
        UsageError: it is not installed.
    """
    try:
        yield
    except ImportError as fault:
        raise UsageError(
            "live sessions take the package websockets, which is not installed",
            f"Install it with: {install_extra('client')}",
        ) from fault
