"""What is there at the first start: a face that everybody may use, and a clip of somebody on whom it can be put."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from understudy.errors import InputNotFoundError, UnderstudyError, of_the_system
from understudy.temporaries import Temporary, clean


@dataclass(frozen=True)
class Samples:
    """Where the samples come from.

    Attributes:
        photo: Of the face.
        face_box: Where the face is on it, x0, y0, x1, y1 in pixels: known, so that no model has to be opened before
            it can be shown.
        name: Whose it is.
        make_clip: Writes the clip to a path; calls what it is given before each frame, and ends with what that raises.
        clip_name: Who is in the clip.
    """

    photo: Path
    face_box: tuple[float, float, float, float]
    name: str
    make_clip: Callable[[Path, Callable[[], object]], None]
    clip_name: str


class _ClosedError(Exception):
    """The studio ends while the clip is made."""


class SampleClip:
    """The clip: made once, in a thread of its own, and kept for the next time.

    Args:
        samples: With what makes it.
        path: Where it is kept.
    """

    def __init__(self, samples: Samples, path: Path) -> None:
        self._samples, self._path = samples, path
        self._begun = threading.Lock()
        self._made, self._closed = threading.Event(), threading.Event()
        self._fault: UnderstudyError | None = None

    @property
    def there(self) -> bool:
        """Whether nobody has to wait for it."""
        return self._path.is_file()

    def make(self) -> None:
        """Make it, if it is not there and nobody makes it. Takes seconds."""
        if not self._begun.acquire(blocking=False):
            return
        try:
            if not self.there:
                clean(self._path.parent)
                part = Temporary(self._path, 0o600)
                try:
                    self._samples.make_clip(part.path, self._check)
                    part.path.replace(self._path)
                finally:
                    part.remove()
        except _ClosedError:
            self._fault = InputNotFoundError(self._path, "sample clip")
        except UnderstudyError as fault:
            self._fault = fault
        except OSError as fault:
            self._fault = of_the_system(fault)
        finally:
            self._made.set()

    def wait(self) -> Path:
        """Where it lies, once it is there.

        Raises:
            UnderstudyError: it can't be made.
        """
        self.make()
        self._made.wait()
        if self._fault is not None:
            raise self._fault
        return self._path

    def close(self) -> None:
        """Make it no further. Whoever makes it has ended then."""
        self._closed.set()
        if self._begun.acquire(blocking=False):
            self._fault = InputNotFoundError(self._path, "sample clip")
            self._made.set()
        self._made.wait()

    def _check(self) -> None:
        if self._closed.is_set():
            raise _ClosedError
