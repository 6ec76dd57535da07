"""``understudy models``: what there is for the neural engines, under what licence, and what of it is here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli import optimise
from understudy.cli.options import HomeOption, Json
from understudy.cli.terminal import answer, answer_json, bytes_bar, say, somebody_answers
from understudy.errors import LicenceError, ModelMissingError, UsageError

if TYPE_CHECKING:
    from understudy.models.entries import Entry
    from understudy.models.store import Store
    from understudy.models.variants import VariantPrecision, VariantState

app = typer.Typer(help="Models of the field for the neural engines: list, fetch, check, move, make quicker.")
app.command("optimise")(optimise.command)

Names = Annotated[list[str], typer.Argument(help="Models or bundles, as `models list` names them.")]
AnyNames = Annotated[list[str] | None, typer.Argument(help="Models or bundles. Default: all that are here.")]
Accept = Annotated[bool, typer.Option("--accept-licence", help="Accept the models' licences, without being asked.")]


@app.command("list")
def show(
    kind: Annotated[str | None, typer.Option("--kind", help="Only one kind, such as swapper or enhancer.")] = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """List the catalogue: every model's name, state on this machine, size, licence and what it is good for."""
    from understudy.models.entries import KINDS

    if kind is not None and kind not in KINDS:
        raise UsageError(f"there is no kind {kind!r} of model", f"There are {', '.join(KINDS)}.")
    models = store(home)
    catalogue = models.catalogue
    wanted = KINDS if kind is None else (kind,)
    if json:
        answer_json(
            {
                "models": [_as_json(models, entry) for each in wanted for entry in catalogue.of_kind(each)],
                "bundles": [bundle.model_dump(mode="json") for bundle in catalogue.bundles.values()],
            }
        )
        return
    for each in wanted:
        entries = catalogue.of_kind(each)
        if not entries:
            continue
        answer(f"{each}:")
        for entry in entries:
            state = models.state(entry)
            record = models.record(entry) if state == "there" else None
            size = entry.file.size if record is None else record.size
            answer(
                f"  {entry.name:26s} {'' if state == 'missing' else state:8s} {_size(size):>7s}  "
                f"commercial use: {catalogue.strictest(entry).commercial_use:7s}  {entry.title}"
            )
            for said in _variants(models, entry):
                answer(f"    {said}")
    if kind is None:
        answer("bundles:")
        for bundle in catalogue.bundles.values():
            answer(f"  {bundle.name:26s} {', '.join(bundle.models)}: {bundle.title}")


@app.command("pull")
def pull(names: Names, accept_licence: Accept = False, home: HomeOption = None, json: Json = False) -> None:
    """Fetch models and all that they need. What broke off is continued; a file of a wrong SHA-256 is refused."""
    from understudy.models.fetching import Fetcher

    models = store(home)
    entries = models.catalogue.resolved(names)
    ask_licences(models, entries, given=accept_licence)
    fetched = []
    with bytes_bar() as progress, Fetcher(models, progress=progress, note=say) as fetcher:
        for entry in entries:
            if fetcher.fetch(entry):
                fetched.append(entry)
                say(f"fetched {entry.name}{_trust(models, entry)}")
            else:
                say(f"{entry.name} is here already")
    if json:
        answer_json({"models": [_as_json(models, e) for e in entries], "fetched": [e.name for e in fetched]})


@app.command("verify")
def verify(names: AnyNames = None, home: HomeOption = None, json: Json = False) -> None:
    """Check every model file, and what was made of it, again: exit code 5 if one is altered or missing."""
    from understudy.models.variants import BITS, VARIANT_PRECISIONS, Variants

    models = store(home)
    entries = models.catalogue.resolved(names, needed=False) if names else _here(models)
    states = [(entry, models.verify(entry)) for entry in entries]
    made: dict[str, dict[VariantPrecision, VariantState]] = {
        entry.name: {one: Variants(models, one).verify(entry) for one in VARIANT_PRECISIONS} for entry in entries
    }
    if json:
        answer_json({"models": [_as_json(models, e, made[e.name]) | {"state": state} for e, state in states]})
    else:
        for entry, state in states:
            answer(f"{state:8s} {entry.name}{_trust(models, entry) if state == 'there' else ''}")
            for precision, found in made[entry.name].items():
                if found != "none":
                    answer(f"{found:8s} {entry.name}, in {BITS[precision]}")
        if not states:
            say("no model is here yet")
    for entry, state in states:
        if state == "altered":
            models.read(entry)  # says how
        if state != "there":
            raise ModelMissingError(entry.name)
        for precision, found in made[entry.name].items():
            if found == "altered":
                Variants(models, precision).read(entry)  # likewise


@app.command("import")
def take_in(
    path: Annotated[Path, typer.Argument(help="A file, a folder, or a zip archive such as buffalo_l.zip.")],
    accept_licence: Accept = False,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Add models that were fetched by hand: recognised by SHA-256 or by name, and checked as by pull."""
    from understudy.models.transfer import import_models

    models = store(home)
    done = import_models(models, path, lambda entry: ask_licences(models, [entry], given=accept_licence))
    if json:
        answer_json({"taken": list(done.models), "there": list(done.there), "left": dict(done.left)})
    for name in done.models:
        say(f"took in {name}{_trust(models, models.catalogue.entries[name])}")
    for name in done.there:
        say(f"{name} is here already")
    for place, reason in done.left:
        say(f"left alone: {place}: {reason}")
    if done.refused is not None:
        raise done.refused


@app.command("export")
def export(
    names: Names,
    output: Annotated[Path, typer.Option("--output", "-o", help="The archive: a .zip that `models import` takes.")],
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Write models, with all that they need, as one archive for a machine without a network."""
    from understudy.models.transfer import export_models

    models = store(home)
    entries = models.catalogue.resolved(names)
    export_models(models, entries, output)
    if json:
        answer_json({"output": str(output), "models": [entry.name for entry in entries]})
    for entry in entries:
        licence = models.catalogue.licence_of(entry)
        say(f"{entry.name}: {licence.name}: {licence.terms}")


@app.command("remove")
def remove(names: Names, home: HomeOption = None, json: Json = False) -> None:
    """Remove models from this machine; what they need stays."""
    models = store(home)
    entries = models.catalogue.resolved(names, needed=False)
    removed = [entry.name for entry in entries if models.remove(entry)]
    if json:
        answer_json({"removed": removed})
    for entry in entries:
        say(f"{'removed' if entry.name in removed else 'was not here:'} {entry.name}")
    if not removed:
        raise ModelMissingError(entries[0].name)


@app.command("where")
def where(
    name: Annotated[str | None, typer.Argument(help="A model. Default: the folder of all.")] = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """Say where models, or one model's file, are on this machine."""
    models = store(home)
    path = models.root
    if name is not None:
        if name in models.catalogue.bundles:
            raise UsageError(
                f"{name} is several models", f"Name one: {', '.join(models.catalogue.bundles[name].models)}."
            )
        (entry,) = models.catalogue.resolved([name], needed=False)
        path = models.path(entry)
        if models.state(entry) == "missing":
            raise ModelMissingError(entry.name)
    if json:
        answer_json({"path": str(path)})
    else:
        answer(str(path))


def store(home: Path | None) -> Store:
    """The store in the private folder."""
    from understudy.models.catalogue import OWN_FILE, Catalogue
    from understudy.models.store import FOLDER, Store
    from understudy.provenance.records.home import Home

    root = (Home.default() if home is None else Home(home)).root
    return Store(root / FOLDER, Catalogue.load(root / OWN_FILE))


def ask_licences(models: Store, entries: list[Entry], *, given: bool) -> None:
    """See to it that all terms have been accepted; those of one licence are asked about together.

    Raises:
        LicenceError: one has not, and nobody can be asked, or they said no.
    """
    for entry in entries:
        if models.accepted(entry):
            continue
        licence = models.catalogue.licence_of(entry)
        same = [other for other in entries if other.licence == entry.licence and not models.accepted(other)]
        named = ", ".join(other.name for other in same)
        say(f"{named}: {licence.name} ({licence.terms}); commercial use: {licence.commercial_use}")
        if licence.url:
            say(f"  {licence.url}")
        if not given:
            if not somebody_answers():
                raise LicenceError(
                    f"the licence of {entry.name} has not been accepted: {licence.name}, {licence.terms}",
                    "Read it, and add --accept-licence.",
                )
            if not typer.confirm("Do you accept it?", err=True):
                raise LicenceError(f"the licence of {entry.name} was not accepted", "Nothing was fetched under it.")
        models.accept(same)


def _here(models: Store) -> list[Entry]:
    return [entry for entry in models.catalogue.entries.values() if models.state(entry) in ("there", "altered")]


def _trust(models: Store, entry: Entry) -> str:
    """What is to be said where nobody knew beforehand what the file should be."""
    record = models.record(entry)
    if record is None or record.known:
        return ""
    return f" (its SHA-256 was not known before: {record.sha256}, recorded on {record.added[:10]})"


def _variants(models: Store, entry: Entry) -> list[str]:
    """What is to be said of a model's variants."""
    from understudy.models.variants import BITS, VARIANT_PRECISIONS, Variants, again

    whys = {"outdated": "was made of another file: it is not used", "altered": "is not what was made: it is not used"}
    said = []
    for precision in VARIANT_PRECISIONS:
        variants, bits = Variants(models, precision), f"in {BITS[precision]}"
        state, record = variants.state(entry), variants.record(entry)
        if state == "there" and record is not None:
            made = f"{_size(record.size)}, off by {record.error:.2%}, made on {record.made[:10]}"
            said.append(f"{bits}: {made}; {_where(entry, precision)}")
        elif state in whys:
            said.append(f"{bits}: {whys[state]} ({again(entry, precision)})")
    return said


def _where(entry: Entry, precision: VariantPrecision) -> str:
    """Whether a variant runs in its original's place here: by itself, or if it is asked for."""
    from understudy.models.devices import RuntimeOptions
    from understudy.models.openvino_runtime import EXTRA, OpenVino
    from understudy.models.places import PICTURES, Places
    from understudy.models.providers import OnnxRuntime

    # Of what makes no pictures only where it is asked for: what makes a swapper one person's.
    for wished in ("auto", precision) if entry.kind in PICTURES else (precision,):
        places = Places(RuntimeOptions(precision=wished), OnnxRuntime(), OpenVino())
        place = places.of(entry)[0]
        if precision in places.variants(place):
            asked = "" if wished == "auto" else f" with --precision {precision}"
            device = place.device if place.device != "cpu" else "the CPU"
            if wished == "auto" or place.program == "openvino":
                return f"runs in its place on {device}{asked}"
            return f"runs in its place{asked}, by itself once OpenVINO is here: {EXTRA}"
    return f"not used without OpenVINO: {EXTRA}"


def _as_json(
    models: Store, entry: Entry, states: Mapping[VariantPrecision, VariantState] | None = None
) -> dict[str, object]:
    from understudy.models.variants import VARIANT_PRECISIONS, Variants

    licence, record = models.catalogue.licence_of(entry), models.record(entry)
    values = entry.model_dump(mode="json", exclude_none=True) | {"licence": licence.model_dump(mode="json")}
    values["commercial_use"] = models.catalogue.strictest(entry).commercial_use
    values["state"] = models.state(entry)
    if record is not None:
        values["record"] = record.model_dump()
    made: dict[str, object] = {}
    for precision in VARIANT_PRECISIONS:
        variants = Variants(models, precision)
        state, found = (states or {}).get(precision) or variants.state(entry), variants.record(entry)
        if state != "none":
            made[precision] = {"state": state} | (found.model_dump(mode="json") if found is not None else {})
    if made:
        values["variants"] = made
    return values


def _size(size: int | None) -> str:
    if size is None:
        return "?"
    return f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
