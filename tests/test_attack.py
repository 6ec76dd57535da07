"""The program that attacks with damaged inputs: it runs every kind, and notices what is wrong."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from attack.mutations import damaged, revalued  # noqa: E402
from attack.trials import SHARES, Trial, kinds_of  # noqa: E402
from attack.workers import Ran  # noqa: E402
from attack_inputs import faults  # noqa: E402


@pytest.mark.slow
def test_the_same_seed_makes_the_same_damage():
    data = bytes(range(256)) * 40
    made = [damaged(data, random.Random(f"1 pictures {n}"), [data])[0] for n in range(200)]
    assert made == [damaged(data, random.Random(f"1 pictures {n}"), [data])[0] for n in range(200)]
    assert len({*made}) > 150
    assert all(len(one) < 2_000_000 for one in made)


def test_values_in_settings_become_others_and_the_rest_stays():
    whole = {"a": 1, "b": {"c": "x", "d": {"e": 2.5}}}
    made = [revalued(json.dumps(whole).encode(), random.Random(n)) for n in range(200)]
    assert made == [revalued(json.dumps(whole).encode(), random.Random(n)) for n in range(200)]
    found = [json.loads(data) for data, _ in made]
    assert all({*one} == {"a", "b"} for one in found)
    for changed in ([one["a"] for one in found], [one["b"] for one in found]):
        assert len({json.dumps(value) for value in changed}) > 20


def test_every_kind_comes_by_its_share():
    listed = kinds_of(1000, [])
    for kind, share in SHARES.items():
        assert abs(listed.count(kind) - 1000 * share / sum(SHARES.values())) <= 1
    assert {*kinds_of(10, ["fonts"])} == {"fonts"}


FINE = b"error: the target is empty: a.png\nhint: Fetch or export it again.\n"


@pytest.mark.parametrize(
    ("ran", "fault"),
    [
        (Ran(3, b"", FINE, 1.0, 1), None),
        (Ran(0, b"", b"note: a\nwrote out.png: swapped\n", 1.0, 1), None),
        (Ran(6, b"", b"error: unexpected KeyError: 'x'\nhint: Run it again.\n", 1.0, 1), "unexpected"),
        (Ran(6, b"", b"Traceback (most recent call last):\n" + FINE, 1.0, 1), "traceback"),
        (Ran(1, b"", FINE, 1.0, 1), "code"),
        (Ran(3, b"", b"libpng warning: bad\n" + FINE, 1.0, 1), "lines"),
        (Ran(3, b"", b"", 1.0, 1), "lines"),
        (Ran(0, b"", b"", 21.0, 1), "hang"),
        (Ran(0, b"", b"", 1.0, 1_600_000_000), "memory"),
        (Ran(None, b"", b"", 1.0, 1, "crash"), "crash"),
    ],
)
def test_what_is_wrong_with_a_run_is_noticed(tmp_path, ran, fault):
    trial = Trial("pictures", 1, tmp_path, ("faces", "a.png"), "")
    assert [kind for kind, _ in faults(trial, ran)] == ([] if fault is None else [fault])


def test_files_left_behind_are_noticed(tmp_path):
    trial = Trial("pictures", 1, tmp_path, ("swap",), "", ("out.png",))
    (tmp_path / "out.png").touch()
    assert faults(trial, Ran(0, b"", b"", 1.0, 1)) == []
    assert faults(trial, Ran(3, b"", FINE, 1.0, 1)) == [("leftover", "out.png")]
    (tmp_path / ".out.12-ab.png").touch()
    assert faults(trial, Ran(0, b"", b"", 1.0, 1)) == [("leftover", ".out.12-ab.png")]


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="watches processes by /proc")
def test_an_attack_finds_nothing(tmp_path):
    program = [sys.executable, str(ROOT / "tools" / "attack_inputs.py"), "--count", "16", "--seed", "11"]
    kinds = ("records", "catalogues", "stores", "photos", "archives", "models", "settings")
    program += [word for kind in kinds for word in ("--kind", kind)]
    done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=400, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    table = done.stdout.splitlines()
    assert [line.split()[0] for line in table[1:-2]] == sorted(kinds)
    assert "16 inputs" in table[-1]
