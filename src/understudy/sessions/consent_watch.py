"""Consent that is revoked while a face is shown: the session hears of it within a second."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from understudy.errors import ConsentError, UnderstudyError
from understudy.resources.trust import Trust

#: Seconds between two looks whether the faces may still be used.
_EVERY: Final = 1.0


def watch_consents(trust: Trust, records: Callable[[], Sequence[str]], stop: threading.Event) -> None:
    """Ask again and again whether faces may still be used, until ``stop``.

    Args:
        trust: Where that is recorded.
        records: The ids of the records that allow showing whoever is shown now.
        stop: Set when the session ends.

    Raises:
        ConsentError: one may not any more.
    """
    while not stop.wait(_EVERY):
        try:
            trust.check_consents(records())
        except ConsentError:
            raise
        except UnderstudyError:  # the records are busy, or on a full disk: the next time
            continue
