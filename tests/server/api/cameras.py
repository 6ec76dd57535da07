"""Browsers with a camera of their own: one that shows a file, over and over."""

from __future__ import annotations

import base64
import contextlib

import cv2
import numpy as np

#: What has Chromium take a file for a camera, and let every page see it.
FAKE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")

#: A network, or a tunnel, that lets no UDP through: what the studio offers is not where it is.
BLOCKED = """
const set = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function (one) {
    const sdp = one.sdp.replace(/^(a=candidate:\\S+ \\d+ \\S+ \\d+ \\S+) \\d+/gm, "$1 9");
    window.blocked = (window.blocked ?? 0) + (sdp !== one.sdp);
    return set.call(this, { type: one.type, sdp });
};
"""
#: The same where it is told at once that nothing gets through.
REFUSED = f"""{BLOCKED}
const silent = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = async function (one) {{
    await silent.call(this, one);
    Object.defineProperty(this, "connectionState", {{ get: () => "failed" }});
    this.dispatchEvent(new Event("connectionstatechange"));
}};
"""

#: A browser without WebRTC that fails to code the first picture and the twentieth.
LOSSY = """
delete window.RTCPeerConnection;
const coded = HTMLCanvasElement.prototype.toBlob;
window.pictures = 0;
HTMLCanvasElement.prototype.toBlob = function (take, ...how) {
    const lost = [1, 20].includes(++window.pictures);
    coded.call(this, (data) => take(lost ? null : data), ...how);
};
"""


def write_camera(path, pictures, fps=30):
    """A file that Chromium takes for a camera (Y4M).

    Args:
        path: Where.
        pictures: uint8 BGR (H, W, 3), of one even size.
        fps: Pictures a second.
    """
    height, width = pictures[0].shape[:2]
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420mpeg2\n".encode())
        for picture in pictures:
            file.write(b"FRAME\n" + cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).tobytes())
    return path


@contextlib.contextmanager
def browser_with(playwright, chromium, *, camera=None, words=()):
    """A browser of its own."""
    own = [*FAKE, f"--use-file-for-fake-video-capture={camera}"] if camera else []
    browser = playwright.chromium.launch(
        executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage", "--mute-audio", *own, *words]
    )
    try:
        yield browser
    finally:
        browser.close()


def seen_in(page, element="video"):
    """What an element shows: uint8 BGR (H, W, 3)."""
    data = page.evaluate(
        """(name) => {
          const shown = document.querySelector(name), canvas = document.createElement("canvas");
          canvas.width = shown.videoWidth || shown.width;
          canvas.height = shown.videoHeight || shown.height;
          canvas.getContext("2d").drawImage(shown, 0, 0);
          return canvas.toDataURL("image/png");
        }""",
        element,
    )
    found = cv2.imdecode(np.frombuffer(base64.b64decode(data.partition(",")[2]), np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return found
