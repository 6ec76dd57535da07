"""What goes along with the pictures: copied where the file takes it, else converted, else left out and said."""

from __future__ import annotations

import struct
import wave
from fractions import Fraction
from io import BytesIO

import av
import numpy as np
import pytest

import understudy
from tests.media.files.test_video import packets_of
from understudy.errors import EncodingError
from understudy.media.base import Excerpt, MediaInfo, MediaKind
from understudy.media.files.encoders import CONTAINERS
from understudy.media.files.listening import sound_at
from understudy.media.files.passthrough import Passthrough
from understudy.media.files.stream_tags import kept_tags
from understudy.media.files.trying import takes_codec
from understudy.testing import ClipSpec, talking, write_clip

CANONICAL = {"libopus": "opus", "libmp3lame": "mp3"}


@pytest.fixture(scope="module")
def picture(small_puppet):
    return small_puppet.render(talking(0.3)).picture


def film(path, sounds=(), packets=(), seconds=0.6, lasting=100):
    """A gray film with sounds, (encoder, rate, layout), and ready packets, by codec, which last so many ms."""
    with av.open(str(path), "w") as file:
        video = file.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        streams = []
        for encoder, rate, layout in sounds:
            stream = file.add_stream(encoder, rate=rate)
            stream.codec_context.layout = layout
            stream.codec_context.open(strict=False)
            streams.append(stream)
        drawn = [(file.add_mux_stream(codec), ready) for codec, ready in packets]
        for number in range(round(seconds * 10)):
            frame = av.VideoFrame(64, 64, "yuv420p")
            frame.pts = number
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        for stream in streams:
            _tone(file, stream, seconds)
        for stream, ready in drawn:
            for number, content in enumerate(ready):
                packet = av.Packet(content)
                packet.stream, packet.time_base, packet.pts = stream, Fraction(1, 1000), number * 200
                packet.dts, packet.duration = packet.pts, lasting
                file.mux(packet)


def _tone(file, stream, seconds):
    context = stream.codec_context
    rate, channels = context.sample_rate, context.layout.nb_channels
    wave = (9000 * np.sin(np.arange(round(seconds * rate)) * 440 * 2 * np.pi / rate)).astype(np.int16)
    resampler = av.AudioResampler(context.format, context.layout, rate, frame_size=context.frame_size or None)
    frame = av.AudioFrame.from_ndarray(np.repeat(wave, channels)[None], format="s16", layout=context.layout.name)
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    for part in [frame, None]:
        for ready in resampler.resample(part):
            file.mux(stream.encode(ready))
    file.mux(stream.encode(None))


def passed(source, output, info=None):
    """The source's other streams beside a new picture; what was said, and the streams: type, codec, seconds."""
    muxer = CONTAINERS[output.suffix].format
    with av.open(str(output), "w", format=muxer) as file:
        video = file.add_stream("libvpx-vp9" if muxer == "webm" else "libx264", rate=10)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        along = Passthrough(source, file, info)
        try:
            file.start_encoding()
            for number in range(6):
                frame = av.VideoFrame(64, 64, "yuv420p")
                frame.pts = number
                along.copy_until(number / 10 + (0 if info is None else float(info.begins * info.time_base)))
                file.mux(video.encode(frame))
            along.copy_until(None)
            file.mux(video.encode(None))
        finally:
            along.close()
    found = []
    with av.open(str(output)) as file:
        kinds = [
            (s.type, s.codec_context.codec.canonical_name if s.codec_context else "") for s in list(file.streams)[1:]
        ]
    for number, (kind, codec) in enumerate(kinds, 1):
        with av.open(str(output)) as file:
            stream = file.streams[number]
            if kind == "audio" and codec != "dts":
                length = sum(frame.samples / frame.sample_rate for frame in file.decode(stream))
            else:
                length = sum(1 for packet in file.demux(stream) if packet.size)
            found.append((kind, codec, length, stream.disposition, stream.metadata.get("language")))
    return along.notes, found


@pytest.mark.parametrize(
    ("encoder", "rate", "layout", "copied_to"),
    [
        ("aac", 44100, "stereo", "mp4 mov mkv"),
        ("ac3", 48000, "5.1", "mp4 mov mkv"),
        ("eac3", 48000, "stereo", "mp4 mov mkv"),
        ("libopus", 48000, "mono", "mp4 mkv webm"),
        ("flac", 96000, "stereo", "mp4 mkv"),
        ("libmp3lame", 22050, "mono", "mp4 mov mkv"),
        ("pcm_s16le", 8000, "mono", "mp4 mov mkv"),
        ("pcm_alaw", 8000, "mono", "mov"),
        ("pcm_mulaw", 11025, "stereo", "mov"),
        ("adpcm_ms", 22050, "mono", ""),
    ],
)
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm"])
def test_sound_is_there_copied_where_the_file_takes_it(tmp_path, encoder, rate, layout, copied_to, suffix):
    source = tmp_path / ("in.mkv" if "mkv" in copied_to else "in.nut")
    film(source, [(encoder, rate, layout)])
    notes, (sound,) = passed(source, tmp_path / f"out.{suffix}")
    assert sound[0] == "audio"
    assert sound[2] == pytest.approx(0.6, abs=0.12)
    if suffix in copied_to.split():
        assert sound[1] == CANONICAL.get(encoder, encoder)
        assert notes == []
    else:
        assert "converted: audio" in notes[0]
        assert CANONICAL.get(encoder, encoder) in notes[0]


@pytest.mark.parametrize("pieces", [("stereo", "5.1"), ("5.1", "mono", "stereo")])
@pytest.mark.parametrize("rates", [(48000, 48000, 48000), (48000, 44100, 32000)])
def test_sound_that_changes_on_the_way_is_converted_and_played_to_its_end(tmp_path, pieces, rates):
    source = tmp_path / "in.ts"
    with source.open("wb") as file:
        for number, (layout, rate) in enumerate(zip(pieces, rates, strict=False)):
            film(tmp_path / f"{number}.ts", [("ac3", rate, layout)])
            file.write((tmp_path / f"{number}.ts").read_bytes())
    _, (sound,) = passed(source, tmp_path / "out.webm")
    assert sound[:2] == ("audio", "opus")
    assert sound[2] == pytest.approx(0.6 * len(pieces), abs=0.15)
    joined = tmp_path / "joined.mkv"
    passed(source, joined)
    with wave.open(BytesIO(sound_at(joined, 0.0, 0.6 * len(pieces)))) as played:
        samples = np.frombuffer(played.readframes(played.getnframes()), "<i2").astype(float)
    assert all(np.abs(part).max() > 1000 for part in np.array_split(samples, 4 * len(pieces)))


def dts():
    """A frame of DTS: the fields of a core header (ETSI TS 102 114, 5.3) and nothing behind it that could be heard."""
    size = 512
    fields = [(0x7FFE8001, 32), (1, 1), (31, 5), (0, 1), (15, 7), (size - 1, 14), (2, 6), (13, 4), (15, 5), (0, 10)]
    bits = "".join(f"{value:0{width}b}" for value, width in fields)
    return int(bits.ljust(size * 8, "0"), 2).to_bytes(size, "big")


def _write_dts(path):
    """Frames of DTS, for which there is no encoder here, in a film made for another codec."""
    film(path, [("ac3", 48000, "stereo")], seconds=0.1)
    ready = path.with_name("ready.mkv")
    with av.open(str(path)) as old, av.open(str(ready), "w") as new:
        video, sound = (new.add_stream_from_template(stream) for stream in old.streams)
        for packet in old.demux(old.streams.video[0]):
            if packet.size:
                packet.stream = video
                new.mux(packet)
        for number in range(8):
            packet = av.Packet(dts())
            packet.stream, packet.time_base, packet.pts, packet.dts = sound, Fraction(1, 1000), number * 10, number * 10
            new.mux(packet)
    path.write_bytes(ready.read_bytes().replace(b"A_AC3", b"A_DTS"))


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mov"])
def test_a_codec_whose_decoder_has_another_name_is_copied(tmp_path, suffix):
    source = tmp_path / "in.mkv"
    _write_dts(source)
    with av.open(str(source)) as file:
        assert file.streams.audio[0].codec_context.name == "dca"
    notes, found = passed(source, tmp_path / f"out.{suffix}")
    assert [(kind, codec) for kind, codec, *_ in found] == [("audio", "dts")]
    assert packets_of(tmp_path / f"out.{suffix}", "audio") == [dts()] * 8
    assert notes == []


def pgs():
    def segment(kind, content):
        return bytes([kind]) + struct.pack(">H", len(content)) + content

    return [segment(0x16, bytes(11)) + segment(0x80, b""), segment(0x80, b"")]


PICTURES = {
    "hdmv_pgs_subtitle": pgs(),
    "dvd_subtitle": [bytes.fromhex("0010000800000000010102ff0000ff00")] * 2,
    "dvb_subtitle": [b"\x20\x00\x0f\x10\x00\x01\x00\x02\x10\x00\xff"] * 2,
}


@pytest.mark.parametrize("codec", PICTURES)
@pytest.mark.parametrize("suffix", ["mkv", "mov", "webm"])
def test_subtitles_that_are_pictures_are_copied_into_what_takes_them(tmp_path, codec, suffix):
    source = tmp_path / "in.mkv"
    film(source, packets=[(codec, PICTURES[codec])])
    notes, found = passed(source, tmp_path / f"out.{suffix}")
    if suffix == "mkv":
        assert [(kind, name, count) for kind, name, count, *_ in found] == [("subtitle", codec, 2)]
        assert notes == []
    else:
        assert found == []
        assert f"left out: subtitle stream 1 ({codec})" in notes[0]


def shown(state, pictures):
    """A display set of PGS in its shortest form: how it refers to those before, and how many pictures it shows."""
    return b"\x16" + struct.pack(">HHHBHBBBB", 11, 9, 9, 16, 0, state, 0, 0, pictures) + b"\x80\0\0"


@pytest.mark.parametrize(
    ("ready", "since", "written"),
    [
        pytest.param([shown(0x80, 1), shown(0, 0)], 0.1, [(0, shown(0x80, 1)), (0.1, shown(0, 0))], id="shown"),
        pytest.param([shown(0x80, 1), shown(0, 0)], 0.3, [], id="cleared"),
        pytest.param([shown(0x80, 1), shown(0x80, 2)], 0.2, [(0, shown(0x80, 2))], id="replaced just then"),
        pytest.param([shown(0x80, 1), shown(0, 2)], 0.3, [(0, shown(0x80, 1)), (0, shown(0, 2))], id="built upon"),
        pytest.param([shown(0x80, 1), shown(0x40, 2)], 0.3, [(0, shown(0x40, 2))], id="whole again"),
    ],
)
def test_a_picture_subtitle_that_is_on_screen_at_a_cut_is_shown_from_there(tmp_path, ready, since, written):
    source, output = tmp_path / "in.mkv", tmp_path / "out.mkv"
    film(source, packets=[("hdmv_pgs_subtitle", ready)], lasting=0)
    part = Excerpt(round(since * 10))
    passed(source, output, MediaInfo(source, MediaKind.VIDEO, 64, 64, Fraction(1, 10), excerpt=part))
    with av.open(str(output)) as file:
        found = [(float(one.pts * one.time_base), bytes(one)) for one in file.demux(file.streams[1]) if one.size]
    assert [content for _, content in found] == [content for _, content in written]
    assert [time for time, _ in found] == pytest.approx([time for time, _ in written], abs=0.003)


@pytest.mark.parametrize("suffix", ["mkv", "webm"])
def test_what_a_stream_is_for_goes_along_copied_or_converted(tmp_path, suffix):
    source, plain = tmp_path / "in.mkv", tmp_path / "plain.mkv"
    film(plain, [("aac", 48000, "stereo")] * 2)
    with av.open(str(plain)) as old, av.open(str(source), "w") as new:
        streams = {s.index: new.add_stream_from_template(s) for s in old.streams}
        streams[1].disposition, streams[2].disposition = 0, av.stream.Disposition.default | av.stream.Disposition.forced
        streams[1].metadata["language"], streams[2].metadata["language"] = "eng", "ger"
        for packet in old.demux():
            if packet.size:
                packet.stream = streams[packet.stream_index]
                new.mux(packet)
    _, found = passed(source, tmp_path / f"out.{suffix}")
    wanted = [(0, "eng"), (av.stream.Disposition.default | av.stream.Disposition.forced, "ger")]
    assert [(disposition, language) for *_, disposition, language in found] == wanted


@pytest.mark.parametrize(
    ("language", "written"), [("fre", "fra"), ("deu", "ger"), ("cze", "ces"), ("swe", "sve"), ("jpn", "jpn")]
)
def test_a_language_keeps_its_name_or_another_of_its_own_in_mov(tmp_path, language, written):
    source, plain = tmp_path / "in.mkv", tmp_path / "plain.mkv"
    film(plain, [("aac", 48000, "stereo")])
    _said_to_be_in(language, plain, source)
    notes, (sound,) = passed(source, tmp_path / "out.mov")
    assert (sound[-1], notes) == (written, [])
    assert passed(source, tmp_path / "out.mp4")[1][0][-1] == language


def test_a_language_that_mov_has_no_name_for_is_told(tmp_path):
    source, plain = tmp_path / "in.mkv", tmp_path / "plain.mkv"
    film(plain, [("aac", 48000, "stereo")])
    _said_to_be_in("gsw", plain, source)
    assert passed(source, tmp_path / "out.mp4")[0] == []
    assert "audio stream 1 (aac) is in 'gsw'" in passed(source, tmp_path / "out.mov")[0][0]


def _said_to_be_in(language, plain, path):
    """A film whose sound is said to be in a language."""
    with av.open(str(plain)) as old, av.open(str(path), "w") as new:
        streams = {s.index: new.add_stream_from_template(s) for s in old.streams}
        streams[1].metadata["language"] = language
        for packet in old.demux():
            if packet.size:
                packet.stream = streams[packet.stream_index]
                new.mux(packet)


def test_what_was_said_of_an_opacity_that_is_not_written_is_not_said_again():
    assert kept_tags({"ALPHA_MODE": "1", "alpha_mode": "1", "title": "a clip"}) == {"title": "a clip"}


def test_sound_whose_times_step_back_is_written_all_the_same(tmp_path):
    source, plain = tmp_path / "in.nut", tmp_path / "plain.nut"
    film(plain, [("pcm_s16le", 48000, "mono")])
    with av.open(str(plain)) as old, av.open(str(source.with_suffix(".mkv")), "w") as new:
        streams = {s.index: new.add_stream_from_template(s) for s in old.streams}
        for number, packet in enumerate(old.demux()):
            if packet.size:
                if packet.stream_index == 1 and number % 3 == 0:
                    packet.pts = packet.dts = max(packet.dts - 100, 0)
                packet.stream = streams[packet.stream_index]
                new.mux(packet)
    _, (sound,) = passed(source.with_suffix(".mkv"), tmp_path / "out.mp4")
    assert sound[2] == pytest.approx(0.6, abs=0.05)


def test_fonts_and_covers_go_into_mkv_and_are_said_elsewhere(tmp_path, picture):
    import cv2

    source = tmp_path / "in.mkv"
    cover = cv2.imencode(".png", picture)[1].tobytes()
    with av.open(str(source), "w") as file:
        video = file.add_stream("libx264", rate=10)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        file.add_attachment("letters.ttf", "application/x-truetype-font", b"font" * 99)
        file.add_attachment("front.png", "image/png", cover)
        frame = av.VideoFrame(64, 64, "yuv420p")
        frame.pts = 0
        file.mux(video.encode(frame))
        file.mux(video.encode(None))
    notes, found = passed(source, tmp_path / "out.mkv")
    assert notes == []
    assert {kind for kind, *_ in found} == {"attachment", "video"}
    notes, found = passed(source, tmp_path / "out.mov")
    assert found == []
    assert notes == ["left out: the attachment letters.ttf", "left out: the cover picture"]


@pytest.mark.slow
def test_opus_becomes_aac_in_a_swapped_mov_and_pgs_stays_in_mkv(picture, hopper_path, tmp_path):
    source, plain = tmp_path / "in.mkv", tmp_path / "plain.mkv"
    write_clip(plain, [picture] * 5, ClipSpec(rate=10, audio=(("libopus", 440.0),)))
    with av.open(str(plain)) as old, av.open(str(source), "w") as new:
        streams = {s.index: new.add_stream_from_template(s, opaque=True) for s in old.streams}
        drawn = new.add_mux_stream("hdmv_pgs_subtitle")
        for packet in old.demux():
            if packet.size:
                packet.stream = streams[packet.stream_index]
                new.mux(packet)
        for number, content in enumerate(pgs()):
            packet = av.Packet(content)
            packet.stream, packet.time_base, packet.pts = drawn, Fraction(1, 1000), number * 200
            packet.dts = packet.pts
            new.mux(packet)
    report = understudy.swap(hopper_path, source, tmp_path / "out.mov")
    assert any("converted: audio stream 1 (opus) to aac" in note for note in report.notes)
    report = understudy.swap(hopper_path, source, tmp_path / "out.mkv")
    assert not any("left out" in note or "converted" in note for note in report.notes)
    assert packets_of(tmp_path / "out.mkv", "subtitles") == pgs()


def test_what_an_encoder_makes_is_tried_not_looked_up():
    assert takes_codec("mp4", "libx264") and takes_codec("webm", "libvpx-vp9")
    assert not takes_codec("webm", "libx264") and not takes_codec("mov", "no such encoder")


def test_a_head_that_can_not_be_written_is_told_before_any_work(picture, hopper_path, tmp_path, monkeypatch):
    from understudy.media.files import video_file

    clip = tmp_path / "in.mp4"
    write_clip(clip, [picture] * 2, ClipSpec(rate=10, audio=()))
    real = video_file.Passthrough

    def along(path, output, info):
        output.streams.video[0].codec_context.sample_aspect_ratio = Fraction(1)
        output.add_data_stream(None)  # which mp4 refuses in its head
        return real(path, output, info)

    monkeypatch.setattr(video_file, "Passthrough", along)
    with pytest.raises(EncodingError, match=r"does not go into out\.mp4"):
        understudy.swap(hopper_path, clip, tmp_path / "out.mp4")
    assert not list(tmp_path.glob("*out*"))
