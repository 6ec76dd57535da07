"""What is there at the first start: a face that everybody may use, and a clip of somebody on whom it can be put."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from understudy.errors import UnderstudyError, of_the_system
from understudy.temporaries import Temporary, clean


@dataclass(frozen=True)
class Samples:
    """Where the samples come from.

    Attributes:
        photo: Of the face.
        face_box: Where the face is on it, x0, y0, x1, y1 in pixels: known, so that no model has to be opened before
            it can be shown.
        name: Whose it is.
        make_clip: Writes the clip to a path.
        clip_name: Who is in the clip.
    """

    photo: Path
    face_box: tuple[float, float, float, float]
    name: str
    make_clip: Callable[[Path], None]
    clip_name: str


class SampleClip:
    """The clip: made once, in a thread of its own, and kept for the next time.

    Args:
        samples: With what makes it.
        path: Where it is kept.
    """

    def __init__(self, samples: Samples, path: Path) -> None:
        self._samples, self._path = samples, path
        self._begun = threading.Lock()
        self._made = threading.Event()
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
                    self._samples.make_clip(part.path)
                    part.path.replace(self._path)
                finally:
                    part.remove()
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
