"""How live output keeps up: a clip at its own pace as the camera, x264 over UDP as the sink.

``python -m benchmarks.live [--seconds N] [--clip FILE] [--cuts FILE …] [--faces largest|all] [--enhance STEP …]
[--beside SHARE]``. Without a clip: one face, then two, 720p at 30 fps. ``--cuts``: a second of each of those clips in
turn, as in a trailer. A restorer, ``gfpgan_1.4``, is a stand-in as heavy as a real one.
``--beside 0.5``: another process takes half a core meanwhile. Prints frames a second, latency from capture to
hand-over, drops, milliseconds a stage, and the memory that the process holds at the first minute and at the end. Of a
session's first five seconds nothing is counted. On a virtual machine it says, too, how much of the processors' time its
host gave to others: beyond a few percent the figures are the host's.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from understudy import EnhanceOptions, Settings, Understudy
from understudy.arrays import UInt8Array
from understudy.media.files import open_source
from understudy.media.live.base import CaptureOptions
from understudy.media.live.broadcast import PushSink
from understudy.media.live.playback import FileSource
from understudy.testing import ClipSpec, Puppet, portrait, portrait_path, talking, twins, write_clip
from understudy.testing.shelf import stock

#: What another process does beside it.
BESIDE = """
import sys, time
share = float(sys.argv[1])
while True:
    begun = time.process_time()
    while time.process_time() - begun < 0.02 * share:
        pass
    time.sleep(0.02 * (1 - share))
"""
#: Pixels of the made clips, across and down.
SIZE = (1280, 720)
#: Seconds before anything is counted, and of the made clips.
WARM, LENGTH = 5.0, 10.0


def resident() -> float:
    """Megabytes that the process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def ticks() -> tuple[int, int]:
    """Time of all processors so far: in all, and what the host of a virtual machine took (proc(5))."""
    counts = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(counts), counts[7]


@contextmanager
def busy(share: float) -> Iterator[None]:
    """Another process that takes ``share`` of a core, in turns of 20 ms."""
    process = subprocess.Popen([sys.executable, "-c", BESIDE, str(share)]) if share else None
    try:
        yield
    finally:
        if process is not None:
            process.kill()
            process.wait()


def made(path: Path, faces: int) -> Path:
    """A 720p clip of one talking face, or of two beside each other."""
    width = 1280 // faces
    puppets = [Puppet(portrait("astronaut"), (width, 720), face_share=0.45) for _ in range(faces)]

    def pictures() -> Iterator[UInt8Array]:
        for number in range(round(LENGTH * 30)):
            yield np.hstack([p.render(talking(number / 30 + side)).picture for side, p in enumerate(puppets)])

    write_clip(path, pictures(), ClipSpec(rate=30))
    return path


def cut(path: Path, clips: Sequence[Path], rounds: int = 4) -> Path:
    """A 720p clip with a cut each second: a second of each clip in turn; the last time round, close-ups."""
    scenes = [_scene(clip, rounds * 30) for clip in clips]

    def pictures() -> Iterator[UInt8Array]:
        for number in range(rounds):
            for scene in scenes:
                for place in range(number * 30, number * 30 + 30):
                    yield _shown(scene[place % len(scene)], close=number == rounds - 1)

    write_clip(path, pictures(), ClipSpec(rate=30))
    return path


def _scene(clip: Path, frames: int) -> list[UInt8Array]:
    """The first frames of a clip."""
    with open_source(clip) as source:
        return [frame.picture for _, frame in zip(range(frames), source, strict=False)]


def _shown(picture: UInt8Array, *, close: bool) -> UInt8Array:
    """A picture in the middle of 1280x720: all of it, or so large that nothing is left free."""
    height, width = picture.shape[:2]
    scale = (max if close else min)(SIZE[0] / width, SIZE[1] / height)
    placed = np.array([[scale, 0, (SIZE[0] - scale * width) / 2], [0, scale, (SIZE[1] - scale * height) / 2]])
    return np.asarray(cv2.warpAffine(picture, placed, SIZE, flags=cv2.INTER_LINEAR), np.uint8)


def run(clip: Path, home: Path, faces: str, seconds: float, steps: Sequence[str]) -> None:
    """Run one session and print what it did."""
    if steps:
        stock(home, {"gfpgan_1.4": twins.restorer_twin(512, layers=20)})
    app = Understudy(Settings(home=home, faces=faces, enhance=EnhanceOptions(tuple(steps))))
    session = app.live(
        app.person(portrait_path("hopper"), consent="sample"),
        FileSource(clip, CaptureOptions(loop=True)),
        [lambda _: PushSink("udp://127.0.0.1:9")],
    )
    session.start()
    session.wait(WARM)
    before, begun = session.statistics(), ticks()
    session.wait(min(seconds, 60))
    minute = resident()
    session.wait(max(seconds - 60, 0))
    after, end, ended = session.statistics(), resident(), ticks()
    session.stop()
    took = after.seconds - before.seconds
    written = [sum(int(str(sink["written"])) for sink in found.sinks.values()) for found in (before, after)]
    print(f"{clip.name} {session.info.width}x{session.info.height} at {float(session.info.fps):g} fps, {took:.0f} s")
    print(f"  in {(after.frames_in - before.frames_in) / took:.2f} fps, out {(written[1] - written[0]) / took:.2f} fps")
    print(f"  latency before the encoder, last minute, ms: {after.latency_ms}")
    drops = {cause: count - before.drops.get(cause, 0) for cause, count in after.drops.items()}
    said = ", ".join(f"{count} {cause}" for cause, count in drops.items() if count)
    print(f"  dropped: {said or 'none'}")
    print(f"  swapped {after.frames_swapped}, lost faces covered in {after.frames_covered} frames")
    for stage, times in after.stages_ms.items():
        print(f"    {stage:9s} p50 {times['p50']:6.2f} ms   p95 {times['p95']:6.2f} ms")
    if after.enhanced_every is not None:
        print(f"  what the restorer made was shown in {after.enhanced_every} frames each")
    print(f"  taken by the host: {(ended[1] - begun[1]) / (ended[0] - begun[0]):.0%} of the processors' time")
    print(f"  memory: {minute:.0f} MB after {min(seconds, 60):.0f} s, {end:.0f} MB after {seconds:.0f} s")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, default=None)
    parser.add_argument("--cuts", type=Path, nargs="+", default=[], help="clips, a second of each in turn")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--faces", choices=("largest", "all"), default=None)
    parser.add_argument("--enhance", action="append", default=[], help="a step, as of understudy live")
    parser.add_argument("--beside", type=float, default=0.0, help="share of a core that another process takes, 0-1")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = cut(folder / "cuts.mp4", asked.cuts) if asked.cuts else asked.clip
        if given is not None:
            with busy(asked.beside):
                run(given, folder / "home", asked.faces or "largest", asked.seconds, asked.enhance)
            return
        for faces, choice in ((1, "largest"), (2, "all")):
            if asked.faces in (None, choice):
                clip = made(folder / f"faces-{faces}.mp4", faces)
                with busy(asked.beside):
                    run(clip, folder / "home", choice, asked.seconds, asked.enhance)


if __name__ == "__main__":
    main()
