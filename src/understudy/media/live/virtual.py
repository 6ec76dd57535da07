"""A live sink that other programs see as a camera."""

from __future__ import annotations

from typing import Any

from understudy.errors import UsageError
from understudy.frames import LabelledFrame
from understudy.installing import install_extra
from understudy.media.live.base import LiveInfo, Sound

_HINT = (
    "Linux: load the kernel module v4l2loopback (package v4l2loopback-dkms; sudo modprobe v4l2loopback). "
    "Windows and macOS: install OBS Studio, and start its virtual camera once."
)


class VirtualCameraSink:
    """A virtual camera: v4l2loopback on Linux, OBS's elsewhere."""

    depth, steady, keeps, name = 1, True, False, "virtual camera"

    def __init__(self) -> None:
        self._size: tuple[int | None, int | None] = (None, None)
        self._camera: Any = None

    def open(self, info: LiveInfo) -> None:
        """See ``LiveSink``."""
        self._size = (info.width, info.height)
        try:
            import pyvirtualcam
        except ImportError as fault:
            raise UsageError(
                "virtual cameras need the package pyvirtualcam",
                f"Install it (it is GPL-2): {install_extra('virtualcam')}",
            ) from fault
        try:
            self._camera = pyvirtualcam.Camera(
                info.width, info.height, float(info.fps), fmt=pyvirtualcam.PixelFormat.BGR, print_fps=False
            )
        except (RuntimeError, OSError) as fault:
            reason = " ".join(str(fault).split())
            raise UsageError(f"no virtual camera can be opened here: {reason}", _HINT) from fault
        self.name = f"virtual camera {self._camera.device}"

    def write(self, labelled: LabelledFrame, seconds: float) -> None:  # noqa: ARG002 - a camera shows what comes
        """See ``LiveSink``."""
        self._camera.send(LabelledFrame.opened(labelled, *self._size).picture)

    def hear(self, sound: Sound, seconds: float) -> None:
        """See ``LiveSink``: a camera has no sound."""

    def abandon(self) -> None:
        """See ``LiveSink``: it waits for nobody."""

    def discard(self) -> None:
        """See ``LiveSink``: it keeps nothing."""

    def close(self) -> list[str]:
        """See ``LiveSink``."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None
        return []
