"""How still the mesh is on a still face, and how far it trails a moving one: ``python -m benchmarks.motion``.

Puppets whose motion is known are followed, with the noise of a camera on the pictures. Printed are

- *jitter*: the mean distance of the points from their mean place while the face stands still, in thousandths of the
  distance of the eyes;
- *lag*: by how many frames (of 30 a second) what is tracked has to be moved ahead to correlate best with the truth;
- *swing*: how much of a motion's amplitude is left;
- *shut*: how much of a blink's way the lids go in the frame in which they shut, as the model sees it.

Each for the model alone (raw), as the tracker smooths it, and as it does in haste: where the model looks at every
second frame, or third, and when lids or lips move; else the mesh follows the picture. With ``--grid``, for other
settings of the filter, too.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np

from understudy import Perception
from understudy.arrays import FloatArray
from understudy.frames import Frame
from understudy.geometry import topology as topo
from understudy.testing import Motion, Puppet, portrait
from understudy.tracking import TrackerOptions
from understudy.tracking.smoothing import OneEuroOptions

RATE, LENGTH = 30, 90
#: Standard deviation of a camera's noise in grey levels, indoors.
NOISE = 3.0
#: The model alone: filters that let everything through.
RAW = TrackerOptions(smoothing=OneEuroOptions(min_cutoff=1e6), features=OneEuroOptions(min_cutoff=1e6))
#: Frames between two blinks, and for how many the eyes are shut.
BLINK_EVERY, BLINK_LONG = 20, 3


#: Points in the middle of the upper and of the lower lids.
LIDS = ((159, 386), (145, 374))


def _wave(seconds: float, hertz: float) -> float:
    return math.sin(2 * math.pi * hertz * seconds)


def _middle(mesh: FloatArray) -> FloatArray:
    return np.asarray(mesh[:, :, 0].mean(1))


def _turn(mesh: FloatArray) -> FloatArray:
    return np.asarray(mesh[:, topo.NOSE_TIP, 0] - mesh[:, :, 0].mean(1))


def _mouth(mesh: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.norm(mesh[:, topo.LIP_UPPER_INNER, :2] - mesh[:, topo.LIP_LOWER_INNER, :2], axis=1))


def _lids(mesh: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.norm(mesh[:, LIDS[0], :2] - mesh[:, LIDS[1], :2], axis=-1).mean(1))


def blinking(seconds: float) -> Motion:
    """Eyes that shut from one frame to the next, as people's do."""
    return Motion(blink=float(round(seconds * RATE) % BLINK_EVERY >= BLINK_EVERY - BLINK_LONG))


@dataclass(frozen=True)
class Trial:
    """A motion, and what of the mesh shows it."""

    name: str
    motion: Callable[[float], Motion]
    signal: Callable[[FloatArray], FloatArray]


TRIALS = (
    Trial("head to and fro, slow", lambda t: Motion(shift=(0.3 * _wave(t, 0.4), 0)), _middle),
    Trial("head to and fro, fast", lambda t: Motion(shift=(0.3 * _wave(t, 1.5), 0)), _middle),
    Trial("head turning", lambda t: Motion(yaw=20 * _wave(t, 1.0)), _turn),
    Trial("speaking", lambda t: Motion(mouth=0.5 + 0.5 * _wave(t, 2.5)), _mouth),
)


def tracked(perception: Perception, frames: Iterable[Frame], options: TrackerOptions, rests: int = 0) -> FloatArray:
    """The mesh in each frame: float32 (n, 478, 3); ``rests`` as of ``Tracker``."""
    tracker = perception.tracker(options)
    tracker.rests = rests
    found = [tracker.update(frame).faces.mesh for frame in frames]
    return np.stack([mesh[0] for mesh in found if mesh is not None])


def filmed(puppet: Puppet, motion: Callable[[float], Motion]) -> tuple[list[Frame], FloatArray]:
    """A clip with a camera's noise, and the truth."""
    rng = np.random.default_rng(0)
    shots = [puppet.render(motion(number / RATE)) for number in range(LENGTH)]
    frames = []
    for number, shot in enumerate(shots):
        noisy = shot.picture + rng.normal(0, NOISE, shot.picture.shape)
        frames.append(Frame(np.clip(noisy, 0, 255).astype(np.uint8), pts=round(number * 1000 / RATE)))
    return frames, np.stack([shot.mesh for shot in shots])


def jitter(mesh: FloatArray) -> float:
    """Mean distance of the points from their mean place over the distance of the eyes."""
    steady = mesh[RATE // 2 :, :, :2]
    eyes = np.linalg.norm(steady[:, topo.EYE_LEFT_OUTER] - steady[:, topo.EYE_RIGHT_OUTER], axis=1).mean()
    return float(np.linalg.norm(steady - steady.mean(0), axis=2).mean() / eyes)


def lag(signal: FloatArray, truth: FloatArray) -> tuple[float, float]:
    """Frames by which ``signal`` trails ``truth``, and its amplitude relative to the truth's."""
    times = np.arange(len(truth), dtype=np.float64)
    inner = slice(RATE // 2, -8)
    steps = np.arange(-3, 6, 0.05)
    likeness = [np.corrcoef(signal[inner], np.interp(times - step, times, truth)[inner])[0, 1] for step in steps]
    return float(steps[int(np.argmax(likeness))]), float(signal[inner].std() / truth[inner].std())


def shut(found: FloatArray, raw: FloatArray, truth: FloatArray) -> float:
    """The share of the lids' way that ``found`` goes in the frames in which they shut, over what ``raw`` goes."""
    apertures = np.diff([_lids(mesh) for mesh in (found, raw, truth)], axis=1)
    closing = apertures[2] < apertures[2].min() / 2
    return float(apertures[0, closing].mean() / apertures[1, closing].mean())


def report(perception: Perception, puppet: Puppet, settings: dict[str, tuple[TrackerOptions, int]]) -> None:
    """Print a table."""
    still, _ = filmed(puppet, lambda _: Motion())
    for name, how in settings.items():
        print(f"  {name:28s} still: jitter {1000 * jitter(tracked(perception, still, *how)):.2f} / 1000 of the eyes")
    for trial in TRIALS:
        frames, truth = filmed(puppet, trial.motion)
        for name, how in settings.items():
            found, swing = lag(trial.signal(tracked(perception, frames, *how)), trial.signal(truth))
            print(f"  {name:28s} {trial.name}: lag {found:.2f} frames, swing {swing:.0%}")
    frames, truth = filmed(puppet, blinking)
    raw = tracked(perception, frames, RAW)
    for name, how in settings.items():
        print(f"  {name:28s} blinking: shut {shut(tracked(perception, frames, *how), raw, truth):.0%}")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grid", action="store_true")
    one_fit = TrackerOptions(max_fits=1)
    settings = {"raw": (RAW, 0), "as the tracker does": (TrackerOptions(), 0)}
    settings |= {"in haste, every 2nd frame": (one_fit, 1), "in haste, every 3rd frame": (one_fit, 2)}
    if parser.parse_args().grid:
        for cutoff, beta in product((0.05, 0.5, 1.0, 1.7), (20, 40, 80)):
            settings[f"cut-off {cutoff} Hz, beta {beta}"] = (TrackerOptions(smoothing=OneEuroOptions(cutoff, beta)), 0)
    perception = Perception.embedded()
    for size, share in (((1280, 720), 0.45), ((1280, 720), 0.12)):
        print(f"a face of {share:.0%} of the picture's height, {size[0]}x{size[1]}")
        report(perception, Puppet(portrait("astronaut"), size, face_share=share), settings)


if __name__ == "__main__":
    main()
