"""How long a video is whose file does not say it."""

import pytest

from tests.media.files.recordings import recorded_live
from understudy.errors import NotMediaError
from understudy.media.files import open_source
from understudy.media.files.length import length_of


def nothing():
    """Nobody stops it."""


def test_a_recording_is_as_long_as_its_pictures_are_shown(small_clip, tmp_path):
    path = recorded_live(tmp_path / "recorded.mkv", small_clip)
    with open_source(path) as source:
        assert not source.info.duration
    assert length_of(path, nothing) == pytest.approx(1.0, abs=0.02)


def test_of_a_recording_that_breaks_off_what_is_there_counts(small_clip, tmp_path):
    path = recorded_live(tmp_path / "recorded.mkv", small_clip)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 4 // 5])
    assert 0.1 < length_of(path, nothing) < 0.9


def test_who_does_not_want_it_any_more_ends_it(small_clip):
    class EnoughError(Exception):
        pass

    def check():
        raise EnoughError

    with pytest.raises(EnoughError):
        length_of(small_clip, check)


def test_a_file_that_is_no_medium_is_refused(tmp_path):
    (tmp_path / "no.mkv").write_bytes(b"no film")
    with pytest.raises(NotMediaError):
        length_of(tmp_path / "no.mkv", nothing)
