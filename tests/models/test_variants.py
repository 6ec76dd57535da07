"""A model in 8 bits gives nearly the same, is known by its original, and is not used where it does not do."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from hypothesis import given as forall
from hypothesis import strategies as some
from onnx import helper, numpy_helper

from tests.models.openvino_fake import FakeOpenVino
from tests.twins import SMALL
from understudy.cli.main import main
from understudy.errors import ModelError, ModelFileError, UsageError
from understudy.models import optimising
from understudy.models.calibrating import measured
from understudy.models.catalogue import Catalogue
from understudy.models.devices import RuntimeOptions
from understudy.models.graphs import check_graph
from understudy.models.onnx_runtime import ort
from understudy.models.opening import Runtime
from understudy.models.openvino_runtime import OpenVino
from understudy.models.optimising import Given, OptimiseOptions, optimised
from understudy.models.quantised import Range, eight_bits, layers, prepared, quantised
from understudy.models.store import FOLDER, Store
from understudy.models.variants import Variants
from understudy.settings import Settings
from understudy.tasks.halve import halve
from understudy.tasks.optimise import optimise
from understudy.testing.twins import GraphWriter, inswapper_twin

SHAPE = (1, 3, 128, 128)
RANDOM = np.random.default_rng(3)
GIVEN = [
    Given(RANDOM.random(SHAPE, np.float32), RANDOM.normal(size=(1, 512)).astype(np.float32) / 22) for _ in range(5)
]
VALUES = {"target": GIVEN[0].picture, "source": GIVEN[0].other}
#: Random weights are less patient than learned ones: what a real model loses is not shown here.
LOOSE = OptimiseOptions(error=0.05)


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


def make(store, entry, options=LOOSE):
    return optimised(store, entry, GIVEN, "noise", options, OpenVino(FakeOpenVino()))


def opened(store, entry, *, with_openvino=True, **options):
    openvino = OpenVino(FakeOpenVino()) if with_openvino else None
    backend = "auto" if with_openvino else "onnxruntime"
    return Runtime(RuntimeOptions(backend=backend, **options), openvino=openvino).open(store, entry)


def replaced(store, entry, seed=9):
    """Another original under the same name."""
    part = store.folder("partial") / "x"
    part.write_bytes(inswapper_twin(**SMALL, seed=seed))
    store.path(entry).unlink()
    store.add(entry, part, "a test")


def ran(model, values, outputs=None):
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(outputs, values)


@pytest.mark.slow
def test_only_the_convolutions_of_blocks_have_8_bits_and_all_else_stays(store, entry):
    record = make(store, entry)
    original = check_graph(store.read(entry), "x")
    variant = check_graph(Variants(store).read(entry), "x")
    before, after = ({t.name: t for t in model.graph.initializer} for model in (original, variant))
    small = [name for name in before if after[name].data_type == onnx.TensorProto.INT8]
    assert [tuple(before[name].dims) for name in small] == [(64, 64, 3, 3)] * 2
    assert all(after[name] == before[name] for name in before if name not in small)
    scales = [node.input[1] for node in variant.graph.node if node.op_type == "DequantizeLinear" and node.attribute]
    assert [tuple(after[name].dims) for name in scales] == [(64,)] * 2  # one for each channel
    assert (record.layers, record.left) == (2, 0)
    assert record.size < store.record(entry).size - 2 * 64 * 64 * 9 * 3 + 5_000
    assert os.name != "posix" or Variants(store).path(entry).stat().st_mode & 0o77 == 0


@pytest.mark.slow
def test_it_says_where_it_comes_from(store, entry):
    record = make(store, entry)
    assert record == Variants(store).record(entry)
    assert record.original == store.record(entry).sha256
    assert record.sha256 != record.original
    assert "understudy" in record.tool
    assert "ONNX Runtime" in record.tool
    assert record.calibration == "noise"
    assert 0 < record.layer_error <= record.bounds[0]
    assert 0 < record.error <= record.bounds[1]
    assert record.made.startswith("20")


@pytest.mark.slow
def test_it_runs_in_place_of_the_original_with_openvino_only_and_is_nearly_the_same(store, entry):
    original = opened(store, entry)
    make(store, entry)
    variant = opened(store, entry)
    assert (variant.precision, variant.program, variant.notes) == ("int8", "openvino", ())
    assert np.array_equal(variant.emap, original.emap)
    off = np.abs(variant.run(VALUES)[0] - original.run(VALUES)[0]).mean()
    assert 0 < off < 0.05
    assert opened(store, entry, with_openvino=False).precision == "single"
    assert opened(store, entry, with_openvino=False, precision="int8").precision == "int8"
    for precision in ("half", "single"):
        assert opened(store, entry, precision=precision).precision == precision


@pytest.mark.slow
def test_one_that_is_older_than_its_original_is_not_used_and_it_is_said(home, store, entry, capsys):
    make(store, entry)
    replaced(store, entry)
    session = opened(store, entry)
    assert session.precision != "int8"
    assert "was made of another file" in session.notes[0]
    assert "the original is used" in session.notes[0]
    assert main(["models", "list", "--kind", "swapper", "--home", str(home)]) == 0
    assert "in 8 bits: was made of another file: it is not used" in capsys.readouterr().out
    main(["models", "list", "--kind", "swapper", "--json", "--home", str(home)])
    (shown, *_) = json.loads(capsys.readouterr().out)["models"]
    assert shown["variants"]["int8"]["state"] == "outdated"
    make(store, entry)
    assert opened(store, entry).precision == "int8"


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut", "turned", "no record", "no file", "link"])
def test_one_that_was_altered_is_not_used_and_verify_says_so(damage, home, store, entry, tmp_path, capsys):
    make(store, entry)
    path = Variants(store).path(entry)
    record = path.with_name(path.name + ".json")
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-10])
    elif damage == "turned":
        path.write_bytes(path.read_bytes()[::-1])
    elif damage == "link":
        path.replace(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    else:
        (record if damage == "no record" else path).unlink()
    session = opened(store, entry)
    assert session.precision != "int8"
    assert "is not what was made" in session.notes[0]
    assert main(["models", "verify", "inswapper_128", "--home", str(home)]) == 5
    said = capsys.readouterr()
    assert "altered  inswapper_128, in 8 bits" in said.out
    assert f"models optimise --home {home} inswapper_128" in said.err


@pytest.mark.slow
def test_one_that_gives_no_numbers_is_not_used_and_it_is_said(store, entry):
    record = make(store, entry)
    model = check_graph(Variants(store).read(entry), "x")
    bias = next(one for one in model.graph.initializer if tuple(one.dims) == (3,) and "scale" not in one.name)
    bias.CopyFrom(numpy_helper.from_array(np.full(3, np.nan, np.float32), bias.name))
    data = model.SerializeToString()
    known = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    Variants(store).add(entry, data, record.model_copy(update=known))
    session = opened(store, entry)
    assert session.precision != "int8"
    assert "not numbers" in session.notes[0]
    assert "the original is used" in session.notes[0]


@pytest.mark.slow
def test_verify_list_and_remove_know_it(home, store, entry, capsys):
    make(store, entry)
    assert main(["models", "verify", "inswapper_128", "--home", str(home)]) == 0
    assert "there    inswapper_128, in 8 bits" in capsys.readouterr().out
    main(["models", "list", "--kind", "swapper", "--home", str(home)])
    assert re.search(r"in 8 bits: \d MB, off by \d\.\d\d%, made on 20", capsys.readouterr().out)
    assert main(["models", "remove", "inswapper_128", "--home", str(home)]) == 0
    assert list((store.root / "variants").iterdir()) == []


@pytest.mark.parametrize("make_it", [optimise, halve])
def test_where_none_can_be_written_that_is_said_before_any_work(store, make_it):
    """It was said after minutes."""

    def pictures():
        raise AssertionError("work was begun")
        yield

    shutil.rmtree(store.root / "variants", ignore_errors=True)
    (store.root / "variants").write_text("no folder")
    with pytest.raises(ModelError, match=r"can't write .*variants"):
        make_it(store, None, Settings(), "inswapper_128", pictures(), "nothing")


@pytest.mark.slow
def test_of_a_model_that_was_removed_meanwhile_none_is_kept(store, entry):
    record = make(store, entry)
    data = Variants(store).read(entry)
    store.remove(entry)
    with pytest.raises(ModelError, match="was removed, or is another file now"):
        Variants(store).add(entry, data, record)
    assert list((store.root / "variants").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("there", "said"),
    [
        (True, "runs in its place on the CPU"),
        (False, "runs in its place with --precision int8, by itself once OpenVINO is here"),
    ],
)
def test_the_list_says_when_it_runs(home, store, entry, capsys, monkeypatch, there, said):
    make(store, entry)
    assert opened(store, entry, with_openvino=there, precision="int8").precision == "int8"  # as the list has it
    monkeypatch.setattr(OpenVino, "usable", there)
    main(["models", "list", "--kind", "swapper", "--home", str(home)])
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "in 8 bits" in line]
    assert said in line
    assert there or "not used" not in line


@pytest.mark.slow
def test_what_judges_it_was_not_learned_from(store, entry, monkeypatch):
    learned = []

    def watched(graph, there, values):
        learned.extend(values)
        return measured(graph, there, values)

    monkeypatch.setattr(optimising, "measured", watched)
    make(store, entry)
    pictures = [one["target"] for one in learned]
    held_back = [one for one in GIVEN if not any(np.array_equal(one.picture, other) for other in pictures)]
    assert (len(pictures), len(held_back)) == (3, 2)


def test_one_picture_is_too_few(store, entry):
    with pytest.raises(UsageError, match="one picture is too few"):
        optimised(store, entry, GIVEN[:1], "noise", LOOSE, OpenVino(FakeOpenVino()))


@pytest.mark.slow
def test_what_would_lose_too_much_is_not_made(store, entry):
    for options in (OptimiseOptions(layer_error=1e-6), OptimiseOptions(error=1e-7)):
        with pytest.raises(ModelError, match="no layer of inswapper_128 can have 8 bits") as fault:
            make(store, entry, options)
        assert fault.value.hint
        assert Variants(store).state(entry) == "none"


def test_a_graph_without_convolutions_stays_as_it_is(put):
    graph = GraphWriter()
    graph.node("Tanh", "target", name="output")
    graph.constant(np.eye(512, dtype=np.float32), "emap")
    ends = [("target", SHAPE), ("source", (1, 512))], [("output", SHAPE)]
    _, store, entry = put("inswapper_128", graph.finished(*ends))
    with pytest.raises(ModelError, match="no layer of inswapper_128 can have 8 bits"):
        make(store, entry)


@pytest.mark.slow
def test_a_layer_that_loses_too_much_alone_stays_as_it_is(store, entry):
    graph = prepared(check_graph(store.read(entry), "x"), "x")
    found = measured(graph, layers(graph), [{"target": one.picture, "source": one.other} for one in GIVEN])
    least, most = sorted(one.error for one in found.values())
    record = make(store, entry, OptimiseOptions(layer_error=(least + most) / 2, error=0.05))
    assert (record.layers, record.left) == (1, 1)


@pytest.mark.parametrize("name", ["arcface_w600k_r50", "scrfd_10g", "nsfw_384", "2d106det"])
def test_what_is_held_against_thresholds_is_not_made_coarser(name, home, capsys):
    assert main(["models", "optimise", name, "--home", str(home)]) == 5
    assert "is not made coarser" in capsys.readouterr().err


def test_a_swapper_made_for_each_person_is_not_optimised(home, hopper_path, capsys):
    """Its kernels are constants of the graph: there is no one file to make a variant of."""
    words = ["models", "optimise", "mobilefaceswap_224", "--home", str(home)]
    assert main([*words, "--calibrate", str(hopper_path)]) == 5
    said = capsys.readouterr().err
    assert "is made for each person" in said
    assert "--to half" in said


@pytest.mark.parametrize("name", ["mobilefaceswap_identity", "mobilefaceswap_conditioner"])
def test_a_part_of_a_swapper_names_the_whole(name, home, capsys):
    assert main(["models", "optimise", name, "--home", str(home)]) == 5
    assert "belongs to mobilefaceswap_224" in capsys.readouterr().err


def test_what_a_layer_is_off_by_is_what_it_is_off_by(store, entry):
    """The layer alone quantised, and run: what was measured inside the graph is what comes out."""
    graph = prepared(check_graph(store.read(entry), "x"), "x")
    first, *_ = layers(graph)
    found = measured(graph, [first], [VALUES])[first]
    alone = quantised(graph, {first: found.range})
    for model in (graph, alone):
        model.graph.output.append(helper.make_tensor_value_info(first.output, onnx.TensorProto.FLOAT, None))
    (expected,), (given,) = (ran(model, VALUES, [first.output]) for model in (graph, alone))
    error = np.sqrt(((given - expected) ** 2).mean() / ((expected - expected.mean()) ** 2).mean())
    assert found.error == pytest.approx(error, rel=0.02)
    assert 0.002 < error < 0.03


def test_a_range_with_a_few_far_ends_is_cut_where_that_pays(store, entry):
    """One number a thousand times as large as the others would leave those a single step."""
    graph = GraphWriter()
    once = graph.convolved("input", (3, 8), 3, pad=1)
    inner = graph.node("Identity", graph.convolved(once, (8, 8), 3, pad=1))
    graph.node("Identity", graph.convolved(inner, (8, 3), 3, pad=1), name="output")
    model = prepared(check_graph(graph.finished([("input", SHAPE)], [("output", SHAPE)]), "x"), "x")
    (layer,) = layers(model)
    calm = RANDOM.normal(size=SHAPE).astype(np.float32)
    wide = measured(model, [layer], [{"input": calm}])[layer].range
    (inwards,) = ran(_with_output(model, layer.input), {"input": calm}, [layer.input])
    assert wide.most <= inwards.max() * 1.0001
    assert wide.least >= inwards.min() * 1.0001
    assert wide.most >= 0.5 * inwards.max()


def _with_output(model, name):
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    copy.graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    return copy


def test_what_gives_no_numbers_while_it_is_looked_into_is_an_error(put):
    graph = GraphWriter()
    flow = graph.convolved("target", (3, 8), 3, pad=1)
    flow = graph.node("Div", flow, graph.constant(np.array(0, np.float32)))
    flow = graph.convolved(flow, (8, 8), 3, pad=1)
    graph.node("Identity", graph.convolved(flow, (8, 3), 3, pad=1), name="output")
    graph.constant(np.eye(512, dtype=np.float32), "emap")
    ends = [("target", SHAPE), ("source", (1, 512))], [("output", SHAPE)]
    _, store, entry = put("inswapper_128", graph.finished(*ends))
    with pytest.raises(ModelError, match="no numbers"):
        make(store, entry)


@pytest.mark.slow
def test_older_operators_are_brought_up_to_date_and_the_projection_stays_last(put):
    model = onnx.load_model_from_string(inswapper_twin(**SMALL))
    model.opset_import[0].version = 11
    model.ir_version = 6
    for node in model.graph.node:
        if node.op_type == "Resize":
            node.input[1] = "roi"  # which may be left out from 13 on only
    model.graph.initializer.insert(0, numpy_helper.from_array(np.zeros(0, np.float32), "roi"))
    _, store, entry = put("inswapper_128", model.SerializeToString())
    make(store, entry)
    assert opened(store, entry).precision == "int8"
    variant = check_graph(Variants(store).read(entry), "x")
    assert variant.opset_import[0].version >= 13
    assert np.array_equal(opened(store, entry).emap, opened(store, entry, precision="single").emap)


def test_operators_that_nobody_knows_are_an_error(put):
    model = onnx.load_model_from_string(inswapper_twin(**SMALL))
    model.opset_import[0].version = 11
    model.graph.node[0].op_type = "Wondrous"
    with pytest.raises(ModelError, match="too old"):
        prepared(model, "x")


def test_weights_that_something_else_reads_as_well_and_those_of_single_channels_stay():
    graph = GraphWriter()
    weights, doubled = graph.weights(8, 8, 3, 3), graph.weights(8, 8, 3, 3)
    flow = graph.convolved("input", (3, 8), 3, pad=1)
    for one in (weights, weights, doubled, graph.node("Add", doubled, doubled)):
        flow = graph.node("Conv", flow, one, kernel_shape=[3, 3], pads=[1] * 4)
    flow = graph.convolved(flow, (8, 8), 3, pad=1, groups=8)
    inner = graph.convolved(flow, (8, 8), 3, pad=1)
    graph.node("Identity", graph.convolved(inner, (8, 3), 3, pad=1), name="output")
    model = prepared(check_graph(graph.finished([("input", SHAPE)], [("output", SHAPE)]), "x"), "x")
    assert [layer.output for layer in layers(model)] == [inner]


@pytest.mark.slow
def test_a_file_of_half_precision_can_be_made_of_8_bits_too(put):
    _, store, entry = put("inswapper_128", inswapper_twin(**SMALL, kind=np.float16))
    make(store, entry)
    assert opened(store, entry).precision == "int8"
    assert opened(store, entry).emap is not None


def test_options_that_can_not_be_are_refused(home):
    for wrong in ({"layer_error": 0}, {"error": 1}):
        with pytest.raises(ValueError, match="above 0"):
            OptimiseOptions(**wrong)
    assert main(["models", "optimise", "inswapper_128", "--layer-error", "0", "--home", str(home)]) == 2
    assert main(["models", "optimise", "nonsense", "--home", str(home)]) == 2


def test_where_none_may_be_looked_at_the_original_runs_and_models_are_listed(home, store, entry, monkeypatch, capsys):
    """The folder of variants may belong to somebody else: an administrator who made one."""
    looked = Path.stat

    def refused(path, **how):
        if "variants" in path.parts:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return looked(path, **how)

    monkeypatch.setattr(Path, "stat", refused)
    session = opened(store, entry)
    assert session.precision != "int8"
    assert any("the original is used" in note for note in session.notes)
    assert main(["models", "list", "--kind", "swapper", "--home", str(home)]) == 0
    assert "it is not used (understudy models optimise inswapper_128)" in capsys.readouterr().out


def test_what_was_never_made_is_said(store, entry):
    with pytest.raises(ModelFileError, match="is not there"):
        Variants(store).read(entry)


@pytest.mark.slow
def test_it_can_be_made_of_any_number_of_files(home, store, entry, hopper_path, tmp_path, capsys):
    """All of their names together were once longer than what is read of a record: it counted as altered at once."""
    words = ["models", "optimise", "inswapper_128", "--home", str(home), "--error", "0.2", "--layer-error", "0.2"]
    for number in range(60):
        clip = tmp_path / f"{number:0200}{hopper_path.suffix}"
        shutil.copyfile(hopper_path, clip)
        words += ["--calibrate", str(clip)]
    assert main(words) == 0
    assert Variants(store).state(entry) == "there"
    assert "and 57 more: " in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_makes_one_of_a_clip_and_of_the_demos_faces(home, store, entry, small_clip, capsys):
    words = ["models", "optimise", "inswapper_128", "--home", str(home), "--error", "0.2", "--layer-error", "0.2"]
    assert main([*words, "--calibrate", str(small_clip), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    made = said["variants"]["inswapper_128"]
    assert small_clip.name in made["calibration"]
    assert made["original"] == store.record(entry).sha256
    assert main(words) == 0
    assert Variants(store).record(entry).calibration == "the demo's two faces: 24 pictures"


@pytest.mark.slow
def test_a_picture_without_a_face_is_an_error(home, blank, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "blank.png"), blank)
    words = ["models", "optimise", "inswapper_128", "--home", str(home)]
    assert main([*words, "--calibrate", str(tmp_path / "blank.png")]) == 3
    assert "no face was found" in capsys.readouterr().err


@pytest.mark.skipif(not OpenVino().usable, reason="needs the extra openvino")
@pytest.mark.slow
def test_the_real_openvino_runs_it_in_8_bits_and_gives_what_onnx_runtime_gives(store, entry):
    make(store, entry)
    real = Runtime().open(store, entry)
    other = opened(store, entry, with_openvino=False, precision="int8")
    assert (real.precision, real.program, other.precision) == ("int8", "openvino", "int8")
    for given in GIVEN:
        values = {"target": given.picture, "source": given.other}
        assert np.abs(real.run(values)[0] - other.run(values)[0]).mean() < 0.01  # all else may be in 16 bits


@forall(some.integers(0, 2**32), some.floats(1e-6, 1e6))
def test_weights_are_off_by_no_more_than_the_largest_allows(seed, size):
    weights = (np.random.default_rng(seed).normal(size=(4, 3, 3, 3)) * size).astype(np.float32)
    values, scales = eight_bits(weights)
    assert values.dtype == np.int8
    back = values * scales[:, None, None, None]
    largest = np.abs(weights).reshape(4, -1).max(axis=1)
    coarse = np.sqrt((largest / 127) ** 2 / 12)
    lost = np.sqrt(((back - weights) ** 2).reshape(4, -1).mean(axis=1))
    assert (lost <= 3 * coarse).all()


@forall(some.floats(-1e4, 0), some.floats(0, 1e4))
def test_nothing_is_one_of_the_numbers_of_every_range(least, most):
    between = Range(least, most)
    assert 0 <= between.zero <= 255
    top = (255 - between.zero) * between.scale
    assert top >= most - between.scale
    assert -between.zero * between.scale <= least + between.scale
