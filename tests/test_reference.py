"""The reference of the Python interface has every public name, and a reference to what is not there is an error."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import understudy.errors

ROOT = Path(__file__).parents[1]
API = ROOT / "docs" / "api"
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
INDEX = (API / "index.rst").read_text(encoding="utf-8")


def made(source, output):
    """What Sphinx says, told as the Makefile tells it, and its exit code."""
    recipe = re.search(r"^docs:.*\n\t\$\(BIN\)/python -m sphinx (.*) docs/api build/api$", MAKEFILE, re.MULTILINE)
    command = [sys.executable, "-m", "sphinx", *recipe[1].split(), str(source), str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, done.stderr


def test_the_reference_lists_the_public_names_and_no_others():
    listed = re.findall(r"^\.\. auto(?:class|function|data):: (\w+)(?:\(\))?$", INDEX, re.MULTILINE)
    errors = [name for name in understudy.__all__ if name in vars(understudy.errors)]
    assert sorted([*listed, *errors, "__version__"]) == sorted(understudy.__all__)


@pytest.mark.slow
def test_it_is_made_without_a_warning_and_has_names_methods_and_attributes(tmp_path):
    assert made(API, tmp_path / "out") == (0, "")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    for name in ("live", "Understudy.swap", "LiveSession.stop", "Settings.faces", "CaptureOptions.height", "Cast"):
        assert f'id="understudy.{name}"' in page
    assert 'id="understudy.errors.NoFaceError"' in page


BROKEN = '''
"""A module."""

def told() -> None:
    """See :class:`NobodyInText`.

    Raises:
        NobodyRaised: never.
    """


def typed(one: "NobodyTaken") -> None:
    """Takes one."""


class Held:
    """Holds one.

    Attributes:
        one: See there.
    """

    one: "NobodyHeld"
'''


@pytest.mark.slow
def test_every_kind_of_reference_to_nothing_is_an_error(tmp_path):
    source = tmp_path / "api"
    shutil.copytree(API, source)
    (source / "broken.py").write_text(BROKEN, encoding="utf-8")
    conf = (source / "conf.py").read_text(encoding="utf-8")
    (source / "conf.py").write_text(f"{conf}\nimport sys\nsys.path.insert(0, {str(source)!r})\n", encoding="utf-8")
    page = "See :func:`nobody_on_the_page` and ``nobody_meant``.\n\n.. automodule:: broken\n   :members:\n"
    (source / "index.rst").write_text(f"Broken\n======\n\n{page}", encoding="utf-8")
    code, said = made(source, tmp_path / "out")
    assert code != 0
    named = re.findall(r"reference target not found: (\w+)", said)
    assert {*named} == {"nobody_on_the_page", "NobodyInText", "NobodyRaised", "NobodyTaken", "NobodyHeld"}
