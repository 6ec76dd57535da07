"""Puts together a swapper that is made for each person: its own models, and where their kernels are kept."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from understudy.models.devices import Precision
from understudy.models.entries import Entry
from understudy.models.opening import Runtime
from understudy.models.session import Session
from understudy.models.store import Store
from understudy.swapping.neural.conditioned import Conditioner, FaceCache, PersonalSessions
from understudy.swapping.neural.engine import NeuralEngine
from understudy.swapping.neural.options import NeuralOptions
from understudy.swapping.neural.source import SourceEncoder


def conditioned_engine(
    session: Session, options: NeuralOptions, store: Store, runtime: Runtime, cache: FaceCache
) -> NeuralEngine:
    """The engine of a swapper whose source is ``conditioned``.

    Args:
        session: The swapper as it is, for nobody.
        options: How it draws.
        store: Where its models are.
        runtime: Opens it for each person.
        cache: Where people's kernels are kept.

    Raises:
        UsageError: the options would mix identities.
        ModelMissingError, ModelFileError: another of its models is not there, or altered.
    """
    entry, entries = session.entry, store.catalogue.entries
    source = entry.source
    assert source is not None
    assert source.identity is not None
    assert source.conditioner is not None
    identity, conditioner = entries[source.identity], entries[source.conditioner]

    # Half only where it is asked for by name, and kept apart from single: what is used of a photo must not depend on
    # what was asked for when it first came.
    precision: Precision = "half" if runtime.options.precision == "half" else "single"

    def passing(other: Entry) -> Session:
        # By a runtime of its own: it runs once for a photo, and takes as much memory as all else together.
        return Runtime(replace(runtime.options, precision=precision)).open(store, other)

    digests = store.digest(identity), store.digest(conditioner)
    opened = partial(passing, identity), partial(passing, conditioner)
    made = Conditioner(entry.name, identity.input, digests, *opened, cache, precision)
    personal = PersonalSessions(partial(runtime.open_with, store, entry))
    return NeuralEngine(session, SourceEncoder(source, conditioner=made), options, personal)
