"""All settings by their full names, as the one schema has them: folded away, and made when they are first unfolded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from itertools import groupby
from typing import Any, Final, Literal, get_args, get_origin

from understudy.errors import UsageError
from understudy.server.faults import fault_of
from understudy.server.studio.controls import Text, attribute, box, choice, field, switch
from understudy.server.studio.visitor import Visitor
from understudy.settings.schema import Setting, schema, values_of

#: Not to be set from a page: of files only, and what names files, folders and how records are kept.
_NOT_HERE: Final = (
    "compare",
    "trim.",
    "lanes",
    "max_pixels",
    "encode.",
    "signing.",
    "home",
    "keep_days",
    "blend.show",
    "label.font",
)


class OtherSettings:
    """Puts the settings into a page, closed.

    Args:
        visitor: Who looks at them.
    """

    def __init__(self, visitor: Visitor) -> None:
        self._visitor, self._desk, self._texts = visitor, visitor.studio.live, visitor.texts
        self._made = False
        with box("others", "details") as details:
            Text(self._texts("look.others"), "summary")
            self._place = box("others-place")
        details.on("toggle", lambda _: self._unfold(), args=[])

    def _unfold(self) -> None:
        if self._made:
            return
        self._made = True
        values = values_of(self._desk.settings)
        offered = [setting for name, setting in schema().items() if not name.startswith(_NOT_HERE)]
        with self._place:
            Text(self._texts("look.others_more"), "p", classes="hint")
            for group, settings in groupby(offered, lambda setting: setting.name.rpartition(".")[0]):
                with box("group", "fieldset"):
                    Text(group or self._texts("look.general"), "legend")
                    for setting in settings:
                        self._control(setting, values)

    def _control(self, setting: Setting, values: Mapping[str, object]) -> None:
        name, value = setting.name, values[setting.name]
        label = name.rpartition(".")[2]
        if setting.type is bool:
            control = switch(label, on=bool(value), change=partial(self._set, name))
        elif get_origin(setting.type) is Literal:
            words = {word: word for word in get_args(setting.type)}
            control = choice(label, options=words, value=str(value), change=partial(self._set, name))
        else:
            written = value if isinstance(value, str) else "" if value is None else json.dumps(value)
            control = field(label, value=str(written), change=partial(self._write, setting))
        attribute(control, "data-setting", name)

    def _write(self, setting: Setting, written: str) -> None:
        """Set what was written: as JSON, but for words, which stand without their quotes."""
        try:
            value = _read(setting, written.strip())
        except ValueError:
            self._desk.faults["settings"] = fault_of(
                UsageError(
                    f"the setting {setting.name!r} can't be {written[:60]}", "docs/settings.md says what it may be."
                )
            )
            self._visitor.look()
            return
        self._set(setting.name, value)

    def _set(self, name: str, value: object) -> None:
        self._desk.set({name: value})
        self._visitor.look()


def _read(setting: Setting, written: str) -> Any:  # noqa: ANN401 - of the setting's own type
    """The value that was written, as a file would have it.

    Raises:
        ValueError: it is none.
    """
    optional = type(None) in get_args(setting.type)
    if not written and optional:
        return None
    if setting.type is str:
        return written
    try:
        value = json.loads(written)
    except ValueError:
        if str in get_args(setting.type) or optional:  # "auto", where it may be a number, too
            return written
        raise
    return float(value) if setting.type is float and isinstance(value, int) else value
