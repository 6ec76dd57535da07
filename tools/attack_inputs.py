"""Runs the program on damaged inputs: ``python tools/attack_inputs.py --count 3000 --seed 1``.

Files of every kind that the program reads are damaged out of a seed and given to the real command line. What must not
happen is counted, kind by kind: an error that the program did not expect, a traceback, a line that is neither a message
nor its hint, files left behind, a run of over 20 s or 1.5 GB, a crash. Exit code 1 if there was any.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from attack.trials import SHARES, Bench, Trial, kinds_of
from attack.workers import LONGEST, MOST_MEMORY, Ran, Worker

#: What a run may end with.
_CODES: Final = (0, 2, 3, 4, 5, 6)
#: How lines on stderr begin where nothing went wrong, or before it did.
_MESSAGES: Final = (
    "note: ", "wrote ", "signed as ", "recorded", "took in ", "left alone: ", "live: ", "session ", "latency ",
)  # fmt: skip
FAULTS: Final = ("unexpected", "traceback", "lines", "leftover", "hang", "memory", "crash", "code")


def main() -> int:
    """Run all trials; 1 if anything was wrong."""
    asked = _asked()
    work = Path(tempfile.mkdtemp(prefix="attack-"))
    try:
        material = work / "material"
        material.mkdir()
        if not _in_a_process_of_its_own(material):
            sys.stderr.write("the material could not be made\n")
            return 1
        return _attack(asked, Bench(material, asked.seed), work, material)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--count", type=int, default=300, help="how many inputs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", action="append", choices=[*SHARES], default=[], help="only these kinds")
    parser.add_argument("--number", type=int, help="only the trial of this number, with all that it said")
    parser.add_argument("--first", type=int, default=0, help="begin with the trial of this number")
    parser.add_argument("--last", type=int, help="end with the trial of this number")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    parser.add_argument("--keep", type=Path, help="folder for the inputs of trials that went wrong")
    return parser.parse_args()


def _in_a_process_of_its_own(material: Path) -> bool:
    """Make the material; this process stays fit to be forked, without threads."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in (1, 2):  # encoders talk
                os.dup2(nothing, stream)
            from attack.material import make

            make(material)
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _attack(asked: argparse.Namespace, bench: Bench, work: Path, material: Path) -> int:
    warm = _warmer(material)
    numbered = [(number, kind) for number, kind in enumerate(kinds_of(asked.count, asked.kind))]
    first, last = (asked.first, asked.last) if asked.number is None else (asked.number, asked.number)
    numbered = numbered[first : None if last is None else last + 1]
    rows = [numbered[start :: asked.jobs] for start in range(asked.jobs)]
    # Forked before there is any thread.
    workers = [Worker(warm) for _ in rows]
    begun = time.monotonic()
    table: dict[str, Counter[str]] = {}

    def go_through(row: list[tuple[int, str]], worker: Worker) -> None:
        for number, kind in row:
            trial = bench.trial(kind, number, work / f"trial-{number}")
            if worker.spent:
                worker.end()
                worker = Worker(warm)
            ran = worker.run(trial)
            _entered(table.setdefault(kind, Counter()), trial, ran, asked)
            shutil.rmtree(trial.folder)
        worker.end()

    with ThreadPoolExecutor(asked.jobs) as pool:
        for ending in [pool.submit(go_through, row, worker) for row, worker in zip(rows, workers, strict=True)]:
            ending.result()
    _print_table(table, time.monotonic() - begun)
    return int(any(counts[fault] for counts in table.values() for fault in FAULTS))


def _warmer(material: Path) -> Callable[[], None]:
    """What brings models and compiled code into a worker's memory."""

    def warm() -> None:
        from understudy.cli.main import main

        main(["faces", str(material / "photo.jpg")])

    return warm


def _entered(counts: Counter[str], trial: Trial, ran: Ran, asked: argparse.Namespace) -> None:
    """Count a trial, and say what was wrong with it."""
    wrong = [*faults(trial, ran)]
    counts["runs"] += 1
    counts[f"exit {ran.code}"] += ran.code is not None
    counts["most MB"] = max(counts["most MB"], ran.memory // 1_000_000)
    counts["most ms"] = max(counts["most ms"], round(ran.seconds * 1000))
    for fault, said in wrong:
        counts[fault] += 1
        words = " ".join(trial.words)
        print(f"{trial.kind} {trial.number}: {fault}: {said}\n    {trial.damage}\n    {words}", flush=True)
    if asked.number is not None:
        print(f"exit {ran.code}, {ran.seconds:.2f} s, {ran.memory / 1e6:.0f} MB\n{_text(ran.out)}{_text(ran.err)}")
    if wrong and asked.keep is not None:
        asked.keep.mkdir(parents=True, exist_ok=True)
        shutil.copytree(trial.folder, asked.keep / f"{asked.seed}-{trial.kind}-{trial.number}", dirs_exist_ok=True)


def faults(trial: Trial, ran: Ran) -> list[tuple[str, str]]:
    """What was wrong with a run: of which kind, and how it showed."""
    if ran.ended is not None:
        return [(ran.ended, f"after {ran.seconds:.1f} s at {ran.memory / 1e6:.0f} MB")]
    found, err = [], _text(ran.err)
    lines = err.splitlines()
    if "Traceback" in err or "Exception ignored" in err:
        found.append(("traceback", lines[-1]))
    if re.search(r"unexpected [A-Z]\w+", err):
        found.append(("unexpected", next(line for line in lines if "unexpected" in line)))
    if ran.code not in _CODES:
        found.append(("code", str(ran.code)))
    ends = [line.split(":")[0] for line in lines[-2:]]
    told_in_json = trial.words[:2] == ("ledger", "verify") and "--json" in trial.words and not lines
    failed = ran.code != 0 and not told_in_json
    odd = [line for line in (lines[:-2] if failed else lines) if not _is_message(line)]
    if failed and ends != ["error", "hint"]:
        odd = lines[-2:] or ["nothing is said"]
    if odd and not found:
        found.append(("lines", odd[0]))
    if ran.seconds > LONGEST:
        found.append(("hang", f"{ran.seconds:.1f} s"))
    if ran.memory > MOST_MEMORY:
        found.append(("memory", f"{ran.memory / 1e6:.0f} MB"))
    left = _left(trial, ran)
    if left:
        found.append(("leftover", ", ".join(left)))
    return found


def _is_message(line: str) -> bool:
    return bool(
        line.startswith(_MESSAGES)
        or line.endswith(("is here already", "recorded yet", "here yet"))
        or re.match(r"[\d.]+ s: |\d+ (frames|records)|[0-9a-f]{8}  |\S+: .*(commercial use|licence)|  https?://", line)
    )


def _left(trial: Trial, ran: Ran) -> list[str]:
    """Files that a run should not have left."""
    names = {str(path.relative_to(trial.folder)) for path in trial.folder.rglob("*") if path.is_file()}
    odd = [
        name for name in names if re.search(r"(^|/)\.|/import-|\.kept$|\.signed\b|\.part$|-journal$|(^|/)keys-", name)
    ]
    kept = "damaged after" in _text(ran.err) or "was not released" in _text(ran.err) or trial.kind == "live"
    if ran.code != 0 and not kept:
        odd += [name for name in trial.outputs if name in names]
    return sorted(odd)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _print_table(table: dict[str, Counter[str]], seconds: float) -> None:
    codes = sorted({name for counts in table.values() for name in counts if name.startswith("exit ")})
    columns = ["runs", *codes, *FAULTS, "most MB", "most ms"]
    whole: Counter[str] = Counter()
    for counts in table.values():
        whole.update({name: counts[name] for name in columns if not name.startswith("most")})
    for name in ("most MB", "most ms"):
        whole[name] = max((counts[name] for counts in table.values()), default=0)
    print(f"{'kind':12s}" + "".join(f"{name:>11s}" for name in columns))
    for kind, counts in [*sorted(table.items()), ("all", whole)]:
        print(f"{kind:12s}" + "".join(f"{counts[name]:11d}" for name in columns))
    print(f"{whole['runs']} inputs in {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
