"""Makes the pictures of the documentation with the program itself: ``python tools/pictures.py``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import understudy
from understudy.arrays import UInt8Array
from understudy.faces import Faces
from understudy.frames import Frame
from understudy.pipeline import Settings
from understudy.provenance import Labeller, LabelOptions
from understudy.provenance.lettering import font_for, letters
from understudy.provenance.watermark import Watermarker
from understudy.testing import portrait, portrait_path

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"


def swapped(folder: Path, name: str, **label: object) -> Path:
    """A labelled swap of the two portraits."""
    settings = Settings(home=folder / "home", label=LabelOptions(**label))  # type: ignore[arg-type]
    output = folder / name
    understudy.swap(portrait_path("hopper"), portrait_path("astronaut"), output, consent="sample", settings=settings)
    return output


def read(path: Path) -> UInt8Array:
    """A picture file, BGR."""
    return np.asarray(cv2.imread(str(path)), np.uint8)


def captioned(picture: UInt8Array, lines: list[str], height: int = 15) -> UInt8Array:
    """The picture with lines of text under it."""
    strip = np.full(((height + 10) * len(lines) + 10, picture.shape[1], 3), 255, np.uint8)
    for number, line in enumerate(lines):
        ink = letters(line, font_for(line), height if number == 0 else height - 2)
        top = 8 + number * (height + 10)
        part = strip[top : top + ink.shape[0], 8 : 8 + ink.shape[1]]
        part[:] = 255 - ink[: part.shape[0], : part.shape[1], None]
    return np.vstack([picture, strip])


def labels(folder: Path) -> UInt8Array:
    """The label in corners and scripts, and the mark made visible."""
    plain = read(swapped(folder, "label.png"))
    chinese = read(swapped(folder, "chinese.png", text="人工智能换脸", corner="bottom-right", size=0.08))
    target = portrait("astronaut")
    frame = Frame(target.copy())
    Watermarker(0x5EED5EED5EED).mark(frame)
    mark = np.clip(128 + (frame.picture.astype(int) - target) * 20, 0, 255).astype(np.uint8)
    return np.hstack(
        [
            captioned(plain, ["the label"]),
            captioned(chinese, ["--label-text 人工智能换脸"]),
            captioned(mark, ["the mark alone, 20 times as strong"]),
        ]
    )


def verdicts(folder: Path) -> UInt8Array:
    """One output, the same after a re-encode, and its label pasted onto another picture - and what is said of each."""
    output = swapped(folder, "output.png")
    picture = read(output)
    sent = folder / "sent.jpg"
    cv2.imwrite(
        str(sent), cv2.resize(picture, (384, 384), interpolation=cv2.INTER_AREA), [cv2.IMWRITE_JPEG_QUALITY, 80]
    )
    other = folder / "other.png"
    frame = Frame(cv2.resize(portrait("hopper"), (512, 512)))
    found = understudy.inspect(output, home=folder / "home")
    assert found.mark is not None
    Watermarker(found.mark.identifier).mark(frame)
    Labeller().draw(frame, Faces.empty())
    cv2.imwrite(str(other), frame.picture)
    shown = []
    for path, what in (
        (output, "as it was made"),
        (sent, "sent on: smaller, JPEG"),
        (other, "the mark on another picture"),
    ):
        said = understudy.inspect(path, home=folder / "home")
        square = cv2.resize(read(path), (512, 512), interpolation=cv2.INTER_AREA)
        shown.append(captioned(np.asarray(square, np.uint8), [what, f"{said.verdict}"]))
    return np.hstack(shown)


def save(picture: UInt8Array, name: str) -> None:
    """As a JPEG in the documentation."""
    Image.fromarray(picture[:, :, ::-1]).save(PICTURES / name, quality=85, optimize=True)
    print(f"wrote {PICTURES / name}")


def main() -> None:
    """Make them all."""
    with tempfile.TemporaryDirectory() as folder:
        save(labels(Path(folder)), "labels.jpg")
        save(verdicts(Path(folder)), "verdicts.jpg")


if __name__ == "__main__":
    main()
