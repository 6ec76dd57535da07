"""How live output keeps up: a clip at its own pace as the camera, x264 over UDP as the sink.

``python -m benchmarks.live [--clip FILE] [--seconds N]``. Prints frames a second, latency from capture to hand-over,
drops, milliseconds a stage, and the process's memory at the beginning and at the end.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from understudy.live import LiveSession
from understudy.media.broadcast import PushSink
from understudy.media.live import CaptureOptions
from understudy.media.playback import FileSource
from understudy.pipeline import Settings
from understudy.provenance import ConsentClaim
from understudy.testing import ClipSpec, Puppet, portrait, portrait_path, write_puppet_clip


def resident() -> float:
    """Megabytes that the process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, default=None)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--faces", default="largest")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clip = asked.clip
        if clip is None:
            clip = Path(folder) / "clip.mp4"
            write_puppet_clip(clip, Puppet(portrait("astronaut"), (1280, 720), face_share=0.45), 5.0, ClipSpec(rate=30))
        session = LiveSession(
            [[portrait_path("hopper")]],
            FileSource(clip, CaptureOptions(loop=True)),
            [lambda _: PushSink("udp://127.0.0.1:9")],
            Settings(home=Path(folder) / "home", faces=asked.faces),
            consent=ConsentClaim("sample"),
        )
        session.start()
        session.wait(5)  # models are warm, caches filled
        begin, before = resident(), session.statistics()
        started = time.monotonic()
        session.wait(asked.seconds)
        took, after, end = time.monotonic() - started, session.statistics(), resident()
        session.stop()
    written = [sum(int(str(sink["written"])) for sink in found.sinks.values()) for found in (before, after)]
    print(f"  {clip.name} {session.info.width}x{session.info.height} at {float(session.info.fps):g} fps, {took:.0f} s")
    print(f"  in {(after.frames_in - before.frames_in) / took:.2f} fps, out {(written[1] - written[0]) / took:.2f} fps")
    print(f"  latency before the encoder, ms: {after.latency_ms}")
    drops = {cause: count - before.drops.get(cause, 0) for cause, count in after.drops.items()}
    print(f"  dropped: {drops or 'none'}; lost faces covered in {after.frames_covered} frames")
    for stage, times in after.stages_ms.items():
        print(f"    {stage:9s} p50 {times['p50']:6.2f} ms   p95 {times['p95']:6.2f} ms")
    print(f"  memory: {begin:.0f} MB after 5 s, {end:.0f} MB at the end")


if __name__ == "__main__":
    main()
