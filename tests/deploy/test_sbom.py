"""What the image says is inside: of the format that it claims, and true."""

from __future__ import annotations

import importlib.util
import json
import re
from email.message import Message
from importlib.metadata import distributions
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

SCRIPT = Path(__file__).parents[2] / "deploy" / "sbom.py"
LISTED = (
    "installed\tlibc6\t2.36-9+deb12u10\tamd64\n"
    "config-files\tgone\t1.0\tall\n"
    "installed\tpasswd\t1:4.13+dfsg1-1+b1\tamd64\n"
    "installed\tquiet\t3\tall\n"
)


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("sbom", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def documents(tmp_path):
    for name, text in (
        ("libc6", "see /usr/share/common-licenses/LGPL-2.1, and /usr/share/common-licenses/GPL-2."),
        (
            "passwd",
            "Format: 1.0\nLicense: BSD-3-clause\nFiles: *\nLicense: GPL-2+\n more\nLicense: BSD-3-clause\n",
        ),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "copyright").write_text(text)
    return tmp_path


def test_it_is_of_the_format_that_it_claims(script, documents):
    parts = [*script.python_packages(), *script.debian_packages(LISTED, documents)]
    text = json.dumps(script.sbom(parts, 1_700_000_000.0))
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(text) is None
    assert validator.validate_str(text.replace('"bomFormat": "CycloneDX", ', "")) is not None


def test_it_is_the_same_each_time(script, documents):
    parts = [*script.debian_packages(LISTED, documents)]
    assert script.sbom(parts, 0.0) == script.sbom(parts[::-1], 0.0)


def test_it_names_every_python_package_with_its_version_once(script):
    installed = {}
    for one in distributions():
        installed.setdefault(re.sub(r"[-_.]+", "-", one.metadata["Name"]).lower(), one.version)
    found = [(part["name"], part["version"]) for part in script.python_packages()]
    assert sorted(found) == sorted(installed.items())


def test_it_names_debians_packages_that_are_installed_with_their_licences(script, documents):
    libc, passwd, quiet = script.debian_packages(LISTED, documents)
    assert libc["purl"] == "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64"
    assert [one["license"]["name"] for one in libc["licenses"]] == ["LGPL-2.1", "GPL-2"]
    assert passwd["version"] == "1:4.13+dfsg1-1+b1"
    assert [one["license"]["name"] for one in passwd["licenses"]] == ["BSD-3-clause", "GPL-2+"]
    assert "licenses" not in quiet


@pytest.mark.parametrize(
    ("said", "licences"),
    [
        ({"License-Expression": "MIT OR Apache-2.0"}, [{"expression": "MIT OR Apache-2.0"}]),
        ({"License": "BSD 3-Clause\n\nRedistribution and use"}, [{"license": {"name": "BSD 3-Clause"}}]),
        ({"License": "Permission is hereby granted, free of charge, to any person obtaining a copy"}, []),
        (
            {"License": "x", "Classifier": "License :: OSI Approved :: MIT License"},
            [{"license": {"name": "MIT License"}}],
        ),
        ({}, []),
    ],
)
def test_a_python_packages_licence_is_what_it_says(script, said, licences):
    metadata = Message()
    for name, value in said.items():
        metadata[name] = value
    assert script.python_licences(metadata) == licences
