"""``understudy eval``."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.chosen import Chosen, takes_settings
from understudy.cli.consent import ConsentNote, ConsentOption, ask, claim_of
from understudy.cli.options import OUTPUT, Json, Overwrite
from understudy.cli.terminal import answer, answer_json, progress_bar, say

if TYPE_CHECKING:
    from understudy.evaluation import Report

SourcesFolder = Annotated[
    Path, typer.Option("--sources", help="A photo, or a folder of photos, each of another person.")
]
ClipsFolder = Annotated[Path, typer.Option("--clips", help="A clip, or a folder of clips, to put them into.")]
Folder = Annotated[
    Path, typer.Option("--output-dir", "-d", help="Folder for report.json, report.html and pictures; made if missing.")
]
EmbedderOption = Annotated[
    str,
    typer.Option(
        "--embedder",
        help="What judges likeness: dlib (the package's own network), faceres.json, another ONNX file, or none.",
    ),
]
SecondOption = Annotated[
    str, typer.Option("--second-embedder", help="What else judges likeness, beside it: as for --embedder.")
]
Frames = Annotated[int, typer.Option("--frames", min=1, max=100_000, help="Frames of each clip, at most.")]
Pictures = Annotated[
    bool,
    typer.Option(
        "--pictures/--no-pictures", help="Write a labelled, signed picture of each pair.", rich_help_panel=OUTPUT
    ),
]


_FLAGS = (
    *("--detector", "--engine", "--strength", "--shape"),
    *(
        "--device",
        "--backend",
        "--precision",
        "--threads",
        "--boost",
        "--weight",
        "--refresh",
        "--max-pixels",
        "--home",
    ),
)


@takes_settings(_FLAGS)
def command(
    sources: SourcesFolder,
    clips: ClipsFolder,
    output_dir: Folder,
    embedder: EmbedderOption = "dlib",
    second_embedder: SecondOption = "none",
    frames: Frames = 90,
    pictures: Pictures = True,
    consent: ConsentOption = None,
    consent_note: ConsentNote = "",
    overwrite: Overwrite = False,
    json: Json = False,
    *,
    chosen: Chosen,
) -> None:
    """Measure how good an engine's swaps are: likeness, fidelity, seams, light, steadiness, cost."""
    from understudy.app import Understudy
    from understudy.evaluation import EvaluationOptions, evaluate, open_embedder
    from understudy.evaluation.files import Pictures, prepare_folder, write_report
    from understudy.evaluation.material import clips_in, pictures_in

    settings = chosen.settings()
    photos, targets = pictures_in(sources), clips_in(clips)
    judge, second = open_embedder(embedder), open_embedder(second_embedder)
    prepare_folder(output_dir, overwrite=overwrite)
    claim = claim_of(consent, consent_note) or ask(photos, settings.home)
    kept = Pictures(output_dir, overwrite=overwrite) if pictures else nullcontext()
    with kept as strips, Understudy(settings) as app, progress_bar("measuring") as progress:
        report = evaluate(
            photos,
            targets,
            settings,
            EvaluationOptions(frames=frames),
            resources=app.resources,
            known=app.known,
            embedder=judge,
            second=second,
            consent=claim,
            pictures=strips,
            progress=None if progress is None else lambda _, done, total: progress(done, total),
        )
        write_report(report, output_dir, overwrite=overwrite, pictures=strips)
    for clip, reason in report.left_out:
        say(f"note: {clip} is left out: {reason}")
    if json:
        answer_json(report.as_json())
    else:
        _table(report)
    say(f"wrote {output_dir / 'report.html'} and report.json")


def _table(report: Report) -> None:
    answer(f"{'measure':24s} {'mean':>8s} {'± clips':>8s} {'worst':>8s}  {'goal':16s} {'pairs':>5s}")
    for line in report.lines():
        within = "" if line.within is None else f"{line.within:.0%}"
        mark = {True: "reached", False: "missed", None: ""}[line.reached]
        answer(
            f"{line.measure:24s} {line.mean:8.3f} {line.spread:8.3f} {line.worst:8.3f}  {line.limit:16s} {within:>5s}"
            f"  {mark}"
        )
    stages = report.cost()
    engine = sum(stages.get(stage, 0.0) for stage in ("swap", "blend"))
    answer(f"milliseconds a frame: {', '.join(f'{k} {v:.1f}' for k, v in stages.items())}; the engine {engine:.1f}")
