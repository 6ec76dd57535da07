"""Models are opened where they were asked for, and not used where they do not work."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest

from tests.neural.conftest import SMALL
from understudy.cli.main import main
from understudy.errors import ModelError
from understudy.models.devices import RuntimeOptions
from understudy.models.sessions import Runtime, available_devices
from understudy.models.store import FOLDER, Store
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


def test_a_model_is_opened_once_and_tried(shelf):
    from understudy.models.catalogue import Catalogue

    store = Store(shelf / FOLDER, Catalogue.load(shelf / "models.toml"))
    runtime, entry = Runtime(), store.catalogue.entries["inswapper_128"]
    session = runtime.open(store, entry)
    assert runtime.open(store, entry) is session
    assert session.device in available_devices()
    assert session.notes == ()
    (shown,) = session.run({"target": np.zeros(SHAPE), "source": np.ones((1, 512))})
    assert shown.dtype == np.float32
    assert shown.shape == SHAPE
    runtime.close()
    assert runtime.open(store, entry) is not session


@pytest.mark.parametrize("device", ["cuda", "tensorrt", "coreml", "directml", "openvino"])
def test_a_device_that_was_asked_for_is_not_replaced_in_silence(device, shelf, hopper_path, tmp_path, capsys):
    if device in available_devices():
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
    assert session._types["target"] is np.float16
    on_cpu = Runtime(RuntimeOptions(device="cpu")).open(store, entry)
    assert on_cpu._types["target"] is np.float32  # where it is no quicker


def test_half_precision_that_fails_is_replaced_and_said(put):
    """The black squares of the field."""
    _, store, entry = put("inswapper_128", half(holds=False))
    session = Runtime(RuntimeOptions(precision="half")).open(store, entry)
    assert session._types["target"] is np.float32
    assert "single is used" in session.notes[0]
    flat = {"target": np.full(SHAPE, 0.25), "source": np.ones((1, 512))}
    assert np.isfinite(session.run(flat)[0]).all()


def test_a_half_precision_file_gives_the_same_in_single(put):
    _, store, entry = put("inswapper_128", inswapper_twin(**SMALL, kind=np.float16))
    single = Runtime(RuntimeOptions(precision="single")).open(store, entry)
    _, other, _ = put("inswapper_128", inswapper_twin(**SMALL))
    full = Runtime().open(other, entry)
    values = {"target": np.random.default_rng(0).random(SHAPE), "source": np.ones((1, 512)) / 20}
    assert np.abs(single.run(values)[0] - full.run(values)[0]).mean() < 0.05


BAD = {
    "no numbers": (lambda g: g.node("Div", "target", g.constant(np.array(0, np.float32)), name="output"), "no numbers"),
    "one grey": (lambda g: g.node("Mul", "target", g.constant(np.array(0, np.float32)), name="output"), "same number"),
}


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
def test_a_graph_that_is_not_what_its_entry_says_is_refused(data, reason, put):
    with pytest.raises(ModelError, match=reason) as fault:
        _, store, entry = put("inswapper_128", data())
        Runtime().open(store, entry)
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
        Runtime(RuntimeOptions(device="cpu")).open(store, entry)


def test_an_unknown_engine_names_those_there_are(shelf, hopper_path, tmp_path, capsys):
    words = ["swap", "-s", str(hopper_path), "-t", str(hopper_path), "-o", str(tmp_path / "o.png")]
    assert main([*words, "--engine", "deepfake", "--home", str(shelf), "--consent", "sample"]) == 2
    assert "mesh, inswapper_128" in capsys.readouterr().err


def test_a_wrong_kind_of_model_is_no_engine(shelf, hopper_path, tmp_path):
    words = ["swap", "-s", str(hopper_path), "-t", str(hopper_path), "-o", str(tmp_path / "o.png")]
    assert main([*words, "--engine", "arcface_w600k_r50", "--home", str(shelf), "--consent", "sample"]) == 2


def test_doctor_says_on_which_device_each_model_runs(put, capsys):
    home, store, entry = put("inswapper_128", swapper(BAD["no numbers"][0]))
    assert main(["doctor", "--json", "--home", str(home), "--device", "cpu"]) == 6
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)["sections"]["fetched models"]}
    assert found["arcface_w600k_r50"]["detail"] == "runs on cpu"
    assert found["inswapper_128"]["state"] == "broken"
    assert "no numbers" in found["inswapper_128"]["detail"]
    store.remove(entry)
    main(["doctor", "--home", str(home)])
    out = capsys.readouterr().out
    assert "inswapper_128:" not in out
    assert "ONNX Runtime here knows" in out
