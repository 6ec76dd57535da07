"""What all requests to the API share: what is opened once, who may do what, and what is kept of it."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from understudy.app import Understudy
from understudy.casting.cast import lanes_of, made_with
from understudy.casting.person import Person
from understudy.errors import InputError, ModelMissingError, RunError, UnderstudyError, UsageError
from understudy.jobs.job import ENDED, Job
from understudy.jobs.store import JobStore
from understudy.provenance import ConsentClaim, Consents
from understudy.provenance.records.consent import Photo as RecordedPhoto
from understudy.provenance.records.kept_open import KeptOpen
from understudy.resources.made_with import MESH
from understudy.server.access.audit import AuditLog
from understudy.server.access.quotas import Rate, Usage
from understudy.server.access.tokens import Token, Tokens
from understudy.server.api.shelf import DAY, NotHereError, Shelf, Thing
from understudy.server.receiving import LEFT_FREE
from understudy.server.webrtc.reach import Reach
from understudy.settings import Settings
from understudy.settings.schema import changed, schema

#: Settings that whoever orders may choose: how a result looks. What protects, what costs and where things are is the
#: server's own. Names of single settings, or of tables.
ORDERED: Final = (
    *("engine", "faces", "compare", "trim", "lanes", "mesh", "neural", "blend", "enhance", "encode"),
    *("label.text", "label.corner"),
)
#: Seconds between two looks for what is too old.
_TIDY: Final = 600.0


class StoppingError(RunError):
    """A swap that is to be removed still runs.

    Attributes:
        seconds: When to come back, in seconds from now.
    """

    seconds = 1

    def __init__(self) -> None:
        super().__init__("the swap is being stopped", f"Remove it again in {self.seconds} s or later.")


@dataclass(frozen=True)
class ServeOptions:
    """How the API serves.

    Attributes:
        keep_days: For how many days things are kept.
        runners: Processes that do the swaps beside the server; 0 where `understudy jobs run` does them elsewhere.
        live: How many live sessions there may be at a time; None for as many as this machine carries.
        reach: How this machine is reached by those who send or watch.

    Raises:
        UsageError: one of them is out of range.
    """

    keep_days: float = 7
    runners: int = 1
    live: int | None = None
    reach: Reach = field(default_factory=Reach)

    def __post_init__(self) -> None:
        if not 0 < self.keep_days <= 3660 or not 0 <= self.runners <= 64 or not 0 <= (self.live or 0) <= 64:
            raise UsageError(
                "days are above 0 and up to 3660, runners and live sessions 0 to 64", "Choose other numbers."
            )


@dataclass(eq=False)
class Service:
    """The server's own things. For several threads.

    Args:
        settings: How everything is done that an order does not say otherwise.
        options: How it serves.

    Attributes:
        app: What is opened.
        tokens, usage, rate, audit: Who may do what, how much, and what is kept of it.
        shelf: What users handed over and had made.
        overdue: Why things whose time is over are still there; empty if none are.
        ending: Set as soon as the server is to end: nothing that takes its time is begun any more, or goes on.
    """

    settings: Settings
    options: ServeOptions = field(default_factory=ServeOptions)

    def __post_init__(self) -> None:
        self.app = Understudy(self.settings)
        home = self.app.resources.home
        self._kept_open = KeptOpen()
        self._store = JobStore(home, self._kept_open)
        self.tokens, self.usage = Tokens(home, opened=self._kept_open), Usage(home, opened=self._kept_open)
        self.rate = Rate()
        self.audit = AuditLog(home, self.settings.keep_days)
        self.shelf = Shelf(home, self.options.keep_days, opened=self._kept_open)
        self.overdue = ""
        self.ending = threading.Event()
        self._over = threading.Event()
        self._tidier = threading.Thread(target=self._tidy, name="retention", daemon=True)

    def open(self) -> None:
        """Begin to remove what is too old."""
        self._tidier.start()

    def close(self) -> None:
        """Give all back."""
        self._over.set()
        if self._tidier.is_alive():
            self._tidier.join()
        self.app.close()
        self._kept_open.close()

    @property
    def full(self) -> str:
        """Why nothing is taken in, if the disk has no room for it; else empty."""
        left = shutil.disk_usage(self.shelf.home.root).free
        return "the disk is full, or nearly" if left < LEFT_FREE else ""

    def check_person(self, photos: Sequence[Path], claim: ConsentClaim) -> None:
        """Look at photos as a swap would: that there is a face, that it may be used. Consent is recorded.

        Raises:
            UsageError, InputError: a photo can't be used.
            ConsentError, ContentRefusedError: a face may not be used.
        """
        person, resources = Person(tuple(photos), consent=claim), self.app.resources
        content = resources.models.content(self.settings, "the photo", made_with(person, self.settings))
        trust, records = resources.trust(self.settings), Consents(resources.home)
        known = self.app.known
        *_, found = (known.allowed(person, use, self.settings, trust=trust, content=content) for use in claim.uses)
        for path, digest, portrait in zip(photos, found.digests, found.portraits, strict=True):
            records.own(RecordedPhoto.of(path, digest, portrait.picture), claim)

    def check_live(self, photos: Sequence[Path], settings: Settings) -> None:
        """Make sure that a face may be used live, before anybody waits for a picture of it.

        Raises:
            InputError: a photo can't be used.
            ConsentError, ContentRefusedError: the face may not be used.
        """
        person, resources = Person(tuple(photos)), self.app.resources
        content = resources.models.content(settings, "the photo", made_with(person, settings))
        self.app.known.allowed(person, "live", settings, trust=resources.trust(settings), content=content)

    def check_still_there(self, token: Token, person: str) -> None:
        """Make sure that a live session may go on.

        Args:
            token: With which it was begun.
            person: Id of the person who is shown.

        Raises:
            TokenError: the token was revoked, or its time is over.
            InputError: the person was removed, perhaps with a photo of theirs.
        """
        self.tokens.check(token)
        try:
            self.shelf.get(token.user, "person", person)
        except NotHereError as fault:  # a photo takes the person with it, and its consent may be missed first
            raise InputError(
                "the person or a photo was removed, or its time is over", "Begin again with somebody who is there."
            ) from fault

    def check_models(self, settings: Settings) -> None:
        """Make sure that the models that an order names are here, before it is counted.

        Raises:
            UsageError: one is not, or there is none by that name.
        """
        named = self.app.resources.models.named
        named.check(settings, [settings.engine])
        try:
            if settings.engine != MESH:
                named.check_engine_there(settings.engine)
            for each in (settings, *lanes_of(settings)):
                named.masks([each.blend.mask])
                if each.enhance.steps:
                    named.enhancers(each.enhance)
        except ModelMissingError as fault:
            raise UsageError(fault.message, "GET /api/v1/models says which are here: choose one of them.") from fault

    def job_of(self, swap: Thing) -> Job | None:
        """The job that does a swap; None if it was removed."""
        return self.jobs_of([swap])[0]

    def jobs_of(self, swaps: Sequence[Thing]) -> list[Job | None]:
        """The jobs that do swaps; None for each that was removed."""
        numbers = [swap.said.get("job") for swap in swaps]  # none where it is just being ordered
        found = self._store.several(int(number) for number in numbers if number is not None)
        return [None if number is None else found.get(int(number)) for number in numbers]

    def made(self, user: str, identifier: str) -> bool:
        """Whether a user's swap has made what has an id, of those that are still here."""
        jobs = self.jobs_of(self.shelf.all(user, "swap"))
        return any(job is not None and job.report.get("identifier") == identifier for job in jobs)

    def uses(self, user: str, thing: Thing) -> Thing | None:
        """A swap of the user's that is not done yet and needs a thing; None if there is none."""
        swaps = [one for one in self.shelf.all(user, "swap") if thing.id in one.said.get("needs", ())]
        for swap, job in zip(swaps, self.jobs_of(swaps), strict=True):
            if job is not None and job.state not in ENDED:
                return swap
        return None

    def forget_face(self, photo: Thing) -> None:
        """End what was said of a photo, and remove what is kept of that face unless another one's consent needs it.

        Raises:
            RecordsError: the records can't be changed, or not be read.
        """
        Consents(self.app.resources.home).end(self.shelf.path(photo).name)
        self.app.known.keep_up()

    def expires(self, swap: Thing, job: Job) -> float:
        """When a swap is removed, in Unix time: its time counts from its end, and while it has none it is kept."""
        ended = job.ended if job.state in ENDED else self.shelf.clock()
        return max(swap.expires, ended + self.shelf.days * DAY)

    def forget(self, swap: Thing) -> None:
        """Remove a swap, its job and its result.

        Raises:
            StoppingError: it is being done. It is given up, and can be removed once it has stopped.
        """
        job = self.job_of(swap)
        if job is not None:
            state = job.state
            if state not in ENDED:
                with suppress(UsageError):  # it has ended just now
                    state = self.app.jobs.cancel(job.number)
            if state == "running":
                raise StoppingError
            self.app.jobs.remove(job.number)
        self.shelf.remove(swap)

    def _tidy(self) -> None:
        while True:
            try:
                self.app.known.keep_up()
                self._remove_old()
                self.overdue = ""
            except UnderstudyError as fault:  # a full disk, a database that is busy: the next look tries again
                self.overdue = "what is too old can't be removed"
                sys.stderr.write(f"{self.overdue}: {fault.message}\n")  # for who runs the server: it may name places
            if self._over.wait(_TIDY):
                return

    def _remove_old(self) -> None:
        for path in self.shelf.strays():
            path.unlink(missing_ok=True)
        for thing in self.shelf.old():
            if thing.kind == "swap":
                job = self.job_of(thing)
                if job is None or self.expires(thing, job) <= self.shelf.clock():
                    with suppress(UsageError, StoppingError):  # somebody has it done again just now
                        self.forget(thing)
            elif self.uses(thing.user, thing) is None:
                if thing.kind == "photo":
                    self.forget_face(thing)
                self.shelf.remove(thing)


def may_be_ordered(name: str) -> bool:
    """Whether an order may say a setting."""
    known = schema().get(name)
    return known is not None and not known.is_path and any(name == own or name.startswith(f"{own}.") for own in ORDERED)


def ordered(settings: Settings, wanted: dict[str, Any]) -> dict[str, Any]:
    """The settings of an order, by full name, once they are found to be such as may be ordered.

    Raises:
        UsageError: there is no such setting, it may not be that, or it is the server's own.
    """
    for name in wanted:
        if name in schema() and not may_be_ordered(name):
            raise UsageError(f"{name} is the server's own setting", "GET /api/v1/settings says which may be ordered.")
    changed(settings, wanted)
    return wanted
