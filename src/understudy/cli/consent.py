"""``understudy consent``: grant, list, revoke, form - and the question that ``swap`` asks on a terminal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from understudy import names
from understudy.cli.options import HomeOption, Json
from understudy.cli.terminal import answer, answer_json, answer_text, say, somebody_answers
from understudy.errors import ConsentError, NotMediaError, UnderstudyError

if TYPE_CHECKING:
    from understudy.provenance.records.consent import ConsentClaim, Ground, Photo, Use
    from understudy.provenance.records.consent_store import Consents

ConsentOption = Annotated[
    str | None,
    typer.Option(
        "--consent",
        help="On what ground the photos are used: self (your own face), granted (by the person; needs --consent-note), "
        "fictional (nobody real) or sample (comes with this program).",
    ),
]
ConsentNote = Annotated[
    str, typer.Option("--consent-note", help="With --consent granted: how the person gave consent.")
]
Photos = Annotated[list[Path], typer.Argument(help="Photos of one person.")]

app = typer.Typer(help="Consent records: whose photo may be used, on what ground, for what, until when.")


@app.command("grant")
def grant(
    photos: Photos,
    ground: Annotated[str, typer.Option("--ground", help="On what ground: self, granted, fictional or sample.")],
    note: Annotated[str, typer.Option("--note", help="With --ground granted: how the person gave consent.")] = "",
    uses: Annotated[
        str,
        typer.Option(
            "--for",
            help="What the photos may be used for: image, video, live (recordings of it, too), separated by commas.",
        ),
    ] = "image,video,live",
    days: Annotated[int, typer.Option("--days", help="For how many days.")] = 365,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Record consent for photos, so that commands need not ask."""
    from understudy.provenance.records.consent import GROUNDS, ConsentClaim

    wanted = tuple(cast("Use", use.strip()) for use in uses.split(",") if use.strip())
    claim = ConsentClaim(cast("Ground", ground), note, wanted, days)
    known = [photo_of(path) for path in photos]
    records = [consents(home).grant(photo, claim) for photo in known]
    if json:
        answer_json({"consents": [asdict(record) for record in records]})
        return
    say(f"recorded: {GROUNDS[claim.ground]}")
    for record in records:
        say(f"{record.id}  {record.name}: {', '.join(record.uses)}, until {record.expires[:10]}")


@app.command("list")
def show(home: HomeOption = None, json: Json = False) -> None:
    """List the consent records."""
    kept = consents(home)
    records, unreadable = kept.all(), kept.unreadable()
    if json:
        told = [asdict(record) | {"state": record.state} for record in records]
        answer_json({"consents": told, "unreadable": [{"id": one.id, "reason": one.reason} for one in unreadable]})
        return
    for record in records:
        note = f" ({record.note})" if record.note else ""
        answer(
            f"{record.id}  {record.state:8s} {record.name}  {record.ground}{note}  {', '.join(record.uses)}  "
            f"{record.given[:10]} to {record.expires[:10]}"
        )
    for one in unreadable:
        answer(f"{one.id}  unreadable  {one.reason}; it allows nothing. To settle it: consent revoke {one.id}")
    if not records and not unreadable:
        say("no consent was recorded yet")


@app.command("revoke")
def revoke(
    which: Annotated[str, typer.Argument(help="A record's id, the photo's SHA-256, or the photo itself.")],
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Revoke consent, and remove what is kept of that face."""
    path = Path(which)
    photo = photo_of(path) if names.is_file(path) else None
    records = consents(home).revoke(which, photo)
    if json:
        answer_json({"consents": [asdict(record) for record in records]})
        return
    if not records:
        say(f"{which}: removed, for nothing in it could be read")
    for record in records:
        say(f"{record.id}  {record.name}: revoked, and what was learned of that face removed")


@app.command("form")
def form() -> None:
    """Print a form for consent in writing."""
    from understudy.provenance.records.consent_form import written_form

    answer_text(written_form(dt.datetime.now(dt.timezone.utc).date()))


def consents(home: Path | None) -> Consents:
    """The records in a private folder."""
    from understudy.provenance.records.consent_store import Consents
    from understudy.provenance.records.home import Home

    return Consents(Home.default() if home is None else Home(home))


def photo_of(path: Path) -> Photo:
    """The photo in a file.

    Raises:
        InputError: there is none.
    """
    from understudy.media.base import MAX_PIXELS
    from understudy.media.files import load_photo
    from understudy.media.files.opening import check_input
    from understudy.provenance.records.consent import Photo
    from understudy.release import input_digest

    check_input(path, "photo")
    picture = load_photo(path, MAX_PIXELS)
    if picture is None:
        raise NotMediaError(f"{path.name} is not a photo", "Name a picture (jpg, png, webp…), or export it as JPEG.")
    return Photo.of(path, input_digest(path), picture)


def is_photo(path: Path) -> bool:
    """Whether a photo can be read from a file."""
    try:
        photo_of(path)
    except UnderstudyError:
        return False
    return True


def claim_of(ground: str | None, note: str) -> ConsentClaim | None:
    """What the options claim; None for nothing."""
    from understudy.provenance.records.consent import ConsentClaim

    return None if ground is None else ConsentClaim(cast("Ground", ground), note)


def ask(photos: Sequence[Path], home: Path | None) -> ConsentClaim | None:
    """Ask whoever sits at the terminal, in plain words, about photos without a record; None where nobody does.

    Raises:
        ConsentError: the answer was no.
    """
    from understudy.provenance.records.consent import GROUNDS, ConsentClaim

    if not somebody_answers():
        return None
    valid = [record for record in consents(home).all() if record.state == "valid"]
    unknown = [path for path in photos if not any(photo_of(path).is_copy_of(record) for record in valid)]
    if not unknown:
        return None
    say(f"Whose face is in {', '.join(path.name for path in unknown)}?")
    grounds: list[Ground] = ["self", "granted", "fictional"]
    for number, ground in enumerate(grounds, 1):
        say(f"  {number}  {GROUNDS[ground]}")
    say("  0  None of these.")
    chosen = typer.prompt("Number", type=int, default=0, err=True)
    if not 1 <= chosen <= len(grounds):
        raise ConsentError("without consent the photo is not used", "`understudy consent form` prints a form to sign.")
    ground = grounds[chosen - 1]
    return ConsentClaim(ground, typer.prompt("How was it given", err=True) if ground == "granted" else "")
