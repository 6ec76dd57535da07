"""What an output says it is: made by a trained network, or drawn from the photo. By every engine, in every place."""

import pytest

from tests.sessions.stage import until
from understudy import Settings, Understudy
from understudy.cli.main import main
from understudy.media.live.recording import RecordingSink
from understudy.media.tags import read_tags
from understudy.models.catalogue import Catalogue
from understudy.provenance.credentials import read_credentials
from understudy.provenance.metadata import claims
from understudy.release import SIDECAR_SUFFIX
from understudy.resources.made_with import MESH
from understudy.testing import FakeCamera

TRAINED, SYNTHETIC = "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic"
SWAPPERS = [entry.name for entry in Catalogue.load().of_kind("swapper")]
ENGINES = [MESH, *SWAPPERS]


def expected(engine):
    return SYNTHETIC if engine == MESH else TRAINED


def says(path):
    """What the credentials, and what the plain metadata says."""
    credentials = read_credentials(path, None)
    assert credentials.state == "valid"
    return credentials.source_type, claims(read_tags(path)).source_type


def swap(engine, home, source, target, output):
    words = ["swap", "-s", str(source), "-t", str(target), "-o", str(output), "--engine", engine]
    assert main([*words, "--home", str(home), "--consent", "sample"]) == 0


def test_every_engine_is_tried():
    assert len(SWAPPERS) >= 13


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.slow
def test_every_engines_output_says_what_made_it(engine, shelf, hopper_path, astronaut_path, tmp_path, capfd):
    swap(engine, shelf, hopper_path, astronaut_path, tmp_path / "out.png")
    assert says(tmp_path / "out.png") == (expected(engine), expected(engine))
    other = SYNTHETIC if engine != MESH else TRAINED
    assert other.encode() not in (tmp_path / "out.png").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_it_is_said_in_every_picture_format(suffix, shelf, hopper_path, astronaut_path, tmp_path, capfd):
    """By neural engines: that the mesh engine's say so is seen in tests/provenance/test_promises.py."""
    swap("inswapper_128", shelf, hopper_path, astronaut_path, tmp_path / f"out.{suffix}")
    assert says(tmp_path / f"out.{suffix}") == (TRAINED, TRAINED)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webp"])
@pytest.mark.slow
def test_it_is_said_in_every_way_of_writing_clips(suffix, shelf, hopper_path, short_clip, tmp_path, capfd):
    output = tmp_path / f"out.{suffix}"
    swap("inswapper_128", shelf, hopper_path, short_clip, output)
    assert says(output) == (TRAINED, TRAINED)
    assert output.with_name(output.name + SIDECAR_SUFFIX).exists() == (suffix in ("mkv", "webm"))


@pytest.mark.slow
@pytest.mark.parametrize("engine", [MESH, "inswapper_128"])
def test_a_live_recording_says_it(engine, shelf, hopper_path, short_pictures, tmp_path):
    output = tmp_path / "out.mp4"
    camera, settings = FakeCamera(short_pictures), Settings(engine=engine, home=shelf)
    app = Understudy(settings)
    person = app.person(hopper_path, consent="sample")
    with app.live(person, camera, [lambda release: RecordingSink(output, release)]) as live:
        until(lambda: live.statistics().frames_swapped >= 2, 60)
    assert says(output) == (expected(engine), expected(engine))


@pytest.fixture(scope="module")
def short_pictures(astronaut):
    from understudy.testing import Puppet, talking

    puppet = Puppet(astronaut, (320, 240), face_share=0.5)
    return [puppet.render(talking(n / 30)).picture for n in range(5)]


@pytest.fixture(scope="module")
def short_clip(short_pictures, tmp_path_factory):
    from understudy.testing import ClipSpec, write_clip

    path = tmp_path_factory.mktemp("clips") / "short.mp4"
    write_clip(path, short_pictures, ClipSpec(rate=25))
    return path
