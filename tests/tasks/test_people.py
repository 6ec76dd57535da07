"""Several people's faces on several people of a clip, who keep theirs over cuts."""

from __future__ import annotations

import json

import av
import cv2
import numpy as np
import pytest

from understudy import Like, Part, PartList, Understudy, toml
from understudy.casting.placing import matches
from understudy.cli.main import main
from understudy.errors import NoFaceError, UsageError
from understudy.testing import ClipSpec, portrait_path, write_clip
from understudy.testing.scenes import is_raw
from understudy.testing.situations import PEOPLE

#: Two who change sides with each cut: actor 0 is the sailor, 2 the astronaut. Ten frames of each shot.
SITUATION = next(one for one in PEOPLE if one.name == "two who change sides with each cut")
NUMBERS = [*range(10), *range(40, 50)]
SAILOR, ASTRONAUT = 0, 2
#: Grey levels by which coding and the mark change a face that is left as it is; a swap changes it by some 15.
LEFT = 8


@pytest.fixture(scope="module")
def shots():
    return [SITUATION.scene(number).draw() for number in NUMBERS]


@pytest.fixture(scope="module")
def clip(tmp_path_factory, shots):
    path = tmp_path_factory.mktemp("people") / "clip.mp4"
    write_clip(path, [shot.picture for shot in shots], ClipSpec(rate=25, audio=()))
    return path


@pytest.fixture(scope="module")
def app():
    with Understudy() as app:
        yield app


@pytest.fixture(scope="module")
def people(app, clip):
    """The clip's people by actor."""
    return app.people(clip)


@pytest.fixture(scope="module")
def numbers(app, people, shots, tmp_path_factory):
    """The number of each actor: in the first shot the sailor is on the left."""
    picture = tmp_path_factory.mktemp("first") / "first.png"
    cv2.imwrite(str(picture), shots[0].picture)
    found = matches(app.people(picture).people, people.people, app.resources.models.embedder(app.settings))
    return {(SAILOR if match.known == 1 else ASTRONAUT): match.number for match in found}


def faces_of(path, shots):
    """How far each actor's face changed, in grey levels, in each frame."""
    changes = {SAILOR: [], ASTRONAUT: []}
    raw = {SAILOR: 0, ASTRONAUT: 0}
    with av.open(str(path)) as video:
        for frame, shot in zip(video.decode(video=0), shots, strict=True):
            picture = frame.to_ndarray(format="bgr24")
            for face in shot.faces:
                low, high = face.mesh[:, :2].min(0).astype(int), face.mesh[:, :2].max(0).astype(int)
                place = (slice(low[1], high[1]), slice(low[0], high[0]))
                difference = np.abs(picture[place].astype(int) - shot.picture[place])
                changes[face.actor].append(float(difference.mean()))
                raw[face.actor] += is_raw(shot.picture, picture, face)
    return changes, raw


def swapped(app, clip, tmp_path, cast, **options):
    output = tmp_path / "out.mp4"
    return app.swap(clip, output, cast, overwrite=True, **options), output


@pytest.mark.slow
def test_everybody_is_listed_once_with_their_share_and_a_picture(app, clip, people):
    assert [one.number for one in people] == [1, 2]
    assert [one.share for one in people] == [1.0, 1.0]
    assert [(one.first_seconds, one.last_seconds) for one in people] == [(0.0, 0.76)] * 2
    assert all(one.known and one.thumbnail.shape[0] > 60 for one in people)
    again = app.people(clip)
    for one, other in zip(people, again, strict=True):
        np.testing.assert_array_equal(one.views, other.views)
        np.testing.assert_array_equal(one.thumbnail, other.thumbnail)


@pytest.mark.slow
def test_each_keeps_their_face_over_the_cut(app, clip, people, numbers, shots, tmp_path):
    hopper, astronaut = (app.person(portrait_path(name)) for name in ("hopper", "astronaut"))
    report, output = swapped(app, clip, tmp_path, {numbers[SAILOR]: astronaut, numbers[ASTRONAUT]: hopper})
    assert (report.frames_swapped, report.people) == (20, 2)
    assert set(report.sources) == {portrait_path("hopper"), portrait_path("astronaut")}
    assert len(report.consents) == 2
    changes, raw = faces_of(output, shots)
    assert raw == {SAILOR: 0, ASTRONAUT: 0}
    # The people themselves as keys: the same pictures.
    by_person = {people.people[numbers[SAILOR] - 1]: astronaut, people.people[numbers[ASTRONAUT] - 1]: hopper}
    swapped(app, clip, tmp_path, by_person)
    again, _ = faces_of(output, shots)
    for actor in (SAILOR, ASTRONAUT):
        np.testing.assert_allclose(again[actor], changes[actor], atol=0.5)


@pytest.mark.slow
def test_one_is_swapped_one_is_blurred_and_one_left(app, clip, numbers, shots, tmp_path):
    hopper = app.person(portrait_path("hopper"))
    _, output = swapped(app, clip, tmp_path, {numbers[ASTRONAUT]: hopper})
    changes, raw = faces_of(output, shots)
    assert raw[ASTRONAUT] == 0
    assert max(changes[SAILOR]) < LEFT
    _, output = swapped(app, clip, tmp_path, {numbers[ASTRONAUT]: hopper, numbers[SAILOR]: "blur"})
    _, raw = faces_of(output, shots)
    assert raw == {SAILOR: 0, ASTRONAUT: 0}
    _, output = swapped(app, clip, tmp_path, PartList((Part(numbers[SAILOR], "leave"),), hopper))
    changes, raw = faces_of(output, shots)
    assert raw[ASTRONAUT] == 0
    assert max(changes[SAILOR]) < LEFT


@pytest.mark.slow
def test_whoever_is_like_a_photo(app, clip, numbers, shots, tmp_path):
    hopper = app.person(portrait_path("hopper"))
    report, output = swapped(app, clip, tmp_path, {Like(portrait_path("astronaut")): hopper})
    assert any(f"most like person {numbers[ASTRONAUT]}" in note for note in report.notes)
    changes, raw = faces_of(output, shots)
    assert raw[ASTRONAUT] == 0
    assert max(changes[SAILOR]) < LEFT


@pytest.mark.slow
def test_the_same_in_a_picture(app, shots, tmp_path):
    picture = tmp_path / "scene.png"
    cv2.imwrite(str(picture), shots[0].picture)
    people = app.people(picture)
    assert [one.number for one in people] == [1, 2]
    assert people.people[0].center_xy[0] < people.people[1].center_xy[0]
    hopper = app.person(portrait_path("hopper"))
    app.swap(picture, tmp_path / "out.png", {2: hopper, 1: "blur"})
    after = cv2.imread(str(tmp_path / "out.png"))
    assert not any(is_raw(shots[0].picture, after, face) for face in shots[0].faces)
    app.swap(picture, tmp_path / "left.png", {2: hopper})
    after = cv2.imread(str(tmp_path / "left.png"))
    assert sum(is_raw(shots[0].picture, after, face) for face in shots[0].faces) == 1


@pytest.mark.slow
def test_a_cast_file_from_the_command_line_and_for_another_clip(clip, shots, tmp_path, capfd):
    cast, sheet, output = tmp_path / "cast.toml", tmp_path / "sheet.jpg", tmp_path / "out.mp4"
    assert main(["people", str(clip), "--cast", str(cast), "--sheet", str(sheet), "--json"]) == 0
    assert len(json.loads(capfd.readouterr().out)["people"]) == 2
    assert cv2.imread(str(sheet)).shape[1] == 400
    tables = toml.parsed(cast.read_bytes())
    tables["people"][0]["put"] = [str(portrait_path("hopper"))]
    tables["people"][1]["put"] = [str(portrait_path("astronaut"))]
    cast.write_text(toml.written(tables))
    assert main(["swap", "--cast", str(cast), "-t", str(clip), "-o", str(output)]) == 0
    _, raw = faces_of(output, shots)
    assert raw == {SAILOR: 0, ASTRONAUT: 0}
    # The second shot as a clip of its own: the people are found again, and it is said how surely.
    other = tmp_path / "other.mp4"
    write_clip(other, [shot.picture for shot in shots[10:]], ClipSpec(rate=25, audio=()))
    assert main(["swap", "--cast", str(cast), "-t", str(other), "-o", str(output), "--overwrite"]) == 0
    assert "person 1 of the cast is person" in capfd.readouterr().err
    _, raw = faces_of(output, shots[10:])
    assert raw == {SAILOR: 0, ASTRONAUT: 0}


def test_a_cast_of_people_who_are_not_there(app, people, tmp_path, hopper):
    stranger = tmp_path / "stranger.mp4"
    write_clip(stranger, [np.full((240, 320, 3), 90, np.uint8)] * 5, ClipSpec(audio=()))
    person = app.person(portrait_path("hopper"))
    with pytest.raises(NoFaceError, match=r"nobody of the cast is in stranger\.mp4"):
        app.swap(stranger, tmp_path / "out.mp4", {people.people[0]: person})
    assert not (tmp_path / "out.mp4").exists()


USAGE = {
    "no such person": ["--put", "PHOTO=7"],
    "one person twice": ["--put", "PHOTO=1", "--put", "blur=1"],
    "only blurred": ["--put", "blur=1", "--others", "blur"],
    "nobody by that name": ["--put", "PHOTO=somebody"],
    "no who": ["--put", "PHOTO"],
    "both ways": ["-s", "PHOTO", "--put", "PHOTO=1"],
    "faces without a source": ["--put", "PHOTO=1", "--faces", "left"],
    "others alone": ["-s", "PHOTO", "--others", "blur"],
    "a distance": ["--put", "PHOTO=like:PHOTO", "--like-distance", "0"],
    "blurred in the result, and shown beside it": ["--put", "PHOTO=1", "--others", "blur", "--side-by-side"],
    "the same in a wipe": ["--put", "PHOTO=1", "--put", "blur=2", "--wipe"],
    "nothing": [],
}


@pytest.mark.parametrize("words", USAGE.values(), ids=USAGE)
def test_what_cannot_be_meant_is_a_usage_error(words, clip, tmp_path, capfd):
    photo = str(portrait_path("hopper"))
    words = [word.replace("PHOTO", photo) for word in words]
    assert main(["swap", "-t", str(clip), "-o", str(tmp_path / "out.mp4"), *words]) == 2
    assert capfd.readouterr().err.count("hint:") == 1
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said", "not_said"),
    [
        ([], "it holds biometric data, and a small picture of each face", "no embeddings"),
        (["--no-embeddings"], "it holds a small picture of each face, and no embeddings", "biometric"),
    ],
    ids=["with embeddings", "without"],
)
def test_what_a_cast_file_holds_is_said(words, said, not_said, shots, tmp_path, capfd):
    cv2.imwrite(str(tmp_path / "both.png"), shots[0].picture)
    assert main(["people", str(tmp_path / "both.png"), "--cast", str(tmp_path / "cast.toml"), *words]) == 0
    err = capfd.readouterr().err
    assert said in err
    assert not_said not in err
    assert "thumbnail" in (tmp_path / "cast.toml").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("word", "left"), [("2", 1), ("like:ASTRONAUT", SAILOR), ("not:ASTRONAUT", ASTRONAUT)], ids=["2", "like", "not"]
)
def test_more_words_for_faces(word, left, clip, numbers, shots, tmp_path):
    word = word.replace("ASTRONAUT", str(portrait_path("astronaut")))
    # Number 2 is put on, so whoever is number 1 is left.
    left = next(actor for actor, number in numbers.items() if number == 1) if word == "2" else left
    photo, output = str(portrait_path("hopper" if left == SAILOR else "astronaut")), tmp_path / "out.mp4"
    assert main(["swap", "-s", photo, "-t", str(clip), "-o", str(output), "--faces", word]) == 0
    changes, _ = faces_of(output, shots)
    assert max(changes[left]) < LEFT < min(changes[SAILOR if left == ASTRONAUT else ASTRONAUT])


def test_consent_is_asked_for_every_photo(app, clip, tmp_path, shots):
    photo = tmp_path / "new.png"
    cv2.imwrite(str(photo), cv2.imread(str(portrait_path("astronaut")))[:, ::-1])
    hopper = app.person(portrait_path("hopper"))
    with pytest.raises(PermissionError, match=r"new\.png"):
        app.swap(clip, tmp_path / "out.mp4", {1: hopper, 2: app.person(photo)})
    assert not (tmp_path / "out.mp4").exists()


def test_a_mapping_that_names_nobody_is_refused(app, clip, tmp_path):
    with pytest.raises(UsageError, match="float is no person"):
        app.swap(clip, tmp_path / "out.mp4", {1.5: app.person(portrait_path("hopper"))})
    with pytest.raises(UsageError, match="a person should be"):
        app.swap(clip, tmp_path / "out.mp4", {1: "hopper.jpg"})
