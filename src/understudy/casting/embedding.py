"""Where embeddings of a clip's faces are computed: at once for a file, in a thread of its own live."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Final, NamedTuple, Protocol

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.face import Faces
from understudy.recognition import Embedder

#: Embeddings of one frame of a file, at most.
_MOST: Final = 4
#: How much of a picture around a face is kept for an embedder, over the longer side of the face's box.
_MARGIN: Final = 1.0


class Answer(NamedTuple):
    """What was asked, as the one who asked called it, and the embedding: float32 (D,), NaN where nothing is seen."""

    asked: tuple[int, int]
    embedding: FloatArray


class Embeddings(Protocol):
    """Computes embeddings for one clip."""

    @property
    def room(self) -> int:
        """How many may be asked for in this frame."""
        ...

    def ask(self, asked: tuple[int, int], picture: UInt8Array, face: Faces) -> None:
        """Ask for an embedding.

        Args:
            asked: What the answer is to be called.
            picture: uint8 BGR (H, W, 3); it may be written to afterwards.
            face: One face in it, with a mesh.
        """
        ...

    def answers(self) -> list[Answer]:
        """What is known by now and was not given yet, in the order in which it was asked.

        Raises:
            ModelError: the embedder failed.
        """
        ...

    def close(self) -> None:
        """End what runs beside."""
        ...


class AtOnce:
    """Computes each when it is asked for, so that a file has the same numbers in each run. See ``Embeddings``."""

    room = _MOST

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._answers: list[Answer] = []

    def ask(self, asked: tuple[int, int], picture: UInt8Array, face: Faces) -> None:
        """See ``Embeddings.ask``."""
        self._answers.append(Answer(asked, self._embedder.embed(picture, face)[0]))

    def answers(self) -> list[Answer]:
        """See ``Embeddings.answers``."""
        given, self._answers = self._answers, []
        return given

    def close(self) -> None:
        """See ``Embeddings.close``."""


class Beside:
    """Computes one at a time in a thread, for which no frame waits. See ``Embeddings``."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._thread: ThreadPoolExecutor | None = None
        self._asked: tuple[tuple[int, int], Future[FloatArray]] | None = None
        self._closed = False

    @property
    def room(self) -> int:
        """See ``Embeddings.room``: one, unless one is still being computed."""
        return int(self._asked is None and not self._closed)

    def ask(self, asked: tuple[int, int], picture: UInt8Array, face: Faces) -> None:
        """See ``Embeddings.ask``."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "recognise")
        near, there = _cut_out(picture, face)
        self._asked = asked, self._thread.submit(self._embedder.embed, near, there)

    def answers(self) -> list[Answer]:
        """See ``Embeddings.answers``."""
        if self._asked is None or not self._asked[1].done():
            return []
        (asked, future), self._asked = self._asked, None
        return [Answer(asked, future.result()[0])]

    def close(self) -> None:
        """See ``Embeddings.close``."""
        self._closed = True
        if self._thread is not None:
            self._thread.shutdown()


def _cut_out(picture: UInt8Array, face: Faces) -> tuple[UInt8Array, Faces]:
    """A copy of a picture around a face, and the face in it: the picture is written to meanwhile."""
    box, (height, width) = face.boxes_xyxy[0], picture.shape[:2]
    margin = _MARGIN * float((box[2:] - box[:2]).max())
    low = np.clip(np.floor(box[:2] - margin), 0, [width, height]).astype(int)
    high = np.clip(np.ceil(box[2:] + margin), 0, [width, height]).astype(int)
    shift = low.astype(np.float32)
    near = np.ascontiguousarray(picture[low[1] : high[1], low[0] : high[0]])
    return near if near.base is None else near.copy(), replace(
        face,
        boxes_xyxy=face.boxes_xyxy - np.tile(shift, 2),
        mesh=None if face.mesh is None else face.mesh - np.append(shift, np.float32(0)),
        keypoints5=None if face.keypoints5 is None else face.keypoints5 - shift,
    )
