"""What the program says of an error, in the words of whoever asks the API.

It speaks to who sits at the command line of this machine: it names files as they lie here, and commands and options as
remedies. Who asks the API has other names for their files, and can neither run a command here nor see a folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from understudy.errors import UnderstudyError
from understudy.server.api.shelf import Shelf

_SETTINGS: Final = "GET /api/v1/settings says what each may be."
_ROOM: Final = "Whoever runs the server has to free some space."
#: What is said to do at the command line, and by the API. In this order.
_HINTS: Final = (
    (r"docs/settings\.md says what each may be; `understudy settings --json` prints them\.", _SETTINGS),
    (r"`--help` says what it may be\.", _SETTINGS),
    (r"Choose another --start or --end\.", "Choose another trim.start or trim.end."),
    (r"Leave --start and --end out\.", "Leave trim.start and trim.end out."),
    (r", with --consent-note \(of `consent grant`: --note\)", ", as the consent's note"),
    (
        r"Say on what ground: --consent self, granted \(with --consent-note\), fictional or sample\.",
        "Add the person again, and say on what ground: self, granted (with a note), fictional or sample.",
    ),
    (
        r"If it was given again: (understudy consent grant .*)",
        r"If it was given again, whoever runs the server can say so: \1",
    ),
    (r"Free some space, or [^.]* on another disk(: --home)?\.( Nothing was left behind\.)?", _ROOM),
    (r"Free some space: the file was not taken\.", f"{_ROOM} The file was not taken."),
    (r"Make it smaller, or raise the limit: --max-pixels \d+\.", "Make it smaller."),
    (r"To fetch: (understudy models pull .*)", r"Whoever runs the server can fetch it: \1"),
    (r"`understudy jobs list` shows all\.", "GET /api/v1/swaps says how far each is."),
)
#: The same of what is wrong.
_ERRORS: Final = (
    (r"^there is no job \d+$", "the swap was removed"),
    (r"^can't (\w+) job \d+:", r"can't \1 the swap:"),
    # A photo that its user removed: the record of consent for it was ended.
    (r"consent for [0-9a-f]{32}\.\w+ (has expired|expired on [\d-]+)", "a photo was removed, or its time is over"),
)
#: A file of the server's that nobody has a name for any more.
_UNNAMED: Final = re.compile(r"\b[0-9a-f]{32}\.[A-Za-z0-9]{1,8}\b")
#: A command, an option or a page of the documentation. Tokens are made by whoever runs the server, as is said there.
_COMMAND: Final = re.compile(r"(?<![\w-])--[a-z]|(?<![\w-])-m pip |\bunderstudy (?!token\b)[a-z]|\bdocs/\w+\.md")
_WHO_CAN: Final = "hoever runs the server"
#: What is said to do where nothing else is left.
_ELSE: Final = "GET /api/v1/settings says what may be ordered; whoever runs the server can look further."


def told(
    shelf: Shelf, user: str | None, error: str, hint: str, *, ids: bool = False, names: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What is wrong, as ``error``, and what to do, as ``hint``, for a user of the API.

    Args:
        shelf: What is kept of users.
        user: Who; None if that is not known.
        error: What is wrong, as the program says it.
        hint: What to do, as the program says it.
        ids: Whether an id alone stands for a file, too; else it is one that the user is to have.
        names: What the user calls files that are not kept, by the server's names of them.
    """
    words = {"error": error, "hint": hint}
    if user is not None:
        with suppress(UnderstudyError):  # what names files is not to be had: they are not named then
            words = {key: shelf.in_their_words(user, one, ids=ids) for key, one in words.items()}
    for file, name in (names or {}).items():
        words = {key: one.replace(file, name) for key, one in words.items()}
    words = {key: without_places(one, shelf.home.root) for key, one in words.items()}
    for pattern, instead in _ERRORS:
        words["error"] = re.sub(pattern, instead, words["error"])
    return {"error": _UNNAMED.sub("a file that was removed", words["error"]), "hint": hint_of(words["hint"])}


def hint_of(hint: str) -> str:
    """What to do by the API, where the program says what to do at the command line.

    >>> hint_of("Choose another --start or --end.")
    'Choose another trim.start or trim.end.'
    """
    for pattern, instead in _HINTS:
        hint = re.sub(pattern, instead, hint)
    kept = [one for one in re.split(r"(?<=[.;?!]) ", hint) if _WHO_CAN in one or not _COMMAND.search(one)]
    return " ".join(kept) or (_ELSE if hint else "")


def without_places(said: str, home: Path) -> str:
    """What is said, without where the server has its private folder.

    Args:
        said: By the program, for whoever runs it.
        home: The private folder.
    """
    rest = rf"({re.escape(os.sep)}[^\s:;,'\"]*)?"
    return re.sub(rf"(?<![\w/.]){re.escape(str(home.absolute()))}{rest}", "the server's private folder", said)
