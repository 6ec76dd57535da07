"""Sends signals to runs while they sign, and looks at what is left.

    python tools/attack_signals.py --count 300 --seed 1

Each run is a copy (by fork) of one process that has imported everything. It says by a pipe when it begins and ends to
sign; somewhere in between, or a little before or after, it is sent SIGINT, SIGTERM or SIGHUP, once, twice at once,
twice a moment apart, or ten times. Runs are the command line's swap of a picture, of a clip and of a clip that gets a
sidecar, its live recording (which a first Ctrl-C has ended), and a program of its own that calls ``understudy.swap``.

It is a violation if
- an output is there and does not open, or ``inspect`` does not find it made by this tool, by its own signature;
- the exit code is 0 and there is no output, or is neither 0 nor 130 (of the program of its own, which handles neither
  SIGTERM nor SIGHUP, nor the signal's);
- a traceback is printed, or the process ends by an abort or a segmentation fault;
- there are files that the next run in that folder does not remove.

Exit code 1 if there was any. Linux and macOS.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

KINDS = ("image", "video", "sidecar", "live", "api")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
MANNERS = ("once", "twice", "twice apart", "ten times")
#: Seconds before a run counts as hanging.
PATIENCE = 60.0
#: Bytes of a recording that has pictures in it.
_RECORDED = 5000


@dataclass
class Tally:
    """What came of the runs of one kind."""

    runs: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Shot:
    """One run: what runs, what it is sent, how, and when (a share of the time that signing takes)."""

    kind: str
    number: signal.Signals
    manner: str
    share: float

    def __str__(self) -> str:
        return f"{self.kind}, {self.number.name} {self.manner} at {self.share:+.2f}"


class Attack:
    """Runs, shoots, looks.

    Args:
        folder: For everything.
        seed: Of the order, the signals and the times.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._random = random.Random(seed)
        self._folder, self._home = folder, folder / "home"
        self._photo, self._picture, self._clip = _material(folder)
        #: Seconds that signing took where nothing was sent.
        self._length: dict[str, float] = {}

    def shots(self, count: int) -> Iterator[Shot]:
        """``count`` shots, all kinds, signals and manners in turn, times at random."""
        for number in range(count):
            kind = KINDS[number % len(KINDS)]
            manner = self._random.choices(MANNERS, (5, 3, 2, 2))[0]
            yield Shot(kind, self._random.choice(SIGNALS), manner, self._random.uniform(-0.15, 1.25))

    def calibrate(self) -> None:
        """Time each kind undisturbed; before the first, one run fills the caches on the disk, which all share."""
        for kind in (KINDS[0], *KINDS):
            out = self._clean_folder()
            process, begun, ended, said = self._start(kind, out)
            if kind == "live":
                _end_live(process, out)
            begin = _told(begun, PATIENCE)
            end = _told(ended, PATIENCE)
            code = _exit_code(process)
            if code != 0 or begin is None or end is None:
                raise SystemExit(f"{kind} does not run undisturbed: {code}\n{said.read_text()}")
            self._length[kind] = end - begin

    def lengths(self) -> str:
        """What signing took, in words."""
        return ", ".join(f"{kind} {1000 * length:.0f} ms" for kind, length in self._length.items())

    def shoot(self, shot: Shot) -> tuple[str, list[str]]:
        """One run. How it ended, in words, and what is wrong."""
        out = self._clean_folder()
        process, begun, ended, said = self._start(shot.kind, out)
        if shot.kind == "live":
            _end_live(process, out)
        wait = shot.share * self._length[shot.kind]
        if wait < 0:
            # Before it begins: some time after the last frame is under way, as near as can be told from outside.
            _wait_for(lambda: any(path.name.startswith(".") for path in out.iterdir()) or _is_over(begun), PATIENCE)
            time.sleep(self._random.uniform(0, 0.05))
        else:
            _told(begun, PATIENCE)
            time.sleep(wait)
        _send(process, shot)
        code = _exit_code(process)
        os.close(begun)
        os.close(ended)
        text = said.read_text(errors="replace")
        problems = self._problems(shot, out, code, text)
        files = [path for path in _outputs(out) if not path.name.endswith(".c2pa")]
        return f"exit {code}, {'a file' if files else 'no file'}", problems

    def _problems(self, shot: Shot, out: Path, code: int | str, text: str) -> list[str]:
        problems = []
        allowed: set[int | str] = {0, 130}
        if shot.kind == "api":
            allowed.add(f"by {shot.number.name}")
        if code not in allowed:
            problems.append(f"it ended with {code}: {' / '.join(text.strip().splitlines()[-3:])}")
        if "Traceback" in text or "Exception ignored" in text or "panicked" in text or "Fatal" in text:
            problems.append(f"it printed: {' / '.join(text.strip().splitlines()[-12:])}")
        outputs = [path for path in _outputs(out) if not path.name.endswith(".c2pa")]
        if code == 0 and not outputs:
            problems.append("exit 0 without an output")
        problems += [problem for path in outputs if (problem := self._judged(path))]
        problems += [
            f"a sidecar without its file: {path.name}"
            for path in _outputs(out)
            if path.name.endswith(".c2pa") and not path.with_suffix("").exists()
        ]
        # The next run in that folder.
        _in_a_copy(lambda: _tidied(out, self._home))
        left = [path.name for path in out.iterdir() if path.name.startswith(".")]
        left += [str(path) for path in self._home.rglob(".*")]
        left += [path.name for path in (self._folder / "tmp").iterdir()]
        return problems + [f"left for ever: {', '.join(left)}"] * bool(left)

    def _judged(self, path: Path) -> str | None:
        """What is wrong with an output; None if nothing."""
        reading, writing = os.pipe()
        _in_a_copy(lambda: os.write(writing, _verdict(path, self._home).encode()))
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read().decode()
        return None if said == "made by this tool" else f"{path.name}: {said or 'could not be looked at'}"

    def _clean_folder(self) -> Path:
        out = self._folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        return out

    def _start(self, kind: str, out: Path) -> tuple[int, int, int, Path]:
        """Begin a run: its process, where it tells that signing begins and ends, and where its stderr goes."""
        said = self._folder / "stderr"
        begun, telling_begin = os.pipe()
        ended, telling_end = os.pipe()
        process = os.fork()
        if process:
            os.close(telling_begin)
            os.close(telling_end)
            return process, begun, ended, said
        try:
            self._copied(kind, out, said, telling_begin, telling_end)
        except SystemExit:
            raise  # it ends as Python does, with all that comes then
        except BaseException:  # noqa: BLE001 - a copy must not go on as the first process does
            traceback.print_exc()
        os._exit(99)

    def _copied(self, kind: str, out: Path, said: Path, begin: int, end: int) -> None:
        os.setpgid(0, 0)
        signal.alarm(round(2 * PATIENCE))  # should nobody be left to end it
        with said.open("wb") as file:
            os.dup2(file.fileno(), 2)
            os.dup2(file.fileno(), 1)
        os.environ["TMPDIR"] = str(self._folder / "tmp")
        tempfile.tempdir = None
        _tell(begin, end)
        self._run(kind, out)

    def _run(self, kind: str, out: Path) -> None:
        """In the copy: what a user would start."""
        swap = ["swap", "-s", self._photo, "--home", self._home, "--consent", "sample"]
        words = {
            "image": [*swap, "-t", self._picture, "-o", out / "out.png"],
            "video": [*swap, "-t", self._clip, "-o", out / "out.mp4"],
            "sidecar": [*swap, "-t", self._clip, "-o", out / "out.mkv"],
            "live": ["live", *swap[1:], "--from", self._clip, "--loop", "--to", out / "out.mp4"],
        }
        if kind != "api":
            from understudy.cli.entry import run

            sys.argv = ["understudy", *map(str, words[kind])]
            run()
        import understudy
        from understudy import Settings

        # As short programs are: Ctrl-C is caught where it is expected, and says so by the exit code.
        try:
            settings = Settings(home=self._home)
            understudy.swap(self._photo, self._picture, out / "out.png", consent="sample", settings=settings)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            sys.exit(130)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.exit(0)


def _in_a_copy(work: Callable[[], object]) -> None:
    process = os.fork()
    if process:
        os.waitpid(process, 0)
        return
    try:
        work()
    except BaseException:  # noqa: BLE001 - a copy must not go on as the first process does
        traceback.print_exc()
    os._exit(0)


def _tell(begin: int, end: int) -> None:
    """Say by pipes when signing begins and ends. Nothing of what is done is changed."""
    from understudy.media.files.atomic import AtomicFile

    release = AtomicFile.release

    def told(self: AtomicFile, *arguments: object) -> None:
        os.write(begin, b"!")
        try:
            release(self, *arguments)  # type: ignore[arg-type]
        finally:
            os.write(end, b"!")

    AtomicFile.release = told  # type: ignore[method-assign]


def _material(folder: Path) -> tuple[Path, Path, Path]:
    """A photo, a small picture and a short clip; nothing is imported here that starts threads."""
    from PIL import Image

    from understudy.testing import ClipSpec, Puppet, portrait, portrait_path, write_puppet_clip

    (folder / "tmp").mkdir()
    picture, clip = folder / "picture.png", folder / "clip.mp4"
    with Image.open(portrait_path("astronaut")) as portrait_file:
        portrait_file.convert("RGB").resize((256, 256)).save(picture)
    # Made in a copy: encoders start threads, and a process with threads is not to be copied.

    def make() -> None:
        puppet = Puppet(portrait("astronaut"), (320, 240), face_share=0.55)
        write_puppet_clip(clip, puppet, 0.4, ClipSpec(rate=25, audio=()))

    _in_a_copy(make)
    return portrait_path("hopper"), picture, clip


def _end_live(process: int, out: Path) -> None:
    """Press Ctrl-C once something is recorded: that ends a session in order, and signs."""
    growing = out / "out.recording.mp4"
    _wait_for(lambda: growing.exists() and growing.stat().st_size > _RECORDED, PATIENCE)
    os.kill(process, signal.SIGINT)


def _send(process: int, shot: Shot) -> None:
    times = {"once": 1, "twice": 2, "twice apart": 2, "ten times": 10}[shot.manner]
    others = [shot.number, *(number for number in SIGNALS if number is not shot.number)]
    for count in range(times):
        # The first is the one told; further ones are the same, or another where both shall arrive at once.
        number = others[count % len(others)] if shot.manner == "twice" and shot.kind != "api" else shot.number
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)
        if shot.manner == "twice apart":
            time.sleep(0.02)
        elif shot.manner == "ten times":
            time.sleep(0.003)


def _told(pipe: int, patience: float) -> float | None:
    """When something came through a pipe; None if nothing did, or its other end is closed."""
    ready, _, _ = select.select([pipe], [], [], patience)
    return time.monotonic() if ready and os.read(pipe, 1) else None


def _is_over(pipe: int) -> bool:
    return bool(select.select([pipe], [], [], 0)[0])


def _wait_for(what: Callable[[], bool], patience: float) -> None:
    until = time.monotonic() + patience
    while not what() and time.monotonic() < until:
        time.sleep(0.002)


def _exit_code(process: int) -> int | str:
    """A process's exit code, or what ended it."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return (
                f"by {signal.Signals(os.WTERMSIG(status)).name}" if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            )
        time.sleep(0.005)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return "nothing: it hung"


def _outputs(out: Path) -> list[Path]:
    """What has its name. A live recording that was not signed in time is kept, and says so by its name."""
    return [path for path in out.iterdir() if not path.name.startswith(".") and ".recording." not in path.name]


def _tidied(out: Path, home: Path) -> None:
    """What the next run does first."""
    from understudy import temporaries
    from understudy.provenance import Home

    Home(home).tidy()
    temporaries.clean(out)


def _verdict(path: Path, home: Path) -> str:
    """What a stranger finds: whether it opens, and who made it, by its own signature."""
    import av

    from understudy.tasks.inspect import inspect_file

    try:
        with av.open(str(path)) as container:
            frames = sum(1 for _ in container.decode(video=0))
        found = inspect_file(path, home)
    except Exception as fault:  # noqa: BLE001 - whatever it is, the file can't be opened
        return f"{type(fault).__name__}: {fault}"
    if not frames:
        return "it shows nothing"
    if found.credentials.state != "valid" or not found.credentials.own:
        return f"its signature is {found.credentials.state}"
    return found.verdict


def _import_everything() -> None:
    """What the copies share. Models are opened by each: they have threads, which a copy has not."""
    import understudy.app
    import understudy.cli.main
    import understudy.cli.swap
    import understudy.sessions
    import understudy.tasks.inspect
    import understudy.tasks.swap
    import understudy.testing

    del understudy


def main() -> int:
    """Run the attack; the exit code."""
    words = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    words.add_argument("--count", type=int, default=300)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--seconds", type=float, default=86400.0, help="Begin no further run after so many.")
    words.add_argument("--verbose", action="store_true", help="Say how each run ended.")
    asked = words.parse_args()
    _import_everything()
    tallies = {kind: Tally() for kind in KINDS}
    folder, owner = Path(tempfile.mkdtemp(prefix="attack-signals-")), os.getpid()
    try:
        attack = Attack(folder, asked.seed)
        attack.calibrate()
        print(f"seed {asked.seed}; signing takes {attack.lengths()}", flush=True)
        until = time.monotonic() + asked.seconds
        for shot in attack.shots(asked.count):
            if time.monotonic() > until:
                break
            end, problems = attack.shoot(shot)
            tally = tallies[shot.kind]
            tally.runs += 1
            tally.ends[end] += 1
            tally.violations += [f"{shot}: {problem}" for problem in problems]
            if asked.verbose or problems:
                print(f"{shot}: {end}{''.join(f'; {problem}' for problem in problems)}", flush=True)
    finally:
        if os.getpid() == owner:  # copies end here, too
            shutil.rmtree(folder)
    print(f"{'kind':8s} {'runs':>5s} {'violations':>10s}  how they ended")
    for kind, tally in tallies.items():
        ends = ", ".join(f"{count} x {end}" for end, count in tally.ends.most_common())
        print(f"{kind:8s} {tally.runs:5d} {len(tally.violations):10d}  {ends}")
    violations = sum(len(tally.violations) for tally in tallies.values())
    print(f"{sum(tally.runs for tally in tallies.values())} runs, {violations} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
