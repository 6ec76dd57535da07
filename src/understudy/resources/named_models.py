"""Which models of the catalogue names mean, and whether they were fetched. Nothing is opened."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from understudy.enhancement import EnhanceOptions
from understudy.errors import ModelMissingError, UnknownModelError, UsageError
from understudy.models.devices import RuntimeOptions
from understudy.provenance.records.home import Home
from understudy.resources.made_with import MESH
from understudy.settings import Settings

if TYPE_CHECKING:
    from understudy.masking import MaskOptions
    from understudy.models.entries import Entry, Kind
    from understudy.models.store import Store

#: The detector and the recogniser that the package carries.
EMBEDDED: Final = "embedded"
#: What is asked for to have the blendshapes of faces: the package's own model.
BLENDSHAPES: Final = "blendshapes"
#: What is asked for to have the emotions that blendshapes show.
EMOTION: Final = "emotion"
#: Kinds of models that say something of a face.
READERS: Final[tuple[Kind, ...]] = ("landmarker", "attributes")


class NamedModels:
    """Names that users give, looked up. Neither catalogue nor store is read before one is that needs them.

    Args:
        home: The private folder, with the store in it.
    """

    def __init__(self, home: Home) -> None:
        self._home = home

    @cached_property
    def store(self) -> Store:
        """The store, with its catalogue.

        Raises:
            CatalogueError, InputUnreadableError: the user's own entries can't be used.
        """
        from understudy.models.catalogue import OWN_FILE, Catalogue
        from understudy.models.store import FOLDER, Store

        return Store(self._home.root / FOLDER, Catalogue.load(self._home.root / OWN_FILE))

    def check_places(self, runtime: RuntimeOptions) -> None:
        """Whether the catalogue has all models that are given a place.

        Raises:
            UnknownModelError: it does not have one of them.
        """
        if runtime.placed:
            entries = self.store.catalogue.entries
            known = sorted({*entries, *(entry.kind for entry in entries.values())})
            for name, _ in runtime.placed:
                if name not in known:
                    raise UnknownModelError(name, known)

    def check(self, settings: Settings, engines: Sequence[str]) -> None:
        """Make sure that there are such models as are named; nothing is opened, and they need not be here yet.

        Args:
            settings: Whose detector and recogniser are meant.
            engines: The names of engines.

        Raises:
            UsageError: one is not known.
        """
        for name in engines:
            if name != MESH:
                self.engine(name)
        if settings.detector != EMBEDDED:
            self.detector(settings.detector)
        if settings.recogniser != EMBEDDED:
            self.recogniser(settings.recogniser)

    def engine(self, name: str) -> Entry:
        """The catalogue's entry of a neural engine.

        Raises:
            UsageError: there is none by that name.
        """
        return self._named(name, "swapper", f"unknown engine {name!r}", "Known engines", MESH)

    def detector(self, name: str) -> Entry:
        """The catalogue's entry of a detector.

        Raises:
            UsageError: there is none by that name.
        """
        return self._named(name, "detector", f"unknown detector {name!r}", "Known detectors", EMBEDDED)

    def recogniser(self, name: str) -> Entry:
        """The catalogue's entry of an embedder by which people are told apart.

        Raises:
            UsageError: there is none by that name.
        """
        return self._named(name, "embedder", f"unknown recogniser {name!r}", "Known recognisers", EMBEDDED)

    def readers(self, names: Sequence[str], beside: Sequence[str] = ()) -> list[Entry]:
        """The entries of landmarkers and guessers, each once.

        Args:
            names: Theirs.
            beside: What can be asked for, too, and is no model of the catalogue: an error names it.

        Raises:
            UsageError: there is none by a name.
        """
        there = self._of_kinds(*READERS)
        for name in names:
            if name not in there:
                raise UsageError(
                    f"{name!r} is not a model that can be asked about faces",
                    f"Known ones: {', '.join([*beside, *there])}",
                )
        return [there[name] for name in dict.fromkeys(names)]

    def masks(self, asked: Sequence[MaskOptions]) -> list[Entry]:
        """The entries of the models that some masks take, each once.

        Args:
            asked: Everybody's masks.

        Raises:
            UsageError: there is none by a name, or it is of the other kind.
            ModelMissingError: one was not fetched.
        """
        names = list(dict.fromkeys(name for options in asked for name in options.models))
        if not names:
            return []
        there = self._of_kinds("mask")
        for options in asked:
            for wanted, family in ((options.occluders, "xseg"), (options.parsers, "bisenet")):
                fitting = [name for name, entry in there.items() if entry.family == family]
                for name in wanted:
                    if name not in fitting:
                        what = "an occluder" if family == "xseg" else "a parser"
                        raise UsageError(f"{name!r} is not {what} of masks", f"Known ones: {', '.join(fitting)}")
        self._check_there(names)
        return [there[name] for name in names]

    def enhancers(
        self, options: EnhanceOptions, own: Sequence[EnhanceOptions] = (), *, enlarging: bool = True
    ) -> list[Entry]:
        """The entries of the models that an enhancement names, each once.

        Args:
            options: What is done to everybody.
            own: What is done to some of the people instead.
            enlarging: Whether the frames may become larger.

        Raises:
            UsageError: there is none by a name, or it can't be used like that.
            ModelMissingError: one was not fetched.
        """
        from understudy.resources.enhancing import ENHANCERS, named

        entries = named(options, own, self._of_kinds(*ENHANCERS), enlarging=enlarging)
        self._check_there([entry.name for entry in entries])
        return entries

    def check_engine_there(self, name: str) -> None:
        """Make sure that all that an engine takes was fetched: said at once, not after the first large model was read.

        Raises:
            ModelMissingError: one model was not. It names the engine to be pulled, with all that it needs.
        """
        self._check_there([entry.name for entry in self.store.catalogue.resolved([name])], pull=name)

    def is_there(self, name: str) -> bool:
        """Whether a model of the catalogue was fetched, be it altered since."""
        return self.store.state(self.store.catalogue.entries[name]) not in ("missing", "begun")

    def _check_there(self, names: Sequence[str], pull: str = "") -> None:
        missing = [name for name in names if not self.is_there(name)]
        if missing:
            raise ModelMissingError(*missing, pull=pull)

    def _of_kinds(self, *kinds: Kind) -> dict[str, Entry]:
        return {entry.name: entry for kind in kinds for entry in self.store.catalogue.of_kind(kind)}

    def _named(self, name: str, kind: Kind, problem: str, known: str, own: str) -> Entry:
        """The entry of a name that a user gave."""
        there = self._of_kinds(kind)
        if name not in there:
            raise UsageError(problem, f"{known}: {', '.join([own, *there])}")
        return there[name]
