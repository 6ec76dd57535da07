"""What the settings name, opened: the engine, the detector, the content classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from understudy.errors import ModelMissingError, UnderstudyError, UnknownModelError, UsageError
from understudy.models.devices import RuntimeOptions
from understudy.pipeline.perception import Perception
from understudy.provenance.content import ContentCheck, ContentOptions
from understudy.provenance.metadata import COMPOSITE, TRAINED_COMPOSITE
from understudy.settings import Settings
from understudy.swapping import MeshEngine, Swapper
from understudy.swapping.neural.options import NeuralOptions

if TYPE_CHECKING:
    from understudy.landmarks.neural import Reader
    from understudy.models.entries import Entry, Kind
    from understudy.models.sessions import Runtime, Session
    from understudy.models.store import Store

#: The engine and the detector that the package carries.
MESH, EMBEDDED = "mesh", "embedded"
#: Kinds of models that say something of a face.
READERS: Final[tuple[Kind, ...]] = ("landmarker", "attributes")
#: Which classifier neural engines ask, and which embedder knows whom they put in.
CLASSIFIER, EMBEDDER = "nsfw_384", "arcface_w600k_r50"


def source_type(engine: str) -> str:
    """IPTC's digital source type of what an engine makes: drawn from the photo itself, or by a trained network.

    Args:
        engine: Its name.
    """
    return COMPOSITE if engine == MESH else TRAINED_COMPOSITE


def make_engine(settings: Settings) -> Swapper[Any]:
    """The engine alone: see ``Workshop.engine``."""
    return Workshop(settings).engine()


class Workshop:
    """Opens what the settings name, each model once. The package's own engine needs neither catalogue nor store.

    Args:
        settings: How a swap is done.

    Raises:
        UnknownModelError: a model is placed that the catalogue does not have.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        if settings.runtime.placed:
            entries = self._store.catalogue.entries
            known = sorted({*entries, *(entry.kind for entry in entries.values())})
            for name, _ in settings.runtime.placed:
                if name not in known:
                    raise UnknownModelError(name, known)

    def engine(self) -> Swapper[Any]:
        """The engine.

        Raises:
            UsageError: there is none by that name, or its device is not there.
            ModelError: one of its models is not here, altered, or does not work.
        """
        name = self._settings.engine
        if name == MESH:
            return MeshEngine(self._settings.mesh)
        entry = self._named(name, "swapper", f"unknown engine {name!r}", "Known engines", MESH)
        self._check_there(name)
        return self._neural(entry)

    def perception(self) -> Perception:
        """What finds faces: by the package's own detector, or one of the catalogue.

        Raises:
            UsageError, ModelError: as for ``engine``.
        """
        name, embedded = self._settings.detector, Perception.embedded()
        if name == EMBEDDED:
            return embedded
        from understudy.detection.neural import NeuralDetector

        entry = self._named(name, "detector", f"unknown detector {name!r}", "Known detectors", EMBEDDED)
        return replace(embedded, detector=NeuralDetector(self._opened(entry)))

    def readers(self, names: Sequence[str]) -> list[Reader]:
        """Landmarkers and guessers by name.

        Raises:
            UsageError, ModelError: as for ``engine``.
        """
        if not names:
            return []
        from understudy.landmarks.neural import Reader

        there = {entry.name: entry for kind in READERS for entry in self._store.catalogue.of_kind(kind)}
        for name in names:
            if name not in there:
                raise UsageError(f"{name!r} is no model that reads faces", f"Known ones: {', '.join(there)}")
        return [Reader(self._opened(there[name])) for name in dict.fromkeys(names)]

    def fetched(self) -> dict[str, Session | UnderstudyError]:
        """Every model of the store by name, opened; or why it does not open."""
        found: dict[str, Session | UnderstudyError] = {}
        for name, entry in self._store.catalogue.entries.items():
            if self._store.state(entry) in ("there", "altered"):
                try:
                    found[name] = self._opened(entry)
                except UnderstudyError as fault:
                    found[name] = fault
                finally:
                    self._runtime.close()
        return found

    def content(self) -> ContentCheck:
        """The content check for one output. An engine that makes photoreal pictures does not run without a classifier.

        Raises:
            ModelError: it takes one, and it is not here.
        """
        return ContentCheck(self._content)

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be said: where and how models run, if that is not what was hoped for, and what nothing heeds."""
        settings = self._settings
        asked = (settings.runtime, settings.neural) != (RuntimeOptions(), NeuralOptions())
        idle = (f"the {MESH} engine heeds no --device, --threads, --boost and --weight",)
        unheeded = idle if asked and (settings.engine, settings.detector) == (MESH, EMBEDDED) else ()
        return (*unheeded, *(self._runtime.notes if "_runtime" in self.__dict__ else ()))

    @cached_property
    def _content(self) -> ContentOptions:
        options = self._settings.content
        if self._settings.engine == MESH or options.classifier is not None:
            return options
        from understudy.provenance.classifier import IntimacyClassifier

        return replace(options, classifier=IntimacyClassifier(self._opened(self._store.catalogue.entries[CLASSIFIER])))

    def _neural(self, entry: Entry) -> Swapper[Any]:
        from understudy.recognition import ArcFace
        from understudy.swapping.neural.engine import NeuralEngine
        from understudy.swapping.neural.source import SourceEncoder

        entries, source = self._store.catalogue.entries, entry.source
        assert source is not None
        session = self._opened(entry)
        encoder = SourceEncoder(
            source,
            None if source.kind == "frame" else ArcFace(self._opened(entries[EMBEDDER])),
            None if source.converter is None else self._opened(entries[source.converter]),
            session.emap,
        )
        return NeuralEngine(session, encoder, self._settings.neural)

    def _named(self, name: str, kind: Kind, problem: str, known: str, own: str) -> Entry:
        """The entry of a name that a user gave."""
        there = {entry.name: entry for entry in self._store.catalogue.of_kind(kind)}
        if name not in there:
            raise UsageError(problem, f"{known}: {', '.join([own, *there])}")
        return there[name]

    def _check_there(self, name: str) -> None:
        """Whether all that the engine takes is there: said at once, not after the first large model was read."""
        needed = self._store.catalogue.resolved([name, CLASSIFIER])
        if self._settings.content.classifier is not None:
            needed = [entry for entry in needed if entry.name != CLASSIFIER]
        missing = [entry.name for entry in needed if self._store.state(entry) in ("missing", "begun")]
        if missing:
            # A model is pulled with all that it needs; the classifier is needed by none of them.
            pull = [one for one in (name, CLASSIFIER) if one in missing or (one == name and missing != [CLASSIFIER])]
            raise ModelMissingError(*missing, pull=" ".join(pull))

    def _opened(self, entry: Entry) -> Session:
        return self._runtime.open(self._store, entry)

    @cached_property
    def _store(self) -> Store:
        from understudy.models.catalogue import OWN_FILE, Catalogue
        from understudy.models.store import FOLDER, Store
        from understudy.provenance.home import Home

        home = Home.default() if self._settings.home is None else Home(self._settings.home)
        return Store(home.root / FOLDER, Catalogue.load(home.root / OWN_FILE))

    @cached_property
    def _runtime(self) -> Runtime:
        from understudy.models.sessions import Runtime

        return Runtime(self._settings.runtime)
