"""Downloads one file over HTTP: resumed where it broke off, given up where it is held up.

Servers stall, truncate, redirect, lie about lengths and never end. What a file should be is not known here: whoever
asked checks it.
"""

from __future__ import annotations

import http.client
import json
import shutil
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlsplit

from understudy.errors import FetchError, NoSpaceError, UnderstudyError
from understudy.models.reach import Trail, handlers
from understudy.models.store import MOST_BYTES, notes_of
from understudy.regular import read_regular
from understudy.version import __version__

_CHUNK: Final = 1 << 16
#: What to do about a full disk.
FREE: Final = "Free some space and pull again: it goes on where it broke off."
#: Bytes that make a try that broke off worth another one.
_WORTH_IT: Final = 1 << 14
#: Digits of a length that is believed.
_DIGITS: Final = 15
#: Longest reason of a server that is passed on.
_LONGEST: Final = 120
#: Most bytes of what is noted of a part.
_LONGEST_NOTES: Final = 10_000

#: Told of every piece: what is fetched, bytes so far, bytes in all where known.
FetchProgress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class FetchOptions:
    """How patient fetching is.

    Attributes:
        stall_seconds: A server that is silent for so long is given up.
        window_seconds, least_rate: So is one that sends fewer bytes a second, on the mean over such a window.
        tries: How often one place is tried, taken up again where it broke off; a try that brought something new
            does not count.
        pause_seconds: Before the second try; twice as long before each further one.
        most_bytes: No file of unknown size may be longer.
    """

    stall_seconds: float = 20.0
    window_seconds: float = 30.0
    least_rate: float = 2000.0
    tries: int = 3
    pause_seconds: float = 0.5
    most_bytes: int = MOST_BYTES


class Downloader:
    """Downloads files.

    Args:
        options: How patient.
        progress: Told of every piece.
        note: Told in words what goes wrong on the way.
    """

    def __init__(self, options: FetchOptions, progress: FetchProgress | None, note: Callable[[str], None]) -> None:
        self.options, self._progress, self._note = options, progress, note
        #: Addresses that led outside once: they do not begin inside when they are asked again.
        self._outside: set[str] = set()

    def download(self, url: str, part: Path, size: int | None, *, exact: bool) -> None:
        """Fetch ``url`` into ``part``, going on where it broke off.

        Args:
            url: Where from.
            part: Where to; what is there already is gone on with, if it can be.
            size: Bytes, where known.
            exact: Whether the whole file's digest is known: then what another place gave is gone on with, too.

        Raises:
            FetchError: the place does not give it.
            NoSpaceError: there is no room for it.
        """
        if size is not None and part.exists() and part.stat().st_size == size:
            return
        failures = 0
        while True:
            before = part.stat().st_size if part.exists() else 0
            try:
                self._once(url, part, size, exact=exact)
                return
            except _BrokeOff as fault:
                grown = (part.stat().st_size if part.exists() else 0) - before
                failures = 1 if grown > _WORTH_IT else failures + 1
                if failures >= self.options.tries:
                    raise FetchError(fault.args[0], "") from fault
                self._note(f"{host(url)}: {fault.args[0]}; going on")
                time.sleep(self.options.pause_seconds * 2 ** (failures - 1))

    def _once(self, url: str, part: Path, size: int | None, *, exact: bool) -> None:
        have, mark = _begun(part, url, exact=exact)
        headers = {"User-Agent": f"understudy/{__version__}", "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            if mark:
                headers["If-Range"] = mark
        try:
            request = urllib.request.Request(url, headers=headers)
            with closing(self._asked(request)) as answer:
                have = _where(answer, have)
                total = _length(answer, have)
                self._check_size(part, size, total, have)
                _remember(part, url, answer)
                self._receive(answer, part, have, total, self.most(size))
        except urllib.error.HTTPError as fault:
            fault.close()
            if fault.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                forget(part)
                raise _BrokeOff("the server does not go on where it broke off") from fault
            if fault.code >= http.client.INTERNAL_SERVER_ERROR or fault.code == http.client.TOO_MANY_REQUESTS:
                raise _BrokeOff(f"the server answers {fault.code}") from fault
            raise FetchError(f"the server answers {fault.code} {_short(fault.reason)}", "") from fault
        except (urllib.error.URLError, http.client.HTTPException, _ConnectionLostError, TimeoutError) as fault:
            reason = getattr(fault, "reason", None) or fault
            if isinstance(reason, TimeoutError):
                reason = "it is silent"
            raise _BrokeOff(_short(reason) or type(fault).__name__) from fault
        except ValueError as fault:  # what it says of itself, or of where to go on, can't be read
            if isinstance(fault, UnderstudyError):
                raise
            raise FetchError(f"its answer can't be read: {_short(fault)}", "") from fault

    def _open(self, request: urllib.request.Request) -> http.client.HTTPResponse | None:
        """The answer to a request, wherever it leads; None for a kind of address that is not fetched."""
        url, trail = request.full_url, Trail(outside=request.full_url in self._outside)
        opener = urllib.request.OpenerDirector()
        for handler in (
            *handlers(trail),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            Redirects(),
        ):
            opener.add_handler(handler)
        try:
            answer: http.client.HTTPResponse | None = opener.open(request, timeout=self.options.stall_seconds)
        finally:
            if trail.outside:
                self._outside.add(url)
        return answer

    def _asked(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """The answer to a request, once its head is there. A thread, because a head may come letter by letter."""
        answers: list[http.client.HTTPResponse | BaseException | None] = []
        given_up = threading.Event()

        def ask() -> None:
            try:
                answer = self._open(request)
                answers.append(answer)
                if given_up.is_set() and answer is not None:
                    answer.close()
            except BaseException as fault:  # noqa: BLE001 - raised where it was asked for
                answers.append(fault)

        asking = threading.Thread(target=ask, daemon=True, name="fetch")
        asking.start()
        asking.join(2 * self.options.stall_seconds)
        if not answers:
            given_up.set()
            raise TimeoutError
        answer = answers.pop()
        if isinstance(answer, BaseException):
            try:
                raise answer
            finally:
                del answer  # or it would hold itself, and its connection, until the next look for rubbish
        if answer is None:
            raise FetchError("addresses of this kind are not fetched", "")
        return answer

    def _receive(self, answer: http.client.HTTPResponse, part: Path, have: int, total: int | None, most: int) -> None:
        options = self.options
        since, bytes_then = time.monotonic(), have
        with part.open("r+b" if part.exists() else "wb") as file:
            file.truncate(have)
            file.seek(have)
            while chunk := _read(answer):
                have += len(chunk)
                if have > most:
                    raise FetchError(f"it sends more than the {most:,} bytes that there should be", "")
                file.write(chunk)
                if self._progress is not None:
                    self._progress(part.stem, have, total)
                now = time.monotonic()
                if now - since > options.window_seconds:
                    if have - bytes_then < options.least_rate * (now - since):
                        raise FetchError("it sends too slowly", "")
                    since, bytes_then = now, have
        if total is not None and have < total:
            raise _BrokeOff(f"it broke off after {have:,} of {total:,} bytes")

    def _check_size(self, part: Path, size: int | None, total: int | None, have: int) -> None:
        if size is not None and total is not None and total != size:
            raise FetchError(f"it offers {total:,} bytes instead of {size:,}", "")
        missing = (total or size or 0) - have
        if missing > self.most(size):
            raise FetchError(f"it offers {missing:,} bytes, more than any model has", "")
        if missing > shutil.disk_usage(part.parent).free:
            raise NoSpaceError(part, FREE)

    def most(self, size: int | None) -> int:
        """How many bytes a file may have."""
        return self.options.most_bytes if size is None else size


class _BrokeOff(Exception):  # noqa: N818 - no failure yet: it is tried again
    """A try ended early."""


class Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to http and https only, and never from the one that can't be listened in on to the other."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: object,
        newurl: str,
    ) -> urllib.request.Request | None:
        """See the base class. Raises FetchError where it must not follow."""
        old, new = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if new not in ("http", "https") or (old == "https" and new == "http"):
            fp.close()
            raise FetchError(f"it redirects to an address of another kind: {_short(new)}", "")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


class _ConnectionLostError(Exception):
    """Reading from the network failed: not from, or to, the disk."""


def _read(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read1(_CHUNK)
    except TimeoutError:
        raise
    except OSError as fault:
        raise _ConnectionLostError(str(fault)) from fault


def _short(reason: object) -> str:
    """A reason in one line, and no longer than one."""
    return " ".join(str(reason).split())[:_LONGEST]


def host(url: str) -> str:
    """Whose address it is, without names and passwords."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _begun(part: Path, url: str, *, exact: bool) -> tuple[int, str]:
    """How much is there of a file, and what its place calls that version of it.

    Where the digest is known any place may go on with it; where not, only the same place with the same version.
    """
    try:
        notes = json.loads(read_regular(notes_of(part), _LONGEST_NOTES))
        have = part.stat().st_size
    except (OSError, ValueError, RecursionError):
        return 0, ""
    if not isinstance(notes, dict):
        return 0, ""
    mark = str(notes.get("mark", ""))
    mark = mark if mark.isascii() and mark.isprintable() else ""
    if notes.get("url") == url and (mark or exact):
        return have, mark
    return (have, "") if exact else (0, "")


def _remember(part: Path, url: str, answer: http.client.HTTPResponse) -> None:
    tag = answer.headers.get("ETag", "")
    mark = tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")
    notes = notes_of(part)
    notes.unlink(missing_ok=True)  # whatever lies there is not written to
    with notes.open("x") as file:
        file.write(json.dumps({"url": url, "mark": mark}))


def forget(part: Path) -> None:
    """Remove a part and what is noted of it."""
    for path in (part, notes_of(part)):
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _where(answer: http.client.HTTPResponse, have: int) -> int:
    """At which byte the answer begins."""
    if answer.status != http.client.PARTIAL_CONTENT:
        return 0
    begins = (answer.headers.get("Content-Range") or "").removeprefix("bytes ").partition("-")[0]
    if begins != str(have):
        raise FetchError("it continues at another byte than the one asked for", "")
    return have


def _length(answer: http.client.HTTPResponse, have: int) -> int | None:
    """How long the whole file is, as the server says."""
    words = answer.headers.get("Content-Length") or ""
    return have + int(words) if words.isdecimal() and len(words) <= _DIGITS else None
