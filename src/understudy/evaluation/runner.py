"""Runs an engine over sources and clips and measures what comes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, product
from pathlib import Path
from typing import Final

import numpy as np

from understudy.casting.assignment import OnePerson
from understudy.casting.person import Allowed, People, Person
from understudy.errors import NoFaceError, UsageError
from understudy.evaluation.files import Pictures
from understudy.evaluation.likeness import Likeness, same_person
from understudy.evaluation.looks import CURVES, Look, Onlooker, expression_kept, fidelity
from understudy.evaluation.material import STRETCHES, Clip, read_clip
from understudy.evaluation.report import PairReport, Report
from understudy.evaluation.steadiness import Instant, flicker, jitter, lag
from understudy.evaluation.strips import Strips
from understudy.evaluation.surface import SURFACE, similarity, surface
from understudy.frames import Frame
from understudy.pipeline.clip import ClipPipeline
from understudy.pipeline.parts import Parts
from understudy.provenance import ConsentClaim, FrameSealer
from understudy.recognition import Embedder
from understudy.resources import Resources
from understudy.resources.made_with import MESH
from understudy.settings import Settings
from understudy.swapping import Identity, Portrait

#: The name of a clip's own face as a source.
SELF: Final = "self"
#: Told what is being measured, how many pairs are done, and how many there are.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class EvaluationOptions:
    """How much is measured.

    Attributes:
        frames: Of each clip, at most.
        identity_every: Every how many frames a face is embedded.
    """

    frames: int = 90
    identity_every: int = 6


@dataclass
class _Seen:
    """What one source on one clip gave, stretch by stretch of frames that follow each other."""

    instants: list[list[Instant]] = field(default_factory=list)
    numbers: list[list[int]] = field(default_factory=list)
    missed: int = 0

    def add(self, number: int, instant: Instant, *, follows: bool) -> None:
        if not follows or not self.instants:
            self.instants.append([])
            self.numbers.append([])
        self.instants[-1].append(instant)
        self.numbers[-1].append(number)


def evaluate(
    sources: Sequence[Path],
    clips: Sequence[Path],
    settings: Settings,
    options: EvaluationOptions,
    *,
    resources: Resources,
    known: People,
    embedder: Embedder | None,
    second: Embedder | None = None,
    consent: ConsentClaim | None,
    pictures: Pictures | None = None,
    progress: Progress | None = None,
) -> Report:
    """Measure the engine that ``settings`` name.

    Args:
        sources: Photos, each of another person.
        clips: Targets.
        settings: The engine and its stages.
        options: How much.
        resources: What is opened.
        known: Whose faces are known already.
        embedder: Who judges likeness; None to leave that out.
        second: Another judge of it, whose measures' names begin with ``second_``; None for none.
        consent: On what ground the photos are used.
        pictures: Keeps one labelled, signed picture a pair until the report is written; None for none.
        progress: Told of every pair.

    Raises:
        UsageError, InputError, RefusedError: see ``swap_file``. Of several clips those without a face are left out.
    """
    return _Evaluation(settings, options, (embedder, second), resources, known).run(
        sources, clips, consent, pictures, progress
    )


class _Evaluation:
    def __init__(
        self,
        settings: Settings,
        options: EvaluationOptions,
        embedders: tuple[Embedder | None, Embedder | None],
        resources: Resources,
        known: People,
    ) -> None:
        self._settings, self._options = settings, options
        self._names = ["none" if embedder is None else embedder.name for embedder in embedders]
        self._judges = [
            Likeness(embedder, prefix)
            for prefix, embedder in zip(("", "second_"), embedders, strict=True)
            if embedder is not None
        ]
        self._models, self._known = resources.models, known
        self._engine, self._perception = self._models.engine(settings), self._models.perception(settings)
        self._trust = resources.trust(settings)
        self._onlooker = Onlooker(self._perception.landmarker, self._models.blendshapes())

    def run(
        self,
        sources: Sequence[Path],
        clips: Sequence[Path],
        consent: ConsentClaim | None,
        pictures: Pictures | None,
        progress: Progress | None,
    ) -> Report:
        _check_names(sources, clips)
        strips = None if pictures is None else Strips(pictures, self._trust, self._settings)
        for name, clip_name in product([path.stem for path in sources], [path.stem for path in clips]):
            if strips is not None and not same_person(name, clip_name):
                strips.check(clip_name, name)
        people = {path.stem: self._allowed(path, consent, pictures is not None) for path in sources}
        pairs: list[PairReport] = []
        selves: list[PairReport] = []
        left_out: dict[str, str] = {}
        done, total = 0, len(clips) * (len(people) + 1)
        for path in clips:
            clip = read_clip(path, self._options.frames, self._settings.max_pixels)
            looks: dict[int, Look] = {}
            if progress is not None:
                progress(f"{SELF} on {clip.name}", done, total)
            try:
                selves.append(self._pair(clip, SELF, self._own(clip), looks)[0])
            except NoFaceError as fault:
                # One clip of many is no reason to lose what the others measured.
                left_out[clip.name] = fault.message
                done += len(people) + 1
                continue
            for number, (name, person) in enumerate(people.items(), done + 1):
                if progress is not None:
                    progress(f"{name} on {clip.name}", number, total)
                if same_person(name, clip.name):
                    continue
                report, seen = self._pair(clip, name, person.identity, looks)
                if strips is not None:
                    middles = [run[len(run) // 2] for run in seen.instants[:STRETCHES]]
                    report = replace(report, picture=strips.write(clip, name, person, middles))
                pairs.append(report)
            done += len(people) + 1
        if not selves:
            raise NoFaceError(next(iter(left_out.values())), "Name clips that show a face.")
        if progress is not None:
            progress("done", total, total)
        return Report(
            self._settings.engine,
            self._names[0],
            asdict(self._options) | _drawn(self._settings),
            tuple(self._judged(pair) for pair in pairs),
            tuple(selves),
            tuple(left_out.items()),
            self._names[1],
        )

    def _allowed(self, path: Path, consent: ConsentClaim | None, pictures: bool) -> Allowed:
        settings, content = self._settings, self._models.content(self._settings)
        person = self._known.allowed(
            Person((path,), consent=consent), "video", settings, trust=self._trust, content=content
        )
        if pictures:
            self._trust.consents([path], person.digests, person.portraits, "image", consent)
        for judge in self._judges:
            judge.add_source(path.stem, person.portraits[0])
        return person

    def _own(self, clip: Clip) -> Identity:
        """The identity of the clip's own face, from its first frame that shows one."""
        for stretch in clip.stretches:
            for frame in stretch:
                faces = self._perception.still(frame.picture)
                if len(faces):
                    largest = faces[int(np.argmax(faces.areas))]
                    own: Identity = self._engine.identity([Portrait(frame.picture, largest)])
                    return own
        raise NoFaceError(f"no face was found in {clip.path.name}", "Leave it out.")

    def _pair(self, clip: Clip, name: str, identity: Identity, looks: dict[int, Look]) -> tuple[PairReport, _Seen]:
        seen, cost = self._swapped(clip, identity)
        if not seen.instants:
            raise NoFaceError(f"no face was found in {clip.path.name}", "Leave it out.")
        for numbers, run in zip(seen.numbers, seen.instants, strict=True):
            for number, instant in zip(numbers, run, strict=True):
                if number not in looks:
                    looks[number] = self._onlooker.look(instant.before, instant.patch.mesh)
        before = [[looks[number] for number in numbers] for numbers in seen.numbers]
        after = [[self._onlooker.look(i.after, i.patch.mesh) for i in run] for run in seen.instants]
        instants = [instant for run in seen.instants for instant in run]
        surfaces = [surface(i.before, i.after, i.patch) for i in instants]
        measures: dict[str, float | None] = {key: _known_mean([s[key] for s in surfaces]) for key in SURFACE}
        looked = list(chain(*before)), list(chain(*after))
        measures |= fidelity(*looked) | expression_kept(*looked)
        measures |= self._motion(before, after, seen)
        measures["missed_share"] = seen.missed / (seen.missed + len(instants))
        if name == SELF:
            # Of the frame that the face was taken from nothing is to be learned.
            near = [similarity(i.before, i.after, i.patch) for i in instants[1:] or instants]
            measures |= {key: float(np.mean([each[key] for each in near])) for key in ("ssim", "psnr")}
        else:
            for judge in self._judges:
                judge.add(clip.name, name, instants[:: self._options.identity_every])
        series = {
            f"{what} of the {whose}": [round(value(look), 4) for look in side]
            for what, value in CURVES.items()
            for whose, side in zip(("target", "swap"), looked, strict=True)
        }
        series["cheek_error"] = [round(s["cheek_error"], 4) for s in surfaces]
        told = {key: None if value is None else round(value, 6) for key, value in measures.items()}
        return PairReport(name, clip.name, len(instants), told, series, cost), seen

    def _swapped(self, clip: Clip, identity: Identity) -> tuple[_Seen, dict[str, float]]:
        settings = self._settings
        sealer = FrameSealer(0, settings.label, settings.watermark)  # nothing is sealed: nothing leaves
        content = self._models.content(settings, clip.path.name)
        masks = self._models.masks([settings.blend.mask], settings.runtime)
        enhancers = self._models.enhancers(settings, enlarging=False)
        parts = Parts(self._engine, self._perception, settings, content, sealer, masks=masks, enhancers=enhancers)
        pipeline = ClipPipeline(parts, OnePerson(identity, settings.blend.strength))
        seen, number = _Seen(), 0
        for stretch in clip.stretches:
            follows = False
            for frame in stretch:
                copy = Frame(frame.picture.copy(), frame.pts, frame.time_base, frame.duration)
                patches = pipeline.swap(copy).patches
                if patches:
                    seen.add(number, Instant(frame.picture, copy.picture, patches[0]), follows=follows)
                seen.missed += not patches
                follows = bool(patches)
                number += 1
        content.end()
        return seen, {stage: times["p50"] for stage, times in pipeline.tally.timings.summary().items()}

    @staticmethod
    def _motion(before: list[list[Look]], after: list[list[Look]], seen: _Seen) -> dict[str, float | None]:
        still = [np.concatenate([jitter(run) for run in side]) for side in (before, after)]
        errors = [flicker(run) for run in seen.instants]
        change = [np.concatenate([error[kind] for error in errors]) for kind in (0, 1)]
        lags = [found for a, b in zip(before, after, strict=True) if (found := lag(a, b)) is not None]
        return {
            "jitter_ratio": float(still[1].mean() / max(still[0].mean(), 1e-6)) if still[0].size else None,
            "jitter": float(still[1].mean()) if still[1].size else None,
            # A quarter of a grey level is added to both: in a frozen clip there is no change to compare with.
            "flicker_ratio": float((change[1].mean() + 0.25) / (change[0].mean() + 0.25)) if change[0].size else None,
            "lag_frames": float(np.mean(lags)) if lags else None,
        }

    def _judged(self, pair: PairReport) -> PairReport:
        """The same with likeness, once all clips are in the galleries."""
        likeness: dict[str, float] = {}
        for judge in self._judges:
            likeness |= judge.measures(pair.source, pair.clip)
        return replace(pair, measures=likeness | dict(pair.measures))


def _drawn(settings: Settings) -> dict[str, object]:
    """How the engine drew, so that two reports can be told apart."""
    drawn: dict[str, object] = {"detector": settings.detector, "strength": settings.blend.strength}
    if settings.engine == MESH:
        return drawn | {"shape": settings.mesh.shape}
    return drawn | asdict(settings.neural)


def _check_names(sources: Sequence[Path], clips: Sequence[Path]) -> None:
    """Refuse names that the report could not tell apart."""
    for what, paths in (("photos", sources), ("clips", clips)):
        names = [path.stem for path in paths]
        twice = sorted({name for name in names if names.count(name) > 1} | ({SELF} & set(names)))
        if twice:
            raise UsageError(f"two of the {what} have the name {twice[0]!r}, or it is taken", "Rename one.")


def _known_mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else None
