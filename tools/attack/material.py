"""What is damaged: small sound files of every kind that the program reads. Made once, in a process of its own."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from understudy import Settings, Understudy, as_toml
from understudy.cli.main import main
from understudy.provenance.lettering import FONTS
from understudy.settings import as_json
from understudy.testing import ClipSpec, Puppet, portrait, portrait_path, write_puppet_clip
from understudy.testing.shelf import stock
from understudy.testing.twins import arcface_twin, classifier_twin, points_twin, swapper_twin

#: Models of the store, under the names that the catalogue has for them.
SWAPPER, LANDMARKS = "inswapper_128", "2d106det"
_SIZE = (160, 120)
#: Videos by name: encoder, pixel format, sound.
_CLIPS = {
    "a.mp4": ("libx264", "yuv420p", "aac"),
    "b.mov": ("libx264", "yuv420p", None),
    "c.mkv": ("libx264", "yuv420p", "libopus"),
    "d.webm": ("libvpx-vp9", "yuv420p", "libopus"),
    "e.avi": ("mpeg4", "yuv420p", "mp3"),
    "f.ts": ("libx264", "yuv420p", "aac"),
    "g.flv": ("libx264", "yuv420p", "aac"),
    "h.mp4": ("libx265", "yuv420p", None),
    "i.mkv": ("ffv1", "bgr0", None),
}
#: Settings as people write them, in all the ways of TOML and JSON.
_BY_HAND = {
    "hand.toml": """# of a friend
faces = 'all'
label.text = "KI \\u00fcber"
keep_days = 1_000
mesh = { shape = 0.9, fade_facing = [0.05, 0.3] }
[blend]
strength = 0.8
light.max_gain = 2.0
[blend.occlusion]
things = false
[runtime.placed]
detector = "cpu"
[tracker.smoothing]
beta = 2e1
""",
    "hand.json": """{"faces": "left", "label": {"text": "KI", "size": 0.06, "later_size": null}, "blend.strength": 0.8,
 "blend": {"light": {"max_gain": 2.0}}, "guard": {"on_lost": "blur"}, "encode": {"quality": 70}}""",
}


def make(folder: Path) -> None:
    """Write all of it into ``folder``, which is empty."""
    for name in ("pictures", "videos", "signed", "beside", "fonts", "keys", "models", "settings"):
        (folder / name).mkdir()
    portrait_file = folder / "photo.jpg"
    picture = Image.open(portrait_path("hopper")).convert("RGB")
    picture.thumbnail((220, 220))
    picture.save(portrait_file, quality=92)
    _pictures(folder / "pictures", picture)
    _videos(folder / "videos")
    home = folder / "home"
    with Understudy(Settings(home=home)) as app:
        person = app.person(portrait_file, consent="fictional")
        for target in ("picture.png", "picture.jpg", "still.webp", "moving.gif", "moving.webp"):
            app.swap(folder / "pictures" / target, folder / "signed" / target, person)
        for target in ("a.mp4", "b.mov"):
            app.swap(folder / "videos" / target, folder / "signed" / target, person)
        app.swap(folder / "videos" / "c.mkv", folder / "beside" / "c.mkv", person)
    for font in FONTS:
        shutil.copy(font, folder / "fonts" / font.name)
    for name in ("signing.key", "signing.pem"):
        shutil.copy(home / "keys" / name, folder / "keys" / name)
    _settings(folder / "settings")
    _models(folder)
    if main(["ledger", "list", "--home", str(home)]) != 0:
        sys.exit("the material can't be made")


def _pictures(folder: Path, picture: Image.Image) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    turned[0x010F] = "maker"
    picture.save(folder / "picture.jpg", quality=90, exif=turned.tobytes(), dpi=(72, 72))
    picture.save(folder / "progressive.jpg", quality=80, progressive=True)
    picture.convert("CMYK").save(folder / "inks.jpg")
    picture.save(folder / "picture.png", exif=turned.tobytes())
    clear = picture.convert("RGBA")
    clear.putalpha(200)
    clear.save(folder / "clear.png")
    picture.quantize(64).save(folder / "palette.png")
    Image.fromarray(np.asarray(picture.convert("L"), np.uint16) * 257).save(folder / "deep.png")
    picture.save(folder / "still.webp")
    picture.save(folder / "lossless.webp", lossless=True, exif=turned.tobytes())
    picture.save(folder / "plain.tif")
    picture.save(folder / "packed.tif", compression="tiff_lzw")
    picture.save(folder / "deflated.tif", compression="tiff_adobe_deflate")
    picture.save(folder / "jpeg.tif", compression="jpeg")
    picture.save(folder / "picture.bmp")
    picture.save(folder / "picture.ppm")
    picture.save(folder / "picture.avif")
    picture.save(folder / "picture.jp2")
    frames = [picture.rotate(angle) for angle in (0, 2, 4)]
    more: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "duration": 80, "loop": 0}
    for name in ("moving.gif", "moving.webp", "moving.png", "moving.avif"):
        frames[0].save(folder / name, **more)
    frames[0].save(folder / "pages.tif", save_all=True, append_images=frames[1:])


def _videos(folder: Path) -> None:
    puppet = Puppet(portrait("astronaut"), _SIZE, face_share=0.6)
    for name, (encoder, pixels, sound) in _CLIPS.items():
        audio = () if sound is None else ((sound, 440.0),)
        spec = ClipSpec(
            rate=25, encoder=encoder, pixel_format=pixels, options=(("g", "4"),), audio=audio, chapters=("one",)
        )
        write_puppet_clip(folder / name, puppet, 0.28, spec)


def _settings(folder: Path) -> None:
    for name, text in (("all.toml", as_toml(Settings())), ("all.json", as_json(Settings())), *_BY_HAND.items()):
        (folder / name).write_text(text, encoding="utf-8")


def _models(folder: Path) -> None:
    """A store with small graphs under the names of the field's, an archive of them, and their catalogue."""
    home = folder / "stocked"
    shutil.copytree(folder / "home", home)
    graphs = {
        "arcface_w600k_r50": arcface_twin(),
        "nsfw_384": classifier_twin(),
        SWAPPER: swapper_twin(128, (1, 512), emap=True),
        LANDMARKS: points_twin(212),
    }
    stock(home, graphs)
    for name, data in graphs.items():
        (folder / "models" / f"{name}.onnx").write_bytes(data)
    with zipfile.ZipFile(folder / "models.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in graphs.items():
            archive.writestr(f"pack/{name}.onnx", data)
        archive.writestr("models.json", json.dumps({"models": []}))
