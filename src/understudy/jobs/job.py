"""What a job is: what it is to do, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from understudy.errors import UnderstudyError, UsageError

JobState = Literal["waiting", "running", "paused", "done", "failed", "cancelled"]
#: In the order in which they are listed.
STATES: Final[tuple[JobState, ...]] = ("running", "waiting", "paused", "failed", "cancelled", "done")
#: States that a job does not leave by itself.
ENDED: Final[tuple[JobState, ...]] = ("done", "failed", "cancelled")
#: In place of the SHA-256 of an input that another job makes, until that is done.
TO_BE_MADE: Final = ""
#: In place of what the command ended with that follows a job: it has not; nor when it was run a second time.
PENDING: Final = "pending"
PENDING_AGAIN: Final = "pending, for the second time"
#: Most and least of a priority.
_PRIORITIES: Final = 1_000_000


@dataclass(frozen=True)
class Order:
    """What a job is to do. Plain data: paths are absolute, settings are as a settings file has them.

    Words are taken for paths, too, and one photo for a row of one.

    Attributes:
        target: A picture, animation or video.
        output: The file to write; its suffix says the format.
        photos: Of the person whose face is used; none where there is a cast file.
        cast: A cast file (see docs/people.md): who gets whose face.
        settings: By full name, such as ``blend.strength``: only what differs from the usual.
        overwrite: Whether an output that is there may be replaced.
        priority: The highest goes first; of equals the one that was added first.
        after: Numbers of jobs that must be done before.
        when_done: A command that is run afterwards, its words; the output's path is appended.

    Raises:
        UsageError: there are no photos and no cast file, or both; or a number is out of range.
    """

    target: Path
    output: Path
    photos: Sequence[Path] = ()
    cast: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    overwrite: bool = False
    priority: int = 0
    after: Sequence[int] = ()
    when_done: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ("target", "output", "cast"):
            if isinstance(written := getattr(self, name), str):
                object.__setattr__(self, name, Path(written))
        given: Any = self.photos
        photos = [given] if isinstance(given, (str, Path)) else given
        object.__setattr__(self, "photos", tuple(Path(one) if isinstance(one, str) else one for one in photos))
        if bool(self.photos) == (self.cast is not None):
            raise UsageError("a job needs photos or a cast file, one of the two", "Name the person's photos.")
        if not -_PRIORITIES <= self.priority <= _PRIORITIES:
            raise UsageError(
                f"a priority is a whole number up to {_PRIORITIES}, not {self.priority}", "Choose another."
            )

    def as_json(self) -> dict[str, Any]:
        """The order as plain values."""
        return {
            "target": str(self.target),
            "output": str(self.output),
            "photos": [str(photo) for photo in self.photos],
            "cast": None if self.cast is None else str(self.cast),
            "settings": dict(self.settings),
            "overwrite": self.overwrite,
            "priority": self.priority,
            "after": list(self.after),
            "when_done": list(self.when_done),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any], path: Callable[[str], Path] = Path) -> Order:
        """The order that ``as_json`` gave.

        Args:
            values: What it gave.
            path: Makes paths: whoever reads thousands may give those that are alike once.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        return cls(
            target=path(values["target"]),
            output=path(values["output"]),
            photos=tuple(path(photo) for photo in values["photos"]),
            cast=None if values["cast"] is None else path(values["cast"]),
            settings=dict(values["settings"]),
            overwrite=bool(values["overwrite"]),
            priority=int(values["priority"]),
            after=tuple(int(number) for number in values["after"]),
            when_done=tuple(str(word) for word in values["when_done"]),
        )


@dataclass(frozen=True)
class JobFailure:
    """Why a job failed.

    Attributes:
        message: What was wrong.
        hint: What to do next.
        exit_code: As the command line would have ended.
        kind: The name of the error's class, by which pages say it in their language; empty where there was none.
    """

    message: str
    hint: str
    exit_code: int
    kind: str = ""

    @classmethod
    def of(cls, fault: UnderstudyError) -> JobFailure:
        """That of an error."""
        return cls(fault.message, fault.hint, fault.exit_code, type(fault).__name__)


@dataclass(frozen=True)
class Job:
    """A job as it is in the store.

    Attributes:
        number: Its own.
        order: What it is to do.
        digests: SHA-256 of its inputs when it was added, by path; ``TO_BE_MADE`` of what another job has yet to make.
        state: See ``JobState``.
        attempts: How often it was begun.
        frames_done: Frames finished, those of segments that earlier attempts have finished included.
        frames: Of the target, as far as it is known; 0 if it is not.
        waits_for: Numbers of the jobs before it that are not done yet.
        added, begun, ended: Unix times in seconds; 0 for not yet.
        report: What was done, as ``SwapReport.as_json`` has it, and as ``when_done`` what the command that follows has
            ended with: its exit code, why it could not be run, or that it is ``pending``. Empty until then.
        failure: Why it failed, if it did.
        segments_done: Segments of the clip that are finished and kept: with the next one it goes on.
        segments: How many it is worked in; 0 if in one go, or that is not known yet.
    """

    number: int
    order: Order
    digests: Mapping[str, str]
    state: JobState
    attempts: int
    frames_done: int
    frames: int
    waits_for: tuple[int, ...]
    added: float
    begun: float
    ended: float
    report: Mapping[str, Any]
    failure: JobFailure | None
    segments_done: int = 0
    segments: int = 0

    @property
    def share(self) -> float:
        """How much of it is done, 0-1."""
        if self.state == "done":
            return 1.0
        return min(self.frames_done / self.frames, 1.0) if self.frames else 0.0

    def as_json(self) -> dict[str, Any]:
        """The job as plain values."""
        return {
            "number": self.number,
            **self.order.as_json(),
            "digests": dict(self.digests),
            "state": self.state,
            "attempts": self.attempts,
            "frames_done": self.frames_done,
            "frames": self.frames,
            "waits_for": list(self.waits_for),
            "added": self.added,
            "begun": self.begun,
            "ended": self.ended,
            "report": dict(self.report),
            "failure": None if self.failure is None else vars(self.failure),
            "segments_done": self.segments_done,
            "segments": self.segments,
        }


@dataclass(frozen=True)
class Claim:
    """A job that a runner has taken.

    Attributes:
        number: The job's.
        order: What it is to do.
        digests: SHA-256 of its inputs when it was added; ``TO_BE_MADE`` of what another job has made since.
        attempt: Which attempt this is, from 1.
        runner: Who has it.
    """

    number: int
    order: Order
    digests: Mapping[str, str]
    attempt: int
    runner: str


class Undone(NamedTuple):
    """Which files a job that is neither done nor cancelled is about.

    Attributes:
        number: The job's.
        failed: Whether it failed: it goes on only if somebody says so.
        output: What it writes.
        inputs: What it reads, without what other jobs have yet to make.
    """

    number: int
    failed: bool
    output: Path
    inputs: tuple[Path, ...]
