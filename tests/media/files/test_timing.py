"""Which frames of a clip are shown, and when: edit lists, empty packets, pieces put end to end."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

import understudy
from tests.media.files.boxes import index_first, with_edits
from tests.media.files.test_streams import passed
from understudy.cli.main import main
from understudy.errors import NotMediaError
from understudy.media.files import open_source
from understudy.media.files.decoding import Decoding
from understudy.testing import ClipSpec, Puppet, talking, write_clip, write_puppet_clip

#: Seconds of the film's own times before its first frame is shown: two frames that are stored out of order.
LEAD = 2 / 25


@pytest.fixture(scope="module")
def film(small_puppet, tmp_path_factory):
    """Two seconds, 25 frames a second, with frames that are stored out of order, and sound."""
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    options = (("crf", "28"), ("preset", "veryfast"), ("g", "10"), ("bf", "3"))
    write_puppet_clip(path, small_puppet, 2.0, ClipSpec(rate=25, options=options))
    return path.read_bytes()


def read(path):
    with open_source(path) as source:
        return [frame.seconds for frame in source], source.damage


@pytest.mark.parametrize(
    ("edits", "times"),
    [
        pytest.param([(1.0, LEAD)], (0, 0.96, 25), id="the end cut off"),
        pytest.param([(1.2, 0.8 + LEAD)], (0, 1.16, 30), id="the start cut off"),
        pytest.param([(0.4, 1.0 + LEAD)], (0, 0.36, 10), id="the middle"),
        pytest.param([(0.5, -1), (1.0, LEAD)], (0.5, 1.46, 25), id="begun late"),
        pytest.param([(0.4, LEAD), (0.4, 1.2 + LEAD)], (0, 0.76, 20), id="two parts"),
        pytest.param([(1.0, LEAD), (1.0, LEAD)], (0, 1.96, 50), id="a part twice"),
        pytest.param([(9.0, LEAD)], (0, 1.96, 50), id="longer than there is"),
    ],
)
def test_what_an_edit_list_hides_is_no_damage(film, tmp_path, edits, times):
    clip = tmp_path / "trimmed.mp4"
    clip.write_bytes(with_edits(film, edits))
    with av.open(str(clip)) as container:
        shown = sum(1 for _ in container.decode(video=0))
    seconds, damage = read(clip)
    assert damage is None
    assert len(seconds) == shown == times[2]
    assert (seconds[0], seconds[-1]) == pytest.approx(times[:2], abs=0.01)


@pytest.mark.slow
def test_a_trimmed_clip_is_swapped_as_it_is_shown_sound_and_all(film, hopper_path, tmp_path, capfd):
    clip, output = tmp_path / "trimmed.mp4", tmp_path / "out.mp4"
    clip.write_bytes(with_edits(film, [(1.0, 0.4 + LEAD)], (b"vide", b"soun")))
    report = understudy.swap(hopper_path, clip, output)
    assert report.frames == 25
    with av.open(str(output)) as container:
        sound = sum(frame.samples for frame in container.decode(audio=0)) / 48000
    assert sound == pytest.approx(1.0, abs=0.1)
    assert main(["faces", str(clip)]) == 0


def starts(path):
    """When each stream begins, in seconds, and how long the sound is."""
    begun = []
    for number in range(2):
        with av.open(str(path)) as container:
            stream = container.streams[number]
            begun.append(min(float(packet.pts * packet.time_base) for packet in container.demux(stream) if packet.size))
    with av.open(str(path)) as container:
        sound = sum(frame.samples for frame in container.decode(audio=0)) / 48000
    return (*begun, sound)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "webm"])
@pytest.mark.parametrize("edits", [None, [(0.6, 0.4 + LEAD)]], ids=["primed", "trimmed"])
def test_sound_that_is_hidden_before_the_start_is_not_heard_where_no_edit_list_can_hide_it(
    film, tmp_path, edits, suffix
):
    clip, output = tmp_path / "clip.mp4", tmp_path / f"out.{suffix}"
    clip.write_bytes(film if edits is None else with_edits(film, edits, (b"vide", b"soun")))
    passed(clip, output)
    picture, heard, sound = starts(output)
    assert picture == pytest.approx(0, abs=0.002)
    if suffix == "mkv":
        assert 0 <= heard < 0.03
    assert sound == pytest.approx(2.0 if edits is None else 0.6, abs=0.06)


@pytest.mark.parametrize("edits", [None, [(1.0, LEAD)]])
def test_a_clip_that_breaks_off_is_damaged_trimmed_or_not(film, tmp_path, edits):
    whole = index_first(film if edits is None else with_edits(film, edits))
    clip = tmp_path / "cut.mp4"
    clip.write_bytes(whole[: int(len(whole) * 0.4)])
    seconds, damage = read(clip)
    assert 0 < len(seconds) < 25
    assert damage is not None


def test_a_clip_that_shows_nothing_is_told(film, tmp_path):
    clip = tmp_path / "nothing.mp4"
    clip.write_bytes(with_edits(film, [(1.0, -1)]))
    with pytest.raises(NotMediaError):
        open_source(clip)


class Emptied:
    """An open file some of whose packets are empty, as Theora encoders leave those of frames that do not change."""

    def __init__(self, container, empty):
        self._container, self._empty = container, empty

    def __getattr__(self, name):
        return getattr(self._container, name)

    def demux(self, stream):
        for packet in self._container.demux(stream):
            if packet.size and packet.pts * packet.time_base * 10 in self._empty:
                blank = av.Packet(b"")
                blank.pts, blank.dts, blank.time_base = packet.pts, packet.dts, packet.time_base
                yield blank
            else:
                yield packet


@pytest.mark.parametrize(("encoder", "threads"), [("mjpeg", "NONE"), ("mjpeg", "AUTO"), ("vp9", "AUTO")])
def test_an_empty_packet_shows_the_frame_before_once_more(small_puppet, tmp_path, encoder, threads):
    pictures = [small_puppet.render(talking(n / 5)).picture for n in range(6)]
    clip = tmp_path / "dropped.mkv"
    if encoder == "mjpeg":
        spec = ClipSpec(rate=10, encoder=encoder, pixel_format="yuvj420p", range=2, options=(), audio=())
    else:
        spec = ClipSpec(
            rate=10, encoder="libvpx-vp9", options=(("g", "1"), ("b", "4M"), ("deadline", "realtime")), audio=()
        )
    write_clip(clip, pictures, spec)
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        stream.thread_type = threads
        decoding = Decoding(Emptied(container, {2, 3, 5}), stream)
        shown = [(float(frame.time), frame.to_ndarray(format="bgr24").astype(int)) for frame in decoding]
        decoding.check_length(0.5, 0.6, Fraction(0), 10)
        assert decoding.damage is None
    assert [time for time, _ in shown] == pytest.approx([n / 10 for n in range(6)], abs=0.002)
    for (_, picture), original in zip(shown, (0, 1, 1, 1, 4, 4), strict=True):
        assert np.abs(picture - pictures[original]).mean() < 9


@pytest.fixture(scope="module")
def wide(astronaut):
    return Puppet(astronaut, (320, 180), face_share=0.6).render(talking(0.2)).picture


def pieces(path, *parts):
    """Clips of one picture each, put end to end."""
    data = b""
    for number, (picture, spec) in enumerate(parts):
        part = path.with_name(f"{number}.ts")
        write_clip(part, [picture] * 10, spec)
        data += part.read_bytes()
    path.write_bytes(data)


@pytest.mark.slow
def test_a_clip_that_changes_its_size_keeps_its_shape(wide, hopper_path, tmp_path):
    tall = np.ascontiguousarray(np.rot90(wide))
    spec = ClipSpec(rate=25, audio=(), options=(("crf", "12"), ("preset", "ultrafast")))
    clip, output = tmp_path / "two.ts", tmp_path / "out.mp4"
    pieces(clip, (wide, spec), (tall, spec))
    with open_source(clip) as source:
        frames = [frame.picture for frame in source]
        assert source.remarks and "180x320" in source.remarks[0]
    assert {frame.shape for frame in frames} == {wide.shape}
    last = frames[-1].astype(int)
    assert last[:, :100].max() < 8 and last[:, -100:].max() < 8
    assert last[:, 115:-115].mean() > 60
    report = understudy.swap(hopper_path, clip, output)
    assert any("180x320" in note for note in report.notes)


def test_pixels_that_are_not_square_are_shown_so_after_a_change(wide, tmp_path):
    narrow = np.ascontiguousarray(wide[:, ::2])
    spec = ClipSpec(rate=25, audio=(), options=(("crf", "12"), ("preset", "ultrafast")))
    clip = tmp_path / "two.ts"
    pieces(clip, (wide, spec), (narrow, ClipSpec(rate=25, audio=(), options=spec.options, pixel_aspect=Fraction(2))))
    with open_source(clip) as source:
        frames = [frame.picture.astype(int) for frame in source]
    assert np.abs(frames[-1] - wide).mean() < 9


def test_a_clip_that_changes_its_matrix_keeps_its_colours(wide, tmp_path):
    fast = (("crf", "10"), ("preset", "ultrafast"))
    clip = tmp_path / "two.ts"
    bars = wide.copy()
    bars[:60] = (30, 30, 200)
    specs = [ClipSpec(rate=25, audio=(), options=fast, matrix=m, primaries=m, transfer=m) for m in (1, 6)]
    pieces(clip, *((bars, spec) for spec in specs))
    with open_source(clip) as source:
        frames = [frame.picture.astype(int) for frame in source]
        assert not source.remarks
    assert np.abs(frames[0] - frames[-1])[:50].mean() < 3


@pytest.mark.slow
def test_pieces_put_end_to_end_are_shown_one_after_the_other_sound_and_all(small_puppet, hopper_path, tmp_path):
    picture = small_puppet.render(talking(0.2)).picture
    options = (("crf", "20"), ("preset", "veryfast"), ("bf", "3"))
    specs = [ClipSpec(rate=25, options=options, audio=(("aac", pitch),)) for pitch in (400.0, 800.0, 1200.0)]
    clip, output = tmp_path / "three.ts", tmp_path / "out.mp4"
    data = b""
    for number, spec in enumerate(specs):
        part = tmp_path / f"{number}.ts"
        write_clip(part, [picture] * 25, spec)
        data += part.read_bytes()
    clip.write_bytes(data)
    seconds, damage = read(clip)
    assert damage is None
    assert len(seconds) == 75
    assert np.diff(seconds) == pytest.approx([0.04] * 74, abs=0.002)
    understudy.swap(hopper_path, clip, output)
    with av.open(str(output)) as container:
        heard = [(frame.time, frame.to_ndarray()[0]) for frame in container.decode(audio=0)]
    for second, spec in enumerate(specs):
        wave = np.concatenate([samples for time, samples in heard if second + 0.3 <= time < second + 0.7])
        pitch = np.abs(np.fft.rfft(wave)).argmax() * 48000 / len(wave)
        assert pitch == pytest.approx(spec.audio[0][1], rel=0.03)
