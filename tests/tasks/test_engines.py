"""An engine for each person: every face is drawn by the one that was named for it, and the output says all of them."""

from __future__ import annotations

import base64
import json

import c2pa
import cv2
import numpy as np
import pytest

from tests.sessions.stage import Screen, until
from understudy import EnhanceOptions, Part, PartList, Settings, Understudy, toml
from understudy.cli.main import main
from understudy.media.tags import read_tags
from understudy.provenance.credentials import OFFLINE, read_credentials
from understudy.provenance.metadata import claims
from understudy.provenance.records.home import Home
from understudy.provenance.records.ledger import Ledger
from understudy.testing import FakeCamera, portrait_path
from understudy.testing.scenes import is_raw
from understudy.testing.situations import PEOPLE

TRAINED, SYNTHETIC = "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic"
ARCFACE = "arcface_w600k_r50"
NEURAL = "hyperswap_1a_256"
#: Two outputs' marks differ by less than this, as ``apart`` has it.
MARKED = 4


@pytest.fixture(scope="module")
def shot():
    """Two people side by side."""
    return next(one for one in PEOPLE if one.name == "two who change sides with each cut").scene(0).draw()


@pytest.fixture(scope="module")
def target(shot, tmp_path_factory):
    path = tmp_path_factory.mktemp("scene") / "scene.png"
    cv2.imwrite(str(path), shot.picture)
    return path


@pytest.fixture(scope="module")
def app(shelf):
    with Understudy(Settings(home=shelf)) as app:
        yield app


def says(path):
    """The source type, in the credentials and in the plain metadata, and what each step says of who did it."""
    credentials = read_credentials(path, None)
    assert credentials.state == "valid"
    assert credentials.source_type == claims(read_tags(path)).source_type
    with path.open("rb") as file, c2pa.Reader("image/png", file, context=c2pa.Context.from_dict(OFFLINE)) as reader:
        store = json.loads(reader.json())
    assertions = store["manifests"][store["active_manifest"]]["assertions"]
    actions = next(one["data"]["actions"] for one in assertions if one["label"].startswith("c2pa.actions"))
    return credentials.source_type, [
        action["description"] if action["softwareAgent"]["name"] == "Understudy" else action["softwareAgent"]["name"]
        for action in actions
        if action["action"] == "c2pa.edited"
    ]


def newest(home):
    return list(Ledger(Home(home)).records())[-1]


def halves(path):
    """The picture, cut between its two people."""
    picture = cv2.imread(str(path)).astype(int)
    return np.split(picture, [picture.shape[1] // 2], 1)


def apart(picture, other):
    """How far two pictures are apart where they are most, in grey levels, as means of 15 x 15 pixels."""
    return float(np.abs(cv2.blur((picture - other).astype(np.float32), (15, 15))).max())


def swapped(app, target, output, *parts):
    report = app.swap(target, output, PartList(parts), overwrite=True)
    return report, halves(output)


@pytest.mark.slow
def test_each_is_drawn_by_their_own_engine(app, shelf, target, tmp_path):
    hopper, astronaut = (app.person(portrait_path(name), consent="sample") for name in ("hopper", "astronaut"))
    left, right = app.people(target)
    both = Part(left, hopper), Part(right, astronaut)
    _, mesh = swapped(app, target, tmp_path / "mesh.png", *both)
    assert says(tmp_path / "mesh.png") == (SYNTHETIC, ["Understudy mesh engine"])
    assert newest(shelf).engine == "mesh"
    neural = Part(right, astronaut, engine=NEURAL)
    report, found = swapped(app, target, tmp_path / "both.png", both[0], neural)
    assert report.engine == newest(shelf).engine == f"mesh, {NEURAL}"
    assert says(tmp_path / "both.png") == (TRAINED, [f"Understudy mesh and {NEURAL} engines"])
    assert apart(found[0], mesh[0]) < MARKED
    assert apart(found[1], mesh[1]) > 3 * MARKED
    _, alone = swapped(app, target, tmp_path / "alone.png", Part(left, "leave"), neural)
    assert apart(found[1], alone[1]) < MARKED
    assert newest(shelf).engine == NEURAL  # nobody was drawn by the one that the settings name


@pytest.mark.slow
def test_one_photo_for_two_people_by_two_engines_is_one_ingredient(app, shelf, target, tmp_path):
    hopper = app.person(portrait_path("hopper"), consent="sample")
    left, right = app.people(target)
    report, _ = swapped(app, target, tmp_path / "out.png", Part(left, hopper), Part(right, hopper, engine=NEURAL))
    assert len(newest(shelf).sources) == len(newest(shelf).consents) == len(report.consents) == 1
    names = [name for name in read_credentials(tmp_path / "out.png", None).ingredients if "source photo" in name]
    assert len(names) == 1


@pytest.mark.slow
@pytest.mark.parametrize("own", [False, True], ids=["everybody's", "one person's"])
def test_a_restorer_makes_it_trained_media_and_is_named(own, app, shelf, target, tmp_path):
    hopper, enhance = app.person(portrait_path("hopper"), consent="sample"), EnhanceOptions(("sharpen", "gfpgan_1.4"))
    part = Part(1, hopper, enhance=enhance) if own else Part(1, hopper)
    settings = Settings(home=shelf) if own else Settings(home=shelf, enhance=enhance)
    app.swap(target, tmp_path / "out.png", PartList((part,)), settings=settings)
    assert says(tmp_path / "out.png") == (
        TRAINED,
        ["Understudy mesh engine", "The result was enhanced by gfpgan_1.4."],
    )
    assert newest(shelf).engine == "mesh, gfpgan_1.4"


@pytest.mark.slow
def test_what_had_no_part_is_not_named(app, shelf, target, tmp_path):
    """Everybody has steps of their own: the shared restorer does nothing, what is done to the frame is done."""
    part = Part(1, app.person(portrait_path("hopper"), consent="sample"), enhance=EnhanceOptions())
    for steps, made_by in ((("gfpgan_1.4",), "mesh"), (("gfpgan_1.4", "real_esrgan_x2"), "mesh, real_esrgan_x2")):
        settings = Settings(home=shelf, enhance=EnhanceOptions(steps))
        app.swap(target, tmp_path / "out.png", PartList((part,)), settings=settings, overwrite=True)
        assert newest(shelf).engine == made_by
        assert says(tmp_path / "out.png")[0] == (SYNTHETIC if made_by == "mesh" else TRAINED)


@pytest.mark.slow
def test_a_cast_file_names_them(shelf, target, tmp_path, capfd):
    cast, words = tmp_path / "cast.toml", ["--home", str(shelf)]
    assert main(["people", str(target), "--cast", str(cast), *words]) == 0
    capfd.readouterr()
    tables = toml.parsed(cast.read_bytes())
    tables["people"][0] |= {"put": [str(portrait_path("hopper"))], "engine": NEURAL}

    def run(*more):
        cast.write_text(toml.written(tables))
        output = tmp_path / "out.png"
        code = main(
            [
                "swap",
                "--cast",
                str(cast),
                "-t",
                str(target),
                "-o",
                str(output),
                "--overwrite",
                "--consent",
                "sample",
                *more,
            ]
        )
        return code, capfd.readouterr()

    code, said = run("--json", *words)
    assert (code, json.loads(said.out)["engine"]) == (0, NEURAL)
    code, said = run("--home", str(tmp_path / "empty"))
    assert code == 5
    assert f"understudy models pull --home {tmp_path / 'empty'} {NEURAL}" in said.err
    tables["people"][0]["engine"] = "no such engine"
    code, said = run(*words)
    assert code == 2
    assert "unknown engine 'no such engine'" in said.err


@pytest.mark.slow
def test_people_are_told_apart_by_the_recogniser_that_was_named(shelf, target, tmp_path, capfd):
    """Whether arcface tells them well can't be seen of a twin: that it is asked, and that the cast says so."""
    cast, words = tmp_path / "cast.toml", ["--recogniser", ARCFACE, "--home", str(shelf)]
    assert main(["people", str(target), "--cast", str(cast), *words]) == 0
    tables = toml.parsed(cast.read_bytes())
    assert [one["embeddings"]["embedder"] for one in tables["people"]] == [ARCFACE] * 2
    assert len(base64.b64decode(tables["people"][0]["embeddings"]["views"][0])) == 512 * 4
    tables["people"][0]["put"] = [str(portrait_path("hopper"))]
    cast.write_text(toml.written(tables))
    swap = ["swap", "--cast", str(cast), "-t", str(target), "-o", str(tmp_path / "out.png"), "--consent", "sample"]
    assert main([*swap, *words]) == 0
    for name, home, code in (("nobody", shelf, 2), (ARCFACE, tmp_path / "empty", 5)):
        again = ["people", str(target), "--recogniser", name, "--home", str(home)]
        assert main(again) == code
    said = capfd.readouterr().err
    assert "unknown recogniser 'nobody'" in said
    assert f"understudy models pull --home {tmp_path / 'empty'} {ARCFACE}" in said


@pytest.mark.slow
def test_live_each_has_their_own_engine_too(app, shelf, shot):
    hopper = app.person(portrait_path("hopper"), consent="sample")
    parts = Part("left", hopper), Part("right", hopper, engine=NEURAL)
    screen = Screen()
    with app.live(PartList(parts), FakeCamera([shot.picture]), [lambda _: screen]) as live:
        until(lambda: live.statistics().frames_swapped >= 5, 60)
    left, right = sorted(shot.faces, key=lambda face: face.mesh[:, 0].mean())
    assert not is_raw(shot.picture, screen.frames[-1], left)
    low, high = right.mesh[:, :2].min(0).astype(int), right.mesh[:, :2].max(0).astype(int)
    place = (slice(low[1], high[1]), slice(low[0], high[0]))
    assert apart(screen.frames[-1][place].astype(int), shot.picture[place].astype(int)) > MARKED
    record = newest(shelf)
    assert (record.kind, record.engine) == ("live", f"mesh, {NEURAL}")
