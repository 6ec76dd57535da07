"""OpenVINO runs models on the CPU as ONNX Runtime does, keeps what it compiled for this machine, reports nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import numpy as np
import pytest

from tests.models.openvino_fake import Compiled, FakeOpenVino, rounded
from tests.test_no_network import network_calls, watched
from understudy.cli.main import main
from understudy.errors import ModelError, UsageError
from understudy.models import openvino_runtime
from understudy.models.catalogue import Catalogue
from understudy.models.compiled import CompiledModels
from understudy.models.devices import RuntimeOptions
from understudy.models.opening import Runtime
from understudy.models.openvino_runtime import OpenVino
from understudy.models.providers import first_line
from understudy.models.store import FOLDER, Store
from understudy.models.trial import noise

SHAPE = (1, 3, 128, 128)
REAL = OpenVino()
real = pytest.mark.skipif(not REAL.usable, reason="needs the extra openvino")
GIVEN = {"target": np.random.default_rng(0).random(SHAPE, np.float32), "source": np.ones((1, 512), np.float32) / 22}


@pytest.fixture
def home(shelf, tmp_path):
    """A private folder of this test's own."""
    shutil.copytree(shelf, tmp_path / "home", copy_function=os.link, ignore=shutil.ignore_patterns("compiled"))
    return tmp_path / "home"


@pytest.fixture
def store(home):
    return Store(home / FOLDER, Catalogue.load(home / "models.toml"))


def opened(store, fake, name="inswapper_128", **options):
    return Runtime(RuntimeOptions(**options), openvino=OpenVino(fake)).open(store, store.catalogue.entries[name])


def plain(store, name="inswapper_128"):
    return Runtime(RuntimeOptions(device="cpu", backend="onnxruntime")).open(store, store.catalogue.entries[name])


@pytest.mark.slow
def test_it_runs_models_on_the_cpu_where_it_is_installed(store):
    fake = FakeOpenVino(can=["FP32"])
    session = opened(store, fake, threads=2)
    assert (session.device, session.program, session.precision) == ("cpu", "openvino", "single")
    assert session.notes == ()
    assert np.array_equal(session.run(GIVEN)[0], plain(store).run(GIVEN)[0])
    (config,) = fake.compiled
    assert config["INFERENCE_PRECISION_HINT"] == "f32"
    assert config["INFERENCE_NUM_THREADS"] == 2
    assert session.fixed
    assert opened(store, fake, backend="onnxruntime").program == "onnxruntime"


@pytest.mark.slow
def test_what_was_given_is_not_written_over_and_threads_do_not_meet(store):
    session = opened(store, FakeOpenVino())
    pictures = [np.full(SHAPE, value, np.float32) for value in np.linspace(0, 1, 12)]
    alone = [session.run({**GIVEN, "target": picture})[0] for picture in pictures]
    with ThreadPoolExecutor(4) as threads:
        beside = list(threads.map(lambda picture: session.run({**GIVEN, "target": picture})[0], pictures))
    assert all(np.array_equal(a, b) for a, b in zip(alone, beside, strict=True))
    assert not np.array_equal(alone[0], alone[-1])


def test_where_it_is_missing_onnx_runtime_runs_models_and_nothing_is_said(store, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    session = Runtime().open(store, store.catalogue.entries["inswapper_128"])
    assert (session.program, session.notes) == ("onnxruntime", ())


def test_asked_for_and_missing_is_an_error_that_names_the_extra(home, hopper_path, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "openvino", None)
    words = ["swap", "-s", str(hopper_path), "-t", str(hopper_path), "-o", str(tmp_path / "o.png")]
    words += ["--engine", "inswapper_128", "--home", str(home), "--consent", "sample", "--backend", "openvino"]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "OpenVINO can't be used here" in said
    assert "pip install 'understudy[openvino]'" in said
    assert not (tmp_path / "o.png").exists()


def too_old():
    """A version that has other names, or what is left of one."""
    return ModuleType("openvino")


def without_its_libraries():
    def core():
        raise RuntimeError("Cannot load library libopenvino_intel_cpu_plugin.so")

    module = ModuleType("openvino")
    module.get_version, module.Core = lambda: "2026.4.1", core
    return module


@pytest.mark.parametrize("module", [too_old, without_its_libraries])
def test_one_that_is_of_no_use_stops_nothing_and_doctor_says_why(module, store, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", module())
    assert Runtime().open(store, store.catalogue.entries["inswapper_128"]).program == "onnxruntime"
    with pytest.raises(UsageError, match="OpenVINO can't be used here") as error:
        Runtime(RuntimeOptions(backend="openvino")).open(store, store.catalogue.entries["inswapper_128"])
    assert "openvino" in error.value.hint
    why = OpenVino().fault
    assert ("it is too old" if module is too_old else "libopenvino_intel_cpu_plugin.so") in why
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert OpenVino().fault == ""  # not there at all


def test_what_does_not_open_there_runs_with_onnx_runtime_and_it_is_said(store):
    class Refusing(FakeOpenVino):
        def compile_model(self, data, device, config):
            raise RuntimeError("Unsupported operator: Wondrous\nand much more")

    session = opened(store, Refusing())
    assert session.program == "onnxruntime"
    assert session.notes == (
        "inswapper_128 does not open with OpenVINO: Unsupported operator: Wondrous; ONNX Runtime is used",
    )
    with pytest.raises(ModelError, match="Wondrous"):
        opened(store, Refusing(), backend="openvino")


@pytest.mark.slow
def test_half_precision_is_for_what_makes_pictures_and_where_the_cpu_computes_so(store):
    half = FakeOpenVino(rounded)
    assert opened(store, half).precision == "half"
    assert opened(store, half, "arcface_w600k_r50").precision == "single"
    assert opened(store, half, "nsfw_384").precision == "single"
    assert opened(store, half, "arcface_w600k_r50", precision="half").precision == "half"
    assert opened(store, half, precision="single").precision == "single"
    assert opened(store, FakeOpenVino(rounded, can=["FP32"])).precision == "single"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("half", "said"),
    [
        (lambda values: values + 0.1, "gives something else"),
        (lambda values: values * np.float32(np.nan), "not numbers"),
        (lambda values: values * 0, "same number everywhere"),
    ],
    ids=["something else", "no numbers", "one grey"],
)
def test_half_precision_that_does_not_hold_is_not_used_and_not_kept(half, said, store):
    for _ in range(2):
        session = opened(store, FakeOpenVino(half))
        assert session.precision == "single"
        assert said in session.notes[0]
        assert np.array_equal(session.run(GIVEN)[0], plain(store).run(GIVEN)[0])


def compiled(store):
    return sorted((store.root / "compiled").glob("*.blob"))


def test_what_was_compiled_is_kept_for_its_owner_and_opened_the_next_time(store):
    first, second = FakeOpenVino(rounded), FakeOpenVino(rounded)
    before = opened(store, first)
    (file,) = compiled(store)
    assert os.name != "posix" or file.stat().st_mode & 0o77 == 0
    assert os.name != "posix" or file.parent.stat().st_mode & 0o77 == 0
    assert len(first.compiled) == 2  # single, to hold half against
    after = opened(store, second)
    assert (len(second.compiled), len(second.imported)) == (0, 1)
    assert after.precision == before.precision == "half"
    assert np.array_equal(after.run(GIVEN)[0], before.run(GIVEN)[0])


@pytest.mark.slow
@pytest.mark.parametrize("other", ["instructions", "version", "model"])
def test_what_was_compiled_elsewhere_is_not_believed(other, store, put, monkeypatch):
    """The private folder came from a machine that can more: what was compiled there could stop this one."""
    opened(store, FakeOpenVino())
    there = FakeOpenVino()
    if other == "instructions":
        there = FakeOpenVino(can=["FP32", "BF16", "AMX"])
    elif other == "version":
        there = FakeOpenVino(version="2027.1")
    else:
        from understudy.testing.twins import inswapper_twin

        entry = store.catalogue.entries["inswapper_128"]
        part = store.folder("partial") / "x"
        part.write_bytes(inswapper_twin((8, 16, 32, 64), blocks=1, seed=9))
        store.path(entry).unlink()
        store.add(entry, part, "a test")
    opened(store, there)
    assert there.imported == []
    assert len(there.compiled) == 2


@pytest.mark.slow
def test_nor_what_was_compiled_for_a_processor_with_other_instructions(store, tmp_path, monkeypatch):
    """OpenVINO calls both by one name, and tells of both the same."""
    for number, flags in enumerate(("sse4_2 avx2 avx512f", "sse4_2 avx2")):
        told = tmp_path / f"cpuinfo-{number}"
        told.write_text(f"processor : 0\nmodel name : A\nflags : {flags}\n")
        monkeypatch.setattr(openvino_runtime, "CPUINFO", told)
        fake = FakeOpenVino()
        opened(store, fake)
        assert (fake.imported, len(fake.compiled)) == ([], 2)
    again = FakeOpenVino()
    opened(store, again)
    assert len(again.imported) == 1


@pytest.mark.slow
def test_a_record_that_was_copied_beside_another_machines_file_is_not_believed(store):
    """Whatever a file is called: what its record says counts."""
    opened(store, FakeOpenVino())
    (file,) = compiled(store)
    record = file.with_name(file.name + ".json")
    said = json.loads(record.read_text())
    record.write_text(json.dumps(said | {"processor": "another"}))
    fake = FakeOpenVino()
    opened(store, fake)
    assert fake.imported == []


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut", "turned", "no record", "no json", "a list"])
def test_what_was_damaged_is_made_anew(damage, store):
    opened(store, FakeOpenVino())
    (file,) = compiled(store)
    record = file.with_name(file.name + ".json")
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-100])
    elif damage == "turned":
        file.write_bytes(file.read_bytes()[::-1])
    elif damage == "no record":
        record.unlink()
    else:
        record.write_text("[]" if damage == "a list" else "{")
    fake = FakeOpenVino()
    assert opened(store, fake).precision == "half"
    assert fake.imported == []
    assert fake.compiled
    again = FakeOpenVino()
    opened(store, again)
    assert len(again.imported) == 1


@pytest.mark.slow
def test_what_openvino_itself_does_not_take_back_is_made_anew(store):
    class Refusing(FakeOpenVino):
        def import_model(self, data, device, config):
            self.imported.append(config)
            raise RuntimeError("unknown blob")

    opened(store, FakeOpenVino())
    fake = Refusing()
    assert opened(store, fake).program == "openvino"
    assert len(fake.imported) == 1
    assert fake.compiled


def test_what_is_no_use_and_can_t_be_removed_is_tried_once(store, monkeypatch):
    """On a read-only disk it was tried again and again, for hours with a large model."""

    class Refusing(FakeOpenVino):
        def import_model(self, data, device, config):
            self.imported.append(config)
            raise RuntimeError("unknown blob")

    opened(store, FakeOpenVino(can=["FP32"]))
    monkeypatch.setattr(CompiledModels, "remove", lambda self, key: None)
    fake = Refusing(can=["FP32"])
    assert opened(store, fake).program == "openvino"
    assert len(fake.imported) == 1


@pytest.mark.parametrize("fault", [RuntimeError("Not Implemented"), MemoryError()])
def test_what_openvino_does_not_give_to_be_kept_runs_all_the_same(fault, store, monkeypatch):
    def refused(self, stream):
        raise fault

    monkeypatch.setattr(Compiled, "export_model", refused)
    session = opened(store, FakeOpenVino())
    assert (session.program, session.precision, session.notes) == ("openvino", "half", ())
    assert compiled(store) == []


def test_a_disk_that_is_full_stops_nothing(store, monkeypatch):
    def full(self, *_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("understudy.models.compiled.Temporary.__init__", full)
    assert opened(store, FakeOpenVino()).program == "openvino"
    assert compiled(store) == []


@pytest.mark.slow
def test_what_was_used_longest_ago_goes_first(store, monkeypatch):
    opened(store, FakeOpenVino())
    (old,) = compiled(store)
    size = old.stat().st_size
    os.utime(old, (1, 1))
    monkeypatch.setattr("understudy.models.compiled.MOST_BYTES", size + 10_000_000)
    opened(store, FakeOpenVino(), "arcface_w600k_r50")
    assert old in compiled(store)
    monkeypatch.setattr("understudy.models.compiled.MOST_BYTES", size + 10)
    opened(store, FakeOpenVino(), "xseg_1")
    assert old not in compiled(store)
    assert not old.with_name(old.name + ".json").exists()


@pytest.mark.slow
def test_removing_a_model_removes_what_was_compiled_of_it(home, store, capsys):
    opened(store, FakeOpenVino())
    opened(store, FakeOpenVino(), "arcface_w600k_r50")
    assert main(["models", "remove", "inswapper_128", "--home", str(home)]) == 0
    assert [path.name.split(".")[0] for path in compiled(store)] == ["arcface_w600k_r50"]
    assert not list((store.root / "compiled").glob("inswapper*"))


@pytest.mark.slow
def test_what_was_made_for_one_person_is_not_kept(store):
    """Kernels say who it is: they have a place of their own, and go when the consent does."""
    entry = store.catalogue.entries["mobilefaceswap_224"]
    first = Runtime(RuntimeOptions(backend="onnxruntime")).open(store, entry)
    kernels = noise(first)[0]
    runtime = Runtime(openvino=OpenVino(FakeOpenVino()))
    made = runtime.open_with(store, entry, [kernels[name] for name in first.inputs[1:]])
    assert made.program == "openvino"
    assert compiled(store) == []


#: A package that reports as soon as it is imported, and one that imports it if it can.
REPORTING = {
    "openvino_telemetry/__init__.py": "import socket\nsocket.socket()\nREPORTED = True\n",
    "openvino/__init__.py": (
        "try:\n    import openvino_telemetry as telemetry\nexcept ImportError:\n    telemetry = None\n"
        "def get_version(): return '1'\n"
    ),
}
IMPORTS = """
import sys
from understudy.models.openvino_runtime import import_silently
module = import_silently()
print(module.telemetry, "openvino_telemetry" in sys.modules)
import openvino_telemetry
print(openvino_telemetry.REPORTED)
"""


@pytest.mark.slow
def test_the_package_by_which_it_reports_is_not_imported_with_it(tmp_path):
    for name, text in REPORTING.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    words, environment = [sys.executable, "-c", IMPORTS], os.environ | {"PYTHONPATH": path}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.split("\n")[:2] == ["None False", "True"], done.stderr


@real
@watched
@pytest.mark.slow
def test_a_swap_with_the_real_one_opens_no_network_socket(home, hopper_path, tmp_path):
    words = ["swap", "-s", str(hopper_path), "-t", str(hopper_path), "-o", str(tmp_path / "o.png")]
    words += ["--engine", "inswapper_128", "--home", str(home), "--consent", "sample", "--backend", "openvino"]
    assert network_calls([sys.executable, "-m", "understudy", *words], tmp_path / "sockets.log") == []
    assert (tmp_path / "o.png").exists()
    assert list((home / FOLDER / "compiled").glob("inswapper_128.*.blob"))


@real
@pytest.mark.slow
@pytest.mark.parametrize("name", ["inswapper_128", "arcface_w600k_r50", "xseg_1", "bisenet_resnet_34", "codeformer"])
def test_the_real_one_gives_what_onnx_runtime_gives(name, store):
    entry = store.catalogue.entries[name]
    session = Runtime(RuntimeOptions(backend="openvino", precision="single")).open(store, entry)
    other = plain(store, name)
    assert (session.inputs, session.outputs) == (other.inputs, other.outputs)
    for values in noise(other):
        for one, expected in zip(session.run(values), other.run(values), strict=True):
            assert np.allclose(one, expected, rtol=1e-3, atol=2e-3 * max(float(np.ptp(expected)), 1e-6))
    again = Runtime(RuntimeOptions(backend="openvino", precision="single")).open(store, entry)
    assert all(np.array_equal(a, b) for a, b in zip(again.run(values), session.run(values), strict=True))


def test_a_wrong_backend_is_refused():
    with pytest.raises(ValueError, match="backend"):
        RuntimeOptions(backend="torch")
    assert main(["swap", "-s", "a.jpg", "-t", "b.jpg", "-o", "c.jpg", "--backend", "torch"]) == 2


def test_require_says_why(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(UsageError, match="can't be used"):
        OpenVino().require()


SIGNALLED = """
import gc, os, signal, sys, time
from understudy.models.catalogue import Catalogue
from understudy.models.devices import RuntimeOptions
from understudy.models.opening import Runtime
from understudy.models.store import FOLDER, Store
from pathlib import Path
home = Path(sys.argv[1])
store = Store(home / FOLDER, Catalogue.load(home / "models.toml"))
runtimes = [Runtime(RuntimeOptions(threads=threads)) for threads in (1, 2)]
for runtime in runtimes:
    assert runtime.open(store, store.catalogue.entries["inswapper_128"]).program == "openvino"
while runtimes:
    runtimes.pop(0).close()
    gc.collect()
signal.signal(signal.SIGINT, lambda number, frame: print("told"))
os.kill(os.getpid(), signal.SIGINT)
time.sleep(0.05)
"""


@pytest.mark.slow
@real
def test_a_signal_is_handled_after_models_were_given_back(home):
    """Of two cores the one that went last left a stack for signals that was gone."""
    done = subprocess.run([sys.executable, "-c", SIGNALLED, str(home)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "told\n"), done.stderr


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "Exception from src/inference/src/cpp/infer.cpp:198:\nCheck 'a' failed at src/a.hpp:3:\nno such step\n",
            "no such step",
        ),
        (
            "Exception from src/inference/src/cpp/infer.cpp:198:\n",
            "Exception from src/inference/src/cpp/infer.cpp:198:",
        ),
        ("no such step\nand more", "no such step"),
        ("", "RuntimeError"),
    ],
)
def test_of_an_error_is_told_what_went_wrong_and_not_where_in_the_source(said, told):
    assert first_line(RuntimeError(said)) == told
