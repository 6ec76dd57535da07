"""All settings by their full names, as the one schema has them: folded away, and made when they are first unfolded."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from itertools import groupby
from typing import Any, Final, Literal, get_args, get_origin

from nicegui import ui
from nicegui.events import GenericEventArguments

from understudy.errors import UsageError
from understudy.server.faults import Fault, fault_of
from understudy.server.studio.controls import Text, attribute, box, shown
from understudy.server.studio.fields import choice, field, switch
from understudy.server.texts import Texts
from understudy.settings import Settings
from understudy.settings.schema import Setting, schema, values_of

#: Not to be set from a page: what names files and folders, how records are kept, and what has controls of its own.
_NOT_HERE: Final = ("trim.", "lanes", "max_pixels", "signing.", "home", "keep_days", "label.font")
#: What files have and live output does not.
OF_FILES: Final = ("compare", "encode.", "frame.", "blend.show", "label.later_size")


class OtherSettings:
    """Puts the settings into a page, closed.

    Args:
        texts: In whose language.
        settings: Gives what holds.
        change: Told another value, by the setting's full name; it says why that can't be.
        offered: Whether a setting, by its full name, can be changed now.
    """

    def __init__(
        self,
        texts: Texts,
        settings: Callable[[], Settings],
        change: Callable[[str, object], Fault | None],
        offered: Callable[[str], bool],
    ) -> None:
        self._texts, self._settings, self._change = texts, settings, change
        self._offered = offered
        self._open = False
        #: Groups of settings, each with its settings by full name.
        self._groups: list[tuple[ui.element, list[tuple[str, ui.element]]]] = []
        with box("others", "details") as details:
            Text(self._texts("look.others"), "summary")
            self._place = box("others-place")
        details.on("toggle", self._fold, js_handler="(event) => emit(event.target.open)")

    def _fold(self, event: GenericEventArguments) -> None:
        self._open = event.args is True
        self.look()

    def look(self) -> None:
        """Show what holds, while it is unfolded: these are many."""
        self._place.clear()
        self._groups = []
        if not self._open:
            return
        values = values_of(self._settings())
        offered = [one for name, one in schema().items() if not name.startswith(_NOT_HERE) and self._offered(name)]
        with self._place:
            Text(self._texts("look.others_more"), "p", classes="hint")
            field(self._texts("look.find"), change=lambda _: None).on(
                "typed", lambda event: self._find(str(event.args)), throttle=0.2
            )
            for group, settings in groupby(offered, lambda setting: setting.name.rpartition(".")[0]):
                with box("group", "fieldset") as place:
                    Text(group or self._texts("look.general"), "legend")
                    self._groups.append((place, [self._control(setting, values) for setting in settings]))

    def _find(self, written: str) -> None:
        """Show those settings only whose full names have in them what was written."""
        words = written.lower().replace(".", " ").split()
        for place, rows in self._groups:
            fitting = [all(word in name for word in words) for name, _ in rows]
            shown(place, any(fitting))
            for (_, row), fits in zip(rows, fitting, strict=True):
                shown(row, fits)

    def _control(self, setting: Setting, values: Mapping[str, object]) -> tuple[str, ui.element]:
        """Put a setting into the page: its full name, and what shows it."""
        name, value = setting.name, values[setting.name]
        label = name.rpartition(".")[2]
        with box("setting") as row:
            if setting.type is bool:
                control = switch(label, on=bool(value), change=partial(self._change, name))
            elif get_origin(setting.type) is Literal:
                words = {word: word for word in get_args(setting.type)}
                control = choice(label, options=words, value=str(value), change=partial(self._change, name))
            else:
                control = self._field(label, setting, value)
        attribute(control, "data-setting", name)
        return name, row

    def _field(self, label: str, setting: Setting, value: object) -> ui.element:
        """A field for what is written; what is wrong with it is said below: the list is longer than any screen."""

        def write(written: str) -> None:
            fault = self._write(setting, written)
            attribute(control, "aria-invalid", "true" if fault else "false")
            wrong.text = "" if fault is None else f"{self._texts(fault.text)} {fault.detail}"
            shown(wrong, fault is not None)

        control = field(label, value=_written(value), change=write)
        wrong = Text("", "p", classes="wrong", attributes={"role": "alert"})
        shown(wrong, False)
        return control

    def _write(self, setting: Setting, written: str) -> Fault | None:
        """Set what was written: as JSON, but for words, which stand without their quotes; why that can't be."""
        try:
            value = _read(setting, written.strip())
        except ValueError:
            usual = _written(setting.default)
            hint = f"Write it as {usual}, its usual value." if usual else "docs/settings.md says what it may be."
            return fault_of(UsageError(f"the setting {setting.name!r} can't be {written[:60]}", hint))
        return self._change(setting.name, value)


def _written(value: object) -> str:
    """A value as it is written into a field."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


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
        if get_origin(setting.type) is tuple:  # words, without brackets and quotes
            return [word.strip() for word in written.split(",")]
        raise
    return float(value) if setting.type is float and isinstance(value, int) else value
