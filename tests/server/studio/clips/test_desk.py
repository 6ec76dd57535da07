"""The clips room without a page: what is open, and what is rendered of it."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time

import pytest
from PIL import Image

from tests.waiting import until
from understudy import ConsentClaim, Settings, Understudy
from understudy.casting.cast_file import read_cast
from understudy.errors import ConsentError, InputNotFoundError, UnderstudyError
from understudy.jobs.store import JobStore
from understudy.provenance import Consents
from understudy.provenance.records.kept_photos import are_forgotten
from understudy.server.faults import Fault
from understudy.server.studio.clips.desk import ClipsDesk
from understudy.server.studio.clips.edits import OTHERS
from understudy.server.studio.jobs.desk import JobsDesk
from understudy.server.studio.live.card import SAMPLE
from understudy.server.studio.live.cards import Cards
from understudy.server.studio.samples import SampleClip, Samples
from understudy.server.uploads import Uploads
from understudy.testing import ClipSpec, portrait, portrait_path, write_puppet_clip
from understudy.testing.demo import FACE_BOX
from understudy.testing.puppet import Puppet

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    write_puppet_clip(path, Puppet(portrait("hopper"), (320, 240), face_share=0.5), 0.4, ClipSpec(rate=25, audio=()))
    return path


class Room:
    """A desk whose sample takes as long as a gate is closed."""

    def __init__(self, folder, clip):
        self.app = Understudy(Settings(home=folder / "home"))
        studio = self.app.resources.home.folder("studio")
        self.uploads = Uploads(studio)
        self.cards = Cards(self.app, self.uploads)
        self.gate, self.asked = threading.Event(), threading.Event()

        def make(path, check):
            self.asked.set()
            self.gate.wait(30)
            shutil.copy(clip, path)

        self.samples = Samples(portrait_path("astronaut"), FACE_BOX, "Eileen Collins", make, "Grace Hopper")
        self.jobs, sample = JobsDesk(self.app), SampleClip(self.samples, studio / "sample.mp4")
        self.desk = ClipsDesk(
            self.app, self.uploads, self.cards, self.samples, sample, self.jobs, folder / "recordings"
        )

    def hand_over(self, path, kind, name):
        async def pieces():
            yield path.read_bytes()

        return asyncio.run(self.uploads.take(name, kind, pieces())).id

    def close(self):
        self.desk.close()
        self.jobs.close()
        self.app.close()
        self.uploads.close()


@pytest.fixture
def room(tmp_path, clip):
    found = Room(tmp_path, clip)
    yield found
    found.close()


def late_sample(room):
    """The sample is asked for, and takes its time."""
    opening = threading.Thread(target=room.desk.open_sample)
    opening.start()
    assert room.asked.wait(30)
    assert room.desk.opening
    return opening


def test_what_was_asked_for_last_is_open_and_what_comes_late_closes_nothing(room, clip):
    opening = late_sample(room)
    room.desk.open(room.hand_over(clip, "target", "mine.mp4"))
    until(lambda: room.desk.clip.report is not None)
    room.desk.give(1, "blur")
    room.gate.set()
    opening.join(30)
    assert (room.desk.clip.name, room.desk.clip.edits.of(1), room.desk.opening) == ("mine.mp4", "blur", False)
    assert [upload.name for upload in room.uploads.all("target")] == ["mine.mp4"]


def test_what_was_closed_while_it_was_opened_stays_closed(room):
    opening = late_sample(room)
    room.desk.close_clip()
    assert not room.desk.opening
    room.gate.set()
    opening.join(30)
    assert (room.desk.clip, room.desk.fault) == (None, None)


def given(room, clip):
    """A clip is open, and its person has a face that may be used in it: the card's id."""
    number = room.hand_over(portrait_path("hopper"), "photo", "hopper.png")
    room.cards.add(number)
    room.cards.grant(room.cards[number].photos, ConsentClaim("sample", uses=("video",)))
    room.desk.open(room.hand_over(clip, "target", "mine.mp4"))
    until(lambda: room.desk.clip.report is not None)
    room.desk.give(1, number)
    return number


def test_a_face_that_is_taken_away_elsewhere_is_given_to_nobody(room, clip):
    room.cards.add_sample(room.samples)
    number = given(room, clip)
    assert room.desk.can_render
    version = room.desk.version
    room.cards.remove(number)
    assert (room.desk.can_render, room.desk.clip.edits.of(1)) == (False, "leave")
    assert room.desk.version > version
    room.desk.give(1, SAMPLE)
    room.desk.render()
    assert (room.desk.fault, room.desk.job) == (None, 1)


def test_all_photos_of_a_face_are_in_what_is_rendered(room, clip, tmp_path):
    number = given(room, clip)
    tilted = tmp_path / "tilted.png"
    Image.fromarray(portrait("hopper")[:, :, ::-1]).rotate(8).save(tilted)
    version = room.desk.version
    assert room.cards.add_to(number, room.hand_over(tilted, "photo", "tilted.png"))
    assert room.desk.version == version  # it waits until somebody says whose it is
    room.desk.render()
    (shown,) = room.desk.jobs.jobs
    (part,) = read_cast(shown.job.order.cast).parts
    assert [path.name for path in part.gets.photos] == ["1 hopper.png"]
    room.cards.grant(room.cards[number].asked_about("video"), ConsentClaim("fictional", uses=("video",)))
    assert room.desk.version > version
    room.desk.render()
    assert (room.desk.fault, room.desk.job) == (None, 2)
    shown = next(one for one in room.desk.jobs.jobs if one.job.number == 2)
    (part,) = read_cast(shown.job.order.cast).parts
    assert [path.name for path in part.gets.photos] == ["1 hopper.png", "2 tilted.png"]
    assert all(path.is_file() for path in part.gets.photos)


def test_what_everybody_else_gets_is_in_what_is_rendered_and_who_is_left(room, clip):
    number = given(room, clip)
    room.desk.give(OTHERS, "blur")
    room.desk.render()
    (shown,) = room.desk.jobs.jobs
    cast = read_cast(shown.job.order.cast)
    assert [(part.who, part.gets.photos[0].name) for part in cast.parts] == [(1, "1 hopper.png")]
    assert cast.others == "blur"
    room.desk.give(1, "leave")
    assert not room.desk.can_render
    room.desk.give(OTHERS, number)
    assert room.desk.can_render
    room.desk.render()
    assert (room.desk.fault, room.desk.job) == (None, 2)
    shown = next(one for one in room.desk.jobs.jobs if one.job.number == 2)
    cast = read_cast(shown.job.order.cast)
    assert [(part.who, part.gets) for part in cast.parts] == [(1, "leave")]
    assert [path.name for path in cast.others.photos] == ["1 hopper.png"]
    room.cards.remove(number)
    assert (room.desk.can_render, room.desk.clip.edits.of(OTHERS)) == (False, "leave")


def test_the_same_is_done_for_other_files_with_the_one_face_there_is(room, clip, tmp_path):
    number = given(room, clip)
    room.desk.write({"blend.strength": 0.5})
    room.desk.trim(0.1, 0.3)
    still = tmp_path / "still.png"
    Image.fromarray(portrait("astronaut")[:, :, ::-1]).save(still)
    for path, name in ((clip, "Zweite: Aufnahme.mp4"), (clip, "Zweite: Aufnahme.mp4"), (still, "still.png")):
        handed = room.hand_over(path, "target", name)
        room.desk.render_alike(handed)
        with pytest.raises(UnderstudyError):
            room.uploads[handed]
    # Consent was given for clips only.
    assert room.desk.alike.count == 2
    assert room.desk.alike.refused == (Fault("fault.consent", "still.png"),)
    orders = sorted((one.job.order for one in room.desk.jobs.jobs), key=lambda one: one.output.name)
    assert [one.output.name for one in orders] == ["Zweite Aufnahme swapped 2.mp4", "Zweite Aufnahme swapped.mp4"]
    for order in orders:
        assert order.target.read_bytes() == clip.read_bytes()
        assert [path.name for path in order.photos] == ["1 hopper.png"]
        assert order.settings == {"blend.strength": 0.5}
    room.cards.grant([room.cards[number].photos[0]], ConsentClaim("fictional", uses=("image", "video")))
    room.desk.render_alike(room.hand_over(still, "target", "still.png"))
    assert (len(room.desk.alike.refused), room.desk.alike.count) == (1, 3)
    assert (tmp_path / "recordings" / "still swapped.png") in [one.job.order.output for one in room.desk.jobs.jobs]
    room.cards.add_sample(room.samples)
    room.desk.give(OTHERS, SAMPLE)
    assert room.desk.only_face is None
    room.desk.render_alike(room.hand_over(clip, "target", "more.mp4"))
    assert room.desk.alike.refused[-1] == Fault("fault.usage", "more.mp4")
    assert room.desk.alike.count == 3
    room.desk.close_clip()
    assert (room.desk.alike.count, room.desk.alike.refused) == (0, ())


def test_what_is_no_clip_or_gone_does_not_become_a_job(room, clip, tmp_path):
    given(room, clip)
    (tmp_path / "notes.mp4").write_bytes(b"these are notes" * 1000)
    room.desk.render_alike(room.hand_over(tmp_path / "notes.mp4", "target", "notes.mp4"))
    assert room.desk.alike.refused == (Fault("fault.no_target", "notes.mp4"),)
    room.desk.render_alike("0" * 32)
    assert len(room.desk.alike.refused) == 2
    assert room.desk.alike.count == 0
    assert not room.desk.jobs.jobs


def test_a_frame_that_is_asked_for_when_its_clip_was_put_away_is_gone(room, clip):
    given(room, clip)
    frames, cast = room.desk.clip.frames, room.desk.cast()
    assert frames.original(0.1)
    room.desk.close_clip()
    with pytest.raises(InputNotFoundError):
        frames.original(0.2)
    with pytest.raises(InputNotFoundError):
        frames.swapped(0.2, 1, cast, room.desk.settings, lambda: True)


def test_two_that_are_rendered_at_once_get_names_of_their_own(room, clip, monkeypatch):
    given(room, clip)
    look = room.jobs.look

    def slow():
        time.sleep(0.3)
        look()

    monkeypatch.setattr(room.jobs, "look", slow)
    handed = [room.hand_over(clip, "target", "take.mp4") for _ in range(2)]
    threads = [threading.Thread(target=room.desk.render_alike, args=(number,)) for number in handed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = sorted(one.job.order.output.name for one in room.desk.jobs.jobs)
    assert names == ["take swapped 2.mp4", "take swapped.mp4"]


def test_a_name_is_not_used_again_for_what_was_moved_away(room, clip):
    given(room, clip)
    room.jobs.runner.close()
    room.desk.render()
    store = JobStore(room.app.resources.home)
    with store.runner() as name:
        assert store.end(store.claim(name), "done")  # its file lies elsewhere by now
    room.jobs.look()
    room.desk.render()
    assert sorted(one.job.order.output.name for one in room.jobs.jobs) == ["mine swapped 2.mp4", "mine swapped.mp4"]


def test_what_does_not_go_together_is_said_before_a_job_comes_of_it(room, clip):
    room.cards.add_sample(room.samples)
    room.desk.open(room.hand_over(clip, "target", "mine.mp4"))
    until(lambda: room.desk.clip.report is not None)
    room.desk.give(1, SAMPLE)
    room.desk.write({"compare": "wipe", "frame.shape": "9:16"})
    room.desk.render()
    assert (room.desk.fault.text, room.desk.job) == ("fault.usage", 0)
    room.desk.write({"frame.shape": "as-is"})
    room.desk.add_stretch(0.1)
    room.desk.do_in_stretch("blur")
    room.desk.render()
    assert (room.desk.fault.text, room.desk.job) == ("fault.usage", 0)
    room.desk.write({"compare": "no"})
    room.desk.render()
    assert (room.desk.fault, room.desk.job) == (None, 1)


def test_a_look_that_fails_in_a_library_is_said_and_over(room, clip, monkeypatch):
    def broken(*_, **__):
        raise ValueError("not enough values to unpack")

    monkeypatch.setattr(room.app, "people", broken)
    room.desk.open(room.hand_over(clip, "target", "mine.mp4"))
    until(lambda: room.desk.clip.phase == "failed")
    assert room.desk.fault == Fault("fault.unexpected", "ValueError: not enough values to unpack")


def test_words_shape_and_format_of_one_clip_do_not_go_onto_the_next(room, clip, tmp_path):
    moving = tmp_path / "moving.gif"
    shots = [Image.fromarray(portrait(name)[:300, :300, ::-1]) for name in ("hopper", "astronaut")]
    shots[0].save(moving, save_all=True, append_images=shots[1:], duration=100)
    room.desk.open(room.hand_over(moving, "target", "moving.gif"))
    assert room.desk.format == ".gif"
    room.desk.write({"frame.caption": "Of this one", "frame.shape": "9:16", "blend.strength": 0.5})
    room.desk.open(room.hand_over(clip, "target", "mine.mp4"))
    assert (room.desk.format, room.desk.settings.frame) == (".mp4", room.app.settings.frame)
    assert room.desk.settings.blend.strength == 0.5
    room.desk.write({"compare": "wipe"})
    room.desk.format = ".webm"
    room.desk.close_clip()
    room.desk.open(room.hand_over(clip, "target", "next.mp4"))
    assert (room.desk.format, room.desk.settings.compare) == (".mp4", "no")


def test_a_stretch_is_as_large_as_all_of_the_clip(room, clip):
    room.desk.open(room.hand_over(clip, "target", "mine.mp4"))
    until(lambda: room.desk.clip.report is not None)
    room.desk.write({"enhance.steps": ["real_esrgan_x2", "sharpen"]})
    room.desk.add_stretch(0.1)
    room.desk.change({"enhance.steps": ["denoise", "real_esrgan_x4"]})
    assert room.desk.fault is None
    (lane,) = room.desk.asked.lanes
    assert lane.values["enhance.steps"] == ("real_esrgan_x2", "denoise")


def test_a_face_that_may_be_used_no_more_is_not_rendered(room, clip):
    given(room, clip)
    records = Consents(room.app.resources.home)
    records.revoke(records.all()[0].id)
    room.cards.look()
    room.desk.render()
    assert (room.desk.fault.text, room.desk.job) == ("fault.consent", 0)


def test_a_job_that_waits_keeps_no_photo_that_may_be_used_no_more(room, clip):
    given(room, clip)
    room.desk.render()
    job = next(one.job for one in room.jobs.jobs)
    folder = job.order.target.parent
    assert len(list(folder.glob("1 *.*"))) == 1
    assert not are_forgotten(folder)
    records = Consents(room.app.resources.home)
    records.revoke(records.all()[0].id)
    assert list(folder.glob("1 *.*")) == []
    assert job.order.target.is_file()
    assert are_forgotten(folder)


def test_a_face_that_may_be_used_no_more_is_said_where_it_is_seen(room, clip):
    given(room, clip)
    assert room.desk.cast() is not None
    records = Consents(room.app.resources.home)
    records.revoke(records.all()[0].id)
    room.cards.look()
    with pytest.raises(ConsentError):
        room.desk.cast()


def test_a_clip_that_is_damaged_further_on_can_be_used_up_to_there(room, tmp_path):
    damaged = tmp_path / "damaged.mkv"
    write_puppet_clip(damaged, Puppet(portrait("hopper"), (320, 240), face_share=0.5), 2.0, ClipSpec(rate=25))
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size * 2 // 3])
    room.desk.open(room.hand_over(damaged, "target", "mine.mkv"))
    until(lambda: room.desk.clip.phase == "ready")
    assert room.desk.fault.text == "fault.damaged"
    assert room.desk.fault.detail.startswith("mine.mkv is damaged after ")
    assert len(room.desk.clip.report.people) == 1
