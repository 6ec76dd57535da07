"""Files that say they are more than a machine can hold, and what a server holds."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import av
import numpy as np

#: Whether it can be seen what a process holds.
SEEN = Path("/proc/self/statm").exists()


def png(width, height, rows=1):
    """A picture that says that it is so large, and is not."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b"")
    )


def gif(width, height):
    """An animation of two pictures that say that they are so large, and are not."""
    picture = b"\x2c" + struct.pack("<HHHH", 0, 0, width, height) + b"\0\x02\x02\x4c\x01\0"
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff" + picture * 2 + b"\x3b"


def clip(folder, width, height):
    """A clip whose pictures say that they are so large, and are not."""
    path = folder / "large.avi"
    with av.open(str(path), "w") as sink:
        stream = sink.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for _ in range(5):
            sink.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        sink.mux(stream.encode(None))
    data = path.read_bytes()
    for kind in (b"\xff\xc0\x00\x11\x08", b"\xff\xc0\x00\x0b\x08"):  # the head of a JPEG's frame: then come its sides
        data = data.replace(kind + struct.pack(">HH", 48, 64), kind + struct.pack(">HH", height, width))
    # The container says it twice: where it tells of the stream, and where it tells of the whole.
    data = data.replace(struct.pack("<II", 64, 48), struct.pack("<II", width, height))
    path.write_bytes(data)
    return path


def padded(path, clip_path, count):
    """A clip that plays, with so many bytes behind it that no player reads; on the disk they take no room."""
    path.write_bytes(Path(clip_path).read_bytes())
    with path.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(struct.pack(">I4sQ", 1, b"free", count))
        file.truncate(file.tell() + count - 16)
    return path


def memory(pid):
    """Bytes that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
