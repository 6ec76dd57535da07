"""Makes the pictures of the documentation with the program itself: ``python tools/pictures.py``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import escape

import av
import cv2
import numpy as np
from PIL import Image

import understudy
from understudy import BlendOptions, EnhanceOptions, MaskOptions, Perception, Settings
from understudy.arrays import UInt8Array
from understudy.casting.portraits import portrait_in
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.topology import topology
from understudy.glasses import filled
from understudy.guard import unguarded
from understudy.pipeline.compositing import Compositing
from understudy.provenance import FrameSealer, Labeller, LabelOptions
from understudy.provenance.lettering import drawn, font_for, size_for
from understudy.provenance.watermark import Watermarker
from understudy.swapping import MeshEngine
from understudy.testing import ClipSpec, Motion, Puppet, portrait, portrait_path, twins, with_hand, write_clip
from understudy.testing.demo import make_demo
from understudy.testing.shelf import stock
from understudy.testing.situations import PEOPLE

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
        font = font_for(line)
        # As large as a line with the longest letters: all captions are of one size.
        ink = drawn([line], font.at(size_for("Hg", font, height if number == 0 else height - 2)))
        top = 8 + number * (height + 10)
        part = strip[top : top + ink.shape[0], 8 : 8 + ink.shape[1]]
        part[:] = 255 - ink[: part.shape[0], : part.shape[1], None]
    return np.vstack([picture, strip])


def demo(folder: Path) -> UInt8Array:
    """Two frames of what `understudy demo` makes: the sample with the photo in its corner, and the swap."""
    report = make_demo(folder, seconds=2, home=folder / "home")
    with av.open(str(report.video)) as clip:
        frames = [frame.to_ndarray(format="bgr24") for frame in clip.decode(video=0)]
    rows = [cv2.resize(frames[number], None, fx=0.62, fy=0.62, interpolation=cv2.INTER_AREA) for number in (20, 52)]
    return np.asarray(np.vstack(rows), np.uint8)


def in_a_terminal(folder: Path, *words: str) -> str:
    """A command and what it says, as an SVG that needs nothing from elsewhere."""
    command = [sys.executable, "-m", "understudy", *words]
    done = subprocess.run([*command, "--home", str(folder / "home")], capture_output=True, text=True, check=True)
    lines = [f"$ understudy {' '.join(words)}", *done.stdout.rstrip().splitlines()]
    width, height = round(7.23 * max(map(len, lines)) + 32), 17 * len(lines) + 30
    colors = ["#8fd18f", *["#d8d8d8"] * len(lines)]
    # Spaces that do not break are the only ones that SVG does not run together.
    rows = "".join(
        f'<text x="16" y="{27 + 17 * number}" fill="{color}">{escape(line).replace(" ", chr(160))}</text>\n'
        for number, (line, color) in enumerate(zip(lines, colors, strict=False))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" font-size="12" '
        "font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\">\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="#1d2126"/>\n{rows}</svg>\n'
    )


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


def hard_frames(folder: Path) -> UInt8Array:
    """The kinds of frames that face swaps break on: the target above, the swap of it below."""
    puppet = Puppet(portrait("astronaut"), (480, 480), face_share=0.6)
    distant = Puppet(portrait("astronaut"), (480, 480), face_share=0.09)
    mesh = puppet.rest
    face, skin = float(np.ptp(mesh[:, 1])), tuple(portrait("astronaut")[115, 225].tolist())
    wrist = (float(mesh[:, 0].mean() - 0.25 * face), float(mesh[:, 1].mean() + 0.8 * face))
    light = np.linspace(0.12, 0.6, 480, dtype=np.float32)[None, :, None]

    def with_microphone(picture: UInt8Array) -> UInt8Array:
        head = tuple(np.rint(mesh[17, :2] + [0.02 * face, 0.1 * face]).astype(int).tolist())
        foot = (head[0] + round(0.2 * face), 480)
        cv2.line(picture, head, foot, (40, 40, 40), round(0.09 * face), cv2.LINE_AA)
        cv2.circle(picture, head, round(0.11 * face), (55, 52, 50), -1, cv2.LINE_AA)
        return picture

    scenes: dict[str, tuple[Puppet, Motion, Callable[[UInt8Array], UInt8Array]]] = {
        "turned by 48 degrees": (puppet, Motion(yaw=-40), np.copy),
        "looking down, blinking": (puppet, Motion(pitch=18, blink=1), np.copy),
        "shouting": (puppet, Motion(mouth=1.0), np.copy),
        "a hand": (puppet, Motion(), lambda p: with_hand(p, wrist, 0.45 * face, color=skin, lean=0.25).picture),
        "a microphone": (puppet, Motion(mouth=0.3), with_microphone),
        "dark, from one side": (puppet, Motion(yaw=10), lambda p: (p * light).astype(np.uint8)),
        "43 pixels": (distant, Motion(), np.copy),
    }
    columns = []
    for name, (who, motion, altered) in scenes.items():
        before = altered(who.render(motion).picture)
        after = last_of(folder, before)
        middle, half = who.render(motion).mesh[:, :2].mean(0), 0.75 * float(np.ptp(who.rest[:, 1]))
        x, y = np.clip(np.rint(middle - half), 0, None).astype(int)
        parts = [part[y : y + round(2 * half), x : x + round(2 * half)] for part in (before, after)]
        both = np.vstack([cv2.resize(part, (260, 260), interpolation=cv2.INTER_AREA) for part in parts])
        columns.append(captioned(both, [name]))
    # Room for the sheet's own label: those of the swaps are cut off in places.
    sheet = Frame(cv2.copyMakeBorder(np.hstack(columns), 0, 75, 0, 0, cv2.BORDER_CONSTANT, value=(255, 255, 255)))
    Watermarker(0x5EED5EED5EED).mark(sheet)
    Labeller().draw(sheet, Faces.empty())
    return sheet.picture


def people(folder: Path) -> UInt8Array:
    """The sheet of a scene's people, and a frame of it before and after both got another face."""
    situation = next(one for one in PEOPLE if one.name == "two who change sides with each cut")
    clip, sheet, output = folder / "scene.mp4", folder / "people.png", folder / "two.mp4"
    write_clip(clip, [situation.scene(number).draw().picture for number in range(12)], ClipSpec(rate=25, audio=()))
    with understudy.Understudy(Settings(home=folder / "home")) as app:
        found = app.people(clip)
        understudy.write_sheet(sheet, found.people)
        sailor, astronaut = (app.person(portrait_path(name), consent="sample") for name in ("hopper", "astronaut"))
        app.swap(clip, output, {found.people[0]: astronaut, found.people[1]: sailor})
    frames = []
    for path in (clip, output):
        with av.open(str(path)) as video:
            *_, last = video.decode(video=0)
            frames.append(last.to_ndarray(format="bgr24"))
    listed = read(sheet)
    height = 300
    parts = [cv2.resize(one, (round(one.shape[1] * height / one.shape[0]), height)) for one in (listed, *frames)]
    return np.hstack(parts)


def bounds() -> UInt8Array:
    """What eyes and mouth have to do with likeness: the target, the swap, and a swap without them."""
    perception, shape = Perception.embedded(), topology()
    engine = MeshEngine()
    identity = engine.identity([portrait_in(portrait("hopper"), "a photo", perception, None)[0]])
    levels = []
    for level in identity.levels:
        painted, side = level.copy(), level.shape[0]
        for ring in (shape.eye_left, shape.eye_right, shape.lips_inner):
            painted[..., 3] |= filled(shape.uv[ring] * side, side)
        levels.append(painted)
    covered = replace(identity, levels=tuple(levels))
    shot = Puppet(portrait("astronaut"), (420, 420), face_share=0.6).render(Motion(yaw=6, mouth=0.3))
    faces = Faces(boxes_xyxy=np.zeros((1, 4)), mesh=shot.mesh[None], track_ids=np.array([1]))
    shown = [captioned(shot.picture, ["the target"])]
    for who, name in ((identity, "the swap"), (covered, "eyes and mouth covered")):
        frame = Frame(shot.picture.copy())
        Compositing().compose(unguarded(frame), engine.renderer().render(frame, faces, {1: who}))
        shown.append(captioned(FrameSealer(0x5EED5EED5EED).seal(frame, faces).frame.picture, [name]))
    return np.hstack(shown)


def masks(folder: Path) -> UInt8Array:
    """Which parts of a face are swapped: the result above, the mask view of the same below."""
    target = folder / "target.png"
    picture = Puppet(portrait("astronaut"), (420, 420), face_share=0.72).render(Motion(yaw=8, roll=-6)).picture
    cv2.imwrite(str(target), picture)

    def column(pictures: list[UInt8Array], words: str) -> UInt8Array:
        small = cv2.resize(np.vstack(pictures), None, fx=0.55, fy=0.55, interpolation=cv2.INTER_AREA)
        return captioned(np.asarray(small, np.uint8), [words], height=12)

    columns = [column([picture, np.full_like(picture, 255)], "the target")]
    for words, mask in {
        "no mask": MaskOptions(),
        "--mask-region eyes,brows": MaskOptions(regions=("eyes", "brows")),
        "--mask-region mouth": MaskOptions(regions=("mouth",)),
        "--mask-region skin": MaskOptions(regions=("skin",)),
        "--keep mouth": MaskOptions(keep=("mouth",)),
        "--feather 0.25": MaskOptions(feather=0.25),
    }.items():
        both = []
        for show in ("swap", "mask"):
            settings = Settings(home=folder / "home", blend=BlendOptions(mask=mask, show=show))  # type: ignore[arg-type]
            output = folder / f"{len(columns)}-{show}.png"
            understudy.swap(portrait_path("hopper"), target, output, consent="sample", settings=settings)
            both.append(read(output))
        columns.append(column(both, words))
    return np.hstack(columns)


def enhancement(folder: Path) -> UInt8Array:
    """One swap, and what each step makes of it; last a stand-in for a restorer, so that one sees where they work."""
    stock(folder / "enhanced", {"gfpgan_1.4": twins.restorer_twin(512)})
    target = folder / "soft.png"
    cv2.imwrite(str(target), Puppet(portrait("astronaut"), (400, 400), face_share=0.72).render(Motion(yaw=6)).picture)
    shown = []
    for step in (None, "sharpen:1", "denoise:1", "clahe:1", "gfpgan_1.4:1"):
        output = folder / "step.png"
        options = EnhanceOptions(() if step is None else (step,))
        settings = Settings(home=folder / "enhanced", enhance=options)
        understudy.swap(portrait_path("hopper"), target, output, consent="sample", settings=settings, overwrite=True)
        name = {None: "the swap", "gfpgan_1.4:1": "where restorers work"}.get(step, step)
        shown.append(captioned(read(output), [name or ""]))
    return np.hstack(shown)


def last_of(folder: Path, picture: UInt8Array) -> UInt8Array:
    """The swap of a picture that has been there for half a second."""
    clip = folder / "still.mp4"
    write_clip(clip, [picture] * 15, ClipSpec(rate=30))
    output = folder / "swapped.mp4"
    settings = Settings(home=folder / "home")
    understudy.swap(portrait_path("hopper"), clip, output, consent="sample", settings=settings, overwrite=True)
    capture = cv2.VideoCapture(str(output))
    shown = [found for _ in range(15) for read_one, found in [capture.read()] if read_one]
    return np.asarray(shown[-1], np.uint8)


def save(picture: UInt8Array, name: str) -> None:
    """As a JPEG in the documentation."""
    Image.fromarray(picture[:, :, ::-1]).save(PICTURES / name, quality=85, optimize=True)
    print(f"wrote {PICTURES / name}")


def main() -> None:
    """Make them all."""
    with tempfile.TemporaryDirectory() as folder:
        save(demo(Path(folder)), "demo.jpg")
        stock(Path(folder) / "home", {"2d106det": twins.landmark_106_twin()})
        (PICTURES / "models-list.svg").write_text(in_a_terminal(Path(folder), "models", "list"), encoding="utf-8")
        save(labels(Path(folder)), "labels.jpg")
        save(verdicts(Path(folder)), "verdicts.jpg")
        save(hard_frames(Path(folder)), "hard-frames.jpg")
        save(people(Path(folder)), "people.jpg")
        save(bounds(), "bounds.jpg")
        save(masks(Path(folder)), "masks.jpg")
        save(enhancement(Path(folder)), "enhancement.jpg")


if __name__ == "__main__":
    main()
