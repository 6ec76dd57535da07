"""What somebody was at work on is there in the next studio: after an end, and after a kill."""

from __future__ import annotations

import json
import shutil
import signal
import stat
import subprocess
import sys
import threading

import pytest
from PIL import Image

from tests.server.studio.clips.test_desk import Room, given
from tests.waiting import until
from understudy import ConsentClaim
from understudy.provenance import Consents
from understudy.server.faults import Fault
from understudy.server.studio.clips.edits import OTHERS, Edit
from understudy.testing import ClipSpec, portrait, portrait_path, write_puppet_clip
from understudy.testing.puppet import Puppet

pytestmark = pytest.mark.slow

#: Opens a clip in a studio of its own, decides something, and is killed when that is kept.
_KILLED = """
import os, signal, sys
from pathlib import Path
from tests.server.studio.clips.test_desk import Room, given
from tests.waiting import until
folder, clip = map(Path, sys.argv[1:])
room = Room(folder, clip)
room.desk.begin()
given(room, clip)
room.desk.trim(0.1, 0.3)
edits = folder / "home" / "studio" / "edits"
until(lambda: any('"start": 0.1' in one.read_text() for one in edits.glob("*/edit.json")))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    write_puppet_clip(path, Puppet(portrait("hopper"), (320, 240), face_share=0.5), 0.4, ClipSpec(rate=25, audio=()))
    return path


@pytest.fixture
def studio(tmp_path, clip):
    """Makes studios with one private folder; those that are open at the end are closed."""
    rooms = []

    def begun():
        rooms.append(Room(tmp_path, clip))
        rooms[-1].desk.begin()
        return rooms[-1]

    yield begun
    for room in rooms:
        room.close()


def kept(folder):
    """The one edit that is kept: its folder."""
    (found,) = (folder / "home" / "studio" / "edits").iterdir()
    return found


def files(folder, name):
    """The files of a name in all that is kept."""
    return [*(folder / "home" / "studio" / "edits").glob(f"*/{name}")]


def gone_on(room):
    """The one edit there is is open, and its people are known."""
    (one,) = room.desk.keeper.others
    room.desk.go_on(one.id)
    until(lambda: room.desk.clip.report is not None)
    return room.desk


def rendered(room):
    """What was decided is in a finished file."""
    room.desk.render()
    assert room.desk.fault is None
    until(lambda: room.jobs.look() or room.jobs.shown(room.desk.job).job.state == "done", 60)


def ended(room, *, finished=False):
    """Something was decided, and the studio was ended."""
    if finished:
        rendered(room)
    decided = room.desk.clip.edits.now
    room.close()
    return decided


def test_all_that_was_decided_is_there_in_the_next_studio_and_can_be_rendered(studio, clip, tmp_path):
    room = studio()
    given(room, clip)
    room.desk.give(OTHERS, "blur")
    room.desk.trim(0.1, 0.35)
    room.desk.add_stretch(0.2)
    room.desk.change({"blend.strength": 0.5})
    room.desk.stretch = None
    room.desk.change({"blend.strength": 0.75})
    room.desk.format, room.desk.seconds = ".webm", 0.2
    before = ended(room)

    room = studio()
    (one,) = room.desk.keeper.others
    assert (one.name, one.given, one.stretches) == ("mine.mp4", 2, 1)
    desk = gone_on(room)
    (card,) = room.cards.all()
    assert (desk.clip.name, desk.format, desk.seconds) == ("mine.mp4", ".webm", 0.2)
    assert desk.clip.edits.now.given == {1: card.id, OTHERS: "blur"}
    assert (desk.clip.edits.now.trim, desk.clip.edits.now.stretches) == (before.trim, before.stretches)
    assert desk.settings.blend.strength == 0.75
    assert desk.decided_since
    assert desk.keeper.others == ()  # it is open
    desk.render()
    assert (desk.fault, desk.job) == (None, 1)
    desk.undo()
    assert desk.clip.edits.now == Edit()


def test_what_was_decided_is_there_after_a_kill(studio, clip, tmp_path):
    done = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path), str(clip)], timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    desk = gone_on(studio())
    assert desk.clip.edits.now.trim.since == 0.1
    assert desk.can_render


def test_it_is_for_its_owner_only_and_no_embeddings_are_in_it(studio, clip, tmp_path):
    room = studio()
    given(room, clip)
    ended(room)
    folder = kept(tmp_path)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    said = json.loads((folder / "edit.json").read_text())
    assert {*said["people"]["1"]} == {"center", "size", "first_seconds"}


def test_what_another_studio_has_open_is_not_gone_on_with_or_forgotten(studio, clip, tmp_path):
    one = studio()
    given(one, clip)
    until(lambda: files(tmp_path, "edit.json"))
    other = studio()
    assert other.desk.keeper.others == ()
    number = kept(tmp_path).name
    other.desk.forget(number)
    other.desk.go_on(number)
    assert (other.desk.clip, other.desk.fault) == (None, Fault("fault.not_here"))
    one.close()
    other.desk.keeper.look()
    assert gone_on(other).can_render


def test_another_file_keeps_what_is_in_no_render_and_nothing_else(studio, clip, tmp_path):
    room = studio()
    room.desk.open(room.hand_over(clip, "target", "mine.mp4"))
    room.desk.close_clip()
    assert room.desk.keeper.others == ()
    given(room, clip)
    room.desk.close_clip()
    assert [one.name for one in room.desk.keeper.others] == ["mine.mp4"]
    gone_on(room)
    rendered(room)
    room.desk.close_clip()
    assert room.desk.keeper.others == ()
    assert not [*(tmp_path / "home" / "studio" / "edits").iterdir()]


def test_what_was_rendered_and_is_open_when_the_studio_ends_is_there_too_and_is_not_asked_about(studio, clip):
    room = studio()
    given(room, clip)
    ended(room, finished=True)
    desk = gone_on(studio())
    assert desk.can_render
    assert not desk.decided_since


@pytest.mark.parametrize("cancelled", [True, False], ids=["cancelled", "revoked"])
def test_what_was_ordered_and_never_finished_is_kept(studio, clip, cancelled):
    room = studio()
    given(room, clip)
    room.jobs.runner.close()  # so that the job waits
    room.desk.render()
    assert room.desk.decided_since
    if cancelled:
        room.jobs.do("cancel", room.desk.job)
    else:
        records = Consents(room.app.resources.home)
        records.revoke(records.all()[0].id)
        room.app.jobs.run()
        room.jobs.look()
    assert room.jobs.shown(room.desk.job).job.state == ("cancelled" if cancelled else "failed")
    assert room.desk.decided_since
    room.desk.close_clip()
    assert [one.name for one in room.desk.keeper.others] == ["mine.mp4"]


def test_who_is_taken_back_is_not_kept(studio, clip, tmp_path):
    room = studio()
    given(room, clip)
    until(lambda: files(tmp_path, "edit.json"))
    room.desk.undo()
    until(lambda: not [*(tmp_path / "home" / "studio" / "edits").iterdir()])
    ended(room)
    assert studio().desk.keeper.others == ()


def test_a_photo_goes_when_its_consent_is_revoked_and_that_is_said(studio, clip, tmp_path):
    room = studio()
    given(room, clip)
    room.desk.give(OTHERS, "blur")
    ended(room)
    room = studio()
    assert len(files(tmp_path, "*.png")) == 1
    records = Consents(room.app.resources.home)
    records.revoke(records.all()[0].id)
    assert not files(tmp_path, "*.png")
    desk = gone_on(room)
    assert desk.fault == Fault("fault.kept_face_gone")
    assert desk.clip.edits.now.given == {OTHERS: "blur"}
    assert room.cards.all() == ()


def test_a_photo_that_is_revoked_while_it_is_open_is_not_kept(studio, clip, tmp_path):
    room = studio()
    given(room, clip)
    until(lambda: files(tmp_path, "edit.json"))
    records = Consents(room.app.resources.home)
    records.revoke(records.all()[0].id)
    room.cards.look()
    ended(room)
    assert not files(tmp_path, "*.png")


def test_a_face_that_is_here_already_is_not_there_twice(studio, clip):
    room = studio()
    given(room, clip)
    ended(room)
    room = studio()
    card = room.cards.add(room.hand_over(portrait_path("hopper"), "photo", "hopper.png"))
    assert gone_on(room).clip.edits.of(1) == card.id
    assert len(room.cards.all()) == 1


def test_all_photos_of_a_face_come_back_but_those_of_which_nobody_said_whose_they_are(studio, clip, tmp_path):
    room = studio()
    number = given(room, clip)
    for degrees in (8, -8):
        tilted = tmp_path / f"tilted {degrees}.png"
        Image.fromarray(portrait("hopper")[:, :, ::-1]).rotate(degrees).save(tilted)
        room.cards.add_to(number, room.hand_over(tilted, "photo", tilted.name))
    room.cards.grant([room.cards[number].photos[1]], ConsentClaim("fictional", uses=("video",)))
    ended(room)
    room = studio()
    gone_on(room)
    assert [photo.photo.name for photo in room.cards.all()[0].photos] == ["hopper.png", "tilted 8.png"]


def changed(folder, change):
    path = kept(folder) / "edit.json"
    said = json.loads(path.read_text())
    change(said)
    path.write_text(json.dumps(said))


def test_where_somebody_else_has_the_number_nobody_gets_the_face_and_that_is_said(studio, clip, tmp_path):
    room = studio()
    given(room, clip)
    room.desk.trim(0.1, 0.3)
    ended(room)
    was = json.loads(files(tmp_path, "edit.json")[0].read_text())["people"]["1"]["center"]
    changed(tmp_path, lambda said: said["people"]["1"].update(center=[0.1, 0.1]))
    room = studio()
    desk = gone_on(room)
    assert desk.fault == Fault("fault.other_people")
    assert desk.clip.edits.now.given == {}
    assert desk.clip.edits.now.trim.since == 0.1
    # Nothing of what is kept goes by itself, for another version may find them again.
    room.close()
    changed(tmp_path, lambda said: said["people"]["1"].update(center=was))
    assert gone_on(studio()).can_render


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.update(version=2),
        lambda said: said.update(file="../../consents.sqlite"),
        lambda said: said["faces"][0]["photos"][0].update(file="../../consents.sqlite"),
        lambda said: said.update(given={"one": "blur"}),
        lambda said: said.update(stretches=[{"start": 1}, {"start": "x"}]),
        lambda said: said.update(stretches=[{"start": 0.0, "end": 0.3}, {"start": 0.1}]),
        lambda said: said.update(start=0.3, end=0.1),
        lambda said: said.pop("faces"),
    ],
    ids=[
        *("of another version", "another file", "another photo", "no number", "no stretch"),
        *("stretches that overlap", "no part", "a part lacks"),
    ],
)
def test_what_can_not_be_read_is_shown_without_a_name_and_can_be_forgotten(studio, clip, tmp_path, change):
    room = studio()
    given(room, clip)
    ended(room)
    changed(tmp_path, change)
    desk = studio().desk
    (one,) = desk.keeper.others
    assert one.name == ""
    desk.go_on(one.id)
    assert (desk.clip, desk.fault) == (None, Fault("fault.not_here"))
    desk.forget(one.id)
    assert desk.keeper.others == ()
    assert not [*(tmp_path / "home" / "studio" / "edits").iterdir()]


def test_settings_that_there_are_no_more_are_said_and_the_rest_is_as_it_was(studio, clip, tmp_path):
    room = studio()
    given(room, clip)
    ended(room)
    changed(tmp_path, lambda said: said.update(settings={"blend.magic": 1}))
    desk = gone_on(studio())
    assert desk.fault.text == "fault.usage"
    assert desk.can_render


def test_what_can_not_be_kept_is_said_once_and_work_goes_on(studio, clip, tmp_path):
    room = studio()
    edits = tmp_path / "home" / "studio" / "edits"
    shutil.rmtree(edits)
    edits.write_bytes(b"")
    given(room, clip)
    until(lambda: room.desk.fault is not None)
    room.desk.fault = None
    room.desk.trim(0.1, 0.3)
    room.desk.keeper.keep()
    assert room.desk.fault is None
    assert room.desk.can_render
    edits.unlink()
    edits.mkdir(0o700)
    until(lambda: [*edits.glob("*/edit.json")])


def test_a_second_press_opens_it_once_and_loses_nothing(studio, clip):
    room = studio()
    given(room, clip)
    ended(room)
    desk = studio().desk
    (one,) = desk.keeper.others
    threads = [threading.Thread(target=desk.go_on, args=(one.id,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert desk.clip is not None or [kept.id for kept in desk.keeper.others] == [one.id]


def test_what_was_taken_back_after_going_on_is_there_the_next_time(studio, clip):
    room = studio()
    given(room, clip)
    ended(room)
    room = studio()
    desk = gone_on(room)
    desk.undo()
    desk.keeper.keep()
    room.close()
    assert gone_on(studio()).can_render


def test_a_look_that_is_in_no_render_is_kept(studio, clip):
    room = studio()
    given(room, clip)
    room.desk.render()
    room.desk.change({"blend.strength": 0.5})
    assert room.desk.decided_since
    room.desk.close_clip()
    assert len(room.desk.keeper.others) == 1
    assert gone_on(room).settings.blend.strength == 0.5


def test_a_photo_that_is_the_samples_too_is_a_card_of_its_own(studio, clip, tmp_path):
    room = studio()
    number = room.cards.add(room.hand_over(portrait_path("astronaut"), "photo", "mine.png")).id
    room.cards.grant(room.cards[number].photos, ConsentClaim("sample", uses=("video",)))
    tilted = tmp_path / "tilted.png"
    Image.fromarray(portrait("astronaut")[:, :, ::-1]).rotate(8).save(tilted)
    room.cards.add_to(number, room.hand_over(tilted, "photo", "tilted.png"))
    room.cards.grant([room.cards[number].photos[1]], ConsentClaim("fictional", uses=("video",)))
    room.desk.open(room.hand_over(clip, "target", "mine.mp4"))
    until(lambda: room.desk.clip.report is not None)
    room.desk.give(1, number)
    ended(room)
    room = studio()
    room.cards.add_sample(room.samples)
    assert gone_on(room).can_render
    assert [len(card.photos) for card in room.cards.all()] == [1, 2]


def test_what_was_decided_after_going_on_and_taken_back_is_not_there_the_next_time(studio, clip):
    room = studio()
    given(room, clip)
    ended(room)
    room = studio()
    desk = gone_on(room)
    for gets in ("blur", "leave"):
        desk.give(OTHERS, gets)
        desk.keeper.keep()
    room.close()
    assert {*gone_on(studio()).clip.edits.now.given} == {1}
