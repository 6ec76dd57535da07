"""A clip of two scenes, its plan, and what works it."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import pytest

from understudy import Settings, Understudy
from understudy.casting.person import Person
from understudy.media.files.trimming import open_part
from understudy.provenance import ConsentClaim
from understudy.release import file_digest
from understudy.tasks.casting import settle
from understudy.tasks.opened import ModelsOfFaces, Opened
from understudy.tasks.segments.edges import SegmentOptions
from understudy.tasks.segments.planning import can_be_cut, make_plan
from understudy.tasks.segments.working import SegmentWorker
from understudy.testing import ClipSpec, Puppet, portrait, talking, write_clip

SHORT = SegmentOptions(frames=14, fewest=8, warming=0.4, closely=0.2, apart=0.1)


def two_scenes(path, spec=None, size=(320, 240), each=24):
    """One person, then another, at 20 frames a second."""
    spec = spec or ClipSpec(rate=20, options=(("crf", "16"), ("preset", "veryfast"), ("g", "12")))
    shots = [Puppet(portrait(name), size, face_share=0.5) for name in ("hopper", "astronaut")]
    write_clip(path, (shot.render(talking(n / 20)).picture for shot in shots for n in range(each)), spec)
    return path


@pytest.fixture(scope="session")
def scenes(tmp_path_factory):
    return two_scenes(tmp_path_factory.mktemp("scenes") / "scenes.mp4")


@pytest.fixture
def app(tmp_path):
    with Understudy(Settings(home=tmp_path / "home")) as app:
        yield app


@pytest.fixture
def workshop(app, hopper_path, tmp_path):
    """Opens a clip as whoever works it in segments."""

    def opened(clip, suffix=".mp4", options=SHORT, **settings):
        own = Settings(home=tmp_path / "home", **settings)
        cast, models = Person((hopper_path,), consent=ConsentClaim("sample")), app.resources.models
        with open_part(clip, own.max_pixels, own.trim.since, own.trim.until) as source:
            opened = Opened.of(cast, source.info, own, models, ModelsOfFaces(cast, own, models))
        settled = opened.settle(
            partial(settle, cast, clip, resources=app.resources, people=app.known, content=opened.content())
        )
        output = tmp_path / f"out{suffix}"
        known = can_be_cut(clip, output, own, options)
        plan = known and make_plan(
            cast, clip, known, own, settled, models, made_of="all", clip=file_digest(clip), options=options
        )

        def worker(plan=plan, who=app):
            return SegmentWorker(
                cast, clip, suffix, own, plan, resources=who.resources, people=who.known, options=options
            )

        return SimpleNamespace(
            cast=cast, settings=own, opened=opened, settled=settled, plan=plan, worker=worker, output=output
        )

    return opened
