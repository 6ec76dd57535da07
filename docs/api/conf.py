"""How Sphinx makes the reference of the Python interface from the docstrings: ``make docs``.

Every name that a docstring, a signature or ``index.rst`` refers to must be in the reference: any other is an error.
"""

import ast
import re
import types
from importlib import import_module
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.pycode import ModuleAnalyzer

import understudy
from understudy import arrays

project = "Understudy"
version = release = understudy.__version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "alabaster"
html_theme_options = {"description": "The Python interface", "fixed_sidebar": True}
html_show_copyright = False
html_show_sourcelink = False

#: Types that have a name of their own, which signatures show.
ALIASES = ("AnySink", "AnySource", "Cast", "FaceChoice", "Ground", "MakeSink", "Progress", "Verdict")
#: NumPy arrays by what they hold.
ARRAYS = [name for name in vars(arrays) if name.endswith("Array")]
#: What others make than the reader: what that takes is nobody else's business.
MADE_FOR_THE_READER = {
    f"understudy.{name}" for name in ("LabelledFrame", "LiveSession", "Perception", "SealedFrame", "Tracker")
}

nitpicky = True
nitpick_ignore_regex = [
    # Of Python's own library and of NumPy: the lists of their names would have to be fetched.
    ("py:.*", r"(collections\.abc|fractions|os|pathlib|typing|numpy|np)\..*|Fraction|PathLike"),
    ("py:class", "|".join(ARRAYS)),
]

autodoc_class_signature = "mixed"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_type_aliases = {name: name for name in (*ALIASES, *ARRAYS)}
napoleon_numpy_docstring = False
add_module_names = False
python_use_unqualified_type_names = True


def setup(app: Sphinx) -> None:
    """What Sphinx calls first."""
    # Before napoleon, which reads the sections.
    app.connect("autodoc-process-docstring", _sections, priority=400)
    app.connect("autodoc-process-docstring", _alias_by_its_comment)
    app.connect("autodoc-process-signature", _signature)
    app.connect("missing-reference", _alias)


def _sections(_app: Sphinx, _what: str, name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Make ``width, height: Of …`` two entries, as Sphinx has it, and leave out what only the makers need."""
    text = "\n".join(lines)
    if name in MADE_FOR_THE_READER:
        text = re.sub(r"^Args:\n(?: {4}.*\n)+", "", text, flags=re.MULTILINE)
    for names, meaning in re.findall(r"^ {4}(\w+(?:, \w+)+): (.*(?:\n {8}.*)*)", text, re.MULTILINE):
        apart = "\n".join(f"    {one}: {meaning}" for one in names.split(", "))
        text = text.replace(f"    {names}: {meaning}", apart)
    lines[:] = text.split("\n")


def _alias_by_its_comment(
    _app: Sphinx, _what: str, name: str, object_: object, _options: object, lines: list[str]
) -> None:
    """Say of a type with a name of its own what the comment above it says."""
    alias = name.rpartition(".")[2]
    if alias in ALIASES:
        module = import_module(f"understudy.{understudy._MODULES[alias]}")
        lines[:] = ModuleAnalyzer.for_module(module.__name__).find_attr_docs()["", alias]
        if isinstance(object_, types.UnionType):  # of the others Sphinx says it by itself
            source = Path(str(module.__file__)).read_text(encoding="utf-8")
            found = re.search(rf"^{alias} = (.*)$", source, re.MULTILINE)
            assert found is not None, f"{alias} is not defined in one line"
            lines += [f"alias of ``{ast.unparse(ast.parse(found[1]))}``", ""]


def _signature(
    _app: Sphinx, what: str, name: str, _object: object, _options: object, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    if what == "class" and name in MADE_FOR_THE_READER:
        return "", None
    # What Sphinx leaves of an alias in a union.
    return tuple(text and re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", text) for text in (signature, returns))


def _alias(app: Sphinx, env: BuildEnvironment, node: pending_xref, shown: nodes.TextElement) -> nodes.reference | None:
    """Find a type with a name of its own, which Sphinx before 9 looks for among classes only."""
    target = node.get("reftarget")
    if target not in ALIASES:
        return None
    return env.get_domain("py").resolve_xref(env, node["refdoc"], app.builder, "data", target, node, shown)
