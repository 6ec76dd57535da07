"""What is said of errors to who asks the API."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from understudy.cli.consent import photo_of
from understudy.errors import InputTooLargeError, ModelMissingError, NoSpaceError, UnderstudyError
from understudy.installing import install_extra
from understudy.jobs.store import JobStore
from understudy.media.files.trimming import open_part
from understudy.provenance import ConsentClaim, Consents, Home
from understudy.server.api.shelf import Shelf
from understudy.server.api.words import hint_of, told
from understudy.settings import Settings
from understudy.settings.schema import changed
from understudy.testing import portrait_path

GONE = f"{'ab' * 16}.jpg"


@pytest.fixture
def shelf(tmp_path):
    return Shelf(Home(tmp_path / "home"), 1)


def ended_consent(home):
    """What a session hears when the photo that it uses is removed meanwhile."""
    records, photo = Consents(home), photo_of(portrait_path("hopper"))
    record = records.grant(replace(photo, name=GONE), ConsentClaim("sample"))
    records.end(record.name)
    records.check_valid([record.id])


def fails(fault):
    raise fault


@pytest.mark.parametrize(
    ("act", "hint"),
    [
        (lambda home: changed(Settings(), {"blend.strength": 7}), r"GET /api/v1/settings"),
        (lambda home: changed(Settings(), {"no.such": 7}), r"GET /api/v1/settings"),
        (lambda home: open_part(portrait_path("hopper"), 10**9, 1.0, None), r"Leave trim\.start and trim\.end out"),
        (lambda home: ConsentClaim("granted"), r"as the consent's note\."),
        (lambda home: Consents(home).require(photo_of(portrait_path("hopper")), "live", None), r"self, granted"),
        (lambda home: JobStore(home).cancel(7), r"GET /api/v1/swaps"),
        (lambda home: fails(NoSpaceError(home.root / "server" / GONE)), r"runs the server has to free some space"),
        (lambda home: fails(InputTooLargeError(Path("a.png"), 9, 9, 1)), r"^Make it smaller\.$"),
        (lambda home: fails(ModelMissingError("xseg_1")), r"^Whoever runs the server can fetch it: "),
    ],
)
def test_what_to_do_is_something_that_the_api_can(shelf, act, hint):
    with pytest.raises(UnderstudyError) as caught:
        act(shelf.home)
    at_the_command_line = caught.value.hint
    said = told(shelf, "anna", caught.value.message, at_the_command_line)
    assert re.search(hint, said["hint"])
    own = re.sub(r"Whoever runs the server [^.]*: understudy.*", "", said["hint"])
    assert not re.search(r"(^|\s)--|`|understudy|docs/", own)
    assert caught.value.hint == at_the_command_line != said["hint"]
    assert not re.search(r"job \d|/server/", said["error"])


@pytest.mark.parametrize("hint", ["Give a smaller one.", "It has to be above 0; choose another.", ""])
def test_what_anybody_can_do_is_said_as_it_is(hint):
    assert hint_of(hint) == hint


def test_of_several_things_to_do_those_are_left_that_the_api_can():
    assert hint_of("Use another photo. `understudy people` shows who is there.") == "Use another photo."
    assert "GET /api/v1/settings" in hint_of("Try another with --encoder.")
    assert "GET /api/v1/settings" in hint_of(f"It is an extra: {install_extra('openvino')}")


def test_a_photo_that_its_user_removed_is_said_to_be_removed(shelf):
    with pytest.raises(UnderstudyError) as caught:
        ended_consent(shelf.home)
    said = told(shelf, "anna", caught.value.message, caught.value.hint)
    assert "removed" in said["error"]
    assert GONE not in said["error"]
    assert told(shelf, None, f"can't read {GONE}: gone", "")["error"] == "can't read a file that was removed: gone"
