"""What one user says of a photo is that user's: who removes theirs takes nothing from others, nor lends it to them."""

import pytest
from PIL import Image
from tests.server.api.conftest import server_in

from understudy.provenance import Consents, Home
from understudy.testing import portrait_path

pytestmark = [pytest.mark.slow, pytest.mark.loopback]
SAID = {"ground": "fictional", "uses": ["image", "live"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with server_in(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def copies(tmp_path):
    """Makes a picture that no other test has, turned by some degrees, and the same saved anew."""

    def make(turn):
        path, again = tmp_path / "one.png", tmp_path / "again.jpg"
        picture = Image.open(portrait_path("hopper")).convert("RGB").rotate(turn)
        picture.save(path)
        picture.save(again, quality=92)
        return path, again

    return make


def adds(caller, path, **said):
    """A user's photo, and what the server says of the person on it."""
    photo = caller.hand_over("photos", path)
    return photo["id"], caller.post("/people", json={"photos": [photo["id"]], "consent": SAID | said})


def swapped(caller, person, target):
    media = caller.hand_over("media", target)
    ordered = caller.post("/swaps", json={"target": media["id"], "person": person})
    return ordered if ordered.status_code != 201 else caller.ended(ordered.json()["id"])


def test_who_removes_a_photo_ends_their_own_consent_and_nobody_elses(server, copies):
    first, again = copies(0)
    with server.caller("alice") as alice, server.caller("bob") as bob:
        _, hers = adds(alice, first)
        photo, his = adds(bob, again)
        assert (hers.status_code, his.status_code) == (201, 201)
        assert bob.delete(f"/photos/{photo}").status_code == 204
        assert swapped(alice, hers.json()["id"], portrait_path("astronaut"))["state"] == "done"
        # And he may say it anew.
        _, anew = adds(bob, again)
        assert anew.status_code == 201
        assert swapped(bob, anew.json()["id"], portrait_path("astronaut"))["state"] == "done"


def test_who_revokes_it_on_the_server_ends_it_for_everybody(server, copies):
    first, again = copies(12)
    with server.caller("carol") as carol, server.caller("dave") as dave:
        photo, hers = adds(carol, first)
        _, his = adds(dave, again)
        records = Consents(Home(server.home))
        for record in [one for one in records.all() if one.state == "valid"]:
            records.revoke(record.id)
        for caller, person in ((carol, hers), (dave, his)):
            refused = swapped(caller, person.json()["id"], portrait_path("astronaut"))
            assert refused.status_code == 403
            assert "consent" in refused.json()["error"]
        assert adds(carol, first)[1].status_code == 403
        assert carol.delete(f"/photos/{photo}").status_code == 204


def test_a_person_is_used_for_what_was_said_of_them_whatever_another_user_said(server, copies):
    first, again = copies(-12)
    with server.caller("erin") as erin, server.caller("frank") as frank:
        assert adds(erin, first, uses=["image", "video", "live"])[1].status_code == 201
        _, his = adds(frank, again, uses=["image"])
        person = his.json()["id"]
        refused = frank.post("/live/sessions", json={"people": [person]})
        assert refused.status_code == 403
        assert "is for image, not for live" in refused.json()["error"]


def test_somebody_who_may_not_be_used_any_more_keeps_no_other_face_from_being_used(server, copies, tmp_path):
    first, _ = copies(24)
    other = tmp_path / "other.png"
    Image.open(portrait_path("astronaut")).convert("RGB").rotate(3).save(other)
    with server.caller("grace") as grace:
        _, gone = adds(grace, first)
        _, there = adds(grace, other)
        gone, there = gone.json()["id"], there.json()["id"]
        records = Consents(Home(server.home))
        for record in records.all():
            if record.name.startswith(grace.get("/photos").json()[0]["id"]):
                records.revoke(record.id)
        assert grace.post("/live/sessions", json={"people": [gone, there]}).status_code == 403
        begun = grace.post("/live/sessions", json={"people": [there, gone]})
        assert begun.status_code == 201
        assert begun.json()["people"] == [there]
        assert grace.delete(f"/live/{begun.json()['id']}").status_code == 204
