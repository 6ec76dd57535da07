"""What the steps of an enhancement name: whether there is such a thing, and whether it goes where it is to go."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from understudy.enhancement import CLASSICAL, EnhanceOptions, Step
from understudy.errors import UsageError

if TYPE_CHECKING:
    from understudy.models.entries import Entry, Kind

#: Kinds of models that enhance.
ENHANCERS: Final[tuple[Kind, ...]] = ("enhancer", "upscaler")
#: Near enough to be meant.
_NEAR: Final = 0.4


def named(
    options: EnhanceOptions, own: Sequence[EnhanceOptions], there: Mapping[str, Entry], *, enlarging: bool
) -> list[Entry]:
    """The models that the steps name, each once.

    Args:
        options: What is done to everybody, and to the frame.
        own: What is done to some of the people instead.
        there: The models that enhance, by name.
        enlarging: Whether the frames may become larger.

    Raises:
        UsageError: a step names none of them, or can't be where it is to be.
    """
    found: dict[str, Entry] = {}
    for step in (step for one in (options, *own) for step in one.parsed):
        if step.name in CLASSICAL:
            continue
        if step.name not in there:
            raise _unknown(step.name, there)
        found[step.name] = there[step.name]
        _check_place(step, there[step.name])
    upscalers = [step.name for step in options.parsed if _enlarges(step, there)]
    if len(upscalers) > 1:
        raise UsageError(f"a picture is enlarged once, not by {' and '.join(upscalers)}", "Name one of them.")
    if upscalers and not enlarging:
        raise UsageError(
            f"{upscalers[0]} can't be used here: pictures keep their size",
            "Enlarge a file instead: understudy swap … --enhance " + upscalers[0],
        )
    check_own(own, lambda step: _enlarges(step, there))
    return list(found.values())


def check_own(own: Sequence[EnhanceOptions], enlarges: Callable[[Step], bool] = lambda _: False) -> None:
    """Whether what is done to some of the people can be done to a person.

    Args:
        own: Their enhancement.
        enlarges: Whether a step makes pictures larger.

    Raises:
        UsageError: one step is for the whole picture.
    """
    for step in (step for one in own for step in one.parsed):
        if enlarges(step) or step.where not in (None, "face"):
            raise UsageError(
                f"{step.name} is done to the whole picture, not to one person", "Name it for everybody: --enhance."
            )


def _enlarges(step: Step, there: Mapping[str, Entry]) -> bool:
    return step.name in there and there[step.name].kind == "upscaler"


def _check_place(step: Step, entry: Entry) -> None:
    if entry.kind == "upscaler" and step.where == "face":
        raise UsageError(f"{step.name} enlarges pictures, not faces", "Use @frame or @background, or leave it out.")
    if entry.kind == "enhancer" and step.where not in (None, "face"):
        raise UsageError(f"{step.name} restores faces: it has no place elsewhere", f"Leave @{step.where} out.")


def _unknown(name: str, there: Mapping[str, Entry]) -> UsageError:
    known = [*CLASSICAL, *there]
    near = difflib.get_close_matches(name, known, 3, _NEAR)
    what = f"Did you mean {' or '.join(near)}? There are" if near else "There are"
    return UsageError(f"nothing that enhances is called {name!r}", f"{what} {', '.join(known)}.")
