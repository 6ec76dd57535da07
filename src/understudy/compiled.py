"""The one place that asks numba to compile a function.

Compiled code is cached on disk (beside the source, or in numba's own user cache where that folder
can't be written), so only the first run on a machine pays for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile ``function`` on its first call; it runs without the GIL and keeps its Python type."""
    return cast(Function, numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")(function))
