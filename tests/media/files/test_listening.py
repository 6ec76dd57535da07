"""The sound of a file at any time, as browsers take it."""

from __future__ import annotations

import io
import wave
from dataclasses import replace

import numpy as np
import pytest

from understudy.errors import NotMediaError
from understudy.media.files.listening import sound_at
from understudy.testing import ClipSpec, write_clip


def pictures(count):
    return [np.full((48, 64, 3), 90, np.uint8)] * count


def samples(data):
    with wave.open(io.BytesIO(data)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (48000, 2, 2)
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").reshape(-1, 2)


@pytest.mark.parametrize(
    ("suffix", "codec"), [("mp4", "aac"), ("mkv", "libopus"), ("mov", "pcm_s16le"), ("avi", "mp2"), ("ts", "aac")]
)
def test_pieces_lie_one_behind_the_other_without_a_gap(tmp_path, suffix, codec):
    """Of one tone two pieces are one: it goes on in the same phase."""
    path = tmp_path / f"clip.{suffix}"
    write_clip(path, pictures(75), replace(ClipSpec(rate=25), audio=((codec, 440.0),)))
    whole = samples(sound_at(path, 0.5, 2.0))
    parts = np.concatenate([samples(sound_at(path, 0.5 + start, 0.5)) for start in (0.0, 0.5, 1.0, 1.5)])
    assert len(whole) == 96000
    assert len(parts) == 96000
    middle = slice(2400, 90000)
    assert np.abs(whole[middle].astype(int) - parts[middle]).max() < 400
    spectrum = np.abs(np.fft.rfft(whole[:48000, 0]))
    assert abs(int(spectrum.argmax()) - 440) <= 1


def test_beyond_the_end_it_is_silent(tmp_path):
    path = tmp_path / "clip.mp4"
    write_clip(path, pictures(25), ClipSpec(rate=25))
    found = samples(sound_at(path, 0.5, 2.0))
    assert np.abs(found[:9600]).max() > 3000
    assert np.abs(found[48000:]).max() == 0
    assert np.abs(samples(sound_at(path, 1e5, 0.1))).max() == 0


def test_a_file_without_sound_has_none_and_what_is_no_file_is_an_error(tmp_path):
    path = tmp_path / "clip.mp4"
    write_clip(path, pictures(5), ClipSpec(rate=25, audio=()))
    assert sound_at(path, 0, 1) is None
    (tmp_path / "none.mp4").write_bytes(b"notes" * 1000)
    with pytest.raises(NotMediaError):
        sound_at(tmp_path / "none.mp4", 0, 1)
