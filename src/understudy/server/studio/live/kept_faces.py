"""Faces that the next studio has, too, because somebody asked for that: their photos, as long as they may be used.

Each has a folder in the private folder, with its photos and a file that names them.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from understudy.errors import UnderstudyError, of_the_system
from understudy.provenance.records.home import Home, write_private
from understudy.provenance.records.kept_photos import FACES, kept_name, kept_photo
from understudy.regular import read_regular
from understudy.server.keeping import keep
from understudy.server.studio.live.card import CardPhoto
from understudy.temporaries import clean

_FILE: Final = "face.json"
#: Longest file, in bytes.
_LONGEST: Final = 1_000_000


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class _Photo(_Strict):
    file: str = Field(max_length=200)
    name: str = Field(max_length=400)
    box: tuple[float, float, float, float] = Field(strict=False)


class _Face(_Strict):
    version: Literal[1] = 1
    photos: list[_Photo] = Field(min_length=1, max_length=500)


@dataclass(frozen=True)
class KeptPhoto:
    """A photo that is kept.

    Attributes:
        path: Where it lies.
        name: What the user calls it.
        box: Where the face is, x0, y0, x1, y1 in its pixels.
    """

    path: Path
    name: str
    box: tuple[float, float, float, float]


class KeptFaces:
    """All of them.

    Args:
        home: The private folder.
    """

    def __init__(self, home: Home) -> None:
        self._folder = home.folder(*FACES)

    def all(self) -> list[tuple[str, tuple[KeptPhoto, ...]]]:
        """The faces by what they are kept as, what was kept last first: their photos that are there.

        One of which no photo is there any more is removed; what can't be read, such as a newer version's, is left.
        """
        found = []
        for folder in sorted(self._folders(), key=_when, reverse=True):
            clean(folder)
            photos = _photos(folder)
            if photos:
                found.append((folder.name, photos))
            elif photos is not None:
                self.forget(folder.name)
        return found

    def keep(self, kept: str, photos: Sequence[CardPhoto]) -> str:
        """Keep a face, or other photos of one that is kept.

        Args:
            kept: What it is kept as; empty for one that was not kept.
            photos: Its photos that may be used.

        Returns:
            What it is kept as; empty if it was kept and is no more, by another studio's doing.

        Raises:
            PrivacyError, NoSpaceError, InputError: it can't be.
        """
        folder = self._folder / (kept or secrets.token_hex(16))
        if kept and not folder.exists():
            return ""
        try:
            self._write(folder, photos)
        except OSError as fault:
            if isinstance(fault, UnderstudyError):
                raise
            raise of_the_system(fault) or fault from fault
        return folder.name

    def _write(self, folder: Path, photos: Sequence[CardPhoto]) -> None:
        folder.mkdir(0o700, exist_ok=True)
        names = {kept_name(one.photo, one.path.suffix): one for one in photos}
        for file, one in names.items():
            if not (folder / file).exists():
                keep(one.path, file, folder, linked=True)
        said = _Face(photos=[_Photo(file=file, name=one.photo.name, box=one.box) for file, one in names.items()])
        write_private(folder / _FILE, said.model_dump_json(indent=1).encode())
        for path in folder.iterdir():
            if path.name not in {*names, _FILE}:
                path.unlink(missing_ok=True)

    def forget(self, kept: str) -> None:
        """Remove a face; nothing happens if it is gone."""
        for folder in self._folders():
            if folder.name == kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _folders(self) -> list[Path]:
        with suppress(OSError):
            return [one for one in self._folder.iterdir() if one.is_dir() and not one.is_symlink()]
        return []


def _when(folder: Path) -> float:
    with suppress(OSError):
        return (folder / _FILE).stat().st_mtime
    return 0.0


def _photos(folder: Path) -> tuple[KeptPhoto, ...] | None:
    """The photos that a folder's file names and that are there; None if it can't be read."""
    try:
        said = _Face.model_validate_json(read_regular(folder / _FILE, _LONGEST))
    except (OSError, ValueError, ValidationError):
        return None
    if any(kept_photo(one.file, one.name) is None for one in said.photos):
        return None
    here = [one for one in said.photos if (folder / one.file).is_file()]
    return tuple(KeptPhoto(folder / one.file, one.name, one.box) for one in here)
