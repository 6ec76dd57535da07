"""A damaged picture is an input that can't be used, or one with damage: whatever its decoder fails with."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from understudy.errors import InputError, InputNotFoundError, InputUnreadableError, NoMemoryError, NotMediaError
from understudy.media.base import MAX_PIXELS
from understudy.media.files import load_photo, open_source, still_pixels

FILES = ("a.png", "moving.png", "pages.tif", "packed.tif", "a.jpg", "a.webp", "moving.webp", "moving.gif", "a.avif")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Small pictures of the formats, some with several frames, all with EXIF data where the format has it."""
    folder = tmp_path_factory.mktemp("files")
    frames = [Image.fromarray(np.random.default_rng(n).integers(0, 255, (24, 20, 3), np.uint8)) for n in range(3)]
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    for name in FILES:
        more = {"save_all": True, "append_images": frames[1:]} if name[0] in "mp" and name != "packed.tif" else {}
        if name == "packed.tif":
            more = {"compression": "tiff_lzw"}
        if name[-3:] not in ("gif", "tif"):
            more["exif"] = exif.tobytes()
        frames[0].save(folder / name, **more)
    return folder


def look_at(path):
    """Every frame; how many there were."""
    with open_source(path) as source:
        frames = [frame.picture.shape for frame in source]
    assert all(len(shape) == 3 for shape in frames)
    return len(frames)


@pytest.mark.parametrize("name", FILES)
def test_damage_anywhere_is_an_input_error(files, tmp_path, name):
    data, path, ends = (files / name).read_bytes(), tmp_path / name, set()
    for place in np.unique(np.linspace(0, len(data) - 1, 60).astype(int)):
        for part in (b"\xff\xff\xff\xff", b"\0\0\0\0\0\0\0\0", b""):
            path.write_bytes(data[:place] + part + data[place + len(part) :] if part else data[:place])
            try:
                ends.add(look_at(path) > 0)
            except InputError as fault:
                assert "\n" not in fault.message
                ends.add("error")
    assert "error" in ends


def test_exif_data_that_can_not_be_written_again_is_left_out_with_a_note(tmp_path, monkeypatch):
    def fail(*_):
        raise ValueError("wrong number of values")

    exif = Image.Exif()
    exif[0x010F] = "maker"
    Image.new("RGB", (20, 20)).save(tmp_path / "a.jpg", exif=exif.tobytes())
    monkeypatch.setattr(Image.Exif, "tobytes", fail)
    with open_source(tmp_path / "a.jpg") as source:
        assert source.info.exif is None
        assert "the EXIF data is damaged: left out" in source.info.notes
        assert len(list(source)) == 1


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (SyntaxError("broken PNG file"), NotMediaError, "broken PNG"),
        (TypeError("Missing dimensions"), NotMediaError, "Missing dimensions"),
        (OSError("image file is truncated"), NotMediaError, "truncated"),
        (OSError(22, "Invalid argument"), NotMediaError, "Invalid argument"),
        (ZeroDivisionError(), NotMediaError, "ZeroDivisionError"),
        (ValueError("two\nlines \x1b[2J"), NotMediaError, "two lines"),
        (MemoryError(), NoMemoryError, "not enough memory"),
        (FileNotFoundError(2, "No such file"), InputNotFoundError, "does not exist"),
        (OSError(5, "Input/output error"), InputUnreadableError, "Input/output error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_decoders_fail_with_is_told_for_what_it_is(files, monkeypatch, fault, error, words):
    def fail(_):
        raise fault

    monkeypatch.setattr(still_pixels.ImageOps, "exif_transpose", fail)
    with pytest.raises(error, match=words) as caught:
        load_photo(files / "a.png", MAX_PIXELS)
    assert "\n" not in caught.value.message
    assert "\x1b" not in caught.value.message


def test_a_file_that_goes_while_it_is_opened_does_not_exist(files, monkeypatch):
    def gone(*_, **__):
        raise FileNotFoundError(2, "No such file or directory", "a.png")

    monkeypatch.setattr(still_pixels.Image, "open", gone)
    with pytest.raises(InputNotFoundError, match=r"a\.png"):
        open_source(files / "a.png")
