"""What settings name, opened once for everybody: engines, detectors, models that read faces, the classifier."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, TypeVar

from understudy.enhancement import CLASSICAL, EnhanceOptions, Enhancers
from understudy.errors import UnderstudyError, UsageError
from understudy.idle import Call, directly
from understudy.models.devices import RuntimeOptions
from understudy.provenance.content import ContentCheck, ContentClassifier
from understudy.provenance.records.faces import FaceCache
from understudy.provenance.records.home import Home
from understudy.resources.made_with import MESH, MadeWith
from understudy.resources.named_models import EMBEDDED, NamedModels
from understudy.resources.perception import Perception
from understudy.settings import Settings
from understudy.swapping import MeshEngine, Swapper
from understudy.swapping.carried.engine import Carried
from understudy.text import listed

if TYPE_CHECKING:
    from understudy.landmarks import BlendshapeModel
    from understudy.landmarks.neural import Reader
    from understudy.masking import MaskOptions
    from understudy.masking.base import MaskModel
    from understudy.models.entries import Entry
    from understudy.models.opening import Runtime
    from understudy.models.session import Session
    from understudy.recognition import Embedder

Made = TypeVar("Made")
#: Which classifier neural engines ask, too, and which embedder knows whom they put in.
CLASSIFIER, EMBEDDER = "nsfw_384", "arcface_w600k_r50"


#: Options that only networks use, and what each sets.
_OF_NETWORKS: Final = {
    "--device": "runtime.device",
    "--backend": "runtime.backend",
    "--precision": "runtime.precision",
    "--threads": "runtime.threads",
    "--boost": "neural.boost",
    "--weight": "neural.weight",
    "--refresh": "neural.refresh",
}


class Models:
    """Opens models, each once, for any number of clips and threads. The package's own need neither catalogue nor store.

    Args:
        home: The private folder, with the store in it.
        classifier: Looks at what is swapped, besides the package's own; None for nothing more.

    Attributes:
        named: Which models names mean.
    """

    def __init__(self, home: Home, classifier: ContentClassifier | None = None) -> None:
        self.named = NamedModels(home)
        self._home, self._classifier = home, classifier
        self._lock, self._closed = RLock(), False
        self._engines: dict[object, Swapper[Any]] = {}
        self._perceptions: dict[object, Perception] = {}
        self._embedders: dict[object, Embedder] = {}
        self._classifiers: dict[object, ContentClassifier] = {}
        self._blendshapes: dict[object, BlendshapeModel] = {}
        self._masks: dict[object, MaskModel] = {}
        self._runtimes: dict[RuntimeOptions, Runtime] = {}

    def check_open(self) -> None:
        """Whether anything can be asked for.

        Raises:
            UsageError: it was closed.
        """
        if self._closed:
            raise UsageError("this Understudy is closed", "Use it inside its with block, or open another.")

    def engine(self, settings: Settings) -> Swapper[Any]:
        """The engine that the settings name.

        Raises:
            UsageError: there is none by that name, or its device is not there.
            ModelError: one of its models is not here, altered, or does not work.
        """
        name = settings.engine
        options = settings.mesh if name == MESH else settings.neural
        below = settings.mesh if settings.neural.carried else None
        return self._once(self._engines, (name, options, below, settings.runtime), lambda: self._engine(settings))

    def engines(self, settings: Settings, names: Sequence[str]) -> list[Swapper[Any]]:
        """Several engines.

        Args:
            settings: How they run and draw.
            names: Theirs, in place of the one that the settings name.

        Raises:
            UsageError, ModelError: as for ``engine``.
        """
        return [self.engine(replace(settings, engine=name)) for name in names]

    def _engine(self, settings: Settings) -> Swapper[Any]:
        self.named.check_places(settings.runtime)
        if settings.engine == MESH:
            return MeshEngine(settings.mesh)
        entry = self.named.engine(settings.engine)
        self.named.check_engine_there(settings.engine)
        neural, refresh = self._neural(entry, settings), settings.neural.refresh
        if not settings.neural.carried:
            return neural
        return Carried(neural, MeshEngine(settings.mesh), entry.name, refresh if isinstance(refresh, int) else None)

    def perception(self, settings: Settings) -> Perception:
        """What finds faces: by the package's own detector, or one of the catalogue.

        Raises:
            UsageError, ModelError: as for ``engine``.
        """
        name = settings.detector
        key = (name,) if name == EMBEDDED else (name, settings.runtime)
        return self._once(self._perceptions, key, lambda: self._perception(settings))

    def _perception(self, settings: Settings) -> Perception:
        name = settings.detector
        if name == EMBEDDED:
            return Perception.embedded()
        from understudy.detection.neural import NeuralDetector

        entry = self.named.detector(name)
        embedded = self.perception(replace(settings, detector=EMBEDDED))
        return replace(embedded, detector=NeuralDetector(self._opened(entry, settings.runtime)))

    def enhancers(
        self,
        settings: Settings,
        own: Sequence[EnhanceOptions] = (),
        *,
        enlarging: bool = True,
        call: Call = directly,
    ) -> Enhancers:
        """The models that an enhancement names. Where it names none, neither catalogue nor store is asked.

        Args:
            settings: What is done to everybody.
            own: What is done to some of the people instead.
            enlarging: Whether the frames may become larger.
            call: Calls restorers.

        Raises:
            UsageError: there is none by a name, or it can't be used like that.
            ModelError: one of them is not here, altered, or does not work.
        """
        from understudy.resources.enhancing import check_own

        steps = [step for one in (settings.enhance, *own) for step in one.parsed]
        if all(step.name in CLASSICAL for step in steps):
            check_own(own)
            return Enhancers()
        from understudy.enhancement.restorers import NeuralRestorer
        from understudy.enhancement.upscalers import TiledUpscaler

        entries = self.named.enhancers(settings.enhance, own, enlarging=enlarging)
        opened = {entry.name: self._opened(entry, settings.runtime) for entry in entries}
        return Enhancers(
            {name: NeuralRestorer(one, call) for name, one in opened.items() if one.entry.kind == "enhancer"},
            {name: TiledUpscaler(one) for name, one in opened.items() if one.entry.kind == "upscaler"},
        )

    def embedder(self, settings: Settings) -> Embedder:
        """What tells people apart: the package's own identity network, or an embedder of the catalogue.

        Opened when it is first asked for.

        Raises:
            UsageError, ModelError: as for ``engine``; or the package was installed without its own.
        """
        name = settings.recogniser
        key = (name,) if name == EMBEDDED else (name, settings.runtime)
        return self._once(self._embedders, key, lambda: self._embedder(settings))

    def _embedder(self, settings: Settings) -> Embedder:
        name = settings.recogniser
        if name == EMBEDDED:
            from understudy.recognition.identity import IdentityNetwork

            return IdentityNetwork()
        from understudy.recognition.arcface import ArcFace

        entry = self.named.recogniser(name)
        return ArcFace(self._opened(entry, settings.runtime))

    def blendshapes(self) -> BlendshapeModel:
        """The model that the package carries for what a face does. Opened when it is first asked for.

        Raises:
            UsageError: this was closed.
            ModelError: the package was installed without it.
        """
        from understudy.landmarks import BlendshapeModel

        return self._once(self._blendshapes, EMBEDDED, BlendshapeModel)

    def readers(self, names: Sequence[str], runtime: RuntimeOptions, beside: Sequence[str] = ()) -> list[Reader]:
        """Landmarkers and guessers of the catalogue by name.

        Args:
            names: Theirs.
            runtime: Where they run.
            beside: What can be asked for, too, and is no model of the catalogue: an error names it.

        Raises:
            UsageError, ModelError: as for ``engine``.
        """
        if not names:
            return []
        from understudy.landmarks.neural import Reader

        found = self.named.readers(names, beside)
        return [Reader(self._opened(entry, runtime)) for entry in found]

    def masks(self, asked: Sequence[MaskOptions], runtime: RuntimeOptions) -> dict[str, MaskModel]:
        """The models that some masks take, by name.

        Args:
            asked: Everybody's masks.
            runtime: Where models run.

        Raises:
            UsageError: there is no such model, or it is of the other kind.
            ModelError: one of them is not here, altered, or does not work.
        """
        if any(options.models for options in asked):
            self.named.check_places(runtime)
        entries = self.named.masks(asked)
        return {
            entry.name: self._once(self._masks, (entry.name, runtime), partial(self._mask, entry, runtime))
            for entry in entries
        }

    def _mask(self, entry: Entry, runtime: RuntimeOptions) -> MaskModel:
        from understudy.masking.models import mask_model

        return mask_model(self._opened(entry, runtime))

    def fetched(
        self, runtime: RuntimeOptions, names: Collection[str] | None = None
    ) -> Iterator[tuple[str, Session | UnderstudyError]]:
        """Every model of the store by name, opened anew, one at a time; or why it does not open.

        It is given back when the next is asked for, if nobody holds it.

        Args:
            runtime: Where they are to run.
            names: Only these; None for all.

        Raises:
            UsageError: a model is placed that the catalogue does not have.
        """
        from understudy.models.opening import Runtime

        self.named.check_places(runtime)
        passing = Runtime(runtime)
        for name, entry in self.named.store.catalogue.entries.items():
            if (names is None or name in names) and self.named.store.state(entry) in ("there", "altered"):
                try:
                    opened: Session | UnderstudyError = passing.open(self.named.store, entry)
                except UnderstudyError as fault:
                    opened = fault
                finally:
                    passing.close()
                yield name, opened
                del opened

    def content(
        self, settings: Settings, target: str = "the target", made_with: MadeWith | None = None
    ) -> ContentCheck:
        """The content check for one output. The package's own classifier looks in any case.

        So does the catalogue's, where it was fetched and an engine is a neural one: of the mesh engine's frames it
        would take more time than they do themselves.

        Args:
            settings: How strict.
            target: What the target is called in messages.
            made_with: By which engines; by the one that the settings name if None.

        Raises:
            ModelError: the catalogue's was fetched, and is altered or does not work.
        """
        from understudy.provenance.open_nsfw import OpenNsfw

        asked = [self._once(self._classifiers, EMBEDDED, OpenNsfw)]
        neural = (made_with or MadeWith((settings.engine,))).neural
        if neural and self.named.is_there(CLASSIFIER):
            from understudy.provenance.classifier import IntimacyClassifier

            session = self._opened(self.named.store.catalogue.entries[CLASSIFIER], settings.runtime)
            asked.append(IntimacyClassifier(session))
        if self._classifier is not None:
            asked.append(self._classifier)
        return ContentCheck(asked, settings.content, target=target)

    def notes(self, settings: Settings, made_with: MadeWith) -> tuple[str, ...]:
        """What should be said: where models run, if not where that was hoped for, and which options do nothing."""
        usual = Settings()
        asked = [flag for flag, of in _OF_NETWORKS.items() if attrgetter(of)(settings) != attrgetter(of)(usual)]
        masks = settings.blend.mask.models
        embedded_only = settings.detector == settings.recogniser == EMBEDDED and not made_with.neural
        embedded_only = embedded_only and not made_with.enhancers
        unused: tuple[str, ...] = ()
        if asked and embedded_only and not masks:
            unused = (f"the {MESH} engine does not use {listed(asked)}",)
        runtime = self._runtimes.get(settings.runtime)
        names = [engine for engine in made_with.engines if engine != MESH]
        names += [CLASSIFIER] if made_with.neural else []
        names += [name for name in (settings.detector, settings.recogniser) if name != EMBEDDED]
        names += [*masks, *made_with.enhancers]
        if runtime is None or not names:
            return unused
        used = [entry.name for entry in self.named.store.catalogue.resolved(names)]
        return (*unused, *runtime.notes(used))

    def running_on(self, engine: str) -> str:
        """Where an engine that was opened really runs, in a word for people: ``CPU``, or the device's."""
        places = [runtime.place_of(engine) for runtime in list(self._runtimes.values())]
        return next((str(place) for place in places if place is not None), "CPU")

    def close(self) -> None:
        """Give all models back."""
        self._closed = True
        with self._lock:
            self._engines.clear()
            self._perceptions.clear()
            self._embedders.clear()
            self._classifiers.clear()
            self._blendshapes.clear()
            self._masks.clear()
            for runtime in self._runtimes.values():
                runtime.close()
            self._runtimes.clear()

    def _once(self, made: dict[object, Made], key: object, make: Callable[[], Made]) -> Made:
        """What was made for a key, or is now: by one thread, for all."""
        found = made.get(key)
        if found is not None:  # without waiting for what another thread opens just now
            return found
        with self._lock:
            self.check_open()
            if key not in made:
                made[key] = make()
            return made[key]

    def _neural(self, entry: Entry, settings: Settings) -> Swapper[Any]:
        from understudy.recognition.arcface import ArcFace
        from understudy.swapping.neural.engine import NeuralEngine
        from understudy.swapping.neural.source import SourceEncoder

        entries, source = self.named.store.catalogue.entries, entry.source
        assert source is not None
        session = self._opened(entry, settings.runtime)
        if source.kind == "conditioned":
            from understudy.resources.conditioning import conditioned_engine

            runtime = self._runtime(settings.runtime)
            return conditioned_engine(session, settings.neural, self.named.store, runtime, FaceCache(self._home))
        encoder = SourceEncoder(
            source,
            None if source.kind == "frame" else ArcFace(self._opened(entries[EMBEDDER], settings.runtime)),
            None if source.converter is None else self._opened(entries[source.converter], settings.runtime),
            session.emap,
        )
        return NeuralEngine(session, encoder, settings.neural)

    def _opened(self, entry: Entry, options: RuntimeOptions) -> Session:
        with self._lock:
            self.check_open()
            return self._runtime(options).open(self.named.store, entry)

    def _runtime(self, options: RuntimeOptions) -> Runtime:
        if options not in self._runtimes:
            from understudy.models.opening import Runtime

            self._runtimes[options] = Runtime(options)
        return self._runtimes[options]
