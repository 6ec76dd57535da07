"""The form for consent in writing, as a page that is printed."""

from __future__ import annotations

import datetime as dt
import html
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from understudy.provenance.records.consent_form import a_year_from
from understudy.server.texts import LANGUAGES, Texts

_PAGE: Final = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{title} · Understudy</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/assets/form.css"></head>
<body><main><button type="button" id="print">{print}</button>{body}</main>
<script>document.getElementById("print").addEventListener("click", () => window.print());</script></body></html>
"""


def form_page(texts: Texts, today: dt.date) -> str:
    """The form in the reader's language, as HTML."""
    blocks = texts("form.text", year=a_year_from(today).isoformat()).strip().split("\n\n")
    body = "".join(_block(block) for block in blocks)
    title = html.escape(blocks[0].removeprefix("# "))
    return _PAGE.format(language=texts.html_code, title=title, print=html.escape(texts("form.print")), body=body)


def _block(text: str) -> str:
    """A heading, a list or a paragraph; rows of underscores are lines to write on."""
    if text.startswith("# "):
        return f"<h1>{_lines(text[2:])}</h1>"
    if text.startswith("- "):
        return "<ul>" + "".join(f"<li>{_lines(line[2:])}</li>" for line in text.split("\n")) + "</ul>"
    return "<p>" + "<br>".join(_lines(line) for line in text.split("\n")) + "</p>"


def _lines(text: str) -> str:
    return html.escape(text).replace("____", '<span class="line"></span>').replace("[ ]", '<span class="tick"></span>')


def form_response(request: Request) -> Response:
    """The page, in the language that is asked for."""
    language = request.query_params.get("language", "")
    today = dt.datetime.now().astimezone().date()
    return HTMLResponse(form_page(Texts(language if language in LANGUAGES else "en"), today))
