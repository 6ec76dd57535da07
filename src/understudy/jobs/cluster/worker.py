"""What a worker does: it lays down what came, works one segment at a time, and gives its file back in pieces.

It is an actor of Ray, and knows nothing of Ray but its references: whoever calls it is in another process. Its files
lie in a folder of their own for their owner only, which goes when it ends; that of one that was killed goes when the
next begins on that machine.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2

from understudy.casting.person import People
from understudy.jobs.cluster.crossing import packed
from understudy.jobs.cluster.fitness import Description, models_there, plain, versions
from understudy.jobs.cluster.parcels import PIECE, Parcel, font_in, lay_down, with_paths
from understudy.models.catalogue import OWN_FILE
from understudy.models.devices import AskedDevice
from understudy.models.store import FOLDER as MODELS
from understudy.provenance import Home
from understudy.resources import Resources
from understudy.settings import Settings
from understudy.settings.files import read_settings
from understudy.tasks.segments.plan import ClipPlan
from understudy.tasks.segments.working import SegmentWorker
from understudy.temporaries import FOLDER, Temporary, clean

#: Bytes of disk that are kept free.
_SPARE: Final = 200_000_000


class _ToldToStopError(Exception):
    """The head wants nothing more of this segment."""


@dataclass(frozen=True)
class Place:
    """What a worker has of its machine. Plain data.

    Attributes:
        cores: Cores.
        memory: Bytes.
        gpus: GPUs.
    """

    cores: int
    memory: int
    gpus: int


class ClusterWorker:
    """One worker. Its methods are called by the head; ``signs`` and ``stop`` while another one runs.

    Args:
        place: What it has.
        fetch: Gives the bytes that a reference stands for.
        own: The private folder with its own store of models; None for the platform's.
        folder: Where its files go; None for the system's folder for temporary ones.
    """

    def __init__(
        self,
        place: Place,
        fetch: Callable[[Any], bytes],
        own: Path | None = None,
        folder: Path | None = None,
    ) -> None:
        cv2.setNumThreads(place.cores)
        self._place, self._fetch = place, fetch
        self._own = Home.default() if own is None else Home(own)
        self._files = _Files(folder or Path(tempfile.gettempdir()))
        self._resources = Resources(self._files.home(self._own))
        self._people = People(self._resources)
        self.clips: dict[str, SegmentWorker] = {}
        self._signs, self._frames, self._stop = 0, 0, threading.Event()

    def describe(self) -> dict[str, Any]:
        """What it is: see ``Description``."""
        free = max(0, shutil.disk_usage(self._files.root).free - _SPARE)
        place = self._place
        return plain(Description(versions(), models_there(self._own), place.cores, place.memory, free, place.gpus))

    def signs(self) -> tuple[int, int]:
        """A number that grows as long as something is done; and frames that are done of the segment."""
        return self._signs, self._frames

    def stop(self) -> None:
        """Have what it does now end soon."""
        self._stop.set()

    def receive(self, parcel: Parcel) -> dict[str, Any] | None:
        """Take a clip, and open what it needs: an error as plain values, if there was one."""
        self._begin()
        try:
            folder = self._files.clip(parcel.key)
            try:
                self.clips[parcel.key] = self._opened(parcel, folder)
            except Exception as fault:  # noqa: BLE001 - it is told, and raised by the head
                self.forget(parcel.key)
                return packed(fault, str(folder))
        except OSError as fault:
            return packed(fault)
        return None

    def work(self, key: str, index: int) -> dict[str, Any]:
        """Work a segment: what came of it under ``report``, or an error under ``error``; neither if it was stopped."""
        self._begin()
        folder = self._files.clip(key)
        path = self._files.made
        try:
            path.unlink(missing_ok=True)
            report = self.clips[key].work(index, path, self._told)
        except _ToldToStopError:
            return {}
        except Exception as fault:  # noqa: BLE001 - it is told, and raised by the head
            return {"error": packed(fault, str(folder))}
        return {"report": report.as_json(), "pieces": -(-path.stat().st_size // PIECE)}

    def piece(self, place: int) -> bytes:
        """A piece of the file of the segment that was worked last."""
        with self._files.made.open("rb") as file:
            file.seek(place * PIECE)
            return file.read(PIECE)

    def forget(self, *keys: str) -> None:
        """Remove all there is of clips."""
        for key in keys:
            self.clips.pop(key, None)
            shutil.rmtree(self._files.clip(key), ignore_errors=True)
        if keys and not self.clips:
            self._files.made.unlink(missing_ok=True)
            self._people.clear()
            self._files.forget_faces()

    def close(self) -> None:
        """Remove everything."""
        self._stop.set()
        self._files.close()

    def _begin(self) -> None:
        self._stop.clear()
        self._signs, self._frames = self._signs + 1, 0

    def _told(self, frames: int, _: int | None = None) -> None:
        self._signs, self._frames = self._signs + 1, frames
        if self._stop.is_set():
            raise _ToldToStopError

    def _arrived(self) -> None:
        self._signs += 1

    def _opened(self, parcel: Parcel, folder: Path) -> SegmentWorker:
        for name, data in parcel.files.items():
            path = folder / name
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.touch(0o600)
            path.write_bytes(data)
        target = folder / "clip" / parcel.name
        target.parent.mkdir(mode=0o700)
        lay_down(target, self._pieces(parcel.pieces), parcel.digest, self._arrived)
        said = folder / "settings.json"
        said.touch(0o600)
        said.write_text(parcel.settings, encoding="utf-8")
        worker = SegmentWorker(
            with_paths(parcel.cast, folder.joinpath),
            target,
            parcel.suffix,
            _placed(font_in(read_settings(said), folder), self._place),
            ClipPlan.from_json(parcel.plan),
            resources=self._resources,
            people=self._people,
            options=parcel.options,
        )
        self._arrived()
        return worker

    def _pieces(self, references: Sequence[Any]) -> Iterator[bytes]:
        for reference in references:
            yield self._fetch(reference)


class RayWorker(ClusterWorker):
    """A worker as an actor of Ray.

    Args:
        place: What it has.
    """

    def __init__(self, place: Place) -> None:
        import ray

        super().__init__(place, ray.get)


class _Files:
    """A worker's folder.

    Args:
        place: Where it is made.
    """

    def __init__(self, place: Path) -> None:
        owner = os.getuid() if hasattr(os, "getuid") else 0
        all_of_them = Home(place / f"understudy-workers-{owner}").folder()
        clean(all_of_them)  # of workers that were killed
        self._lock = Temporary(all_of_them / "worker", 0o600)
        self.root = self._lock.path.with_name(self._lock.path.name + FOLDER)
        self.root.mkdir(mode=0o700)
        self.made = self.root / "segment"

    def home(self, own: Home) -> Home:
        """A private folder in it, with the models of the worker's own store, and nothing else of the worker's owner."""
        home = Home(self.root / "home")
        home.folder()
        (home.root / MODELS).symlink_to(own.root.absolute() / MODELS, target_is_directory=True)
        with contextlib.suppress(FileNotFoundError):
            shutil.copy(own.root / OWN_FILE, home.root / OWN_FILE)
        return home

    def clip(self, key: str) -> Path:
        """The folder of a clip."""
        path = self.root / f"clip-{int(key, 16):012x}"
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def forget_faces(self) -> None:
        """Remove what was learned of photos."""
        shutil.rmtree(self.root / "home" / "cache", ignore_errors=True)

    def close(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.root, ignore_errors=True)
        self._lock.remove()


def _placed(settings: Settings, place: Place) -> Settings:
    """Settings for models on what a worker has: its own GPU, of which it sees no other; else the CPU, as everywhere."""
    runtime = settings.runtime

    def word(asked: str) -> str:
        device = AskedDevice.of(asked).device
        return "cpu" if device == "auto" else device

    return replace(
        settings,
        runtime=replace(
            runtime,
            device=word(runtime.device),
            placed=tuple((name, word(one)) for name, one in runtime.placed),
            threads=runtime.threads or place.cores,
        ),
    )
