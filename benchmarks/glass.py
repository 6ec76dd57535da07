"""How late a picture is from the camera to the screen, by WebRTC through `understudy serve`, and how many are shown.

    python -m benchmarks.glass [SECONDS] [SESSIONS …]

The server and a Chromium for each session run on this machine. The camera is a file (720p30; the page takes it as large
as the server wants it) with a clock in its pictures: their number, as black and white squares at the upper edge, where
neither the swap nor the label comes. The page reads it when the camera gives a picture, and again when that picture is
on its way to the screen, swapped.

A page that is short of a processor reads few of the camera's pictures, and thirty of them came every second: when each
was taken follows from those that were read. How far those lie from that is told, too (``camera_off_ms``).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.studio import busy
from understudy.arrays import UInt8Array
from understudy.testing import Puppet, portrait, portrait_path, talking

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
UNDERSTUDY = [sys.executable, "-m", "understudy"]
SIZE, FPS = (1280, 720), 30
#: Pictures of the camera's file, squares of a number (the last makes their sum even), and pixels of a square.
PICTURES, SQUARES, SIDE = 128, 8, 32
#: Where the squares begin.
LEFT, TOP = 320, 8
#: Milliseconds until the camera's file begins anew; and how much before its capture, as far as that is known, a picture
#: may be shown.
PERIOD, EARLIEST = 1000 * PICTURES / FPS, -100.0
#: Notes when each number was captured, and when each was shown: [number, milliseconds] in the page's own time.
WATCH = f"""
(() => {{
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [{SQUARES}, 1];
  const context = canvas.getContext("2d", {{ willReadFrequently: true }});
  window.captured = [];
  window.shown = [];
  window.connections = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {{
    constructor(...words) {{
      super(...words);
      window.connections.push(this);
    }}
  }};
  function read(video) {{
    const scale = video.videoWidth / {SIZE[0]};
    const part = [{LEFT}, {TOP} + 8, {SQUARES * SIDE}, 16].map((one) => one * scale);
    context.drawImage(video, ...part, 0, 0, {SQUARES}, 1);
    const data = context.getImageData(0, 0, {SQUARES}, 1).data;
    let number = 0, ones = 0;
    for (let at = 0; at < {SQUARES}; at++) {{
      const bit = data[4 * at + 1] > 127 ? 1 : 0;
      ones += bit;
      if (at < {SQUARES} - 1) number = 2 * number + bit;
    }}
    return ones % 2 ? null : number;
  }}
  function follow(video, into, when) {{
    const look = (now, about) => {{
      const number = read(video);
      if (number !== null) into.push([number, when(now, about)]);
      video.requestVideoFrameCallback(look);
    }};
    video.requestVideoFrameCallback(look);
  }}
  navigator.mediaDevices.getUserMedia = async (wanted) => {{
    const stream = await open(wanted);
    const own = Object.assign(document.createElement("video"), {{ srcObject: stream, muted: true }});
    own.style = "position:fixed; right:0; bottom:0; width:32px; height:18px";  // what is not seen is not drawn
    document.body.append(own);
    follow(own, window.captured, (now, about) => about.captureTime ?? now);
    await own.play();
    follow(document.querySelector("video"), window.shown, (now, about) => about.expectedDisplayTime);
    return stream;
  }};
}})();
"""


def numbered(picture: UInt8Array, number: int) -> UInt8Array:
    """A picture with a number in it."""
    bits = [number >> place & 1 for place in reversed(range(SQUARES - 1))]
    for place, bit in enumerate([*bits, sum(bits) % 2]):
        left = LEFT + place * SIDE
        picture[TOP : TOP + SIDE, left : left + SIDE] = 235 * bit + 10
    return picture


def write_camera(path: Path) -> None:
    """What the cameras show: somebody who talks, there and back."""
    puppet = Puppet(portrait("astronaut"), SIZE, face_share=0.45)
    half = [puppet.render(talking(number / FPS)).picture for number in range(PICTURES // 2)]
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F{FPS}:1 Ip A1:1 C420mpeg2\n".encode())
        for number, picture in enumerate(half + half[::-1]):
            planes = cv2.cvtColor(numbered(picture.copy(), number), cv2.COLOR_BGR2YUV_I420)
            file.write(b"FRAME\n" + np.asarray(planes, np.uint8).tobytes())


@contextlib.contextmanager
def server(home: str, sessions: int) -> Iterator[tuple[str, str, int]]:
    """A server, with a token for it, and its process."""
    made = subprocess.run(
        [*UNDERSTUDY, "token", "add", "glass", "--home", home], check=True, capture_output=True, text=True
    )
    command = [*UNDERSTUDY, "serve", "--json", "--port", "0", "--runners", "0", "--live", str(sessions), "--home", home]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            said = ""
            assert process.stdout is not None
            while not said.endswith("}\n"):
                said += process.stdout.readline()
            yield json.loads(said)["address"], made.stdout.strip(), process.pid
        finally:
            process.terminate()


def ask(address: str, token: str, path: str, body: bytes) -> dict[str, str]:
    """What the API says."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/api/v1{path}", body, headers)
    for _ in range(100):
        with contextlib.suppress(ConnectionError, urllib.error.URLError), urllib.request.urlopen(request) as answer:
            return dict(json.load(answer))
        time.sleep(0.1)
    raise TimeoutError(address)


def lateness(captured: list[list[float]], shown: list[list[float]]) -> tuple[list[float], float]:
    """Milliseconds from each picture's capture until it was shown; and how far off captures lie (95%).

    The camera's file begins anew every ``PERIOD``, so its beginning is a point on a circle: the mean of what each
    picture that was read says of it, then the median around that.
    """
    turns = np.array([_beginning_by(one) for one in captured]) / PERIOD * 2 * np.pi
    begun = float(np.angle(np.exp(1j * turns).mean())) / (2 * np.pi) * PERIOD
    off = [_from(-PERIOD / 2, _beginning_by(one) - begun) for one in captured]
    begun += float(np.median(off))
    late = [_from(EARLIEST, _beginning_by(one) - begun) for one in shown]
    return late, float(np.percentile(np.abs(off), 95))


def _beginning_by(read: list[float]) -> float:
    """When the file's first picture would have been there, by the number that was read and when that was."""
    number, at = read
    return at - 1000 * number / FPS


def _from(least: float, value: float) -> float:
    """The number within a ``PERIOD`` from ``least`` on that differs from ``value`` by whole periods."""
    return (value - least) % PERIOD + least


#: What the browser tells of its connections: milliseconds a picture (or packet), and what it sends.
STATS = """async () => {
  const found = {};
  for (const connection of window.connections)
    for (const one of (await connection.getStats()).values()) {
      if (one.type === "outbound-rtp" && one.framesEncoded) {
        found.encode = 1000 * one.totalEncodeTime / one.framesEncoded;
        found.send = 1000 * one.totalPacketSendDelay / one.packetsSent;
        found.sent_fps = one.framesPerSecond;
        found.sent_width = one.frameWidth;
        found.limited = one.qualityLimitationReason;
      }
      if (one.type === "inbound-rtp" && one.framesDecoded) {
        found.decode = 1000 * one.totalDecodeTime / one.framesDecoded;
        found.jitter_buffer = 1000 * one.jitterBufferDelay / one.jitterBufferEmittedCount;
        found.assembly = 1000 * one.totalAssemblyTime / Math.max(one.framesAssembledFromMultiplePackets, 1);
        found.processing = 1000 * one.totalProcessingDelay / one.framesDecoded;
      }
      if (one.type === "candidate-pair" && one.nominated) found.round_trip = 1000 * one.currentRoundTripTime;
    }
  return found;
}"""


def start(page: Page, address: str, token: str) -> None:
    """Begin a session in a page."""
    page.add_init_script(WATCH)
    page.goto(f"{address}/live")
    page.get_by_label("Token", exact=True).fill(token)
    page.get_by_role("button", name="Enter").click()
    page.get_by_role("button", name="Start").click()
    until = time.monotonic() + 180
    while page.evaluate("window.shown.length") < 60:  # the page's policy forbids Playwright's own way of waiting
        if time.monotonic() > until:
            raise TimeoutError(page.locator("main").inner_text())
        page.wait_for_timeout(200)


def measure(sessions: int, seconds: float) -> dict[str, object]:
    """So many sessions at a time."""
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        server(f"{folder}/home", sessions) as (address, token, process),
    ):
        camera = Path(folder, "camera.y4m")
        write_camera(camera)
        photo = ask(address, token, "/photos?name=face.jpg", portrait_path("hopper").read_bytes())["id"]
        consent = {"ground": "sample", "uses": ["live"]}
        ask(address, token, "/people", json.dumps({"name": "face", "photos": [photo], "consent": consent}).encode())
        words = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        words += [f"--use-file-for-fake-video-capture={camera}"]
        browsers = [playwright.chromium.launch(executable_path=CHROMIUM, args=words) for _ in range(sessions)]
        pages = [browser.new_page(viewport={"width": 1280, "height": 900}) for browser in browsers]
        for page in pages:
            start(page, address, token)
        for page in pages:
            page.evaluate("() => { window.captured = window.captured.slice(-60); window.shown.length = 0; }")
        before = busy(process), busy(os.getpid()), time.monotonic()
        pages[0].wait_for_timeout(1000 * seconds)
        used, together, took = busy(process) - before[0], busy(os.getpid()) - before[1], time.monotonic() - before[2]
        found = [page.evaluate("[window.captured, window.shown]") for page in pages]
        figures = [page.locator(".figures").inner_text() for page in pages]
        told = [page.evaluate(STATS) for page in pages]
        for browser in browsers:
            browser.close()
    late = [lateness(captured, shown) for captured, shown in found]
    parts = [{name: one if isinstance(one, str) else round(one, 1) for name, one in each.items()} for each in told]
    return {
        "sessions": sessions,
        "camera_fps": [round(len(captured) / took, 1) for captured, _ in found],
        "shown_fps": [round(len(shown) / took, 1) for _, shown in found],
        "glass_to_glass_ms_p50": [round(float(np.percentile(one, 50))) for one, _ in late],
        "glass_to_glass_ms_p95": [round(float(np.percentile(one, 95))) for one, _ in late],
        "camera_off_ms": [round(off) for _, off in late],
        "browser_tells_ms": parts,
        "server_cores": round(used / took, 2),
        "browsers_cores": round((together - used) / took, 2),
        "figures": figures,
    }


def main() -> None:
    """Measure, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=float, nargs="?", default=20.0)
    parser.add_argument("sessions", type=int, nargs="*", default=[1, 2], help="how many at once, one after the other")
    asked = parser.parse_args()
    for number in asked.sessions:
        found = {"cores": os.cpu_count(), "load_before": round(os.getloadavg()[0], 1), **measure(number, asked.seconds)}
        print(json.dumps(found, indent=2), flush=True)


if __name__ == "__main__":
    main()
