"""Stills and animations."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest
from PIL import Image, ImageSequence

import understudy
from understudy import Settings
from understudy.errors import InputError, InputGoneError
from understudy.media.base import MediaKind
from understudy.media.files import EncodeOptions, open_source
from understudy.media.formats import refuse_unread
from understudy.testing import talking


@pytest.fixture(scope="module")
def face(small_puppet):
    """A face as Pillow's RGB picture."""
    return Image.fromarray(small_puppet.render(talking(0.3)).picture[:, :, ::-1].copy())


def opened(path, mode=None):
    """The picture, loaded, its file closed."""
    with Image.open(path) as picture:
        picture.load()
        return picture.convert(mode) if mode else picture.copy()


def pixels(path):
    return np.asarray(opened(path, "RGB")).astype(int)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "webp", "PNG"])
def test_a_still_keeps_its_size_and_what_is_not_face(face, hopper_path, tmp_path, suffix):
    target, output = tmp_path / "in.png", tmp_path / f"out.{suffix}"
    face.save(target)
    report = understudy.swap(hopper_path, target, output, settings=Settings(encode=EncodeOptions(quality=95)))
    assert report.kind == "image"
    before, after = pixels(target), pixels(output)
    assert before.shape == after.shape
    assert np.abs(before - after)[:50, 260:].mean() < 3
    if suffix.lower() == "png":
        # The mark is there, and nothing but the mark: the same small step in all three colours.
        steps = (after - before)[:50, 260:]
        assert (steps == steps[:, :, :1]).all()
        assert 0 < np.abs(steps).max() < 16
    assert np.abs(before - after)[80:160, 120:200].mean() > 4


@pytest.mark.slow
def test_exif_data_tells_of_the_picture_that_is_written_not_of_the_old_file(face, hopper_path, tmp_path):
    target, output = tmp_path / "turned.jpg", tmp_path / "out.jpg"
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[700], exif[34377] = 6, "a camera", b"<xmp/>", b"a preview"
    exif[256], exif[257], exif[273], exif[34675] = 1, 1, 712, b"a profile"
    exif.get_ifd(0x8769).update({0xA002: 1, 0xA003: 1, 0x829D: 2.8})
    face.transpose(Image.Transpose.ROTATE_90).save(target, exif=exif)
    understudy.swap(hopper_path, target, output)
    with Image.open(output) as result:
        written = result.getexif()
        size = (written[256], written[257])
        own = written.get_ifd(0x8769)
        assert size == (own[0xA002], own[0xA003]) == result.size == face.size
        assert set(written) == {256, 257, 0x010F, 0x8769}
        assert own[0x829D] == 2.8


def test_a_photo_whose_exif_data_tells_of_its_file_only_is_not_said_to_be_damaged(tmp_path):
    Image.new("RGB", (40, 30)).save(tmp_path / "plain.tif")
    with open_source(tmp_path / "plain.tif") as source:
        assert source.info.notes == ()


@pytest.mark.parametrize("holes", [True, False])
def test_a_gif_is_transparent_only_if_a_pixel_is(tmp_path, holes):
    pictures = []
    for number in range(3):
        colors = np.full((12, 16), number + 1, np.uint8)
        colors[:4, :4] = 0 if holes else 4
        pictures.append(Image.fromarray(colors))
        pictures[-1].putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0, 0, 0, 200, 90, 90, 90])
    more = {"transparency": 0, "optimize": False, "disposal": 2}
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], **more)
    with Image.open(tmp_path / "a.gif") as picture:
        assert picture.has_transparency_data
    with open_source(tmp_path / "a.gif") as source:
        assert source.info.has_alpha == holes
        assert any(frame.alpha is not None for frame in source) == holes


@pytest.mark.slow
def test_exif_orientation_is_applied_once(face, hopper_path, tmp_path):
    turned = face.transpose(Image.Transpose.ROTATE_90)  # as a camera held upright stores it
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    target, output = tmp_path / "phone.jpg", tmp_path / "out.jpg"
    turned.save(target, exif=exif, quality=97)
    understudy.swap(hopper_path, target, output)
    result = opened(output)
    assert result.size == face.size
    assert result.getexif().get(0x0112, 1) == 1
    assert result.getexif()[0x010F] == "a camera"
    assert np.abs(np.asarray(result.convert("RGB")).astype(int) - np.asarray(face))[:50, 260:].mean() < 4


@pytest.mark.slow
def test_a_source_photo_may_be_turned_too(hopper, astronaut_path, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = tmp_path / "turned.jpg"
    picture = Image.fromarray(hopper[:, :, ::-1].copy()).transpose(Image.Transpose.ROTATE_90)
    picture.save(photo, exif=exif)
    assert understudy.swap(photo, astronaut_path, tmp_path / "out.png", consent="self").frames_swapped == 1


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_transparency_is_kept_but_not_under_the_label(face, hopper_path, tmp_path, suffix):
    rgba = face.convert("RGBA")
    alpha = np.full((240, 320), 255, np.uint8)
    alpha[:60], alpha[200:] = 0, 0
    rgba.putalpha(Image.fromarray(alpha))
    target, output = tmp_path / "in.png", tmp_path / f"out.{suffix}"
    rgba.save(target)
    understudy.swap(hopper_path, target, output)
    after = np.asarray(opened(output, "RGBA"))[:, :, 3]
    assert (after[100:190] == 255).all()
    assert (after[:40, 150:] == 0).all()
    assert (after[200:] > 100).sum() > 1000  # the label's plate


@pytest.mark.slow
def test_jpeg_says_that_transparency_is_gone(face, hopper_path, tmp_path):
    target = tmp_path / "in.png"
    face.convert("RGBA").save(target)
    rgba = opened(target)
    rgba.putalpha(128)
    rgba.save(target)
    report = understudy.swap(hopper_path, target, tmp_path / "out.jpg")
    assert any("transparency" in note for note in report.notes)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "LA", "I;16"])
def test_every_kind_of_picture_is_read(face, hopper_path, tmp_path, mode):
    target = tmp_path / ("in.tif" if mode == "CMYK" else "in.png")
    if mode == "I;16":
        deep = np.asarray(face.convert("L")).astype(np.uint16) * 257
        Image.fromarray(deep).save(target)
    else:
        face.convert(mode).save(target)
    report = understudy.swap(hopper_path, target, tmp_path / "out.png")
    assert report.frames_swapped == 1
    assert any("16-bit" in note for note in report.notes) == (mode == "I;16")


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_deep_colours_are_told(tmp_path, suffix, channels):
    path = tmp_path / f"deep.{suffix}"
    for kind, told in ((np.uint16, True), (np.uint8, False)):
        cv2.imwrite(str(path), np.full((40, 40, channels), 99, kind))
        with open_source(path, 10**6) as source:
            assert any("16-bit" in note for note in source.info.notes) == told


def test_a_picture_of_16_bits_a_pixel_has_no_deep_colours(tmp_path):
    """As some programs write BMP: five bits of red, six of green, five of blue."""
    head = struct.pack("<2sIII", b"BM", 70 + 64, 0, 70)
    info = struct.pack("<IiiHHIIiiII", 56, 8, 4, 1, 16, 3, 64, 0, 0, 0, 0)
    masks = struct.pack("<IIII", 0xF800, 0x07E0, 0x001F, 0)
    (tmp_path / "in.bmp").write_bytes(head + info + masks + bytes(64))
    with open_source(tmp_path / "in.bmp", 10**6) as source:
        assert source.info.notes == ()


@pytest.mark.slow
def test_a_colour_profile_goes_along(face, hopper_path, tmp_path):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    target, output = tmp_path / "in.png", tmp_path / "out.png"
    face.save(target, icc_profile=profile)
    understudy.swap(hopper_path, target, output)
    assert opened(output).info["icc_profile"] == profile


@pytest.fixture(scope="module")
def animation(small_puppet, tmp_path_factory):
    frames = [Image.fromarray(small_puppet.render(talking(n / 10)).picture[:, :, ::-1].copy()) for n in range(6)]
    delays = [100, 50, 200, 80, 120, 90]
    folder = tmp_path_factory.mktemp("animations")
    for suffix in ("gif", "webp"):
        frames[0].save(folder / f"in.{suffix}", save_all=True, append_images=frames[1:], duration=delays, loop=0)
    return folder, delays


def delays_of(path):
    delays = []
    with Image.open(path) as picture:
        for frame in ImageSequence.Iterator(picture):
            frame.load()
            delays.append(frame.info["duration"])
    return delays


@pytest.mark.parametrize("source", ["gif", "webp"])
@pytest.mark.parametrize("result", ["gif", "webp"])
@pytest.mark.slow
def test_animations_keep_their_frames_and_delays(animation, hopper_path, tmp_path, source, result):
    folder, delays = animation
    output = tmp_path / f"out.{result}"
    report = understudy.swap(hopper_path, folder / f"in.{source}", output)
    assert report.kind == "animation"
    assert report.frames == report.frames_swapped == 6
    found = delays_of(output)
    assert len(found) == 6
    np.testing.assert_allclose(
        found if result == "gif" else found[:-1], delays if result == "gif" else delays[:-1], atol=10
    )
    assert opened(output).info.get("loop", 0) == 0


@pytest.mark.slow
def test_an_animation_becomes_a_video_with_its_own_times(animation, hopper_path, tmp_path):
    import av

    folder, delays = animation
    output = tmp_path / "out.mp4"
    understudy.swap(hopper_path, folder / "in.gif", output)
    with av.open(str(output)) as container:
        times = [float(frame.time) for frame in container.decode(video=0)]
    np.testing.assert_allclose(times, np.cumsum([0, *delays[:-1]]) / 1000, atol=0.002)


@pytest.mark.slow
def test_a_video_becomes_an_animation(small_clip, hopper_path, tmp_path):
    for suffix in ("gif", "webp"):
        output = tmp_path / f"out.{suffix}"
        assert understudy.swap(hopper_path, small_clip, output).frames == 25
        assert sum(delays_of(output)) == pytest.approx(1000, abs=60)


@pytest.mark.slow
def test_transparent_animations_stay_transparent(small_puppet, hopper_path, tmp_path):
    frames = []
    for number in range(3):
        picture = Image.fromarray(small_puppet.render(talking(number / 10)).picture[:, :, ::-1].copy()).convert("RGBA")
        alpha = np.full((240, 320), 255, np.uint8)
        alpha[:40, 200:] = 0
        picture.putalpha(Image.fromarray(alpha))
        frames.append(picture)
    target, output = tmp_path / "in.webp", tmp_path / "out.webp"
    frames[0].save(target, save_all=True, append_images=frames[1:], duration=100, lossless=True)
    understudy.swap(hopper_path, target, output)
    with Image.open(output) as picture:
        for frame in ImageSequence.Iterator(picture):
            alpha = np.asarray(frame.convert("RGBA"))[:, :, 3]
            assert alpha[:30, 220:].max() == 0
            assert alpha[60:180].min() == 255


def test_what_a_file_is_its_content_says(face, tmp_path):
    liar = tmp_path / "picture.mp4"
    face.save(liar, format="PNG")
    with open_source(liar) as source:
        assert source.info.kind is MediaKind.IMAGE


@pytest.mark.slow
def test_the_picture_before_an_animation_is_no_part_of_it(small_puppet, hopper_path, astronaut_path, tmp_path):
    frames = [Image.fromarray(small_puppet.render(talking(n / 10)).picture[:, :, ::-1].copy()) for n in range(3)]
    poster = Image.new("RGB", frames[0].size, (200, 30, 30))
    path = tmp_path / "in.png"
    poster.save(path, save_all=True, default_image=True, append_images=frames, duration=[120, 80, 300], loop=0)
    with open_source(path) as source:
        assert source.info.frames == 3
        assert source.info.duration == pytest.approx(0.5)
        shown = list(source)
    assert [frame.duration for frame in shown] == [120, 80, 300]
    for frame, original in zip(shown, frames, strict=True):
        np.testing.assert_array_equal(frame.picture[:, :, ::-1], np.asarray(original))
    # As a source, too, it is the animation that the face is in.
    assert understudy.swap(path, astronaut_path, tmp_path / "out.png", consent="self").frames_swapped == 1


def test_an_animation_of_one_frame_behind_a_picture_is_a_still(face, tmp_path):
    path = tmp_path / "in.png"
    poster = Image.new("RGB", face.size, (200, 30, 30))
    poster.save(path, save_all=True, default_image=True, append_images=[face], duration=100)
    with open_source(path) as source:
        assert source.info.kind is MediaKind.IMAGE
        (frame,) = source
        assert not source.info.notes
    np.testing.assert_array_equal(frame.picture[:, :, ::-1], np.asarray(face))


def holes_of(path):
    with Image.open(path) as picture:
        return [np.asarray(frame.convert("RGBA"))[:, :, 3] < 128 for frame in ImageSequence.Iterator(picture)]


@pytest.mark.parametrize(
    ("disposal", "first", "suffix"),
    [
        (2, "opaque", "gif"),
        (2, "opaque", "webp"),
        (2, "holed", "gif"),
        (1, "holed", "gif"),
        (3, "opaque", "gif"),
        ([2, 1, 2, 0], "opaque", "gif"),
    ],
)
@pytest.mark.slow
def test_holes_in_an_animation_are_where_they_were(small_puppet, hopper_path, tmp_path, disposal, first, suffix):
    frames = []
    for number in range(4):
        frame = Image.fromarray(small_puppet.render(talking(number / 5)).picture[:, :, ::-1].copy()).convert("RGBA")
        opacity = np.full((240, 320), 255, np.uint8)
        if number in ((1, 2) if first == "opaque" else (0, 2)):
            opacity[:60], opacity[:, 250 + 10 * number :] = 0, 0
        frame.putalpha(Image.fromarray(opacity))
        frames.append(frame)
    target, output = tmp_path / "in.gif", tmp_path / f"out.{suffix}"
    frames[0].save(target, save_all=True, append_images=frames[1:], duration=100, loop=0, disposal=disposal)
    understudy.swap(hopper_path, target, output)
    before, after = holes_of(target), holes_of(output)
    assert len(after) == len(before)
    for was, now in zip(before, after, strict=True):
        assert not (now & ~was).any()
        assert (was & ~now)[:190].sum() == 0  # below lies the label, which is never transparent


@pytest.mark.slow
def test_holes_of_a_webp_are_holes_of_a_gif(face, hopper_path, tmp_path):
    holed = face.convert("RGBA")
    opacity = np.full((240, 320), 255, np.uint8)
    opacity[:60] = 0
    holed.putalpha(Image.fromarray(opacity))
    face.convert("RGBA").save(tmp_path / "in.webp", save_all=True, append_images=[holed], duration=100, lossless=True)
    understudy.swap(hopper_path, tmp_path / "in.webp", tmp_path / "out.gif")
    first, second = holes_of(tmp_path / "out.gif")
    assert not first.any()
    assert second[:55].all()


def test_a_file_that_goes_while_it_is_opened_is_called_so(tmp_path):
    with pytest.raises(InputGoneError):
        refuse_unread(tmp_path / "gone.mp4")
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(InputError):
        refuse_unread(tmp_path / "folder.mp4")
