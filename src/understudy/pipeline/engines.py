"""The engines: the mesh engine, and every swapper of the catalogue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from understudy.errors import ModelMissingError, UsageError
from understudy.pipeline.settings import Settings
from understudy.swapping import MeshEngine, Swapper

if TYPE_CHECKING:
    from understudy.models.sessions import Runtime
    from understudy.models.store import Store
    from understudy.provenance.content import ContentOptions

#: The engine that the package carries.
MESH = "mesh"
#: Which classifier neural engines ask, and which embedder knows whom they put in.
CLASSIFIER, EMBEDDER = "nsfw_384", "arcface_w600k_r50"


def make_engine(settings: Settings) -> Swapper[Any]:
    """The engine that the settings name.

    Raises:
        UsageError: there is none by that name, or its device is not there.
        ModelError: one of its models is not here, altered, or does not work.
    """
    if settings.engine == MESH:
        return MeshEngine(settings.mesh)
    return _Neural(settings).engine()


def content_options(settings: Settings) -> ContentOptions:
    """How content is checked: an engine that makes photoreal pictures does not run without a classifier.

    Raises:
        ModelError: it takes one, and it is not here.
    """
    if settings.engine == MESH or settings.content.classifier is not None:
        return settings.content
    return replace(settings.content, classifier=_Neural(settings).classifier())


class _Neural:
    """Opens what one swapper of the catalogue takes."""

    def __init__(self, settings: Settings) -> None:
        # Late: the mesh engine needs neither the catalogue nor ONNX Runtime.
        from understudy.models.catalogue import OWN_FILE, Catalogue
        from understudy.models.sessions import Runtime
        from understudy.models.store import FOLDER, Store
        from understudy.provenance.home import Home

        self._settings = settings
        home = Home.default() if settings.home is None else Home(settings.home)
        self._store: Store = Store(home.root / FOLDER, Catalogue.load(home.root / OWN_FILE))
        self._runtime: Runtime = Runtime(settings.runtime)

    def engine(self) -> Swapper[Any]:
        """The swapper."""
        from understudy.models.graphs import check_graph, emap_of
        from understudy.recognition import ArcFace
        from understudy.swapping.neural.engine import NeuralEngine
        from understudy.swapping.neural.source import SourceEncoder

        catalogue, name = self._store.catalogue, self._settings.engine
        swappers = [entry.name for entry in catalogue.of_kind("swapper")]
        if name not in swappers:
            raise UsageError(f"unknown engine {name!r}", f"Known engines: {', '.join([MESH, *swappers])}")
        entry = catalogue.entries[name]
        self._check_there(name)
        assert entry.source is not None
        session = self._runtime.open(self._store, entry)
        emap = None
        if entry.source.kind == "emap":
            emap = emap_of(check_graph(self._store.read(entry), entry.file.name), entry.file.name)
        converter = entry.source.converter
        embedder = None
        if entry.source.kind != "frame":
            embedder = ArcFace(self._runtime.open(self._store, catalogue.entries[EMBEDDER]))
        encoder = SourceEncoder(
            entry.source,
            embedder,
            None if converter is None else self._runtime.open(self._store, catalogue.entries[converter]),
            emap,
        )
        return NeuralEngine(session, encoder, self._settings.neural)

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

    def classifier(self) -> Any:  # noqa: ANN401 - a ContentClassifier
        """What neural engines ask about every photo and target."""
        from understudy.provenance.classifier import IntimacyClassifier

        return IntimacyClassifier(self._runtime.open(self._store, self._store.catalogue.entries[CLASSIFIER]))
