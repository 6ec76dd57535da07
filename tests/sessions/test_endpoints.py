"""A session between what is named in words, as the command line does it."""

from fractions import Fraction

import pytest

from tests.sessions.stage import Screen, until
from understudy import Settings, Understudy
from understudy.errors import InputNotFoundError, OutputError, UsageError
from understudy.media.endpoints import SinkEndpoint, SourceEndpoint
from understudy.media.live.base import CaptureOptions
from understudy.provenance import Consents, Home
from understudy.sessions import endpoints
from understudy.testing import FakeCamera


@pytest.fixture
def app(tmp_path):
    with Understudy(Settings(home=tmp_path / "home")) as opened:
        yield opened


@pytest.fixture
def me(app, hopper_path):
    return app.person(hopper_path, consent="sample")


@pytest.mark.slow
def test_words_paths_endpoints_and_own_sinks_go_together(app, me, small_clip, tmp_path):
    screen = Screen()
    sinks = [
        str(tmp_path / "word.mp4"),
        tmp_path / "path.mp4",
        lambda _: screen,
        SinkEndpoint("address", "udp://127.0.0.1:9"),
    ]
    with app.live(me, SourceEndpoint("file", str(small_clip)), sinks, stats_file=tmp_path / "s.json") as session:
        assert session.wait(30)
    assert screen.frames  # how many of so short a clip a busy machine shows is no promise
    for name in ("word.mp4", "path.mp4"):
        assert app.inspect(tmp_path / name).verdict == "made by this tool"
    assert (tmp_path / "s.json").exists()


class FakeWindow(Screen):
    def __init__(self, press, text):
        super().__init__("window")
        self.press, self.text = press, text


@pytest.mark.slow
def test_a_windows_keys_and_lines_are_those_of_its_session(app, me, astronaut_path, pictures, tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(endpoints, "WindowSink", lambda press, text: made.append(FakeWindow(press, text)) or made[-1])
    guest = app.person(astronaut_path, consent="sample")
    with app.live([me, guest], FakeCamera(pictures)) as session:  # a window is what there is if nothing is said
        (window,) = made
        until(lambda: len(window.frames) > 3)
        window.press("mirror")
        window.press("next")
        assert (session.mirror, session.identity) == (True, 1)
        window.press("next")
        assert session.identity == 0
        assert [line.split()[0] for line in window.text()] == ["in", "latency", "stages"]
        window.press("cover")
        assert session.covered
        assert "c shows it again" in window.text()[0]
        window.press("cover")
        assert not session.covered
        consents = Consents(Home(tmp_path / "home"))
        consents.revoke(next(one.id for one in consents.all() if one.name == astronaut_path.name))
        window.press("next")
        assert session.identity == 0
        (said,) = session.news
        assert said.startswith("it goes on with the same face: ")


@pytest.mark.parametrize(
    ("source", "sinks", "fault"),
    [
        ("gopher://host/x", "window", UsageError),
        ("0", "gopher://host/x", UsageError),
        ("0", [], UsageError),
        ("0", ["window", "window"], UsageError),
        ("0", [SinkEndpoint("file", "out.mp4"), "out.mp4"], UsageError),
        ("0", ["missing/out.mp4"], OutputError),
        ("0", ["out.txt"], UsageError),
        ("0", ["out.mp4", "out.recording.mp4"], UsageError),
    ],
    ids=str,
)
def test_what_can_not_be_is_told_before_anything_is_opened(app, me, source, sinks, fault, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(fault):
        app.live(me, source, sinks)


def test_a_recording_replaces_neither_what_is_read_nor_unasked_what_is_there(
    app, me, small_clip, hopper_path, tmp_path
):
    clip, photo, there = (tmp_path / name for name in ("clip.mp4", "photo.mp4", "there.mp4"))
    clip.write_bytes(small_clip.read_bytes())
    photo.write_bytes(hopper_path.read_bytes())
    there.write_bytes(b"somebody's")
    for person, source, sink in ((me, clip, clip), (app.person(photo, consent="sample"), "0", photo)):
        with pytest.raises(UsageError):
            app.live(person, source, [sink], overwrite=True)
    with pytest.raises(FileExistsError):
        app.live(me, clip, there)
    app.live(me, clip, there, overwrite=True)
    assert there.read_bytes() == b"somebody's"


def test_a_path_is_a_file_whatever_it_is_called(app, me, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session = app.live(me, tmp_path / "0", lambda _: Screen())
    with pytest.raises(InputNotFoundError):
        session.start()


@pytest.mark.parametrize(
    "asked", [(8, 720), (1280, 8), (7681, 720), (1280, 4321), (1280, 720, Fraction(0)), (1280, 720, 241)]
)
def test_no_source_is_asked_for_what_none_has(asked):
    with pytest.raises(UsageError):
        CaptureOptions(*asked)
