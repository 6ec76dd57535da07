"""The one place that asks numba to compile a function.

Compiled code is cached on disk (beside the source, or in numba's own user cache where that folder
can't be written), so only the first run on a machine pays for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

#: LLVM's fast arithmetic, but for the flags that would let it assume there are no NaNs and infinities.
FAST = {"contract", "reassoc", "nsz", "arcp", "afn"}

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile ``function`` on its first call; it runs without the GIL and keeps its Python type."""

    def with_cache(cache: bool) -> Function:
        built = numba.njit(function, cache=cache, nogil=True, fastmath=FAST, error_model="numpy")
        return cast(Function, built)

    try:
        return with_cache(True)
    except RuntimeError:  # no folder that can be written to: compile anew in every process
        return with_cache(False)
