"""Live, a model that only makes faces look better ends no session: where it fails, all goes on without it, and says so.

What shows whether somebody may be seen (detectors, the guard, the look at what is intimate) is not among them.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from understudy.arrays import FloatArray, UInt8Array
from understudy.enhancement import Enhancers
from understudy.enhancement.base import Restorer
from understudy.masking.base import MaskModel
from understudy.masking.options import MaskOptions
from understudy.pipeline.parts import Parts

Result = TypeVar("Result")

#: Failures in a row after which a model is not asked any more.
_MOST: Final = 3


class Sparing:
    """What the models of one session failed with."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: Counter[str] = Counter()
        self._news: list[str] = []

    def parts(self, parts: Parts) -> Parts:
        """The same parts, whose models of masks and of enhancement may fail."""
        found = parts.enhancers
        enhancers = Enhancers(
            {name: _SparedRestorer(one, name, self) for name, one in found.restorers.items()},
            found.upscalers,  # live there are none
        )
        masks = {name: _SparedMask(one, name, self) for name, one in parts.masks.items()}
        return replace(parts, enhancers=enhancers, masks=masks)

    def news(self) -> list[str]:
        """What happened since the last time, to be told to the user."""
        with self._lock:
            news, self._news = self._news, []
        return news

    def __call__(self, name: str, without: str, run: Callable[[], Result | None]) -> Result | None:
        """What a model gives; None where it fails, or has failed too often.

        Args:
            name: The model's.
            without: What is done without it.
            run: Asks it. What it raises counts as a failure.
        """
        if self._failures[name] >= _MOST:
            return None
        try:
            found = run()
        except Exception as fault:  # noqa: BLE001 - of any library, and told
            self._failed(name, f"{name} fails ({fault}) and is not asked any more: {without}")
            return None
        self._failures[name] = 0
        return found

    def _failed(self, name: str, message: str) -> None:
        with self._lock:
            self._failures[name] += 1
            if self._failures[name] == _MOST:
                self._news.append(message)


class _SparedRestorer:
    """A restorer that may fail: see ``Restorer``."""

    def __init__(self, model: Restorer, name: str, sparing: Sparing) -> None:
        self.size, self.template, self.border = model.size, model.template, model.border
        self._model, self._name, self._sparing = model, name, sparing

    def restored(self, crop: UInt8Array, weight: float) -> UInt8Array | None:
        """See ``Restorer.restored``."""
        without = "faces are shown without what it added"
        return self._sparing(self._name, without, lambda: self._model.restored(crop, weight))


class _SparedMask:
    """A model of masks that may fail: see ``MaskModel``."""

    def __init__(self, model: MaskModel, name: str, sparing: Sparing) -> None:
        self.template, self.size = model.template, model.size
        self._model, self._name, self._sparing = model, name, sparing

    def visible(self, crop: UInt8Array, face: float, options: MaskOptions) -> FloatArray | None:
        """See ``MaskModel.visible``."""
        without = "what it saw last fades, and masks are made without it"
        return self._sparing(self._name, without, lambda: self._model.visible(crop, face, options))
