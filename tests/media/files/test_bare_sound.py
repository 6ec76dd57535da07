"""Sound that is stored as bare numbers is cut to the number, and has its gaps also where packets have no times."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from tests.media.files.test_streams import film, passed
from understudy.media.base import Excerpt, MediaInfo, MediaKind
from understudy.media.files.bare_sound import Silence

RATE = 8000


def heard(path):
    """The samples of a file's sound, one channel, one after the other; and when they begin, in seconds."""
    with av.open(str(path)) as file:
        frames = list(file.decode(audio=0))
    channels = frames[0].layout.nb_channels
    return np.concatenate([frame.to_ndarray()[0][::channels] for frame in frames]), float(frames[0].time)


@pytest.mark.parametrize("layout", ["mono", "stereo"])
@pytest.mark.parametrize("codec", ["pcm_s24le", "pcm_s24be", "pcm_s16le", "pcm_alaw", "pcm_u8"])
def test_a_part_of_it_is_the_same_numbers(tmp_path, codec, layout):
    source, output = tmp_path / "in.nut", tmp_path / "out.mov"
    film(source, [(codec, RATE, layout)])
    part = Excerpt(2, 0.45)  # the second and third tenth of a second, and a half
    passed(source, output, MediaInfo(source, MediaKind.VIDEO, 64, 64, Fraction(1, 10), excerpt=part))
    whole, _ = heard(source)
    samples, begins = heard(output)
    assert begins == 0
    assert np.array_equal(samples, whole[round(0.2 * RATE) : round(0.45 * RATE)])


def with_a_gap(path, codec, missing, plain):
    """A film whose sound has nothing for so many seconds after its third tenth of a second."""
    film(plain, [(codec, RATE, "mono")])
    with av.open(str(plain)) as old, av.open(str(path), "w") as new:
        streams = {s.index: new.add_stream_from_template(s) for s in old.streams}
        for packet in old.demux():
            if not packet.size:
                continue
            ready = _tenths(packet, missing) if packet.stream.type == "audio" else [packet]
            for part in ready:
                part.stream = streams[packet.stream_index]
                new.mux(part)


def _tenths(packet, missing):
    """A packet of sound that begins at 0, in pieces of a tenth of a second; those from the fourth on so much later."""
    size = packet.size // round(packet.duration * packet.time_base * 10)
    for number in range(packet.size // size):
        part = av.Packet(bytes(packet)[number * size : (number + 1) * size])
        part.pts = part.dts = round((number / 10 + (missing if number >= 3 else 0)) * RATE)
        part.stream, part.time_base = packet.stream, Fraction(1, RATE)
        yield part


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_s24le"])
def test_what_comes_behind_a_gap_stays_where_it_was(tmp_path, codec, suffix):
    source, output = tmp_path / "in.mkv", tmp_path / f"out.{suffix}"
    with_a_gap(source, codec, 1.25, tmp_path / "plain.nut")
    passed(source, output)
    whole, _ = heard(tmp_path / "plain.nut")
    with av.open(str(output)) as file:
        frames = [(frame.time, frame.to_ndarray()[0]) for frame in file.decode(audio=0)]
    begins, last = frames[-1]
    assert begins + len(last) / RATE == pytest.approx(0.6 + 1.25, abs=0.002)
    assert np.array_equal(last[-100:], whole[-100:])
    if suffix != "mkv":  # there packets have times of their own
        samples, _ = heard(output)
        gap = round(0.3 * RATE), round(1.55 * RATE)
        assert np.array_equal(samples[: gap[0]], whole[: gap[0]])
        assert not samples[slice(*gap)].any()
        assert np.array_equal(samples[gap[1] :], whole[gap[0] :])


def test_silence_of_sound_without_signs_is_in_the_middle(tmp_path):
    with_a_gap(tmp_path / "in.mkv", "pcm_u8", 0.5, tmp_path / "plain.nut")
    passed(tmp_path / "in.mkv", tmp_path / "out.mov")
    samples, _ = heard(tmp_path / "out.mov")
    assert set(samples[round(0.31 * RATE) : round(0.79 * RATE)]) == {128}


@pytest.mark.parametrize("missing", [3601, 10**6])
def test_times_that_are_wrong_fill_no_disk(tmp_path, missing):
    with_a_gap(tmp_path / "in.mkv", "pcm_s16le", missing, tmp_path / "plain.nut")
    passed(tmp_path / "in.mkv", tmp_path / "out.mov")
    assert (tmp_path / "out.mov").stat().st_size < 100_000


def test_gaps_fill_no_disk_together(tmp_path):
    with_a_gap(tmp_path / "in.mkv", "pcm_s16le", 1, tmp_path / "plain.nut")
    silence = Silence("mov")
    with av.open(str(tmp_path / "in.mkv")) as file:
        packet = next(one for one in file.demux(audio=0) if one.size)
        made = 0
        for number in range(20):
            packet.pts = packet.dts = number * 1_000_000
            made += sum(one.duration for one in silence.before(packet))
    assert 2900 * RATE < made <= 3600 * RATE
