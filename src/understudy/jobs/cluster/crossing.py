"""Errors that cross from one process to another: as plain values, and back as what they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from understudy import errors
from understudy.errors import NoMemoryError, RunError, UnderstudyError, of_the_system, out_of_memory
from understudy.text import printable


def packed(fault: Exception, private: str = "") -> dict[str, Any]:
    """An error as plain values.

    Args:
        fault: Any error. One that is not of this package's tree becomes one that is, as far as it can be.
        private: A folder that means nothing elsewhere: it is left out of what is said.
    """
    known = fault if isinstance(fault, UnderstudyError) else of_the_system(fault)
    if known is None and out_of_memory(fault):
        known = NoMemoryError(f"({printable(str(fault))})")
    if known is None:
        said = f"unexpected {type(fault).__name__}: {printable(str(fault))}"
        known = RunError(said, "Do it with `understudy swap --debug`, and report what it says.")
    plain = {name: value for name, value in vars(known).items() if isinstance(value, (str, int, float, type(None)))}
    if private:
        plain = {
            name: value.replace(f"{private}/", "") if isinstance(value, str) else value for name, value in plain.items()
        }
    return {"kind": type(known).__name__, **plain}


def unpacked(values: Mapping[str, Any]) -> UnderstudyError:
    """The error that ``packed`` made plain. One of a kind that is not known here has its exit code's base."""
    kind = getattr(errors, str(values["kind"]), RunError)
    if not (isinstance(kind, type) and issubclass(kind, UnderstudyError)):
        kind = RunError
    # Without its own arguments, which it has turned into a message already.
    fault: UnderstudyError = (OSError if issubclass(kind, OSError) else Exception).__new__(kind)
    UnderstudyError.__init__(fault, str(values["message"]), str(values["hint"]))
    for name, value in values.items():
        if name not in ("kind", "message", "hint"):
            setattr(fault, name, value)
    return fault
