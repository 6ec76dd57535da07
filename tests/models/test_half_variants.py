"""A model in 16 bits is half as large, gives nearly the same, and keeps 32 where 16 do not hold what is computed."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest
from hypothesis import given as forall
from hypothesis import strategies as some
from onnx import helper, numpy_helper

from tests.models.openvino_fake import FakeOpenVino
from tests.twins import SMALL
from understudy.cli.main import main
from understudy.errors import ModelError, ModelFileError
from understudy.models.catalogue import Catalogue
from understudy.models.devices import RuntimeOptions
from understudy.models.graphs import check_graph, in_single
from understudy.models.half_variants import half_variant, off_by
from understudy.models.halved import computed_in_half, half_layers, halved
from understudy.models.onnx_runtime import ort
from understudy.models.opening import Runtime
from understudy.models.openvino_runtime import OpenVino
from understudy.models.optimising import Given, OptimiseOptions, optimised
from understudy.models.providers import OnnxRuntime
from understudy.models.store import FOLDER, Store
from understudy.models.variants import Variants
from understudy.testing.twins import GraphWriter, identity_twin, inswapper_twin, restorer_twin

SHAPE = (1, 3, 128, 128)
ENDS = [("target", SHAPE), ("source", (1, 512))], [("output", SHAPE)]
RANDOM = np.random.default_rng(3)
GIVEN = [
    Given(RANDOM.random(SHAPE, np.float32), RANDOM.normal(size=(1, 512)).astype(np.float32) / 22) for _ in range(3)
]
VALUES = {"target": GIVEN[0].picture, "source": GIVEN[0].other}


class Graphics(OnnxRuntime):
    """Pretends to have a graphics card, which is ONNX Runtime on the CPU."""

    def devices(self):
        return ["coreml", "cpu"]

    def start(self, entry, data, device, *, threads=None, **_):
        del device
        return super().start(entry, data, "cpu", threads=threads)


class NoOpenVino(OpenVino):
    @property
    def usable(self):
        return False


@pytest.fixture
def home(shelf, tmp_path):
    shutil.copytree(shelf, tmp_path / "home", copy_function=os.link, ignore=shutil.ignore_patterns("compiled"))
    return tmp_path / "home"


@pytest.fixture
def store(home):
    return Store(home / FOLDER, Catalogue.load(home / "models.toml"))


@pytest.fixture
def entry(store):
    return store.catalogue.entries["inswapper_128"]


def make(store, entry, options=None, openvino=None):
    return half_variant(store, entry, GIVEN, "noise", options, openvino or OpenVino(FakeOpenVino()))


def opened(store, entry, onnx=None, openvino=None, **options):
    return Runtime(RuntimeOptions(**options), onnx, openvino or OpenVino(FakeOpenVino())).open(store, entry)


def ran(model, values, outputs=None):
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(outputs, values)


def swapper(write):
    graph = GraphWriter()
    write(graph)
    graph.constant(np.eye(512, dtype=np.float32), "emap")
    return graph.finished(*ENDS)


@pytest.mark.slow
def test_weights_take_half_the_room_and_norms_and_resizing_keep_32_bits(store, entry):
    record = make(store, entry)
    original, variant = (check_graph(data, "x") for data in (store.read(entry), Variants(store, "half").read(entry)))
    onnx.checker.check_model(variant, full_check=True)
    assert record.layers == len(half_layers(original)) > 10
    assert record.left == 0
    assert record.precision == "half"
    emap = original.graph.initializer[-1].ByteSize()
    assert record.size < (store.record(entry).size - emap) / 2 + emap + 20_000
    typed = onnx.shape_inference.infer_shapes(variant, strict_mode=True)
    kinds = {value.name: value.type.tensor_type.elem_type for value in typed.graph.value_info}
    exact = {"ReduceMean", "Sqrt", "Div", "Sub", "Resize", "Tanh"}
    for node in variant.graph.node:
        if node.op_type in ("Conv", "Gemm"):
            assert kinds[node.output[0]] == onnx.TensorProto.FLOAT16
        if node.op_type in exact and node.output[0] in kinds:
            assert kinds[node.output[0]] == onnx.TensorProto.FLOAT
    for one, other in zip(variant.graph.input, original.graph.input, strict=True):
        assert one == other
    assert os.name != "posix" or Variants(store, "half").path(entry).stat().st_mode & 0o77 == 0


@pytest.mark.slow
def test_it_gives_nearly_the_same_in_every_way_that_it_is_computed(store, entry):
    make(store, entry)
    variant = check_graph(Variants(store, "half").read(entry), "x")
    (expected,) = ran(check_graph(store.read(entry), "x"), VALUES)
    for model in (variant, in_single(variant), computed_in_half(variant)):
        (given,) = ran(model, VALUES)
        assert 0 < np.abs(given - expected).mean() < 0.003 * np.ptp(expected)


@pytest.mark.slow
def test_it_runs_where_half_precision_is_computed_and_nowhere_else(store, entry):
    original = opened(store, entry, precision="single")
    make(store, entry)
    none = NoOpenVino()
    for precision in ("auto", "int8", "half"):
        session = opened(store, entry, Graphics(), none, precision=precision)
        assert (session.precision, session.device, session.notes) == ("half", "coreml", ())
        assert np.array_equal(session.emap, original.emap)
        assert 0 < np.abs(session.run(VALUES)[0] - original.run(VALUES)[0]).mean() < 0.01
    assert opened(store, entry, Graphics(), none, precision="single").precision == "single"
    for precision in ("auto", "half", "single"):  # ONNX Runtime on the CPU computes no halves
        session = opened(store, entry, OnnxRuntime(), none, precision=precision)
        assert np.array_equal(session.run(VALUES)[0], original.run(VALUES)[0])


@pytest.mark.slow
def test_openvino_takes_it_only_where_half_precision_is_asked_for(store, entry):
    size = make(store, entry).size
    sizes = {precision: opened(store, entry, precision=precision).size for precision in ("auto", "half", "single")}
    whole = store.record(entry).size
    assert sizes == {"auto": whole, "half": size, "single": whole}
    assert opened(store, entry, precision="half").precision == "half"


@pytest.mark.slow
def test_both_variants_lie_side_by_side_and_each_runs_where_it_should(home, store, entry, capsys):
    make(store, entry)
    optimised(store, entry, GIVEN, "noise", OptimiseOptions(error=0.05), OpenVino(FakeOpenVino()))
    wanted = {"auto": "int8", "int8": "int8", "half": "half", "single": "single"}
    for precision, runs in wanted.items():
        assert opened(store, entry, precision=precision).precision == runs
    assert main(["models", "verify", "inswapper_128", "--home", str(home)]) == 0
    assert main(["models", "list", "--kind", "swapper", "--home", str(home)]) == 0
    said = capsys.readouterr().out
    for bits in ("8 bits", "16 bits"):
        assert f"there    inswapper_128, in {bits}" in said
        assert f"    in {bits}: " in said
    assert main(["models", "remove", "inswapper_128", "--home", str(home)]) == 0
    assert [path for path in (store.root / "variants").iterdir() if path.suffix != ".lock"] == []


@pytest.mark.slow
def test_one_that_is_damaged_or_of_another_file_is_not_used_and_it_is_said(home, store, entry, capsys):
    make(store, entry)
    path = Variants(store, "half").path(entry)
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    session = opened(store, entry, precision="half")
    assert session.notes == (
        "the variant of inswapper_128 in 16 bits is not what was made: it is not used; the original is used",
    )
    assert main(["models", "verify", "inswapper_128", "--home", str(home)]) == 5
    assert f"understudy models optimise --home {home} inswapper_128 --to half" in capsys.readouterr().err
    path.write_bytes(whole)
    record = path.with_name(path.name + ".json")
    record.write_text(record.read_text().replace(store.record(entry).sha256, "0" * 64))
    assert Variants(store, "half").state(entry) == "outdated"
    record.write_text("{")
    assert Variants(store, "half").state(entry) == "altered"


@pytest.mark.slow
def test_a_record_of_another_precision_is_not_believed(store, entry):
    make(store, entry)
    half, int8 = (Variants(store, one).path(entry) for one in ("half", "int8"))
    for suffix in ("", ".json"):
        shutil.copy(f"{half}{suffix}", f"{int8}{suffix}")
    assert Variants(store).state(entry) == "altered"


@pytest.mark.slow
def test_where_it_does_not_hold_on_a_device_the_original_runs_and_it_is_said(store, entry):
    class Coarse(Graphics):
        def start(self, entry, data, device, **how):
            session = super().start(entry, data, device, **how)
            if any(one.data_type == onnx.TensorProto.FLOAT16 for one in check_graph(data, "x").graph.initializer):
                return Wrong(session)
            return session

    class Wrong:
        def __init__(self, session):
            self.get_inputs, self.get_outputs, self._session = session.get_inputs, session.get_outputs, session

        def run(self, names, values):
            return [
                one + np.linspace(0, 1, one.shape[-1], dtype=np.float32) for one in self._session.run(names, values)
            ]

    make(store, entry)
    session = opened(store, entry, Coarse(), NoOpenVino())
    assert session.precision == "single"
    assert session.size == store.record(entry).size
    assert session.notes == ("the variant of inswapper_128 in 16 bits does not hold here; the original is used",)


@pytest.mark.slow
def test_layers_that_16_bits_do_not_hold_keep_32(put):
    """One with weights beyond 65504, one with weights too small, and two between which numbers are too large."""

    def write(graph):
        tiny = graph.constant(RANDOM.normal(size=(8, 3, 3, 3)).astype(np.float32) * 1e-7)
        huge = graph.constant(RANDOM.normal(size=(8, 8, 3, 3)).astype(np.float32) * 1e6)
        flow = graph.node("Conv", "target", tiny, pads=[1] * 4)
        flow = graph.node("Conv", flow, huge, pads=[1] * 4)
        flow = graph.convolved(flow, (8, 8), 3, pad=1)
        large = graph.node("Conv", flow, graph.constant(np.full((8, 8, 1, 1), 6e4, np.float32)))
        small = graph.node("Conv", large, graph.constant(np.full((8, 8, 1, 1), 1e-4, np.float32)))
        graph.node("Tanh", graph.convolved(small, (8, 3), 3, pad=1), name="output")

    _, store, entry = put("inswapper_128", swapper(write))
    record = make(store, entry)
    assert (record.layers, record.left) == (2, 4)
    variant = check_graph(Variants(store, "half").read(entry), "x")
    (expected,) = ran(check_graph(store.read(entry), "x"), VALUES)
    assert np.abs(ran(computed_in_half(variant), VALUES)[0] - expected).mean() < 0.01
    original = check_graph(store.read(entry), "x")
    with np.errstate(over="ignore"):
        everything = halved(original, half_layers(original))
    assert not np.isfinite(ran(computed_in_half(everything), VALUES)[0]).all()


@pytest.mark.slow
def test_what_would_be_off_by_too_much_is_not_made(store, entry):
    for options, reason in (
        (OptimiseOptions(error=1e-6), "off by"),
        (OptimiseOptions(layer_error=1e-6), "no layer can"),
    ):
        with pytest.raises(ModelError, match=reason) as fault:
            make(store, entry, options)
        assert fault.value.hint
    broken = FakeOpenVino(half=lambda values: values * np.float32(np.nan))
    with pytest.raises(ModelError, match="no numbers"):
        make(store, entry, openvino=OpenVino(broken))
    assert Variants(store, "half").state(entry) == "none"


def test_a_file_that_comes_in_half_precision_stays(put):
    _, store, entry = put("inswapper_128", inswapper_twin(**SMALL, kind=np.float16))
    with pytest.raises(ModelError, match="as it comes"):
        make(store, entry)


@pytest.mark.slow
def test_a_disk_that_gets_full_leaves_the_earlier_one(store, entry, monkeypatch):
    make(store, entry)
    before = Variants(store, "half").read(entry)
    real = type(store.root).write_bytes

    def full(path, data):
        if path.suffix == ".json":
            raise OSError(28, "No space left on device")
        return real(path, data)

    monkeypatch.setattr(type(store.root), "write_bytes", full)
    with pytest.raises(OSError, match="no space left"):
        make(store, entry, OptimiseOptions(error=0.5))
    monkeypatch.undo()
    assert Variants(store, "half").read(entry) == before
    assert len([path for path in (store.root / "variants").iterdir() if path.suffix != ".lock"]) == 2


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("at", [1, 2])
def test_a_run_that_is_killed_while_it_saves_leaves_one_that_is_whole_or_not_used(at, store, entry, monkeypatch):
    first, variants = make(store, entry), Variants(store, "half")
    data = bytes(100_000)
    other = first.model_copy(update={"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)})
    real, calls = type(store.root).replace, []

    def killed(path, target):
        calls.append(target)
        if len(calls) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(path, target)

    child = os.fork()  # it writes files, and nothing else
    if not child:
        try:
            monkeypatch.setattr(type(store.root), "replace", killed)
            variants.add(entry, data, other)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert variants.record(entry) == first
    assert variants.verify(entry) == ("there" if at == 1 else "altered")
    left = len(list(variants.path(entry).parent.iterdir()))
    variants.add(entry, data, other)  # takes away what the killed one left
    assert (variants.record(entry), variants.verify(entry)) == (other, "there")
    assert len(list(variants.path(entry).parent.iterdir())) < left


@pytest.mark.slow
def test_of_two_that_are_made_at_once_one_stays_whole(store, entry):
    record = make(store, entry)

    def add(number):
        data = bytes([number]) * (100_000 + number)
        known = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        Variants(store, "half").add(entry, data, record.model_copy(update=known))

    for _ in range(5):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(add, range(8)))
        assert Variants(store, "half").verify(entry) == "there"


def test_what_was_never_made_is_said(store, entry):
    with pytest.raises(ModelFileError, match="in 16 bits is not there"):
        Variants(store, "half").read(entry)


def test_values_that_both_read_are_there_in_both():
    """What a layer in half gives goes on in half, into a sum in single, out of the graph, and into a graph within."""
    graph, shape = GraphWriter(), (1, 4, 128, 128)
    first = graph.convolved("target", (3, 4), 3, pad=1)
    second = graph.convolved(graph.node("Relu", first), (4, 4), 3, pad=1)
    graph.node("Add", graph.node("Tanh", first), second, name="sum")
    model = check_graph(graph.finished([("target", SHAPE)], [("sum", shape)]), "x")
    inner = helper.make_graph(
        [helper.make_node("Neg", [first], ["inner"])], "inner", [], [helper.make_tensor_value_info("inner", 1, shape)]
    )
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))
    model.graph.node.append(helper.make_node("If", ["yes"], ["chosen"], then_branch=inner, else_branch=inner))
    model.graph.output.append(helper.make_tensor_value_info("chosen", 1, shape))
    model.graph.output.append(helper.make_tensor_value_info(first, 1, shape))
    variant = halved(model, half_layers(model))
    onnx.checker.check_model(variant)
    for one, other in zip(
        ran(variant, {"target": GIVEN[0].picture}), ran(model, {"target": GIVEN[0].picture}), strict=True
    ):
        assert one.dtype == np.float32
        assert np.abs(one - other).mean() < 0.003 * np.ptp(other)


@pytest.mark.slow
@pytest.mark.parametrize(
    "make_graph", [lambda: identity_twin(blocks=(1, 1, 1, 1), narrower=8), lambda: restorer_twin(256)]
)
def test_graphs_of_other_makes_stay_sound(make_graph):
    model = check_graph(make_graph(), "x")
    variant = halved(model, half_layers(model))
    onnx.checker.check_model(variant, full_check=True)
    values = {
        one.name: RANDOM.random([axis.dim_value or 1 for axis in one.type.tensor_type.shape.dim], np.float32)
        for one in model.graph.input
    }
    for one, other in zip(ran(computed_in_half(variant), values), ran(model, values), strict=True):
        assert np.abs(one - other).mean() < 0.01 * max(np.ptp(other), 1e-3)


@pytest.mark.slow
def test_the_two_networks_that_make_a_swapper_one_persons_are_halved_together(home, store, capsys, hopper_path):
    words = ["models", "optimise", "mobilefaceswap_224", "--to", "half", "--home", str(home)]
    assert main([*words, "--calibrate", str(hopper_path)]) == 0
    assert "off by" in capsys.readouterr().err
    for name in ("mobilefaceswap_identity", "mobilefaceswap_conditioner"):
        part = store.catalogue.entries[name]
        record = Variants(store, "half").record(part)
        assert record.size < 0.6 * store.record(part).size
        assert 0 < record.error <= record.bounds[1]
        assert opened(store, part, precision="half").size == record.size
    assert Variants(store, "half").state(store.catalogue.entries["mobilefaceswap_224"]) == "none"


def test_a_kind_that_stays_exact_is_not_halved(home, capsys):
    assert main(["models", "optimise", "arcface_w600k_r50", "--to", "half", "--home", str(home)]) == 5
    assert "is not made coarser" in capsys.readouterr().err
    assert main(["models", "optimise", "inswapper_128", "--to", "fp8", "--home", str(home)]) == 2


@forall(some.integers(0, 2**32), some.floats(1e-2, 1e3))
def test_weights_of_a_usual_size_lose_next_to_nothing_in_16_bits(seed, size):
    graph = GraphWriter()
    weights = (np.random.default_rng(seed).normal(size=(4, 3, 3, 3)) * size).astype(np.float32)
    graph.node("Conv", "target", graph.constant(weights), name="output")
    (layer,) = half_layers(check_graph(graph.finished([("target", SHAPE)], [("output", (1, 4, 126, 126))]), "x"))
    assert layer.loss < 2**-11


def test_the_worst_picture_counts():
    expected = [np.array([0.0, 1.0]), np.array([0.5, 0.5])]
    assert off_by([np.array([0.0, 1.0]), np.array([0.0, 0.0])], expected) == 0.5
    assert off_by([np.array([0.0, np.nan]), np.array([0.5, 0.5])], expected) == float("inf")
