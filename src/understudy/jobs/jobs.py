"""Jobs as programs use them: written down and done; and, as ``JobList`` has it, looked at and changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from understudy import names
from understudy.casting.cast import made_with
from understudy.casting.person import People
from understudy.errors import UnderstudyError
from understudy.jobs.adding import Adding, cast_of
from understudy.jobs.job import Claim, Order
from understudy.jobs.joblist import JobList
from understudy.jobs.kept import KeptSegments, StoppedError
from understudy.jobs.runner import Runner, Told
from understudy.jobs.segmented import SegmentedSwap
from understudy.jobs.workshop import FramesOfAll, Workshop
from understudy.media.base import MediaKind
from understudy.media.files.encoders import check_encoder
from understudy.media.files.opening import check_suffix
from understudy.media.files.trimming import open_part
from understudy.provenance import ConsentClaim, Ledger
from understudy.provenance.records.consent_store import Consents
from understudy.release import file_digest
from understudy.resources import Resources
from understudy.settings import Settings
from understudy.settings.schema import changed
from understudy.tasks.opened import check_cast, check_lanes
from understudy.tasks.progress import Progress
from understudy.tasks.segments.edges import SegmentOptions
from understudy.tasks.swap import swap_file


class Jobs(JobList):
    """The jobs of one private folder. For several threads, and several processes at once.

    Args:
        resources: What is opened for them.
        people: Whose faces are known already.
        settings: How all is done that a job does not say otherwise.
        segments: How long clips are cut.
    """

    def __init__(
        self, resources: Resources, people: People, settings: Settings, segments: SegmentOptions | None = None
    ) -> None:
        super().__init__(resources.home)
        self._resources, self._people, self._settings = resources, people, settings
        self.segments = segments or SegmentOptions()

    def add(self, orders: Order | Sequence[Order], consent: ConsentClaim | None = None) -> list[int]:
        """Write jobs down, all or none: their numbers.

        What can be told beforehand is told now: a photo that nobody said may be used, a setting that there is not,
        an input that can't be read, an output of no known format.

        Args:
            orders: What is to be done.
            consent: On what ground the photos are used; None where records say so already.

        Raises:
            UsageError, InputError, ConsentError, OutputError: one of them can't be done as it is put.
        """
        adding = self._adding(consent)
        for order in [orders] if isinstance(orders, Order) else orders:
            adding.check(order)
        return adding.add()

    def add_each(
        self, orders: Sequence[Order], consent: ConsentClaim | None = None, among: Sequence[Sequence[int]] = ()
    ) -> tuple[list[int], list[tuple[int, UnderstudyError]]]:
        """Write down those jobs that can be done, and say what is wrong with the others.

        Args:
            orders: What is to be done. What one is to be done after, ``after``, are numbers of jobs that are there.
            consent: As of ``add``.
            among: Of each, those of ``orders``, by their places, that must be done before, in no circle. Where one of
                them can't be added, it isn't either.

        Returns:
            The numbers of those that were added, and of each other its place in ``orders`` and what is wrong.
        """
        adding = self._adding(consent)
        bad: dict[int, UnderstudyError] = {}
        for place, order in enumerate(orders):
            try:
                adding.check(order, among[place] if among else ())
            except UnderstudyError as fault:
                bad[place] = fault
        bad |= adding.without_what_they_need()
        numbers = adding.add(bad)
        return numbers, sorted(bad.items())

    def run(
        self,
        *,
        told: Told = lambda _: None,
        progress: Progress | None = None,
        until: Callable[[], bool] = lambda: False,
        wait: bool = False,
        cluster: str | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> int:
        """Do jobs until none is left that can go: how many were done. Others may run the same jobs at the same time.

        Args:
            told: Told of each job when it is begun and when it has ended.
            progress: Told about every frame.
            until: Asked between two jobs whether to end.
            wait: Whether to wait for jobs that are added later; it ends by ``until`` alone then.
            cluster: The address of a cluster of Ray that works their segments, or ``auto`` for the one that Ray finds;
                None for this process. ``told`` and ``progress`` are called from several threads then, and the frames of
                all jobs are counted together.
            say: Told what the user should know of a cluster's workers, in a line.

        Raises:
            RecordsError, NoSpaceError: the store can't be used, or a disk or the records failed a job as they would
                fail the others: it waits again.
            UsageError, RunError: there is no such cluster, or it has no worker.
        """
        if cluster is not None:
            return self._run_on(cluster, told, progress, until, say, wait=wait)

        def make(claim: Claim, signs: Progress) -> dict[str, Any]:
            def both(done: int, frames: int | None) -> None:
                signs(done, frames)
                if progress is not None:
                    progress(done, frames)

            return self._make(claim, both)

        def over() -> bool:
            with suppress(UnderstudyError):  # whose face may be used is asked for each job in any case
                self._people.keep_up()
            return until()

        return Runner(self._store, make, told).run(until=over, wait=wait)

    def _run_on(
        self,
        cluster: str,
        told: Told,
        progress: Progress | None,
        until: Callable[[], bool],
        say: Callable[[str], None],
        *,
        wait: bool,
    ) -> int:
        from understudy.jobs.cluster.head import Head  # Ray is imported only where it is asked for

        frames = FramesOfAll(progress)
        options = replace(self.segments, whole=True)

        def make(claim: Claim, signs: Progress, workshop: Workshop) -> dict[str, Any]:
            return self._make(claim, frames.of(claim.number, signs), workshop, options)

        return Head(self._store, self._resources.home, make, told=told, say=say).run(cluster, until=until, wait=wait)

    def _make(
        self,
        claim: Claim,
        progress: Progress,
        workshop: Workshop | None = None,
        options: SegmentOptions | None = None,
    ) -> dict[str, Any]:
        order = claim.order
        if claim.attempt > 1 and (finished := self._finished(claim)) is not None:
            return finished
        cast, settings = cast_of(order), self._settings_of(order)

        def written(identifier: str) -> None:
            if not self._store.note_output(claim, identifier):
                raise StoppedError

        in_segments = SegmentedSwap(
            cast,
            order,
            settings,
            claim.digests,
            KeptSegments(self._store, claim),
            resources=self._resources,
            people=self._people,
            options=options or self.segments,
            workshop=workshop,
            written=written,
        )
        if (report := in_segments(progress)) is not None:
            return report.as_json()
        return swap_file(
            cast,
            order.target,
            order.output,
            settings,
            resources=self._resources,
            people=self._people,
            overwrite=order.overwrite,
            progress=progress,
            written=written,
        ).as_json()

    def _adding(self, consent: ConsentClaim | None) -> Adding:
        consents = Consents(self._resources.home)
        known: dict[str, Settings] = {}

        def settings_of(order: Order) -> Settings:
            """Of many orders with the same settings they are made once."""
            key = repr(sorted(order.settings.items()))
            if key not in known:
                known[key] = self._settings_of(order)
            return known[key]

        def check(order: Order) -> None:
            cast, settings = cast_of(order), settings_of(order)
            check_cast(cast)
            self._resources.models.named.check(settings, made_with(cast, settings).engines)

        def check_target(order: Order) -> None:
            settings = settings_of(order)
            with open_part(order.target, settings.max_pixels, *settings.trim.edges) as source:
                check_suffix(order.output, source.info.kind)
                check_lanes(source.info, settings)
                moves = source.info.kind is not MediaKind.IMAGE
            if moves and settings.encode.encoder is not None:
                check_encoder(order.output.suffix.lower(), settings.encode.encoder)

        return Adding(self._store, consents, consent, check, check_target)

    def _finished(self, claim: Claim) -> dict[str, Any] | None:
        """What an earlier attempt wrote, if it came so far and was killed before it could say so; None if not.

        The ledger knows the file that has the output's name, by the id that the attempt noted before it was named:
        another file there may be made of the same inputs.
        """
        output, identifier = claim.order.output, self._store.output_of(claim.number)
        if identifier is None or not names.is_file(output):
            return None
        record = Ledger(self._resources.home).find_output(file_digest(output))
        if record is None or record.identifier != identifier:
            return None
        return {"output": str(output), "identifier": record.identifier, "notes": ["finished in an earlier attempt"]}

    def _settings_of(self, order: Order) -> Settings:
        return replace(changed(self._settings, order.settings), home=self._settings.home)
