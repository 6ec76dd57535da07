"""Files as answers: whole, in parts (``Range``), or their headers alone (``HEAD``)."""

from __future__ import annotations

import json
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

#: What is wrong with a part that can't be given, by status. Starlette says both in plain text, or not at all.
_FAULTS: Final = {
    400: ("there is no such Range", "Write Range: bytes=FIRST-LAST, or leave it out for the whole file."),
    416: ("the file ends before that part", "The answer's header Content-Range has its size in bytes."),
}


class FileAnswer(FileResponse):
    """A file; where the part that is asked for can't be given, that is said as every other fault of the API is."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, as ASGI has it."""
        status = 200

        async def send_in_our_words(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            if status in _FAULTS:
                error, hint = _FAULTS[status]
                body = json.dumps({"error": error, "hint": hint, "status": status}).encode()
                if message["type"] == "http.response.start":
                    headers = MutableHeaders(raw=message["headers"])
                    headers["content-type"], headers["content-length"] = "application/json", str(len(body))
                    message = {**message, "headers": headers.raw}
                else:
                    message = {**message, "body": b"" if scope["method"] == "HEAD" else body}
            await send(message)

        await super().__call__(scope, receive, send_in_our_words)
