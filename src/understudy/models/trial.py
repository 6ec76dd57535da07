"""Whether an open model is what its entry says, and works: tried before its first real picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from understudy.arrays import AnyArray, FloatArray
from understudy.errors import ModelError, ModelFileError
from understudy.models.graphs import EMBEDDING

if TYPE_CHECKING:
    from understudy.models.session import Session

#: Axes of a picture.
PICTURE_AXES: Final = 4
#: Mean difference of half precision from single, over the range of what comes out, up to which it is used.
_HALF_IS_FINE: Final = 0.01
#: Seed of the noise that models are tried with.
_SEED: Final = 5
#: What answers noise with the same number everywhere is broken, if it is one of these kinds; and not if it gives fewer
#: numbers than that.
_LIVELY: Final = ("swapper", "enhancer", "upscaler", "embedder", "converter", "conditioner")
#: Kinds that take numbers in the place of a picture.
_BLIND: Final = ("converter", "conditioner")
_ENOUGH: Final = 64
#: Size of an axis that a graph leaves open.
_OPEN_AXIS: Final = 1


def check_inputs(session: Session) -> None:
    """Whether the graph takes what its entry says.

    Raises:
        ModelFileError: it does not.
    """
    entry = session.entry
    for name in (entry.input.name, entry.source.name if entry.source else None):
        if name is not None and name not in session.inputs:
            raise ModelFileError(
                f"{entry.name} has no input {name!r}, but {', '.join(session.inputs)}",
                "The file is another model than the one that the catalogue describes.",
            )
    kernels = entry.source is not None and entry.source.kind == "conditioned"
    if entry.source is not None and (len(session.inputs) < 2 or (len(session.inputs) > 2 and not kernels)):
        raise ModelFileError(
            f"{entry.name} has {len(session.inputs)} inputs; a swapper has two{' or more' if kernels else ''}",
            "The file is another model than the one that the catalogue describes.",
        )
    if entry.kind not in _BLIND:
        if len(session.shape(session.target)) != PICTURE_AXES:
            raise ModelFileError(
                f"{entry.name} takes no picture", "The file is another model than the one that the catalogue describes."
            )
        side = session.shape(session.target)[-1 if entry.input.layout == "nchw" else -2]
        if entry.kind != "detector" and isinstance(side, int) and side != entry.input.size:
            raise ModelFileError(
                f"{entry.name} takes pictures of {side} pixels, its entry says {entry.input.size}",
                "The file is another model than the one that the catalogue describes.",
            )


def noise(session: Session) -> list[dict[str, FloatArray]]:
    """What a model is tried with: noise, and one flat colour, on which norms in half precision divide by zero."""
    random, source = np.random.default_rng(_SEED), session.entry.source
    tries = []
    for flat in (False, True):
        values = {}
        for name in session.inputs:
            declared = session.shape(name)
            shape = [size if isinstance(size, int) and size > 0 else _OPEN_AXIS for size in declared]
            kernel = source is not None and source.kind == "conditioned" and name != session.target
            if len(shape) != PICTURE_AXES:
                if len(shape) > 1 and shape[-1] != declared[-1]:  # what has one axis is a number, not an embedding
                    shape[-1] = EMBEDDING
            elif shape[2:] != declared[2:]:
                photo = source.picture if source is not None and name != session.target else None
                size = (photo or session.entry.input).size
                shape = [1, 3, size, size] if session.entry.input.layout == "nchw" else [1, size, size, 3]
            drawn = random.normal(size=shape) * 0.3
            colour = flat and len(shape) == PICTURE_AXES and not kernel
            values[name] = np.full(shape, 0.25, np.float32) if colour else drawn.astype(np.float32)
        tries.append(values)
    return tries


def probe(session: Session) -> None:
    """Run a model on noise.

    Raises:
        ModelError: it fails, or answers with what is no number, or with the same number everywhere.
    """
    for number, values in enumerate(noise(session)):
        outputs = session.run(values)
        _check_output(session, outputs[0])
        _check_mask(session, outputs)
        for output in outputs:
            if not np.isfinite(output).all():
                raise ModelError(f"{session.entry.name} gives results that are not numbers on {session.device}", "")
            # A swapper's mask may say of noise that there is no face at all.
            own_mask = session.entry.kind == "swapper" and output is not outputs[0]
            lively = session.entry.kind in _LIVELY and number == 0 and not own_mask
            if lively and output.size >= _ENOUGH and float(np.ptp(output)) == 0:
                raise ModelError(f"{session.entry.name} gives the same number everywhere on {session.device}", "")


def _check_output(session: Session, output: FloatArray) -> None:
    """Whether what comes out is of the shape that its kind has.

    Raises:
        ModelFileError: it is not.
    """
    entry, side = session.entry, session.entry.input.size
    wanted: dict[str, tuple[int, ...]] = {
        "swapper": (1, 3, side, side),
        "enhancer": (1, 3, side, side),
        "embedder": (1, EMBEDDING),
        "converter": (1, EMBEDDING),
        "content": (1, 2),
        "attributes": (1, 3),
    }
    shape = wanted.get(entry.kind)
    if shape is not None and output.shape != shape:
        raise ModelFileError(
            f"{entry.name} gives numbers in the shape {output.shape}, not {shape}",
            "The file is another model than the one that the catalogue describes.",
        )


def _check_mask(session: Session, outputs: Sequence[FloatArray]) -> None:
    """Whether a swapper gives the mask that its entry says it gives.

    Raises:
        ModelFileError: it does not.
    """
    entry, side = session.entry, session.entry.input.size
    if entry.output is None or entry.output.mask is None:
        return
    if len(outputs) < 2 or outputs[1].shape != (1, 1, side, side):
        raise ModelFileError(
            f"{entry.name} gives no mask of {side} pixels beside its picture",
            "The file is another model than the one that the catalogue describes.",
        )


def agree(half: Session, single: Session) -> bool:
    """Whether two sessions of one model give nearly the same."""
    for values in noise(single):
        for one, other in zip(half.run(values), single.run(values), strict=True):
            if float(np.abs(one - other).mean()) > _HALF_IS_FINE * _spread(other):
                return False
    return True


def gives(session: Session, tries: Sequence[Mapping[str, FloatArray]], expected: Sequence[Sequence[AnyArray]]) -> bool:
    """Whether a session gives what is expected of each try, also after another one; False where that tells nothing.

    Args:
        session: Which.
        tries: What goes in, by input.
        expected: What should come out of each.

    Raises:
        ModelError, NoMemoryError: it fails.
    """
    if all(np.array_equal(one, other) for one, other in zip(expected[0], expected[-1], strict=True)):
        return False  # it may have run once, and given that again
    order = [*range(len(tries)), 0]
    for number in order:
        for one, other in zip(session.answers(tries[number]), expected[number], strict=True):
            if one.shape != other.shape or not np.allclose(one, other, rtol=1e-3, atol=1e-3 * _spread(other)):
                return False
    return True


def _spread(values: AnyArray) -> float:
    return max(float(np.ptp(values.astype(np.float64))) if values.size else 0.0, 1e-6)
