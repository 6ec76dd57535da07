"""Keeps what is decided of the open clip, as it changes, and knows with what one can go on that is not open."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from understudy.casting.clip_person import ClipPerson
from understudy.errors import UnderstudyError, of_the_system
from understudy.provenance.records.home import Home
from understudy.provenance.records.kept_photos import EDITS
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.clips.edit_file import Decided
from understudy.server.studio.clips.kept_edits import Holding, KeptEdit, KeptEdits
from understudy.server.studio.live.card import Card

#: Seconds between two looks: what was decided since the last is what a kill takes.
_EVERY: Final = 1.0
#: Of so many looks one is also at what other studios have left.
_LOOK: Final = 5


class OpenEdit(NamedTuple):
    """What is to be kept of the clip that is open.

    Attributes:
        clip: Its file.
        name: What the user calls it.
        people: Who is in it; None while that is not known: what was kept stays as it is until then.
        cards: The faces that somebody gets.
        decided: What was decided.
        seconds: The frame that is looked at.
    """

    clip: Path
    name: str
    people: Iterable[ClipPerson] | None
    cards: Sequence[Card]
    decided: Decided
    seconds: float


class Keeper:
    """One for a studio. Whoever opens or closes a clip has ``busy`` meanwhile, and calls the methods with it.

    Args:
        home: The private folder.
        busy: See above.
        now: What is open, and decided of; None for nothing. Called with ``busy``.
        faulty: Told why it can't be kept.

    Attributes:
        others: With what one can go on.
    """

    def __init__(
        self,
        home: Home,
        busy: threading.Lock,
        now: Callable[[], OpenEdit | None],
        faulty: Callable[[Fault], object],
    ) -> None:
        self._busy, self._now, self._faulty = busy, now, faulty
        self._edits = KeptEdits(home.folder(*EDITS))
        self._holding: Holding | None = None
        #: What was decided when that was taken to go on with: until it is other, what is kept stays as it is.
        self._then: Decided | None = None
        #: Whether it was other since: from then on what is taken back is kept so, too.
        self._changed = False
        self._told = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self.others: tuple[KeptEdit, ...] = ()

    def begin(self) -> None:
        """Look what there is, and keep from now on."""
        self.look()
        self._thread.start()

    def look(self) -> None:
        """Look with what one can go on."""
        self.others = tuple(self._edits.all())

    def take(self, number: str) -> Holding:
        """Something to go on with, by its id: nobody else has it from now on.

        Raises:
            InputNotFoundError: it is gone, or another studio has it.
        """
        return self._edits.take(number)

    def hold(self, holding: Holding, decided: Decided) -> None:
        """What is open now is what was taken.

        Args:
            holding: That.
            decided: What is decided of it now.
        """
        self._holding, self._then, self._changed = holding, decided, False
        self.look()

    def put_away(self, *, forget: bool) -> None:
        """Nothing is open any more: forget what was kept of it, or leave it to be gone on with."""
        if not forget:
            self.keep()
        holding, self._holding, self._then, self._changed = self._holding, None, None, False
        if holding is not None and forget:
            holding.forget()
        elif holding is not None:
            holding.release()
        self.look()

    def forget(self, number: str) -> None:
        """Remove something with which one could go on."""
        self._edits.forget(number)
        self.look()

    def keep(self) -> None:
        """Have what holds now kept. What can't be is told, once.

        What was taken stays as it was until something else is decided: a face that was not to be had, or people who
        were found otherwise, take nothing of it.
        """
        try:
            now = self._now()
            if now is None and self._holding is not None and self._then is None:
                self.put_away(forget=True)
            if now is not None and now.people is not None and (self._changed or not _no_more(now.decided, self._then)):
                self._holding, self._changed = self._holding or self._edits.new(), True
                self._holding.keep(now.clip, now.name, now.people, now.cards, now.decided, now.seconds)
            self._told = ""
        except (UnderstudyError, OSError) as fault:
            own = fault if isinstance(fault, UnderstudyError) else of_the_system(fault) or fault
            said = fault_of(own)
            if said.text != self._told:
                self._told = said.text
                self._faulty(said)

    def close(self) -> None:
        """Keep what holds, and end."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._busy:
            self.keep()
            self.put_away(forget=False)

    def _run(self) -> None:
        looks = 0
        while not self._ended.wait(_EVERY):
            with self._busy:
                self.keep()
                looks += 1
                if self._holding is None and looks % _LOOK == 0:  # another studio may have opened or left something
                    self.look()


def _no_more(now: Decided, then: Decided | None) -> bool:
    """Whether nothing is decided that was not so then; who lost what they had did so by themselves."""
    if then is None:
        return False
    given = then.edit.given.items()
    return now.edit.given.items() <= given and now == replace(then, edit=replace(then.edit, given=now.edit.given))
