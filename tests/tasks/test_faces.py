"""Who is in a file: people, not tracks."""

from dataclasses import replace

import pytest

from understudy import Understudy
from understudy.settings import Settings
from understudy.testing import ClipSpec, write_clip
from understudy.testing.situations import PEOPLE


@pytest.fixture(scope="module")
def app():
    with Understudy() as app:
        yield app


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Two people in turn, with cuts, ten frames each: the first, the other, the first."""
    situation = next(one for one in PEOPLE if one.name == "two in turn, with cuts")
    numbers = [*range(10), *range(40, 50), *range(80, 90)]
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write_clip(path, [situation.scene(number).draw().picture for number in numbers], ClipSpec(rate=25, audio=()))
    return path


@pytest.mark.slow
def test_people_have_one_number_and_their_stretches(app, clip):
    report = app.faces(clip)
    assert report.frames == 30
    assert [face.number for face in report.faces] == [1, 2]
    first, second = report.faces
    assert [(track.number, track.frames) for track in first.tracks] == [(1, 10), (3, 10)]
    assert [(track.number, track.frames) for track in second.tracks] == [(2, 10)]
    assert (first.frames, second.frames) == (20, 10)
    assert (first.first_seconds, first.last_seconds) == (0, 1.16)
    assert (first.tracks[1].first_seconds, second.tracks[0].last_seconds) == (0.8, 0.76)
    assert app.faces(clip) == report


@pytest.mark.slow
def test_json_has_the_stretches_and_no_embedding(app, clip):
    """An embedding is biometric: it is never written."""
    values = app.faces(clip).as_json()
    assert values["faces"][0]["tracks"][0] == {
        "number": 1,
        "first_seconds": 0.0,
        "last_seconds": 0.36,
        "frames": 10,
    }
    assert not any("embedding" in name for face in values["faces"] for name in face)


@pytest.mark.slow
def test_who_is_too_small_to_be_recognised_is_somebody_else_in_each_shot(app, clip):
    situation = next(one for one in PEOPLE if one.name == "too small")
    path = clip.parent / "small.mp4"
    pictures = [situation.scene(number).draw().picture for number in [*range(5), *range(40, 45), *range(80, 85)]]
    write_clip(path, pictures, ClipSpec(rate=25, audio=()))
    report = app.faces(path, settings=replace(Settings(), detector="embedded"))
    assert [len(face.tracks) for face in report.faces] == [1] * len(report.faces)
    assert len(report.faces) == 3


def test_a_picture_has_no_stretches(app, hopper, tmp_path):
    import cv2

    cv2.imwrite(str(tmp_path / "photo.png"), hopper)
    (face,) = app.faces(tmp_path / "photo.png").faces
    assert face.tracks == ()
    assert face.first_seconds is None
