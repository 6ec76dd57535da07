"""Runs any face restorer of the catalogue on an aligned crop."""

from __future__ import annotations

import numpy as np

from understudy.arrays import AnyArray, UInt8Array
from understudy.geometry.templates import TEMPLATES
from understudy.idle import Call, directly
from understudy.models.conventions import blob, is_blank, is_picture, picture_of
from understudy.models.session import Session


class NeuralRestorer:
    """One restorer of the catalogue.

    Args:
        session: The open model. Besides the picture it may take one number, as CodeFormer does: how true to stay.
        call: Calls it.

    Attributes:
        size, template, border: See ``Restorer``.
    """

    def __init__(self, session: Session, call: Call = directly) -> None:
        entry = session.entry
        assert entry.output is not None
        assert entry.input.template is not None
        self.size, self.template = entry.input.size, TEMPLATES[entry.input.template]
        self._call = call
        red, green, blue = entry.input.border
        self.border = (blue, green, red)
        self._session, self._input, self._output = session, entry.input, entry.output
        self._weights = [name for name in session.inputs if name != session.target]

    def restored(self, crop: UInt8Array, weight: float) -> UInt8Array | None:
        """See ``Restorer.restored``."""
        values: dict[str, AnyArray] = {self._session.target: blob(crop, self._input)}
        # float64 of one number; a session turns it into what the graph asks for.
        values |= {name: np.array([weight], np.float64) for name in self._weights}
        given = self._call(self._session.run, values)[0]
        restored = picture_of(given, self._output) if is_picture(given) else None
        return None if restored is None or is_blank(restored, crop) else restored
