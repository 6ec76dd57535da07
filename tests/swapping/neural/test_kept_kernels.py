"""Kernels are made once, kept for their owner only, believed if they are what they should be, and go with consent."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.swapping.neural.conditioned import ENGINE, store_of
from understudy import Settings, Understudy
from understudy.casting.portraits import portrait_in
from understudy.cli.main import main
from understudy.models import opening
from understudy.models.devices import RuntimeOptions
from understudy.models.entries import Picture
from understudy.models.openvino_runtime import OpenVino
from understudy.models.session import Session
from understudy.provenance import Consents, Home
from understudy.provenance.records.faces import FaceCache
from understudy.release import file_digest
from understudy.swapping.base import Portrait
from understudy.swapping.neural.conditioned import Conditioner
from understudy.testing import twins

CONDITIONER = "mobilefaceswap_conditioner"
posix = pytest.mark.skipif(os.name != "posix", reason="file modes")


def words(home, source, target, output, consent="sample"):
    given = ["swap", "-s", str(source), "-t", str(target), "-o", str(output), "--engine", ENGINE, "--overwrite"]
    return [*given, "--home", str(home), "--consent", consent]


@pytest.fixture
def home(put):
    """A private folder of this test's own, in which nobody was learned yet."""
    return put(ENGINE, twins.generator_twin(planted=True))[0]


@pytest.fixture
def made(monkeypatch):
    """How often kernels were made, as a list that grows."""
    count, run = [], Session.run

    def counted(session, values):
        if session.entry.name == CONDITIONER:
            count.append(values)
        return run(session, values)

    monkeypatch.setattr(opening, "probe", lambda session: None)  # trying a model is not using it
    monkeypatch.setattr(Session, "run", counted)
    return count


def kernels_of(home):
    """The files of kernels in a private folder."""
    return sorted((home / "cache").rglob("*.kernels"))


def learned(home, photo, **options):
    """Who is learned by a run that begins with nothing in memory."""
    with Understudy(Settings(engine=ENGINE, home=home, runtime=RuntimeOptions(**options))) as app:
        portrait = Portrait(*portrait_of(app, photo), file_digest(photo))
        return app.resources.models.engine(app.settings).identity([portrait]).values.arrays


def portrait_of(app, photo):
    picture = np.ascontiguousarray(np.array(Image.open(photo).convert("RGB"))[:, :, ::-1])
    return picture, app.resources.models.perception(app.settings).still(picture)[:1]


@posix
@pytest.mark.slow
def test_they_are_made_once_and_kept_for_their_owner_only(home, made, hopper_path, astronaut_path, tmp_path):
    for _ in range(2):
        assert main(words(home, hopper_path, astronaut_path, tmp_path / "o.png")) == 0
    assert len(made) == 1
    (kept,) = kernels_of(home)
    assert kept.parent.name == file_digest(hopper_path)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    for folder in (kept.parent, kept.parent.parent, kept.parent.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert 1_600_000 < kept.stat().st_size < 1_700_000
    assert [one.name for one in kept.parent.iterdir()] == [kept.name]


@pytest.mark.slow
def test_what_is_kept_gives_the_same_picture(home, made, hopper_path, astronaut_path, tmp_path):
    pictures = []
    for _ in range(2):
        assert main(words(home, hopper_path, astronaut_path, tmp_path / "o.png")) == 0
        pictures.append(np.array(Image.open(tmp_path / "o.png").convert("RGB")).astype(int))
    # Each output has a mark of its own.
    assert np.abs(pictures[0] - pictures[1]).max() < 24
    assert len(made) == 1
    first = learned(home, hopper_path)
    (kept,) = kernels_of(home)
    kept.unlink()
    assert all(np.array_equal(one, other) for one, other in zip(learned(home, hopper_path), first, strict=True))


@pytest.mark.skipif(not OpenVino().usable, reason="needs the extra openvino")
@pytest.mark.slow
def test_variants_in_16_bits_make_them_where_half_precision_is_asked_for(home, made, hopper_path, monkeypatch, capsys):
    """`models list` said that they run then; they never did."""
    store, sizes, run = store_of(home), {}, Session.run

    def noted(session, values):
        sizes[session.entry.name] = session.size
        return run(session, values)

    monkeypatch.setattr(Session, "run", noted)
    part = store.catalogue.entries[CONDITIONER]
    single = learned(home, hopper_path)
    assert sizes[CONDITIONER] > 0.9 * store.record(part).size
    optimise = ["models", "optimise", ENGINE, "--to", "half", "--calibrate", str(hopper_path), "--home", str(home)]
    assert main(optimise) == 0
    assert main(["models", "list", "--kind", "conditioner", "--home", str(home)]) == 0
    assert "runs in its place on the CPU with --precision half" in capsys.readouterr().out
    count = len(made)
    assert all(map(np.array_equal, learned(home, hopper_path), single))
    assert len(made) == count  # as they were kept
    half = learned(home, hopper_path, precision="half")
    assert sizes[CONDITIONER] < 0.6 * store.record(part).size
    assert len(made) == count + 1
    assert not all(map(np.array_equal, half, single))
    assert all(map(np.array_equal, learned(home, hopper_path), single))


@pytest.mark.slow
def test_they_go_when_consent_is_revoked_also_those_of_a_copy(home, hopper_path, astronaut_path, tmp_path, capsys):
    """A copy that was saved anew is used on the ground of the photo's own record."""
    copy = tmp_path / "copy.png"
    Image.open(hopper_path).save(copy)
    assert main(words(home, hopper_path, astronaut_path, tmp_path / "o.png", "self")) == 0
    assert main(words(home, copy, astronaut_path, tmp_path / "o.png", "self")) == 0
    assert len(kernels_of(home)) == 1  # where the record's photo is; the last one's
    assert main(["consent", "grant", str(copy), "--ground", "granted", "--note", "a form", "--home", str(home)]) == 0
    third = [*words(home, copy, astronaut_path, tmp_path / "o.png")[:-2]]
    assert main(third) == 0
    assert len(kernels_of(home)) == 2
    records = Consents(Home(home)).all()
    assert len({record.digest for record in records}) == 2
    assert main(["consent", "revoke", records[0].id, "--home", str(home)]) == 0
    assert "what was learned of that face removed" in capsys.readouterr().err
    assert not list((home / "cache" / "faces").iterdir())


def half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def one_bit(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def its_head(path):
    path.write_bytes(b"PK" + path.read_bytes()[2:])


def empty(path):
    path.write_bytes(b"")


def open_to_all(path):
    path.chmod(0o644)


def a_pipe(path):
    path.unlink()
    os.mkfifo(path, 0o600)


def a_folder_link(path):
    path.unlink()
    path.symlink_to("/nowhere/at/all")


@posix
@pytest.mark.slow
@pytest.mark.parametrize(
    "harm", [half, one_bit, its_head, empty, open_to_all, a_pipe, a_folder_link], ids=lambda harm: harm.__name__
)
def test_what_is_damaged_is_not_believed_and_made_anew(harm, home, made, hopper_path):
    first = learned(home, hopper_path)
    (kept,) = kernels_of(home)
    harm(kept)
    again = learned(home, hopper_path)
    assert len(made) == 2
    assert all(np.array_equal(one, other) for one, other in zip(again, first, strict=True))
    learned(home, hopper_path)
    assert len(made) == 2  # what was made anew is kept
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert kept.is_file()
    assert not kept.is_symlink()


@pytest.mark.slow
def test_what_is_another_photos_or_another_models_is_not_believed(home, made, hopper_path, astronaut_path):
    learned(home, hopper_path)
    other = learned(home, astronaut_path)
    one, two = (FaceCache(Home(home)).folder(file_digest(path)) for path in (hopper_path, astronaut_path))
    (name,) = [path.name for path in one.iterdir()]
    (two / name).write_bytes((one / name).read_bytes())
    again = learned(home, astronaut_path)
    assert len(made) == 3
    assert all(np.array_equal(a, b) for a, b in zip(again, other, strict=True))
    store = store_of(home)
    entry = store.catalogue.entries[CONDITIONER]
    store.remove(entry)
    part = store.folder("partial") / "x"
    part.write_bytes(twins.conditioner_twin(seed=5, narrower=8))
    store.add(entry, part, "a test")
    anew = learned(home, hopper_path)
    assert len(made) == 4
    assert not np.array_equal(anew[0], learned(home, astronaut_path)[0])
    assert len(made) == 5


@pytest.mark.slow
def test_another_crop_of_the_same_photo_is_another_face(home, made, hopper_path):
    """Another detector, or another face of the photo."""
    learned(home, hopper_path)
    with Understudy(Settings(engine=ENGINE, home=home)) as app:
        picture, face = portrait_of(app, hopper_path)
        moved = Portrait(np.roll(picture, 9, 1), face, file_digest(hopper_path))
        app.resources.models.engine(app.settings).identity([moved])
    assert len(made) == 2


@pytest.mark.slow
def test_of_a_photo_without_a_digest_nothing_is_kept(home, made, hopper_path):
    with Understudy(Settings(engine=ENGINE, home=home)) as app:
        app.resources.models.engine(app.settings).identity([Portrait(*portrait_of(app, hopper_path))])
    assert len(made) == 1
    assert kernels_of(home) == []


@pytest.mark.slow
def test_a_run_that_is_interrupted_in_the_middle_keeps_nothing_and_the_next_one_works(home, hopper_path, monkeypatch):
    run = Session.run

    def interrupted(session, values):
        if session.entry.name == CONDITIONER:
            raise KeyboardInterrupt
        return run(session, values)

    with monkeypatch.context() as patch:
        patch.setattr(opening, "probe", lambda session: None)
        patch.setattr(Session, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            learned(home, hopper_path)
    assert [path for path in (home / "cache").rglob("*") if path.is_file()] == []
    assert len(learned(home, hopper_path)) == 18
    assert len(kernels_of(home)) == 1


@pytest.mark.slow
def test_two_processes_at_once_both_work_and_leave_one_sound_file(home, made, hopper_path, astronaut_path, tmp_path):
    command = [sys.executable, "-m", "understudy"]
    both = [
        subprocess.Popen(
            [*command, *words(home, hopper_path, astronaut_path, tmp_path / f"o{number}.png")],
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    for process in both:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    (kept,) = kernels_of(home)
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]
    assert main(words(home, hopper_path, astronaut_path, tmp_path / "o.png")) == 0
    assert made == []  # what they left is believed


class Model:
    """In the place of a session: gives what it is told to."""

    entry, target, inputs = Picture(size=112), "picture", ["picture"]

    def __init__(self, *given):
        self.given, self.runs = given, 0

    def run(self, values):
        self.runs += 1
        return list(self.given)


class Shelf:
    """A cache that holds one file, and notes what was written."""

    def __init__(self):
        self.file, self.written = None, None

    def read(self, digest, name):
        return self.file

    def write(self, digest, name, data):
        self.written = data


def sealed(rest):
    """A file of kernels whose digest is right, whatever it holds."""
    return b"understudy kernels 1\n" + sha256(rest).hexdigest().encode() + b"\n" + rest


@pytest.fixture(scope="module")
def keeping(hopper, perception):
    """What makes kernels (two small ones), where it keeps them, and a file as it writes it."""
    portrait = portrait_in(hopper, "hopper", perception, None)[0]
    arrays = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones((4, 1), np.float32)
    shelf, conditioner = Shelf(), Model(*arrays)
    how = Picture(size=112, template="arcface_112_v2")
    made = Conditioner("a", how, ("1", "2"), lambda: Model(arrays[0]), lambda: conditioner, shelf)
    photo = replace(portrait, digest="0" * 64)
    made.kernels(photo)
    return made, photo, shelf, conditioner, shelf.written


def believed(keeping, file):
    """Whether kernels are taken out of a file; in any case they are right."""
    made, photo, shelf, conditioner, _ = keeping
    shelf.file, before = file, conditioner.runs
    found = made.kernels(photo).arrays
    assert all(np.array_equal(one, other) for one, other in zip(found, conditioner.given, strict=True))
    return conditioner.runs == before


@pytest.mark.slow
@given(data=st.data())
def test_a_damaged_file_of_any_kind_is_not_believed_and_no_crash(keeping, data):
    whole = keeping[-1]
    at = data.draw(st.integers(0, len(whole)), label="at")
    put = data.draw(st.binary(max_size=40), label="put")
    gone = data.draw(st.integers(0, 200), label="gone")
    changed = whole[:at] + put + whole[at + gone :]
    assert believed(keeping, changed) == (changed == whole)
    assert not believed(keeping, data.draw(st.binary(max_size=300), label="noise"))


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"null",
        b"[1, 2]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"bound": BOUND, "shapes": null}',
        b'{"bound": BOUND, "shapes": [[2, 3], ["x"]]}',
        b'{"bound": BOUND, "shapes": [[2, 3], [1e999]]}',
        b'{"bound": BOUND, "shapes": [[-2, -3], [-4, -1]]}',
        b'{"bound": BOUND, "shapes": [[1000000000000, 1000000000000]]}',
        b'{"bound": BOUND, "shapes": [[10, -1], [-20]]}',
        b'{"bound": BOUND, "shapes": []}',
        b'{"bound": "another", "shapes": [[2, 3], [4, 1]]}',
    ],
)
def test_a_file_that_was_made_up_is_not_believed_and_no_crash(told, keeping):
    about, _, numbers = keeping[-1].split(b"\n", 2)[2].partition(b"\n")
    bound = json.dumps(json.loads(about)["bound"]).encode()
    assert believed(keeping, sealed(about + b"\n" + numbers))
    assert not believed(keeping, sealed(told.replace(b"BOUND", bound) + b"\n" + numbers))
    nothing = np.full(len(numbers) // 4, np.nan, "<f4").tobytes()
    assert not believed(keeping, sealed(about + b"\n" + nothing))
