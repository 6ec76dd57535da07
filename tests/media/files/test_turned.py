"""Pictures that are stored turned or mirrored."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import understudy
from tests.media.files.boxes import with_matrix
from understudy.geometry.orientation import UPRIGHT, Orientation, off_by, orientation_of
from understudy.media.files import load_photo, open_source
from understudy.media.live.base import CaptureOptions, Picture
from understudy.media.live.playback import FileSource
from understudy.testing import ClipSpec, Puppet, talking, write_clip

#: a, b, c, d of the eight matrices, and how each is stored: what it undoes.
MATRICES = {
    (1, 0, 0, 1): lambda p: p,
    (-1, 0, 0, 1): lambda p: p[:, ::-1],
    (1, 0, 0, -1): lambda p: p[::-1],
    (-1, 0, 0, -1): lambda p: p[::-1, ::-1],
    (0, 1, 1, 0): lambda p: p.transpose(1, 0, 2),
    (0, 1, -1, 0): np.rot90,
    (0, -1, 1, 0): lambda p: np.rot90(p, -1),
    (0, -1, -1, 0): lambda p: p[::-1, ::-1].transpose(1, 0, 2),
}


@pytest.fixture(scope="module")
def upright(astronaut):
    return Puppet(astronaut, (160, 240), face_share=0.4).render(talking(0.2)).picture


def stored(path, upright, matrix, count=3):
    plain = path.with_name("plain.mp4")
    pictures = [np.ascontiguousarray(MATRICES[matrix](upright))] * count
    write_clip(plain, pictures, ClipSpec(rate=25, audio=(), options=(("crf", "10"), ("preset", "ultrafast"))))
    path.write_bytes(with_matrix(plain.read_bytes(), *matrix))
    return path


@pytest.mark.parametrize("matrix", MATRICES)
def test_every_display_matrix_is_undone(upright, tmp_path, matrix):
    clip = stored(tmp_path / "phone.mp4", upright, matrix)
    with open_source(clip) as source:
        frames = [frame.picture for frame in source]
        assert (source.info.width, source.info.height) == (160, 240)
    assert np.abs(frames[0].astype(int) - upright).mean() < 4


@pytest.mark.slow
@pytest.mark.parametrize("matrix", [(-1, 0, 0, 1)])
def test_a_mirrored_clip_is_swapped_upright(upright, hopper_path, tmp_path, matrix):
    clip = stored(tmp_path / "selfie.mp4", upright, matrix)
    report = understudy.swap(hopper_path, clip, tmp_path / "out.mp4")
    assert (report.width, report.height, report.frames_swapped) == (160, 240, 3)
    with open_source(tmp_path / "out.mp4") as source:
        after = next(iter(source)).picture.astype(int)
    assert np.abs(after - upright)[:40, 110:].mean() < 6


def test_a_mirrored_clip_is_played_upright(upright, tmp_path):
    clip = stored(tmp_path / "selfie.mp4", upright, (0, 1, 1, 0))
    source = FileSource(clip, CaptureOptions())
    info = source.open()
    try:
        picture = next(item for item in iter(source.read, 0) if isinstance(item, Picture)).picture
    finally:
        source.close()
    assert (info.width, info.height) == (160, 240)
    assert np.abs(picture.astype(int) - upright).mean() < 4


def test_a_matrix_with_a_scale_is_read_by_its_turn_and_one_that_makes_no_sense_not_at_all():
    def orientation(*abcd):
        a, b, c, d = abcd
        return orientation_of(np.array([a, b, 0, c, d, 0, 0, 0, 1]))

    assert orientation(0, 2, -1, 0) == Orientation(turns=3)
    assert orientation(-3, 0, 0, 1) == Orientation(mirrored=True)
    assert orientation(0, 0, 0, 0) == orientation(1, 1, 1, 1) == UPRIGHT
    tilted = np.array([0.8, 0.6, 0, -0.6, 0.8, 0, 0, 0, 1])
    assert orientation_of(tilted) == UPRIGHT
    assert off_by(tilted) == pytest.approx(36.87, abs=0.01)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp", "animated.png", "animated.webp"])
@pytest.mark.parametrize("number", range(1, 9))
def test_every_exif_orientation_is_undone(upright, tmp_path, suffix, number):
    undo = Image.Transpose
    back = [None, undo.FLIP_LEFT_RIGHT, undo.ROTATE_180, undo.FLIP_TOP_BOTTOM, undo.TRANSPOSE, undo.ROTATE_90]
    back += [undo.TRANSVERSE, undo.ROTATE_270]
    picture = Image.fromarray(upright[:, :, ::-1].copy())
    turned = picture if number == 1 else picture.transpose(back[number - 1])
    exif = Image.Exif()
    exif[0x0112] = number
    path = tmp_path / f"photo.{suffix}"
    more = {"save_all": True, "append_images": [turned.point(lambda v: 255 - v)]} if "animated" in suffix else {}
    turned.save(path, exif=exif, **more)
    with open_source(path) as source:
        frames = [frame.picture for frame in source]
        assert (source.info.width, source.info.height) == (160, 240)
    for shown in (frames[0], load_photo(path, 10**6)):
        assert np.abs(shown.astype(int) - upright).mean() < 8
    for other in frames[1:]:
        assert np.abs(255 - other.astype(int) - upright).mean() < 8
