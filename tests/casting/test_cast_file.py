"""Cast files: written, filled in, read; and what can be wrong with one."""

import json
import stat
from pathlib import Path

import numpy as np
import pytest

from understudy import toml
from understudy.casting.cast_file import read_cast, write_cast
from understudy.casting.clip_person import ClipPerson
from understudy.errors import InputError, UsageError
from understudy.masking import MaskOptions

VIEWS = np.random.default_rng(0).normal(size=(2, 128)).astype(np.float32)
THUMBNAIL = np.full((40, 30, 3), 120, np.uint8)
PEOPLE = [
    ClipPerson(1, "ab" * 32, 0.75, 0.0, 9.5, (0.4, 0.5), 0.3, VIEWS, "identity", THUMBNAIL),
    ClipPerson(2, "ab" * 32, 0.25, 3.0, 4.0, (0.8, 0.4), 0.1),
]


def filled_in(path, **changes):
    """The tables of a cast file with people 1 and 2 changed, written back."""
    data = path.read_bytes()
    tables = json.loads(data) if path.suffix == ".json" else toml.parsed(data)
    for number, change in changes.items():
        if number == "file":
            tables |= change
        else:
            tables["people"][int(number[1:]) - 1] |= change
    path.write_text(json.dumps(tables) if path.suffix == ".json" else toml.written(tables))


@pytest.fixture(params=[".toml", ".json"])
def path(request, tmp_path):
    return tmp_path / f"cast{request.param}"


def test_what_is_filled_in_is_read(path):
    write_cast(path, PEOPLE, "clip.mp4")
    filled_in(path, p1={"put": ["host.jpg"], "strength": 0.5}, p2={"do": "blur"}, file={"others": {"do": "blur"}})
    cast = read_cast(path)
    first, second = cast.parts
    assert (first.who, first.gets.photos, first.strength) == (1, (path.parent / "host.jpg",), 0.5)
    assert (second.who, second.gets, cast.others) == (2, "blur", "blur")
    np.testing.assert_array_equal(cast.people[0].views, VIEWS)
    assert (cast.people[0].embedder, cast.people[0].clip) == ("identity", "ab" * 32)
    assert (cast.people[0].center_xy, cast.people[0].size) == ((0.4, 0.5), 0.3)
    assert not cast.people[1].known


def test_somebody_may_have_a_mask_and_an_enhancement_of_their_own(path):
    write_cast(path, PEOPLE, "clip.mp4")
    own = {"mask": {"keep": ["mouth"], "feather": 0.1}, "enhance": ["sharpen:0.5", "clahe"], "shape": 0.5}
    filled_in(path, p1={"put": ["host.jpg"]} | own, p2={"put": ["guest.jpg"]})
    first, second = read_cast(path).parts
    assert (first.mask, first.enhance.steps) == (MaskOptions(keep=("mouth",), feather=0.1), ("sharpen:0.5", "clahe"))
    assert (second.mask, second.enhance, first.shape, second.shape) == (None, None, 0.5, None)


def test_it_is_for_its_owner_only_and_says_that_it_is_biometric(path):
    write_cast(path, PEOPLE, "clip.mp4")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "biometric" in path.read_text()


def test_without_embeddings_it_says_nothing_of_what_people_look_like_to_a_recogniser(path):
    write_cast(path, PEOPLE, "clip.mp4", embeddings=False)
    assert "embedder" not in path.read_text()
    filled_in(path, p1={"put": ["host.jpg"]})
    assert not any(person.known for person in read_cast(path).people)


def test_as_it_is_made_nobody_gets_a_face(path):
    write_cast(path, PEOPLE, "clip.mp4")
    with pytest.raises(UsageError, match=r"nobody gets a face in cast\.\w+: it is not filled in") as caught:
        read_cast(path)
    assert "put = [" in caught.value.hint  # and not an option: the file's own word is what helps


def test_a_file_that_is_there_is_kept(path):
    path.write_text("mine")
    with pytest.raises(UsageError):
        write_cast(path, PEOPLE, "clip.mp4")
    assert path.read_text() == "mine"
    write_cast(path, PEOPLE, "clip.mp4", overwrite=True)


BAD = {
    "two things": ({"p1": {"put": ["a.jpg"], "do": "blur"}}, "people.1"),
    "unknown word": ({"p1": {"do": "hide"}}, "people.1.do"),
    "strength": ({"p1": {"put": ["a.jpg"], "strength": 2.0}}, "strength"),
    "not a number": ({"p1": {"put": ["a.jpg"], "strength": float("nan")}}, "strength|valid JSON"),
    "unknown field": ({"p1": {"swap": 1}}, "people.1.swap"),
    "number twice": ({"p2": {"number": 1, "put": ["a.jpg"]}}, "twice"),
    "digest": ({"file": {"clip": {"sha256": "abc"}}}, "clip.sha256"),
    "damaged": ({"p1": {"put": ["a.jpg"], "embeddings": {"embedder": "x", "views": ["AAA"]}}}, "damaged"),
    "of two sizes": (
        {"p1": {"put": ["a"], "embeddings": {"embedder": "x", "views": ["AAAAAA==", "AAAAAAAAAAA="]}}},
        "damaged",
    ),
    "mask": ({"p1": {"put": ["a.jpg"], "mask": {"keep": ["hat"]}}}, "hat"),
    "no such mask": ({"p1": {"put": ["a.jpg"], "mask": {"hat": 1}}}, "hat"),
    "enhance": ({"p1": {"put": ["a.jpg"], "enhance": ["sharpen:2"]}}, "sharpen"),
    "newer": ({"file": {"understudy_cast": 2}}, "newer version"),
    "no version": ({"file": {"understudy_cast": "one"}}, "understudy_cast"),
    "nobody": ({"file": {"people": []}}, "people"),
}


@pytest.mark.parametrize(("change", "words"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_said_by_place(path, change, words):
    write_cast(path, PEOPLE, "clip.mp4")
    filled_in(path, **change)
    with pytest.raises(InputError, match=words) as told:
        read_cast(path)
    assert "docs/people.md" in told.value.hint or "Update" in told.value.hint


def test_what_is_no_cast_is_told(tmp_path):
    for name, content in (("a.toml", "x = 1"), ("b.json", "[]"), ("c.toml", "= ="), ("d.json", "{")):
        (tmp_path / name).write_text(content)
        with pytest.raises(InputError):
            read_cast(tmp_path / name)
    with pytest.raises(UsageError, match=r"no cast can be read from cast\.txt"):
        read_cast(tmp_path / "cast.txt")
    with pytest.raises(InputError, match="does not exist"):
        read_cast(Path(tmp_path / "none.toml"))
