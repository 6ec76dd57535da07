"""When people are seen, where a clip cuts, and single frames of it as they will be."""

import cv2
import numpy as np
import pytest

from tests.evidence import has_label
from understudy import Part, PartList, Settings, Understudy
from understudy.frames import LabelledFrame
from understudy.media.files.looking_up import FrameFinder
from understudy.tasks.preview import Preview
from understudy.tasks.timeline import timeline_of_file
from understudy.testing import ClipSpec, portrait, portrait_path, write_clip
from understudy.testing.situations import PEOPLE

RATE = 25
#: Two who change sides with each cut; the cuts are every 40 frames.
SITUATION = next(one for one in PEOPLE if one.name == "two who change sides with each cut")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with Understudy(Settings(home=tmp_path_factory.mktemp("home") / "home")) as app:
        yield app


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Ten frames, a cut, ten frames, of which six show nobody."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    pictures = [SITUATION.scene(number).draw().picture for number in [*range(10), *range(40, 64)]]
    pictures[20:26] = [np.full_like(pictures[0], 90)] * 6
    write_clip(path, pictures, ClipSpec(rate=RATE, audio=()))
    return path


@pytest.fixture(scope="module")
def people(app, clip):
    return app.people(clip).people


@pytest.mark.slow
def test_people_cuts_and_where_somebody_is_lost(app, clip, people):
    told = []
    found = timeline_of_file(clip, people, app.settings, app.resources.models, lambda *how: told.append(how))
    assert told[-1] == (34, 34)
    assert found.frames == 34
    assert found.seconds == pytest.approx(34 / RATE)
    assert 10 / RATE in [pytest.approx(cut) for cut in found.cuts]
    assert {*found.seen} == {1, 2}
    for stretches in found.seen.values():
        assert stretches[0].first_seconds == 0
        assert stretches[-1].last_seconds == pytest.approx(33 / RATE)
        assert not any(one.first_seconds <= 22 / RATE <= one.last_seconds for one in stretches)


def hidden(numbers, first, last):
    """The first shot; in some of its frames whoever is on the left is hidden."""
    pictures = [SITUATION.scene(number).draw().picture for number in numbers]
    for picture in pictures[first:last]:
        height, width = picture.shape[:2]
        face = picture[int(0.05 * height) : int(0.75 * height), int(0.12 * width) : int(0.45 * width)]
        face[:] = face.mean((0, 1))
    return pictures


@pytest.mark.slow
@pytest.mark.parametrize(
    ("numbers", "first", "last"),
    [([*range(40), *range(38, 10, -1)], 12, 24), ([*range(30)], 12, 30)],
    ids=["for a while", "for good"],
)
def test_somebody_who_is_hidden_within_a_shot_is_lost(app, people, tmp_path, numbers, first, last):
    path = tmp_path / "clip.mp4"
    write_clip(path, hidden(numbers, first, last), ClipSpec(rate=RATE, audio=()))
    found = timeline_of_file(path, people, app.settings, app.resources.models)
    assert found.cuts == ()
    (lost,) = [one for one in found.doubts if one.why == "lost"]
    assert lost.number in (1, 2)
    assert lost.when.first_seconds == pytest.approx(first / RATE, abs=0.13)
    assert lost.when.last_seconds == pytest.approx((last - 1) / RATE, abs=0.6)


@pytest.mark.slow
def test_a_frame_as_it_will_be_is_labelled_and_only_those_who_get_something_change(app, clip, people):
    host = app.person(portrait_path("astronaut"), consent="sample")
    # Of two the astronaut may be the first: a face put onto itself changes little.
    with FrameFinder(clip) as frames:
        before = frames.at(0.2).picture.copy()
        preview = Preview(
            PartList((Part(people[0], "blur"), Part(people[1], host)), people=tuple(people)),
            frames.info,
            app.settings,
            resources=app.resources,
            people=app.known,
        )
        made = preview(frames.at(0.2))
        again = frames.at(0.2).picture
    assert isinstance(made, LabelledFrame)
    assert np.array_equal(before, again)
    change = np.abs(made.frame.picture.astype(int) - before).mean(axis=2)
    assert change.max() > 40
    assert np.median(change) < 4


@pytest.mark.slow
def test_the_label_of_a_frame_as_it_will_be_stays_on_the_results_side_whatever_faces_are_there(app, tmp_path):
    path = tmp_path / "three.png"
    close = cv2.resize(portrait("hopper")[115:345, 145:375], (400, 400))
    cv2.imwrite(str(path), np.hstack([np.full_like(close, 90), close, close]))
    with FrameFinder(path) as frames:
        preview = Preview(
            PartList((Part("right", app.person(portrait_path("astronaut"), consent="sample")),)),
            frames.info,
            app.settings,
            resources=app.resources,
            people=app.known,
        )
        made = preview(frames.at(0.0))
    assert has_label(made.frame.picture[:, 600:])
