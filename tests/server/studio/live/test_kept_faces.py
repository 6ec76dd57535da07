"""A face that was asked for is there in the next studio, as long as it may be used; no other is."""

from __future__ import annotations

import stat

import pytest
from PIL import Image

from tests.server.studio.clips.test_desk import Room
from understudy import ConsentClaim
from understudy.errors import InputNotFoundError, UnderstudyError
from understudy.provenance import Consents
from understudy.server.studio.live.desk import Desk
from understudy.server.studio.samples import SampleClip
from understudy.testing import portrait, portrait_path

pytestmark = pytest.mark.slow


@pytest.fixture
def studio(tmp_path):
    """Makes studios with one private folder; those that are open at the end are closed."""
    rooms = []

    def begun():
        rooms.append(Room(tmp_path, None))
        return rooms[-1]

    yield begun
    for room in rooms:
        room.close()


def allowed(room):
    """A card whose photo may be used."""
    card = room.cards.add(room.hand_over(portrait_path("hopper"), "photo", "hopper.png"))
    room.cards.grant(card.photos, ConsentClaim("sample", uses=("live",)))
    return card.id


def files(folder):
    """The photos that are kept."""
    return [*(folder / "home" / "studio" / "faces").glob("*/*.png")]


def test_it_is_there_and_chosen_in_the_next_studio_and_nothing_else_is(studio, tmp_path):
    room = studio()
    room.cards.add_sample(room.samples)
    room.cards.keep(allowed(room), kept=True)
    other = room.cards.add(room.hand_over(portrait_path("astronaut"), "photo", "astronaut.png"))
    room.cards.grant(other.photos, ConsentClaim("sample", uses=("live",)))
    box = room.cards.all()[1].photos[0].box
    room.close()

    room = studio()
    sample = SampleClip(room.samples, tmp_path / "sample.mp4")
    desk = Desk(room.app, room.uploads, room.samples, sample, tmp_path / "recordings")
    desk.begin()
    sample, card = desk.cards.all()
    assert (sample.id, card.name, card.usable("live") != ()) == ("sample", "hopper", True)
    assert card.photos[0].box == box
    assert desk.card == card.id
    assert card.photos[0].path.read_bytes() == portrait_path("hopper").read_bytes()
    assert desk.ready


def test_it_is_for_its_owner_only_and_goes_with_its_card_or_the_button(studio, tmp_path):
    room = studio()
    number = allowed(room)
    room.cards.keep(number, kept=True)
    (photo,) = files(tmp_path)
    assert stat.S_IMODE(photo.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in photo.parent.iterdir()} == {0o600}
    room.cards.keep(number, kept=False)
    assert files(tmp_path) == []
    assert not room.cards[number].kept
    room.cards.keep(number, kept=True)
    room.cards.remove(number)
    assert files(tmp_path) == []
    assert room.cards.bring_back() == []


def test_what_nobody_said_whose_it_is_is_not_kept(studio, tmp_path):
    room = studio()
    card = room.cards.add(room.hand_over(portrait_path("hopper"), "photo", "hopper.png"))
    with pytest.raises(InputNotFoundError):
        room.cards.keep(card.id, kept=True)
    assert files(tmp_path) == []


def test_it_goes_when_its_consent_is_revoked_in_this_studio_or_while_none_runs(studio, tmp_path):
    room = studio()
    number = allowed(room)
    room.cards.keep(number, kept=True)
    records = Consents(room.app.resources.home)
    records.revoke(records.all()[0].id)
    assert files(tmp_path) == []
    room.cards.look()
    assert not room.cards[number].kept
    room.cards.grant(room.cards[number].photos, ConsentClaim("sample", uses=("live",)))
    room.cards.keep(number, kept=True)
    room.close()
    records.revoke(records.all()[-1].id)
    assert files(tmp_path) == []
    room = studio()
    assert room.cards.bring_back() == []
    assert not [*(tmp_path / "home" / "studio" / "faces").iterdir()]


def test_a_photo_that_is_added_or_revoked_later_comes_and_goes_with_it(studio, tmp_path):
    room = studio()
    number = allowed(room)
    room.cards.keep(number, kept=True)
    tilted = tmp_path / "tilted.png"
    Image.fromarray(portrait("hopper")[:, :, ::-1]).rotate(8).save(tilted)
    room.cards.add_to(number, room.hand_over(tilted, "photo", "tilted.png"))
    assert len(files(tmp_path)) == 1
    room.cards.grant([room.cards[number].photos[1]], ConsentClaim("fictional", uses=("live",)))
    assert len(files(tmp_path)) == 2
    room.close()
    room = studio()
    (card,) = room.cards.bring_back()
    assert [photo.photo.name for photo in card.photos] == ["hopper.png", "tilted.png"]
    records = Consents(room.app.resources.home)
    records.revoke(next(one.id for one in records.all() if one.name == "tilted.png"))
    room.cards.look()
    assert len(files(tmp_path)) == 1
    room.close()
    (card,) = studio().cards.bring_back()
    assert [photo.photo.name for photo in card.photos] == ["hopper.png"]


@pytest.mark.parametrize(
    "said", ["", "{}", '{"version": 1, "photos": [{"file": "../x", "name": "", "box": [0,0,1,1]}]}']
)
def test_what_can_not_be_read_is_left_as_it_is_and_brings_nothing(studio, tmp_path, said):
    room = studio()
    room.cards.keep(allowed(room), kept=True)
    room.close()
    (photo,) = files(tmp_path)
    (photo.parent / "face.json").write_text(said)
    assert studio().cards.bring_back() == []
    assert (photo.parent / "face.json").read_text() == said  # a newer version's, perhaps


def test_a_photo_that_is_damaged_is_left_out(studio, tmp_path):
    room = studio()
    room.cards.keep(allowed(room), kept=True)
    room.close()
    files(tmp_path)[0].write_bytes(b"no picture")
    assert studio().cards.bring_back() == []


def ends(room, name="hopper.png"):
    """The time of a photo's consent is over."""
    Consents(room.app.resources.home).end(name)


def test_it_goes_when_the_time_of_its_consent_is_over(studio, tmp_path):
    room = studio()
    number = allowed(room)
    room.cards.keep(number, kept=True)
    ends(room)
    with pytest.raises(InputNotFoundError):
        room.cards.keep(number, kept=True)  # it is looked at anew
    assert files(tmp_path) == []
    room.cards.grant(room.cards[number].photos, ConsentClaim("sample", uses=("live",)))
    room.cards.keep(number, kept=True)
    room.close()
    ends(room)
    assert studio().cards.bring_back() == []
    assert files(tmp_path) == []


def test_of_two_photos_the_one_goes_whose_time_is_over(studio, tmp_path):
    room = studio()
    number = allowed(room)
    tilted = tmp_path / "tilted.png"
    Image.fromarray(portrait("hopper")[:, :, ::-1]).rotate(8).save(tilted)
    room.cards.add_to(number, room.hand_over(tilted, "photo", "tilted.png"))
    room.cards.grant([room.cards[number].photos[1]], ConsentClaim("fictional", uses=("live",)))
    room.cards.keep(number, kept=True)
    room.close()
    ends(room, "tilted.png")
    assert len(files(tmp_path)) == 2
    studio().cards.bring_back()
    assert len(files(tmp_path)) == 1


def test_what_another_studio_took_off_does_not_come_back(studio, tmp_path):
    one = studio()
    one.cards.keep(allowed(one), kept=True)
    other = studio()
    (card,) = other.cards.bring_back()
    one.cards.keep(one.cards.all()[0].id, kept=False)
    other.cards.grant(other.cards[card.id].photos, ConsentClaim("sample", uses=("video",)))
    assert files(tmp_path) == []
    assert not other.cards[card.id].kept


def test_that_it_can_not_be_written_is_an_error_of_ours(studio, tmp_path):
    room = studio()
    number = allowed(room)
    faces = tmp_path / "home" / "studio" / "faces"
    faces.rmdir()
    faces.write_bytes(b"")
    with pytest.raises(UnderstudyError):
        room.cards.keep(number, kept=True)
    assert not room.cards[number].kept
    faces.unlink()
    faces.mkdir(0o700)
