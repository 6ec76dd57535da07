"""Variants of models that were made on this machine: smaller numbers, less time. Each lies beside its original.

A variant belongs to one file: once the original is another (fetched anew, another version), it is not used any more.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Literal, get_args

from understudy.errors import ModelError, ModelFileError
from understudy.models.entries import Entry, Strict
from understudy.models.store import MOST_BYTES, VARIANTS, Store
from understudy.regular import read_regular
from understudy.temporaries import Temporary, clean

VariantState = Literal["none", "there", "outdated", "altered"]
#: In which numbers a variant may be.
VariantPrecision = Literal["int8", "half"]
VARIANT_PRECISIONS: Final[tuple[VariantPrecision, ...]] = get_args(VariantPrecision)
#: What a person is told of each.
BITS: Final[dict[VariantPrecision, str]] = {"int8": "8 bits", "half": "16 bits"}
_LONGEST_RECORD: Final = 10_000


class VariantRecord(Strict):
    """Where a variant comes from.

    Attributes:
        original: SHA-256 of the file that it was made of.
        sha256, size: Of the variant, in bytes.
        precision: In which numbers its layers are.
        how: In words: which numbers, and how they were found.
        made: When, ISO 8601.
        tool: By what, with versions.
        calibration: What the ranges were taken from, in words.
        layers: How many layers have so many bits.
        left: How many could have had, and lost too much.
        layer_error: The largest error of such a layer: of 8 bits as a share of how much what comes out of it varies,
            of 16 as a share of how large its weights are.
        error: Mean difference from what the original gives, over the range of what comes out.
        bounds: Up to which each of them may be.
    """

    original: str
    sha256: str
    size: int
    precision: VariantPrecision = "int8"
    how: str
    made: str
    tool: str
    calibration: str
    layers: int
    left: int
    layer_error: float
    error: float
    bounds: tuple[float, float]


class Variants:
    """The variants of a store's models in one precision.

    Args:
        store: Where the originals are.
        precision: In which numbers.
    """

    def __init__(self, store: Store, precision: VariantPrecision = "int8") -> None:
        self._store, self._precision = store, precision

    def path(self, entry: Entry) -> Path:
        """Where the variant of a model is, or would be."""
        return self._store.root / VARIANTS / f"{Path(entry.file.name).stem}.{self._precision}.onnx"

    def record(self, entry: Entry) -> VariantRecord | None:
        """Where it comes from; None if there is none, or that can't be read."""
        try:
            found = VariantRecord.model_validate_json(read_regular(_record(self.path(entry)), _LONGEST_RECORD))
        except (OSError, ValueError):
            return None
        return found if found.precision == self._precision else None

    def state(self, entry: Entry) -> VariantState:
        """What is there, at a glance: sizes and the original's digest are compared, its own digest is not."""
        path, record = self.path(entry), self.record(entry)
        try:
            if not path.exists() and record is None:
                return "none"
            if record is None or path.is_symlink() or path.stat().st_size != record.size:
                return "altered"
        except OSError:  # it is gone, or nobody but its owner may look at it: the original does without it
            return "altered"
        original = self._store.record(entry)
        return "there" if original is not None and original.sha256 == record.original else "outdated"

    def read(self, entry: Entry) -> bytes:
        """The file, checked.

        Raises:
            ModelFileError: there is none, it was altered, or it was made of another original.
        """
        state, record = self.state(entry), self.record(entry)
        if state == "outdated":
            raise self._unusable(entry, "was made of another file than the one that is here now")
        if state != "there" or record is None:
            raise self._unusable(entry, "is not there" if state == "none" else "is not what was made")
        try:
            data = read_regular(self.path(entry), record.size)
        except OSError as fault:
            raise self._unusable(entry, f"can't be read ({fault.strerror or fault})") from fault
        if hashlib.sha256(data).hexdigest() != record.sha256:
            raise self._unusable(entry, "is not what was made")
        return data

    def verify(self, entry: Entry) -> VariantState:
        """What is there, after reading all of it."""
        state = self.state(entry)
        if state != "there":
            return state
        try:
            self.read(entry)
        except ModelFileError:
            return "altered"
        return state

    def check_writable(self, entry: Entry) -> None:
        """Make sure that one can be written, before the work of minutes.

        Raises:
            ModelError, NoSpaceError: it can't.
        """
        path = self.path(entry)
        self._store.folder(VARIANTS)
        self._store.lock(entry.file.name)
        with self._store.writing(path):
            Temporary(path, 0o600).remove()

    def add(self, entry: Entry, data: bytes, record: VariantRecord) -> None:
        """Put one beside its original, whole or not at all; an earlier one is replaced.

        Raises:
            ModelError: it can't be written, or its original was removed or replaced since it was read.
            NoSpaceError: the disk is full.
        """
        if len(data) > MOST_BYTES:
            raise ModelFileError(f"the variant of {entry.name} has {len(data):,} bytes", "It is too large to be kept.")
        path = self.path(entry)
        self._store.folder(VARIANTS)
        contents = ((path, data), (_record(path), record.model_dump_json(indent=1).encode()))
        # Of two that are made at once the later one stays, with its own record.
        with self._store.lock(entry.file.name), self._store.writing(path), ExitStack() as parts:
            original = self._store.record(entry)
            if original is None or original.sha256 != record.original:
                raise ModelError(
                    f"{entry.name} was removed, or is another file now: its variant is not kept",
                    f"Make it again: {again(entry, self._precision)}",
                )
            clean(path.parent)  # what is left where a run was killed
            written = []
            for place, content in contents:
                part = Temporary(place, 0o600)
                parts.callback(part.remove)
                part.path.write_bytes(content)
                written.append((part.path, place))
            # Both are on the disk now. Until both have their names nothing fits: neither is used, and that is said.
            for part_path, place in written:
                part_path.replace(place)

    def _unusable(self, entry: Entry, how: str) -> ModelFileError:
        return ModelFileError(
            f"the variant of {entry.name} in {BITS[self._precision]} {how}: it is not used",
            f"Make it again: {again(entry, self._precision)}",
        )


def again(entry: Entry, precision: VariantPrecision) -> str:
    """The command that makes a variant."""
    return f"understudy models optimise {entry.name}" + ("" if precision == "int8" else f" --to {precision}")


def _record(path: Path) -> Path:
    return path.with_name(path.name + ".json")
