"""What is opened for a live session, before its camera is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from understudy.casting.allowed_parts import AllowedParts
from understudy.casting.cast import PartList, enhancements_of, made_with, masks_of
from understudy.casting.person import Allowed, People, Person
from understudy.guard import Guard
from understudy.idle import IdleThread
from understudy.pipeline.parts import Parts
from understudy.resources import Resources
from understudy.resources.trust import Output, Trust
from understudy.sessions.fitting_settings import carrying
from understudy.settings import Settings


@dataclass(frozen=True, eq=False)
class Opened:
    """Of one session.

    Attributes:
        settings: How, as far as that depends on what faces are made with.
        faces: Those that may be used.
        trust: Knows whether they still may be.
        output: What labels frames and signs files.
        parts: What the pipeline is made of.
        guard: What keeps faces that are not swapped from being seen.
        notes: What the user should know of it.
    """

    settings: Settings
    faces: AllowedParts
    trust: Trust
    output: Output
    parts: Parts
    guard: Guard
    notes: tuple[str, ...]

    @classmethod
    def of(
        cls,
        cast: Sequence[Person] | PartList,
        settings: Settings,
        resources: Resources,
        known: People,
        afterwards: Callable[[Callable[[], None]], None],
    ) -> Opened:
        """Open it.

        Args:
            cast: Whose faces may be used, or who gets whose.
            settings: How.
            resources: What is opened.
            known: Whose faces are known already.
            afterwards: Has something called once the session has ended.

        Raises:
            UsageError, InputError, ModelError: a photo or model can't be used.
            RefusedError: the photos may not be.
        """
        settings = carrying(settings, made_with(cast, settings))
        models, by = resources.models, made_with(cast, settings)
        (engine, *others), perception = models.engines(settings, by.engines), models.perception(settings)
        masks = models.masks(masks_of(cast, settings), settings.runtime)
        # Beside everything else, in a thread that gives way: threads of a model's own would not.
        idle = IdleThread("restorer")
        afterwards(idle.close)
        beside = replace(settings, runtime=replace(settings.runtime, threads=settings.runtime.threads or 1))
        enhancers = models.enhancers(beside, enhancements_of(cast), enlarging=False, call=idle)
        trust, content = resources.trust(settings), models.content(settings, made_with=by)

        def allowed(person: Person, own: Settings) -> Allowed:
            return known.allowed(person, "live", own, trust=trust, content=content)

        faces = AllowedParts.of(cast, settings, allowed)
        notes = (*faces.notes, *models.notes(settings, by))
        output = trust.live(settings, faces.consents, faces.digests, by)
        guard = Guard(perception.detector, settings.guard, choice=settings.faces)
        embedder = models.embedder(settings)
        parts = Parts(engine, perception, settings, content, output.sealer, embedder, masks, enhancers, tuple(others))
        return cls(settings, faces, trust, output, parts, guard, notes)
