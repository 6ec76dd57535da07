"""Says what is inside: the Python and Debian packages that are installed here, in CycloneDX 1.6 (JSON).

python sbom.py OUTPUT

It takes nothing but Python, run by the interpreter whose packages are meant. Versions and licences are what the
packages themselves say: Python's metadata, and /usr/share/doc/PACKAGE/copyright.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageMetadata, distributions, version
from pathlib import Path
from urllib.parse import quote

#: What is asked of dpkg, for each package.
_ASKED = "${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\n"
#: A licence's name, not its text.
_LONGEST_NAME = 64


def sbom(components: Iterable[dict[str, object]], made: float) -> dict[str, object]:
    """The whole document.

    Args:
        components: What is inside.
        made: When, in seconds since 1970.
    """
    parts = sorted(components, key=lambda part: str(part["bom-ref"]))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(parts, sort_keys=True))}",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(made)),
            "component": {
                "type": "container",
                "bom-ref": "image",
                "name": "understudy",
                "version": version("understudy"),
            },
        },
        "components": parts,
    }


def python_packages() -> Iterator[dict[str, object]]:
    """Those that this interpreter imports, each once."""
    seen = set()
    for found in distributions():
        name = re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()
        if name not in seen:
            seen.add(name)
            yield _component("pypi", name, found.version, python_licences(found.metadata))


def python_licences(metadata: PackageMetadata) -> list[dict[str, object]]:
    """What a package's metadata says of its licence, as CycloneDX has it: an expression, or names."""
    for expression in metadata.get_all("License-Expression") or []:
        return [{"expression": expression}]
    classified = [
        line.rpartition(" :: ")[2]
        for line in metadata.get_all("Classifier") or []
        if line.startswith("License :: ") and not line.endswith("OSI Approved")
    ]
    # Some put the licence's text there: its first line names it, or nothing does.
    said = [text.strip().partition("\n")[0] for text in metadata.get_all("License") or []]
    names = classified or [line for line in said if 0 < len(line) <= _LONGEST_NAME]
    return _named(names)


def debian_packages(listed: str, documents: Path) -> Iterator[dict[str, object]]:
    """Those that dpkg has installed.

    Args:
        listed: What dpkg-query said, as ``_ASKED`` asks it.
        documents: The folder with a folder for each package, in which ``copyright`` is.
    """
    for line in listed.splitlines():
        state, name, said, architecture = line.split("\t")
        if state == "installed":
            licences = debian_licences(documents / name / "copyright")
            yield _component("deb/debian", name, said, licences, f"?arch={architecture}")


def debian_licences(path: Path) -> list[dict[str, object]]:
    """The licences that a ``copyright`` file names: in Debian's format for machines, or by the texts it points to."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    names = [name.strip() for name in re.findall(r"^License:[ \t]*(\S.*)$", text, re.MULTILINE)]
    names = names or [name.rstrip(".") for name in re.findall(r"/usr/share/common-licenses/([\w.+-]+)", text)]
    return _named(names or [f"see {path}"])


def _named(names: Iterable[str]) -> list[dict[str, object]]:
    return [{"license": {"name": name}} for name in dict.fromkeys(names)]


def _component(kind: str, name: str, said: str, licences: list[dict[str, object]], more: str = "") -> dict[str, object]:
    address = f"pkg:{kind}/{quote(name, safe='')}@{quote(said, safe='')}{more}"
    part: dict[str, object] = {"type": "library", "bom-ref": address, "name": name, "version": said, "purl": address}
    return part | ({"licenses": licences} if licences else {})


def main(output: Path) -> None:
    """Write the document."""
    asked = subprocess.run(["dpkg-query", "--show", "--showformat", _ASKED], capture_output=True, text=True, check=True)
    parts = [*python_packages(), *debian_packages(asked.stdout, Path("/usr/share/doc"))]
    made = float(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    output.write_text(json.dumps(sbom(parts, made), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
