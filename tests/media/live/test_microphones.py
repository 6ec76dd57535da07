"""Which microphones there are."""

import pytest

from understudy.errors import InputError
from understudy.media.live.microphone import Device, Microphone, MicrophoneError, list_microphones

PCM = """00-00: ALC257 Analog : ALC257 Analog : playback 1 : capture 1
00-03: HDMI 0 : HDMI 0 : playback 1
01-00: USB Audio : USB Audio : capture 1
"""


def test_those_are_listed_that_take_sound_in(tmp_path):
    (tmp_path / "pcm").write_text(PCM)
    assert list_microphones(tmp_path / "pcm") == [
        Device("plughw:0,0", "ALC257 Analog"),
        Device("plughw:1,0", "USB Audio"),
    ]


@pytest.mark.parametrize("said", [b"", b"\xff\xfe\x00", b"nonsense\n00-\n"])
def test_nonsense_lists_nothing(tmp_path, said):
    (tmp_path / "pcm").write_bytes(said)
    assert list_microphones(tmp_path / "pcm") == []
    assert list_microphones(tmp_path / "missing") == []


def test_one_that_is_not_there_is_said():
    with pytest.raises(MicrophoneError, match="'no such one' can't be opened") as caught:
        Microphone("no such one").open()
    assert isinstance(caught.value, InputError)
