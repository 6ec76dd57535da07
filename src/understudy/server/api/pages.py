"""The page at /docs: the API's description, readable without anything from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any, Final

_STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { margin-top: 2.5rem; font-size: 1.2rem; text-transform: capitalize }
summary { padding: .5rem 0; cursor: pointer } code, pre { font: .9rem/1.5 ui-monospace, monospace }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8886; border-radius: .4rem }
.method { display: inline-block; min-width: 4.5rem; font-weight: 600 }
details { border-bottom: 1px solid #8884 }
"""


def reference(description: Mapping[str, Any]) -> str:
    """The page.

    Args:
        description: The API in OpenAPI's terms.
    """
    about = description["info"]
    tags: dict[str, list[str]] = {}
    for path, methods in description["paths"].items():
        for method, route in methods.items():
            tags.setdefault(route.get("tags", ["about"])[0], []).append(_route(method, path, route))
    parts = "".join(f"<h2>{escape(tag)}</h2>{''.join(routes)}" for tag, routes in tags.items())
    schemas = "".join(
        f"<details><summary><code>{escape(name)}</code></summary>{_json(schema)}</details>"
        for name, schema in description.get("components", {}).get("schemas", {}).items()
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(about['title'])} API</title><style>{_STYLE}</style><main>"
        f"<h1>{escape(about['title'])} API {escape(about['version'])}</h1><p>{escape(about['description'])}</p>"
        f'<p>For programs: <a href="/api/v1/openapi.json">openapi.json</a></p>{parts}<h2>Forms</h2>{schemas}</main>'
    )


def _route(method: str, path: str, route: Mapping[str, Any]) -> str:
    asked = [
        f"<li><code>{escape(one['name'])}</code> in {escape(one['in'])}"
        f"{'' if one.get('required') else ', may be left out'}"
        f" {escape(one.get('description', ''))}</li>"
        for one in route.get("parameters", ())
    ]
    body = route.get("requestBody", {}).get("content", {})
    answers = [
        f"<li>{escape(status)}: {escape(one.get('description', ''))} {_named(one)}</li>"
        for status, one in route["responses"].items()
    ]
    return (
        f'<details><summary><span class="method">{escape(method.upper())}</span> <code>{escape(path)}</code><br>'
        f"{escape(route.get('description', ''))}</summary>"
        f"{'<p>Asked:</p><ul>' + ''.join(asked) + '</ul>' if asked else ''}"
        f"{'<p>Body:</p>' + _json(body) if body else ''}<p>Answered:</p><ul>{''.join(answers)}</ul></details>"
    )


def _named(answer: Mapping[str, Any]) -> str:
    content = answer.get("content", {})
    return f"<code>{escape(json.dumps(content))}</code>" if content else ""


def _json(value: object) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2))}</pre>"
