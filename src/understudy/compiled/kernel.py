"""A kernel: finds the machine code for the types that it is called with, or has it compiled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from functools import update_wrapper
from threading import Lock
from typing import Any, TypeVar, cast

import numpy as np

from understudy.compiled import kept, loading
from understudy.compiled.loading import NotLoadableError

Function = TypeVar("Function", bound=Callable[..., Any])
#: Of NumPy's flags of an array: contiguous in C's order, in Fortran's, and writable.
_LAYOUT = 0x1 | 0x2 | 0x400
_WRITABLE = 0x400


def compiled(function: Function) -> Function:
    """Compile ``function`` on its first call; it runs without the GIL and keeps its Python type."""
    return cast(Function, Kernel(function))


def compiled_for_views(*names: str) -> Callable[[Function], Function]:
    """As ``compiled``, for a function some of whose arrays are views of larger ones, or whole, as it happens.

    One machine code takes both. Otherwise the first face that is as wide as the picture would wait for the compiler.

    Args:
        names: Of those arguments.
    """

    def decorate(function: Function) -> Function:
        return cast(Function, Kernel(function, names))

    return decorate


class Kernel:
    """A compiled function. For several threads at once.

    Args:
        function: Takes NumPy arrays and numbers, which are as typed as numba would have them. If it is called from
            Python it returns nothing; one that only other kernels call may return a number.
        views: Names of arguments that are compiled for any strides, though some of them may be contiguous.
    """

    def __init__(self, function: Callable[..., Any], views: Collection[str] = ()) -> None:
        update_wrapper(self, function)
        self.function = function
        code = function.__code__
        names = code.co_varnames[: code.co_argcount]
        if unknown := set(views) - set(names):
            raise ValueError(f"no arguments of {function.__name__}: {', '.join(sorted(unknown))}")
        #: For each argument, whether it is compiled for any strides.
        self.views = tuple(name in views for name in names)
        self._told = tuple(_WRITABLE if view else _LAYOUT for view in self.views)
        self._ready: dict[tuple[object, ...], Callable[..., Any]] = {}
        self._lock = Lock()

    def __call__(self, *values: Any) -> Any:  # noqa: ANN401 - as the function's own
        """Run it."""
        types = tuple(
            [
                (value.dtype, value.ndim, value.flags.num & told) if type(value) is np.ndarray else type(value)
                for value, told in zip(values, self._told, strict=True)
            ]
        )
        run = self._ready.get(types)
        if run is None:
            run = self._prepared(types, values)
        return run(*values)

    def digest(self) -> bytes:
        """SHA-256 of all that its machine code is made of: its code, its constants, and the kernels that it calls."""
        code, named = self.function.__code__, self.function.__globals__
        parts: list[object] = [code.co_code, code.co_consts, code.co_names, code.co_varnames]
        for name in code.co_names:
            value = named.get(name)
            if isinstance(value, Kernel):
                parts.append(value.digest())
            elif isinstance(value, (int, float, tuple, np.generic)):
                parts.append(value)
        return hashlib.sha256(repr(parts).encode()).digest()

    def _prepared(self, types: tuple[object, ...], values: tuple[Any, ...]) -> Callable[..., Any]:
        with self._lock:
            if types not in self._ready:
                self._ready[types] = self._machine_code(values) or self._by_numba()
            return self._ready[types]

    def _machine_code(self, values: tuple[Any, ...]) -> Callable[..., Any] | None:
        """The kernel for arguments of such types, without numba if its code is kept; None where that can't be."""
        signature = loading.signature_of(values, self.views)
        if signature is None:
            return None
        place = kept.Place(self.function, self.digest(), signature)
        try:
            objects = place.read()
            if objects is None:
                from understudy.compiled.compiling import object_code

                objects = object_code(self, values)
                place.write(objects)
            return loading.loaded(objects, signature)
        except NotLoadableError:
            return None

    def _by_numba(self) -> Callable[..., Any]:
        from understudy.compiled.compiling import by_numba

        return by_numba(self)
