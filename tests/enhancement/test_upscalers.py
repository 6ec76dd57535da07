"""Pictures become larger in tiles of which nothing is seen."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from understudy.canvas import Canvas
from understudy.enhancement import EnhanceOptions, Enhancer, Enhancers, SwappedFace
from understudy.enhancement.upscalers import TiledUpscaler
from understudy.errors import ModelError
from understudy.frames import Frame, PixelBox
from understudy.models.catalogue import Catalogue
from understudy.models.devices import RuntimeOptions
from understudy.models.opening import Runtime
from understudy.models.store import FOLDER, Store
from understudy.testing import twins


def opened(home, name):
    store = Store(home / FOLDER, Catalogue.load(home / "models.toml"))
    return Runtime(RuntimeOptions(device="cpu")).open(store, store.catalogue.entries[name])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The same twin, given a picture of any size in one piece."""
    import onnxruntime

    made = {scale: onnxruntime.InferenceSession(twins.upscaler_twin(scale)) for scale in (2, 4)}

    def run(picture, scale):
        # A tile's margin is the picture's mirror image, and so is what the twin sees beyond an edge.
        blob = np.ascontiguousarray(picture[:, :, ::-1].transpose(2, 0, 1)[None]).astype(np.float32) / 255
        given = made[scale].run(None, {"input": blob})[0][0].transpose(1, 2, 0)
        return np.rint(np.clip(given, 0, 1) * 255).astype(np.uint8)[:, :, ::-1]

    return run


def noise(width, height, seed=0):
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return cv2.GaussianBlur(picture, (0, 0), 0.8)


@pytest.mark.parametrize(
    ("name", "scale", "size"),
    [
        ("real_esrgan_x2", 2, (200, 150)),
        ("real_esrgan_x2", 2, (640, 360)),
        ("real_esrgan_x4", 4, (300, 225)),
        ("span_x4", 4, (500, 333)),
        ("span_x4", 4, (112, 112)),
        ("span_x4", 4, (113, 7)),
    ],
)
@pytest.mark.slow
def test_tiles_give_what_one_piece_gives(shelf, whole, name, scale, size):
    picture = noise(*size)
    found = TiledUpscaler(opened(shelf, name)).upscaled(picture)
    assert found.shape == (size[1] * scale, size[0] * scale, 3)
    assert np.abs(found.astype(int) - whole(picture, scale)).max() <= 1


def test_where_tiles_disagree_one_fades_into_the_other(shelf, monkeypatch):
    """A model that sees each tile a little brighter than the one before leaves no step."""
    upscaler = TiledUpscaler(opened(shelf, "span_x4"))
    tiles = []

    def run(self, values):
        tiles.append(None)
        return [np.full((1, 3, 512, 512), 0.3 + 0.05 * (len(tiles) % 2), np.float32)]

    monkeypatch.setattr("understudy.models.session.Session.run", run)
    found = upscaler.upscaled(noise(230, 230)).astype(int)
    assert len(tiles) == 9
    assert np.ptp(found) >= 12
    assert max(np.abs(np.diff(found, axis=0)).max(), np.abs(np.diff(found, axis=1)).max()) <= 2


def test_a_picture_of_another_size_is_no_answer(shelf, monkeypatch):
    upscaler = TiledUpscaler(opened(shelf, "span_x4"))
    monkeypatch.setattr("understudy.models.session.Session.run", lambda *_: [np.zeros((1, 3, 128, 128), np.float32)])
    with pytest.raises(ModelError, match="4 times as large"):
        upscaler.upscaled(noise(50, 50))


class Brighter:
    """Doubles a picture, and adds 40 grey levels."""

    scale = 2

    def upscaled(self, picture):
        large = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        return cv2.add(large, np.full_like(large, 40))


def face_at(box, track=1):
    return SwappedFace(box, np.full((box.y1 - box.y0, box.x1 - box.x0), 255, np.uint8), np.zeros((478, 3), "f4"), track)


def enhanced(picture, step, *faces, **more):
    frame = Frame(picture.copy(), **more)
    models = Enhancers(upscalers={"larger": Brighter()})
    scale = Enhancer(EnhanceOptions((step,)), models).enhance(Canvas(frame), faces, [None] * len(faces))
    return frame, scale


def test_the_frame_becomes_larger_with_its_opacity_and_nothing_is_passed_on_uncoded():
    picture = noise(80, 60) // 2
    alpha = np.full((60, 80), 200, np.uint8)
    frame, scale = enhanced(picture, "larger", alpha=alpha, origin=object())
    assert scale == 2
    assert frame.picture.shape == (120, 160, 3)
    assert frame.alpha.shape == (120, 160)
    assert (frame.alpha == 200).all()
    assert frame.origin is None
    assert frame.changes == []


def test_of_the_background_alone_the_faces_are_as_a_plain_filter_has_them():
    picture, box = noise(80, 60) // 2, PixelBox(20, 10, 50, 40)
    plain = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    frame, _ = enhanced(picture, "larger@background", face_at(box))
    added = frame.picture.astype(int) - plain
    assert not added[20:80, 40:100].any()
    added[20:80, 40:100] = 40
    assert np.abs(added - 40).max() <= 1


def test_half_the_strength_is_half_way_from_a_plain_filter():
    picture = noise(80, 60) // 2
    plain = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    frame, _ = enhanced(picture, "larger:0.5")
    assert np.abs(frame.picture.astype(int) - plain - 20).max() <= 1


def test_steps_after_it_work_on_the_large_picture():
    picture, box = noise(80, 60), PixelBox(20, 10, 50, 40)
    frame = Frame(picture.copy())
    models = Enhancers(upscalers={"larger": Brighter()})
    options = EnhanceOptions(("larger", "sharpen:1"))
    Enhancer(options, models).enhance(Canvas(frame), [face_at(box)], [None])
    plain, _ = enhanced(picture, "larger")
    changed = (frame.picture != plain.picture).any(axis=2)
    assert changed[20:80, 40:100].mean() > 0.5
    changed[18:82, 38:102] = False
    assert not changed.any()


def test_a_frame_becomes_no_other_picture():
    for wrong in (noise(81, 60), noise(40, 30)):
        with pytest.raises(ValueError, match="80x60"):
            Canvas(Frame(noise(80, 60))).enlarge(wrong)
