"""What a command line says of the settings: its options over those of a file, and these over the defaults."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.models import OptionInfo

from understudy.cli.options import ADVANCED, PANELS
from understudy.cli.setting_options import EVERY, OPTIONS, SettingOption
from understudy.errors import UsageError

if TYPE_CHECKING:
    from understudy.settings import Settings

SettingsFile = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        help="Take settings from this file (.toml or .json), in the form that `understudy settings` prints. Options "
        "that are given here win over it.",
        rich_help_panel=ADVANCED,
    ),
]


@dataclass(frozen=True)
class Chosen:
    """What a command line says of the settings.

    Attributes:
        file: Of ``--settings``.
        given: The options that are there, with what they were given.
    """

    file: Path | None
    given: Mapping[SettingOption, Any]

    @property
    def files(self) -> list[Path]:
        """What is read of it."""
        return [] if self.file is None else [self.file]

    def given_to(self, flag: str) -> Any:  # noqa: ANN401 - each of its own type
        """What an option was given; None where it is not there."""
        return next((value for option, value in self.given.items() if option.flag == flag), None)

    def without(self, flag: str) -> Chosen:
        """The same without one option."""
        return replace(self, given={option: value for option, value in self.given.items() if option.flag != flag})

    def settings(self) -> Settings:
        """The settings that hold: what is given here, else the file's, else the defaults.

        Raises:
            UnderstudyError: the file can't be used, or something can't be set like that.
        """
        from understudy.settings import Settings, changed, read_lanes, read_settings

        settings = Settings() if self.file is None else read_settings(self.file)
        values: dict[str, object] = {}
        called: dict[str, str] = {}
        mask_models: list[str] = []
        for option, given in self.given.items():
            if option.flag == "--mask-model":
                mask_models = given
                continue
            if option.setting == "runtime.device":
                found = _devices(given)
            else:
                found = {option.setting: read_lanes(given) if option.flag == "--lanes" else _words(option, given)}
            values |= found
            called |= dict.fromkeys(found, option.flag)
        settings = changed(settings, values, called=called)
        return changed(settings, _masks(mask_models, settings.home)) if mask_models else settings


def takes_settings(flags: Collection[str] = EVERY) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command the options of these flags, and ``--settings``; it gets them as its argument ``chosen``.

    Args:
        flags: Of ``OPTIONS``.
    """
    options = {option.parameter.name: option for option in OPTIONS if option.flag in flags}

    def equip(command: Callable[..., None]) -> Callable[..., None]:
        def run(**words: Any) -> None:  # noqa: ANN401 - each of its own type
            given = {option: words.pop(name) for name, option in options.items()}
            given = {option: value for option, value in given.items() if value not in (None, [])}
            command(chosen=Chosen(words.pop("settings_file"), given), **words)

        own = inspect.signature(command, eval_str=True).parameters.values()
        parameters = [parameter.replace(kind=_BY_NAME) for parameter in own if parameter.name != "chosen"]
        parameters += [option.parameter for option in options.values()]
        parameters.append(inspect.Parameter("settings_file", _BY_NAME, default=None, annotation=SettingsFile))
        parameters.sort(key=_panel)
        # Typer learns from these which options there are.
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        run.__doc__, run.__name__, run.__module__ = command.__doc__, command.__name__, command.__module__
        return run

    return equip


_BY_NAME = inspect.Parameter.KEYWORD_ONLY


def _panel(parameter: inspect.Parameter) -> int:
    """Where a parameter stands in the help: what is in no panel comes first."""
    told = getattr(parameter.annotation, "__metadata__", ())
    panel = next((one.rich_help_panel for one in told if isinstance(one, OptionInfo)), None)
    return 0 if panel is None else 1 + PANELS.index(panel)


def _devices(words: list[str]) -> dict[str, object]:
    """Where neural models run, of words such as ``cuda``, ``cuda:1`` and ``detector=cpu``.

    Raises:
        UsageError: there is no such device, or two places are named for all.
    """
    from understudy.models.devices import DEVICES, AskedDevice

    places: dict[str, str] = {}
    for word in words:
        name, equals, asked = word.rpartition("=")
        hint = f"Choose one of {', '.join(DEVICES)}, or MODEL=DEVICE; of several GPUs cuda:1 is the second."
        try:
            AskedDevice.of(asked)
        except ValueError as fault:
            raise UsageError(f"--device can't be {word!r}: {fault}", hint) from fault
        if bool(equals) != bool(name):
            raise UsageError(f"--device can't be {word!r}", hint)
        if places.get(name, asked) != asked:
            raise UsageError(f"--device names two devices for {name or 'all models'}", "Name one of them.")
        places[name] = asked
    found: dict[str, object] = {"runtime.device": places.pop("")} if "" in places else {}
    return found | ({"runtime.placed": places} if places else {})


def _words(option: SettingOption, given: object) -> object:
    """Of an option that takes several words all of them, with commas between them or one after the other.

    A number where an option takes a number or a word.
    """
    if option.flag == "--refresh" and isinstance(given, str) and given.isdecimal():
        return int(given)
    if option.kind != list[str] or not isinstance(given, list):
        return given
    return [word.strip() for words in given for word in words.split(",")]


def _masks(names: list[str], home: Path | None) -> dict[str, object]:
    """The settings of mask models, each by what the catalogue says that it is.

    Raises:
        UsageError: the catalogue has no mask of that name.
        UnderstudyError: the private folder's own part of the catalogue can't be used.
    """
    from understudy.models.catalogue import OWN_FILE, Catalogue
    from understudy.provenance.records.home import Home

    root = (Home.default() if home is None else Home(home)).root
    families = {entry.name: entry.family for entry in Catalogue.load(root / OWN_FILE).of_kind("mask")}
    for name in names:
        if name not in families:
            raise UsageError(f"--mask-model can't be {name!r}", f"Known ones: {', '.join(families)}.")
    parsers = [name for name in names if families[name] == "bisenet"]
    return {
        "blend.mask.occluders": [name for name in names if name not in parsers],
        "blend.mask.parsers": parsers,
    }
