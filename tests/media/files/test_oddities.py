"""Files that once were read or written wrong."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

import understudy
from understudy import Settings
from understudy.media.base import MediaInfo, MediaKind
from understudy.media.files import open_source
from understudy.media.files.encoders import CONTAINERS, EncodeOptions
from understudy.media.files.encoding import VideoEncoder
from understudy.media.files.still_sink import LONGEST
from understudy.pipeline.photo import PhotoPipeline
from understudy.settings import changed
from understudy.testing import ClipSpec, talking, write_clip, write_puppet_clip


@pytest.fixture(scope="module")
def pictures(small_puppet):
    return [small_puppet.render(talking(n / 25)).picture for n in range(12)]


def times_of(path):
    with av.open(str(path)) as container:
        return [round(float(frame.time), 3) for frame in container.decode(video=0)]


def end_of(path):
    """How long the file says that its pictures last."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if stream.duration is not None:
            return float(stream.duration * stream.time_base)
        return container.duration / av.time_base


@pytest.mark.slow
def test_a_last_frame_that_is_held_is_no_damage_and_stays_held(pictures, hopper_path, tmp_path):
    clip, output = tmp_path / "hold.mkv", tmp_path / "out.mp4"
    with av.open(str(clip), "w") as file:
        stream = file.add_stream("libx264", rate=25, options={"preset": "ultrafast", "bf": "0"})
        stream.codec_context.height, stream.codec_context.width = pictures[0].shape[:2]
        stream.codec_context.pix_fmt, stream.codec_context.time_base = "yuv420p", Fraction(1, 1000)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number * 40, Fraction(1, 1000)
            for packet in stream.encode(frame):
                packet.duration = 3000 if packet.pts == 440 else 40
                file.mux(packet)
        for packet in stream.encode(None):
            packet.duration = 3000 if packet.pts == 440 else 40
            file.mux(packet)
    understudy.swap(hopper_path, clip, output)
    assert end_of(output) == pytest.approx(3.44, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["libx264", "mjpeg"])
def test_avi_keeps_its_order_and_is_whole(pictures, hopper_path, tmp_path, codec):
    clip, output = tmp_path / "clip.avi", tmp_path / "out.mkv"
    if codec == "mjpeg":
        spec = ClipSpec(rate=25, encoder=codec, pixel_format="yuvj420p", range=2, options=(), audio=())
    else:
        spec = ClipSpec(rate=25, options=(("bf", "3"), ("preset", "medium")), audio=())
    write_clip(clip, pictures, spec)
    understudy.swap(hopper_path, clip, output)
    times = times_of(output)
    assert len(times) == 12
    np.testing.assert_allclose(np.diff(times), 0.04, atol=0.002)


@pytest.mark.slow
def test_a_photo_with_a_second_picture_in_it_is_a_photo(pictures, hopper_path, tmp_path):
    first, second = (Image.fromarray(p[:, :, ::-1].copy()) for p in pictures[:2])
    first.save(tmp_path / "phone.jpg", "MPO", save_all=True, append_images=[second.resize((80, 60))])
    first.save(tmp_path / "pages.tif", save_all=True, append_images=[second])
    for name in ("phone.jpg", "pages.tif"):
        report = understudy.swap(hopper_path, tmp_path / name, tmp_path / f"{name}.png")
        assert report.kind == "image"
        assert any("2 pictures" in note for note in report.notes)


def gif(path, pictures, delays, **more):
    frames = [Image.fromarray(p[:, :, ::-1].copy()) for p in pictures[: len(delays)]]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=delays, **more)


def delays_of(path):
    """How long each picture of an animation stays, in milliseconds."""
    with Image.open(path) as picture:
        delays = []
        for number in range(picture.n_frames):
            picture.seek(number)
            picture.load()
            delays.append(picture.info["duration"])
    return delays


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["gif", "mp4"])
def test_the_last_picture_of_an_animation_stays_as_long_as_it_did(pictures, hopper_path, tmp_path, suffix):
    gif(tmp_path / "in.gif", pictures, [100, 100, 2000], loop=0)
    output = tmp_path / f"out.{suffix}"
    understudy.swap(hopper_path, tmp_path / "in.gif", output)
    assert end_of(output) == pytest.approx(2.2, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(("since", "delays"), [(None, [100, 300, 1000, 70]), (0.1, [300, 1000, 70])])
def test_every_picture_of_a_webp_stays_as_long_as_it_did(pictures, hopper_path, tmp_path, since, delays):
    gif(tmp_path / "in.gif", pictures, [100, 300, 1000, 70], loop=0)
    output = tmp_path / "out.webp"
    understudy.swap(hopper_path, tmp_path / "in.gif", output, settings=changed(Settings(), {"trim.start": since}))
    assert delays_of(output) == delays


@pytest.mark.slow
def test_an_animation_that_plays_once_plays_once(pictures, hopper_path, tmp_path):
    gif(tmp_path / "once.gif", pictures, [100, 100])
    understudy.swap(hopper_path, tmp_path / "once.gif", tmp_path / "out.gif")
    with Image.open(tmp_path / "out.gif") as result:
        assert "loop" not in result.info


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["gif", "webp"])
@pytest.mark.parametrize("fps", [3, 7, 10])
def test_an_animation_of_fewer_frames_is_as_long_as_what_it_is_made_of(small_clip, hopper_path, tmp_path, suffix, fps):
    output = tmp_path / f"out.{suffix}"
    asked = {"trim.start": 0.2, "trim.end": 0.7, "encode.animation_fps": float(fps)}
    report = understudy.swap(hopper_path, small_clip, output, settings=changed(Settings(), asked))
    delays = delays_of(output)
    seconds = report.frames / 25
    assert sum(delays) / 1000 == pytest.approx(seconds, abs=0.021)
    assert any(f", {len(delays)} written" in note for note in report.notes)
    assert understudy.inspect(output).verdict == "made by this tool"


@pytest.mark.slow
def test_more_frames_than_a_gif_can_hold_are_left_out_and_counted(pictures, hopper_path, tmp_path):
    write_clip(tmp_path / "fast.mp4", pictures, ClipSpec(rate=240, audio=()))
    report = understudy.swap(hopper_path, tmp_path / "fast.mp4", tmp_path / "out.gif")
    assert any("frames left out" in note for note in report.notes)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["5.1(side)", "quad", "mono"])
def test_surround_sound_is_converted_for_webm(small_puppet, hopper_path, tmp_path, layout):
    plain, clip, output = tmp_path / "plain.mkv", tmp_path / "clip.mkv", tmp_path / "out.webm"
    write_puppet_clip(plain, small_puppet, 0.5, ClipSpec(rate=10, audio=()))
    with av.open(str(plain)) as source, av.open(str(clip), "w") as file:
        video = file.add_stream_from_template(source.streams.video[0])
        sound = file.add_stream("flac", rate=48000)
        sound.codec_context.layout = layout
        packets = [p for p in source.demux(video=0) if p.size]
        for packet in packets:
            packet.stream = video
            file.mux(packet)
        channels = av.AudioLayout(layout).nb_channels
        for start in range(0, 24000, 4800):
            block = np.zeros((1, 4800 * channels), np.int16)
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
            file.mux(sound.encode(frame))
        file.mux(sound.encode(None))
    report = understudy.swap(hopper_path, clip, output)
    assert any("converted" in note for note in report.notes)
    with av.open(str(output)) as container:
        assert len(container.streams.audio) == 1


@pytest.mark.slow
def test_rgb_video_gets_a_matrix_that_yuv_may_have(pictures, hopper_path, tmp_path):
    clip, output = tmp_path / "rgb.mkv", tmp_path / "out.mp4"
    spec = ClipSpec(
        rate=25, encoder="libx264rgb", pixel_format="bgr24", matrix=None, range=None, options=(("crf", "0"),), audio=()
    )
    write_clip(clip, pictures[:4], spec)
    understudy.swap(hopper_path, clip, output)
    with av.open(str(output)) as container:
        context = container.streams.video[0].codec_context
        assert (int(context.colorspace), int(context.color_range)) == (6, 1)
        frame = next(container.decode(video=0)).to_ndarray(format="bgr24").astype(int)
    assert np.abs(frame - pictures[0])[:60, 260:].mean() < 3


def test_frames_do_not_share_the_decoders_memory(pictures, tmp_path):
    clip = tmp_path / "raw.avi"
    spec = ClipSpec(rate=25, encoder="flashsv", pixel_format="bgr24", matrix=None, range=None, options=(), audio=())
    clip = clip.with_suffix(".flv")
    write_clip(clip, [pictures[0]] * 4, spec)
    with open_source(clip) as source:
        for frame in source:
            assert (frame.picture[50:90, 60:160] == pictures[0][50:90, 60:160]).all()
            frame.picture[50:90, 60:160] = 255


@pytest.mark.slow
def test_what_is_left_out_is_said(pictures, hopper_path, tmp_path):
    clip = tmp_path / "two.mkv"
    with av.open(str(clip), "w") as file:
        streams = [file.add_stream("libx264", rate=25) for _ in range(2)]
        for stream in streams:
            stream.codec_context.height, stream.codec_context.width = pictures[0].shape[:2]
            stream.codec_context.pix_fmt = "yuv444p"
        streams[0].metadata["language"] = "ger"
        for number, picture in enumerate(pictures[:5]):
            for stream in streams:
                frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv444p")
                frame.pts = number
                file.mux(stream.encode(frame))
        for stream in streams:
            file.mux(stream.encode(None))
    output = tmp_path / "out.mkv"
    report = understudy.swap(hopper_path, clip, output)
    assert any("not the main one" in note for note in report.notes)
    assert any("colour resolution" in note for note in report.notes)
    with av.open(str(output)) as container:
        assert container.streams.video[0].metadata["language"] == "ger"


@pytest.mark.slow
def test_an_animation_of_a_clip_with_sound_says_that_it_is_gone(small_clip, hopper_path, tmp_path):
    report = understudy.swap(hopper_path, small_clip, tmp_path / "out.gif")
    assert any("audio" in note and "chapters" in note for note in report.notes)


@pytest.mark.slow
def test_broadcast_clocks_are_taken_off(small_puppet, hopper_path, tmp_path):
    clip, output = tmp_path / "big.ts", tmp_path / "out.mp4"
    pts = [8_000_000_000 + 3600 * n for n in range(10)]
    write_puppet_clip(clip, small_puppet, 0, ClipSpec(pts=pts, audio=()), lambda _: talking(0.3))
    understudy.swap(hopper_path, clip, output)
    times = times_of(output)
    assert times[0] < 1
    np.testing.assert_allclose(np.diff(times), 0.04, atol=0.002)


def test_a_codec_that_nobody_knows_is_an_unusable_input(small_clip, hopper_path, tmp_path, capfd):
    from understudy.cli.main import main

    clip = tmp_path / "unknown.mp4"
    clip.write_bytes(small_clip.read_bytes().replace(b"avc1", b"zvc1"))
    assert main(["swap", "-s", str(hopper_path), "-t", str(clip), "-o", str(tmp_path / "o.mp4")]) == 3
    assert capfd.readouterr().err.startswith("error: ")


@pytest.mark.slow
def test_a_picture_larger_than_its_format_allows_is_an_error_and_too_much_exif_a_note(
    pictures, hopper_path, tmp_path, monkeypatch
):
    wide = np.zeros((300, 17000, 3), np.uint8)
    wide[:240, :320] = pictures[0]
    Image.fromarray(wide[:, :, ::-1].copy()).save(tmp_path / "wide.png")
    with monkeypatch.context() as patch, pytest.raises(OSError, match="WEBP: the picture is 17000x300"):
        patch.delattr(PhotoPipeline, "process")  # told before the work
        understudy.swap(hopper_path, tmp_path / "wide.png", tmp_path / "out.webp")
    for form, longest in LONGEST.items():
        Image.new("L", (longest, 1)).save(tmp_path / "long", form)
        with pytest.raises((ValueError, OSError)):
            Image.new("L", (longest + 1, 1)).save(tmp_path / "longer", form)
    exif = Image.Exif()
    exif[0x010E] = "x" * 70000
    Image.fromarray(pictures[0][:, :, ::-1].copy()).save(tmp_path / "much.png", exif=exif)
    report = understudy.swap(hopper_path, tmp_path / "much.png", tmp_path / "out.jpg")
    assert any("EXIF" in note for note in report.notes)


@pytest.mark.parametrize("seed", range(30))
def test_mutated_pictures_are_read_or_refused(pictures, tmp_path, seed):
    from understudy.errors import UnderstudyError
    from understudy.media.files import load_photo

    rng = np.random.default_rng(seed)
    suffix = ("png", "jpg", "gif", "webp", "tif")[seed % 5]
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(pictures[0][:, :, ::-1].copy()).save(path)
    data = bytearray(path.read_bytes())
    for _ in range(8):
        data[rng.integers(0, min(len(data), 600))] = rng.integers(0, 256)
    path.write_bytes(bytes(data))
    try:
        photo = load_photo(path, 10_000_000)
    except UnderstudyError:
        return
    assert photo is None or photo.dtype == np.uint8


@pytest.mark.slow
def test_a_cmyk_profile_is_not_put_on_an_rgb_picture(pictures, hopper_path, tmp_path):
    from PIL import ImageCms

    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[16:20] = b"CMYK"
    picture = Image.fromarray(pictures[0][:, :, ::-1].copy()).convert("CMYK")
    picture.save(tmp_path / "in.jpg", icc_profile=bytes(profile))
    report = understudy.swap(hopper_path, tmp_path / "in.jpg", tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as result:
        assert "icc_profile" not in result.info
    assert any("profile" in note for note in report.notes)


def said_of(suffix, tmp_path, **of):
    """What is said of how a video is written that is so."""
    info = MediaInfo(tmp_path / "clip", MediaKind.VIDEO, 64, 64, Fraction(1, 25), rate=Fraction(25), **of)
    muxer = CONTAINERS[suffix].format
    with av.open(str(tmp_path / f"out{suffix}"), "w", format=muxer) as file:
        return VideoEncoder(file, suffix, info, EncodeOptions()).notes


COLORS = {"matrix": 1, "tagged_matrix": 1, "primaries": 1, "transfer": 1, "range": 1}
#: What ``MediaInfo`` says of an HDR video.
HDR = {
    "pixel_format": "yuv420p10le",
    "bit_depth": 10,
    "colors": {"matrix": 9, "tagged_matrix": 9, "primaries": 9, "transfer": 16, "range": 1},
}


def test_of_hdr_is_said_what_is_true(tmp_path):
    assert said_of(".mp4", tmp_path, **HDR) == [
        "HDR (PQ): curve and depth are kept, mastering data is not; "
        "the swapped face is computed with 8 bits in that curve"
    ]
    assert said_of(".webm", tmp_path, **HDR) == [
        "HDR (PQ): the curve is kept, mastering data is not; the swapped face is computed with 8 bits in that curve",
        "10-bit video is written with 8 bits",
    ]
    assert said_of(".mp4", tmp_path, composed=True, **HDR) == [
        "HDR (PQ): the curve is kept, mastering data is not; every picture is computed with 8 bits in that curve",
        "10-bit video is computed with 8 bits, and written with 10",
    ]


@pytest.mark.parametrize(
    ("pixel_format", "bits", "said"),
    [
        ("yuv420p", 8, []),
        ("nv12", 8, []),
        ("gray", 8, []),
        ("yuv422p", 8, ["half the colour resolution"]),
        ("yuv411p", 8, ["half the colour resolution"]),
        ("gbrp", 8, ["half the colour resolution"]),
        ("rgb24", 8, ["half the colour resolution"]),
        ("gbrp10le", 10, ["10-bit video is computed with 8 bits", "half the colour resolution"]),
        ("gray16le", 16, ["16-bit video is written with 10 bits, and computed with 8"]),
        ("yuv420p12le", 12, ["12-bit video is written with 10 bits"]),
    ],
)
def test_colours_and_bits_that_a_video_loses_are_said(tmp_path, pixel_format, bits, said):
    notes = said_of(".mp4", tmp_path, pixel_format=pixel_format, bit_depth=bits, colors=COLORS)
    assert len(notes) == len(said)
    assert all(part in note for part, note in zip(said, notes, strict=True))


def captioned(path, pictures):
    """A clip of H.264 with closed captions (ATSC A/53, part 4) in a message before each picture."""
    plain = path.with_name("plain.h264")
    write_clip(plain, pictures, ClipSpec(rate=25, audio=()))
    data = bytes.fromhex("b50031 47413934 03 41ff fc9420 ff")
    message = bytes.fromhex("00000001 0604") + bytes([len(data)]) + data + b"\x80"
    units = plain.read_bytes().replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]
    path.write_bytes(
        b"".join((message if unit[0] & 31 in (1, 5) and unit[1] & 128 else b"") + b"\0\0\0\1" + unit for unit in units)
    )


def test_closed_captions_are_said_to_be_left_out(pictures, tmp_path):
    clip = tmp_path / "clip.h264"
    captioned(clip, pictures[:3])
    with open_source(clip) as source:
        assert sum("closed captions" in note for note in source.info.notes) == 1
        assert len(list(source)) == 3
    with open_source(tmp_path / "plain.h264") as source:
        assert source.info.notes == ()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_pictures_for_two_eyes_stay_so_or_are_said_not_to(pictures, hopper_path, tmp_path, suffix):
    plain, clip, output = tmp_path / "plain.mkv", tmp_path / "both.mkv", tmp_path / f"out.{suffix}"
    write_clip(plain, pictures[:3], ClipSpec(rate=25, audio=()))
    with av.open(str(plain)) as old, av.open(str(clip), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        stream.metadata["stereo_mode"] = "left_right"
        for packet in old.demux():
            if packet.size:
                packet.stream = stream
                new.mux(packet)
    report = understudy.swap(hopper_path, clip, output)
    assert any("stereoscopic" in note for note in report.notes) == (suffix == "mp4")
    with open_source(output) as source:
        assert source.info.stereoscopic == (suffix == "mkv")
