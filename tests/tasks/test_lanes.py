"""Stretches of a clip that have settings of their own."""

from __future__ import annotations

import av
import numpy as np
import pytest

import understudy
from tests.evidence import is_released_honestly, left
from understudy import Lane, Settings, TrimOptions, Understudy
from understudy.errors import UsageError
from understudy.media.files.video_sink import VideoSink
from understudy.resources import trust
from understudy.testing import ClipSpec, Puppet, portrait, talking, write_clip

RATE = 25


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A second and a half."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    puppet = Puppet(portrait("astronaut"), (320, 240), face_share=0.55)
    shots = [puppet.render(talking(number / RATE)).picture for number in range(38)]
    write_clip(path, shots, ClipSpec(rate=RATE, audio=()))
    return path


@pytest.fixture
def swapped(clip, hopper_path, tmp_path, monkeypatch):
    """Swaps it, and gives its pictures as they were sealed, before they are coded: all have the same mark."""
    monkeypatch.setattr(trust, "new_identifier", lambda: 0x1234_5678_9ABC)
    written, write = [], VideoSink.write

    def watched(self, labelled):
        written.append(np.asarray(labelled.frame.picture).astype(int))
        write(self, labelled)

    monkeypatch.setattr(VideoSink, "write", watched)

    def swap(*lanes, **more):
        written.clear()
        output = tmp_path / "out.mkv"
        settings = Settings(lanes=lanes, **more)
        report = understudy.swap(hopper_path, clip, output, settings=settings, overwrite=True)
        assert is_released_honestly(output)
        return report, [*written]

    return swap


def pictures(path):
    with av.open(str(path)) as file:
        return [frame.to_ndarray(format="bgr24").astype(int) for frame in file.decode(video=0)]


def face_apart(one, other):
    """How far two pictures of the clip are apart where the face is, above the label, in the mean."""
    return np.abs(one[40:190, 100:220] - other[40:190, 100:220]).mean()


@pytest.mark.slow
def test_a_stretch_has_its_own_strength_and_the_rest_is_as_without(swapped, clip):
    report, found = swapped(Lane(0.4, 0.8, {"blend.strength": 0.0}))
    _, plain = swapped()
    original = pictures(clip)
    assert report.frames_swapped == 38
    for number, (ours, swap, raw) in enumerate(zip(found, plain, original, strict=True)):
        if 10 <= number < 20:
            assert face_apart(ours, raw) < 5
        else:
            assert face_apart(ours, swap) < 0.05
        assert face_apart(swap, raw) > 8


@pytest.mark.slow
@pytest.mark.parametrize(("do", "swaps"), [("leave", 28), ("blur", 28)])
def test_faces_are_left_or_blurred_and_come_back_as_they_would_have_been(swapped, clip, do, swaps):
    report, found = swapped(Lane(0.4, 0.8, do=do))
    _, plain = swapped()
    original = pictures(clip)
    assert report.frames_swapped == swaps
    for number in range(10, 20):
        apart = face_apart(found[number], original[number])
        assert apart < 5 if do == "leave" else apart > 20
    # What is drawn unseen before the stretch ends keeps the light: nothing flashes.
    assert max(face_apart(found[number], plain[number]) for number in (*range(10), *range(20, 38))) < 0.05


@pytest.mark.slow
def test_no_edge_flashes(swapped):
    """At the edges of a stretch that differs in nothing that is seen, nothing is seen."""
    _, plain = swapped()
    for lane in (Lane(0.4, 0.8), Lane(0.4, 0.8, {"mesh.shape": 1.0, "blend.mask.strength": 0.5})):
        _, found = swapped(lane)
        assert all(np.array_equal(ours, swap) for ours, swap in zip(found, plain, strict=True))


@pytest.mark.slow
def test_shape_and_masks_change_and_what_is_remembered_goes_on(swapped):
    _, plain = swapped()
    _, shaped = swapped(Lane(0.4, 0.8, {"mesh.shape": 0.0}))
    _, kept = swapped(Lane(0.4, 0.8, {"blend.mask.keep": ["mouth"], "enhance.steps": ["sharpen:1"]}))
    for found in (shaped, kept):
        assert min(face_apart(found[number], plain[number]) for number in range(10, 20)) > 2
        assert all(np.array_equal(found[number], plain[number]) for number in range(10))
        # In another shape the light on the face is a little different, and what is known of it follows in time.
        assert max(face_apart(found[number], plain[number]) for number in range(20, 38)) < 1


@pytest.mark.slow
def test_lanes_are_of_the_clip_whatever_part_of_it_is_written(swapped):
    _, whole = swapped(Lane(0.8, 1.2, {"blend.strength": 0.0}))
    report, part = swapped(Lane(0.8, 1.2, {"blend.strength": 0.0}), trim=TrimOptions(0.6, 1.4))
    assert report.frames == 20
    for number in range(20):
        assert face_apart(whole[15 + number], part[number]) < 4  # the part's light is learned anew
    assert face_apart(part[4], part[5]) > 8
    assert face_apart(part[14], part[15]) > 8


@pytest.mark.slow
def test_a_cast_keeps_what_it_says_of_somebody(clip, hopper_path, tmp_path, monkeypatch):
    monkeypatch.setattr(trust, "new_identifier", lambda: 0x1234_5678_9ABC)
    lanes = (Lane(0, None, {"blend.strength": 0.2}),)
    found = []
    with Understudy() as app:
        for own, settings in ((0.8, Settings(lanes=lanes)), (0.8, Settings())):
            cast = understudy.PartList((understudy.Part("largest", app.person(hopper_path), strength=own),))
            app.swap(clip, tmp_path / "out.mkv", cast, settings=settings, overwrite=True)
            found.append(pictures(tmp_path / "out.mkv"))
    assert max(face_apart(one, other) for one, other in zip(*found, strict=True)) < 0.5


@pytest.mark.slow
def test_who_is_blurred_is_not_seen_where_faces_are_left(clip, hopper_path, astronaut_path, tmp_path):
    with Understudy() as app:
        cast = understudy.PartList((understudy.Part("largest", "blur"),), app.person(hopper_path))
        settings = Settings(lanes=(Lane(0, None, do="leave"),))
        with pytest.raises(UsageError):  # nobody is swapped: nothing is written
            app.swap(clip, tmp_path / "none.mkv", cast, settings=settings)
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"compare": "wipe", "lanes": (Lane(0, 1, do="blur"),)}, "a compare shows the original"),
        ({"lanes": (Lane(0, 1, {"enhance.steps": ["no_such_model"]}),)}, "nothing that enhances is called"),
        ({"lanes": (Lane(0, 1, {"blend.mask.occluders": ["no_such_model"]}),)}, "no_such_model"),
    ],
)
def test_what_does_not_go_together_is_refused_before_any_work(clip, hopper_path, tmp_path, settings, said):
    with pytest.raises(understudy.UnderstudyError, match=said):
        understudy.swap(hopper_path, clip, tmp_path / "out.mp4", settings=Settings(**settings))
    assert left(tmp_path) == []


def test_a_picture_has_no_stretches(hopper_path, astronaut_path, tmp_path):
    with pytest.raises(UsageError, match="it has no stretches"):
        understudy.swap(hopper_path, astronaut_path, tmp_path / "o.png", settings=Settings(lanes=(Lane(0, 1),)))


@pytest.mark.parametrize("trim", [TrimOptions(), TrimOptions(start=0.5), TrimOptions(end=0.4)])
def test_a_lane_that_begins_when_the_clip_has_ended_is_refused(clip, hopper_path, tmp_path, trim):
    settings = Settings(lanes=(Lane(0, 0.5), Lane("2:00", do="blur")), trim=trim)  # the clip ends at 1.52
    with pytest.raises(UsageError, match=r"a lane begins at 2:00, when clip\.mp4 has ended: it is 0:01\.52 long"):
        understudy.swap(hopper_path, clip, tmp_path / "o.mp4", settings=settings)
    assert left(tmp_path) == []


def test_a_lane_behind_the_part_that_is_written_does_nothing(swapped):
    report, _ = swapped(Lane(1.4, do="blur"), trim=TrimOptions(end=0.4))
    assert report.frames_swapped == report.frames == 10


@pytest.mark.parametrize(
    ("lanes", "trim"),
    [
        ([Lane(0, do="leave")], TrimOptions()),
        ([Lane(0, 0.7, do="blur"), Lane(0.7, 9, do="leave")], TrimOptions()),
        ([Lane(0.4, 1.0, do="blur")], TrimOptions(start=0.5, end=0.9)),
    ],
)
def test_lanes_in_which_nobody_gets_a_face_are_said_before_the_work(clip, hopper_path, tmp_path, lanes, trim):
    settings = Settings(lanes=tuple(lanes), trim=trim)
    with pytest.raises(UsageError, match="lanes leave or blur everybody in all of it"):
        understudy.swap(hopper_path, clip, tmp_path / "o.mp4", settings=settings)
    assert left(tmp_path) == []


def test_a_lane_that_would_change_the_size_is_refused(shelf, clip, hopper_path, tmp_path):
    settings = Settings(lanes=(Lane(0, 1, {"enhance.steps": ["real_esrgan_x2"]}),))
    with (
        Understudy(Settings(home=shelf)) as app,
        pytest.raises(UsageError, match="a lane can't enlarge pictures"),
    ):
        app.swap(clip, tmp_path / "out.mkv", app.person(hopper_path, consent="sample"), settings=settings)
