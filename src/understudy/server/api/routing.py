"""Routes whose work is done beside the event loop, at the cost of one change of threads."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from understudy.server.api.files import FileAnswer


class Router(APIRouter):
    """A router whose functions may wait for a disk or a database.

    FastAPI does the same with functions that are not asynchronous, but it changes threads twice for each: for the
    function, and again to look at its answer. Both changes together are a fifth of what a small request costs.
    """

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401
        """See FastAPI. What can be fetched as a file can be asked for its headers alone, too."""
        act = _beside(endpoint)
        super().add_api_route(path, act, **options)
        if options.get("response_class") is FileAnswer:  # how large it is, before it is fetched
            super().add_api_route(path, act, **options | {"methods": ["HEAD"], "include_in_schema": False})


def _beside(act: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(act):
        return act

    @wraps(act)
    async def acted(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - as the function has them
        return await run_in_threadpool(act, *args, **named)

    return acted
