"""Several GPUs, TensorRT's engines and GPUs that fail, on stand-ins: no GPU is where these tests run."""

import gc
import json
import os
import re
import shutil
import stat
import time
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from benchmarks import runtimes

from tests.evidence import has_label
from tests.models.gpu_fakes import LARGE, MIG, ONE, SECOND, SMALL, TWO, FakeGpus, FakeSession, fake_nvidia_smi, listed
from tests.sessions.stage import Screen, until
from tests.twins import SMALL as SMALL_TWIN
from understudy import Settings, Understudy
from understudy.cli.main import main
from understudy.errors import DeviceLostError, ModelError, NoMemoryError, UsageError
from understudy.models import engines, session, tensorrt
from understudy.models.catalogue import Catalogue
from understudy.models.cuda_devices import VISIBLE, CudaDevices
from understudy.models.devices import RuntimeOptions
from understudy.models.onnx_runtime import ort
from understudy.models.opening import Runtime
from understudy.models.providers import first_line, load_libraries
from understudy.models.store import FOLDER, Store
from understudy.testing import FakeCamera, Puppet, talking
from understudy.testing.twins import inswapper_twin

SHAPE = (1, 3, 128, 128)
GIVEN = {"target": np.random.default_rng(0).random(SHAPE, np.float32), "source": np.ones((1, 512), np.float32) / 22}
LOST = "[ONNXRuntimeError] : 1 : FAIL : CUDA failure 719: unspecified launch failure ; GPU=0 ; hostname=h"
FULL = "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : CUDA failure 2: out of memory ; GPU=0"


@pytest.fixture
def gpus(monkeypatch):
    return FakeGpus(monkeypatch)


@pytest.fixture
def home(shelf, tmp_path):
    """A private folder of this test's own."""
    ignored = shutil.ignore_patterns("compiled", "engines")
    shutil.copytree(shelf, tmp_path / "home", copy_function=os.link, ignore=ignored)
    return tmp_path / "home"


@pytest.fixture
def store(home):
    return Store(home / FOLDER, Catalogue.load(home / "models.toml"))


def cuda(text=TWO, environment=None, driver="550.54.15"):
    known = listed(text)
    known = replace(known, gpus=tuple(replace(gpu, driver=driver) for gpu in known.gpus))
    return CudaDevices(lambda: known, lambda: False, {} if environment is None else environment)


def opened(store, name="inswapper_128", machine=None, **options):
    runtime = Runtime(RuntimeOptions(backend="onnxruntime", **options), cuda=machine or cuda())
    return runtime.open(store, store.catalogue.entries[name])


def plain(store, name="inswapper_128"):
    return Runtime(RuntimeOptions(device="cpu", backend="onnxruntime")).open(store, store.catalogue.entries[name])


def kept(store):
    """The finished and unfinished engines in a store."""
    return sorted(path for path in (store.root / "engines").glob("*.engine") if path.is_dir())


@pytest.mark.slow
def test_each_model_runs_on_the_gpu_that_was_named_for_it(store, gpus):
    placed = (("swapper", "cuda:1"), ("arcface_w600k_r50", "tensorrt:1"), ("content", f"cuda:{SECOND}"))
    runtime = Runtime(RuntimeOptions(device="cuda:0", placed=placed), cuda=cuda())
    entries = store.catalogue.entries
    ran = {}
    for name in ("inswapper_128", "arcface_w600k_r50", "nsfw_384", "mobilefaceswap_identity"):
        gpus.opened, gpus.memory = [], []
        session = runtime.open(store, entries[name])
        numbers = {options["device_id"] for providers in gpus.opened for _, options in providers}
        ran[name] = str(session.place), numbers, set(gpus.memory)
        assert session.binding is None or gpus.memory
    assert ran == {
        "inswapper_128": ("cuda:1", {"1"}, {1}),
        "arcface_w600k_r50": ("tensorrt:1", {"1"}, set()),
        "nsfw_384": ("cuda:1", {"1"}, {1}),
        "mobilefaceswap_identity": ("cuda", {"0"}, {0}),
    }


@pytest.mark.slow
def test_a_recorded_model_stays_on_its_gpu(store, gpus):
    session = opened(store, device="cuda:1", recorded=True)
    recording = [options for ((_, options),) in gpus.opened if "enable_cuda_graph" in options]
    assert recording == [{"device_id": "1", "enable_cuda_graph": "1"}]
    assert session.binding.recorded
    assert set(gpus.memory) == {1}
    assert np.array_equal(session.run(GIVEN)[0], plain(store).run(GIVEN)[0])


def test_without_a_number_it_is_the_first(store, gpus):
    session = opened(store, device="cuda")
    assert str(session.place) == "cuda"
    assert {options["device_id"] for providers in gpus.opened for _, options in providers} == {"0"}


def test_a_gpu_that_only_cuda_knows_to_be_missing_is_an_error(store, gpus):
    with pytest.raises(UsageError, match="no GPU 2"):
        opened(store, device="cuda:2")
    with pytest.raises(ModelError, match="does not open on cuda:2: CUDA failure 101: invalid device ordinal"):
        opened(store, device="cuda:2", machine=cuda(""))


def test_a_slice_is_chosen_before_the_first_session_opens(store, gpus):
    environment = {}
    opened(store, machine=cuda(MIG, environment), device="auto", placed=(("swapper", f"cuda:{SMALL}"),))
    assert environment[VISIBLE] == SMALL


@pytest.mark.slow
def test_the_command_line_takes_gpus_by_number_and_name(home, gpus, hopper_path, tmp_path, monkeypatch, capsys):
    if os.name == "nt":
        pytest.skip("the stand-in is a script for unix")
    fake_nvidia_smi(tmp_path / "bin", TWO)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    for variable in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"):
        monkeypatch.setenv(variable, "")  # so that it is as before afterwards
        monkeypatch.delenv(variable)
    words = ["swap", "-s", str(hopper_path), "-t", str(hopper_path), "-o", str(tmp_path / "o.png"), "--json"]
    words += ["--engine", "inswapper_128", "--home", str(home), "--consent", "sample"]
    devices = ["--device", "cpu", "--device", f"swapper=cuda:{SECOND}", "--device", "content=cuda:0"]
    assert main([*words, *devices]) == 0
    assert {options["device_id"] for providers in gpus.opened for _, options in providers} == {"0", "1"}
    assert os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    capsys.readouterr()
    for word, said in (("cuda:2", "no GPU 2"), ("cuda:x", "names no GPU"), ("cpu:0", "cpu takes no number")):
        assert main([*words, "--overwrite", "--device", word]) == 2
        assert said in json.loads(capsys.readouterr().out)["error"]["message"]


@pytest.mark.slow
def test_tensorrt_gets_its_options_and_its_engine_is_kept_for_its_owner(store, gpus):
    first = opened(store, machine=cuda(ONE), device="tensorrt", precision="single")
    (engine,) = kept(store)
    ((provider, given), (other, beside)) = gpus.opened[0]
    timings = given.pop("trt_timing_cache_path")
    assert (provider, given) == (
        "TensorrtExecutionProvider",
        {
            "device_id": "0",
            "trt_fp16_enable": "False",
            "trt_engine_cache_enable": "True",
            "trt_engine_cache_path": str(engine),
            "trt_timing_cache_enable": "True",
        },
    )
    assert (other, beside) == ("CUDAExecutionProvider", {"device_id": "0"})
    assert timings.startswith(str(store.root / "engines" / ".timings"))
    for path in (store.root / "engines", engine, *engine.iterdir(), *(store.root / "engines").glob("*.json")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    gpus.opened = []
    again = opened(store, machine=cuda(ONE), device="tensorrt", precision="single")
    assert gpus.opened[0][0][1]["trt_engine_cache_path"] == str(engine)
    assert kept(store) == [engine]
    assert first.device == again.device == "tensorrt"
    assert np.array_equal(first.run(GIVEN)[0], plain(store).run(GIVEN)[0])
    assert np.array_equal(again.run(GIVEN)[0], plain(store).run(GIVEN)[0])


@pytest.mark.slow
def test_half_precision_by_tensorrt_is_kept_where_it_holds(store, gpus):
    half = opened(store, machine=cuda(ONE), device="tensorrt")
    assert half.precision == "half"
    assert half.notes == ()
    assert [options["trt_fp16_enable"] for ((_, options), _) in gpus.opened] == ["False", "True"]
    gpus.opened = []
    assert opened(store, machine=cuda(ONE), device="tensorrt").precision == "half"
    assert [options["trt_fp16_enable"] for ((_, options), _) in gpus.opened] == ["True"]  # found to hold before
    # What gives numbers that are held against thresholds stays exact.
    assert opened(store, "nsfw_384", cuda(ONE), device="tensorrt").precision == "single"
    assert opened(store, "nsfw_384", cuda(ONE), device="tensorrt", precision="half").precision == "half"


@pytest.mark.slow
def test_half_precision_that_does_not_hold_is_neither_used_nor_kept(store, gpus):
    gpus.half = lambda values: values + 0.1
    session = opened(store, machine=cuda(ONE), device="tensorrt")
    assert session.precision == "single"
    assert "gives something else here: single is used" in session.notes[0]
    gpus.opened = []
    assert opened(store, machine=cuda(ONE), device="tensorrt").precision == "single"
    assert [options["trt_fp16_enable"] for ((_, options), _) in gpus.opened] == ["False", "True"]
    assert len(kept(store)) == 1


@pytest.mark.slow
def test_another_model_of_the_same_shape_does_not_get_its_engine(put, gpus):
    """ONNX Runtime would take the one for the other: it names engines after shapes."""
    _, store, _ = put("inswapper_128", inswapper_twin(**SMALL_TWIN))
    opened(store, machine=cuda(ONE), device="tensorrt")
    _, other, _ = put("inswapper_128", inswapper_twin(**SMALL_TWIN, seed=7))
    shutil.copytree(store.root / "engines", other.root / "engines", dirs_exist_ok=True)
    shown = opened(other, machine=cuda(ONE), device="tensorrt", precision="single").run(GIVEN)[0]
    assert np.array_equal(shown, plain(other).run(GIVEN)[0])
    assert not np.array_equal(shown, plain(store).run(GIVEN)[0])


@pytest.mark.slow
@pytest.mark.parametrize("what", ["gpu", "driver", "slice", "onnxruntime", "tensorrt"])
def test_an_engine_for_something_else_is_built_anew(what, store, gpus, monkeypatch):
    def run(*machine, **how):
        gpus.opened = []
        opened(store, machine=cuda(*machine, **how), device="tensorrt", precision="single")
        return gpus.opened[0][0][1]["trt_engine_cache_path"]

    before = run(MIG)
    if what == "gpu":
        after = run(MIG.replace("A100-SXM4-40GB", "A100-SXM4-80GB"))
    elif what == "driver":
        after = run(MIG, driver="570.1")
    elif what == "slice":
        after = run(MIG, {VISIBLE: LARGE})
    elif what == "onnxruntime":
        monkeypatch.setattr(tensorrt.ort, "__version__", "9.9")
        after = run(MIG)
    else:
        monkeypatch.setattr(tensorrt, "version", lambda: "99.0")
        after = run(MIG)
    assert after != before
    assert run(MIG) == (before if what in ("gpu", "driver", "slice") else after)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["altered", "more", "less", "link", "record", "no record", "another's record"])
def test_an_engine_that_is_not_what_was_kept_is_built_anew(damage, store, gpus, tmp_path):
    opened(store, machine=cuda(ONE), device="tensorrt", precision="single")
    (engine,) = kept(store)
    (file,) = engine.iterdir()
    (record,) = (store.root / "engines").glob("*.json")
    if damage == "altered":
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    elif damage == "more":
        (engine / "plugin.engine").write_bytes(b"x")
    elif damage == "less":
        file.unlink()
    elif damage == "link":
        engine.rename(tmp_path / "elsewhere")
        engine.symlink_to(tmp_path / "elsewhere")
    elif damage == "record":
        record.write_text("{")
    elif damage == "another's record":
        record.write_text(json.dumps({**json.loads(record.read_text()), "folder": f"../{tmp_path.name}.engine"}))
    else:
        record.unlink()
    gpus.opened = []
    session = opened(store, machine=cuda(ONE), device="tensorrt", precision="single")
    assert gpus.opened[0][0][1]["trt_engine_cache_path"] != str(engine)
    assert np.array_equal(session.run(GIVEN)[0], plain(store).run(GIVEN)[0])


@pytest.mark.slow
def test_an_engine_that_no_longer_opens_is_removed_and_built_anew(store, gpus, monkeypatch):
    opened(store, machine=cuda(ONE), device="tensorrt", precision="single")
    (engine,) = kept(store)
    (file,) = engine.iterdir()
    (record,) = (store.root / "engines").glob("*.json")
    file.write_bytes(b"another version's")
    known = json.loads(record.read_text())
    record.write_text(json.dumps({**known, "files": engines.digests(engine)}))  # as it was kept, and yet no use
    session = opened(store, machine=cuda(ONE), device="tensorrt", precision="single")
    assert session.device == "tensorrt"
    assert np.array_equal(session.run(GIVEN)[0], plain(store).run(GIVEN)[0])
    assert engine not in kept(store)
    assert len(kept(store)) == 1


@pytest.mark.slow
def test_an_engine_that_no_longer_opens_and_can_t_be_removed_is_tried_once(store, gpus, monkeypatch):
    """On a read-only disk it was tried without end."""
    opened(store, machine=cuda(ONE), device="tensorrt", precision="single")
    (engine,) = kept(store)
    (record,) = (store.root / "engines").glob("*.json")
    next(engine.iterdir()).write_bytes(b"another version's")
    known = json.loads(record.read_text())
    record.write_text(json.dumps({**known, "files": engines.digests(engine)}))
    monkeypatch.setattr(engines.Engines, "drop", lambda self, key: None)
    gpus.opened = []
    with pytest.raises(ModelError, match="does not open on tensorrt"):
        opened(store, machine=cuda(ONE), device="tensorrt", precision="single")
    assert len(gpus.opened) == 1


@pytest.mark.slow
def test_what_was_made_for_one_person_is_not_kept(store, gpus):
    runtime = Runtime(RuntimeOptions(device="tensorrt", backend="onnxruntime"), cuda=cuda(ONE))
    entry = store.catalogue.entries["inswapper_128"]
    runtime.open_with(store, entry, [GIVEN["source"]])
    assert gpus.opened
    for (_, options), _ in gpus.opened:
        assert not {name for name in options if "cache" in name}
    assert not (store.root / "engines").exists()


@pytest.mark.slow
def test_nothing_is_kept_of_an_unknown_gpu_or_of_open_sizes(store, gpus):
    opened(store, machine=cuda(TWO), device="tensorrt")  # which of the two it is, CUDA decides
    opened(store, "arcface_w600k_r50", cuda(ONE), device="tensorrt")
    assert not any("trt_engine_cache_enable" in options for ((_, options), _) in gpus.opened)
    assert kept(store) == []


@pytest.mark.slow
def test_a_model_that_does_not_work_leaves_no_engine(store, gpus):
    gpus.fault = "TensorRT EP execution context enqueue failed."
    with pytest.raises(ModelError, match="failed on tensorrt: TensorRT EP"):
        opened(store, machine=cuda(ONE), device="tensorrt", precision="single")
    gc.collect()
    assert kept(store) == []


@pytest.mark.slow
def test_engines_take_no_more_room_than_they_may(store, gpus, monkeypatch):
    opened(store, machine=cuda(ONE), device="tensorrt", precision="single")
    (old,) = kept(store)
    abandoned, building = store.root / "engines" / "x.0.engine", store.root / "engines" / "y.0.engine"
    for folder in (abandoned, building):
        folder.mkdir()
    os.utime(abandoned, (0, time.time() - engines.ABANDONED - 60))
    monkeypatch.setattr(engines, "MOST_BYTES", 3 * sum(path.stat().st_size for path in old.iterdir()) // 2)
    os.utime(next((store.root / "engines").glob("*.json")), (0, 0))
    opened(store, machine=cuda(ONE, driver="570.1"), device="tensorrt", precision="single")
    now = kept(store)
    assert old not in now
    assert abandoned not in now
    assert building in now
    assert len(now) == 2
    assert len(list((store.root / "engines").glob("*.json"))) == 1


@pytest.mark.slow
def test_engines_go_with_their_model(store, gpus):
    opened(store, machine=cuda(ONE), device="tensorrt")
    opened(store, "nsfw_384", cuda(ONE), device="tensorrt")
    assert len(kept(store)) == 2
    assert store.remove(store.catalogue.entries["inswapper_128"])
    (left,) = kept(store)
    assert left.name.startswith("nsfw_384.")


@pytest.mark.slow
def test_a_full_disk_is_no_fault(store, gpus):
    (store.root / "engines").write_text("in the way")
    session = opened(store, machine=cuda(ONE), device="tensorrt", precision="single")
    assert np.array_equal(session.run(GIVEN)[0], plain(store).run(GIVEN)[0])


def test_a_library_that_a_device_lacks_is_named(store, gpus, tmp_path, monkeypatch):
    """ONNX Runtime itself goes on on the CPU, and says why on a stderr that nobody sees."""
    (tmp_path / "capi").mkdir()
    monkeypatch.setattr(ort, "__file__", str(tmp_path / "__init__.py"))
    monkeypatch.setattr(FakeSession, "get_providers", lambda _: ["CPUExecutionProvider"])
    with pytest.raises(ModelError, match=r"cuda:1 is not usable here$"):
        opened(store, device="cuda:1")
    (tmp_path / "capi" / "libonnxruntime_providers_cuda.so").write_bytes(b"no library")
    with pytest.raises(ModelError, match=r"cuda:1 is not usable here: .*libonnxruntime_providers_cuda\.so"):
        opened(store, device="cuda:1")


def test_libraries_that_pip_installed_are_loaded_once_and_in_silence(capsys):
    calls, runtime = [], ModuleType("onnxruntime")
    runtime.preload_dlls = lambda: calls.append(print("Failed to load libcublasLt.so.13"))
    for _ in range(2):
        load_libraries(runtime)
    load_libraries(ModuleType("an older one"))
    assert len(calls) == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:122 bool onnxruntime::CudaCall(ERRTYPE, "
            "const char*, const char*, ERRTYPE, const char*) [with ERRTYPE = cudaError; bool THRW = true] "
            "/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:116 bool onnxruntime::CudaCall(ERRTYPE, "
            "const char*, const char*, ERRTYPE, const char*) [with ERRTYPE = cudaError; bool THRW = true] "
            "CUDA failure 999: unknown error ; GPU=19",
            "CUDA failure 999: unknown error ; GPU=19",
        ),
        (
            "/onnxruntime_src/onnxruntime/python/onnxruntime_pybind_state.cc:729 void onnxruntime::python::"
            "RegisterTensorRTPluginsAsCustomOps(PySessionOptions&, const onnxruntime::ProviderOptions&) Please install "
            "TensorRT libraries\nand more",
            "Please install TensorRT libraries",
        ),
        (
            "D:\\a\\_work\\1\\s\\cuda_call.cc:9 operator()(int) const CUDA failure 2: out of memory",
            "CUDA failure 2: out of memory",
        ),
        ("could not open /a/b.onnx (no such file)", "could not open /a/b.onnx (no such file)"),
        ("", "RuntimeError"),
    ],
)
def test_what_is_said_of_a_fault_is_not_where_it_stands_in_somebody_s_source(said, told):
    """A line that is cut after its first 200 characters would not get to the point."""
    assert first_line(RuntimeError(said)) == told


@pytest.mark.parametrize(
    ("said", "error", "told"),
    [
        (LOST, DeviceLostError, "the device cuda:1 failed while it ran inswapper_128: .*unspecified launch failure"),
        ("CUDA failure 214: uncorrectable ECC error encountered", DeviceLostError, "uncorrectable ECC"),
        ("CUDA failure 46: all CUDA-capable devices are busy or unavailable", DeviceLostError, "busy or unavailable"),
        ("887A0005 The GPU device instance has been suspended.", DeviceLostError, "887A0005"),
        (FULL, NoMemoryError, "not enough memory for inswapper_128 on cuda:1"),
        ("Failed to allocate memory for requested buffer of size 134217728", NoMemoryError, "on cuda:1"),
        ("Error Code 2: OutOfMemory (Requested size was 12 bytes.)", NoMemoryError, "on cuda:1"),
        ("Non-zero status code returned while running Conv node", ModelError, "failed on cuda:1"),
    ],
)
def test_a_gpu_that_fails_in_the_middle_is_told(said, error, told, store, gpus):
    session = opened(store, device="cuda:1")
    session.run(GIVEN)
    gpus.fault = said
    for _ in range(2):
        with pytest.raises(error, match=told) as fault:
            session.run(GIVEN)
        assert "--device" in fault.value.hint
        assert "\n" not in fault.value.message


def test_auto_goes_on_where_the_gpu_has_failed_and_says_so(store, gpus):
    gpus.fault = LOST
    session = opened(store, machine=cuda(ONE), device="auto")
    assert session.device == "cpu"
    assert "the device tensorrt failed while it ran inswapper_128" in session.notes[0]
    assert session.notes[1].endswith("; cpu is used")
    with pytest.raises(DeviceLostError, match="the device cuda failed"):
        opened(store, machine=cuda(ONE), device="cuda")


@pytest.mark.slow
@pytest.mark.parametrize(("said", "told"), [(LOST, "the device cuda failed"), (FULL, "not enough memory for")])
def test_a_clip_ends_with_one_line_and_a_hint_and_leaves_nothing(
    said, told, home, gpus, hopper_path, brief_clip, tmp_path, monkeypatch, capsys
):
    """After some frames: as a GPU that falls off the bus, or whose memory another program takes."""
    frames, run = [], session.Session.answers

    def counted(self, values):
        frames.append(self.entry.name)
        if frames.count("inswapper_128") > 12:
            gpus.fault = said
        return run(self, values)

    monkeypatch.setattr(session.Session, "answers", counted)
    words = ["swap", "-s", str(hopper_path), "-t", str(brief_clip), "-o", str(tmp_path / "o.mp4")]
    words += ["--engine", "inswapper_128", "--home", str(home), "--consent", "sample", "--device", "swapper=cuda"]
    assert main(words) == 6
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith(("error:", "hint:", "Trace"))]
    assert lines[0].startswith(f"error: {told}")
    assert lines[1].startswith("hint: ")
    assert len(lines) == 2
    assert not list(tmp_path.glob("o*"))


@pytest.mark.slow
@pytest.mark.parametrize("said", [LOST, FULL])
def test_a_live_session_goes_on_with_the_mesh_engine_and_says_why(said, home, gpus, hopper_path, astronaut):
    puppet, screen = Puppet(astronaut, (320, 240), face_share=0.5), Screen()
    camera = FakeCamera([puppet.render(talking(n / 30)).picture for n in range(30)])
    runtime = RuntimeOptions(device="cpu", placed=(("swapper", "cuda"),))
    app = Understudy(Settings(engine="inswapper_128", home=home, runtime=runtime))
    with app.live(app.person(hopper_path, consent="sample"), camera, [lambda _: screen]) as live:
        until(lambda: len(screen.seconds) > 3, 60)
        gpus.fault = said
        until(lambda: any("is not asked any more" in note for note in live.events_after(0)), 30)
        (note,) = (note for note in live.events_after(0) if "is not asked any more" in note)
        shown = len(screen.seconds)
        until(lambda: len(screen.seconds) > shown + 3, 30)
    assert "cuda" in note
    assert "then the mesh engine draws" in note
    assert all(has_label(picture) for picture in screen.frames)


@pytest.mark.slow
def test_a_live_session_ends_where_what_looks_at_content_fails(home, gpus, hopper_path, astronaut):
    puppet, screen = Puppet(astronaut, (320, 240), face_share=0.5), Screen()
    camera = FakeCamera([puppet.render(talking(n / 30)).picture for n in range(30)])
    runtime = RuntimeOptions(device="cpu", placed=(("content", "cuda"),))
    app = Understudy(Settings(engine="inswapper_128", home=home, runtime=runtime))
    live = app.live(app.person(hopper_path, consent="sample"), camera, [lambda _: screen])
    live.start()
    until(lambda: len(screen.seconds) > 3, 60)
    gpus.fault = LOST
    assert live.wait(60)
    with pytest.raises(DeviceLostError, match="the device cuda failed while it ran nsfw_384"):
        live.stop()


@pytest.mark.slow
def test_the_benchmark_runs_each_way_on_the_device(gpus, capsys, monkeypatch):
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    runtimes.main(["--device", "cuda:1", "--small", "--rounds", "1"])
    said = capsys.readouterr().out
    for way in ("new buffers each run", "buffers that stay", "recorded"):
        assert re.search(rf"^  32 bits, {way} +[0-9.]+ ms", said, re.MULTILINE), said
    for way in ("buffers that stay", "recorded"):
        assert re.search(rf"^  16 bits, {way} +[0-9.]+ ms", said, re.MULTILINE), said
    assert {options["device_id"] for providers in gpus.opened for _, options in providers} == {"1"}
