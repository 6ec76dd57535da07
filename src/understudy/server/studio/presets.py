"""Settings under a name, kept in the private folder."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from understudy.errors import RecordsError, UnderstudyError, UsageError
from understudy.provenance.records.home import write_private
from understudy.regular import read_regular
from understudy.settings import Settings, changed
from understudy.settings.lanes import OWN
from understudy.text import printable

#: Most presets, and longest file in bytes.
_MOST, _LONGEST = 100, 1_000_000
#: Longest name.
LONGEST_NAME: Final = 40
#: What a preset holds: how faces look. Neither a clip, nor people, nor what protects.
NAMES: Final = ("engine", "neural.boost", "neural.weight", *OWN)


class Presets:
    """All of them. For several threads.

    Args:
        path: The file; made when something is kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._kept: dict[str, Mapping[str, Any]] | None = None

    def all(self) -> Mapping[str, Mapping[str, Any]]:
        """Settings by their full names, by the presets' names, in alphabetical order.

        Raises:
            RecordsError: the file is damaged.
        """
        with self._lock:
            return MappingProxyType(dict(sorted(self._read().items(), key=lambda one: one[0].casefold())))

    def keep(self, name: str, values: Mapping[str, Any]) -> str:
        """Keep settings under a name, in place of what has it; the name as it is shown.

        Args:
            name: As the user wrote it.
            values: By full name; of ``NAMES`` only.

        Raises:
            UsageError: no name, or too many presets.
            RecordsError, PrivacyError, NoSpaceError: the file can't be read or written.
        """
        shown = printable(" ".join(name.split()))[:LONGEST_NAME]
        if not shown:
            raise UsageError("a preset needs a name", "Write one.")
        with self._lock:
            kept = dict(self._read())
            if shown not in kept and len(kept) >= _MOST:
                raise UsageError(f"there are {_MOST} presets already", "Remove one.")
            kept[shown] = {key: values[key] for key in NAMES if key in values}
            self._write(kept)
        return shown

    def remove(self, name: str) -> None:
        """Remove a preset; nothing happens if it is gone.

        Raises:
            RecordsError, PrivacyError, NoSpaceError: the file can't be read or written.
        """
        with self._lock:
            kept = dict(self._read())
            if kept.pop(name, None) is not None:
                self._write(kept)

    def _read(self) -> dict[str, Mapping[str, Any]]:
        if self._kept is None:
            self._kept = self._parsed()
        return self._kept

    def _parsed(self) -> dict[str, Mapping[str, Any]]:
        try:
            found = json.loads(read_regular(self._path, _LONGEST))
            if not isinstance(found, dict) or len(found) > _MOST:
                raise ValueError("no presets")
            for values in found.values():
                if not {*values} <= {*NAMES}:
                    raise ValueError("other settings")
                changed(Settings(), values)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, RecursionError, UnderstudyError) as fault:
            raise RecordsError(f"the presets in {self._path} can't be read", "Move the file aside.") from fault
        return found

    def _write(self, kept: dict[str, Mapping[str, Any]]) -> None:
        write_private(self._path, json.dumps(kept, ensure_ascii=False, indent=1).encode())
        self._kept = kept
