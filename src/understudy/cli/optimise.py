"""``understudy models optimise``: a variant of a model in smaller numbers, which takes less time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from understudy.cli.chosen import Chosen, takes_settings
from understudy.cli.options import Json
from understudy.cli.terminal import answer_json, say
from understudy.text import counted, few

#: Files that are named of those that a variant was calibrated on.
_NAMED: Final = 3

Name = Annotated[str, typer.Argument(help="A swapper, enhancer, upscaler or mask that is here.")]
Calibrate = Annotated[
    list[Path] | None,
    typer.Option(
        "--calibrate",
        help="A clip or picture with faces such as it will be used on; may be given several times. Only ranges of "
        "numbers are kept of it. Default: the demo's two faces.",
    ),
]
LayerError = Annotated[
    float,
    typer.Option(
        "--layer-error",
        help="A layer that is off by more than this share stays as it is: with 8 bits of what varies in what comes out "
        "of it, with 16 of its weights. 0 to 1.",
    ),
]
Error = Annotated[
    float,
    typer.Option("--error", help="Mean difference, over the range of what comes out, up to which it is made: 0 to 1."),
]


To = Annotated[
    Literal["int8", "half"],
    typer.Option(
        "--to",
        help="int8: convolutions in 8 bits, for OpenVINO on the CPU. half: weights in 16 bits, and computed so where "
        "the device does.",
    ),
]


@takes_settings(("--detector", "--max-pixels", "--home"))
def command(
    name: Name,
    to: To = "int8",
    calibrate: Calibrate = None,
    layer_error: LayerError = 0.03,
    error: Error = 2 / 255,
    json: Json = False,
    *,
    chosen: Chosen,
) -> None:
    """Make a variant of a model in 8 or 16 bits: smaller, quicker where that is computed, held against the original.

    It lies beside the original, which stays, and is used from then on; `models remove` removes both.
    """
    from understudy.app import Understudy
    from understudy.cli.demo import sample_pictures
    from understudy.cli.models import store
    from understudy.errors import UsageError
    from understudy.models.openvino_runtime import EXTRA, OpenVino
    from understudy.models.optimising import MOST_INPUTS, OptimiseOptions
    from understudy.models.variants import BITS
    from understudy.tasks.halve import halve
    from understudy.tasks.optimise import clip_pictures, optimise

    settings = chosen.settings()
    try:
        options = OptimiseOptions(layer_error, error)
    except ValueError as fault:
        raise UsageError(str(fault), "Leave --layer-error and --error out for what is usual.") from fault
    pictures = clip_pictures(calibrate, settings.max_pixels) if calibrate else sample_pictures(MOST_INPUTS)
    # It is noted beside the variant, and what is noted there must not grow without bound.
    said = few([path.name for path in calibrate], _NAMED) if calibrate else "the demo's two faces"
    with Understudy(settings) as app:
        given = (store(settings.home), app.resources.models, settings, name, pictures, said, options)
        made = halve(*given) if to == "half" else {name: optimise(*given)}
    if json:
        answer_json({"name": name, "variants": {one: record.model_dump(mode="json") for one, record in made.items()}})
    for one, record in made.items():
        say(f"{one}: {counted(record.layers, 'layer')} in {BITS[to]}, {record.left} left as they were")
        of = "weights" if to == "half" else "a layer"
        worst = f"{record.error:.2%} of its range on pictures {'looked at' if to == 'half' else 'held back'}"
        say(f"off by {worst}; {of} by {record.layer_error:.2%} at most")
        say(f"{record.size / 1e6:.0f} MB, calibrated on {record.calibration}")
    if to == "int8" and not OpenVino().usable:
        say(f"it runs once OpenVINO is here ({EXTRA}), or with --precision int8")
    if to == "half":
        say("it runs on devices that compute in half precision, and with --precision half by OpenVINO on the CPU")
