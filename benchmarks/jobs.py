"""What writing many jobs down and listing them takes: ``python -m benchmarks.jobs [--jobs N]``."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from understudy import Settings, Understudy
from understudy.testing import portrait_path


def main() -> None:
    """Run it as a user does: a table of N rows, then the list and one job of it; and as a program does, all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    count = parser.parse_args().jobs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = (f"{portrait_path('astronaut')},{n}.png,{portrait_path('hopper')},{n % 7}\n" for n in range(count))
        (folder / "jobs.csv").write_text("target,output,photos,priority\n" + "".join(rows), encoding="utf-8")
        for words in (["add", "--from", str(folder / "jobs.csv"), "--consent", "sample"], ["list"], ["show", "1"]):
            begun = time.perf_counter()
            command = [sys.executable, "-m", "understudy", "jobs", *words, "--home", str(folder / "home")]
            subprocess.run(command, check=True, capture_output=True)
            print(f"  jobs {words[0]:5s} of {count} jobs: {time.perf_counter() - begun:6.2f} s")
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "understudy", "--version"], check=True, capture_output=True)
        print(f"  of which --version takes:   {time.perf_counter() - begun:6.2f} s")
        with Understudy(Settings(home=folder / "home")) as app:
            begun = time.perf_counter()
            listed = app.jobs.list()
            print(f"  app.jobs.list() of {len(listed)}:  {time.perf_counter() - begun:6.2f} s")


if __name__ == "__main__":
    main()
