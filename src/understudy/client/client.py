"""The client that waits for the server's answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import httpx

from understudy.client import asking
from understudy.client.asking import EVERY, PIECE, ApiError, Ask, Ground
from understudy.errors import UnderstudyError

if TYPE_CHECKING:
    from understudy.client.live import Live


class Client:
    """An Understudy server, asked with one token. A context manager.

    Args:
        address: Of the server, such as ``https://swaps.example.org:8770``.
        token: Its secret, as ``understudy token add`` printed it.
        seconds: How long an answer may take to begin, and how long it is tried again to watch or remove a swap.
        verify: Whether the server's certificate is checked; or a file with certificates that are trusted.

    Raises:
        UsageError: that is no address, no token, or no file with certificates.
    """

    def __init__(self, address: str, token: str, *, seconds: float = 60.0, verify: bool | str = True) -> None:
        self._base, self._headers = asking.base(address), asking.headers(token)
        self._seconds, self._trusted = seconds, asking.trusted(verify)
        self._line = httpx.Client(base_url=self._base, headers=self._headers, timeout=seconds, verify=self._trusted)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def me(self) -> dict[str, Any]:
        """What the token is for, how much its user may do, and did today."""
        return dict(self._ask(Ask("GET", "/me")))

    def models(self) -> list[dict[str, Any]]:
        """Models that the server knows, and which of them it has."""
        return list(self._ask(Ask("GET", "/models")))

    def settings(self) -> dict[str, Any]:
        """Settings that a swap may say otherwise, by name."""
        return dict(self._ask(Ask("GET", "/settings")))

    def add_person(
        self,
        photos: str | PathLike[str] | Sequence[str | PathLike[str]],
        *,
        ground: Ground,
        note: str = "",
        name: str = "",
        uses: Sequence[Literal["image", "video", "live"]] = ("image", "video"),
        days: int = 365,
    ) -> dict[str, Any]:
        """Hand photos of one person over, and say who consented to their use.

        Args:
            photos: Files; or one.
            ground: On what ground they may be used.
            note: How the person gave consent; needed with ``granted``.
            name: What to call the person.
            uses: What they may be used for.
            days: For how long.

        Raises:
            ApiError: there is no face on one of them, or it may not be used.
        """
        files = [photos] if isinstance(photos, (str, PathLike)) else photos
        ids: list[str] = []
        try:
            for photo in files:
                ids.append(str((self._ask(asking.hand_over(photo, "photos")))["id"]))
            return dict(self._ask(asking.add_person(ids, name, ground, note, uses, days)))
        except UnderstudyError:  # nothing of them stays on the server that nobody knows of
            for number in ids:
                with suppress(UnderstudyError):
                    self._ask(Ask("DELETE", f"/photos/{number}"))
            raise

    def people(self) -> list[dict[str, Any]]:
        """Whose faces may be used."""
        return list(self._ask(Ask("GET", "/people")))

    def hand_over(self, path: str | PathLike[str]) -> dict[str, Any]:
        """Hand a picture or clip over.

        Raises:
            UsageError: there is no such file.
            InputUnreadableError: it can't be read.
            InputError: it became shorter while it was read.
            ApiError: it is no picture or clip.
        """
        return dict(self._ask(asking.hand_over(path, "media")))

    def who_is_there(self, media: str) -> list[dict[str, Any]]:
        """Have somebody look who is in a clip, and wait for it: number, share of the time, first and last seconds.

        Meanwhile the line may break, and the server be started anew, as in ``watch``.

        Raises:
            ApiError: nobody could, or nothing is heard of it any more.
        """
        look = Ask("POST", f"/media/{media}/people")
        self._ask(look)
        while True:
            try:
                said = self._ask_again(Ask("GET", f"/media/{media}/people"), asking.is_away)
            except ApiError as fault:
                if not asking.is_forgotten(fault):
                    raise
                said = self._ask_again(look, asking.is_away)
            if said["state"] != "looking":
                break
            time.sleep(EVERY)
        if said["state"] == "failed":
            raise ApiError(said["error"], said["hint"], 200)
        return list(said["people"])

    def swap(
        self,
        target: str,
        person: str | None = None,
        *,
        cast: Sequence[Mapping[str, Any]] | None = None,
        others: Literal["blur", "leave"] = "leave",
        format: str | None = None,  # noqa: A002 - as the API calls it
        settings: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Order a swap. It is done in its turn: see ``wait``.

        Args:
            target: Id of a picture or clip.
            person: Id of whose face; or say with ``cast`` who gets whose.
            cast: ``{"who": 1, "person": id}`` or ``{"who": 2, "do": "blur"}``, by the numbers of ``who_is_there``.
            others: What happens to people whom ``cast`` leaves out.
            format: ``mp4``, ``png``…; by itself the target's kind decides.
            settings: By full name, such as ``blend.strength``.

        Raises:
            ApiError: it can't be done as it is put, or the day's quota is used up.
        """
        return dict(self._ask(asking.swap(target, person, cast, others, format, settings)))

    def swaps(self) -> list[dict[str, Any]]:
        """All swaps of the token's user, the oldest first."""
        return list(self._ask(Ask("GET", "/swaps")))

    def change(self, swap: str, what: Literal["pause", "resume", "cancel", "retry"]) -> dict[str, Any]:
        """Pause a swap, let it go on, give it up, or have it done after all."""
        return dict(self._ask(Ask("POST", f"/swaps/{swap}/{what}")))

    def watch(self, swap: str) -> Iterator[dict[str, Any]]:
        """How far a swap is, whenever that changed, until it ended.

        If the line breaks meanwhile, the server is started anew, or it wants to be asked later, the client comes back,
        for as many seconds as it waits for anything.

        Raises:
            ApiError: it failed, somebody gave it up, or nothing is heard of it any more.
        """
        said: dict[str, Any] = {}
        while True:
            found = dict(self._ask_again(Ask("GET", f"/swaps/{swap}"), asking.is_away))
            if found != said:
                said = found
                yield said
            if asking.ended(said):
                return
            time.sleep(EVERY)

    def wait(self, swap: str) -> dict[str, Any]:
        """Wait for a swap, as ``watch``: what it says when it is done.

        Raises:
            ApiError: it failed, somebody gave it up, or nothing is heard of it any more.
        """
        last: dict[str, Any] = {}
        for said in self.watch(swap):
            last = said
        return last

    def fetch(self, swap: str, path: str | PathLike[str]) -> Path:
        """Fetch what a swap made, to a file that is not there yet, and is there only when all of it is.

        Raises:
            OutputExistsError: it is there.
            OutputError, NoSpaceError: it can't be written.
            ApiError: the swap is not done.
        """
        return self._fetch(f"/swaps/{swap}/result", path)

    def fetch_credentials(self, swap: str, path: str | PathLike[str]) -> Path:
        """Fetch the signed Content Credentials of a result whose format can't hold them (mkv, webm).

        Args:
            swap: Id of the swap.
            path: The result's own name with ``.c2pa`` after it: there they are found.

        Raises:
            OutputExistsError, OutputError, NoSpaceError: as ``fetch``.
            ApiError: the swap is not done, or its result holds them itself.
        """
        return self._fetch(f"/swaps/{swap}/credentials", path)

    def live(self, person: str, *, settings: Mapping[str, Any] | None = None) -> Live:
        """Begin a live session: pictures in, labelled pictures out, as they come.

        Args:
            person: Id of whose face; of one that may be used ``live``.
            settings: By full name, such as ``blend.strength``.

        Raises:
            UsageError: the package ``websockets`` is not installed.
            ApiError: the server opens none. What is wrong with the person or the settings is told with the first
                picture that is waited for.
        """
        with asking.needs_websockets():
            from understudy.client import sockets
            from understudy.client.live import Live
        opening = sockets.opening(self._base, self._headers, person, settings)
        return Live.begin(opening, sockets.trust(opening.address, self._trusted), self._seconds)

    def inspect(self, path: str | PathLike[str]) -> dict[str, Any]:
        """Have a file looked at: what is known of where it comes from. The server does not keep it."""
        return dict(self._ask(asking.inspect(path)))

    def remove(self, kind: Literal["photos", "people", "media", "swaps"], number: str) -> None:
        """Remove something; a swap that is not done is given up first, which takes some seconds where it runs.

        Raises:
            ApiError: there is no such thing, a swap needs it, or one that runs does not stop.
        """
        self._ask_again(Ask("DELETE", f"/{kind}/{number}"), asking.is_stopping)

    def _fetch(self, address: str, path: str | PathLike[str]) -> Path:
        with asking.fetched(path) as file, asking.reached():  # noqa: SIM117 - with ``await`` they can't be one
            with self._line.stream("GET", address) as answer:
                if answer.status_code != 200:
                    asking.answered(answer.status_code, answer.headers, answer.read())
                for piece in answer.iter_bytes(PIECE):
                    file.write(piece)
        return Path(path)

    def _ask_again(self, ask: Ask, again: Callable[[ApiError], bool]) -> Any:  # noqa: ANN401 - whatever JSON holds
        patience = asking.Patience(self._seconds)
        while True:
            try:
                return self._ask(ask)
            except ApiError as fault:
                if not again(fault):
                    raise
                pause = patience.pause(fault)
            time.sleep(pause)

    def _ask(self, ask: Ask) -> Any:  # noqa: ANN401 - whatever JSON holds
        content = None if ask.file is None else _pieces(ask.file, ask.bytes)
        with asking.reached():
            answer = self._line.request(
                ask.method, ask.path, params=dict(ask.query), json=ask.json, content=content, headers=ask.headers
            )
        return asking.answered(answer.status_code, answer.headers, answer.content)


def _pieces(path: Path, left: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while left:
            piece = file.read(min(left, PIECE))
            if not piece:
                raise asking.became_shorter(path)
            left -= len(piece)
            yield piece
