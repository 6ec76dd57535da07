"""Where the tests reach into what is private to the package: its attributes, and the names that its modules keep."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

#: Public all the same: of named tuples, of ``os`` and of ``typing``'s protocols.
PUBLIC = {"_replace", "_asdict", "_fields", "_make", "_exit", "_is_protocol"}
_PRIVATE = re.compile(r"_[A-Za-z0-9]\w*")
#: Calls that take an attribute's name as a text.
_BY_NAME = {"getattr", "setattr", "delattr", "hasattr", "__setattr__", "__getattribute__"}


def private_names(path: Path) -> Iterator[tuple[int, str]]:
    """The line and the name of each private name that a test module takes of something that is not its own.

    Its own is what its classes give themselves: ``self._x``, where the class says ``self._x = …`` or ``def _x``.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = {id(node) for kind in ast.walk(tree) if isinstance(kind, ast.ClassDef) for node in _of_its_own(kind)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in own and _is_private(node.attr):
            yield node.lineno, node.attr
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("understudy"):
            yield from ((node.lineno, one.name) for one in node.names if _is_private(one.name))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _BY_NAME:
            yield from _named(node)


def _named(call: ast.Call) -> Iterator[tuple[int, str]]:
    for given in call.args:
        if isinstance(given, ast.Constant) and isinstance(given.value, str):
            last = given.value.rpartition(".")[2]
            if _is_private(last):
                yield given.lineno, last


def _of_its_own(kind: ast.ClassDef) -> Iterator[ast.Attribute]:
    mine = [
        node
        for node in ast.walk(kind)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
    ]
    given = {node.attr for node in mine if isinstance(node.ctx, ast.Store)}
    given |= {node.name for node in kind.body if isinstance(node, ast.FunctionDef)}
    yield from (node for node in mine if node.attr in given)


def _is_private(name: str) -> bool:
    return _PRIVATE.fullmatch(name) is not None and name not in PUBLIC
