"""What is kept in memory of photos and of faces: as long as they may be used, and no longer."""

from __future__ import annotations

import gc
import weakref

import pytest

from understudy import Person, Settings, Understudy
from understudy.casting.cast import made_with
from understudy.errors import ConsentError
from understudy.provenance import ConsentClaim, Consents
from understudy.release import file_digest


@pytest.fixture
def app(tmp_path):
    with Understudy(Settings(home=tmp_path / "home")) as opened:
        yield opened


def learned(app, photo, ground=None):
    """What is learned of a photo, as weak references: whoever asked for it holds it no more."""
    person = Person((photo,), consent=None if ground is None else ConsentClaim(ground))
    settings, resources = app.settings, app.resources
    content = resources.models.content(settings, "the photo", made_with(person, settings))
    allowed = app.known.allowed(person, "image", settings, trust=resources.trust(settings), content=content)
    return weakref.ref(allowed.identity), weakref.ref(allowed.portraits[0])


def alive(found):
    gc.collect()
    return [one() is not None for one in found]


@pytest.mark.slow
def test_what_was_learned_of_a_face_goes_when_its_consent_is_revoked_elsewhere_and_no_other(
    app, hopper_path, astronaut_path
):
    first, other = learned(app, hopper_path, "self"), learned(app, astronaut_path, "self")
    app.known.keep_up()
    assert alive(first) == alive(other) == [True, True]
    Consents(app.resources.home).revoke(file_digest(hopper_path))
    app.known.keep_up()
    assert alive(first) == [False, False]
    assert alive(other) == [True, True]


@pytest.mark.slow
def test_asking_for_anybody_else_lets_go_of_who_was_revoked(app, hopper_path, astronaut_path):
    first = learned(app, hopper_path, "self")
    Consents(app.resources.home).revoke(file_digest(hopper_path))
    learned(app, astronaut_path, "self")
    assert alive(first) == [False, False]


def test_a_photo_that_nobody_allowed_is_not_kept(app, hopper_path, monkeypatch):
    read = []

    def told(portrait):
        read.append(weakref.ref(portrait))

    from understudy.casting import person

    load = person.load_portraits

    def loaded(*given, **more):
        found = load(*given, **more)
        told(found[0][0])
        return found

    monkeypatch.setattr(person, "load_portraits", loaded)
    with pytest.raises(ConsentError):
        learned(app, hopper_path)
    gc.collect()
    assert [one() for one in read] == [None]
