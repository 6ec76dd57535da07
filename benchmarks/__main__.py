"""``make bench``: the cost of a swap over the cost of decoding and encoding alone, stage by stage, and memory.

Each comparison runs its two sides in turn, several times, and takes medians: what a shared machine does
meanwhile then falls on both.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av

from understudy import Settings, Understudy
from understudy.media.files import EncodeOptions, open_source
from understudy.media.files.encoders import CONTAINERS, encoder_settings
from understudy.pipeline.overlap import BackgroundWriter, prefetched
from understudy.testing import ClipSpec, Puppet, portrait, portrait_path, write_clip

SIZE = (1280, 720)
#: The same command a user runs, telling when its first frame was done and its peak memory.
CHILD = """
import json, sys, time
from pathlib import Path
from understudy import Settings, Understudy
first = []
def progress(done, total):
    first or first.append(time.time())
photo, clip, output = (Path(word) for word in sys.argv[1:4])
app = Understudy(Settings(home=Path(output.parent, "home")))
report = app.swap(clip, output, app.person(photo, consent="sample"), overwrite=True, progress=progress)
numbers = {}
for line in open("/proc/self/status"):
    word, *value = line.replace(":", "").split()
    if value[-1:] == ["kB"]:
        numbers[word] = int(value[0]) / 1024
print(json.dumps({"first": first[0] - float(sys.argv[4]), "peak_mb": numbers["VmHWM"], "files_mb": numbers["RssFile"]}))
"""


def sample(folder: Path, seconds: int) -> Path:
    """A 720p clip with sound in which one face moves; a few rendered seconds, over and over."""
    from understudy.testing import talking

    path = folder / f"sample-{seconds}s.mp4"
    puppet = Puppet(portrait("astronaut"), SIZE, face_share=0.4)
    rendered = [puppet.render(talking(n / 30)).picture for n in range(90)]
    there_and_back = rendered + rendered[::-1]
    pictures = (there_and_back[n % len(there_and_back)] for n in range(seconds * 30))
    write_clip(path, pictures, ClipSpec())
    return path


def transcode(clip: Path, output: Path) -> float:
    """Seconds to decode and encode with the same encoder and settings, overlapped, and nothing else."""
    container, options = CONTAINERS[".mp4"], EncodeOptions()
    start = time.perf_counter()
    with av.open(str(clip)) as source, av.open(str(output), "w") as sink:
        video = source.streams.video[0]
        video.thread_type = "AUTO"
        settings = encoder_settings(container.encoder, options, video.width * video.height)
        stream = sink.add_stream(container.encoder, rate=video.average_rate, options=settings)
        stream.codec_context.width, stream.codec_context.height = video.codec_context.width, video.codec_context.height
        stream.codec_context.pix_fmt = "yuv420p"
        stream.codec_context.time_base = video.time_base

        def write(frame: av.VideoFrame) -> None:
            frame.pict_type = 0
            sink.mux(stream.encode(frame))

        with BackgroundWriter(write) as behind:
            for frame in prefetched(source.decode(video)):
                behind.put(frame)
        sink.mux(stream.encode(None))
    return time.perf_counter() - start


def compare(clip: Path, folder: Path, rounds: int) -> None:
    """Print the ratio and the stages."""
    source = portrait_path("hopper")
    plain, swapped, stages = [], [], []
    transcode(clip, folder / "warm.mp4")
    for _ in range(rounds):
        plain.append(transcode(clip, folder / "plain.mp4"))
        with Understudy(Settings(home=folder / "home")) as app:
            report = app.swap(clip, folder / "swapped.mp4", app.person(source, consent="sample"), overwrite=True)
        swapped.append(report.seconds)
        stages.append(report.stages_ms)
    frames = report.frames
    ratio = statistics.median(b / a for a, b in zip(plain, swapped, strict=True))
    print(f"{clip.name}: {frames} frames of {SIZE[0]}x{SIZE[1]}, one face")
    for name, times in (("decode and encode alone", plain), ("with the swap", swapped)):
        seconds = statistics.median(times)
        print(f"  {name:25s} {seconds:6.2f} s   {frames / seconds:5.1f} fps")
    print(f"  ratio                     {ratio:6.2f}")
    print("  a frame, while decoder and encoder use the same cores:")
    _print_stages(stages)


def stages_alone(clip: Path) -> None:
    """The stages with nothing beside them: frames decoded beforehand, nothing encoded."""
    from understudy import Perception
    from understudy.casting.assignment import OnePerson
    from understudy.casting.portraits import load_portraits
    from understudy.pipeline.clip import ClipPipeline
    from understudy.testing.opened import parts_of

    perception, settings = Perception.embedded(), Settings()
    portraits, _ = load_portraits(
        [portrait_path("hopper")], perception, source_face=None, max_pixels=settings.max_pixels
    )
    parts = parts_of(settings, perception)
    pipeline = ClipPipeline(parts, OnePerson(parts.engine.identity(portraits)))
    with open_source(clip) as source:
        frames = [frame for frame, _ in zip(source, range(150), strict=False)]
    for frame in frames:
        pipeline.process(frame)
    print("  a frame, alone:")
    _print_stages([pipeline.tally.timings.summary()])


def _print_stages(rounds: list[dict[str, dict[str, float]]]) -> None:
    for stage in rounds[0]:
        p50, p95 = (statistics.median(r[stage][p] for r in rounds) for p in ("p50", "p95"))
        print(f"    {stage:10s} p50 {p50:6.2f} ms   p95 {p95:6.2f} ms")
    print(f"    {'sum':10s} p50 {sum(statistics.median(r[s]['p50'] for r in rounds) for s in rounds[0]):6.2f} ms")


def memory(clips: list[Path], folder: Path, rounds: int) -> None:
    """Print the peak memory of a process a clip, and the time from its start to its first frame.

    Of the memory, what holds files is named: libraries and models, which all processes share and the system can drop.
    """
    peaks = []
    # As where it is installed: modules are not compiled anew in every process.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for clip in clips:
        command = [sys.executable, "-c", CHILD, str(portrait_path("hopper")), str(clip), str(folder / "child.mp4")]
        answers = []
        for _ in range(rounds):
            done = subprocess.run(
                [*command, str(time.time())], capture_output=True, text=True, check=True, env=environment
            )
            answers.append(json.loads(done.stdout))
        peak, files, first = (
            statistics.median(one[key] for one in answers) for key in ("peak_mb", "files_mb", "first")
        )
        peaks.append(peak)
        print(f"  {clip.name}: peak {peak:.0f} MB, {files:.0f} of it files; first frame after {first:.2f} s")
    if len(peaks) > 1:
        print(f"  the longer clip takes {peaks[-1] - peaks[0]:+.0f} MB")


def by_cores(clip: Path, folder: Path, rounds: int) -> None:
    """Print how fast a swap is on one core, two, and so on up to all that are here, and each beside one's."""
    here = sorted(os.sched_getaffinity(0))
    counts = [count for count in (1, 2, 4, 8, 16, 32) if count <= len(here)]
    rates: dict[int, list[float]] = {count: [] for count in counts}
    command = [sys.executable, "-c", CHILD, str(portrait_path("hopper")), str(clip), str(folder / "child.mp4")]
    try:
        for _ in range(rounds):
            for count in counts:
                os.sched_setaffinity(0, here[:count])  # the child inherits it
                done = subprocess.run([*command, str(time.time())], capture_output=True, text=True, check=True)
                rates[count].append(json.loads(done.stdout)["fps"])
    finally:
        os.sched_setaffinity(0, here)
    for count, found in rates.items():
        times = statistics.median(rate / one for rate, one in zip(found, rates[1], strict=True))
        print(
            f"  {count} core{'s' if count > 1 else ' '}  {statistics.median(found):6.1f} fps   {times:.2f} times one's"
        )


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="leave out the memory of a long clip")
    parser.add_argument("--cores", action="store_true", help="only this: the swap on one core, two, and so on (Linux)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        short = sample(folder, 10)
        if arguments.cores:
            by_cores(short, folder, arguments.rounds)
            return
        compare(short, folder, arguments.rounds)
        stages_alone(short)
        print("memory and start:")
        memory([short] if arguments.quick else [short, sample(folder, 60)], folder, arguments.rounds)


if __name__ == "__main__":
    main()
