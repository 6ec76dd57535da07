"""Takes up what was kept of an earlier run: its clip and photos become files of this one, its faces cards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from understudy.casting.roles import BLUR
from understudy.errors import InputError, NoSpaceError
from understudy.server.faults import Fault
from understudy.server.receiving import TooLargeError
from understudy.server.studio.clips.clip import Earlier
from understudy.server.studio.clips.edit_file import Decided, KeptPhoto
from understudy.server.studio.clips.kept_edits import Holding
from understudy.server.studio.live.card import SAMPLE
from understudy.server.studio.live.cards import Cards
from understudy.server.uploads import Uploads


class Found(NamedTuple):
    """A file that is to be opened.

    Attributes:
        path: Where it lies.
        name: What the user calls it.
        upload: Its number, if it was handed over.
        holding: What is kept of it, if that is gone on with.
        decided: What was decided then, with the faces' cards of this run.
        earlier: That, as the clip needs it.
        seconds: The frame that was looked at last.
    """

    path: Path
    name: str
    upload: str = ""
    holding: Holding | None = None
    decided: Decided | None = None
    earlier: Earlier | None = None
    seconds: float = 0.0


def gone_on(holding: Holding, uploads: Uploads, cards: Cards, faulty: Callable[[Fault], object]) -> Found:
    """Take up what is kept. Takes its time: faces are looked for in the photos.

    Args:
        holding: That. It is released if it can't be taken up.
        uploads: Where the files go.
        cards: Where the faces go; those that are there already, by their photos, are taken.
        faulty: Told that a face is not to be had any more: it is given to nobody then.

    Raises:
        UnderstudyError: it can't be read.
    """
    try:
        said = holding.read()
        here = {gets: gets for gets in (BLUR, *(card.id for card in cards.all()))}
        here |= {card: new for card, photos in said.faces.items() if (new := _card(photos, holding, uploads, cards))}
        edit = said.decided.edit
        given = {number: here[gets] for number, gets in edit.given.items() if gets in here}
        if len(given) < len(edit.given):
            faulty(Fault("fault.kept_face_gone"))
        upload = uploads.take_kept(holding.folder / said.file, said.clip, "target")
    except BaseException:
        holding.release()
        raise
    decided = replace(said.decided, edit=replace(edit, given=given))
    earlier = Earlier(decided.edit, said.strangers)
    return Found(upload.path, upload.name, upload.id, holding, decided, earlier, said.seconds)


def _card(photos: Sequence[KeptPhoto], holding: Holding, uploads: Uploads, cards: Cards) -> str:
    """The card of a face: one that has its photos already, or a new one; empty if none of them can be used."""
    others = [card for card in cards.all() if card.id != SAMPLE]
    numbers: Mapping[str, str] = {photo.photo.digest: card.id for card in others for photo in card.photos}
    card = next((numbers[kept.photo.digest] for kept in photos if kept.photo.digest in numbers), "")
    for kept in photos:
        if kept.photo.digest not in numbers and (holding.folder / kept.file).is_file():
            try:
                number = uploads.take_kept(holding.folder / kept.file, kept.photo.name, "photo").id
                if card:
                    cards.add_to(card, number)
                else:
                    card = cards.add(number).id
            except (NoSpaceError, TooLargeError):
                raise
            except InputError:
                continue  # it can't be read, or no face is in it: that is told where it is the only one
    return card
