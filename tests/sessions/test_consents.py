"""Whether a face may still be used is asked while it is shown."""

import time

import pytest

from tests.sessions.stage import Screen, until
from understudy import Settings, Understudy
from understudy.errors import ConsentError
from understudy.media.files import open_source
from understudy.media.live.recording import RecordingSink
from understudy.provenance import Consents, Home
from understudy.testing import FakeCamera


def records(tmp_path):
    return Consents(Home(tmp_path / "home"))


def record_of(tmp_path, path):
    return next(one for one in records(tmp_path).all() if one.name == path.name)


@pytest.mark.slow
def test_consent_that_is_revoked_ends_what_is_shown_and_keeps_what_was_recorded(session, hopper_path, tmp_path):
    screen, name = Screen(steady=True), tmp_path / "show.mp4"
    live = session(screen, lambda release: RecordingSink(name, release))
    live.start()
    until(lambda: len(screen.seconds) > 5)
    records(tmp_path).revoke(record_of(tmp_path, hopper_path).id)
    assert live.wait(20)
    until(lambda: screen.closed)
    with pytest.raises(ConsentError, match=rf"consent for {hopper_path.name} was revoked") as told:
        live.stop()
    assert told.value.hint
    with open_source(name) as recorded:
        assert recorded.info.frames > 5
    with Understudy(Settings(home=tmp_path / "home")) as app:
        assert app.inspect(name).record.kind == "live"


@pytest.mark.slow
@pytest.mark.parametrize("ended", ["time is over", "file is removed"])
def test_so_does_consent_whose_time_is_over_or_whose_records_are_gone(session, hopper_path, tmp_path, ended):
    live = session(Screen())
    live.start()
    if ended == "time is over":
        records(tmp_path).end(hopper_path.name)
    else:
        (tmp_path / "home" / "consents.sqlite").unlink()
    assert live.wait(20)
    with pytest.raises(ConsentError, match="has expired" if ended == "time is over" else "is gone"):
        live.stop()


@pytest.mark.slow
def test_of_several_people_only_whoever_is_shown_is_asked_for(session, hopper_path, astronaut_path, tmp_path):
    screen = Screen()
    live = session(screen, people=[[hopper_path], [astronaut_path]])
    live.start()
    records(tmp_path).revoke(record_of(tmp_path, astronaut_path).id)
    shown = len(screen.seconds)
    until(lambda: screen.seconds and screen.seconds[-1] > 2.5 and len(screen.seconds) > shown + 10)
    assert live.running
    with pytest.raises(ConsentError, match="was revoked"):
        live.identity = 1
    assert live.identity == 0
    live.stop()


@pytest.mark.slow
def test_a_face_counts_until_no_output_shows_it_any_more(session, pictures, hopper_path, astronaut_path, tmp_path):
    camera, screen = FakeCamera(pictures), Screen(steady=True)
    live = session(screen, source=camera, people=[[hopper_path], [astronaut_path]])
    live.start()
    until(lambda: len(screen.seconds) > 5)
    camera.hang(600)  # from here on the last picture is shown
    time.sleep(0.5)
    live.identity = 1
    shown = len(screen.seconds)
    until(lambda: len(screen.seconds) > shown + 5)
    records(tmp_path).revoke(record_of(tmp_path, hopper_path).id)
    assert live.wait(20)
    with pytest.raises(ConsentError, match="was revoked"):
        live.stop()


@pytest.mark.slow
def test_and_no_longer(session, pictures, hopper_path, astronaut_path, tmp_path):
    screen = Screen()
    live = session(screen, people=[[hopper_path], [astronaut_path]])
    live.start()
    until(lambda: len(screen.seconds) > 5)
    live.identity = 1
    changed = screen.seconds[-1]
    until(lambda: screen.seconds[-1] > changed + 1)
    records(tmp_path).revoke(record_of(tmp_path, hopper_path).id)
    shown = screen.seconds[-1]
    until(lambda: screen.seconds[-1] > shown + 2.5)
    assert live.running
    live.stop()
