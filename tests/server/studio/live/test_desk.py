"""The live room without a page: sessions between what is chosen, and what is seen of them."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
import time
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from tests.evidence import has_label
from tests.waiting import until
from understudy import Settings, Understudy
from understudy.errors import InputNotFoundError, RecordsError, UnderstudyError
from understudy.media.live.microphone import Microphone
from understudy.media.reading import open_container
from understudy.pipeline.live import LivePipeline
from understudy.provenance import ConsentClaim, Consents
from understudy.resources.models import Models
from understudy.server.faults import Fault
from understudy.server.studio.live import beginning as module
from understudy.server.studio.live.card import SAMPLE
from understudy.server.studio.live.choices import CameraFormat, Origin, Outputs
from understudy.server.studio.live.desk import Desk
from understudy.server.studio.live.several import Several
from understudy.server.studio.samples import SampleClip, Samples
from understudy.server.uploads import Uploads
from understudy.testing import ClipSpec, write_clip, write_puppet_clip
from understudy.testing.demo import FACE_BOX
from understudy.testing.situations import PEOPLE

pytestmark = pytest.mark.slow


async def pieces(data):
    yield data


class Room:
    """A desk, and all that its preview was given."""

    def __init__(self, folder, astronaut_path, clip):
        self.app = Understudy(Settings(home=folder / "home"))
        self.uploads = Uploads(self.app.resources.home.folder("studio"))
        samples = Samples(
            astronaut_path, FACE_BOX, "Eileen Collins", lambda path, check: shutil.copy(clip, path), "Grace Hopper"
        )
        self.recordings = folder / "recordings"
        self.desk = Desk(
            self.app, self.uploads, samples, SampleClip(samples, folder / "home/studio/sample.mp4"), self.recordings
        )
        self.frames = []
        offer = self.desk.preview.offer

        def noted(frame, captured):
            self.frames.append(frame.picture)
            offer(frame, captured)

        self.desk.preview.offer = noted
        self.desk.begin()

    def hand_over(self, path, kind="photo", name=None):
        return asyncio.run(self.uploads.take(name or path.name, kind, pieces(path.read_bytes()))).id

    def allowed(self, path):
        """A card of a photo that may be used live."""
        number = self.hand_over(path)
        self.desk.cards.add(number)
        self.desk.cards.grant(self.desk.cards[number].photos, ConsentClaim("sample", uses=("live",)))
        return number

    def swapped(self):
        found = self.desk.statistics()
        return 0 if found is None else found.frames_swapped

    def close(self):
        self.desk.stop()
        self.app.close()
        self.uploads.close()


@pytest.fixture
def room(tmp_path, astronaut_path, small_clip):
    before = set(threading.enumerate())
    found = Room(tmp_path, astronaut_path, small_clip)
    yield found
    found.close()
    until(lambda: not {t.name for t in set(threading.enumerate()) - before} & {"follow", "swap", "capture"}, 20)


@pytest.fixture(scope="module")
def raw(small_clip):
    """The clip's own frames, uint8 BGR."""
    return frames_of(small_clip)


def frames_of(clip):
    """A clip's own frames, uint8 BGR."""
    with open_container(clip) as source:
        return [frame.to_ndarray(format="bgr24") for frame in source.decode(video=0)]


def likeness(frame, raw):
    """How far a frame is from the nearest of the clip's own, in the middle of the face."""
    height, width = frame.shape[:2]
    part = np.s_[height // 4 : height * 3 // 4, width * 2 // 5 : width * 3 // 5]
    return min(float(np.abs(frame[part].astype(np.int16) - one[part]).mean()) for one in raw)


def test_the_first_start_needs_nothing_but_a_start(room, raw):
    assert (room.desk.phase, room.desk.ready, room.desk.card) == ("idle", True, SAMPLE)
    room.desk.start()
    assert (room.desk.phase, room.desk.faults) == ("live", {})
    until(lambda: room.swapped() > 10)
    room.desk.stop()
    assert room.desk.phase == "idle"
    assert all(has_label(frame) for frame in room.frames[-5:])
    assert min(likeness(frame, raw) for frame in room.frames) > 3


def test_what_is_seen_is_never_the_raw_face_whatever_is_changed_over(room, raw, hopper_path):
    """Another face that the session knows, one that it does not know, and a new start."""
    # The clip's own face cannot be told from the raw one: another picture of the sample's is the second face.
    second = room.hand_over(room.desk.cards[SAMPLE].photos[0].path, name="twin.png")
    room.desk.cards.add(second)
    room.desk.cards.grant(room.desk.cards[second].photos, ConsentClaim("fictional", uses=("live",)))
    room.desk.start()
    until(lambda: room.swapped() > 5)
    begun = room.desk.seconds
    room.desk.choose(second)
    assert room.desk.card == second
    assert room.desk.seconds > begun  # the same session
    count = len(room.frames)
    until(lambda: len(room.frames) > count + 5)
    third = room.hand_over(room.desk.cards[SAMPLE].photos[0].path, name="third.png")
    room.desk.cards.add(third)
    room.desk.choose(third)
    assert (room.desk.card, room.desk.phase) == (third, "live")
    until(lambda: room.swapped() > 5)
    room.desk.restart()
    until(lambda: room.swapped() > 5)
    assert min(likeness(frame, raw) for frame in room.frames) > 3


def test_a_face_is_not_used_before_somebody_said_whose_it_is(room, hopper_path, tmp_path):
    portrait = tmp_path / "grandma.png"
    picture = cv2.imread(str(hopper_path))
    cv2.imwrite(str(portrait), picture[:, ::-1])
    number = room.hand_over(portrait)
    card = room.desk.cards.add(number)
    assert (card.name, card.usable("live")) == ("grandma", ())
    room.desk.choose(number)
    assert room.desk.card == SAMPLE
    assert Consents(room.app.resources.home).all() == []
    room.desk.cards.grant(room.desk.cards[number].photos, ConsentClaim("granted", "by letter", ("live",), 30))
    assert room.desk.cards[number].usable("live")
    room.desk.choose(number)
    assert room.desk.card == number
    (record,) = Consents(room.app.resources.home).all()
    assert (record.ground, record.note, record.uses, record.name) == ("granted", "by letter", ("live",), "grandma.png")
    Consents(room.app.resources.home).revoke(record.id)
    room.desk.start()
    assert (room.desk.phase, room.desk.faults["faces"].text) == ("idle", "fault.consent")
    assert not room.desk.cards[number].usable("live")
    assert not room.desk.ready


def test_cards_keep_up_with_records_that_were_busy_at_first(room, hopper_path, monkeypatch):
    number = room.hand_over(hopper_path)
    room.desk.cards.add(number)
    room.desk.cards.grant(room.desk.cards[number].photos, ConsentClaim("sample", uses=("live",)))
    records = Consents(room.app.resources.home)
    records.revoke(records.all()[0].id)
    with monkeypatch.context() as busy, pytest.raises(RecordsError):
        busy.setattr(Consents, "all", lambda _: (_ for _ in ()).throw(RecordsError("busy", "Wait.")))
        room.desk.cards.keep_up()
    room.desk.cards.keep_up()
    assert not room.desk.cards[number].usable("live")


def test_whose_consent_is_revoked_is_not_seen_while_the_recording_is_signed(room, hopper_path):
    number, clear, growing = room.allowed(hopper_path), room.desk.preview.clear, []
    room.desk.choose(number)
    room.desk.outputs = Outputs(recording=True)
    room.desk.start()
    until(lambda: room.swapped() > 5)

    def cleared():
        growing.append(room.desk.phase == "live" and room.desk.recordings.all == ())
        clear()

    room.desk.preview.clear = cleared
    records = Consents(room.app.resources.home)
    records.revoke(next(one.id for one in records.all() if "hopper" in one.name))
    until(lambda: room.desk.phase == "idle")
    assert growing[0]
    assert room.desk.faults["faces"].text == "fault.consent"


def test_consent_for_pictures_is_none_for_live(room, hopper_path):
    number = room.hand_over(hopper_path)
    room.desk.cards.add(number)
    room.desk.cards.grant(room.desk.cards[number].photos, ConsentClaim("sample", uses=("image",)))
    assert not room.desk.cards[number].usable("live")


def test_a_photo_without_a_face_is_no_card_and_not_kept(room, tmp_path, blank):
    cv2.imwrite(str(tmp_path / "wall.png"), blank)
    number = room.hand_over(tmp_path / "wall.png")
    with pytest.raises(UnderstudyError, match="no face"):
        room.desk.cards.add(number)
    assert [card.id for card in room.desk.cards.all()] == [SAMPLE]
    assert room.uploads.all("photo") == []


def test_a_card_that_is_taken_away_is_gone_with_its_photo(room, hopper_path):
    number = room.hand_over(hopper_path)
    path = room.desk.cards.add(number).photos[0].path
    room.desk.cards.grant(room.desk.cards[number].photos, ConsentClaim("sample"))
    room.desk.choose(number)
    room.desk.cards.remove(number)
    assert not path.exists()
    assert room.desk.card == SAMPLE


def detail(picture):
    """How much there is to see, away from the label."""
    return float(np.abs(np.diff(picture[:150].astype(np.int16), axis=1)).mean())


def test_cover_covers_at_once_and_goes_with_the_session(room):
    room.desk.start()
    until(lambda: room.swapped() > 5)
    plain = detail(room.frames[-1])
    room.desk.cover(True)
    count = len(room.frames)
    until(lambda: len(room.frames) > count + 5)
    assert all(detail(frame) < plain / 2 for frame in room.frames[count + 2 :])
    room.desk.restart()  # who is covered stays so
    count = len(room.frames)
    until(lambda: len(room.frames) > count + 5)
    assert all(detail(frame) < plain / 2 for frame in room.frames[count:])
    room.desk.stop()
    assert not room.desk.covered


def test_who_covers_while_it_starts_is_covered_from_the_first_picture_on(room, slow_start):
    go_on = slow_start()
    room.desk.cover(True)
    go_on()
    until(lambda: len(room.frames) > 5)
    room.desk.cover(False)
    count = len(room.frames)
    until(lambda: len(room.frames) > count + 5)
    assert max(detail(frame) for frame in room.frames[:5]) < detail(room.frames[-1]) / 2


def test_a_start_that_fails_leaves_nobody_covered(room, slow_start):
    room.desk.origin = Origin("camera", "4242")
    go_on = slow_start()
    room.desk.cover(True)
    go_on()
    assert (room.desk.phase, room.desk.covered) == ("idle", False)


def test_a_recording_is_made_signed_and_to_be_had(room):
    room.desk.outputs = Outputs(recording=True)
    room.desk.start()
    until(lambda: room.swapped() > 5)
    assert until(lambda: room.desk.sinks()["recording"].doing == "open")
    room.desk.stop()
    (recording,) = room.desk.recordings.all
    assert recording.path.parent == room.recordings
    assert recording.path.name.startswith("Understudy 20")
    assert room.app.inspect(recording.path).verdict == "made by this tool"
    room.desk.start()
    until(lambda: room.swapped() > 1)
    room.desk.stop()
    assert len({one.path for one in room.desk.recordings.all}) == 2


@pytest.mark.parametrize("place", ["4242", "/dev/video4242"])
def test_a_camera_that_is_not_there_is_said_where_cameras_are_chosen(room, place):
    room.desk.origin = Origin("camera", place)
    room.desk.start()
    assert room.desk.phase == "idle"
    assert room.desk.faults["source"].text == "fault.camera"


@pytest.mark.parametrize(
    "word", ["", "/etc/passwd", "-", "0", "clip.mp4", "file:///etc/passwd", "concat:a|b", "http://"]
)
def test_no_page_names_a_file_as_a_stream(room, word):
    room.desk.origin = Origin("stream", word)
    room.desk.start()
    assert (room.desk.phase, room.desk.faults["source"].text) == ("idle", "fault.stream")


@pytest.mark.parametrize("word", ["", "out.mp4", "/tmp/out.mp4", "-", "window", "file:///tmp/out.mp4", "../x.mov"])
def test_no_page_names_a_file_to_write(room, tmp_path, word):
    room.desk.outputs = Outputs(stream=True, address=word)
    room.desk.start()
    assert (room.desk.phase, room.desk.faults["outputs"].text) == ("idle", "fault.usage")


def test_a_stream_key_is_in_no_fault(room):
    room.desk.outputs = Outputs(stream=True, address="ftp://host/app", key="verysecret")
    room.desk.start()
    assert "verysecret" not in str(room.desk.faults)
    room.desk.outputs = Outputs(stream=True, address="udp://127.0.0.1:9", key="")
    room.desk.start()
    until(lambda: room.desk.sinks()["stream"].doing == "open")


def test_a_folder_that_cannot_be_made_is_said(room):
    room.recordings.write_text("a file")
    room.desk.outputs = Outputs(recording=True)
    room.desk.start()
    assert room.desk.phase == "idle"
    assert room.desk.faults["outputs"].text == "fault.output"


def test_an_output_that_is_not_reached_is_said_with_its_reason_while_it_runs_and_at_the_end(room):
    room.desk.outputs = Outputs(stream=True, address="rtmp://127.0.0.1:1/live", key="k")
    room.desk.start()
    until(lambda: room.desk.sinks()["stream"].reason)
    state = room.desk.sinks()["stream"]
    assert (state.doing, state.reached) == ("opening", False)
    assert "Connection refused" in state.reason
    room.desk.stop()
    assert room.desk.faults["outputs"] == Fault("fault.never_reached", f"{state.name}: {state.reason}")


def test_what_runs_goes_on_where_a_restart_can_not_be(room):
    room.desk.start()
    until(lambda: room.swapped() > 1)
    room.desk.outputs = Outputs(stream=True, address="live.example.org/app")
    room.desk.restart()
    assert room.desk.phase == "live"
    assert "nothing like rtmp://" in room.desk.faults["outputs"].detail
    count = room.swapped()
    until(lambda: room.swapped() > count or room.swapped() > 5)
    assert (room.desk.stale, room.desk.sinks()) == (True, {})


def test_who_is_covered_stays_so_where_a_restart_can_not_be(room, monkeypatch):
    room.desk.start()
    until(lambda: room.swapped() > 5)
    plain, phases = detail(room.frames[-1]), []
    made = module.SessionMaker.made

    def noted(maker, choice):
        phases.append(room.desk.phase)
        return made(maker, choice)

    monkeypatch.setattr(module.SessionMaker, "made", noted)
    room.desk.cover(True)
    room.desk.outputs = Outputs(stream=True, address="live.example.org/app")
    room.desk.restart()
    assert (phases, room.desk.phase, room.desk.covered) == (["changing", "changing"], "live", True)
    count = len(room.frames)
    until(lambda: len(room.frames) > count + 5)
    assert all(detail(frame) < plain / 2 for frame in room.frames[count:])


def test_the_face_that_was_put_on_since_comes_back_where_a_restart_can_not_be(room, hopper_path, made):
    other = room.allowed(hopper_path)
    room.desk.start()
    room.desk.choose(other)
    until(lambda: room.swapped() > 3)
    room.desk.outputs = Outputs(stream=True, address="live.example.org/app")
    room.desk.restart()
    until(lambda: room.swapped() > 3)
    one = made[-1]
    assert one.cast[one.session.identity].photos == room.desk.cards[other].person("live").photos
    room.desk.stop()
    room.desk.start()  # which fails: nothing is on air then
    assert (room.desk.phase, room.desk.stale) == ("idle", False)
    room.desk.cards.remove(other)
    assert (room.desk.card, room.desk.ready) == (SAMPLE, True)


def test_what_ran_goes_on_with_its_own_face_where_several_can_not_begin(room):
    room.desk.outputs = Outputs(recording=True)
    room.desk.start()
    room.desk.several = Several(left=SAMPLE)
    room.desk.outputs = Outputs(stream=True, address="live.example.org/app")
    room.desk.restart()
    assert (room.desk.phase, room.desk.covered) == ("live", False)
    assert "faces" not in room.desk.faults
    until(lambda: room.swapped() > 3)


@pytest.mark.parametrize("removed", ["shown", "waiting"])
def test_a_face_is_on_air_until_it_is_taken_away_whatever_waits(room, hopper_path, tmp_path, removed):
    shutil.copy(hopper_path, tmp_path / "shown.jpg")
    shown = room.allowed(tmp_path / "shown.jpg")
    room.desk.choose(shown)
    room.desk.outputs = Outputs(recording=True)
    room.desk.start()
    until(lambda: room.swapped() > 3)
    waiting = room.allowed(room.desk.samples.photo)
    room.desk.choose(waiting)
    assert room.desk.stale
    room.desk.cards.remove(shown if removed == "shown" else waiting)
    if removed == "waiting":  # what is shown is chosen again
        assert (room.desk.card, room.desk.stale, room.desk.covered) == (shown, False, False)
    else:  # nothing that the session knows is chosen
        assert (room.desk.card, room.desk.covered) == (waiting, True)
        assert room.desk.faults["faces"].text == "fault.face_gone"


def test_models_that_nobody_knows_are_said_when_they_are_written(room):
    room.desk.set({"detector": "abc"})
    assert "unknown detector 'abc'" in room.desk.faults["settings"].detail
    assert room.desk.settings.detector == "embedded"
    room.desk.set({"detector": "embedded"})
    assert room.desk.faults == {}


def test_a_face_that_is_added_does_not_cut_off_what_is_recorded(room, hopper_path, tmp_path):
    room.desk.outputs = Outputs(recording=True)
    room.desk.start()
    until(lambda: room.swapped() > 1)
    added = room.allowed(hopper_path)
    room.desk.choose(added)
    count = room.swapped()
    until(lambda: room.swapped() > count + 3)
    assert (room.desk.phase, room.desk.stale, room.desk.recordings.all) == ("live", True, ())
    room.desk.restart()
    until(lambda: room.swapped() > 1)
    assert (room.desk.stale, len(room.desk.recordings.all)) == (False, 1)


def test_a_new_face_begins_with_what_runs_and_what_waits_goes_on_waiting(room, hopper_path, made):
    room.desk.start()
    until(lambda: room.swapped() > 1)
    room.desk.origin = Origin("stream", "rtsp://127.0.0.1:9/x")  # nothing is there
    room.desk.outputs = Outputs(stream=True, address="live.example.org/app")
    added = room.allowed(hopper_path)
    room.desk.choose(added)
    assert (room.desk.phase, room.desk.stale, len(made)) == ("live", True, 2)
    assert made[-1].cast[0].name == "grace_hopper"
    assert room.desk.origin_used == Origin()
    until(lambda: room.swapped() > 1)


def test_what_ran_goes_on_where_a_new_face_can_not_be_begun_with(room, hopper_path, monkeypatch):
    room.desk.start()
    until(lambda: room.swapped() > 1)
    added, live = room.allowed(hopper_path), room.app.live

    def refused(cast, *rest, **options):
        if cast[0].name == "grace_hopper":
            raise UnderstudyError("not with this face", "Take another.")
        return live(cast, *rest, **options)

    monkeypatch.setattr(room.app, "live", refused)
    room.desk.choose(added)
    assert (room.desk.phase, room.desk.card, room.desk.stale) == ("live", added, True)
    assert "not with this face" in str(room.desk.faults)
    until(lambda: room.swapped() > 1)


def test_who_gets_which_face_waits_for_a_restart_while_it_is_recorded(room, hopper_path):
    added = room.allowed(hopper_path)
    room.desk.outputs = Outputs(recording=True)
    room.desk.start()
    until(lambda: room.swapped() > 1)

    def waits(recordings):
        return (room.desk.phase, room.desk.stale, len(room.desk.recordings.all)) == ("live", True, recordings)

    room.desk.share(Several(left=SAMPLE))
    assert waits(0)
    room.desk.restart()
    until(lambda: room.swapped() > 1)
    room.desk.give("left", added)
    assert waits(1)
    room.desk.give("others", "leave")
    assert waits(1)
    room.desk.give("others", "blur")  # as they are
    assert waits(1)
    room.desk.share(None)
    assert waits(1)
    room.desk.restart()
    assert (room.desk.stale, len(room.desk.recordings.all)) == (False, 2)


def test_who_is_to_be_blurred_waits_for_nothing(room):
    room.desk.outputs = Outputs(recording=True)
    room.desk.share(Several(left=SAMPLE, others="leave"))
    room.desk.start()
    until(lambda: room.swapped() > 1)
    room.desk.give("others", "blur")
    assert (room.desk.phase, room.desk.stale, len(room.desk.recordings.all)) == ("live", False, 1)


def test_recordings_that_were_cut_off_before_are_said(room):
    assert room.desk.faults == {}
    room.recordings.mkdir()
    for name in ("Monday.recording.mp4", "Tuesday.mp4", "now.recording.mp4"):
        (room.recordings / name).write_text("x")
    long_ago = time.time() - 60
    os.utime(room.recordings / "Monday.recording.mp4", (long_ago, long_ago))
    room.desk.begin()
    assert room.desk.faults["outputs"] == Fault("fault.cut_off_recording", "Monday.recording.mp4")


def test_a_recording_that_was_cut_off_just_now_is_said_when_it_is_sure(room):
    room.recordings.mkdir()
    path = room.recordings / "Monday.recording.mp4"
    path.write_text("x")
    os.utime(path, (time.time() - 9.5,) * 2)
    room.desk.begin()
    assert room.desk.faults == {}
    until(lambda: room.desk.faults.get("outputs") == Fault("fault.cut_off_recording", "Monday.recording.mp4"), 5)


def test_settings_change_while_it_runs_or_wait_for_a_new_start(room):
    room.desk.start()
    room.desk.set({"blend.strength": 0.75, "guard.on_lost": "blur"})
    assert not room.desk.stale
    room.desk.set({"mesh.shape": 0.5})
    assert room.desk.stale
    assert room.desk.phase == "live"
    room.desk.restart()
    assert (room.desk.stale, room.desk.settings.mesh.shape, room.desk.settings.blend.strength) == (False, 0.5, 0.75)
    room.desk.origin = Origin("stream", "udp://127.0.0.1:9")
    assert room.desk.stale


@pytest.mark.parametrize("running", [False, True])
def test_what_cannot_be_set_is_said_and_changes_nothing(room, running):
    if running:
        room.desk.start()
        room.desk.set({"blend.strength": 0.2})  # a weaker swap shows the raw face
        assert "strength" in room.desk.faults["settings"].detail
    room.desk.set({"mesh.shape": 7.0})
    assert room.desk.faults["settings"].text == "fault.usage"
    room.desk.set({"nonsense": 1})
    assert "nonsense" in room.desk.faults["settings"].detail
    assert room.desk.settings == room.app.settings
    room.desk.set({"mesh.shape": 0.5})
    assert "settings" not in room.desk.faults


def test_mirror_and_delay_can_be_set_at_any_time(room):
    room.desk.turn(True)
    room.desk.wait(9.0)
    assert room.desk.delay == 5.0
    room.desk.wait(0.3)
    room.desk.start()
    until(lambda: room.swapped() > 3)
    room.desk.wait(0.0)
    room.desk.turn(False)
    count = len(room.frames)
    until(lambda: len(room.frames) > count + 3)


def test_a_clip_that_was_handed_over_is_played_again_and_again(room, small_clip, tmp_path):
    (tmp_path / "bad.mp4").write_text("not a clip " * 100)
    bad = room.hand_over(tmp_path / "bad.mp4", "clip")
    with pytest.raises(UnderstudyError):
        room.desk.check_clip(bad)
    assert room.uploads.all("clip") == []
    good = room.hand_over(small_clip, "clip")
    room.desk.check_clip(good)
    room.desk.origin = Origin("clip", good)
    room.desk.start()
    until(lambda: room.desk.statistics().frames_in > 40)  # it has 25


def test_a_clip_that_is_damaged_further_on_is_played_and_that_is_said_until_it_was_read(room, small_puppet, tmp_path):
    write_puppet_clip(tmp_path / "clip.mkv", small_puppet, 2.0, ClipSpec(rate=25))
    whole = (tmp_path / "clip.mkv").read_bytes()
    (tmp_path / "clip.mkv").write_bytes(whole[: len(whole) * 2 // 3])
    room.desk.origin = Origin("clip", room.hand_over(tmp_path / "clip.mkv", "clip"))
    room.desk.start()
    until(lambda: "source" in room.desk.faults)
    assert room.desk.faults["source"].text == "fault.source_remark"
    assert room.desk.faults.pop("source").detail.startswith("clip.mkv is damaged after ")
    count = room.desk.statistics().frames_in
    until(lambda: room.desk.statistics().frames_in > count + 60)  # through it once more
    assert (room.desk.phase, room.desk.faults) == ("live", {})


def test_how_an_engine_fares_is_said_once(room, monkeypatch):
    news = ["slow fails (out of memory) and is not asked any more"]
    monkeypatch.setattr(LivePipeline, "news", lambda _: [news.pop()] if news else [])
    room.desk.start()
    until(lambda: "session" in room.desk.faults)
    assert room.desk.faults.pop("session") == Fault(
        "fault.engine_news", "slow fails (out of memory) and is not asked any more"
    )
    count = room.desk.statistics().frames_in
    until(lambda: room.desk.statistics().frames_in > count + 30)
    assert room.desk.faults == {}


def test_a_session_that_fails_says_so_and_can_be_started_again(room, monkeypatch):
    real = module.PreviewSink.write
    room.desk.start()
    until(lambda: room.swapped() > 1)
    monkeypatch.setattr(module.PreviewSink, "write", lambda *_: 1 / 0)
    until(lambda: room.desk.phase == "idle")
    assert room.desk.faults["session"].text == "fault.run"
    assert "ZeroDivisionError" in room.desk.faults["session"].detail
    monkeypatch.setattr(module.PreviewSink, "write", real)
    room.desk.start()
    until(lambda: room.swapped() > 1)


@pytest.fixture
def slow_start(room, monkeypatch):
    """Begins a session that waits for its source; what is returned lets it go on, and waits until it has begun."""
    opening, gate, real = threading.Event(), threading.Event(), module.open_capture

    def slow(*words):
        opening.set()
        gate.wait(30)
        return real(*words)

    monkeypatch.setattr(module, "open_capture", slow)

    def begin():
        starting = threading.Thread(target=room.desk.start)
        starting.start()
        assert opening.wait(30)
        assert room.desk.phase == "starting"

        def go_on():
            gate.set()
            starting.join(30)

        return go_on

    return begin


class Made(NamedTuple):
    """A session, and what it was made of."""

    cast: object
    source: object
    options: dict
    session: object


@pytest.fixture
def made(room, monkeypatch):
    """The sessions that were made: whose faces, from where, with which options, and the session."""
    found, live = [], room.app.live

    def noted(cast, source, *rest, **options):
        session = live(cast, source, *rest, **options)
        found.append(Made(cast, source, options, session))
        return session

    monkeypatch.setattr(room.app, "live", noted)
    return found


def test_a_face_that_is_added_and_chosen_while_it_starts_is_used(room, slow_start, made):
    go_on = slow_start()
    late = room.hand_over(room.desk.cards[SAMPLE].photos[0].path, name="late.png")
    room.desk.cards.add(late)
    room.desk.cards.grant(room.desk.cards[late].photos, ConsentClaim("fictional", uses=("live",)))
    choosing = threading.Thread(target=room.desk.choose, args=(late,))
    choosing.start()
    until(lambda: room.desk.card == late)
    go_on()
    choosing.join(30)
    assert (room.desk.card, room.desk.phase) == (late, "live")
    assert [one.cast[0].name for one in made] == ["Eileen Collins", "late"]
    until(lambda: room.swapped() > 1)


def test_what_is_chosen_while_it_starts_holds_or_waits_for_a_new_start(room, slow_start, made):
    go_on = slow_start()
    room.desk.origin, room.desk.outputs = Origin("stream", "udp://127.0.0.1:9"), Outputs(recording=True)
    room.desk.set({"mesh.shape": 0.5, "blend.strength": 0.75})
    room.desk.wait(0.2)
    room.desk.turn(True)
    go_on()
    (one,) = made
    assert (one.session.settings.blend.strength, one.source.seconds, one.session.mirror) == (0.75, 0.2, True)
    assert (room.desk.phase, room.desk.stale, room.desk.origin_used) == ("live", True, Origin())
    assert room.desk.sinks() == {}
    until(lambda: room.swapped() > 1)  # of the sample
    room.desk.origin, room.desk.outputs = Origin(), Outputs()
    room.desk.set({"mesh.shape": room.app.settings.mesh.shape})
    assert not room.desk.stale


def test_what_a_session_can_not_have_any_more_waits_for_another(room, slow_start, made):
    """A model of masks is opened when a session begins."""
    go_on = slow_start()
    room.desk.set({"blend.mask.occluders": ["xseg_1"]})
    assert room.desk.settings.blend.mask.models == ("xseg_1",)
    go_on()
    assert (room.desk.phase, room.desk.stale, room.desk.faults) == ("live", True, {})
    (one,) = made
    assert one.session.settings.blend.mask.models == ()


def test_what_a_source_failed_with_is_said_of_that_source(room, monkeypatch):
    def failing(*_):
        room.desk.origin = Origin("sample")  # another page chose it meanwhile
        raise InputNotFoundError(Path("camera"), "camera")

    monkeypatch.setattr(module, "open_capture", failing)
    room.desk.origin = Origin("camera", "4242")
    room.desk.start()
    assert room.desk.faults["source"].text == "fault.camera"


def test_a_face_that_is_taken_away_in_another_room_is_chosen_no_more(room):
    second = room.hand_over(room.desk.cards[SAMPLE].photos[0].path, name="twin.png")
    room.desk.cards.add(second)
    room.desk.cards.grant(room.desk.cards[second].photos, ConsentClaim("fictional", uses=("live",)))
    room.desk.choose(second)
    room.desk.start()
    until(lambda: room.swapped() > 1)
    room.desk.cards.remove(second)
    assert (room.desk.card, room.desk.ready, room.desk.phase) == (SAMPLE, True, "live")
    until(lambda: room.swapped() > 5)


def test_a_start_right_after_the_end_starts(room):
    for _ in range(5):
        room.desk.start()
        assert (room.desk.phase, room.desk.faults) == ("live", {})
        room.desk.stop()
        assert room.desk.phase == "idle"


def test_two_pages_that_start_at_once_start_one_session(room):
    threads = [threading.Thread(target=room.desk.start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(thread.name == "swap" for thread in threading.enumerate()) == 1
    room.desk.stop()
    room.desk.stop()


def test_the_sample_face_is_there_before_any_model_is_open(tmp_path, astronaut_path, small_clip, monkeypatch):
    def opened(*_):
        raise AssertionError("a model is opened")

    monkeypatch.setattr(Models, "perception", opened)
    room = Room(tmp_path, astronaut_path, small_clip)
    assert room.desk.ready
    assert [card.id for card in room.desk.cards.all()] == [SAMPLE]
    assert room.desk.faults == {}
    room.close()


def test_the_sample_face_is_where_the_program_says(room):
    found = room.desk.cards.portrait(room.desk.samples.photo).face.boxes_xyxy.reshape(4)
    assert np.abs(found - FACE_BOX).max() < 3


def test_the_sample_is_made_once_whoever_asks(tmp_path):
    made = []

    def make(path, check):
        made.append(path)
        time.sleep(0.1)
        path.write_bytes(b"clip")

    samples = Samples(tmp_path / "x", FACE_BOX, "x", make, "y")
    clip = SampleClip(samples, tmp_path / "sample.mp4")
    threads = [threading.Thread(target=clip.wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert SampleClip(samples, tmp_path / "sample.mp4").wait().read_bytes() == b"clip"
    assert len(made) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["sample.mp4"]


def test_a_sample_that_cannot_be_made_is_said_and_leaves_nothing(tmp_path):
    def make(path, check):
        raise OSError(28, "No space left on device")

    clip = SampleClip(Samples(tmp_path / "x", FACE_BOX, "x", make, "y"), tmp_path / "sample.mp4")
    for _ in range(2):
        with pytest.raises(UnderstudyError, match="space"):
            clip.wait()
    assert list(tmp_path.iterdir()) == []


def test_a_sample_that_is_made_when_the_studio_ends_is_made_no_further_and_leaves_nothing(tmp_path):
    begun, ended = threading.Event(), []

    def make(path, check):
        path.write_bytes(b"half")
        begun.set()
        with pytest.raises(Exception) as told:
            while True:
                check()
                time.sleep(0.01)
        ended.append(time.monotonic())
        raise told.value

    clip = SampleClip(Samples(tmp_path / "x", FACE_BOX, "x", make, "y"), tmp_path / "sample.mp4")
    making = threading.Thread(target=clip.make)
    making.start()
    assert begun.wait(30)
    clip.close()
    assert len(ended) == 1
    with pytest.raises(UnderstudyError):
        clip.wait()
    assert list(tmp_path.iterdir()) == []
    making.join()


def test_no_sample_is_begun_when_the_studio_has_ended(tmp_path):
    clip = SampleClip(Samples(tmp_path / "x", FACE_BOX, "x", None, "y"), tmp_path / "sample.mp4")
    clip.close()
    with pytest.raises(UnderstudyError):
        clip.wait()
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_falls_silent_is_said(room, monkeypatch):
    room.desk.start()
    until(lambda: room.swapped() > 1)
    assert not room.desk.silent
    gate = threading.Event()
    real = module.DelayedSource.read
    monkeypatch.setattr(module.DelayedSource, "read", lambda self: real(self) if gate.wait(0.1) else None)
    until(lambda: room.desk.silent)
    gate.set()
    until(lambda: not room.desk.silent)


def test_what_nobody_foresaw_is_said_and_the_page_goes_on(room, monkeypatch):
    monkeypatch.setattr(module, "open_capture", lambda *_: 1 / 0)
    room.desk.start()
    assert (room.desk.phase, room.desk.faults["session"].text) == ("idle", "fault.run")


def another(folder, name, path, degrees):
    """Another photo of somebody: turned, so that it is no copy of the first."""
    picture = cv2.imread(str(path))
    height, width = picture.shape[:2]
    turned = cv2.warpAffine(picture, cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1), (width, height))
    cv2.imwrite(str(folder / name), turned)
    return folder / name


def photos_of(room, card):
    return [photo.name for photo in room.desk.cards[card].photos]


def asked_about(room, card, use="live"):
    return [photo.name for photo in room.desk.cards[card].asked_about(use)]


def test_another_photo_of_somebody_is_used_once_somebody_said_whose_it_is(room, hopper_path, tmp_path, made):
    first = room.allowed(hopper_path)
    room.desk.choose(first)
    room.desk.start()
    until(lambda: room.swapped() > 1)
    assert room.desk.cards.add_to(first, room.hand_over(another(tmp_path, "tilted.png", hopper_path, 8)))
    assert asked_about(room, first) == ["tilted"]
    assert room.desk.ready
    room.desk.change_over()
    assert len(made) == 1  # nothing changes before that
    room.desk.cards.grant(room.desk.cards[first].asked_about("live"), ConsentClaim("fictional", uses=("live",)))
    room.desk.change_over()
    assert (room.desk.phase, [len(one.cast[0].photos) for one in made]) == ("live", [1, 2])
    until(lambda: room.swapped() > 1)
    names = [record.name for record in Consents(room.app.resources.home).all()]
    assert [name for name in names if name != "astronaut.png"] == ["grace_hopper.jpg", "tilted.png"]


def test_who_covered_may_uncover_though_the_face_has_another_photo_meanwhile(room, hopper_path, tmp_path):
    first = room.allowed(hopper_path)
    room.desk.choose(first)
    room.desk.start()
    until(lambda: room.swapped() > 1)
    room.desk.cover(True)
    room.desk.cards.add_to(first, room.hand_over(another(tmp_path, "tilted.png", hopper_path, 8)))
    room.desk.cards.grant(room.desk.cards[first].asked_about("live"), ConsentClaim("fictional", uses=("live",)))
    room.desk.cover(False)  # another room said so: the session still has the one photo
    assert (room.desk.covered, room.desk.faults) == (False, {})


def test_a_photo_of_somebody_else_is_told_and_one_without_an_answer_goes(room, hopper_path, tmp_path):
    first = room.hand_over(another(tmp_path, "collins.png", room.desk.samples.photo, 5))
    room.desk.cards.add(first)
    room.desk.cards.grant(room.desk.cards[first].photos, ConsentClaim("fictional", uses=("live",)))
    kept = [photo.path for photo in room.desk.cards[first].photos]
    assert not room.desk.cards.add_to(first, room.hand_over(hopper_path))
    (_, waiting) = room.desk.cards[first].photos
    room.desk.cards.give_up(first, [])  # no question was about it
    assert photos_of(room, first) == ["collins", "grace_hopper"]
    room.desk.cards.give_up(first, [first, waiting.id])
    assert photos_of(room, first) == ["collins"]
    assert [upload.path for upload in room.uploads.all("photo")] == kept
    with pytest.raises(InputNotFoundError):  # nothing is recorded of what is gone
        room.desk.cards.grant([waiting], ConsentClaim("fictional"))
    assert [record.name for record in Consents(room.app.resources.home).all()] == ["collins.png"]


def test_a_photo_that_may_be_used_for_something_else_keeps_nobody_from_using_the_others(room, hopper_path, tmp_path):
    first = room.allowed(hopper_path)
    room.desk.cards.add_to(first, room.hand_over(another(tmp_path, "tilted.png", hopper_path, 8)))
    room.desk.cards.grant(room.desk.cards[first].asked_about("live"), ConsentClaim("fictional", uses=("video",)))
    card = room.desk.cards[first]
    assert [photo.name for photo in card.usable("live")] == ["grace_hopper"]
    assert [photo.name for photo in card.usable("video")] == ["tilted"]
    assert asked_about(room, first) == asked_about(room, first, "video") == []
    assert asked_about(room, first, "image") == ["grace_hopper", "tilted"]
    room.desk.choose(first)
    room.desk.start()
    assert (room.desk.phase, room.desk.faults) == ("live", {})


def test_a_photo_for_a_card_that_is_gone_or_without_a_face_leaves_nothing(room, hopper_path, tmp_path, blank):
    first = room.hand_over(hopper_path)
    room.desk.cards.add(first)
    cv2.imwrite(str(tmp_path / "wall.png"), blank)
    with pytest.raises(UnderstudyError, match="no face"):
        room.desk.cards.add_to(first, room.hand_over(tmp_path / "wall.png"))
    room.desk.cards.remove(first)
    with pytest.raises(InputNotFoundError):
        room.desk.cards.add_to(first, room.hand_over(hopper_path))
    assert room.uploads.all("photo") == []


@pytest.fixture(scope="module")
def duo(tmp_path_factory):
    """Two people beside each other."""
    situation = next(one for one in PEOPLE if one.name == "two who change sides with each cut")
    path = tmp_path_factory.mktemp("duo") / "duo.mp4"
    write_clip(path, [situation.scene(number).draw().picture for number in range(30)], ClipSpec(rate=25, audio=()))
    return path, frames_of(path)


def halves_changed(frame, pictures):
    """How far each half of a frame is from the nearest of the clip's own, above the label."""
    height, width = frame.shape[:2]
    parts = np.s_[: height * 3 // 4, : width // 2], np.s_[: height * 3 // 4, width // 2 :]
    return [min(float(np.abs(frame[part].astype(np.int16) - one[part]).mean()) for one in pictures) for part in parts]


def test_each_of_two_people_gets_a_face_of_their_own(room, duo, hopper_path, made):
    path, pictures = duo
    clip = room.hand_over(path, "clip")
    second = room.allowed(hopper_path)
    room.desk.origin = Origin("clip", clip)
    room.desk.share(Several(left=SAMPLE, right=second))
    assert (room.desk.ready, room.desk.used) == (True, (SAMPLE, second))
    room.desk.start()
    assert (room.desk.phase, room.desk.faults) == ("live", {})
    until(lambda: room.swapped() > 10)
    together = room.frames[-1]
    both = halves_changed(together, pictures)
    (one,) = made
    assert [(part.who, part.gets.name) for part in one.cast.parts] == [
        ("left", "Eileen Collins"),
        ("right", "grace_hopper"),
    ]
    room.desk.set({"blend.strength": 0.5})  # what is settled by who gets what waits for another session
    assert (room.desk.faults, room.desk.stale) == ({}, True)
    room.desk.share(Several(left=SAMPLE, others="leave"))
    assert len(made) == 2
    until(lambda: room.swapped() > 10)
    alone = halves_changed(room.frames[-1], pictures)
    assert both[0] > 1 and both[1] > 1
    assert alone[0] > 1 and alone[1] < both[1] / 2
    assert detail(together) > 0.7 * detail(pictures[0])  # nobody is blurred
    assert all(has_label(frame) for frame in room.frames[-5:])
    room.desk.share(None)
    assert (len(made), room.desk.used, room.desk.phase) == (3, (SAMPLE,), "live")


def test_of_several_faces_one_that_is_taken_away_is_seen_no_more(room, hopper_path):
    second = room.allowed(hopper_path)
    room.desk.share(Several(left=second))
    room.desk.start()
    until(lambda: room.swapped() > 5)
    plain = detail(room.frames[-1])
    room.desk.cards.remove(second)
    assert (room.desk.covered, room.desk.several, room.desk.ready) == (True, Several(), False)
    assert room.desk.faults["faces"].text == "fault.face_gone"
    room.desk.restart()  # there is nothing to begin anew with
    room.desk.cover(False)  # which would show it again
    assert (room.desk.covered, room.desk.phase) == (True, "live")
    count = len(room.frames)
    until(lambda: len(room.frames) > count + 5)
    assert all(detail(frame) < plain / 2 for frame in room.frames[count + 2 :])
    room.desk.give("left", "no such card")
    assert room.desk.several == Several()
    room.desk.give("left", SAMPLE)
    assert (room.desk.phase, room.desk.covered, room.desk.faults) == ("live", True, {})
    room.desk.cover(False)
    until(lambda: room.swapped() > 5)
    assert not room.desk.covered
    assert detail(room.frames[-1]) > plain / 2


@pytest.mark.parametrize("recording", [False, True])
def test_who_is_to_be_blurred_now_is_so_or_nobody_is_seen(room, hopper_path, recording):
    """What was chosen can't be put on: nobody gets a face any more. Others must not stay as they are."""
    room.desk.outputs = Outputs(recording=recording)
    room.desk.share(Several(left=SAMPLE, others="leave"))
    room.desk.start()
    until(lambda: room.swapped() > 1)
    room.desk.give("left", "")
    assert room.desk.covered
    room.desk.give("others", "blur")
    assert room.desk.covered
    room.desk.cover(False)
    room.desk.give("left", SAMPLE)
    room.desk.cover(False)
    assert (room.desk.phase, room.desk.stale, room.desk.covered) == ("live", False, False)


def test_a_microphone_is_recorded_and_as_late_as_the_picture(room, made, monkeypatch):
    asked = []

    def tone(name):
        asked.append(name)
        return Microphone("sine=frequency=440:sample_rate=44100,arealtime", "lavfi")

    monkeypatch.setattr(module, "Microphone", tone)
    room.desk.microphone, room.desk.outputs = "plughw:1,0", Outputs(recording=True, kilobits=2000)
    room.desk.wait(0.3)
    room.desk.start()
    assert (room.desk.phase, room.desk.faults, asked) == ("live", {}, ["plughw:1,0"])
    (one,) = made
    assert (one.source.seconds, one.options["microphone"].seconds) == (0.3, 0.3)
    assert one.options["broadcast"].bitrate == 2_000_000
    until(lambda: room.swapped() > 40)
    room.desk.wait(0.6)
    assert (one.source.seconds, one.options["microphone"].seconds) == (0.6, 0.6)
    room.desk.stop()
    (recording,) = room.desk.recordings.all
    with open_container(recording.path) as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(container.streams.audio[0])])
    assert np.abs(samples[len(samples) // 3 :][:4800]).max() > 0.05


@pytest.mark.parametrize("name", ["no such one", "nosuchone", "plughw:99,0"])
def test_a_microphone_that_is_not_there_is_said(room, name):
    room.desk.microphone = name
    room.desk.start()
    assert (room.desk.phase, room.desk.faults["source"].text) == ("idle", "fault.microphone")
    assert name in room.desk.faults["source"].detail


@pytest.mark.parametrize(
    "name",
    [
        "tee:null,'|id>{}',raw",
        "file:'{}',raw",
        "plug:{{SLAVE=\"file:'{}',raw\"}}",
        "hw:0,0\nfile:'{}'",
        "|id>{}",
        "/dev/null",
    ],
)
def test_no_page_names_a_file_or_a_command_as_a_microphone(room, tmp_path, name):
    room.desk.microphone = name.format(tmp_path / "ran")
    room.desk.start()
    assert (room.desk.phase, room.desk.faults["source"].text) == ("idle", "fault.microphone")
    assert "is no microphone's name" in room.desk.faults["source"].detail
    assert not (tmp_path / "ran").exists()


def test_a_camera_is_asked_for_what_was_chosen(room, monkeypatch):
    asked = []

    def noted(_, options):
        asked.append((options.width, options.height, options.fps))
        raise InputNotFoundError(Path("camera"), "camera")

    monkeypatch.setattr(module, "open_capture", noted)
    room.desk.origin = Origin("camera", "0")
    room.desk.start()
    room.desk.camera_format = CameraFormat((640, 480), 15)
    room.desk.start()
    assert asked == [(1280, 720, 30), (640, 480, 15)]
