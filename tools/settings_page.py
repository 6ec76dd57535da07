"""Writes docs/settings.md from the schema: ``python tools/settings_page.py [--check]``."""

from __future__ import annotations

import inspect
import json
import re
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from understudy.cli.setting_options import OPTIONS
from understudy.settings import Settings, schema

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
HEAD = """# Settings

Written by `tools/settings_page.py` from the schema, which is what the dataclasses in `understudy.settings.Settings`
say.

Settings are numbers, words and paths. `--settings FILE` reads them from a TOML or JSON file; a setting that is not in
it keeps its default. An option on the command line wins over the file, and the file over the defaults.
`UNDERSTUDY_HOME` counts as an option; in Python it holds where `Settings(home=…)` says nothing else.

```toml
# mine.toml
faces = "all"
label.text = "KI-Bild"

[blend]
strength = 0.8
light.max_gain = 2.0

[runtime.placed]
detector = "cpu"
```

```console
understudy swap -s me.jpg -t clip.mp4 -o mine.mp4 --settings mine.toml --consent self
understudy settings --settings mine.toml --strength 0.6
understudy settings --json
```

`understudy settings` takes every option that sets one of them, but `--side-by-side` and `--wipe`. It prints all
settings, as a file that `--settings` reads: TOML, which leaves out what is not set, or JSON, where that is `null`.
Paths are printed in full; a relative one in a file is relative to the file's folder. Settings that a command has no use
for are checked, too, and not used.

An unknown setting, one that is given in two ways (as `blend.strength` and in `blend`), and one with a value that it
can't have (a word for a number, a fraction for a whole number, `nan`, `inf`, out of range) are errors that name the
setting: exit code 2. A file that is missing, no text in UTF-8 (or in UTF-16 or UTF-32 with a byte order mark), not
TOML or JSON (nor is what has one name twice), not a regular file, or longer than 256,000 bytes is refused as a whole:
exit code 3. What is made in Python, `Settings(…)`, is checked likewise where it is handed over: by
`Understudy(settings)`, and by each call that takes settings.

What is not plain data is not a setting: a key in hardware (`SigningOptions.sign`) can be given from Python only.

```python
from pathlib import Path

import understudy
from understudy import BlendOptions, Settings, as_toml, read_settings

settings = Settings(faces="all", blend=BlendOptions(strength=0.8))
Path("from-python.toml").write_text(as_toml(settings), encoding="utf-8")
assert read_settings(Path("from-python.toml")) == settings
understudy.swap("me.jpg", "group.jpg", "from-python.png", consent="self", settings=settings)
```
"""
_KINDS = {int: "whole number", float: "number", str: "word", bool: "`true`, `false`", Path: "path"}


def page() -> str:
    """The page as it should be."""
    flags = {option.setting: f"`{option.flag}`" for option in OPTIONS}
    flags |= {"runtime.placed": "`--device`", "blend.mask.parsers": "`--mask-model`"}
    flags |= {"compare": "`--side-by-side`, `--wipe`"}
    meanings = dict(_meanings(Settings(), ""))
    tables: dict[str, list[str]] = {}
    for name, setting in schema().items():
        flag = flags.get(name, "")
        default = "not set" if setting.default is None else f"`{json.dumps(setting.default)}`"
        row = f"| `{name}` | {flag} | {_kind(setting.type)} | {default} | {meanings[name]} |"
        tables.setdefault(f"`{name.partition('.')[0]}`" if "." in name else "Of all stages", []).append(row)
    head = "| setting | option | may be | default | meaning |\n| --- | --- | --- | --- | --- |"
    return HEAD + "".join(f"\n## {title}\n\n{head}\n" + "\n".join(rows) + "\n" for title, rows in tables.items())


def _kind(hint: Any) -> str:  # noqa: ANN401 - a type
    """What a setting may be, in words."""
    if (plain := _KINDS.get(hint)) is not None:
        return plain
    inner = [part for part in get_args(hint) if part is not type(None)]
    if get_origin(hint) is Literal:
        return ", ".join(f"`{word}`" for word in inner)
    if get_origin(hint) is tuple and inner[-1] is ...:
        return {str: "words", dict: "tables"}.get(get_origin(inner[0]) or inner[0]) or f"some of {_kind(inner[0])}"
    if get_origin(hint) is tuple:
        return f"{len(inner)} numbers"
    return "table" if get_origin(hint) is dict else " or ".join(map(_kind, inner))


def _meanings(options: object, prefix: str) -> list[tuple[str, str]]:
    """What the docstrings say of each field."""
    said: dict[str, str] = {}
    text = re.split(r"\n(?:Attributes|Raises):\n", inspect.getdoc(type(options)) or "")[1]
    for names, meaning in re.findall(r"^    ([a-z_, ]+): (.*(?:\n {8}.*)*)", text, re.M):
        plain = re.sub(r"\s+", " ", meaning).replace("``", "`").replace("|", "\\|").replace("None", "not set")
        said |= dict.fromkeys(names.split(", "), plain)
    found = []
    for field in fields(options):  # type: ignore[arg-type]
        value = getattr(options, field.name)
        inner = _meanings(value, f"{prefix}{field.name}.") if is_dataclass(value) else None
        found += [(prefix + field.name, said[field.name])] if inner is None else inner
    return found


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text() == page() else "docs/settings.md is old: python tools/settings_page.py")
    PAGE.write_text(page())
