"""Live sessions look at what comes in, beside their work; a refusal ends everything at once and keeps nothing."""

import threading
import time

import numpy as np
import pytest

from tests.evidence import has_label
from tests.sessions.stage import SIZE, Screen, until
from understudy.errors import ContentRefusedError, RunError
from understudy.media.live.recording import RecordingSink
from understudy.provenance import Consents, Home
from understudy.testing import FakeCamera

WHITE = np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)


class Marked:
    """Takes nearly white pictures for intimate, as soon as it may answer."""

    name = "marked"

    def __init__(self):
        self.may_answer, self.asked, self.threads = threading.Event(), 0, set()
        self.may_answer.set()

    def intimate(self, picture):
        self.asked += 1
        self.threads.add(threading.current_thread().name)
        self.may_answer.wait(20)
        return float(picture.mean() > 240)


def refused(live):
    with pytest.raises(ContentRefusedError, match="looks intimate") as told:
        live.stop()
    assert told.value.exit_code == 4
    return told.value


@pytest.mark.slow
def test_nothing_is_shown_of_what_begins_intimate(session):
    screen = Screen()
    live = session(screen, source=FakeCamera([WHITE] * 60), classifier=Marked())
    live.start()
    assert live.wait(20)
    assert "fake camera at 0." in refused(live).message
    assert screen.frames == []


@pytest.mark.slow
def test_a_refusal_ends_all_outputs_and_leaves_no_recording(session, pictures, tmp_path):
    """Before anybody has stopped the session: a steady sink would show its last picture again and again."""
    screen, name = Screen(steady=True), tmp_path / "show.mp4"
    camera = FakeCamera([*pictures[:40], *[WHITE] * 200])
    live = session(screen, lambda release: RecordingSink(name, release), source=camera, classifier=Marked())
    live.start()
    assert live.wait(30)
    until(lambda: screen.closed and not list(tmp_path.glob("show*")))
    shown = len(screen.seconds)
    time.sleep(0.3)
    assert len(screen.seconds) == shown
    assert screen.discarded == 1
    refused(live)
    assert list(tmp_path.glob("show*")) == []
    assert all(has_label(picture) for picture in screen.frames)


@pytest.mark.slow
def test_what_waits_for_a_file_is_not_written_any_more_once_it_is_refused(session, pictures):
    class File(Screen):
        keeps, depth, written = True, 8, -1

        def discard(self):
            super().discard()
            self.written = len(self.seconds)

    file = File(slow=0.3)
    live = session(file, source=FakeCamera([*pictures[:40], *[WHITE] * 200]), classifier=Marked())
    live.start()
    assert live.wait(30)
    refused(live)
    assert 0 <= file.written <= len(file.seconds) <= file.written + 1  # the one that is being written


@pytest.mark.alone
@pytest.mark.slow
def test_a_refusal_comes_within_a_second_of_the_cut(session, pictures):
    """The look at the first frame of the new shot is under way while the next ones are shown: a few of them are."""
    screen = Screen()
    live = session(screen, source=FakeCamera([*pictures[:40], *[WHITE] * 200]), classifier=Marked())
    live.start()
    assert live.wait(30)
    refused(live)
    white = [at for at, shown in zip(screen.seconds[-40:], screen.frames, strict=True) if shown.mean() > 240]
    print(f"{len(white)} frames were shown")
    assert not white or white[-1] - white[0] < 1


@pytest.mark.alone
@pytest.mark.slow
def test_no_frame_waits_for_a_look(session, pictures):
    classifier, screen = Marked(), Screen()
    live = session(screen, source=FakeCamera([*pictures, *pictures[::-1]] * 3), classifier=classifier)
    live.start()
    until(lambda: screen.seconds)
    first = classifier.asked
    classifier.may_answer.clear()
    until(lambda: classifier.asked > first)
    shown = len(screen.seconds)
    until(lambda: len(screen.seconds) > shown + 10)
    classifier.may_answer.set()
    live.stop()
    assert len(classifier.threads) == 3  # the photo's, the first frame's, and the one beside


class SlowAtWhite(Marked):
    """Takes its time over what it will refuse."""

    def __init__(self):
        super().__init__()
        self.looks_at_white = threading.Event()

    def intimate(self, picture):
        if picture.mean() > 240:
            self.may_answer.clear()
            self.looks_at_white.set()
        return super().intimate(picture)


@pytest.mark.slow
def test_a_recording_is_not_signed_before_its_last_look(session, pictures, tmp_path):
    classifier, name = SlowAtWhite(), tmp_path / "show.mp4"
    camera = FakeCamera([*pictures[:20], *[WHITE] * 400])
    live = session(lambda release: RecordingSink(name, release), source=camera, classifier=classifier)
    live.start()
    until(classifier.looks_at_white.is_set)
    threading.Timer(0.5, classifier.may_answer.set).start()
    refused(live)
    assert list(tmp_path.glob("show*")) == []


@pytest.mark.slow
def test_nor_before_a_look_that_goes_on_when_consent_ends(session, pictures, hopper_path, tmp_path):
    classifier, screen, name = SlowAtWhite(), Screen(steady=True), tmp_path / "show.mp4"
    camera = FakeCamera([*pictures[:20], *[WHITE] * 400])
    live = session(screen, lambda release: RecordingSink(name, release), source=camera, classifier=classifier)
    live.start()
    until(classifier.looks_at_white.is_set)
    Consents(Home(tmp_path / "home")).end(hopper_path.name)
    assert live.wait(20)
    until(lambda: screen.closed)  # what is shown waits for nothing
    time.sleep(1)  # in which a recording could be signed
    assert not name.exists()
    classifier.may_answer.set()
    refused(live)
    assert list(tmp_path.glob("show*")) == []


class Unsure(Marked):
    """Can't say of nearly white pictures what they are."""

    def intimate(self, picture):
        return 0.75 * super().intimate(picture)


@pytest.mark.slow
def test_a_session_that_ends_within_a_closer_look_is_decided_by_what_was_seen(session, tmp_path):
    name = tmp_path / "show.mp4"
    camera = FakeCamera([WHITE], count=27)
    live = session(lambda release: RecordingSink(name, release), source=camera, classifier=Unsure())
    live.start()
    assert live.wait(20)
    assert "75%" in refused(live).message  # in the mean of all looks, or of the one that a busy machine had time for
    assert list(tmp_path.glob("show*")) == []


@pytest.mark.slow
def test_a_look_that_never_ends_ends_the_session(session, pictures, monkeypatch):
    monkeypatch.setattr("understudy.pipeline.watching.PATIENCE", 0.2)
    classifier, screen = Marked(), Screen()
    live = session(screen, source=FakeCamera(pictures * 20), classifier=classifier)
    live.start()
    until(lambda: screen.seconds)
    classifier.may_answer.clear()
    assert live.wait(30)
    with pytest.raises(RunError, match="content check did not end"):
        live.stop()
    classifier.may_answer.set()
