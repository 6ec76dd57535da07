"""What a call of ``understudy jobs add`` asks for: of a table, or of targets and patterns."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from understudy import names
from understudy.cli.consent import is_photo
from understudy.cli.terminal import say
from understudy.errors import UnderstudyError, UsageError
from understudy.text import counted, listed

if TYPE_CHECKING:
    from understudy.jobs.job import Order
    from understudy.jobs.rows import BadRow


def check_faces(faces: str | None) -> None:
    """Refuse to choose by who somebody is: settings, which jobs have, know nothing of that.

    Raises:
        UsageError: ``--faces`` names a person.
    """
    from understudy.face import FaceChoice

    if faces is not None and faces not in get_args(FaceChoice):
        raise UsageError(
            f"jobs can't choose by {faces!r}: they take {listed(get_args(FaceChoice))}",
            "Say who gets whose face in a cast file: understudy people FILE --cast who.toml, then --cast who.toml.",
        )


class Asked(NamedTuple):
    """The orders of a call; of a table also their lines, which of them wait for which, and rows that are none."""

    orders: Sequence[Order]
    lines: Sequence[int] = ()
    among: Sequence[Sequence[int]] = ()
    bad: Sequence[BadRow] = ()


def asked_for(
    targets: Sequence[Path],
    photos: Sequence[Path],
    cast_file: Path | None,
    table: Path | None,
    output: Path | None,
    folder: Path | None,
    usual: Mapping[str, Any],
) -> Asked:
    """What the words of a call, or the table that they name, ask for. What a row of a table says wins.

    Args:
        targets: Files and patterns.
        photos: Of the person whose face is used.
        cast_file: Who gets whose face, in place of photos.
        table: In place of all these.
        output: The file to write.
        folder: The folder to write into.
        usual: What the call says of all jobs, by column of a table.

    Raises:
        UsageError: nothing, or not to be understood.
    """
    from understudy.jobs.tables import read_orders

    if table is None:
        return Asked(_orders(_expanded(targets), photos, cast_file, output, folder, usual))
    if targets or photos or cast_file or output or folder:
        raise UsageError("a table says itself what is put where", "Leave out targets, --source, --cast, -o and --to.")
    return Asked(*read_orders(table, usual))


def row_of(asked: Asked, place: int, fault: UnderstudyError) -> BadRow:
    """What is wrong with one of the orders, by its place, with its line in the table if there is one."""
    from understudy.jobs.rows import BadRow

    name = asked.orders[place].target.name
    return BadRow(asked.lines[place] if asked.lines else 0, f"{name}: {fault.message}", fault.hint)


def photos_of_all(orders: Sequence[Order]) -> list[Path]:
    """The photos of all jobs, each once. What can't be read is told when its job is added."""
    from understudy.casting.cast import photos_of
    from understudy.jobs.adding import cast_of

    found: dict[Path, None] = {}
    for order in orders:
        with suppress(UnderstudyError):
            found |= dict.fromkeys(photos_of(cast_of(order)))
    return [photo for photo in found if is_photo(photo)]


def _expanded(targets: Sequence[Path]) -> list[Path]:
    """Targets, with patterns that no shell has taken apart.

    Raises:
        UsageError: nothing fits one, it is a folder or a table, or none was named.
    """
    from understudy.jobs.tables import SUFFIXES

    found: list[Path] = []
    for target in targets:
        if names.is_folder(target):
            raise UsageError(f"{target} is a folder", f"Name its files, as in '{target / '*.mp4'}'.")
        if target.suffix.lower() in SUFFIXES:
            raise UsageError(f"{target.name} is a table", f"For its jobs: understudy jobs add --from {target}")
        if target.exists() or not glob.has_magic(str(target)):
            found.append(target)
            continue
        fitting = sorted(Path(name) for name in glob.glob(str(target), recursive=True))  # noqa: PTH207 - of any root
        if not fitting:
            hint = "Check the folder and the pattern."
            if "[" in str(target):
                hint = "Brackets stand for one of the letters in them: write [[] for a bracket, or name the files."
            raise UsageError(f"nothing fits {target}", hint)
        found += _without_results(fitting)
    if not found:
        raise UsageError("no target", "Name pictures or clips, or a table with --from.")
    return found


def _orders(
    targets: Sequence[Path],
    photos: Sequence[Path],
    cast_file: Path | None,
    output: Path | None,
    folder: Path | None,
    usual: Mapping[str, Any],
) -> list[Order]:
    from understudy.jobs.job import Order
    from understudy.jobs.tables import result_beside
    from understudy.media.files.opening import written_suffix

    if output is not None and (folder is not None or len(targets) > 1):
        raise UsageError("--output names one file", "For several targets name a folder with --to.")

    def made_of(target: Path) -> Path:
        return result_beside(target) if folder is None else folder / f"{target.stem}{written_suffix(target)}"

    return [Order(one, output or made_of(one), tuple(photos), cast_file, **usual) for one in targets]


def _without_results(fitting: Sequence[Path]) -> list[Path]:
    """What fits a pattern, without what an earlier call made of something else that fits it."""
    from understudy.jobs.tables import result_beside

    results = {result_beside(path) for path in fitting}
    kept = [path for path in fitting if path not in results]
    if left := len(fitting) - len(kept):
        say(f"left out {counted(left, 'result')} of other files that fit: name one to have it swapped again")
    return kept
