"""Models are opened where they were asked for, and not used where they do not work."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest

from tests.twins import SMALL
from understudy.cli.main import main
from understudy.errors import ModelError, NoMemoryError, UsageError
from understudy.models import opening
from understudy.models.catalogue import Catalogue
from understudy.models.devices import RuntimeOptions
from understudy.models.onnx_runtime import ort as onnxruntime
from understudy.models.opening import Runtime
from understudy.models.providers import OnnxRuntime
from understudy.models.store import FOLDER, Store
from understudy.testing import twins
from understudy.testing.twins import GraphWriter, inswapper_twin

SHAPE = (1, 3, 128, 128)
ENDS = [("target", SHAPE), ("source", (1, 512))], [("output", SHAPE)]


def swapper(write, kind=np.float32):
    graph = GraphWriter(kind=kind)
    write(graph)
    return graph.finished(*ENDS)


def half(*, holds):
    """A swapper in half precision; without ``holds`` its epsilon is 0 there, and flat channels divide by zero."""

    def write(graph):
        mean = graph.node("ReduceMean", "target", axes=[2, 3], keepdims=1)
        rest = graph.node("Sub", "target", mean)
        spread = graph.node("ReduceMean", graph.node("Mul", rest, rest), axes=[2, 3], keepdims=1)
        epsilon = graph.constant(np.array(1e-2 if holds else 1e-9, np.float32))
        graph.node("Div", rest, graph.node("Sqrt", graph.node("Add", spread, epsilon)), name="output")
        graph.constant(np.eye(512, dtype=np.float32), "emap")

    return swapper(write, np.float16)


def swap_words(photo, output):
    """The command that puts a photo onto itself."""
    return ["swap", "-s", str(photo), "-t", str(photo), "-o", str(output), "--consent", "sample"]


def test_a_model_is_opened_once_and_tried(shelf):
    store = Store(shelf / FOLDER, Catalogue.load(shelf / "models.toml"))
    runtime, entry = Runtime(), store.catalogue.entries["inswapper_128"]
    session = runtime.open(store, entry)
    assert runtime.open(store, entry) is session
    assert session.device in OnnxRuntime().devices()
    assert session.notes == ()
    (shown,) = session.run({"target": np.zeros(SHAPE), "source": np.ones((1, 512))})
    assert shown.dtype == np.float32
    assert shown.shape == SHAPE
    runtime.close()
    assert runtime.open(store, entry) is not session


@pytest.mark.parametrize("device", ["cuda", "tensorrt", "coreml", "directml", "openvino"])
def test_a_device_that_was_asked_for_is_not_replaced_in_silence(device, shelf, hopper_path, tmp_path, capsys):
    if device in OnnxRuntime().devices():
        pytest.skip("it is here")
    words = ["swap", "-s", str(hopper_path), "-t", str(hopper_path), "-o", str(tmp_path / "o.png")]
    words += ["--engine", "inswapper_128", "--home", str(shelf), "--consent", "sample", "--device", device]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert f"no device {device}" in said
    assert "there is cpu" in said
    assert not list(tmp_path.iterdir())


def test_devices_and_threads_that_can_not_be_are_refused():
    for wrong in ({"device": "gpu"}, {"threads": 0}):
        with pytest.raises(ValueError, match=r"device|thread"):
            RuntimeOptions(**wrong)
    assert main(["swap", "-s", "a.jpg", "-t", "b.jpg", "-o", "c.jpg", "--device", "gpu"]) == 2


def test_half_precision_is_used_where_it_holds(put):
    _, store, entry = put("inswapper_128", half(holds=True))
    session = Runtime(RuntimeOptions(precision="half")).open(store, entry)
    assert session.notes == ()
    assert session.precision == "half"
    on_cpu = Runtime(RuntimeOptions(device="cpu", backend="onnxruntime")).open(store, entry)
    assert on_cpu.precision == "single"  # where it is no quicker


def test_half_precision_that_fails_is_replaced_and_said(put):
    """The black squares of the field."""
    _, store, entry = put("inswapper_128", half(holds=False))
    session = Runtime(RuntimeOptions(precision="half", backend="onnxruntime")).open(store, entry)
    assert session.precision == "single"
    assert "single is used" in session.notes[0]
    flat = {"target": np.full(SHAPE, 0.25), "source": np.ones((1, 512))}
    assert np.isfinite(session.run(flat)[0]).all()


@pytest.mark.slow
def test_a_half_precision_file_gives_the_same_in_single(put):
    _, store, entry = put("inswapper_128", inswapper_twin(**SMALL, kind=np.float16))
    single = Runtime(RuntimeOptions(precision="single")).open(store, entry)
    _, other, _ = put("inswapper_128", inswapper_twin(**SMALL))
    full = Runtime().open(other, entry)
    values = {"target": np.random.default_rng(0).random(SHAPE), "source": np.ones((1, 512)) / 20}
    assert np.abs(single.run(values)[0] - full.run(values)[0]).mean() < 0.05


def with_constants_as_steps(data):
    """The same graph with its small constants as steps of their own, as some exporters write them."""
    model = onnx.load_model_from_string(data)
    small = [tensor for tensor in model.graph.initializer if np.prod(tensor.dims) <= 1]
    for tensor in small:
        model.graph.initializer.remove(tensor)
        model.graph.node.insert(0, onnx.helper.make_node("Constant", [], [tensor.name], value=tensor))
    assert small
    return model.SerializeToString()


@pytest.mark.slow
def test_what_is_too_small_for_half_precision_is_put_back_wherever_it_is_written(put):
    _, store, entry = put("inswapper_128", with_constants_as_steps(half(holds=False)))
    session = Runtime(RuntimeOptions(backend="onnxruntime")).open(store, entry)
    for colour in (0.0, 0.25, 1.0):
        flat = {"target": np.full(SHAPE, colour), "source": np.ones((1, 512))}
        assert np.isfinite(session.run(flat)[0]).all()


BAD = {
    "no numbers": (
        lambda g: g.node("Div", "target", g.constant(np.array(0, np.float32)), name="output"),
        "not numbers",
    ),
    "one grey": (lambda g: g.node("Mul", "target", g.constant(np.array(0, np.float32)), name="output"), "same number"),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", BAD)
def test_a_model_that_does_not_work_is_caught_at_load(what, put, hopper_path, tmp_path, capsys):
    write, reason = BAD[what]
    home, store, entry = put("inswapper_128", swapper(write))
    with pytest.raises(ModelError, match=reason):
        Runtime().open(store, entry)
    words = ["swap", "-s", str(hopper_path), "-t", str(hopper_path), "-o", str(tmp_path / "o.png")]
    assert main([*words, "--engine", "inswapper_128", "--home", str(home), "--consent", "sample"]) == 5
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "o.png").exists()


def renamed(data, **names):
    model = onnx.load_model_from_string(data)
    for value in model.graph.input:
        value.name = names.get(value.name, value.name)
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
    return model.SerializeToString()


def opset(data, version):
    model = onnx.load_model_from_string(data)
    model.opset_import[0].version = version
    return model.SerializeToString()


def resized(size):
    graph = GraphWriter()
    graph.node("Add", "target", graph.weights(1, 3, size, size), name="output")
    shape = (1, 3, size, size)
    return graph.finished([("target", shape), ("source", (1, 512))], [("output", shape)])


def alone():
    graph = GraphWriter()
    graph.node("Add", "target", graph.weights(1, 3, 128, 128), name="output")
    return graph.finished([("target", SHAPE)], [("output", SHAPE)])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (lambda: renamed(inswapper_twin(**SMALL), target="picture"), "no input 'target'"),
        (lambda: renamed(inswapper_twin(**SMALL), source="who"), "no input 'source'"),
        (lambda: resized(256), "256 pixels"),
        (alone, "no input 'source'"),
        (lambda: opset(inswapper_twin(**SMALL), 9999), "does not open"),
        (lambda: GraphWriter().finished(*ENDS), "holds no graph"),
    ],
)
@pytest.mark.slow
def test_a_graph_that_is_not_what_its_entry_says_is_refused(data, reason, put):
    with pytest.raises(ModelError, match=reason) as fault:
        _, store, entry = put("inswapper_128", data())
        Runtime(RuntimeOptions(backend="onnxruntime")).open(store, entry)
    assert fault.value.exit_code == 5
    assert fault.value.hint


def test_a_graph_that_fails_later_is_a_model_error(put):
    """Half the numbers that the graph needs: it opens, and its first run says no."""
    graph = GraphWriter()
    shaped = graph.node("Reshape", "source", graph.constant(np.array([1, 3, 128, 128], np.int64)))
    graph.node("Add", "target", shaped, name="output")
    ends = [("target", SHAPE), ("source", (1, "n"))], [("output", SHAPE)]
    _, store, entry = put("inswapper_128", graph.finished(*ends))
    with pytest.raises(ModelError, match="failed on cpu"):
        Runtime(RuntimeOptions(device="cpu", backend="onnxruntime")).open(store, entry)


def test_an_unknown_engine_names_those_there_are(shelf, hopper_path, tmp_path, capsys):
    words = ["swap", "-s", str(hopper_path), "-t", str(hopper_path), "-o", str(tmp_path / "o.png")]
    assert main([*words, "--engine", "deepfake", "--home", str(shelf), "--consent", "sample"]) == 2
    assert "mesh, inswapper_128" in capsys.readouterr().err


def test_a_wrong_kind_of_model_is_no_engine(shelf, hopper_path, tmp_path):
    words = ["swap", "-s", str(hopper_path), "-t", str(hopper_path), "-o", str(tmp_path / "o.png")]
    assert main([*words, "--engine", "arcface_w600k_r50", "--home", str(shelf), "--consent", "sample"]) == 2


@pytest.mark.slow
def test_doctor_says_on_which_device_each_model_runs(put, capsys):
    home, store, entry = put("inswapper_128", swapper(BAD["no numbers"][0]))
    assert main(["doctor", "--json", "--home", str(home), "--device", "cpu"]) == 6
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)["sections"]["fetched models"]}
    cost = r"\d+\.\d ms(, \d+ MB of memory)?, file \d+\.\d MB"
    how = r"( with OpenVINO in (16|32) bits)?"
    assert re.fullmatch(rf"runs on cpu{how}: {cost}", found["arcface_w600k_r50"]["detail"])
    assert found["inswapper_128"]["state"] == "broken"
    assert "not numbers" in found["inswapper_128"]["detail"]
    store.remove(entry)
    main(["doctor", "--home", str(home)])
    out = capsys.readouterr().out
    assert "inswapper_128:" not in out
    assert "ONNX Runtime here knows" in out


def test_models_are_placed_one_by_one(shelf):
    options = RuntimeOptions(device="auto", placed=(("content", "cuda"), ("nsfw_384", "cpu")))
    assert options.device_of("nsfw_384", "content") == "cpu"
    assert options.device_of("another", "content") == "cuda"
    assert options.device_of("inswapper_128", "swapper") == "auto"
    store = Store(shelf / FOLDER, Catalogue.load(shelf / "models.toml"))
    runtime = Runtime(RuntimeOptions(device="tensorrt", placed=(("swapper", "cpu"),)))
    assert runtime.open(store, store.catalogue.entries["inswapper_128"]).device == "cpu"
    if "tensorrt" not in OnnxRuntime().devices():
        with pytest.raises(UsageError, match="no device tensorrt"):
            runtime.open(store, store.catalogue.entries["nsfw_384"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nsfw_384=gpu"], "can't be 'nsfw_384=gpu'"),
        (["=cpu"], "can't be '=cpu'"),
        (["cpu", "cuda"], "two devices for all models"),
        (["swapper=cpu", "swapper=cuda"], "two devices for swapper"),
        (["inswaper_128=cpu"], "Did you mean inswapper_128"),
    ],
)
def test_places_that_can_not_be_are_refused(words, said, shelf, hopper_path, tmp_path, capsys):
    devices = [part for word in words for part in ("--device", word)]
    swap = swap_words(hopper_path, tmp_path / "o.png")
    assert main([*swap, "--engine", "inswapper_128", "--home", str(shelf), *devices]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_buffers_that_stay_change_nothing(shelf, monkeypatch):
    """As on a device with a memory of its own; here its memory is the computer's."""
    store = Store(shelf / FOLDER, Catalogue.load(shelf / "models.toml"))
    entry, random = store.catalogue.entries["inswapper_128"], np.random.default_rng(1)
    plain = Runtime(RuntimeOptions(device="cpu", backend="onnxruntime")).open(store, entry)
    monkeypatch.setitem(opening.MEMORIES, "cpu", "cpu")
    bound = Runtime(RuntimeOptions(device="cpu", backend="onnxruntime")).open(store, entry)
    assert plain.binding is None
    assert bound.binding is not None
    first = None
    for _ in range(3):
        given = {"target": random.random(SHAPE), "source": random.random((1, 512))}
        (expected,), (shown,) = plain.run(given), bound.run(given)
        assert np.array_equal(shown, expected)
        if first is not None:
            assert not np.array_equal(shown, first[0])
            assert np.array_equal(first[0], first[1])  # what was given before is not written over
        first = shown, shown.copy()
    several = {"target": given["target"][:, :, ::-1, ::-1], "source": given["source"]}
    assert np.array_equal(plain.run(several)[0], bound.run(several)[0])  # whatever lies behind it in memory
    open_axis = store.catalogue.entries["arcface_w600k_r50"]
    assert Runtime(RuntimeOptions(device="cpu", backend="onnxruntime")).open(store, open_axis).binding is None


@pytest.mark.slow
def test_buffers_are_taken_in_turns(shelf, monkeypatch):
    store = Store(shelf / FOLDER, Catalogue.load(shelf / "models.toml"))
    monkeypatch.setitem(opening.MEMORIES, "cpu", "cpu")
    session = Runtime(RuntimeOptions(device="cpu", backend="onnxruntime")).open(
        store, store.catalogue.entries["inswapper_128"]
    )
    pictures = [np.full(SHAPE, value) for value in np.linspace(0, 1, 12)]
    one = np.ones((1, 512))
    alone = [session.run({"target": picture, "source": one})[0] for picture in pictures]
    with ThreadPoolExecutor(4) as threads:
        beside = list(threads.map(lambda picture: session.run({"target": picture, "source": one})[0], pictures))
    assert all(np.array_equal(a, b) for a, b in zip(alone, beside, strict=True))


@pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "darwin", reason="no limit on memory here")
@pytest.mark.slow
def test_too_little_memory_is_said(put, hopper_path, tmp_path):
    """In a process that may have 300 MB more than it has when it is about to open the model of 140 MB."""
    home, _, _ = put("inswapper_128", inswapper_twin((64, 128, 256, 512)))
    script = """
import resource, sys
from understudy.cli.main import main
import understudy.models.opening as opening
read = opening.Store.read
def limited(store, entry):
    data = read(store, entry)
    if entry.name == "inswapper_128":
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 300_000_000, resource.RLIM_INFINITY))
    return data
opening.Store.read = limited
sys.exit(main(sys.argv[1:]))
"""
    output = tmp_path / "o.png"
    words = ["swap", "-s", str(hopper_path), "-t", str(hopper_path), "-o", str(output), "--consent", "sample"]
    words += ["--engine", "inswapper_128", "--home", str(home), "--device", "cpu"]
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 6, done.stderr
    assert "error: not enough memory" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("o*"))


@pytest.mark.slow
def test_a_model_takes_no_more_threads_than_it_is_given(shelf, hopper_path, tmp_path, monkeypatch):
    given, start = [], onnxruntime.InferenceSession

    def noted(data, options, **more):
        given.append(options.intra_op_num_threads)
        return start(data, options, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", noted)
    words = ["swap", "-s", str(hopper_path), "-t", str(hopper_path), "-o", str(tmp_path / "o.png"), "--threads", "1"]
    engine = ["--engine", "inswapper_128", "--backend", "onnxruntime", "--home", str(shelf)]
    assert main([*words, "--consent", "sample", *engine]) == 0
    assert set(given) == {1}
    assert main([*words[:-1], "0", "--consent", "sample"]) == 2


class Recording:
    """A session as ONNX Runtime's CUDA graphs are documented: what is run first is recorded, with that run's own
    buffers and in that thread; every later run reads and writes those, and no others."""

    def __init__(self, real):
        self.real, self.buffers, self.thread = real, None, None

    def __getattr__(self, name):
        return getattr(self.real, name)

    def get_providers(self):
        return ["CUDAExecutionProvider"]

    def run(self, names, given):
        self.buffers = self.buffers or "its own"
        return self.real.run(names, given)

    def run_with_iobinding(self, binding):
        if self.buffers is None:
            self.buffers, self.thread = binding, threading.get_ident()
        if self.buffers is binding and self.thread == threading.get_ident():
            self.real.run_with_iobinding(binding)


class Pretended(OnnxRuntime):
    """A device whose memory is the computer's and which records; ``made`` are the sessions that do."""

    def __init__(self):
        self.made = []

    def devices(self):
        return ["cuda", "cpu"]

    def start(self, entry, data, device, *, recorded=False, **how):
        real = super().start(entry, data, "cpu", threads=how.get("threads"))
        if recorded:
            self.made.append(Recording(real))
        return self.made[-1] if recorded else real

    def opened(self, store, name, **options):
        return Runtime(RuntimeOptions(device="cuda", backend="onnxruntime", **options), self).open(
            store, store.catalogue.entries[name]
        )


@pytest.fixture
def pretended(monkeypatch):
    monkeypatch.setitem(opening.MEMORIES, "cuda", "cpu")
    return Pretended()


@pytest.mark.slow
def test_a_recorded_model_gives_what_the_plain_one_gives(shelf, pretended):
    store = Store(shelf / FOLDER, Catalogue.load(shelf / "models.toml"))
    entry, random = store.catalogue.entries["inswapper_128"], np.random.default_rng(2)
    plain = Runtime(RuntimeOptions(device="cpu", backend="onnxruntime")).open(store, entry)
    assert not pretended.opened(store, entry.name).binding.recorded  # it has to be asked for
    recorded = pretended.opened(store, entry.name, recorded=True)
    assert recorded.binding.recorded
    many = [{"target": random.random(SHAPE), "source": random.random((1, 512))} for _ in range(6)]
    with ThreadPoolExecutor(3) as threads:
        for given, shown in zip(many, threads.map(recorded.run, many), strict=True):
            assert np.array_equal(plain.run(given)[0], shown[0])


def test_what_says_whether_pictures_are_intimate_is_never_recorded(shelf, pretended):
    store = Store(shelf / FOLDER, Catalogue.load(shelf / "models.toml"))
    opened = pretended.opened(store, "nsfw_384", recorded=True)
    assert pretended.made == []
    red = np.full((1, 3, 384, 384), -1.0)
    red[:, 0] = 1
    assert opened.run({opened.inputs[0]: red})[0][0, 0] > 20


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["stale", "memory", "error"])
def test_a_recording_that_does_not_do_is_not_used(fault, shelf, pretended, monkeypatch):
    def bound(self, binding):
        if fault == "memory":
            raise RuntimeError("CUDA failure 2: out of memory")
        if fault == "error":
            raise RuntimeError("CUDA failure 900: operation not permitted when stream is capturing")

    monkeypatch.setattr(Recording, "run_with_iobinding", bound)
    store = Store(shelf / FOLDER, Catalogue.load(shelf / "models.toml"))
    entry = store.catalogue.entries["inswapper_128"]
    session = pretended.opened(store, entry.name, recorded=True)
    assert len(pretended.made) == 1
    assert session.binding is None or not session.binding.recorded
    plain = Runtime(RuntimeOptions(device="cpu", backend="onnxruntime")).open(store, entry)
    given = {"target": np.full(SHAPE, 0.3), "source": np.ones((1, 512))}
    assert np.array_equal(session.run(given)[0], plain.run(given)[0])


def test_half_precision_that_does_not_fit_beside_single_is_left(put):
    _, store, entry = put("inswapper_128", half(holds=True))
    opened = []

    class Small(OnnxRuntime):
        def start(self, entry, data, device, **how):
            opened.append(device)
            if len(opened) == 2:
                raise NoMemoryError("for it")
            return super().start(entry, data, device, **how)

    session = Runtime(RuntimeOptions(device="cpu", precision="half"), Small()).open(store, entry)
    assert len(opened) == 2
    assert session.precision == "single"
    assert "not enough memory" in session.notes[-1]


def test_too_little_memory_on_every_device_is_no_fault_of_the_file(shelf):
    class Full(OnnxRuntime):
        def devices(self):
            return ["coreml", "cpu"]

        def start(self, entry, data, device, **how):
            raise NoMemoryError(f"on {device}")

    store = Store(shelf / FOLDER, Catalogue.load(shelf / "models.toml"))
    with pytest.raises(NoMemoryError, match="on cpu"):
        Runtime(RuntimeOptions(backend="onnxruntime"), Full()).open(store, store.catalogue.entries["inswapper_128"])


def test_what_comes_out_in_many_sizes_is_not_kept_in_buffers(put, monkeypatch):
    """Its inputs are fixed, but how many points there are is not."""
    graph = GraphWriter()
    graph.node("Cast", graph.node("NonZero", "data"), to=1, name="fc1")
    _, store, entry = put("2d106det", graph.finished([("data", (1, 3, 192, 192))], [("fc1", (4, "N"))]))
    monkeypatch.setitem(opening.MEMORIES, "cpu", "cpu")
    session = Runtime(RuntimeOptions(device="cpu", backend="onnxruntime")).open(store, entry)
    picture = np.zeros((1, 3, 192, 192))
    for count in (3, 0, 7):
        picture[0, 0, 0, :count] = 1
        assert session.run({"data": picture})[0].shape == (4, count)
        picture[:] = 0


@pytest.mark.slow
def test_what_the_mesh_engine_does_not_heed_is_said(hopper_path, tmp_path, capsys):
    words = swap_words(hopper_path, tmp_path / "o.png")
    words += ["--home", str(tmp_path / "home"), "--overwrite"]
    for option in (["--device", "cpu"], ["--threads", "2"], ["--weight", "0.2"], ["--boost", "2"], ["--refresh", "5"]):
        assert main([*words, *option]) == 0
        assert f"the mesh engine does not use {option[0]}\n" in capsys.readouterr().err
    assert main(words) == 0
    assert "does not use" not in capsys.readouterr().err
    for command in (words, ["faces", str(hopper_path)], ["doctor", "--home", str(tmp_path / "home")]):
        assert main([*command, "--device", "nonsense=cpu"]) == 2
        assert "there is no model 'nonsense'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("make", "size", "off"),
    [
        (twins.scrfd_10g_twin, 16_923_827, 10_000),
        pytest.param(twins.arcface_r50_twin, 174_383_860, 10_000, marks=pytest.mark.slow),
        (twins.landmark_106_twin, 5_030_888, 15_000),
        pytest.param(twins.identity_twin, 209_144_485, 100_000, marks=pytest.mark.slow),
        pytest.param(twins.conditioner_twin, 82_888_707, 500_000, marks=pytest.mark.slow),
        (twins.generator_twin, 368_108, 3_600),
        (lambda: twins.generator_twin(planted=True), 368_108, 3_600),
    ],
)
def test_twins_are_as_large_as_the_files_they_stand_for(make, size, off):
    """The sizes of the catalogue's files: another architecture would be further off."""
    assert abs(len(make()) - size) < off
