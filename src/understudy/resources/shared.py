"""What is opened once and shared by all clips, photos and sessions: the private folder and the models."""

from __future__ import annotations

from threading import Lock

from understudy.interruptions import deferred
from understudy.provenance import Home, Ledger
from understudy.provenance.content import ContentClassifier
from understudy.provenance.records.keys import open_signing_key
from understudy.resources.models import Models
from understudy.resources.trust import Trust
from understudy.settings import Settings


class Resources:
    """Opens each thing when it is first asked for. For several threads; a context manager.

    Args:
        home: The private folder; None for the platform's.
        classifier: Looks at what is swapped, besides the package's own; None for nothing more.

    Attributes:
        home: The private folder.
        models: Engines, detectors and what else runs.
    """

    def __init__(self, home: Home | None = None, classifier: ContentClassifier | None = None) -> None:
        self.home = home or Home.default()
        self.models = Models(self.home, classifier)
        self._lock = Lock()
        self._tidied = False

    def trust(self, settings: Settings) -> Trust:
        """What signs and enters an output. Asked for before any work, so that a bad key stops nothing half-way.

        Raises:
            PrivacyError, SigningError, RecordsError: the key, the ledger or the folder can't be used.
        """
        self.models.check_open()
        with self._lock:
            if not self._tidied:
                self.home.tidy()
                self._tidied = True
        # Anew each time: a certificate may have expired, or been renewed, since the last output.
        key, ledger = open_signing_key(self.home, settings.signing), Ledger(self.home, settings.keep_days)
        ledger.ensure_sound()
        return Trust(self.home, key, ledger)

    def close(self) -> None:
        """Give all models back; nothing can be asked for any more."""
        # Models end in ``__del__``, where Python would print an interruption, and forget it.
        with deferred():
            self.models.close()

    def __enter__(self) -> Resources:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()
