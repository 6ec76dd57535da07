"""How files are handed over."""

from __future__ import annotations

import os

import pytest

from tests.unprivileged import unreadable
from understudy.client import asking
from understudy.errors import InputError, InputUnreadableError

pytestmark = pytest.mark.loopback
HERE = (201, {"id": "0" * 32}, {})


def test_how_large_a_file_is_is_said_before_it_comes(standin, ask, tmp_path):
    standin.answers = [HERE]
    for size in (3_000_000, 0):
        (tmp_path / "clip.mp4").write_bytes(bytes(size))
        for method in ("hand_over", "inspect"):
            ask(method, tmp_path / "clip.mp4")
            _, _, headers = standin.asked[-1]
            assert (headers.get("Content-Length"), standin.received[-1]) == (str(size), size)
            assert "Transfer-Encoding" not in headers


def test_of_a_file_that_grows_meanwhile_what_was_said_is_sent_and_of_one_that_shrinks_it_is_told(
    standin, ask, tmp_path, monkeypatch
):
    standin.answers = [HERE]
    said, clip = asking.hand_over, tmp_path / "clip.mp4"

    def meanwhile(size):
        def and_then(*given):
            found = said(*given)
            clip.write_bytes(bytes(size))
            return found

        clip.write_bytes(bytes(100_000))
        monkeypatch.setattr(asking, "hand_over", and_then)

    meanwhile(200_000)
    ask("hand_over", clip)
    assert standin.received == [100_000]
    meanwhile(50_000)
    with pytest.raises(InputError, match="became shorter"):
        ask("hand_over", clip)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="POSIX permissions")
def test_a_file_that_may_not_be_read_is_told(standin, ask, tmp_path):
    (tmp_path / "clip.mp4").touch()
    with unreadable(tmp_path / "clip.mp4"):
        for method in ("hand_over", "inspect"):
            with pytest.raises(InputUnreadableError, match="can't read"):
                ask(method, tmp_path / "clip.mp4")
    assert not standin.asked


def test_a_file_whose_name_is_no_text_is_handed_over(standin, ask, tmp_path):
    standin.answers, clip = [HERE], tmp_path / os.fsdecode(b"bad\xff.mp4")
    try:
        clip.write_bytes(b"x")
    except OSError:
        pytest.skip("this disk has no such names")
    for method, place in (("hand_over", "media"), ("inspect", "inspect")):
        ask(method, clip)
        assert standin.asked[-1][1] == f"/api/v1/{place}?name=bad%EF%BF%BD.mp4"
