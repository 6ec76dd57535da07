"""The head of a chain of records: a file that says which record is the newest, so that its removal shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from understudy.provenance.records.home import write_private
from understudy.provenance.records.seal import Seal, same
from understudy.regular import read_regular

#: Most bytes of it.
_LONGEST: Final = 4096


class Head:
    """One chain's.

    Args:
        path: Its file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def say(self, seal: Seal, number: int, link: str) -> None:
        """Write that the newest record has this number and link.

        Raises:
            PrivacyError, NoSpaceError: it can't be written.
        """
        mac = seal.mac("head", (number, link))
        write_private(self.path, json.dumps({"number": number, "hash": link, "mac": mac}).encode())

    def problems(
        self,
        seal: Seal | None,
        link_of: Callable[[int], str | None],
        origin: tuple[int, str],
        *,
        any_record: bool,
    ) -> list[str]:
        """What is wrong with it, in words; nothing if all holds, or if it is behind.

        Args:
            seal: What it was made with; None if the key is gone.
            link_of: Tells the link of a record, by its number; None where there is no such record.
            origin: Number and link that the oldest record hangs on.
            any_record: Whether there are records.
        """
        try:
            said = read_regular(self.path, _LONGEST)
        except FileNotFoundError:
            return ["the head is missing"] if any_record or origin[0] else []
        except OSError as fault:
            return [f"the head can't be read: {fault.strerror}"]
        try:
            head = json.loads(said)
            number, link, mac = (head[name] for name in ("number", "hash", "mac"))
        except (ValueError, KeyError, TypeError, RecursionError):
            return ["the head is damaged"]
        if seal is None:
            return ["its key is gone"]
        if not same(seal.mac("head", (number, link)), mac):
            return ["the head was edited"]
        known = origin[1] if number == origin[0] else link_of(number)
        if known is None:
            return [] if number < origin[0] else [f"the newest records, up to {number}, were removed"]
        return [] if known == link else [f"record {number} is not the one that was written"]
