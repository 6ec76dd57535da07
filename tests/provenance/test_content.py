"""Intimate pictures are refused, and no scene of several seconds is passed over; what looks is always there."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy import ContentOptions, Settings, Understudy
from understudy.cli.main import main
from understudy.errors import ContentRefusedError, UnderstudyError
from understudy.provenance import open_nsfw
from understudy.provenance.content import (
    CLOSE_LOOKS,
    EARNING,
    INTERVAL,
    MOST_UNSEEN,
    SURE,
    THRESHOLD,
    ContentCheck,
    views,
)
from understudy.provenance.open_nsfw import OpenNsfw
from understudy.settings.schema import schema
from understudy.testing import ClipSpec, Puppet, talking, write_clip


class Prude:
    """Says what it is told to say of each look, and the last of it from then on."""

    name = "prude"

    def __init__(self, *says):
        self.says, self.seen = list(says), []

    def intimate(self, picture):
        assert picture.dtype == np.uint8
        self.seen.append(picture.shape)
        return self.says[min(len(self.seen), len(self.says)) - 1]


class Marked:
    """Takes pictures for intimate that are nearly white."""

    name = "marked"

    def __init__(self, probability=1.0):
        self.probability = probability

    def intimate(self, picture):
        return self.probability if picture.mean() > 240 else 0.0


LIGHT, DARK = np.full((8, 8, 3), 255, np.uint8), np.zeros((8, 8, 3), np.uint8)


@pytest.fixture(scope="module")
def own_classifier():
    return OpenNsfw()


@pytest.mark.parametrize("says", [0.9, THRESHOLD, float("nan")])
@pytest.mark.parametrize("looks", [1, 2])
def test_intimate_pictures_are_refused(own, hopper_path, astronaut_path, tmp_path, says, looks):
    """First the photo is, then the target."""
    prude = Prude(*[0.1] * (looks - 1), says)
    with (
        Understudy(Settings(home=own.root), classifier=prude) as app,
        pytest.raises(ContentRefusedError, match=r"prude: \d+%|prude: nan%") as refusal,
    ):
        app.swap(astronaut_path, tmp_path / "out.png", app.person(hopper_path, consent="sample"))
    assert f"{(hopper_path, astronaut_path)[looks - 1].name} looks intimate" in str(refusal.value)
    assert refusal.value.exit_code == 4
    assert list(tmp_path.glob("*.png")) == []


@pytest.mark.slow
def test_a_refused_clip_names_the_time_and_leaves_nothing(own, hopper_path, astronaut, tmp_path):
    puppet = Puppet(astronaut, (320, 240), face_share=0.5)
    frames = [puppet.render(talking(n / 10)).picture for n in range(40)]
    frames[20:] = [np.full_like(frame, 255) for frame in frames[20:]]
    write_clip(tmp_path / "clip.mp4", frames, ClipSpec(rate=10))
    said = r"clip\.mp4 at 2\.0 s looks intimate \(marked: 100%"
    with (
        Understudy(Settings(home=own.root), classifier=Marked()) as app,
        pytest.raises(ContentRefusedError, match=said),
    ):
        app.swap(tmp_path / "clip.mp4", tmp_path / "out.mp4", app.person(hopper_path, consent="sample"))
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".mp4"] == ["clip.mp4"]


@pytest.mark.slow
@pytest.mark.slow
def test_a_clip_that_ends_during_a_closer_look_is_refused_by_what_was_seen(own, hopper_path, astronaut, tmp_path):
    puppet = Puppet(astronaut, (320, 240), face_share=0.5)
    frames = [puppet.render(talking(n / 10)).picture for n in range(20)]
    frames[12:] = [np.full_like(frame, 255) for frame in frames[12:]]
    write_clip(tmp_path / "clip.mp4", frames, ClipSpec(rate=10))
    with (
        Understudy(Settings(home=own.root), classifier=Marked((THRESHOLD + SURE) / 2)) as app,
        pytest.raises(
            ContentRefusedError, match=r"clip\.mp4 from 1\.2 to 1\.\d s looks intimate \(marked: 72% in the mean"
        ),
    ):
        app.swap(tmp_path / "clip.mp4", tmp_path / "out.mp4", app.person(hopper_path, consent="sample"))
    assert not (tmp_path / "out.mp4").exists()


def test_the_report_says_what_looked_and_how_often(own, hopper_path, astronaut_path, tmp_path):
    for number, (classifier, names) in enumerate([(None, "open_nsfw"), (Prude(0.1), "open_nsfw and prude")]):
        with Understudy(Settings(home=own.root), classifier=classifier) as app:
            report = app.swap(astronaut_path, tmp_path / f"{number}.png", app.person(hopper_path, consent="sample"))
        assert f"content was checked with {names}: 2 looks, threshold 0.6" in report.notes


@pytest.mark.slow
def test_nothing_switches_it_off_or_makes_it_lenient(own, hopper_path, astronaut_path, tmp_path, monkeypatch, capsys):
    for more in (0.61, 1.0, 2.0, float("nan"), 0.0, -1.0):
        with pytest.raises(ValueError, match="stricter only"):
            ContentOptions(more)
    with pytest.raises(ValueError, match="needs a classifier"):
        ContentCheck([])
    # The one setting there is is no file's, and no option of the command line names it.
    assert [one for one in schema() if one.startswith("content")] == []
    assert [one.name for one in dataclasses.fields(ContentOptions)] == ["threshold"]
    for command in ("swap", "live", "eval"):
        main([command, "--help"])
        said = capsys.readouterr().out.lower()
        assert not any(word in said for word in ("nsfw", "intimate", "--content", "--no-content", "classifier"))
    # A classifier of one's own is asked besides the package's, not in its place.
    monkeypatch.setattr(OpenNsfw, "intimate", lambda self, picture: 0.99)
    with Understudy(Settings(home=own.root), classifier=Prude(0.0)) as app:
        for engine in ("mesh", "inswapper_128"):
            with pytest.raises(ContentRefusedError, match="open_nsfw: 99%"):
                app.resources.models.content(Settings(engine=engine)).photo(DARK, "it")


def test_without_its_file_nothing_is_swapped(own, hopper_path, astronaut_path, tmp_path, monkeypatch):
    monkeypatch.setattr("understudy.provenance.open_nsfw.FILE", "gone.onnx")
    with (
        Understudy(Settings(home=own.root)) as app,
        pytest.raises(UnderstudyError, match=r"without .* gone\.onnx") as told,
    ):
        app.swap(astronaut_path, tmp_path / "out.png", app.person(hopper_path, consent="sample"))
    assert told.value.exit_code == 5
    assert not (tmp_path / "out.png").exists()


def refused_at(check, pictures, rate, cuts=()):
    """The frame at which it was refused; None if it was not."""
    for number, picture in enumerate(pictures):
        try:
            check.frame(picture, number / rate, cut=number in cuts)
        except ContentRefusedError:
            return number
    return None


@given(
    rate=st.sampled_from([1, 5, 10, 24, 30, 60, 1000]),
    start=st.integers(0, 400),
    cuts=st.sets(st.integers(1, 900)),
    data=st.data(),
)
def test_no_scene_of_three_seconds_or_ninety_frames_is_passed_over(rate, start, cuts, data):
    """However it lies, and however many cuts were to use up the looks before."""
    length = min(int(INTERVAL * rate) + 1, MOST_UNSEEN)
    end = start + length + data.draw(st.integers(0, 50))
    pictures = [LIGHT if start <= number < end else DARK for number in range(end + 20)]
    found = refused_at(ContentCheck([Marked()]), pictures, rate, cuts)
    assert found is not None
    assert start <= found < end


def test_a_new_shot_is_looked_at_at_once():
    pictures = [DARK] * 200 + [LIGHT] * 5 + [DARK] * 50
    assert refused_at(ContentCheck([Marked()]), pictures, 30, {200}) == 200
    assert refused_at(ContentCheck([Marked()]), pictures, 30) is None  # without the cut it is too short


def test_a_new_shot_for_which_no_look_is_left_is_looked_at_as_soon_as_one_is_earned():
    check = ContentCheck([Prude(0.0)])
    looked = [number for number in range(100) if check.due(number / 100, cut=number in (1, 2))]
    assert looked[:2] == [0, 1]
    assert 2 < looked[2] <= EARNING < MOST_UNSEEN


@pytest.mark.slow
@given(st.sets(st.integers(1, 3000)), st.sampled_from([24, 25, 30, 60, 120]))
def test_cuts_do_not_make_it_costly(cuts, rate):
    prude = Prude(0.0)
    check = ContentCheck([prude])
    for number in range(3001):
        check.frame(DARK, number / rate, cut=number in cuts)
    # At 24 frames a second the three seconds come before the frames earn a look.
    assert len(prude.seen) <= 2 + 3001 / min(EARNING, INTERVAL * rate)


@pytest.mark.parametrize(("says", "refused"), [(THRESHOLD + 0.05, True), (THRESHOLD - 0.05, False)])
def test_what_is_probable_is_looked_at_more_closely(says, refused):
    """A moment of it is let through, seconds are not; what is nearly sure is refused at once."""
    first = Prude(0.0, 0.7, says)
    found = refused_at(ContentCheck([first]), [DARK] * 400, 30)
    assert (found is not None) == refused
    if refused:
        assert found == pytest.approx(90 + 5 * (CLOSE_LOOKS - 1), abs=1)
    moment = Prude(0.0, 0.8, 0.8, 0.8, 0.1)
    assert refused_at(ContentCheck([moment]), [DARK] * 400, 30) is None
    assert len(moment.seen) == 1 + CLOSE_LOOKS + 2  # then it goes on as before
    assert refused_at(ContentCheck([Prude(0.0, SURE)]), [DARK] * 400, 30) == 90


@pytest.mark.parametrize(("says", "refused"), [([0.7], True), ([0.0, 0.7, 0.7], True), ([0.0, 0.7, 0.1], False)])
def test_a_clip_that_ends_in_a_closer_look_is_judged_by_what_was_seen(says, refused):
    """Or else an intimate photo would be let through as a clip of one frame."""
    check = ContentCheck([Prude(*says)], target="clip.mp4")
    assert refused_at(check, [DARK] * (1 + 92 * (len(says) > 1) + 4), 30) is None
    if refused:
        with pytest.raises(ContentRefusedError, match=r"prude: 70%( in the mean of 2 looks)?;") as told:
            check.end()
        when = "at 0.0 s" if len(says) == 1 else "from 3.0 to 3.2 s"
        assert str(told.value).startswith(f"clip.mp4 {when} looks intimate")
    check.end()  # what was decided is decided


def test_a_stricter_threshold_counts():
    with pytest.raises(ContentRefusedError, match="threshold is 20%"):
        ContentCheck([Prude(0.25)], ContentOptions(0.2)).photo(DARK, "it")
    ContentCheck([Prude(0.25)]).photo(DARK, "it")


@given(st.integers(1, 300), st.integers(1, 300))
def test_squares_cover_a_long_picture(width, height):
    picture = np.arange(width * height, dtype=np.uint32).reshape(height, width)
    whole, *squares = views(picture, 1.25)
    assert whole is picture
    assert bool(squares) == (max(width, height) >= 1.25 * min(width, height))
    if squares:
        assert {square.shape for square in squares} == {(min(width, height),) * 2}
        assert len(squares) == -(-max(width, height) // min(width, height))
        assert len(np.unique(np.concatenate([square.ravel() for square in squares]))) == picture.size


def test_a_small_scene_at_one_end_of_a_panorama_is_seen():
    picture = np.zeros((20, 200, 3), np.uint8)
    picture[:, :20] = 255
    with pytest.raises(ContentRefusedError):
        ContentCheck([Marked()]).photo(picture, "it")
    with pytest.raises(ContentRefusedError):
        ContentCheck([Marked()]).frame(picture, 0.0)


@pytest.mark.parametrize(("name", "known"), [("hopper", 0.0001), ("astronaut", 0.0170)])
def test_the_package_s_own_network_gives_its_known_answers(name, known, request, own_classifier):
    """As the carrier's own file gives them; there is only what 8 bits cost between them."""
    assert own_classifier.intimate(request.getfixturevalue(name)) == pytest.approx(known, abs=0.002)


@pytest.mark.parametrize("size", [(1280, 720), (3840, 2160), (720, 1364), (640, 480), (1022, 1026), (100, 80)])
def test_a_picture_is_squeezed_by_the_shortest_way_that_shows_the_same(size, astronaut, own_classifier, monkeypatch):
    picture = cv2.resize(astronaut, size, interpolation=cv2.INTER_CUBIC)
    at_once = cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA)
    shown = open_nsfw.squeezed(picture)
    assert shown.shape == at_once.shape
    assert np.abs(shown.astype(int) - at_once).mean() < 2
    said = own_classifier.intimate(picture)
    monkeypatch.setattr(open_nsfw, "squeezed", lambda picture: at_once)
    assert said == pytest.approx(own_classifier.intimate(picture), abs=0.005)


def test_blue_comes_first(own_classifier):
    """Plain skin looks more intimate to the network than the same with red and blue exchanged: 0.21 and 0.08."""
    skin = np.full((300, 400, 3), (90, 120, 190), np.uint8)
    said, exchanged = (own_classifier.intimate(np.ascontiguousarray(one)) for one in (skin, skin[:, :, ::-1]))
    assert said > 2 * exchanged


@pytest.mark.slow
def test_ordinary_pictures_are_far_from_the_threshold(own_classifier, astronaut, hopper):
    random = np.random.default_rng(1)
    pictures = [np.full((90, 120, 3), value, np.uint8) for value in (0, 60, 128, 200, 255)]
    pictures += [random.integers(0, 256, (90, 120, 3)).astype(np.uint8)]
    pictures += [cv2.resize(one, (224, 224)) for one in (astronaut, hopper)]
    pictures += [Puppet(one, (320, 320), face_share=0.9).render(talking(0.4)).picture for one in (astronaut, hopper)]
    said = [own_classifier.intimate(one) for one in pictures]
    print([round(one, 3) for one in said])
    assert max(said) < 0.3
