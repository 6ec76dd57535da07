"""What is opened once and shared by all clips, photos and sessions: private folder, keys, ledgers, models."""

from __future__ import annotations

from threading import RLock

from understudy.provenance import Home, Ledger, SigningOptions
from understudy.provenance.content import ContentClassifier
from understudy.provenance.keys import SigningKey, open_signing_key
from understudy.resources.models import Models
from understudy.resources.trust import Trust
from understudy.settings import Settings


class Resources:
    """Opens each thing when it is first asked for. For several threads; a context manager.

    Args:
        home: The private folder; None for the platform's.
        classifier: Looks at what is swapped, in the place of the catalogue's; None for that.

    Attributes:
        home: The private folder.
        models: Engines, detectors and what else runs.
    """

    def __init__(self, home: Home | None = None, classifier: ContentClassifier | None = None) -> None:
        self.home = home or Home.default()
        self.models = Models(self.home, classifier)
        self._lock = RLock()
        self._keys: dict[SigningOptions, SigningKey] = {}
        self._ledgers: dict[int, Ledger] = {}
        self._tidied = False

    def trust(self, settings: Settings) -> Trust:
        """What signs and enters an output. Asked for before any work, so that a bad key stops nothing half-way.

        Raises:
            PrivacyError, SigningError, RecordsError: the key, the ledger or the folder can't be used.
        """
        with self._lock:
            if not self._tidied:
                self.home.tidy()
                self._tidied = True
            if settings.signing not in self._keys:
                self._keys[settings.signing] = open_signing_key(self.home, settings.signing)
            ledger = self._ledgers.setdefault(settings.keep_days, Ledger(self.home, settings.keep_days))
            ledger.ensure_sound()
            return Trust(self.home, self._keys[settings.signing], ledger)

    def close(self) -> None:
        """Give all models back, and let go of the keys."""
        self.models.close()
        with self._lock:
            self._keys.clear()
            self._ledgers.clear()

    def __enter__(self) -> Resources:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()
