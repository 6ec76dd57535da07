"""The program's entry: commands, errors and exit codes."""

from __future__ import annotations

import os
import re
import sys
import time
import traceback
import warnings
from collections.abc import Sequence
from typing import Final

import typer

from understudy.cli import (
    audit,
    consent,
    demo,
    doctor,
    evaluate,
    faces,
    inspect,
    jobs,
    ledger,
    live,
    models,
    people,
    serve,
    settings,
    studio,
    swap,
    token,
)
from understudy.cli.terminal import answer, answer_json, say
from understudy.errors import ClockError, NoMemoryError, RunError, UnderstudyError, of_the_system, out_of_memory
from understudy.text import pasted
from understudy.version import __version__

INTERRUPTED = 130
UNEXPECTED = 6
#: Commands, as hints name them, that are about what is in a private folder.
_OF_A_HOME: Final = re.compile(r"\bunderstudy (?:audit|consent|jobs|ledger|models|token) [a-z]+")


def _version(wanted: bool) -> None:
    if wanted:
        answer(f"understudy {__version__}")
        raise typer.Exit


def application() -> typer.Typer:
    """All commands with their options."""
    app = typer.Typer(
        name="understudy",
        help="One photo's face on the person in front of the camera: on your own machine, labelled by construction.",
        epilog="Exit codes: 0 done, 2 usage, 3 input unusable, 4 refused (consent or content), 5 model missing, "
        "6 failed while running, 130 interrupted. --debug shows the traceback of an error.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def _options(
        version: bool = typer.Option(False, "--version", help="Say the version.", callback=_version, is_eager=True),
    ) -> None:
        del version

    app.command("demo")(demo.command)
    app.command("swap")(swap.command)
    app.command("live")(live.command)
    app.command("studio")(studio.command)
    app.command("serve")(serve.command)
    app.command("people")(people.command)
    app.command("faces")(faces.command)
    app.command("inspect")(inspect.command)
    app.add_typer(consent.app, name="consent")
    app.add_typer(ledger.app, name="ledger")
    app.add_typer(token.app, name="token")
    app.add_typer(audit.app, name="audit")
    app.add_typer(models.app, name="models")
    app.add_typer(jobs.app, name="jobs")
    app.command("eval")(evaluate.command)
    app.command("settings")(settings.command)
    app.command("doctor")(doctor.command)
    return app


def main(arguments: list[str] | None = None) -> int:
    """Run the program.

    Args:
        arguments: The command line without the program's name; ``sys.argv`` if None.

    Returns:
        The exit code.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    as_json = "--json" in words
    if not debug:
        warnings.simplefilter("ignore")  # libraries' remarks are for developers
    try:
        if not {"-h", "--help", "--version"} & {*words}:
            _check_surroundings()
        code = int(application()(words, prog_name="understudy", standalone_mode=False) or 0)
        # Typer turns Ctrl-C into this exit code by itself, without a word.
        return _interrupted(as_json) if code == INTERRUPTED else code
    except UnderstudyError as error:
        _show_traceback(debug)
        if _was_interrupted(error):
            return _interrupted(as_json)
        return _fail(error.message, _of_that_home(error.hint, words), error.exit_code, as_json=as_json)
    except typer.TyperException as error:
        _show_traceback(debug)
        message = " ".join(error.format_message().split()).rstrip(".")
        if not message:  # the help was shown instead
            return int(getattr(error, "exit_code", 2))
        # Of the command that was meant, as far as that was found out.
        command = getattr(getattr(error, "ctx", None), "command_path", "") or "understudy"
        return _fail(_lower_first(message), f"See `{command} --help`.", 2, as_json=as_json)
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted(as_json)
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback reaches a user unasked
        _show_traceback(debug)
        if _was_interrupted(error):
            return _interrupted(as_json)
        text = " ".join(str(error).split()) or "no message"
        if out_of_memory(error):
            lack = NoMemoryError(f"({text})")
            return _fail(lack.message, lack.hint, lack.exit_code, as_json=as_json)
        if (known := of_the_system(error)) is not None:
            return _fail(known.message, known.hint, known.exit_code, as_json=as_json)
        hint = "Run it again with --debug and report what it says."
        return _fail(f"unexpected {type(error).__name__}: {text}", hint, UNEXPECTED, as_json=as_json)


def _check_surroundings() -> None:
    """Tell at once of what no command works without, here because libraries stumble over it while they are loaded.

    Raises:
        RunError: the working directory is gone, or the clock shows a time that nothing can count.
    """
    try:
        os.getcwd()  # noqa: PTH109 - the system's own words
    except OSError as fault:
        gone = isinstance(fault, FileNotFoundError)
        what = "is gone" if gone else f"can't be used: {fault.strerror}"
        raise RunError(f"the working directory {what}", "Change to a folder that exists.") from fault
    try:
        time.time()
    except OverflowError as fault:
        raise ClockError("a year after 2262") from fault


def _was_interrupted(error: BaseException | None) -> bool:
    """Whether an error comes of an interruption: one that arrives in compiled code comes out as SystemError."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _interrupted(as_json: bool) -> int:
    return _fail("interrupted", "No output has its name before it is whole and signed.", INTERRUPTED, as_json=as_json)


def _fail(message: str, hint: str, code: int, *, as_json: bool) -> int:
    if as_json:
        answer_json({"error": {"message": message, "hint": hint, "exit_code": code}})
    say(f"error: {' '.join(message.split())}")
    say(f"hint: {' '.join(hint.split())}")
    return code


def _of_that_home(hint: str, words: Sequence[str]) -> str:
    """A hint whose commands are about the private folder that the command line names, if it names one."""
    follows = zip(words, [*words[1:], ""], strict=True)
    named = [after if word == "--home" else word[7:] for word, after in follows if re.match("--home(=|$)", word)]
    if not named:
        return hint
    home = pasted(named[-1])
    return _OF_A_HOME.sub(lambda command: f"{command[0]} --home {home}", hint)


def _show_traceback(debug: bool) -> None:
    if debug:
        traceback.print_exc()


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
