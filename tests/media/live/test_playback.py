"""A clip that is played as if it were a camera: pictures and sound stay in step, also when everything stood still."""

import time

import pytest

from understudy.media.helpers.encoder import SOUND_RATE
from understudy.media.live.base import CaptureOptions, Picture, Sound
from understudy.media.live.playback import FileSource


class Played:
    """What came of a clip: for how many seconds of each kind, and how long after its place in the clip the last one."""

    def __init__(self, source):
        self.source, self.info = source, source.open()
        self.pictures = self.sounds = 0.0
        self.pictures_behind = self.sounds_behind = 0.0

    def play(self, until):
        """Play until so many seconds of both have come, counted from the beginning of the clip."""
        while min(self.pictures, self.sounds) < until:
            came = self.source.read()
            if isinstance(came, Picture):
                self.pictures_behind = came.at - self.pictures
                self.pictures += float(1 / self.info.fps)
            elif isinstance(came, Sound):
                self.sounds_behind = came.at - self.sounds
                self.sounds += len(came.samples) / SOUND_RATE


@pytest.mark.slow
def test_pictures_and_sound_are_in_step_after_everything_stood_still(small_clip):
    source = FileSource(small_clip, CaptureOptions())
    played = Played(source)
    try:
        played.play(0.4)
        before = played.pictures_behind
        assert played.sounds_behind == pytest.approx(before, abs=0.1)
        time.sleep(0.9)
        played.play(0.7)
    finally:
        source.close()
    assert played.pictures_behind > before + 0.7
    assert played.sounds_behind == pytest.approx(played.pictures_behind, abs=0.1)
    assert played.sounds < played.pictures + 0.3
