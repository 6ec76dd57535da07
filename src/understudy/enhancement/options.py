"""What is enhanced, in which order, how strongly and where: options only, so that naming them loads nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, get_args

from understudy.text import words_of

#: The steps that need no model.
Classical = Literal["sharpen", "denoise", "clahe"]
CLASSICAL: Final[tuple[Classical, ...]] = get_args(Classical)
#: Where a step works: on the swapped faces, on the whole frame, or on all of it but them.
Where = Literal["face", "frame", "background"]
WHERE: Final[tuple[Where, ...]] = get_args(Where)
#: A step in words.
_FORM: Final = re.compile(r"(?P<name>[a-z0-9][a-z0-9_.+-]*)(:(?P<strength>[^:@]*))?(@(?P<where>[^:@]*))?")


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        name: One of ``CLASSICAL``, or a model of the catalogue that restores faces or enlarges pictures.
        strength: 0-1: 0 does nothing, 1 shows all that it does; None: as the face needs (see ``automatic``).
        where: None: where such a step usually works: an upscaler on the whole frame, all others on the swapped faces.

    Raises:
        ValueError: a strength out of range, or no such place.
    """

    name: str
    strength: float | None = None
    where: Where | None = None

    def __post_init__(self) -> None:
        if self.strength is not None and not 0 <= self.strength <= 1:
            raise ValueError(f"the strength of {self.name} is between 0 and 1, not {self.strength}")
        if self.where not in (None, *WHERE):
            raise ValueError(f"{self.name} works on one of {', '.join(WHERE)}, not on {self.where!r}")

    @classmethod
    def of(cls, words: str) -> Step:
        """A step as the command line and files say it: ``NAME[:STRENGTH][@WHERE]``.

        Raises:
            ValueError: it is no such thing.

        >>> Step.of("sharpen:0.5@frame")
        Step(name='sharpen', strength=0.5, where='frame')
        """
        found = _FORM.fullmatch(words)
        if found is None:
            raise ValueError(f"a step is NAME, NAME:STRENGTH or either with @WHERE, not {words!r}")
        name, strength, where = found["name"], found["strength"], found["where"]
        try:
            number = None if strength is None else float(strength)
        except ValueError:
            raise ValueError(f"the strength of {name} is a number between 0 and 1, not {strength!r}") from None
        return cls(name, number, where)  # type: ignore[arg-type]  # checked there


@dataclass(frozen=True)
class EnhanceOptions:
    """What is done to a frame once the faces are in it.

    Attributes:
        steps: In this order, each as `NAME`, `NAME:STRENGTH` or either with `@WHERE`: `gfpgan_1.4:0.8`,
            `sharpen@frame`, `real_esrgan_x2@background`. A strength is 0-1; left out, it is as the face needs.
        weight: How true `codeformer` stays to what it is given: 0 makes new, 1 keeps.
        seconds: Time constant with which what a restorer adds follows from frame to frame; 0: at once.

    Raises:
        ValueError: a step that is none or is there twice, a weight out of range, or a time below zero.
    """

    steps: tuple[str, ...] = ()
    weight: float = 0.5
    seconds: float = 0.12

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", words_of(self.steps))  # in Python one may stand alone
        names = [step.name for step in self.parsed]
        if len(set(names)) < len(names):
            raise ValueError("a step is there twice")
        if not 0 <= self.weight <= 1:
            raise ValueError(f"weight must be 0 to 1, not {self.weight}")
        if not self.seconds >= 0:
            raise ValueError(f"times can't be below zero, and this is {self.seconds}")

    @cached_property
    def parsed(self) -> tuple[Step, ...]:
        """The steps."""
        return tuple(Step.of(words) for words in self.steps)
