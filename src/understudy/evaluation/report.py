"""What was measured, what it sums up to, and whether that is good enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from understudy.arrays import FloatArray
from understudy.version import __version__


class Goal(NamedTuple):
    """What a measure's mean over all pairs should be.

    Attributes:
        low, high: Limits that still reach it.
        meaning: In a few words.
        of_self: The limit is ``high`` times what the self-swaps have,
        ceiling: but no more than this: an engine that freezes every face is no better on its own.
        judge: The limit is one for this embedder; with another there is none.
    """

    low: float
    high: float
    meaning: str
    of_self: bool = False
    ceiling: float = np.inf
    judge: str = ""


#: By measure, in the order of the table. Limits are those that the project sets itself (docs/evaluation.md).
GOALS: Final[dict[str, Goal]] = {
    "identity_distance": Goal(0, 0.40, "embedder's distance to the source", judge="dlib"),
    "target_distance": Goal(0.6, np.inf, "its distance to the target (higher is less of the target)", judge="dlib"),
    "retrieval": Goal(0.99, 1, "frames whose nearest in the gallery is the source"),
    "second_identity_distance": Goal(0, 0.36, "the second embedder's distance to the source", judge="faceres"),
    "second_target_distance": Goal(0.36, np.inf, "its distance to the target", judge="faceres"),
    "second_retrieval": Goal(0.99, 1, "the same share by the second embedder"),
    "pose_degrees": Goal(0, 1.1, "error of yaw, pitch and roll", of_self=True, ceiling=3.0),
    "expression": Goal(0, 1.1, "error of mouth, lids, brows and gaze", of_self=True, ceiling=0.2),
    "expression_motion": Goal(0, 1.1, "the same of their changes alone", of_self=True, ceiling=0.1),
    "blendshapes": Goal(0, 1.1, "difference of what the faces do, 0-1", of_self=True, ceiling=0.1),
    "blendshapes_brows": Goal(0, 1.1, "of it the brows", of_self=True, ceiling=0.1),
    "blendshapes_lids": Goal(0, 1.1, "the eyelids", of_self=True, ceiling=0.1),
    "blendshapes_gaze": Goal(0, 1.1, "where the eyes look", of_self=True, ceiling=0.1),
    "blendshapes_jaw": Goal(0, 1.1, "the jaw", of_self=True, ceiling=0.1),
    "blendshapes_lips": Goal(0, 1.1, "the lips", of_self=True, ceiling=0.1),
    "blendshapes_motion": Goal(0, 1.1, "the same of their changes alone", of_self=True, ceiling=0.1),
    "motion_kept": Goal(0.8, 1.25, "how much of the target's changes is shown"),
    "outside_pixels": Goal(0, 0, "pixels changed outside the patch"),
    "seam_excess": Goal(-np.inf, 0.15, "steeper gradients where the patch fades"),
    "cheek_error": Goal(0, 0.10, "left to right cheek's light, off by"),
    "saturation_ratio": Goal(0.8, 1.25, "colourfulness over the frame's"),
    "clipped_share": Goal(0, 0.01, "pixels at black or white that were not"),
    "sharpness_ratio": Goal(0.9, 1.1, "detail over the frame's"),
    "grain_ratio": Goal(0.9, 1.1, "grain over the frame's"),
    "jitter_ratio": Goal(0, 1.1, "restlessness over the untouched clip's"),
    "flicker_ratio": Goal(0, 1.1, "change that no motion explains, over the clip's"),
    "lag_frames": Goal(-0.5, 0.5, "frames that it trails"),
    "missed_share": Goal(0, 0.02, "frames without a swap"),
}


@dataclass(frozen=True)
class PairReport:
    """One source on one clip.

    Attributes:
        source, clip: Names; the source ``self`` is a frame of the clip itself.
        frames: Frames that were swapped.
        measures: Means over them, by the names of ``GOALS`` and more; None where it can't be told.
        series: Values over time, for the plots.
        cost: Median milliseconds a frame by stage. The only thing here that two runs differ in.
        picture: File name of the pair's picture, or None.
    """

    source: str
    clip: str
    frames: int
    measures: Mapping[str, float | None]
    series: Mapping[str, Sequence[float]]
    cost: Mapping[str, float]
    picture: str | None = None


@dataclass(frozen=True)
class Line:
    """One measure over all pairs.

    Attributes:
        measure, meaning: Which.
        mean: Over the pairs.
        worst: The pair furthest from the goal.
        worst_pair: Which that is.
        spread: Standard deviation between clips (of the clips' means).
        limit: What would be good enough, in words.
        reached: Whether it is; None without a goal. A ratio that should be near 1 is judged by how far the pairs are
            from it either way, not by their mean: half of them twice too sharp and half twice too soft is no 1.
        within: Share of the pairs that reach the goal alone; None without one.
    """

    measure: str
    meaning: str
    mean: float
    worst: float
    worst_pair: str
    spread: float
    limit: str
    reached: bool | None
    within: float | None


@dataclass(frozen=True)
class Report:
    """All that was measured.

    Attributes:
        engine, embedder: What was measured, and with what.
        options: How.
        pairs: Sources on clips.
        selves: Each clip's own face on itself: what the engine loses though nothing should change.
        left_out: Clips that were not measured, each with the reason.
        second_embedder: Who else judged likeness, or ``none``.
    """

    engine: str
    embedder: str
    options: Mapping[str, object]
    pairs: tuple[PairReport, ...]
    selves: tuple[PairReport, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    second_embedder: str = "none"

    def lines(self) -> list[Line]:
        """The table."""
        found = []
        for measure, goal in GOALS.items():
            told = [(pair, value) for pair in self.pairs if (value := pair.measures.get(measure)) is not None]
            if told:
                found.append(self._line(measure, goal, told))
        return found

    def _line(self, measure: str, goal: Goal, told: Sequence[tuple[PairReport, float]]) -> Line:
        low, high = goal.low, goal.high
        if goal.of_self:
            own = [value for pair in self.selves if (value := pair.measures.get(measure)) is not None]
            high = min(goal.high * float(np.mean(own)) if own else np.inf, goal.ceiling)
        values = np.array([value for _, value in told])
        beyond = np.maximum(values - high, low - values)
        worst = int(np.argmax(beyond))
        by_clip: dict[str, list[float]] = {}
        for pair, value in told:
            by_clip.setdefault(pair.clip, []).append(value)
        mean = float(values.mean())
        judge = self.second_embedder if measure.startswith("second_") else self.embedder
        aimed = (np.isfinite(high) or (np.isfinite(low) and low != 0)) and goal.judge in ("", judge)
        pair = told[worst][0]
        return Line(
            measure,
            goal.meaning,
            mean,
            float(values[worst]),
            f"{pair.source} on {pair.clip}",
            float(np.std([np.mean(of_clip) for of_clip in by_clip.values()])),
            _limit(low, high) if aimed else "",
            bool(low <= _judged(values, low, high) <= high) if aimed else None,
            float(((values >= low) & (values <= high)).mean()) if aimed else None,
        )

    def cost(self) -> dict[str, float]:
        """Median milliseconds a frame by stage, over the pairs."""
        stages = dict.fromkeys(stage for pair in self.pairs for stage in pair.cost)
        return {
            stage: float(np.median([pair.cost[stage] for pair in self.pairs if stage in pair.cost])) for stage in stages
        }

    def as_json(self) -> dict[str, Any]:
        """The report as plain values; all but ``cost`` is the same in every run."""
        return {
            "version": __version__,
            "engine": self.engine,
            "embedder": self.embedder,
            "second_embedder": self.second_embedder,
            "options": dict(self.options),
            "left_out": dict(self.left_out),
            "summary": [asdict(line) for line in self.lines()],
            "pairs": [_plain(pair) for pair in self.pairs],
            "selves": [_plain(pair) for pair in self.selves],
            "cost": {"median_ms": self.cost(), "pairs": [dict(pair.cost) for pair in self.pairs]},
        }


def _plain(pair: PairReport) -> dict[str, Any]:
    values = asdict(pair)
    del values["cost"]
    return values


def _judged(values: FloatArray, low: float, high: float) -> float:
    if low > 0 and 1 < high < np.inf:  # a ratio
        off = float(np.exp(np.abs(np.log(np.maximum(values, 1e-6))).mean()))
        return 1.0 if off <= max(high, 1 / low) else off
    if low == -high:
        return float(np.abs(values).mean())
    return float(values.mean())


def _limit(low: float, high: float) -> str:
    if not np.isfinite(high):
        return f"at least {low:.3g}" if np.isfinite(low) and low else ""
    if not np.isfinite(low) or low == 0:
        return f"at most {high:.3g}" if high else "none"
    if high == 1:
        return f"at least {low:.3g}"
    return f"{low:.3g} to {high:.3g}"
