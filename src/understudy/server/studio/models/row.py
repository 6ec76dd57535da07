"""One model or bundle of the list: what it is for, its size and terms, what it costs, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from understudy.server.studio.controls import Button, Text, box, icon
from understudy.server.studio.models import words
from understudy.server.studio.models.desk import Item
from understudy.server.studio.notices import original
from understudy.server.texts import Texts

_STATES: Final = {"there": "models.there", "altered": "models.altered", "begun": "models.begun"}


class Actions(NamedTuple):
    """What can be done with a model.

    Attributes:
        get: Asks whether it is to be fetched, by its name.
        measure: Measures what it costs, by its name.
        remove: Asks whether it is to be removed.
    """

    get: Callable[[str], Any]
    measure: Callable[[str], Any]
    remove: Callable[[Item], Any]


class Bundled(NamedTuple):
    """Several models under one name.

    Attributes:
        name: What it is called.
        title: What it is good for.
        models: Their names.
        here: Whether all of them are.
        coming: Whether it is fetched, or waits for it.
    """

    name: str
    title: str
    models: Sequence[str]
    here: bool
    coming: bool


def stamp(item: Item) -> Hashable:
    """What changes when the row must."""
    return item.state, item.coming, item.size, item.cost, item.needed_by


def bundle_card(texts: Texts, one: Bundled, get: Callable[[str], Any]) -> None:
    """A bundle, put into the element that is open. ``get`` as of ``Actions``."""
    Text(one.name, "h3", classes="model-name")
    _title(texts, one.title)
    Text(", ".join(one.models), "p", classes="hint")
    if one.here:
        _state(texts("models.there"), "there")
    elif one.coming:
        Text(texts("models.fetched_now"), classes="hint")
    else:
        said = texts("models.get_named", name=one.name)
        Button(texts("models.get"), partial(get, one.name), picture="download", label=said)


def model_row(texts: Texts, item: Item, actions: Actions) -> None:
    """A model, likewise."""
    name = item.entry.name
    with box("model-words"):
        with box("model-top"):
            Text(name, "h4", classes="model-name")
            if item.state in _STATES and not item.coming:
                _state(texts(_STATES[item.state]), item.state)
        _title(texts, item.entry.title)
        with box("facts"):
            Text(words.size(texts, item.size))
            Text(texts("models.licence", name=item.licence.name))
            Text(words.commercial(texts, item.strictest))
            if item.entry.needs:
                Text(texts("models.needs", names=", ".join(item.entry.needs)))
        if item.state == "there":
            Text(words.cost(texts, item.cost), classes="hint")
        if item.state == "altered":
            Text(texts("models.altered_hint"), classes="hint")
    with box("model-buttons"):
        _buttons(texts, item, actions)


def _buttons(texts: Texts, item: Item, actions: Actions) -> None:
    name = item.entry.name
    if item.coming:
        Text(texts("models.fetched_now"), classes="hint")
        return
    if item.state == "there":
        said = texts("models.measure_named", name=name)
        Button(texts("models.measure"), partial(actions.measure, name), look="bare", picture="chart", label=said)
    if item.state in ("missing", "begun"):
        said = texts("models.get_named", name=name)
        word = texts("models.go_on" if item.state == "begun" else "models.get")
        Button(word, partial(actions.get, name), picture="download", label=said)
    if item.state != "missing":
        said = texts("models.remove_named", name=name)
        Button(texts("models.remove"), partial(actions.remove, item), look="bare", picture="trash", label=said)


def _title(texts: Texts, about: str) -> None:
    said, english = words.title(texts, about)
    if english:
        original(texts, said).classes(remove="detail", add="model-for")
    else:
        Text(said, classes="model-for")


def _state(said: str, look: str) -> None:
    with box(f"tag {look}"):
        icon("check" if look == "there" else "warning" if look == "altered" else "refresh")
        Text(said)
