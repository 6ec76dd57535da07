"""Where live pictures come from and go to: each word means one thing, and a wrong one is told before anything opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from understudy.errors import OutputError, UnknownSuffixError, UsageError
from understudy.media.endpoints import SinkEndpoint, SourceEndpoint, sink_endpoint, sink_endpoints, source_endpoint
from understudy.media.live.base import CaptureOptions
from understudy.media.live.broadcast import PushSink
from understudy.media.live.cameras import CameraSource
from understudy.media.live.capture import open_capture
from understudy.media.live.playback import FileSource
from understudy.media.live.playout import playout
from understudy.media.live.raw import RawSink
from understudy.media.live.recording import RecordingSink
from understudy.media.live.streams import StreamSource
from understudy.media.live.virtual import VirtualCameraSink
from understudy.media.live.window import WindowSink


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("-", "pipe"),
        ("0", "camera"),
        ("12", "camera"),
        ("/dev/video0", "camera"),
        ("/dev/v4l/by-id/camera.1080", "camera"),
        ("FaceTime HD", "camera"),
        ("clip.mp4", "file"),
        ("missing/clip.webm", "file"),
        ("rtmp://host/app/key", "address"),
        ("rtsp://[::1]:554/x", "address"),
        ("http://host/x.m3u8", "address"),
    ],
)
def test_each_word_names_one_kind_of_source(word, kind):
    found = source_endpoint(word)
    assert found == SourceEndpoint(kind, "" if kind == "pipe" else word)
    assert found.files == ((Path(word),) if kind == "file" else ())


def test_a_file_without_a_suffix_is_a_file_if_it_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert source_endpoint("clip").kind == "camera"
    (tmp_path / "clip").touch()
    assert source_endpoint("clip").kind == "file"


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("window", "window"),
        ("virtual", "virtual"),
        ("-", "pipe"),
        ("out.mp4", "file"),
        ("./window", "file"),
        ("rtmps://host/app/key", "address"),
        ("udp://239.0.0.1:1234", "address"),
    ],
)
def test_each_word_names_one_kind_of_sink(word, kind):
    assert sink_endpoint(word) == SinkEndpoint(kind, word if kind in ("file", "address") else "")


@pytest.mark.parametrize("word", ["", "gopher://x", "ftp://host/x", "http://[::1/x", "udp://"])
def test_a_word_that_names_no_source_is_refused(word):
    with pytest.raises(UsageError):
        source_endpoint(word)


@pytest.mark.parametrize("word", ["", "gopher://x", "http://host/x", "rtmp://[::1/x", "udp://host:99999"])
def test_a_word_that_names_no_sink_is_refused(word):
    with pytest.raises(UsageError):
        sink_endpoint(word)


@pytest.mark.parametrize("words", [["window", "window"], ["-", "-"], ["a.mp4", "./a.mp4"], ["udp://h:1", "udp://h:1"]])
def test_the_same_sink_twice_is_refused(words):
    with pytest.raises(UsageError, match="named twice"):
        sink_endpoints(["virtual", *words])
    assert len(sink_endpoints(["virtual", words[0]])) == 2


def test_the_same_file_twice_is_refused_by_whatever_names(tmp_path):
    folder, link, other = tmp_path / "folder", tmp_path / "link", tmp_path / "other.mp4"
    folder.mkdir()
    link.symlink_to(folder)
    other.symlink_to(folder / "a.mp4")
    for name in (link / "a.mp4", folder / ".." / "folder" / "a.mp4", other):
        with pytest.raises(UsageError, match="named twice"):
            sink_endpoints([str(folder / "a.mp4"), str(name)])
    assert len(sink_endpoints([str(folder / "a.mp4"), str(link / "b.mp4")])) == 2


@pytest.mark.parametrize("make", [source_endpoint, sink_endpoint])
def test_an_address_shows_no_secret(make):
    found = make("rtmp://user:password@host/app/stream-key")
    for shown in (str(found), repr(found), f"{[found]}"):
        assert "password" not in shown
        assert "stream-key" not in shown
    assert str(found) == "rtmp://host/app"


def test_endpoints_open_as_what_they_are(tmp_path):
    asked = CaptureOptions()
    for word, kind in (("0", CameraSource), ("clip.mp4", FileSource), ("udp://host:1", StreamSource)):
        assert isinstance(open_capture(word, asked), kind)
        assert isinstance(open_capture(source_endpoint(word), asked), kind)
    for word, kind in (
        ("window", WindowSink),
        ("virtual", VirtualCameraSink),
        ("-", RawSink),
        ("udp://host:1", PushSink),
        (str(tmp_path / "out.mp4"), RecordingSink),
    ):
        assert isinstance(playout(word)(None), kind)
        assert isinstance(playout(sink_endpoint(word))(None), kind)
    assert list(tmp_path.iterdir()) == []


def test_a_recording_that_can_not_be_is_told_before_there_is_a_session(tmp_path):
    (tmp_path / "there.mp4").touch()
    with pytest.raises(UnknownSuffixError):
        playout("out.txt")
    with pytest.raises(OutputError):
        playout(str(tmp_path / "none" / "out.mp4"))
    with pytest.raises(UsageError, match="exists"):
        playout(str(tmp_path / "there.mp4"))
    with pytest.raises(UsageError, match="input"):
        playout(str(tmp_path / "there.mp4"), inputs=[tmp_path / "there.mp4"], overwrite=True)
    playout(str(tmp_path / "there.mp4"), overwrite=True)


@pytest.mark.parametrize("name", ["out.recording.mp4", "out.Recording.MOV", "link.mp4"])
def test_no_recording_has_a_name_that_others_have_while_they_grow(name, tmp_path):
    (tmp_path / "link.mp4").symlink_to("out.recording.mp4")
    with pytest.raises(UsageError, match="while they grow"):
        playout(str(tmp_path / name), overwrite=True)


@pytest.mark.parametrize("wrong", [None, 3, b"x", Path("out.mp4")])
def test_what_is_no_word_names_no_sink(wrong):
    with pytest.raises(TypeError, match=f"not {type(wrong).__name__}"):
        playout(wrong)


def test_the_window_is_whoever_s_is_asked_for():
    mine = WindowSink()
    assert playout("window", window=lambda: mine)(None) is mine
