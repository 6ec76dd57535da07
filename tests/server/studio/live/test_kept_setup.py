"""The live room begins as it was left: what is chosen in it, but no secret, and nothing that is sent unasked."""

from __future__ import annotations

import asyncio
import json
import stat
from dataclasses import replace

import pytest

from tests.waiting import until
from understudy import Settings
from understudy.media.live.cameras import Camera
from understudy.server.studio.live.choices import CameraFormat, Origin, Outputs, found_again
from understudy.server.studio.samples import Samples
from understudy.server.studio.studio import Studio
from understudy.settings import changed
from understudy.testing import portrait_path
from understudy.testing.demo import FACE_BOX

pytestmark = pytest.mark.slow
CAMERA = Origin("camera", "3", "A camera")
OUTPUTS = Outputs(recording=True, stream=True, address="rtmp://127.0.0.1/live", key="s3cret", kilobits=4000)


@pytest.fixture
def studio(tmp_path):
    """Begins studios with one private folder, one after the other, with what their commands say."""
    begun = []

    def end():
        while begun:
            asyncio.run(begun.pop().close())

    def begin(**values):
        end()
        samples = Samples(portrait_path("astronaut"), FACE_BOX, "Eileen Collins", lambda *_: None, "Grace Hopper")
        begun.append(Studio(changed(Settings(home=tmp_path / "home"), values), samples, tmp_path / "recordings"))
        begun[-1].open()
        return begun[-1]

    yield begin
    end()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "home" / "studio" / "set-up.json"


def test_what_was_chosen_is_chosen_in_the_next_studio(studio, file):
    desk = studio().live
    desk.origin, desk.outputs, desk.microphone = CAMERA, OUTPUTS, "plughw:1,0"
    desk.camera_format = CameraFormat((1920, 1080), 60)
    desk.turn(True)
    desk.wait(1.5)
    desk.set({"blend.strength": 0.7, "blend.mask.keep": ["mouth"], "faces": "all"})
    desk.cover(True)

    desk = studio().live
    assert (desk.origin, desk.microphone, desk.camera_format) == (CAMERA, "plughw:1,0", CameraFormat((1920, 1080), 60))
    assert (desk.mirror, desk.delay, desk.settings.faces) == (True, 1.5, "all")
    assert (desk.settings.blend.strength, desk.settings.blend.mask.keep) == (0.7, ("mouth",))
    assert desk.faults == {}
    # The key is shown to nobody and kept nowhere; nothing is sent before somebody says so; nobody is covered unasked.
    assert desk.outputs == replace(OUTPUTS, stream=False, key="")
    assert "s3cret" not in file.read_text()
    assert not desk.covered
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_it_is_kept_while_the_studio_runs(studio, file):
    desk = studio().live
    desk.wait(2.5)
    until(lambda: file.exists() and json.loads(file.read_text())["delay"] == 2.5)


def test_a_clip_that_was_handed_over_is_not_waited_for(studio):
    studio().live.origin = Origin("clip", "0" * 32, "mine.mp4")
    assert studio().live.origin == Origin()


def test_what_the_command_says_holds_this_time(studio):
    desk = studio().live
    desk.set({"blend.strength": 0.7, "mesh.shape": 0.2})
    desk = studio(**{"blend.strength": 0.9}).live
    assert (desk.settings.blend.strength, desk.settings.mesh.shape) == (0.9, 0.2)
    desk = studio().live
    assert (desk.settings.blend.strength, desk.settings.mesh.shape) == (0.7, 0.2)


def test_what_the_command_said_is_not_kept(studio):
    studio(**{"blend.strength": 0.9}).live.wait(1)
    desk = studio().live
    assert (desk.settings.blend.strength, desk.delay) == (Settings().blend.strength, 1)


def test_of_what_can_not_be_any_more_the_rest_holds_and_it_is_said(studio, file):
    studio().live.set({"blend.strength": 0.7})
    studio()
    said = json.loads(file.read_text())
    said["settings"] |= {"engine": "a_model_that_was_removed", "of.another.version": 3, "home": "elsewhere"}
    file.write_text(json.dumps(said))  # which the studio that is open has read already, and does not write again
    desk = studio().live
    assert (desk.settings.blend.strength, desk.settings.engine) == (0.7, Settings().engine)
    assert desk.settings.home.name == "home"
    assert "a_model_that_was_removed" in desk.faults["settings"].detail


@pytest.mark.parametrize("written", ["", "{", "[]", '{"version": 2}', '{"version": 1, "origin": {"kind": "clip"}}'])
def test_a_file_that_can_not_be_read_takes_nothing_along(studio, file, written):
    studio().live.wait(1)
    studio()
    assert file.exists()
    file.write_text(written)
    # What the studio that is open has is not written again until it is changed.
    desk = studio().live
    assert (desk.delay, desk.origin, desk.faults) == (0, Origin(), {})


def test_a_camera_is_known_by_its_name():
    here = [Camera(0, "Another"), Camera(2, "A camera"), Camera(4, "A camera")]
    assert found_again(CAMERA, here) == replace(CAMERA, place="2")
    assert found_again(replace(CAMERA, place="4"), here).place == "4"
    assert found_again(CAMERA, here[:1]) == CAMERA
    assert found_again(Origin(), here) == Origin()
