"""``understudy models``: what can be fetched, under what licence, and how it is fed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.options import HomeOption, Json
from understudy.cli.terminal import answer, answer_json
from understudy.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from understudy.models.catalogue import Catalogue
    from understudy.models.entries import Entry

app = typer.Typer(help="Models of the field for the neural engines: what there is, and under what licence.")


@app.command("list")
def show(
    kind: Annotated[str | None, typer.Option("--kind", help="Only one kind, such as swapper or enhancer.")] = None,
    home: HomeOption = None,
    json: Json = False,
) -> None:
    """List the catalogue: every model's name, size, licence and what it is good for."""
    from understudy.models.entries import KINDS

    if kind is not None and kind not in KINDS:
        raise UsageError(f"there is no kind {kind!r} of model", f"There are {', '.join(KINDS)}.")
    catalogue = _catalogue(home)
    wanted = KINDS if kind is None else (kind,)
    if json:
        answer_json(
            {
                "models": [_as_json(catalogue, entry) for each in wanted for entry in catalogue.of_kind(each)],
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
            licence = catalogue.licence_of(entry)
            answer(
                f"  {entry.name:26s} {_size(entry.file.size):>8s}  commercial use: {licence.commercial_use:7s}  "
                f"{entry.title}"
            )
    if kind is None:
        answer("bundles:")
        for bundle in catalogue.bundles.values():
            answer(f"  {bundle.name:26s} {', '.join(bundle.models)}: {bundle.title}")


def _catalogue(home: Path | None) -> Catalogue:
    from understudy.models.catalogue import OWN_FILE, Catalogue
    from understudy.provenance.home import Home

    return Catalogue.load((Home.default() if home is None else Home(home)).root / OWN_FILE)


def _as_json(catalogue: Catalogue, entry: Entry) -> dict[str, object]:
    licence = catalogue.licence_of(entry)
    return entry.model_dump(mode="json", exclude_none=True) | {"licence": licence.model_dump(mode="json")}


def _size(size: int | None) -> str:
    return "?" if size is None else f"{size / 1e6:.0f} MB"
