"""The table of the options that set something: one row each, whichever commands have it."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import typer

from understudy.cli.options import ADVANCED, FACES, LABEL, LOOK, MASK, NEURAL, OUTPUT


class SettingOption(NamedTuple):
    """An option that sets something.

    Attributes:
        flag: Its name on the command line.
        setting: The full name of what it sets.
        kind: What it takes.
        panel: Where the help shows it.
        help: What it is for.
        default: What the help says that holds without it.
        variable: Of the environment, that stands for it.
    """

    flag: str
    setting: str
    kind: Any
    panel: str
    help: str
    default: str | None = None
    variable: str | None = None

    @property
    def parameter(self) -> inspect.Parameter:
        """It, as a parameter of a command."""
        told = typer.Option(
            self.flag,
            help=self.help,
            rich_help_panel=self.panel,
            show_default=self.default or False,
            envvar=self.variable,
        )
        name = self.flag.removeprefix("--").replace("-", "_")
        kept = inspect.Parameter.KEYWORD_ONLY
        return inspect.Parameter(name, kept, default=None, annotation=Annotated[self.kind | None, told])


OPTIONS: Final = (
    SettingOption(
        "--faces",
        "faces",
        str,
        FACES,
        "Which faces of the target: largest, smallest, all, left, right, top, bottom. `swap` takes a "
        "number of `understudy people`, too, like:PHOTO, or not:PHOTO, everybody but them.",
        "largest",
    ),
    SettingOption(
        "--source-face",
        "source_face",
        int,
        FACES,
        "Which face of a photo that shows several, counted from the left: 1 is the leftmost. Default: the largest.",
    ),
    SettingOption(
        "--detector",
        "detector",
        str,
        FACES,
        "What finds faces: embedded, or a detector of `understudy models list`.",
        "embedded",
    ),
    SettingOption(
        "--recogniser",
        "recogniser",
        str,
        FACES,
        "What tells people apart: embedded, or an embedder of `understudy models list`.",
        "embedded",
    ),
    SettingOption(
        "--on-lost",
        "guard.on_lost",
        str,
        FACES,
        "What is shown of a face that was lost: hold (the last swap for a moment, then a blur), blur, freeze (the last "
        "whole picture), or pass (the face as it is).",
        "hold",
    ),
    SettingOption(
        "--engine",
        "engine",
        str,
        LOOK,
        "What draws the face: mesh, which is built in, or a swapper of `understudy models list`.",
        "mesh",
    ),
    SettingOption(
        "--strength",
        "blend.strength",
        float,
        LOOK,
        "How much of the swap is shown: 0 is nothing, 1 all of it.",
        "1.0",
    ),
    SettingOption(
        "--shape",
        "mesh.shape",
        float,
        LOOK,
        "How far the face takes the shape of the photo's, inside its own outline: 0 not at all, 1 fully, 1.5 (the "
        "most) makes it a caricature.",
        "1.0",
    ),
    SettingOption(
        "--mask-region",
        "blend.mask.regions",
        list[str],
        MASK,
        "Which parts of the face are swapped: whole, eyes, brows, nose, mouth, skin; several with commas between them. "
        "Default: whole.",
    ),
    SettingOption(
        "--keep",
        "blend.mask.keep",
        list[str],
        MASK,
        "Which parts stay the target's own: mouth, eyes, or both with a comma between them.",
    ),
    SettingOption(
        "--mask-strength",
        "blend.mask.strength",
        float,
        MASK,
        "How far masks count: 0 shows the whole swap, 1 nothing of it outside of them.",
        "1.0",
    ),
    SettingOption(
        "--feather",
        "blend.mask.feather",
        float,
        MASK,
        "How wide the edges of masks and of the face are, as a share of the face's size: 0 to 0.5.",
        "0.0",
    ),
    SettingOption(
        "--mask-model",
        "blend.mask.occluders",
        list[str],
        MASK,
        "A model that sees what hides a face, or its parts: a mask of `understudy models list`. May be given several "
        "times.",
    ),
    SettingOption(
        "--show",
        "blend.show",
        str,
        MASK,
        "What is written: swap; or mask, the target with what would be swapped tinted.",
        "swap",
    ),
    SettingOption(
        "--enhance",
        "enhance.steps",
        list[str],
        LOOK,
        "Make the swapped face better afterwards: sharpen, denoise, clahe, or an enhancer of `understudy models list`; "
        "an upscaler makes the whole picture larger (files only). NAME, or NAME:STRENGTH from 0 to 1; without, as "
        "strong as the face needs. NAME@frame is for the whole picture, NAME@background for all but the faces. May be "
        "given several times: the steps are done in that order.",
    ),
    SettingOption(
        "--enhance-weight",
        "enhance.weight",
        float,
        LOOK,
        "How true codeformer stays to the face it is given: 0 makes a new one, 1 keeps it.",
        "0.5",
    ),
    SettingOption(
        "--label-text",
        "label.text",
        str,
        LABEL,
        "What the visible label says, in any language.",
        "AI face swap",
    ),
    SettingOption(
        "--label-corner",
        "label.corner",
        str,
        LABEL,
        "Corner in which the label stands, unless a face is there: bottom-left, bottom-right, top-left or top-right.",
        "bottom-left",
    ),
    SettingOption(
        "--label-size",
        "label.size",
        float,
        LABEL,
        "Height of the label's letters, as a share of the picture's shorter side: 0.05 to 0.25.",
        "0.05",
    ),
    SettingOption(
        "--label-later-size",
        "label.later_size",
        float,
        LABEL,
        "The same after the first 2 seconds of a video: 0.025 or more. Default: as --label-size.",
    ),
    SettingOption(
        "--label-font",
        "label.font",
        Path,
        LABEL,
        "Font file for a label in a script that the built-in fonts lack. They have Latin, Greek, Cyrillic, Armenian, "
        "Georgian, Hebrew, Arabic, Chinese, Japanese and Korean.",
    ),
    SettingOption(
        "--signing-cert",
        "signing.certificate",
        Path,
        LABEL,
        "Your own certificate (PEM) to sign with; needs --signing-key.",
    ),
    SettingOption("--signing-key", "signing.key", Path, LABEL, "Private key of --signing-cert (PEM, mode 600)."),
    SettingOption(
        "--device",
        "runtime.device",
        list[str],
        NEURAL,
        "Where neural models run: auto, cpu, cuda, tensorrt, coreml, directml or openvino; of several GPUs cuda:1 is "
        "the second. For one of them only: MODEL=DEVICE, or KIND=DEVICE such as detector=cpu or enhancer=cuda:1. May "
        "be given several times.",
        "auto",
    ),
    SettingOption(
        "--backend",
        "runtime.backend",
        str,
        NEURAL,
        "What runs neural models on the CPU: auto (OpenVINO where it is installed, else ONNX Runtime), onnxruntime or "
        "openvino.",
        "auto",
    ),
    SettingOption(
        "--precision",
        "runtime.precision",
        str,
        NEURAL,
        "How precisely neural models are computed: auto, int8 (variants that `models optimise` made), half or single.",
        "auto",
    ),
    SettingOption(
        "--threads",
        "runtime.threads",
        int,
        NEURAL,
        "Threads of each neural model that runs on the CPU. Default: one a core.",
    ),
    SettingOption(
        "--boost",
        "neural.boost",
        int,
        NEURAL,
        "Neural engines: 1 to 4 times as many pixels along each side, in 1 to 16 times the time.",
        "1",
    ),
    SettingOption(
        "--weight",
        "neural.weight",
        float,
        NEURAL,
        "Neural engines: how strong the photo's identity is, from 0 to 1. 0.5 is the identity as it is; less mixes in "
        "the target's own; more exaggerates the difference.",
        "0.5",
    ),
    SettingOption(
        "--refresh",
        "neural.refresh",
        str,
        NEURAL,
        "Neural engines: draw a face in every n-th frame only, sooner where it moved far, and carry it to the frames "
        "between along the mesh. A number of frames; or auto: as often as the face needs it, live as the model can. "
        "Default: 1, every frame, of a file; live auto.",
    ),
    SettingOption(
        "--start",
        "trim.start",
        str,
        OUTPUT,
        "Work and write only a part of the clip, which begins then: seconds, minutes:seconds such as 1:02.5, or "
        "hours:minutes:seconds.",
    ),
    SettingOption(
        "--end",
        "trim.end",
        str,
        OUTPUT,
        "When that part ends. Default: with the clip.",
    ),
    SettingOption(
        "--lanes",
        "lanes",
        Path,
        OUTPUT,
        "Stretches of the clip that have settings of their own, or are left as they are or blurred: a file (.toml or "
        ".json) that docs/parts.md shows.",
    ),
    SettingOption(
        "--frame",
        "frame.shape",
        str,
        OUTPUT,
        "Shape of what is written: as-is, a ratio such as 9:16 or 1:1, or a size such as 1080x1920.",
        "as-is",
    ),
    SettingOption(
        "--frame-fit",
        "frame.fit",
        str,
        OUTPUT,
        "What becomes of what does not fit into that shape: crop leaves it out and follows the face; pad shows the "
        "whole picture in front of a blurred one.",
        "crop",
    ),
    SettingOption(
        "--caption",
        "frame.caption",
        str,
        OUTPUT,
        "Words that stand in every frame, in the middle of its lower part.",
    ),
    SettingOption(
        "--encoder",
        "encode.encoder",
        str,
        OUTPUT,
        "Video encoder by FFmpeg's name; `understudy doctor` lists those that open.",
    ),
    SettingOption(
        "--quality", "encode.quality", int, OUTPUT, "Quality of the encoding, 0 to 100; 90 looks like the target.", "90"
    ),
    SettingOption(
        "--effort",
        "encode.effort",
        str,
        OUTPUT,
        "How long the encoder searches for a smaller file that looks the same: low, medium or high.",
        "low",
    ),
    SettingOption(
        "--animation-fps",
        "encode.animation_fps",
        float,
        OUTPUT,
        "Most frames a second of a GIF or WebP. Default: all that the target has.",
    ),
    SettingOption(
        "--max-pixels",
        "max_pixels",
        int,
        ADVANCED,
        "Refuse photos and frames with more pixels than this.",
        "96000000",
    ),
    SettingOption(
        "--home",
        "home",
        Path,
        ADVANCED,
        "Private folder with key, consents and ledger. Default: the user's own.",
        variable="UNDERSTUDY_HOME",
    ),
)
#: All of them, by flag.
EVERY: Final = frozenset(option.flag for option in OPTIONS)
#: What is said of one clip.
OF_A_CLIP: Final = frozenset({"--start", "--end", "--lanes"})
