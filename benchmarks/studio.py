"""How many pictures a second the studio's page shows, how late they are, and how soon the page is there.

    python -m benchmarks.studio [SECONDS]

The server and Chromium run on this machine; the source is the sample clip at 720p30, the face the sample's.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
#: Counts the pictures that are drawn, and notes when, in the page's own time.
COUNT = """() => {
    window.times = [];
    const canvas = document.querySelector("canvas");
    new MutationObserver(() => window.times.push(performance.now()))
        .observe(canvas, { attributes: true, attributeFilter: ["data-drawn"] });
}"""


def busy(pid: int) -> float:
    """Seconds of processor time of a process and all below it, so far."""
    ticks, parents = os.sysconf("SC_CLK_TCK"), {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1]), (int(fields[11]) + int(fields[12])) / ticks
    family, found = {pid}, 0.0
    for _ in range(5):
        family |= {child for child, (parent, _) in parents.items() if parent in family}
    for one in family:
        found += parents.get(one, (0, 0.0))[1]
    return found


def measure(page: Page, seconds: float, server: int) -> dict[str, object]:
    """What the page showed in so many seconds."""
    page.get_by_role("button", name="Figures").click()
    page.get_by_role("button", name="Start").click()
    page.wait_for_function("+document.querySelector('canvas').dataset.drawn > 60", timeout=120_000)
    page.evaluate(COUNT)
    before = busy(server), busy(os.getpid())
    page.wait_for_timeout(1000 * seconds)
    used, together = busy(server) - before[0], busy(os.getpid()) - before[1]
    times = page.evaluate("window.times")
    figures = page.locator(".figures").inner_text()
    gaps = sorted(b - a for a, b in itertools.pairwise(times))
    late = re.search(r"this page: p50 (\d+) ms · p95 (\d+) ms", figures)
    return {
        "shown_fps": round((len(times) - 1) / (times[-1] - times[0]) * 1000, 1),
        "gap_ms_p95": round(gaps[int(0.95 * len(gaps))], 1),
        "capture_to_drawn_ms": None if late is None else {"p50": int(late[1]), "p95": int(late[2])},
        # Of a processor's time, whatever else it does: what a picture takes, from camera to screen.
        "server_ms_a_picture": round(1000 * used / len(times), 1),
        "browser_ms_a_picture": round(1000 * (together - used) / len(times), 1),
        "figures": figures.splitlines(),
    }


def main() -> None:
    """Measure, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=float, nargs="?", default=20.0, help="for which pictures are counted")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        command = [sys.executable, "-m", "understudy", "studio", "--no-browser", "--home", home]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        begun = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                page.goto(server.stdout.readline().split()[1])
                page.get_by_role("button", name="Eileen Collins").wait_for()
                there = time.monotonic() - begun
                # The sample clip is made in the first seconds: that is not what is measured.
                while not list(Path(home).glob("studio/sample-*.mp4")):
                    time.sleep(0.2)
                found = measure(page, seconds, server.pid)
            finally:
                server.terminate()
    print(
        json.dumps(
            {"page_usable_s": round(there, 2), "cores": os.cpu_count(), "load": os.getloadavg()[0], **found}, indent=2
        )
    )


if __name__ == "__main__":
    main()
