"""A swapped clip against its input, stream by stream, opened with PyAV."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

import understudy
from understudy import Settings
from understudy.face import Faces
from understudy.media.files import EncodeOptions, MediaKind, open_sink, open_source
from understudy.media.files.display_size import set_pixel_aspect
from understudy.testing import ClipSpec, Puppet, talking, write_clip, write_puppet_clip
from understudy.testing.opened import output_of

FAST = Settings(encode=EncodeOptions(quality=90))


def frames_of(path):
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def times_of(path):
    return [round(float(frame.time), 4) for frame in frames_of(path)]


def packets_of(path, kind, number=0):
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[number]
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


def swap(hopper_path, target, output, settings=FAST, **more):
    return understudy.swap(hopper_path, target, output, settings=settings, **more)


@pytest.mark.slow
def test_everything_but_the_face_is_as_it_was(small_clip, hopper_path, tmp_path):
    output = tmp_path / "out.mp4"
    report = swap(hopper_path, small_clip, output)
    assert report.frames == report.frames_swapped == 25
    with av.open(str(small_clip)) as a, av.open(str(output)) as b:
        before, after = a.streams.video[0], b.streams.video[0]
        assert after.average_rate == before.average_rate == 25
        assert (after.width, after.height) == (before.width, before.height)
        for tag in ("color_range", "color_primaries", "color_trc", "colorspace"):
            assert getattr(after.codec_context, tag) == getattr(before.codec_context, tag), tag
        assert len(b.streams.audio) == 2
        assert b.metadata["title"] == "a clip"
        assert [c["metadata"]["title"] for c in b.chapters()] == ["one", "two"]
    assert times_of(output) == times_of(small_clip)
    for track in range(2):
        assert packets_of(output, "audio", track) == packets_of(small_clip, "audio", track)
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.slow
def test_the_face_did_change_and_the_rest_did_not(small_clip, small_puppet, hopper_path, tmp_path):
    output = tmp_path / "out.mkv"
    swap(hopper_path, small_clip, output)
    truth = small_puppet.rest
    x0, y0 = truth[:, :2].min(0).astype(int) + 20
    x1, y1 = truth[:, :2].max(0).astype(int) - 20
    for before, after in zip(frames_of(small_clip), frames_of(output), strict=True):
        a, b = (f.to_ndarray(format="bgr24").astype(int) for f in (before, after))
        assert np.abs(a - b)[y0:y1, x0:x1].mean() > 4
        assert np.abs(a - b)[:60, 260:].mean() < 1.5  # the far corner: only the encoder was there
        assert abs((a - b)[:60, 260:].mean()) < 0.35  # and no shade was shifted


@pytest.mark.parametrize("container", ["mp4", "mkv", "mov"])
@pytest.mark.slow
def test_variable_frame_rates_keep_every_timestamp(small_puppet, hopper_path, tmp_path, container):
    pts = [0, 3000, 4500, 12000, 13000, 40000, 43000, 90000, 93003, 99001]
    clip, output = tmp_path / "vfr.mkv", tmp_path / f"out.{container}"
    write_puppet_clip(clip, small_puppet, 0, ClipSpec(pts=pts, audio=()))
    swap(hopper_path, clip, output)
    np.testing.assert_allclose(times_of(output), times_of(clip), atol=0.001)


@pytest.mark.parametrize(("matrix", "color_range"), [(1, 1), (1, 2), (6, 1), (6, 2), (9, 1), (None, None)])
@pytest.mark.slow
def test_no_colour_is_shifted(hopper_path, astronaut, tmp_path, matrix, color_range):
    puppet = Puppet(astronaut, (320, 240), face_share=0.55)

    def pictures():
        for number in range(4):
            picture = puppet.render(talking(number / 25)).picture.copy()
            for column, color in enumerate(((30, 30, 200), (30, 200, 30), (200, 30, 30), (255, 255, 255), (0, 0, 0))):
                picture[:40, 160 + 32 * column : 192 + 32 * column] = color
            yield picture

    clip, output = tmp_path / "clip.mp4", tmp_path / "out.mp4"
    lossless = (("crf", "0"), ("preset", "veryfast"))
    write_clip(clip, pictures(), ClipSpec(rate=25, matrix=matrix, range=color_range, audio=(), options=lossless))
    swap(hopper_path, clip, output, Settings(encode=EncodeOptions(quality=100)))
    with av.open(str(clip)) as a, av.open(str(output)) as b:
        for tag in ("color_range", "colorspace"):
            assert getattr(a.streams.video[0].codec_context, tag) == getattr(b.streams.video[0].codec_context, tag)
    for before, after in zip(frames_of(clip), frames_of(output), strict=True):
        for plane in range(3):
            rows = 36 if plane == 0 else 18
            a, b = (
                np.frombuffer(f.planes[plane], np.uint8).reshape(f.planes[plane].height, -1)[:rows].astype(int)
                for f in (before, after)
            )
            # Swatches in their own planes: no mean shift, and little of what x264 leaves; in luma, the mark.
            assert abs((a - b).mean()) < (0.3 if plane == 0 else 0.2)
            assert np.abs(a - b).mean() < (1.4 if plane == 0 else 0.8)


@pytest.mark.parametrize("turn", [90, 180, -90])
@pytest.mark.slow
def test_rotated_phone_video_comes_out_upright(hopper_path, astronaut, tmp_path, turn):
    puppet = Puppet(astronaut, (240, 320), face_share=0.4)
    upright = [puppet.render(talking(n / 25)).picture for n in range(5)]
    # The file holds the picture turned back, and says by how much a player must turn it.
    stored = [np.ascontiguousarray(np.rot90(p, -turn // 90)) for p in upright]
    clip, output = tmp_path / "phone.mp4", tmp_path / "out.mp4"
    write_clip(clip, stored, ClipSpec(rate=25, rotation=turn, audio=()))
    assert frames_of(clip)[0].rotation % 360 == turn % 360
    report = swap(hopper_path, clip, output)
    assert (report.width, report.height) == (240, 320)
    assert report.frames_swapped == 5
    for picture, frame in zip(upright, frames_of(output), strict=True):
        assert frame.rotation == 0
        after = frame.to_ndarray(format="bgr24").astype(int)
        assert np.abs(after - picture)[:40, 120:].mean() < 6


@pytest.mark.parametrize(("bits", "transfer"), [(10, 1), (10, 16), (10, 18)])
@pytest.mark.slow
def test_ten_bits_and_hdr_keep_their_depth_and_tags(small_puppet, hopper_path, tmp_path, bits, transfer):
    clip, output = tmp_path / "deep.mkv", tmp_path / "out.mp4"
    tags = {"matrix": 9, "primaries": 9, "transfer": transfer} if transfer > 1 else {}
    options = (("crf", "16"), ("preset", "ultrafast"), ("x265-params", "log-level=error"))
    write_puppet_clip(
        clip,
        small_puppet,
        0.2,
        ClipSpec(rate=25, encoder="libx265", pixel_format="yuv420p10le", options=options, audio=(), **tags),
    )
    report = swap(hopper_path, clip, output)
    with av.open(str(output)) as b:
        context = b.streams.video[0].codec_context
        assert context.pix_fmt == "yuv420p10le"
        assert int(context.color_trc) == transfer
    assert any("HDR" in note for note in report.notes) == (transfer > 1)
    for before, after in zip(frames_of(clip), frames_of(output), strict=True):
        a, b = (
            np.frombuffer(f.planes[0], np.uint16).reshape(240, -1)[:50, 260:320].astype(int) for f in (before, after)
        )
        assert abs((a - b).mean()) < 1.5  # of 1023


@pytest.mark.parametrize("size", [(321, 241), (318, 239)])
@pytest.mark.parametrize("suffix", ["mp4", "webm"])
@pytest.mark.slow
def test_odd_sizes(astronaut, hopper_path, tmp_path, size, suffix):
    clip, output = tmp_path / "odd.mkv", tmp_path / f"out.{suffix}"
    puppet = Puppet(astronaut, size, face_share=0.55)
    write_puppet_clip(clip, puppet, 0.2, ClipSpec(rate=25, encoder="ffv1", options=(), audio=()))
    report = swap(hopper_path, clip, output)
    frame = frames_of(output)[0]
    expected = size if suffix == "webm" else tuple(n + n % 2 for n in size)
    assert (frame.width, frame.height) == expected
    assert any("odd" in note for note in report.notes) == (suffix == "mp4")


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
@pytest.mark.slow
def test_pixels_that_are_not_square_stay_so(small_puppet, hopper_path, tmp_path, suffix):
    clip, output = tmp_path / "wide.mp4", tmp_path / f"out.{suffix}"
    write_puppet_clip(clip, small_puppet, 0.2, ClipSpec(rate=25, pixel_aspect=Fraction(4, 3), audio=()))
    swap(hopper_path, clip, output)
    with av.open(str(output)) as container:
        aspect = container.streams.video[0].sample_aspect_ratio
    assert aspect == (pytest.approx(4 / 3, abs=0.005) if suffix == "webm" else Fraction(4, 3))
    assert len(frames_of(output)) == 5


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["webp", "gif"])
def test_where_pixels_that_are_not_square_will_be_shown_so_that_is_said(small_puppet, hopper_path, tmp_path, suffix):
    clip = tmp_path / "wide.mp4"
    write_clip(
        clip, [small_puppet.render(talking(0.2)).picture] * 2, ClipSpec(rate=25, pixel_aspect=Fraction(4, 3), audio=())
    )
    report = swap(hopper_path, clip, tmp_path / f"out.{suffix}")
    assert any("shown square" in note for note in report.notes)


@pytest.mark.parametrize("muxer", ["matroska", "webm"])
@pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(8, 9)])
def test_the_shape_of_pixels_is_written_where_there_is_room_and_nothing_else_moves(tmp_path, muxer, aspect):
    path = tmp_path / "clip"
    with av.open(str(path), "w", format=muxer) as file:
        stream = file.add_stream("libvpx-vp9", rate=10, options={"deadline": "realtime"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(3):
            frame = av.VideoFrame(64, 48, "yuv420p")
            frame.pts = number
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    whole = path.read_bytes()
    assert set_pixel_aspect(path, aspect)
    with av.open(str(path), options={"err_detect": "crccheck+explode"}) as file:
        assert float(file.streams.video[0].sample_aspect_ratio) == pytest.approx(float(aspect), abs=0.01)
        assert len(list(file.decode(video=0))) == 3
        file.seek(200_000, any_frame=True, stream=None)
    assert len(path.read_bytes()) == len(whole) and path.read_bytes()[-400:] == whole[-400:]


def test_a_file_without_room_for_the_shape_of_its_pixels_stays_as_it_was(tmp_path):
    path = tmp_path / "clip"
    for content in (b"", b"no video", bytes.fromhex("1a45dfa38018538067ff")):
        path.write_bytes(content)
        assert not set_pixel_aspect(path, Fraction(4, 3))
        assert path.read_bytes() == content


@pytest.mark.slow
def test_subtitles_are_kept_where_the_file_can_hold_them_and_said_where_not(small_puppet, hopper_path, tmp_path):
    clip = tmp_path / "sub.mkv"
    write_puppet_clip(clip, small_puppet, 2.0, ClipSpec(rate=10, subtitles="subrip"))
    kept, lost = tmp_path / "kept.mkv", tmp_path / "lost.mp4"
    swap(hopper_path, clip, kept)
    assert packets_of(kept, "subtitles") == [b"line 0", b"line 1"]
    report = swap(hopper_path, clip, lost)
    assert any("subtitle" in note for note in report.notes)


@pytest.mark.slow
def test_sound_that_a_container_can_not_hold_is_converted_and_said(small_clip, hopper_path, tmp_path):
    output = tmp_path / "out.webm"
    report = swap(hopper_path, small_clip, output)
    with av.open(str(output)) as container:
        assert container.streams.video[0].codec_context.name in ("vp9", "libvpx-vp9")
        assert [s.codec_context.codec.canonical_name for s in container.streams.audio] == ["opus", "opus"]
        seconds = [sum(f.samples for f in container.decode(container.streams.audio[0])) / 48000]
    assert seconds[0] == pytest.approx(1.0, abs=0.06)
    assert sum("converted" in note for note in report.notes) == 2


@pytest.mark.slow
def test_a_face_that_comes_and_goes_is_normal(small_puppet, blank, hopper_path, tmp_path):
    def pictures():
        for number in range(30):
            shown = 8 <= number < 20
            yield small_puppet.render(talking(number / 30)).picture if shown else blank

    clip, output = tmp_path / "sometimes.mp4", tmp_path / "out.mp4"
    write_clip(clip, pictures(), ClipSpec(audio=()))
    report = swap(hopper_path, clip, output)
    assert report.frames == 30
    assert 10 <= report.frames_swapped <= 14


@pytest.mark.slow
def test_non_ascii_paths(small_clip, hopper_path, tmp_path):
    folder = tmp_path / "Vidéos – 视频 مجلد"
    folder.mkdir()
    clip, photo, output = folder / "клип 1.mp4", folder / "フォト.jpg", folder / "résultat ☺.mp4"
    clip.write_bytes(small_clip.read_bytes())
    photo.write_bytes(hopper_path.read_bytes())
    assert understudy.swap(photo, clip, output).frames == 25
    assert len(frames_of(output)) == 25


@pytest.mark.slow
def test_a_path_that_looks_like_an_address_is_a_file(small_clip, hopper_path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "http:").mkdir()
    odd = tmp_path / "http:" / "clip.mp4"
    odd.write_bytes(small_clip.read_bytes())
    assert understudy.swap(hopper_path, "http://clip.mp4", "out.mp4").frames == 25


@pytest.mark.slow
def test_a_second_video_stream_is_no_trouble_and_cover_art_is_kept(small_clip, hopper_path, tmp_path):
    clip = tmp_path / "cover.mp4"
    with av.open(str(small_clip)) as source, av.open(str(clip), "w") as copy:
        video = copy.add_stream_from_template(source.streams.video[0])
        cover = copy.add_stream("mjpeg")
        cover.codec_context.width, cover.codec_context.height, cover.codec_context.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 99, np.uint8), format="bgr24").reformat(
            format="yuvj420p"
        )
        picture.pts = 0
        packets = [p for p in source.demux(source.streams.video[0]) if p.size]
        for packet in packets:
            packet.stream = video
            copy.mux(packet)
        copy.mux(cover.encode(picture))
        copy.mux(cover.encode(None))
    output = tmp_path / "out.mp4"
    report = swap(hopper_path, clip, output)
    assert report.frames == 25
    with av.open(str(output)) as container:
        covers = [s for s in container.streams.video if s.disposition & av.stream.Disposition.attached_pic]
        assert len(covers) == 1


@pytest.mark.slow
def test_quality_makes_the_file_larger(small_clip, hopper_path, tmp_path):
    sizes = []
    for quality in (40, 95):
        output = tmp_path / f"{quality}.mp4"
        swap(hopper_path, small_clip, output, Settings(encode=EncodeOptions(quality=quality)))
        sizes.append(output.stat().st_size)
    assert sizes[1] > 1.5 * sizes[0]


@pytest.mark.parametrize(("effort", "searches"), [("low", 2), ("medium", 4), ("high", 8)])
def test_with_more_effort_the_encoder_searches_longer(effort, searches, tmp_path, small_puppet):
    target, output = tmp_path / "in.mp4", tmp_path / "out.mp4"
    write_clip(target, [small_puppet.render(talking(0)).picture] * 3, ClipSpec(audio=()))
    made = output_of(target, MediaKind.VIDEO)
    with (
        open_source(target) as source,
        open_sink(output, source.info, EncodeOptions(effort=effort), made.release) as sink,
    ):
        for frame in source:
            sink.write(made.sealer.seal(frame, Faces.empty()))
    # x264 writes its settings into the stream; "subme" says how thoroughly it looks for motion.
    assert f"subme={searches}".encode() in output.read_bytes()


#: Writes a clip anew, and says how many bytes the process held while it encoded, and when the file was signed.
WEIGHED = """
import resource, sys
from pathlib import Path
from understudy.face import Faces
from understudy.media.files import EncodeOptions, MediaKind, open_sink, open_source
from understudy.testing.opened import output_of

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

class Weighing:
    def __init__(self, release):
        self._release, self.tags, self.notes = release, release.tags, release.notes
        self.identifier = release.identifier

    def sign(self, path, final):
        print(resident())
        return self._release.sign(path, final)

target, output = map(Path, sys.argv[1:])
made = output_of(target, MediaKind.VIDEO)
with open_source(target) as source, open_sink(output, source.info, EncodeOptions(), Weighing(made.release)) as sink:
    for frame in source:
        sink.write(made.sealer.seal(frame, Faces.empty()))
    print(resident())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_encoder_is_freed_before_the_file_is_signed(tmp_path):
    """Else what signs comes on top of what x264 holds at 720p, which is more than anything else does."""
    target, output = tmp_path / "in.mp4", tmp_path / "out.mp4"
    write_clip(target, [np.full((720, 1280, 3), 90, np.uint8)] * 30, ClipSpec(audio=()))
    # A process of its own: what tests before have freed would be taken first.
    told = subprocess.run([sys.executable, "-c", WEIGHED, target, output], check=True, capture_output=True, text=True)
    encoding, signing = map(int, told.stdout.split())
    assert signing < encoding - 15e6


def test_another_effort_is_refused():
    with pytest.raises(ValueError, match="low, medium, high"):
        EncodeOptions(effort="best")


@pytest.mark.slow
def test_the_label_is_on_every_frame(small_clip, hopper_path, tmp_path):
    output = tmp_path / "out.mp4"
    swap(hopper_path, small_clip, output)
    for before, after in zip(frames_of(small_clip), frames_of(output), strict=True):
        a, b = (f.to_ndarray(format="gray").astype(int) for f in (before, after))
        corners = [np.s_[200:240, :110], np.s_[200:240, 210:], np.s_[:40, :110], np.s_[:40, 210:]]
        assert max(np.abs(a[c] - b[c]).mean() for c in corners) > 12
