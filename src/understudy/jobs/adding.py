"""What is looked at before jobs are written down: all that can be told beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from understudy import names
from understudy.casting.cast import PartList, photos_of
from understudy.casting.cast_file import read_cast
from understudy.casting.person import Person
from understudy.errors import UnderstudyError, UsageError
from understudy.jobs.job import TO_BE_MADE, Order, Undone
from understudy.jobs.shared_files import SharedFiles
from understudy.jobs.store import JobStore
from understudy.media.files.opening import check_input, check_names, check_suffix
from understudy.names import RealNames
from understudy.provenance import ConsentClaim
from understudy.provenance.records.consent_store import Consents
from understudy.settings.schema import with_full_paths


@dataclass
class _Good:
    """A job that can be added.

    Attributes:
        order: What it is to do.
        digests: SHA-256 of its inputs, by path; ``TO_BE_MADE`` for what another job makes.
        before: The places of those, of the jobs that are added with it, that must be done before.
        output: The real name of what it writes.
        reads: What it reads of what is there now: real names, and as the user calls them.
    """

    order: Order
    digests: dict[str, str]
    before: set[int]
    output: Path
    reads: dict[Path, Path]


class Adding:
    """Several jobs on their way into the store. Photos and settings that they share are looked at once.

    Args:
        store: Where they are written down.
        consents: What may be used.
        claim: On what ground photos are used of which no record says it; None if none may be.
        check_settings: Raises what is wrong with an order's settings.
        check_target: Raises what is wrong with them, and with the output, for what the target is.
    """

    def __init__(
        self,
        store: JobStore,
        consents: Consents,
        claim: ConsentClaim | None,
        check_settings: Callable[[Order], object],
        check_target: Callable[[Order], object],
    ) -> None:
        self._store, self._check_settings, self._check_target = store, check_settings, check_target
        self._files = SharedFiles(consents, claim)
        self._good: dict[int, _Good] = {}
        self._real = RealNames()
        #: Which of them writes a file, by real names.
        self._outputs: dict[Path, int] = {}
        #: What they are made of, as it is now: real names, and as the user calls them.
        self._read: dict[Path, Path] = {}
        self._settings: set[str] = set()
        #: Numbers of jobs that are there.
        self._numbers: set[int] = set()
        self._names: list[str] = []

    def check(self, order: Order, among: Iterable[int] = ()) -> None:
        """Look at one more job, and keep it if it can be done as it is put.

        Args:
            order: What it is to do.
            among: Which of the jobs that are looked at, counted from 0, must be done before.

        Raises:
            UsageError, InputError, ConsentError, OutputError: it can't be done.
        """
        place, before = len(self._names), set(among)
        self._names.append(order.target.name)
        order = _whole(order)
        self._check_once(order)
        for number in order.after:
            self._check_number(number)
        check_suffix(order.output, None)
        check_names(order.output, overwrite=order.overwrite)
        digests = {}
        maker = self._maker(order, before)
        if maker is None:
            check_input(order.target, "target")
            digests[str(order.target)] = self._files.digest(order.target)
            self._check_target(order)
        else:
            digests[str(order.target)] = TO_BE_MADE
            if maker < 0:
                order = replace(order, after=tuple(dict.fromkeys([*order.after, -maker])))
            else:
                before.add(maker)
        self._check_no_circle(place, before)
        cast = cast_of(order)
        for photo in photos_of(cast):
            self._files.allow(photo)
        for path in [*photos_of(cast), *([] if order.cast is None else [order.cast])]:
            digests[str(path)] = self._files.digest(path)
        read = [Path(path) for path, digest in digests.items() if digest != TO_BE_MADE]
        good = _Good(order, digests, before, self._real(order.output), {self._real(path): path for path in read})
        self._check_among_them(good)
        self._check_beside(good, self._before)
        self._outputs[good.output] = place
        self._read |= good.reads
        self._good[place] = good

    def without_what_they_need(self) -> dict[int, UnderstudyError]:
        """Leave out those that are to come after one that can't be added: what is wrong, by their places."""
        bad: dict[int, UnderstudyError] = {}
        while left_out := {
            place: missing for place, one in self._good.items() for missing in one.before if missing not in self._good
        }:
            for place, missing in left_out.items():
                del self._good[place]
                first = self._names[missing]
                bad[place] = UsageError(f"it is to come after {first}, which can't be added", "Mend that one first.")
        return bad

    def add(self, refused: dict[int, UnderstudyError] | None = None) -> list[int]:
        """Write down those that were kept: their numbers.

        Args:
            refused: Gets what is wrong with those, by their places, that do not go with what somebody else has just
                added; the others are written down. Without it none is.

        Raises:
            UsageError: one does not go with what somebody else has just added, and ``refused`` is None.
        """
        clashing: dict[int, UnderstudyError] = {}

        def check(newer: Sequence[Undone]) -> None:
            before = _Before(newer, self._real)
            for place, one in self._good.items():
                try:
                    self._check_beside(one, before)
                except UsageError as fault:
                    clashing[place] = fault
            if clashing:
                raise next(iter(clashing.values()))

        while True:
            places, wanted = {place: index for index, place in enumerate(self._good)}, list(self._good.values())
            try:
                return self._store.add(
                    [(one.order, one.digests) for one in wanted],
                    [[places[place] for place in one.before] for one in wanted],
                    known=self._undone,
                    check=check,
                )
            except UsageError:
                if refused is None or not clashing:
                    raise
            for place in clashing:
                del self._good[place]
            refused |= clashing | self.without_what_they_need()
            clashing.clear()

    def _check_once(self, order: Order) -> None:
        """Check settings, and a cast's, that no other of the jobs has."""
        key = repr((order.cast, sorted(order.settings.items())))
        if key not in self._settings:
            self._check_settings(order)
            self._settings.add(key)

    def _check_among_them(self, good: _Good) -> None:
        """Make sure that none of the jobs that are added with it writes what this one writes or reads.

        Raises:
            UsageError: one does.
        """
        if good.output in self._outputs:
            raise UsageError(f"two jobs would write {good.order.output}", "Name another output for one of them.")
        lost = good.reads.get(good.output) or self._read.get(good.output)
        if lost is None:
            lost = min((given for real, given in good.reads.items() if real in self._outputs), default=None)
        if lost is not None:
            raise UsageError(f"a job would write over {lost}, which is read", "Name another output for it.")

    def _check_beside(self, good: _Good, before: _Before) -> None:
        """Make sure that none of the jobs that were added before writes what this one writes or reads.

        Raises:
            UsageError: one does, or reads what this one writes, which does not come after it.
        """
        order = good.order
        if number := before.writes.get(good.output):
            raise UsageError(
                f"job {number} is to write {order.output}",
                f"Name another output, or give that one up: understudy jobs cancel {number}",
            )
        for number in before.reads.get(good.output, ()):
            if number not in order.after:
                raise UsageError(
                    f"it would write over {order.output}, which job {number} reads",
                    f"Name another output, or let it come after that one: --after {number}",
                )
        for path in sorted(good.reads.keys() & before.writes.keys()):
            number, given = before.writes[path], good.reads[path]
            later = f"let it come after that one: --after {number}" if given == order.target else "wait for that one"
            raise UsageError(
                f"job {number} is to write over {given}, which is read", f"Name a copy of the file, or {later}."
            )

    @cached_property
    def _undone(self) -> list[Undone]:
        return self._store.undone()

    @cached_property
    def _before(self) -> _Before:
        """What jobs that were added before are about."""
        return _Before(self._undone, self._real)

    def _check_number(self, number: int) -> None:
        if number not in self._numbers:
            self._store.job(number)
            self._numbers.add(number)

    def _maker(self, order: Order, before: set[int]) -> int | None:
        """Who makes an order's target: a place among these, a number of the store below zero, or None.

        What is there is taken as it is, but where a job that is to be done before writes it anew.
        """
        target = self._real(order.target)
        made, there = self._outputs.get(target), names.exists(order.target)
        if made is not None and (made in before or not there):
            return made
        if there and not order.after:
            return None
        found = [one for one in self._before.makers.get(target, ()) if not there or one in order.after]
        return -found[-1] if found else None

    def _check_no_circle(self, place: int, before: set[int]) -> None:
        """Make sure that none of those that are to be done before a job waits for it.

        Raises:
            UsageError: one does.
        """
        left, seen = [*before], set(before)
        while left:
            one = left.pop()
            if one == place:
                raise UsageError("it needs what is to be done after it", "Take one of the two away.")
            further = self._good[one].before - seen if one in self._good else set()
            seen |= further
            left += further


class _Before:
    """What jobs that were added before are about, by files' real names.

    Args:
        jobs: Those that are neither done nor cancelled.
        real: Gives real names.

    Attributes:
        makers: The numbers of those that write a file, also of such as have failed.
        writes: The number of the one that is to write it.
        reads: The numbers of those that are to read it.
    """

    def __init__(self, jobs: Iterable[Undone], real: RealNames) -> None:
        self.makers: dict[Path, list[int]] = {}
        self.writes: dict[Path, int] = {}
        self.reads: dict[Path, list[int]] = {}
        for job in jobs:
            output = real(job.output)
            self.makers.setdefault(output, []).append(job.number)
            if not job.failed:
                self.writes[output] = job.number
                for path in job.inputs:
                    self.reads.setdefault(real(path), []).append(job.number)


def cast_of(order: Order) -> Person | PartList:
    """Who gets whose face.

    Raises:
        UsageError, InputError: its cast file can't be used.
    """
    return Person(tuple(order.photos)) if order.cast is None else read_cast(order.cast)


def _whole(order: Order) -> Order:
    """The order with paths in full: it may be done from another folder."""
    return replace(
        order,
        target=order.target.absolute(),
        output=order.output.absolute(),
        photos=tuple(photo.absolute() for photo in order.photos),
        cast=None if order.cast is None else order.cast.absolute(),
        settings=with_full_paths(order.settings, Path()),
    )
