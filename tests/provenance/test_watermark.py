"""The mark: found again after what happens to files, and never in a picture that has none."""

from __future__ import annotations

import io
import math

import av
import cv2
import numpy as np
import pytest

import understudy
from understudy.face import Faces
from understudy.frames import Frame
from understudy.provenance import FrameSealer
from understudy.provenance.watermark import Mark, Watermarker, WatermarkOptions, read_mark
from understudy.provenance.watermark.payload import (
    CODED_BITS,
    PAYLOAD_BITS,
    decode,
    encode,
    identifier_of,
    payload,
)
from understudy.provenance.watermark.strength import Strength
from understudy.provenance.watermark.texture import DITHER, UNIT, amplitudes, dither, render, waves
from understudy.testing import Puppet, talking

ID = 0x1234_5678_9ABC


def luma(picture):
    return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)


def marked(picture, identifier=ID):
    frame = Frame(picture.copy())
    Watermarker(identifier).mark(frame)
    return frame.picture


@pytest.fixture(scope="module")
def shots(astronaut):
    """A second of a moving face, 640x480."""
    puppet = Puppet(astronaut, (640, 480), face_share=0.5)
    return [puppet.render(talking(number / 15)).picture for number in range(15)]


@pytest.fixture(scope="module")
def marked_shots(shots):
    return [marked(shot) for shot in shots]


def coded(pictures, crf):
    """The pictures after H.264."""
    height, width = pictures[0].shape[:2]
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=15, options={"crf": str(crf), "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def scaled(pictures, width, height):
    return [cv2.resize(p, (width, height), interpolation=cv2.INTER_AREA) for p in pictures]


@pytest.mark.parametrize("identifier", [0, 1, ID, 2**48 - 1])
def test_an_id_survives_the_code(identifier):
    bits = payload(identifier)
    assert bits.shape == (PAYLOAD_BITS,)
    sent = encode(bits)
    assert sent.shape == (CODED_BITS,)
    assert identifier_of(decode(1 - 2.0 * sent)) == identifier


@pytest.mark.parametrize("wrong", range(0, 30, 5))
def test_the_code_mends_errors(wrong):
    rng = np.random.default_rng(wrong)
    likelihoods = 1 - 2.0 * encode(payload(ID))
    likelihoods[rng.choice(CODED_BITS, wrong, replace=False)] *= -1
    assert identifier_of(decode(likelihoods)) == ID


@pytest.mark.parametrize("bad", [-1, 2**48])
def test_an_id_has_48_bits(bad):
    with pytest.raises(ValueError, match="48 bits"):
        payload(bad)


def test_noise_passes_the_check_bits_no_more_often_than_they_promise():
    rng = np.random.default_rng(0)
    assert not any(identifier_of(decode(rng.normal(size=CODED_BITS))) is not None for _ in range(3000))


def test_the_texture_is_what_the_formula_says():
    width, height, known, z = 200, 120, waves(), amplitudes(ID)
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    period = max(120 / 5, 52)
    total = sum(
        (a * np.exp(2j * np.pi * (u * x + v * y) / period)).real for u, v, a in zip(known.u, known.v, z, strict=True)
    )
    total *= UNIT / math.sqrt(np.sum(np.abs(z) ** 2) / 2)
    assert np.abs(render(ID, width, height) - np.clip(total, -127, 127)).max() <= 1


def test_the_pattern_is_the_same_on_every_machine():
    """Files in the world carry this pattern: a change is a new version of the mark."""
    known = waves()
    assert (len(known.u), len(known.data)) == (252, 220)
    assert known.pilots[:6].tolist() == [6, 9, 10, 25, 36, 44]
    assert known.slots[:6].tolist() == [147, 104, 78, 186, 195, 121]


def test_it_is_faint_and_stands_still(shots):
    first = marked(shots[0]).astype(int) - shots[0]
    middle = (shots[0].min(2) > 24) & (shots[0].max(2) < 231)  # elsewhere a colour may be at its end
    assert (first == first[:, :, :1])[middle].all()  # no colour is shifted
    assert 10 * math.log10(255**2 / np.mean(first.astype(float) ** 2)) >= 42  # though it is all texture
    again = marked(shots[0]).astype(int) - shots[0]
    assert (first == again).all()  # a still picture has a still mark
    flat = np.full((360, 640, 3), 128, np.uint8)
    assert np.abs(marked(flat).astype(int) - flat).std() < 1


HARMS = {
    "as it is": lambda p: p,
    "CRF 23": lambda p: coded(p, 23),
    "CRF 28": lambda p: coded(p, 28),
    "half size": lambda p: coded(scaled(p, 320, 240), 23),
    "half as large again": lambda p: coded(scaled(p, 960, 720), 28),
    "stretched": lambda p: coded(scaled(p, 640, 360), 23),
    "a quarter cut off": lambda p: coded([np.ascontiguousarray(s[70:430, 100:580]) for s in p], 23),
    "brighter": lambda p: [np.clip(s * 1.3, 0, 255).astype(np.uint8) for s in p],
    "darker": lambda p: [(s * 0.7).astype(np.uint8) for s in p],
    "less contrast": lambda p: [((s - 128.0) * 0.7 + 128).astype(np.uint8) for s in p],
    "mirrored": lambda p: [s[:, ::-1] for s in p],
}


#: Of these, those that are tried each time.
QUICK = ("as it is", "CRF 28", "mirrored")


@pytest.mark.parametrize(
    "harm", [harm if harm in QUICK else pytest.param(harm, marks=pytest.mark.slow) for harm in HARMS]
)
def test_it_is_found_after(harm, marked_shots):
    found = read_mark(luma(np.ascontiguousarray(picture)) for picture in HARMS[harm](marked_shots))
    assert found is not None
    assert found.identifier == ID
    assert found.mirrored == (harm == "mirrored")
    if harm == "a quarter cut off":
        assert found.scale_x == pytest.approx(4 / 3, abs=0.01)


def test_a_single_picture_survives_jpeg(marked_shots):
    found = [
        read_mark([cv2.imdecode(cv2.imencode(".jpg", shot, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], 0)])
        for shot in marked_shots[::3]
    ]
    assert [mark is not None and mark.identifier == ID for mark in found].count(False) == 0


@pytest.mark.slow
@pytest.mark.parametrize("size", [(224, 224), (320, 160)])
def test_a_picture_of_which_no_note_says_otherwise_is_read(hopper, astronaut, size):
    assert not FrameSealer.notes(*size, still=True)
    for picture in (hopper, astronaut):
        for identifier in (ID, 77):
            frame = Frame(scaled([picture], *size)[0])
            sealed = FrameSealer(identifier).seal(frame, Faces.empty()).frame.picture
            assert read_mark([luma(np.array(sealed))]).identifier == identifier


@pytest.mark.slow
@pytest.mark.parametrize(("side", "told"), [(100, True), (240, False)])
def test_an_output_whose_mark_may_not_be_found_says_so(hopper_path, astronaut, tmp_path, side, told):
    target = tmp_path / "small.png"
    cv2.imwrite(str(target), cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA))
    report = understudy.swap(hopper_path, target, tmp_path / "out.png")
    assert any("mark may not be found" in note for note in report.notes) == told
    if not told:
        assert understudy.inspect(tmp_path / "out.png").mark is not None


@pytest.mark.slow
def test_nothing_is_found_where_nothing_is(shots, hopper):
    assert read_mark(luma(shot) for shot in shots) is None
    assert read_mark([luma(hopper)]) is None
    noise = np.random.default_rng(1).integers(0, 255, (240, 320), np.uint8)
    assert read_mark([noise]) is None


@pytest.mark.parametrize(
    "picture", [np.zeros((1, 1), np.uint8), np.zeros((5, 300), np.uint8), np.full((90, 90), 7, np.uint8)]
)
def test_odd_pictures_are_no_trouble(picture):
    assert read_mark([picture]) is None
    color = np.repeat(picture[:, :, None], 3, axis=2)
    assert marked(color).shape == color.shape


@pytest.mark.slow
def test_frames_are_averaged(marked_shots):
    """What single frames do not show, all of them do."""
    noise = np.random.default_rng(5)
    buried = [luma(shot) + noise.normal(0, 110, shot.shape[:2]) for shot in marked_shots]
    buried = [np.clip(shot, 0, 255).astype(np.uint8) for shot in buried]
    assert read_mark(buried[:1]) is None
    together = read_mark(buried)
    assert together is not None
    assert together.identifier == ID
    assert together.frames == len(buried)


@pytest.mark.parametrize("size", [(640, 480), (333, 911), (1000, 300), (70, 64)])
def test_a_picture_is_raised_by_strength_times_texture_rounded_with_noise(hopper, size):
    picture = cv2.resize(hopper, size)
    width, height = size
    strength = cv2.resize(Strength(WatermarkOptions(), live=False).of(picture), size, interpolation=cv2.INTER_LINEAR)
    noise = np.tile(dither(), (-(-height // DITHER), -(-width // DITHER)))[:height, :width]
    steps = np.floor(strength * render(12345, width, height) + noise)
    expected = np.clip(picture.astype(int) + steps[:, :, None].astype(int), 0, 255)
    frame = Frame(picture.copy())
    Watermarker(12345).mark(frame)
    different = np.abs(frame.picture - expected)
    assert different.max() <= 1  # where a sum falls on the edge between two numbers
    assert np.count_nonzero(different) < 1e-4 * different.size


@pytest.mark.parametrize("options", [{"least": 0}, {"least": 0.1}, {"most": 1}, {"slope": 0}, {"least": 5.0}])
def test_it_can_not_be_set_to_nothing(options):
    with pytest.raises(ValueError, match="least"):
        WatermarkOptions(**options)


def test_a_mark_says_how_sure_it_is(marked_shots):
    found = read_mark([luma(marked_shots[0])])
    assert isinstance(found, Mark)
    assert found.false_accept_bound <= 1e-6
    assert 0.8 < found.agreement <= 1


def test_live_no_frame_is_further_off_and_a_still_one_is_marked_as_ever(shots):
    """Its texture is measured in steps, one a frame: the bound holds for the frames between as well."""
    live, usual = Watermarker(77, live=True), Watermarker(77)
    for shot in shots:
        marked = Frame(shot.copy())
        live.mark(marked)
        off = cv2.cvtColor(marked.picture, cv2.COLOR_BGR2GRAY).astype(float) - cv2.cvtColor(shot, cv2.COLOR_BGR2GRAY)
        assert 10 * np.log10(255**2 / (off**2).mean()) > 42
    for _ in range(7):  # until it has measured this one
        marked, expected = Frame(shots[0].copy()), Frame(shots[0].copy())
        live.mark(marked)
    usual.mark(expected)
    assert (marked.picture == expected.picture).all()
